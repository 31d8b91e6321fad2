"""Were the actions of a log drawn with the probabilities that it tells?

Where all probabilities are on record, the sum of an action's probabilities is how often it should
have been taken. A log that contradicts itself is not evaluated: every weight in it is wrong.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mkt_models.evaluation.arms import UNEVEN
from mkt_models.evaluation.bootstrap import critical
from mkt_models.evaluation.decision_log import DecisionLog, read_log
from mkt_models.evaluation.metrics import ratio

# With a smaller variance of its count, how often an action was taken says nothing of its draw.
MIN_VARIANCE = 5.0


def action_table(log: pd.DataFrame, actions: pd.DataFrame, policies: Sequence[str]) -> pd.DataFrame:
    """One row per action, the commonest first: how often it was taken, and should have been.

    Returns
    -------
    DataFrame
        action, n (decisions that took it), possible (decisions that listed it), ``expected`` (sum
        of its logged probabilities) and ``z`` (of n against it; beyond 4 or so they contradict
        each other), both NaN where not all probabilities are on record; mean_reward; and per
        policy, under its name, the share of its probability on the action

    """
    read = read_log(log, actions, policies)
    counted = _counts(read)
    names = counted.index
    taken = pd.Series(read.reward).groupby(read.action[read.taken]).mean()
    shares = {
        policy: pd.Series(p).groupby(read.action).sum().reindex(names) / read.n
        for policy, p in read.policies.items()
    }
    counted = counted.assign(mean_reward=taken.reindex(names), **shares)
    counted = counted.drop(columns="variance").rename_axis("action").reset_index()
    return counted.sort_values(["n", "action"], ascending=[False, True], ignore_index=True)


def untrue(log: DecisionLog) -> tuple[str, str] | None:
    """Why the actions cannot have been drawn by the logged probabilities; None when they can."""
    table = _counts(log)
    told = table[table["variance"] >= MIN_VARIANCE]
    if told.empty:
        return None
    place = int(told["z"].abs().to_numpy().argmax())
    worst, row = told.index[place], told.iloc[place]
    if abs(row["z"]) <= critical(1 - UNEVEN / 2 / len(told), 1e9):
        return None
    return (
        f"action {worst!r} was taken {row['n']:,.0f} times where the logged probabilities say "
        f"{row['expected']:,.1f} (z = {row['z']:.1f}): they are not those of the draw",
        f"动作 {worst!r} 被采取 {row['n']:,.0f} 次，按记录的概率应为 {row['expected']:,.1f} 次"
        f"（z = {row['z']:.1f}）：记录的概率并非抽取时的概率",
    )


def _counts(log: DecisionLog) -> pd.DataFrame:
    """By action: what ``action_table`` says of the draw, and the variance of its count."""
    done = np.zeros(len(log.action))
    done[log.taken] = 1
    rows = pd.DataFrame(
        {
            "action": log.action,
            "customer": log.customer[log.decision],
            "n": done,
            "expected": log.logged,
            "variance": log.logged * (1 - log.logged),
            "gap": done - log.logged,
        }
    )
    by_action = rows.drop(columns="customer").groupby("action")
    known = rows["gap"].notna().groupby(rows["action"]).all()
    table = by_action.sum()
    table["possible"] = by_action.size()
    # By customer, so that a draw which holds for all of a customer's decisions counts as one.
    gaps = rows.groupby(["action", "customer"])["gap"].sum()
    spread = (gaps**2).groupby("action").sum().to_numpy(dtype=np.float64) ** 0.5
    table["z"] = ratio(table["gap"].to_numpy(dtype=np.float64), spread)
    unknown = ["expected", "variance", "z"]
    table[unknown] = table[unknown].where(known)
    return table.astype({"n": "int64"})[["n", "possible", *unknown]]
