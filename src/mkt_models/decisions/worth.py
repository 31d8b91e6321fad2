"""What serving a candidate is expected to bring, in currency units.

worth = sum over terms of P(outcome) x value, x margin_rate x credited_share - cost of the contact

The value of a redemption is what the shop received for the goods, net of what it gave away. A
model of amounts predicts P(outcome) x value at once: its term has no probability.

No experiment has measured these contacts yet, so the kind is ``propensity_weighted``: it ranks, it
does not promise an effect. The parts are kept beside the result, so that anybody can add them up
again; those that the catalogue assumes are named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mkt_models.columns import Model, NumberKind, Verdict
from mkt_models.decisions.candidates import Candidate, Content
from mkt_models.decisions.catalogue import MODELS_OF, Outcome
from mkt_models.decisions.eligibility import missing
from mkt_models.decisions.question import Customer, Policy
from mkt_models.decisions.words import MODELS, VERDICTS, Code, Reason, reason

KIND = NumberKind.PROPENSITY_WEIGHTED

# Their predictions stand beside each offer and item, not among the customer's scores.
SCORED_WITH_CONTENT = (Model.PROPENSITY, Model.RECOMMENDER)


@dataclass(frozen=True, slots=True)
class Term:
    """One outcome: its probability, and its value in currency units if it happens.

    ``probability`` is None when ``value`` is an expected amount, which needs no event to happen.
    Else ``probability_kind`` says where it comes from: a model, or shares that were counted.
    """

    of: str
    probability: float | None
    value: float
    value_kind: NumberKind
    probability_kind: NumberKind = NumberKind.PREDICTED

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
        }


@dataclass(frozen=True, slots=True)
class Worth:
    """The worth of a candidate and its parts."""

    outcome: Outcome
    terms: tuple[Term, ...]
    margin_rate: float
    credited_share: float
    cost: float

    @property
    def amount(self) -> float:
        """The worth, in currency units."""
        gain = sum(term.weight * term.value for term in self.terms)
        return gain * self.margin_rate * self.credited_share - self.cost

    def parts(self) -> dict[str, Any]:
        """The parts, JSON-able, with the names of those that are assumed."""
        return {
            "outcome": self.outcome.value,
            "terms": [term.as_dict() for term in self.terms],
            "margin_rate": self.margin_rate,
            "credited_share": self.credited_share,
            "cost": self.cost,
            "assumed": ["margin_rate", "credited_share", "cost"],
        }


def unreleased(candidate: Candidate, policy: Policy) -> tuple[Reason, ...]:
    """Say which models behind a candidate did not pass their audit; empty if all did."""
    return tuple(
        reason(
            Code.MODEL_NOT_RELEASED,
            model=MODELS[model.value],
            verdict=VERDICTS[verdict.value],
        )
        for model in candidate.entry.worth.models
        if (verdict := policy.verdict(model)) is not Verdict.PASS
    )


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
    terms = tuple(_terms(block.outcome, candidate.content, scores))
    return Worth(
        outcome=block.outcome,
        terms=terms,
        margin_rate=block.margin_rate.value,
        credited_share=block.credited_share.value,
        cost=candidate.use.cost,
    )


def _terms(
    outcome: Outcome, content: Content, scores: Mapping[Model, float | None]
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
        )
    elif value is not None:
        yield Term("value", None, value, NumberKind.PREDICTED)


def _score(customer: Customer, model: Model) -> float | None:
    value = (customer.scores.get(model) or {}).get("value")
    return value if isinstance(value, int | float) and not missing(value) else None
