"""The product's own log as off-policy evaluation reads it: what was served, and what came of it.

Module of the notebooks: it needs pandas, which the service does not carry. The live store gives
the decisions (``LiveStore.decided``) and outcomes (``LiveStore.outcomes``); see
:mod:`mkt_models.evaluation.decision_log` for the two tables.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.decisions.answer import TREATMENT

REWARDED = ("purchase", "redemption")


@dataclass(frozen=True)
class ServedLog:
    """A log and its actions, and how many decisions are not in them.

    Attributes
    ----------
    log
        One row per decision: ``decision_id``, ``customer_id``, ``action`` (what came first in the
        answer: strategy/channel/offer, or ``no_action``), ``probability`` with which it came
        first, ``reward`` in currency units.
    actions
        One row per decision and action that could have come first: ``decision_id``, ``action``,
        ``logged_probability``.
    held_out
        Decisions for customers in the holdout: the log is of what the treatment arm was served.
    too_late
        Decisions whose time for a reward had not ended yet.

    """

    log: pd.DataFrame
    actions: pd.DataFrame
    held_out: int
    too_late: int


def served_log(
    decisions: Iterable[Mapping[str, Any]],
    outcomes: Iterable[Mapping[str, Any]],
    days: float,
    until: datetime,
    kinds: tuple[str, ...] = REWARDED,
) -> ServedLog:
    """Put decisions and what followed them together.

    Parameters
    ----------
    decisions, outcomes
        As the live store gives them.
    days
        The reward of a decision are the amounts of all outcomes of its customer from its moment on,
        within so many days: whatever the customer did, not only what a report ascribes to it.
    until
        Aware time up to which outcomes are known; later rewards are not known yet.
    kinds
        The kinds of outcomes that count.

    """
    amounts: dict[str, list[tuple[datetime, float]]] = {}
    for one in outcomes:
        if one["kind"] in kinds and one["amount"] is not None:
            at = datetime.fromisoformat(one["occurred_at"])
            amounts.setdefault(one["customer_id"], []).append((at, one["amount"]))
    log, actions = [], []
    held_out = too_late = 0
    for row in decisions:
        begun = datetime.fromisoformat(row["asked_for"])
        end = begun + timedelta(days=days)
        if row["arm"] != TREATMENT:
            held_out += 1
            continue
        if end > until:
            too_late += 1
            continue
        parts = (row["strategy"], row["channel"], row["offer_id"])
        action = "/".join(part for part in parts if part is not None)
        told = row["answer"]["exploration"]["probabilities"] or {action: row["probability"]}
        reward = sum(
            amount for at, amount in amounts.get(row["customer_id"], ()) if begun <= at < end
        )
        log.append((row["decision_id"], row["customer_id"], action, row["probability"], reward))
        actions += [(row["decision_id"], name, p) for name, p in told.items()]
    return ServedLog(
        pd.DataFrame(log, columns=["decision_id", CUSTOMER_ID, "action", "probability", "reward"]),
        pd.DataFrame(actions, columns=["decision_id", "action", "logged_probability"]),
        held_out,
        too_late,
    )
