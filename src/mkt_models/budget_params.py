"""Parameters of budgets: what there is of money, coupons, people's hours and contacts."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from mkt_models.columns import Channel
from mkt_models.sections import Days, Section, countable, no_truth

MONEY, CONTACTS, COUPONS = "money", "contacts", "coupons"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]

Counted = Annotated[
    float, Field(ge=0, le=1e12), BeforeValidator(no_truth), AfterValidator(countable)
]
"""An amount that is counted in millionths of its unit."""


class Budget(Section):
    """One budget: how much there is of a resource in a planning period, and what draws on it."""

    id: Name
    resource: Name = Field(
        description="money (currency units: the cost of a contact, and what a coupon is expected "
        "to give away), contacts (1 each), coupons (1 per contact with an offer), or a resource "
        "that the catalogue names under `uses`, in its unit"
    )
    amount: Counted = Field(description="how much there is, for all customers")
    channels: tuple[Channel, ...] = Field(default=(), description="only over these; empty: any")
    strategies: tuple[str, ...] = Field(default=(), description="only of these; empty: any")
    offers: tuple[str, ...] = Field(default=(), description="only of these; empty: any or none")


class Budgets(Section):
    """The budgets of one planning period; none by default, and then nothing is priced."""

    period_days: Days = Field(
        default=7,
        description="what the amounts are for; a plan lets every customer ask once in it, and the "
        "service counts what is taken, from Monday 1 January 2001 on in such periods",
    )
    resources: tuple[Budget, ...] = Field(default=(), description="the budgets, each by its id")

    @field_validator("resources")
    @classmethod
    def _once(cls, value: tuple[Budget, ...]) -> tuple[Budget, ...]:
        names = [budget.id for budget in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the id {name!r} is taken twice")
        return value
