"""The answer: what is served and what is not, in words, as the service and the batch give it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mkt_models.columns import Channel, NumberKind, Strategy
from mkt_models.decisions.arbitration import Scored
from mkt_models.decisions.candidates import Candidate, Content, filled
from mkt_models.decisions.charges import uses
from mkt_models.decisions.consent import consent_ends
from mkt_models.decisions.contact import valid_until
from mkt_models.decisions.exploration import Choice
from mkt_models.decisions.local_clock import moments_of
from mkt_models.decisions.question import Context, Customer, Policy
from mkt_models.decisions.words import ARMS, EXPLOITING, EXPLORING, NOTE, Reason, Words
from mkt_models.decisions.worth import KIND
from mkt_models.exploration_params import Method
from mkt_models.store.records import Exposure, Use

MOST_REASONS = 4
MODEL_REASONS = 2
TREATMENT, HOLDOUT = "treatment", "holdout"
NO_ACTION_TITLE: Words = ("No action", "不采取行动")
NO_ACTION_TEXT: Words = (
    "Nothing that may be served is worth more than leaving the customer in peace.",
    "没有任何可用策略比不打扰客户更有价值。",
)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A candidate that is not served, and why."""

    candidate: str
    strategy: str
    channel: Channel | None
    offer_id: str | None
    reasons: tuple[Reason, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; the code is of the first reason, the words are of all."""
        return {
            "candidate": self.candidate,
            "strategy": self.strategy,
            "channel": None if self.channel is None else self.channel.value,
            "offer_id": self.offer_id,
            "code": self.reasons[0].code.value,
            "en": "; ".join(one.en for one in self.reasons),
            "zh": "；".join(one.zh for one in self.reasons),
        }


@dataclass(frozen=True, slots=True)
class Served:
    """A strategy of the answer, by rank, and what its contact takes of budgets."""

    rank: int
    strategy: str
    channel: Channel | None
    offer_id: str | None
    candidate: str
    worth: float
    document: Mapping[str, Any]
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What is served to a customer, and what is not, with reasons."""

    decision_id: str
    customer_id: str
    strategies: tuple[Served, ...]
    suppressed: tuple[Suppressed, ...]
    head: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The answer of the service and the row of the batch: JSON-able."""
        return {
            "decision_id": self.decision_id,
            "customer_id": self.customer_id,
            **self.head,
            "strategies": [dict(one.document) for one in self.strategies],
            "suppressed": [one.as_dict() for one in self.suppressed],
        }

    def exposures(self, sent_at: datetime) -> tuple[Exposure, ...]:
        """The contacts to record once the strategies have been sent or shown at ``sent_at``."""
        return tuple(
            Exposure(
                customer_id=self.customer_id,
                channel=one.channel.value,
                sent_at=sent_at,
                strategy=one.strategy,
                offer_id=one.offer_id,
                decision_id=self.decision_id,
            )
            for one in self.strategies
            if one.channel is not None
        )


def served(
    rank: int,
    one: Scored,
    customer: Customer,
    context: Context,
    policy: Policy,
    arm: str,
    probability: float | None = 1.0,
) -> Served:
    """Put a chosen candidate into words, as rank ``rank`` of the answer.

    The reasons are those of the scene, of the content, and of the model that the strategy names.
    ``valid_until`` says when the leave to send or show it ends, if it is not sent before: that of
    the contact policy, of the consent, or of the offer that it is about.
    """
    entry, use, content = one.candidate.entry, one.candidate.use, one.candidate.content
    assert isinstance(content, Content)
    words = content.words
    reasons = [dict(why) for why in content.reasons]
    reasons += _score_reasons(one.candidate, customer)
    zone, now = policy.zone_of(context), context.now.astimezone(UTC)
    ends = [valid_until(policy.catalogue.contact, use.channel, now, zone)]
    if use.requires_consent:
        for own in {zone, policy.zone}:  # by whichever clock it ends first
            today = now.astimezone(own).date()
            consent = consent_ends(customer.consents, entry.purpose, use.channel, own, today)
            ends += [] if consent is None else [consent]
    offer = _offer_ends(content, zone)
    ends += [] if offer is None else [offer]
    until = max(now, min(ends))
    document = {
        "rank": rank,
        "strategy": entry.id,
        "family": entry.family.value,
        "personalised": entry.personalised,
        "channel": use.channel.value,
        "channel_kind": policy.catalogue.contact.channels[use.channel].kind,
        "title": {"en": filled(entry.title.en, words, 0), "zh": filled(entry.title.zh, words, 1)},
        "text": {"en": filled(entry.text.en, words, 0), "zh": filled(entry.text.zh, words, 1)},
        "content": dict(content.data),
        "worth": one.amount,
        "worth_kind": one.worth.kind.value,
        "worth_interval": one.worth.interval(),
        "currency": policy.currency,
        "worth_parts": one.worth.parts(),
        "budget_price": round(one.price, 6),
        "net_worth": round(one.amount - one.price, 6),
        "budget_charges": [charge.as_dict() for charge in one.charges],
        "reasons": reasons[:MOST_REASONS],
        "valid_until": until.astimezone(zone).isoformat(),
        "arm": arm,
        "probability": probability,
    }
    return Served(
        rank,
        entry.id,
        use.channel,
        one.candidate.offer_id,
        one.candidate.key,
        one.amount,
        document,
        uses(one.candidate, policy.allowances),
    )


def _offer_ends(content: Content, zone: ZoneInfo) -> datetime | None:
    """The moment from which what is offered runs no longer; None where it does not end."""
    told = (content.data.get("offer") or {}).get("ends_on")
    try:
        day = date.fromisoformat(str(told)[:10]) + timedelta(days=1)
    except (ValueError, OverflowError):  # no day, or none that anybody will see the end of
        return None
    return moments_of(day, time(0), zone)[0]


def _score_reasons(candidate: Candidate, customer: Customer) -> list[dict[str, Any]]:
    model = candidate.entry.worth.reasons_from
    if model is None:
        return []
    told = (customer.scores.get(model) or {}).get("reasons") or ()
    # What a reason tells of the customer is observed; its contribution is to what is predicted.
    kinds = {
        "value_kind": NumberKind.OBSERVED.value,
        "contribution_kind": NumberKind.PREDICTED.value,
    }
    return [{"source": f"score:{model.value}", **why, **kinds} for why in told[:MODEL_REASONS]]


def no_action(policy: Policy, arm: str) -> Served:
    """Put doing nothing into words: it stands alone, at rank 1, with worth 0."""
    name = Strategy.NO_ACTION.value
    document = {
        "rank": 1,
        "strategy": name,
        "family": name,
        "personalised": False,
        "channel": None,
        "channel_kind": None,
        "title": {"en": NO_ACTION_TITLE[0], "zh": NO_ACTION_TITLE[1]},
        "text": {"en": NO_ACTION_TEXT[0], "zh": NO_ACTION_TEXT[1]},
        "content": {"kind": "none"},
        "worth": 0.0,
        "worth_kind": KIND.value,
        "worth_interval": None,
        "currency": policy.currency,
        "worth_parts": None,
        "budget_price": 0.0,
        "net_worth": 0.0,
        "budget_charges": [],
        "reasons": [],
        "valid_until": None,
        "arm": arm,
        "probability": 1.0,
    }
    return Served(1, name, None, None, name, 0.0, document)


def head(
    customer: Customer,
    context: Context,
    policy: Policy,
    k: int,
    today: date,
    arm: str,
    choice: Choice | None = None,
    withheld: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """What the answer says about itself: when, for whom, from what, and how it was chosen.

    ``withheld``: for a customer of the holdout, with which probability what would have come first.
    """
    share = f"{100 * policy.holdout_share:g}%"
    within = EXPLORING if policy.exploration.method is not Method.NONE else EXPLOITING
    return {
        "as_of": customer.as_of.isoformat(),
        "now": context.now.astimezone(policy.zone_of(context)).isoformat(),
        "k": k,
        "locale": context.locale,
        "channel": None if context.channel is None else str(context.channel),
        "profile_age_days": (today - customer.as_of).days,
        "stale": policy.stale(customer.as_of, today),
        "currency": policy.currency,
        "experiment": {
            "arm": arm,
            "arm_probability": round(
                policy.holdout_share if arm == HOLDOUT else 1 - policy.holdout_share, 6
            ),
            "en": ARMS[0].format(share=share) + within[0],
            "zh": ARMS[1].format(share=share) + within[1],
        },
        "exploration": {
            "method": policy.exploration.method.value,
            "epsilon": policy.exploration.epsilon,
            "explored": choice is not None and choice.explored,
            # Of every candidate to come first; those that are not named: 0.
            "probabilities": {}
            if choice is None
            else {key: p for key, p in choice.probabilities.items() if p > 0},
            # The same of what the holdout kept back; null outside of it.
            "withheld": None
            if withheld is None
            else {key: p for key, p in withheld.items() if p > 0},
        },
        "snapshot_id": policy.snapshot_id,
        "models": dict(policy.models),
        "verdicts": {name: verdict.value for name, verdict in policy.verdicts.items()},
        "note": {"en": NOTE[0], "zh": NOTE[1]},
    }
