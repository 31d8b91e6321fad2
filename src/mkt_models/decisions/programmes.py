"""What the shop has published: membership tiers, offers open to all, services, sharing.

The terms of each are the same for everybody who qualifies, and who qualifies is written down. What
a customer may be willing to pay enters none of them.
"""

from collections.abc import Sequence
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from mkt_models.decisions.eligibility import GUARDED, Rule, contradiction
from mkt_models.decisions.texts import Amount, Identifier, Text
from mkt_models.sections import Day, Section

SENSITIVITY = (
    "discount_share",
    "coupon_share",
    "coupon_share_365d",
    "redemptions_90d",
    "spending_habit",
    "private_label_share",
    "value_amount",
    "value_percentile",
    "value_tier",
    "preferred_device",
)
"""Columns that may choose between offers open to all, and never decide to whom one is open."""


class MembershipTier(Section):
    """A step of the membership programme; the thresholds are published, the same for everybody.

    Both must be reached: spend says how much, orders how often.
    """

    id: Identifier
    from_amount: Amount = Field(description="spend in 365 days that reaches it, currency units")
    from_orders: int = Field(ge=0, le=10_000, description="orders in 365 days that reach it")
    name: Text
    benefits: Text


def check_tiers(tiers: tuple[MembershipTier, ...]) -> None:
    """ValueError unless the tiers start at nothing, and ask for more at every step."""
    amounts, orders = [t.from_amount for t in tiers], [t.from_orders for t in tiers]
    rises = amounts == sorted(amounts) and orders == sorted(orders)
    distinct = len(set(zip(amounts, orders, strict=True))) == len(tiers)
    if amounts[0] != 0 or orders[0] != 0 or not rises or not distinct:
        raise ValueError("tiers: from_amount and from_orders must start at 0 and rise")
    check_ids("tiers", [tier.id for tier in tiers])


def check_ids(where: str, names: Sequence[str]) -> None:
    """ValueError when an id stands twice."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{where}: the id {name!r} is taken twice")


class PublishedOffer(Section):
    """An offer open to everybody who qualifies, on the same terms.

    ``suits`` says whom it fits best among those; it changes neither the terms nor who may have it.
    """

    id: Identifier
    name: Text
    terms: Text
    open_to: tuple[Rule, ...] = Field(description="who qualifies, as published; everybody: []")
    suits: tuple[Rule, ...] = Field(default=(), description="shown first to whom all of these hold")
    starts_on: Day | None = Field(default=None, description="first day; null: has begun")
    ends_on: Day | None = Field(default=None, description="last day; null: until further notice")

    @model_validator(mode="after")
    def _is_the_same_for_all(self) -> Self:
        for rule in self.open_to:
            if rule.column in SENSITIVITY or rule.column in GUARDED:
                what = GUARDED.get(rule.column, "a sign of what somebody is ready to pay")
                raise ValueError(
                    f"open_to uses {rule.column!r}, {what}: to whom an offer is open must not "
                    "depend on it; at most suits may name a habit"
                )
        for rule in self.suits:
            if rule.column in GUARDED:
                raise ValueError(f"suits uses {rule.column!r}, {GUARDED[rule.column]}: remove it")
        for where, rules in (("open_to", self.open_to), ("suits", (*self.open_to, *self.suits))):
            if why := contradiction(rules):
                raise ValueError(f"{where}: {why}")
        if self.starts_on and self.ends_on and self.starts_on > self.ends_on:
            raise ValueError(f"ends_on == {self.ends_on} lies before starts_on {self.starts_on}")
        return self

    def runs(self, day: date) -> bool:
        """Whether it is valid on a day."""
        return (self.starts_on or day) <= day <= (self.ends_on or day)


class ServiceLevel(Section):
    """A service beyond the usual, and for whom: any of the lists of rules will do."""

    id: Identifier
    name: Text
    given_for: tuple[tuple[Rule, ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rests_on_nothing_guarded(self) -> Self:
        for rules in self.given_for:
            if not rules:
                raise ValueError("given_for: an empty list would give it to everybody")
            if why := contradiction(rules):
                raise ValueError(f"given_for: {why}")
            for rule in rules:
                if rule.column in GUARDED:
                    raise ValueError(
                        f"given_for uses {rule.column!r}, {GUARDED[rule.column]}: remove it"
                    )
        return self


class Platform(Section):
    """A social platform, as the source calls it."""

    id: str = Field(min_length=1, description="as in the source; any case")
    name: Text
    invite: Text = Field(description="what to do there, in a few words")


class ShareProgramme(Section):
    """What is offered for sharing or inviting, by how many people a customer reaches."""

    id: Identifier
    from_followers: int = Field(ge=0, description="followers that open it, as published")
    name: Text
    terms: Text


class SocialProgramme(Section):
    """Where customers share, and what for."""

    platforms: tuple[Platform, ...] = ()
    programmes: tuple[ShareProgramme, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        names = [platform.id.lower() for platform in self.platforms]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"platforms: {name!r} stands twice")
        check_ids("programmes", [programme.id for programme in self.programmes])
        reach = [programme.from_followers for programme in self.programmes]
        if reach and (reach[0] != 0 or reach != sorted(set(reach))):
            raise ValueError("programmes: from_followers must start at 0 and rise")
        return self
