"""The budgets of a policy: what there is of each in a period, and what a unit of it would bring.

A plan over all customers finds the shadow prices (:mod:`mkt_models.decisions.plan`) and the
snapshot carries them, so that the answer to one customer asks no one else: a candidate pays for
what it takes. Prices steer; what holds is the amount, of which the live store counts what is taken
(:mod:`mkt_models.store.ledger`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mkt_models.budget_params import Budget, Budgets
from mkt_models.columns import Channel
from mkt_models.store.ledger import millionths
from mkt_models.store.records import Limit

FIRST_DAY = date(2001, 1, 1)  # a Monday; periods are counted from here, so a week is a week


@dataclass(frozen=True, slots=True)
class Charge:
    """What a candidate takes of a budget (``use``, in its unit), at the price of a unit."""

    budget: str
    use: float
    price: float

    @property
    def amount(self) -> float:
        """Use times price, in currency units."""
        return self.use * self.price

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "budget": self.budget,
            "use": round(self.use, 6),
            "price_per_unit": round(self.price, 6),
            "price": round(self.amount, 6),
        }


@dataclass(frozen=True, slots=True)
class ShadowPrice:
    """A budget and its price per unit, in currency units; 0 where it does not bind."""

    budget: Budget
    price: float

    def __post_init__(self) -> None:
        """Refuse a price that no plan gives."""
        if not 0 <= self.price < float("inf"):
            raise ValueError(f"{self.budget.id}: price == {self.price}, must be 0 or more")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "ShadowPrice":
        """Read a row of the table of shadow prices."""
        names = ("resource", "amount", "channels", "strategies", "offers")
        parts = {name: row[name] for name in names}
        return cls(Budget.model_validate({"id": row["budget"], **parts}), float(row["price"]))


@dataclass(frozen=True, slots=True)
class Allowance:
    """A budget, how many days its amount is for, and how much of it a plan expects to be used."""

    budget: Budget
    period_days: int
    planned: float | None = None

    def on(self, day: date) -> Limit:
        """What there is on a day, in the period in which it lies, as the live store counts it."""
        starts_on, ends_on = period(day, self.period_days)
        return Limit(
            budget=self.budget.id,
            resource=self.budget.resource,
            amount=millionths(self.budget.amount),
            starts_on=starts_on,
            ends_on=ends_on,
            planned=None if self.planned is None else millionths(self.planned),
        )

    def as_row(self) -> dict[str, Any]:
        """What of a row of the table of shadow prices the live store counts by."""
        return {
            "budget": self.budget.id,
            "resource": self.budget.resource,
            "amount": self.budget.amount,
            "used": self.planned,
        }


def allowances(rows: Iterable[Mapping[str, Any]], budgets: Budgets) -> tuple[Allowance, ...]:
    """The budgets that hold: those of a published plan, and those of the parameters beside them.

    ``rows`` is the table of shadow prices. A budget of the parameters that no plan has priced is
    counted all the same; where both name one, the publication holds.
    """
    found = {
        row["budget"]: Allowance(
            ShadowPrice.of(row).budget,
            int(row.get("period_days") or budgets.period_days),
            row.get("used"),
        )
        for row in rows
    }
    for budget in budgets.resources:
        found.setdefault(budget.id, Allowance(budget, budgets.period_days))
    return tuple(found[name] for name in sorted(found))


def period(day: date, period_days: int) -> tuple[date, date]:
    """The first day of the period in which a day lies, and that of the next one.

    Periods follow each other from Monday 1 January 2001 on: of 7 days they begin on Mondays.

    >>> [one.isoformat() for one in period(date(2018, 1, 3), 7)]
    ['2018-01-01', '2018-01-08']
    """
    starts_on = FIRST_DAY + timedelta(days=(day - FIRST_DAY).days // period_days * period_days)
    return starts_on, starts_on + timedelta(days=period_days)


def concerns(budget: Budget, strategy: str, channel: Channel, offer_id: str | None) -> bool:
    """Whether a contact can draw on a budget."""
    return (
        (not budget.channels or channel in budget.channels)
        and (not budget.strategies or strategy in budget.strategies)
        and (not budget.offers or offer_id in budget.offers)
    )
