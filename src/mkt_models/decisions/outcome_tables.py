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
    """One row per strategy: customers for whom it ranks first, mean worth there, and its kinds."""
    chosen = chosen_table(decisions)
    first = chosen[chosen["rank"] == 1]
    table = first.groupby("strategy", as_index=False).agg(
        customers=("customer_id", "nunique"),
        mean_worth=("worth", "mean"),
        kind=("worth_kind", lambda kinds: " and ".join(sorted(set(map(str, kinds))))),
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
    """Ids of ``n`` customers to show: rich answers, whose first choices differ.

    The strategies that rank first somewhere take turns. Each sends the customers with the most
    strategies first, and among these the one of the most middling worth; customers for whom
    nothing is done come last. Equals go by their id, so the same decisions show the same customers.
    """
    chosen = chosen_table(decisions)
    first = chosen[chosen["rank"] == 1].drop(columns="rank")
    first = first.merge(chosen.groupby("customer_id").size().rename("choices").reset_index())
    usual = first.groupby(["strategy", "choices"])["worth"].transform("median")
    first = first.assign(
        quiet=first["strategy"] == Strategy.NO_ACTION.value,
        fewer=-first["choices"],
        unusual=(first["worth"] - usual).abs(),
    ).sort_values(["fewer", "unusual", "customer_id"])
    turns = first.assign(turn=first.groupby("strategy").cumcount())
    ordered = turns.sort_values(["quiet", "turn", "fewer", "unusual", "customer_id"])
    return ordered["customer_id"].head(n).tolist()
