"""One strategy of the catalogue: what its keys mean, and what is refused."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from mkt_models.budget_params import CONTACTS, COUPONS, MONEY
from mkt_models.columns import Channel, Model, Shelf, Strategy
from mkt_models.decisions.caps import Caps
from mkt_models.decisions.content_kinds import KINDS, MODELS_OF, Needs, Outcome
from mkt_models.decisions.content_library import PieceChoice
from mkt_models.decisions.eligibility import GUARDED, Rule, contradiction
from mkt_models.decisions.scene import When
from mkt_models.decisions.texts import (
    Amount,
    CountedAmount,
    Identifier,
    Text,
    Why,
    Word,
    placeholders,
)
from mkt_models.sections import Section, Share, nearest

SERVICE = "service"
"""The purpose of contacts that help with what was bought, and sell nothing."""
_OPTIONS = tuple(kind.option for kind in KINDS.values() if kind.option is not None)


class Assumed(Section):
    """A number that nobody has measured yet, and why it may stand in."""

    value: Share
    reason: Why


class AssumedAmount(Section):
    """An amount that nobody has measured yet, and why it may stand in."""

    value: Amount
    reason: Why


class Worth(Section):
    """What a served strategy is expected to bring, before any experiment has measured it."""

    outcome: Outcome
    margin_rate: Assumed = Field(description="share of an amount that is margin")
    credited_share: Assumed = Field(
        description="share of the outcome's value that planning credits to the contact"
    )
    amount: AssumedAmount | None = Field(
        default=None, description="of a fixed outcome: currency units, the same for everybody"
    )
    models: tuple[Model, ...] = Field(
        default=(), description="served only while the audit of each of these says pass"
    )
    reasons_from: Model | None = Field(
        default=None, description="model whose reasons are shown; one of models"
    )

    @model_validator(mode="after")
    def _fixed_has_an_amount(self) -> Self:
        if (self.amount is not None) != (self.outcome is Outcome.FIXED):
            raise ValueError("amount is given when outcome is fixed, and only then")
        return self

    @model_validator(mode="after")
    def _reasons_are_gated(self) -> Self:
        if self.reasons_from is not None and self.reasons_from not in self.models:
            raise ValueError(f"reasons_from == {self.reasons_from.value!r} must be among models")
        return self


class ChannelUse(Section):
    """A channel of a strategy."""

    channel: Channel
    cost: CountedAmount = Field(description="cost of one contact, currency units")
    requires_consent: bool = Field(
        default=True, description="false: served without a recorded yes; a recorded no still binds"
    )
    uses: dict[Identifier, CountedAmount] = Field(
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
    words: tuple[Word, ...] = Field(
        default=(), description="only items with one of these in category or product type; any: []"
    )
    popular_too: bool = Field(default=False, description="filled up from the popular items")
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
    when: When | None = Field(default=None, description="only in such a scene; any: left out")
    needs: Needs
    items: ItemChoice | None = None
    offers: tuple[Identifier, ...] = Field(default=(), description="of the published offers")
    pieces: PieceChoice | None = None
    services: tuple[Identifier, ...] = Field(default=(), description="of the services")
    worth: Worth
    caps: Caps = Field(default_factory=Caps, description="of this strategy, over any channel")
    allow_sensitive: tuple[AllowedSensitive, ...] = ()
    title: Text
    text: Text

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The words in braces that a text of this strategy may use."""
        return KINDS[self.needs].placeholders + (self.when.placeholders if self.when else ())

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        for name in ("offers", "services"):
            for one in (given := getattr(self, name)):
                if given.count(one) > 1:
                    raise ValueError(f"{name}: {one!r} stands twice")
        if why := contradiction(self.eligibility):
            raise ValueError(f"eligibility: {why}")
        return self

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
    def _content_fits(self) -> Self:
        if self.family is Strategy.NO_ACTION:
            raise ValueError("no_action is always a candidate and is not in the catalogue")
        kind, needs = KINDS[self.needs], self.needs.value
        if self.worth.outcome not in kind.outcomes:
            names = " or ".join(outcome.value for outcome in kind.outcomes)
            raise ValueError(f"needs {needs}: worth.outcome must be {names}")
        for option in _OPTIONS:
            if bool(getattr(self, option)) != (option == kind.option):
                which = " or ".join(n.value for n, k in KINDS.items() if k.option == option)
                raise ValueError(f"{option} is given when needs is {which}, and only then")
        if self.pieces and (self.pieces.links > 0) != (self.needs is Needs.LINKED_PIECE):
            raise ValueError("pieces.links is above 0 when needs is linked_piece, and only then")
        return self

    @model_validator(mode="after")
    def _models_stand_behind_it(self) -> Self:
        behind = MODELS_OF[self.worth.outcome]
        if not self.personalised and self.worth.models:
            raise ValueError("worth.models: a personalised strategy names some, another names none")
        if self.personalised and not set(behind) <= set(self.worth.models):
            names = ", ".join(model.value for model in behind)
            raise ValueError(
                f"worth.models must name {names}: outcome {self.worth.outcome.value} rests on it"
            )
        if not self.personalised and (self.eligibility or self.needs is not Needs.ITEMS):
            raise ValueError("a strategy that is not personalised has no rules and shows items")
        return self

    @model_validator(mode="after")
    def _may_be_said(self) -> Self:
        serves = self.needs is Needs.SERVICE
        if serves != (self.purpose == SERVICE) or serves != (self.family is Strategy.SERVICE):
            raise ValueError(
                "a service contact sells nothing: needs service, purpose service and family "
                f"{Strategy.SERVICE.value} go together, or none of them"
            )
        asks = all(use.requires_consent for use in self.channels)
        if self.personalised and not serves and not asks:
            raise ValueError("a personalised strategy requires consent on every channel")
        if len({use.channel for use in self.channels}) != len(self.channels):
            raise ValueError("a channel stands twice")
        return self

    @model_validator(mode="after")
    def _texts_can_be_filled(self) -> Self:
        for name, text in (("title", self.title), ("text", self.text)):
            en, zh = (placeholders(f"{name}.{side}", said) for side, said in text)
            for word in sorted(en | zh):
                if word not in self.placeholders:
                    raise ValueError(
                        f"{name}: nothing fills {{{word}}}{nearest(word, self.placeholders)}; "
                        f"known: {', '.join(self.placeholders) or 'none'}"
                    )
            if en != zh:
                raise ValueError(f"{name}: en and zh must use the same words in braces")
        return self
