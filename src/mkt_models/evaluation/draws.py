"""Were the actions of a log drawn with the probabilities that it tells?

Where all probabilities are on record, the sum of an action's probabilities is how often it should
have been taken: over all decisions, over those in which it had about the same probability, and in
any group of decisions that was known before the draw. A log that contradicts itself is not
evaluated: every weight in it is wrong. What was drawn once for all decisions of a customer, a
holdout, is no draw of the later ones: their moments follow from it (``drawn_probability``).

What this cannot see: probabilities that are wrong in both directions so that they even out in every
group that is looked at. Ask ``group_table`` about whatever the draw may have gone by.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import NOT_AVAILABLE
from mkt_models.evaluation.arms import UNEVEN
from mkt_models.evaluation.bootstrap import critical
from mkt_models.evaluation.decision_log import DecisionLog, read_log
from mkt_models.evaluation.metrics import ratio

# Edges of the bands of probabilities within which counts are held against their sum.
BANDS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)

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
    counted = _counts(read, read.action)
    names = counted.index
    taken = pd.Series(read.reward).groupby(read.action[read.taken]).mean()
    shares = {
        policy: pd.Series(p).groupby(read.action).sum().reindex(names) / read.n
        for policy, p in read.policies.items()
    }
    counted = counted.assign(mean_reward=taken.reindex(names), **shares)
    counted = counted.drop(columns="variance").rename_axis("action").reset_index()
    return counted.sort_values(["n", "action"], ascending=[False, True], ignore_index=True)


def group_table(
    log: pd.DataFrame, actions: pd.DataFrame, policies: Sequence[str], group: str
) -> pd.DataFrame:
    """One row per action and group of decisions: how often it was taken, and should have been.

    Parameters
    ----------
    log, actions, policies
        As in :func:`mkt_models.evaluation.decision_log.read_log`.
    group
        A column of the log that was known before the draw (a segment, a week, a channel); a null is
        a group of its own.

    Returns
    -------
    DataFrame
        group, action, n (decisions that took it), possible, ``expected`` and ``z`` as in
        :func:`action_table`; ``contradicts``: z is beyond what chance brings in one of 10,000
        sound tables

    """
    read = read_log(log, actions, policies)
    if group not in log:
        raise ValueError(f"log: no column {group!r}; has: {', '.join(map(str, log.columns))}")
    named = log[group].astype(object).where(log[group].notna(), NOT_AVAILABLE).astype(str)
    label = pd.MultiIndex.from_arrays([named.to_numpy()[read.decision], read.action])
    codes, known = pd.factorize(label)
    table = _counts(read, codes).rename(index=dict(enumerate(known)))
    table.index = pd.MultiIndex.from_tuples(table.index, names=["group", "action"])
    told = table["variance"] >= MIN_VARIANCE
    limit = critical(1 - UNEVEN / 2 / max(1, int(told.sum())), 1e9)
    table["contradicts"] = told & (table["z"].abs() > limit)
    return table.drop(columns="variance").reset_index()


def untrue(log: DecisionLog) -> tuple[str, str] | None:
    """Why the actions cannot have been drawn by the logged probabilities; None when they can."""
    if np.isnan(log.drawn).all():
        return None
    # Over all decisions, and over those in which the action had about the same probability.
    band = np.digitize(np.nan_to_num(log.drawn, nan=-1.0), BANDS)
    bands = len(BANDS) + 1
    codes, known = pd.factorize(log.action)
    over_all, within = _counts(log, codes), _counts(log, codes * bands + band)
    over_all.index = pd.Index(known[over_all.index], dtype=object)
    within.index = pd.Index(known[within.index // bands], dtype=object)
    parts = {"": over_all, " within a band of its probability": within}
    table = pd.concat(parts, names=["where", "action"])
    told = table[table["variance"] >= MIN_VARIANCE]
    if told.empty:
        return None
    place = int(told["z"].abs().to_numpy().argmax())
    (where, worst), row = told.index[place], told.iloc[place]
    if abs(row["z"]) <= critical(1 - UNEVEN / 2 / len(told), 1e9):
        return None
    where_zh = "在其概率的某一区间内" if where else ""
    return (
        f"action {worst!r} was taken {row['n']:,.0f} times{where} where the logged probabilities "
        f"say {row['expected']:,.1f} (z = {row['z']:.1f}): they are not those of the draw",
        f"动作 {worst!r} {where_zh}被采取 {row['n']:,.0f} 次，按记录的概率应为 "
        f"{row['expected']:,.1f} 次"
        f"（z = {row['z']:.1f}）：记录的概率并非抽取时的概率",
    )


def _counts(log: DecisionLog, label: npt.NDArray[Any]) -> pd.DataFrame:
    """By label of the rows of the actions: what ``action_table`` says, and the counts' variance."""
    done = np.zeros(len(log.action))
    done[log.taken] = 1
    rows = pd.DataFrame(
        {
            "action": label,
            "customer": log.customer[log.decision],
            "n": done,
            "expected": log.drawn,
            "variance": log.drawn * (1 - log.drawn),
            "gap": done - log.drawn,
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
