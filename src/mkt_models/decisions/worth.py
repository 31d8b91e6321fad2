"""What serving a candidate is expected to bring, in currency units.

worth = sum over terms of P(outcome) x value, x margin_rate x credited_share - cost of the contact

The value of a redemption is what the shop received for the goods, net of what it gave away. A
model of amounts predicts P(outcome) x value at once: its term has no probability. Where nothing is
measured or predicted, the value is what the customer spent in 365 days, observed, and the credited
share that the catalogue assumes says how little of it a contact moves; or an amount that it assumes
for everybody alike.

That is of the kind ``propensity_weighted``: it ranks, it does not promise an effect. Where contacts
over the channel of a campaign were assigned at random, and trials have shown an effect and whom it
is larger for, the worth of its coupon over that channel is what they say, of the kind
``randomised``:

worth = uplift x value of a response x days_left_share x margin_rate - given away - cost

The value of an order is the customer's mean order, and what is given away is P(redemption) x what
coupons take off: those who would have bought anyway redeem too. Of spend, which is net of coupons,
the value is 1, and of what is given away only 1 - margin_rate is not in it yet. The effect itself
is randomised, the value of an order is observed, and margins and costs stay assumptions.

What the customer's recent contacts over the channel leave of a response multiplies all but the cost
(:mod:`mkt_models.decisions.fatigue`); it never raises a worth.

The parts are kept beside the result, so that anybody can add them up again; those that are assumed
are named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from mkt_models.columns import Model, NumberKind, Verdict
from mkt_models.decisions.candidates import Candidate, Content
from mkt_models.decisions.catalogue import MODELS_OF, Outcome
from mkt_models.decisions.content_kinds import ASSUMED
from mkt_models.decisions.decays import Fatigue
from mkt_models.decisions.eligibility import missing
from mkt_models.decisions.question import Customer, Policy
from mkt_models.decisions.terms_gate import withheld_by_terms
from mkt_models.decisions.words import MODELS, VERDICTS, Code, Reason, reason
from mkt_models.profiles.described import PROFILE_COLUMNS

KIND = NumberKind.PROPENSITY_WEIGHTED
PAST = "amount_365d"

# Their predictions stand beside each offer and item, not among the customer's scores.
SCORED_WITH_CONTENT = (Model.PROPENSITY, Model.RECOMMENDER)


@dataclass(frozen=True, slots=True)
class Term:
    """One outcome: its probability, and its value in currency units if it happens.

    ``probability`` is None when ``value`` is an expected amount, which needs no event to happen.
    Else ``probability_kind`` says where it comes from: a model, or shares that were counted. An
    amount of a model has the ends of its prediction interval, a mean that was counted its ``n``.
    """

    of: str
    probability: float | None
    value: float
    value_kind: NumberKind
    probability_kind: NumberKind = NumberKind.PREDICTED
    value_interval: Mapping[str, float] | None = None
    value_n: int | None = None

    @property
    def weight(self) -> float:
        """What the value is multiplied with."""
        return 1.0 if self.probability is None else self.probability

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; where there is no probability, neither is its kind."""
        return {
            "of": self.of,
            "probability": self.probability,
            "probability_kind": None if self.probability is None else self.probability_kind.value,
            "value": self.value,
            "value_kind": self.value_kind.value,
            **({} if self.value_interval is None else {"value_interval": self.value_interval}),
            **({} if self.value_n is None else {"value_n": self.value_n}),
        }


@dataclass(frozen=True, slots=True)
class Worth:
    """The worth of a candidate and its parts.

    ``given_away`` is what coupons are expected to take off beyond what the terms hold already.
    Of a randomised worth ``credited_share`` is the share of the effect's days that are left, as
    there is nothing to credit: an experiment has told. ``n`` are the rows of its trials.
    """

    outcome: Outcome
    terms: tuple[Term, ...]
    margin_rate: float
    credited_share: float
    cost: float
    kind: NumberKind = KIND
    given_away: float = 0.0
    n: int | None = None
    fatigue: Fatigue | None = None

    @property
    def amount(self) -> float:
        """The worth, in currency units."""
        gain = sum(term.weight * term.value for term in self.terms)
        brings = gain * self.margin_rate * self.credited_share - self.given_away
        return self._left(brings) - self.cost

    def _left(self, brings: float) -> float:
        """What recent contacts leave of a gain; a loss stays whole."""
        return brings if self.fatigue is None or brings < 0 else brings * self.fatigue.multiplier

    def interval(self) -> dict[str, float] | None:
        """Where the worth lies as often as the prediction interval of its amount says.

        None where no amount is predicted with an interval: of a probability there is none for one
        customer. The parts that are assumed, and fatigue, are taken as they are.
        """
        found = [term.value_interval for term in self.terms]
        if len(found) != 1 or found[0] is None:
            return None
        scale = self.terms[0].weight * self.margin_rate * self.credited_share
        ends = {
            end: round(self._left(found[0][end] * scale - self.given_away) - self.cost, 6)
            for end in ("lower", "upper")
        }
        return {**ends, "confidence": found[0]["confidence"]}

    def parts(self) -> dict[str, Any]:
        """The parts, JSON-able, with the names of those that are assumed."""
        measured = self.kind is NumberKind.RANDOMISED
        share = "days_left_share" if measured else "credited_share"
        return {
            "outcome": self.outcome.value,
            "terms": [term.as_dict() for term in self.terms],
            "margin_rate": self.margin_rate,
            share: self.credited_share,
            "cost": self.cost,
            **({"given_away": self.given_away, "n": self.n} if measured else {}),
            **({} if self.fatigue is None else {"fatigue": self.fatigue.as_dict()}),
            "assumed": ["margin_rate", share, "cost", *self._also_assumed()],
        }

    def _also_assumed(self) -> Iterator[str]:
        if self.outcome is Outcome.FIXED:
            yield "amount"
        if self.fatigue is not None and self.fatigue.decay.kind is NumberKind.ASSUMED:
            yield "fatigue"


def unreleased(candidate: Candidate, policy: Policy) -> tuple[Reason, ...]:
    """Say which models behind a candidate did not pass their audit, or that its terms did not.

    Empty if all passed.
    """
    models = tuple(
        reason(
            Code.MODEL_NOT_RELEASED,
            model=MODELS[model.value],
            verdict=VERDICTS[verdict.value],
        )
        for model in candidate.entry.worth.models
        if (verdict := policy.verdict(model)) is not Verdict.PASS
    )
    return models + withheld_by_terms(candidate.entry, policy)


def worth(candidate: Candidate, customer: Customer) -> Worth | Reason:
    """The worth of a candidate that has content, or the reason why it cannot be told.

    A candidate whose models have not scored the customer has no worth: a model that is named
    stands behind the number, or the number is not given.
    """
    if not isinstance(candidate.content, Content):
        raise ValueError(f"{candidate.key}: has no content, so no worth")
    block = candidate.entry.worth
    scores = {model: _score(customer, model) for model in Model}
    for model in (*block.models, *MODELS_OF[block.outcome]):
        if model not in SCORED_WITH_CONTENT and scores[model] is None:
            return reason(Code.SCORE_NOT_AVAILABLE, model=MODELS[model.value])
    measured = _measured(candidate, candidate.content, customer)
    if measured is not None:
        return measured
    spent = customer.profile.get(PAST)
    past = spent if _number(spent) else None
    if block.outcome is Outcome.PAST_SPEND and past is None:
        return reason(Code.NOT_AVAILABLE, column=PROFILE_COLUMNS[PAST].words)
    around = _interval(customer, Model.VALUE)
    amount = past if block.amount is None else block.amount.value
    terms = tuple(_terms(block.outcome, candidate.content, scores, amount, around))
    return Worth(
        outcome=block.outcome,
        terms=terms,
        margin_rate=block.margin_rate.value,
        credited_share=block.credited_share.value,
        cost=candidate.use.cost,
        # Where nothing is predicted, only a share of what was spent says it, or an amount.
        kind=NumberKind.ASSUMED if block.outcome in ASSUMED else KIND,
    )


def _measured(candidate: Candidate, content: Content, customer: Customer) -> Worth | None:
    """What trials say of this contact; None where there are none, or not over this channel."""
    offer = content.data.get("offer") or {}
    told, given = offer.get("uplift"), offer.get("given")
    if not told or not _number(given) or told["channel"] != candidate.use.channel:
        return None
    ordered = told["response"] == "ordered"
    value = customer.profile.get("mean_order_amount") if ordered else 1.0
    if not _number(value):
        return None
    rate = candidate.entry.worth.margin_rate.value
    redeemed = float(offer["probability"]) * float(given)
    term = Term(
        of="orders that a contact adds" if ordered else "spend that a contact adds",
        probability=told["value"] if ordered else None,
        value=float(value) if ordered else told["value"],
        value_kind=NumberKind.OBSERVED if ordered else NumberKind.RANDOMISED,
        probability_kind=NumberKind.RANDOMISED,
    )
    return Worth(
        outcome=candidate.entry.worth.outcome,
        terms=(term,),
        margin_rate=rate,
        credited_share=float(told["days_left_share"]),
        cost=candidate.use.cost,
        kind=NumberKind.RANDOMISED,
        given_away=redeemed * (1.0 if ordered else 1 - rate),
        n=told["n"],
    )


def _terms(
    outcome: Outcome,
    content: Content,
    scores: Mapping[Model, float | None],
    amount: float | None = None,
    around: Mapping[str, float] | None = None,
) -> Iterator[Term]:
    value = scores[Model.VALUE]
    if outcome is Outcome.ITEM_BOUGHT:
        for item in content.data["items"]:
            yield Term(
                str(item.get("product_id")),
                item["probability"],
                item["amount"],
                NumberKind.OBSERVED,
                probability_kind=NumberKind(item.get("kind") or NumberKind.PREDICTED),
            )
    elif outcome is Outcome.REDEMPTION:
        offer = content.data["offer"]
        yield Term(
            str(offer["offer_id"]),
            offer["probability"],
            offer["amount"],
            NumberKind.OBSERVED,
            value_n=offer.get("amount_n"),
        )
    elif outcome in ASSUMED:
        if amount is not None:
            fixed = outcome is Outcome.FIXED
            kind = NumberKind.ASSUMED if fixed else NumberKind.OBSERVED
            yield Term("amount" if fixed else PAST, None, amount, kind)
    elif value is not None:
        yield Term("value", None, value, NumberKind.PREDICTED, value_interval=around)


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not missing(value)


def _interval(customer: Customer, model: Model) -> dict[str, float] | None:
    score = customer.scores.get(model) or {}
    ends = {name: score.get(name) for name in ("lower", "upper", "confidence")}
    return (
        {name: end for name, end in ends.items() if _number(end)}
        if all(map(_number, ends.values()))
        else None
    )


def _score(customer: Customer, model: Model) -> float | None:
    value = (customer.scores.get(model) or {}).get("value")
    return value if _number(value) else None
