"""The catalogue of strategies: what may be said to whom, where, how often, and what it is worth.

``params/catalogue.yaml`` holds the choices; this module holds their meaning, and refuses what
must not be: an unknown column, a sensitive column or a guess at wealth without a reason, a
placeholder that nothing fills, a push contact without consent.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from string import Formatter
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from mkt_models.budget_params import CONTACTS, COUPONS, MONEY
from mkt_models.columns import Channel, Model, Shelf, Strategy
from mkt_models.decisions.contact import Caps, ContactPolicy
from mkt_models.decisions.eligibility import GUARDED, Rule
from mkt_models.decisions.occasions import Occasion
from mkt_models.loading import read_yaml, validate
from mkt_models.sections import Section, Share, nearest

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
Amount = Annotated[float, Field(ge=0, le=1e9)]
Why = Annotated[str, Field(min_length=20)]


class Needs(StrEnum):
    """Where the content of a strategy comes from."""

    ITEMS = "items"
    OFFER = "offer"
    TIER = "tier"
    NONE = "none"


class Outcome(StrEnum):
    """What the worth counts: an event with its probability and amount, or an expected amount.

    ``item_bought``: a shown item is bought. ``redemption``: a coupon is redeemed. ``spend``: the
    customer's expected spend, whatever happens; no probability enters.
    """

    ITEM_BOUGHT = "item_bought"
    REDEMPTION = "redemption"
    SPEND = "spend"


OUTCOMES_OF: Mapping[Needs, tuple[Outcome, ...]] = {
    Needs.ITEMS: (Outcome.ITEM_BOUGHT,),
    Needs.OFFER: (Outcome.REDEMPTION,),
    Needs.TIER: (Outcome.SPEND,),
    Needs.NONE: (Outcome.SPEND,),
}

MODELS_OF: Mapping[Outcome, tuple[Model, ...]] = {
    Outcome.ITEM_BOUGHT: (Model.RECOMMENDER,),
    Outcome.REDEMPTION: (Model.PROPENSITY,),
    Outcome.SPEND: (Model.VALUE,),
}
"""The models whose predictions enter the worth of a personalised strategy."""

PLACEHOLDERS: Mapping[Needs, tuple[str, ...]] = {
    Needs.ITEMS: ("items", "first_item"),
    Needs.OFFER: ("products", "ends_on"),
    Needs.TIER: ("tier", "benefits", "progress"),
    Needs.NONE: (),
}


class Text(Section):
    """A text in English and Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class Assumed(Section):
    """A number that nobody has measured yet, and why it may stand in."""

    value: Share
    reason: Why


class Worth(Section):
    """What a served strategy is expected to bring, before any experiment has measured it."""

    outcome: Outcome
    margin_rate: Assumed = Field(description="share of an amount that is margin")
    credited_share: Assumed = Field(
        description="share of the outcome's value that planning credits to the contact"
    )
    models: tuple[Model, ...] = Field(
        default=(), description="served only while the audit of each of these says pass"
    )
    reasons_from: Model | None = Field(
        default=None, description="model whose reasons are shown; one of models"
    )

    @model_validator(mode="after")
    def _reasons_are_gated(self) -> Self:
        if self.reasons_from is not None and self.reasons_from not in self.models:
            raise ValueError(f"reasons_from == {self.reasons_from.value!r} must be among models")
        return self


class ChannelUse(Section):
    """A channel of a strategy."""

    channel: Channel
    cost: Amount = Field(description="cost of one contact, currency units")
    requires_consent: bool = Field(
        default=True, description="false: served without a recorded yes; a recorded no still binds"
    )
    uses: dict[Identifier, Amount] = Field(
        default_factory=dict,
        description="what one contact takes of other resources, each in its unit: agent_hours 0.25",
    )

    @field_validator("uses")
    @classmethod
    def _counted_anyway(cls, value: dict[str, float]) -> dict[str, float]:
        for name in sorted({MONEY, CONTACTS, COUPONS} & value.keys()):
            raise ValueError(f"{name!r} is counted anyway; name other resources, e.g. agent_hours")
        return value


class ItemChoice(Section):
    """Which of a customer's recommended items are shown, in their order."""

    shelves: tuple[Shelf, ...] = Field(min_length=1)
    skip: int = Field(default=0, ge=0, le=100, description="leave out so many of the first")
    most: int = Field(gt=0, le=20)


class AllowedSensitive(Section):
    """A guarded column that a rule may use all the same, and why that is right."""

    column: str
    reason: Why


class StrategyEntry(Section):
    """One strategy of the catalogue."""

    id: Identifier
    family: Strategy
    personalised: bool = Field(description="whether it depends on who the customer is")
    purpose: Identifier = Field(description="the purpose that a consent must name")
    channels: tuple[ChannelUse, ...] = Field(min_length=1)
    eligibility: tuple[Rule, ...] = ()
    occasions: tuple[Occasion, ...] = Field(default=(), description="only on such days; any: empty")
    needs: Needs
    items: ItemChoice | None = None
    worth: Worth
    caps: Caps = Field(default_factory=Caps, description="of this strategy, over any channel")
    allow_sensitive: tuple[AllowedSensitive, ...] = ()
    title: Text
    text: Text

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The words in braces that a text of this strategy may use."""
        return PLACEHOLDERS[self.needs] + (("occasion",) if self.occasions else ())

    @model_validator(mode="after")
    def _guarded_columns_are_allowed(self) -> Self:
        used = {rule.column for rule in self.eligibility if rule.column in GUARDED}
        allowed = {entry.column for entry in self.allow_sensitive}
        for column in sorted(used - allowed):
            raise ValueError(
                f"eligibility uses {column!r}, {GUARDED[column]}; remove the rule, or give "
                "allow_sensitive with this column and a reason"
            )
        for column in sorted(allowed - used):
            raise ValueError(
                f"allow_sensitive names {column!r}, which no rule uses, or which needs no leave"
            )
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        wanted = OUTCOMES_OF[self.needs]
        behind = MODELS_OF[self.worth.outcome]
        if self.family is Strategy.NO_ACTION:
            raise ValueError("no_action is always a candidate and is not in the catalogue")
        if self.worth.outcome not in wanted:
            names = " or ".join(outcome.value for outcome in wanted)
            raise ValueError(f"needs {self.needs.value}: worth.outcome must be {names}")
        if (self.items is None) == (self.needs is Needs.ITEMS):
            raise ValueError("items is given when needs is items, and only then")
        if self.personalised != bool(self.worth.models):
            raise ValueError("worth.models: a personalised strategy names some, another names none")
        if self.personalised and not set(behind) <= set(self.worth.models):
            names = ", ".join(model.value for model in behind)
            raise ValueError(
                f"worth.models must name {names}: outcome {self.worth.outcome.value} rests on it"
            )
        if not self.personalised and (self.eligibility or self.needs is not Needs.ITEMS):
            raise ValueError("a strategy that is not personalised has no rules and shows items")
        if self.personalised and not all(use.requires_consent for use in self.channels):
            raise ValueError("a personalised strategy requires consent on every channel")
        if len({use.channel for use in self.channels}) != len(self.channels):
            raise ValueError("a channel stands twice")
        return self

    @model_validator(mode="after")
    def _texts_can_be_filled(self) -> Self:
        for name, text in (("title", self.title), ("text", self.text)):
            en, zh = (_placeholders(f"{name}.{side}", t) for side, t in text)
            for word in sorted(en | zh):
                if word not in self.placeholders:
                    raise ValueError(
                        f"{name}: nothing fills {{{word}}}{nearest(word, self.placeholders)}; "
                        f"known: {', '.join(self.placeholders) or 'none'}"
                    )
            if en != zh:
                raise ValueError(f"{name}: en and zh must use the same words in braces")
        return self


class MembershipTier(Section):
    """A step of the membership programme; the thresholds are published, the same for everybody."""

    id: Identifier
    from_amount: Amount = Field(description="spend in 365 days that reaches it, currency units")
    name: Text
    benefits: Text


class Catalogue(Section):
    """Everything that may be decided, and within which limits."""

    max_profile_age_days: int = Field(
        gt=0, le=3650, description="nothing personalised from an older one"
    )
    default: Identifier = Field(description="served when nothing better can be; not personalised")
    contact: ContactPolicy
    tiers: tuple[MembershipTier, ...] = Field(min_length=1)
    strategies: tuple[StrategyEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        ids = [entry.id for entry in self.strategies]
        for name in ids:
            if ids.count(name) > 1 or name == Strategy.NO_ACTION:
                raise ValueError(f"strategies: the id {name!r} is taken twice")
        if self.default not in ids:
            raise ValueError(
                f"default == {self.default!r} is no strategy{nearest(self.default, ids)}"
            )
        if self.strategy(self.default).personalised:
            raise ValueError(f"default == {self.default!r} must not be personalised")
        for entry in self.strategies:
            for use in entry.channels:
                policy = self.contact.channels.get(use.channel)
                if policy is None:
                    raise ValueError(f"{entry.id}: contact.channels lacks {use.channel.value}")
                if policy.kind == "push" and not use.requires_consent:
                    raise ValueError(f"{entry.id}: {use.channel.value} is push: requires consent")
        amounts = [tier.from_amount for tier in self.tiers]
        if amounts[0] != 0 or amounts != sorted(set(amounts)):
            raise ValueError("tiers: from_amount must start at 0 and rise")
        return self

    @property
    def digest(self) -> str:
        """Twelve hex digits that change when anything in the catalogue changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def strategy(self, name: str) -> StrategyEntry:
        """The strategy with this id; a KeyError if there is none."""
        for entry in self.strategies:
            if entry.id == name:
                return entry
        raise KeyError(name)


def load_catalogue(path: str | Path) -> Catalogue:
    """Read and check a catalogue; a ParamsError lists every fault found, one per line."""
    return validate(Catalogue, read_yaml(Path(path)), str(path))


def _placeholders(where: str, template: str) -> set[str]:
    words = set()
    try:
        for _, name, spec, conversion in Formatter().parse(template):
            if name is None:
                continue
            if spec or conversion or not name.isidentifier():
                raise ValueError(f"{{{name}}} must be a plain word in braces")
            words.add(name)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return words
