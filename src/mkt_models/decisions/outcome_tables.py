"""Decisions as tables: what was chosen, what was not and why, and whom to show.

Module of the notebooks: it needs pandas, which the service does not carry. A decision here is the
mapping that ``Decision.as_dict()`` gives.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mkt_models.columns import Strategy

Answer = Mapping[str, Any]


def chosen_table(decisions: Sequence[Answer]) -> pd.DataFrame:
    """One row per customer and rank: ``strategy``, ``channel``, ``worth`` and its kind."""
    return pd.DataFrame(
        [
            {
                "customer_id": decision["customer_id"],
                "rank": chosen["rank"],
                "strategy": chosen["strategy"],
                "channel": chosen["channel"],
                "worth": chosen["worth"],
                "worth_kind": chosen["worth_kind"],
                "arm": chosen["arm"],
                "title": chosen["title"]["en"],
            }
            for decision in decisions
            for chosen in decision["strategies"]
        ]
    )


def best_strategies(decisions: Sequence[Answer]) -> pd.DataFrame:
    """One row per strategy: customers for whom it ranks first, and the mean of its worth there."""
    chosen = chosen_table(decisions)
    first = chosen[chosen["rank"] == 1]
    table = first.groupby("strategy", as_index=False).agg(
        customers=("customer_id", "nunique"), mean_worth=("worth", "mean")
    )
    return table.sort_values("customers", ascending=False, ignore_index=True)


def suppression_table(decisions: Sequence[Answer]) -> pd.DataFrame:
    """One row per reason: ``candidates`` that fell to it, ``customers`` concerned, and an example.

    Every candidate that was not chosen is counted once, under its first reason.
    """
    rows = pd.DataFrame(
        [
            {
                "customer_id": decision["customer_id"],
                "reason": one["code"],
                "candidate": one["candidate"],
                "example": one["en"],
            }
            for decision in decisions
            for one in decision["suppressed"]
        ],
        columns=["customer_id", "reason", "candidate", "example"],
    )
    table = rows.groupby("reason", as_index=False).agg(
        candidates=("candidate", "size"),
        customers=("customer_id", "nunique"),
        example=("example", "first"),
    )
    return table.sort_values("candidates", ascending=False, ignore_index=True)


def showcase(decisions: Sequence[Answer], n: int) -> list[str]:
    """Ids of ``n`` customers to show: first choices that differ, the one of middling worth each.

    One customer per strategy that ranks first somewhere, then further ones; customers for whom
    nothing is done come last.
    """
    chosen = chosen_table(decisions)
    first = chosen[chosen["rank"] == 1].sort_values(["worth", "customer_id"])
    quiet = first["strategy"] == Strategy.NO_ACTION.value
    ordered = []
    for group in (first[~quiet], first[quiet]):
        middling = [
            (abs(position - len(rows) // 2), str(name), str(customer))
            for name, rows in group.groupby("strategy")
            for position, customer in enumerate(rows["customer_id"])
        ]
        ordered += [customer for _, _, customer in sorted(middling)]
    return ordered[:n]
