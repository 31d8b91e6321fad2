"""The product's own log as off-policy evaluation reads it: what was served, and what came of it.

Module of the notebooks: it needs pandas, which the service does not carry. The live store gives
the decisions (``LiveStore.decided``) and outcomes (``LiveStore.outcomes``); see
:mod:`mkt_models.evaluation.decision_log` for the two tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, Strategy
from mkt_models.decisions.answer import HOLDOUT

REWARDED = ("purchase", "redemption")
NO_ACTION = Strategy.NO_ACTION.value


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
        ``logged_probability``, ``drawn_probability`` (the same within the customer's arm).
    held_out
        Decisions of the log for customers in the holdout.
    too_late
        Decisions that are not in the log: their time for a reward had not ended yet.
    unrecorded
        Decisions of both arms that are not in the log: made before answers for the holdout said
        what they withheld, see :func:`served_log`.

    """

    log: pd.DataFrame
    actions: pd.DataFrame
    held_out: int
    too_late: int
    unrecorded: int = 0


def served_log(
    decisions: Iterable[Mapping[str, Any]],
    outcomes: Iterable[Mapping[str, Any]],
    days: float,
    until: datetime,
    kinds: Sequence[str] = REWARDED,
) -> ServedLog:
    """Put decisions and what followed them together.

    The holdout is the first draw of every decision. Where there was something to serve, doing
    nothing had its share as probability, and each action the rest times its own; where there was
    nothing, ``no_action`` had probability 1 in either arm. Decisions for customers held out are in
    the log like all others, with the actions that they did not get.

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
    amounts = amounts_by_customer(outcomes, kinds)
    log, actions = [], []
    held_out = too_late = unrecorded = 0
    for row in decisions:
        begun = datetime.fromisoformat(row["asked_for"])
        end = begun + timedelta(days=days)
        if end > until:
            too_late += 1
            continue
        told = _drawn(row)
        if told is None:
            unrecorded += 1
            continue
        held_out += row["arm"] == HOLDOUT
        reward = sum(
            amount for at, amount in amounts.get(row[CUSTOMER_ID], ()) if begun <= at < end
        )
        action = _first(row)
        log.append((row["decision_id"], row[CUSTOMER_ID], action, told[action][0], reward))
        actions += [(row["decision_id"], name, *both) for name, both in told.items()]
    return ServedLog(
        pd.DataFrame(log, columns=["decision_id", CUSTOMER_ID, "action", "probability", "reward"]),
        pd.DataFrame(
            actions, columns=["decision_id", "action", "logged_probability", "drawn_probability"]
        ),
        held_out,
        too_late,
        unrecorded,
    )


def amounts_by_customer(
    outcomes: Iterable[Mapping[str, Any]], kinds: Sequence[str] = REWARDED
) -> dict[str, list[tuple[datetime, float]]]:
    """Give the times and amounts of the outcomes that count, by customer."""
    found: dict[str, list[tuple[datetime, float]]] = {}
    for one in outcomes:
        if one["kind"] in kinds and one["amount"] is not None:
            at = datetime.fromisoformat(one["occurred_at"])
            found.setdefault(one[CUSTOMER_ID], []).append((at, one["amount"]))
    return found


def _first(row: Mapping[str, Any]) -> str:
    parts = (row["strategy"], row["channel"], row["offer_id"])
    return "/".join(part for part in parts if part is not None)


def _drawn(row: Mapping[str, Any]) -> dict[str, tuple[float, float]] | None:
    """Probability of every action to come first, both draws together, and within the arm.

    None if it is not known.
    """
    action, exploration = _first(row), row["answer"]["exploration"]
    share = row["arm_probability"] if row["arm"] == HOLDOUT else 1 - row["arm_probability"]
    if share > 0 and "withheld" not in exploration:
        return None
    if row["arm"] == HOLDOUT:
        within = exploration["withheld"]
    elif action == NO_ACTION:
        within = {}
    else:
        within = exploration["probabilities"] or {action: row["probability"]}
        if action not in within:
            raise ValueError(
                f"decision {row['decision_id']!r} took {action!r}, which is not among its own "
                f"probabilities: {', '.join(within)}; the answer was changed after it was given"
            )
    if not within:
        return {NO_ACTION: (1.0, 1.0)}
    held = float(row["arm"] == HOLDOUT)
    told = {name: ((1 - share) * p, (1 - held) * p) for name, p in within.items()}
    return told | {NO_ACTION: (share, held)} if share > 0 else told
