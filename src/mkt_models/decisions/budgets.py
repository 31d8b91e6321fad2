"""The shadow prices of the budgets: what one more unit of each would bring, in currency units.

A plan over all customers finds them (:mod:`mkt_models.decisions.plan`) and the snapshot carries
them, so that the answer to one customer asks no one else: a candidate pays for what it takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mkt_models.budget_params import Budget
from mkt_models.columns import Channel


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


def concerns(budget: Budget, strategy: str, channel: Channel, offer_id: str | None) -> bool:
    """Whether a contact can draw on a budget."""
    return (
        (not budget.channels or channel in budget.channels)
        and (not budget.strategies or strategy in budget.strategies)
        and (not budget.offers or offer_id in budget.offers)
    )
