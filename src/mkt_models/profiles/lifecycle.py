"""The stage of life, from each customer's own rhythm; and how well stages tell who goes silent.

One cut for all ("28 days without an order") calls the weekly shopper active who has been gone for
a month, and the yearly one lost who is as regular as ever. Here the days since the last order are
measured in the customer's own usual pauses. Few pauses say little, so they are drawn towards the
median customer's pause: the median stands for so many pauses as ``rhythm_weight`` says.
"""

from datetime import date

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, LifecycleStage
from mkt_models.engine import Connection
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.profile_params import Profile

# The stages by how silent they are, for rank statistics.
SILENT_RANK = {"active": 0, "new": 1, "dormant": 2, "lost": 3}


def median_gap(pauses: pd.Series, paused_days: pd.Series) -> float:
    """The median customer's mean pause between shopping days; NaN when nobody came twice."""
    known = pauses > 0
    return float((paused_days[known] / pauses[known]).median()) if known.any() else float("nan")


def usual_gap_days(
    pauses: pd.Series, paused_days: pd.Series, typical: float, rules: Profile
) -> pd.Series:
    """Each customer's usual pause in days: the own mean, drawn towards the ``typical`` one.

    Never more than ``longest_days``. Null for all when nobody came twice.

    >>> rules = Profile.model_construct(rhythm_weight=2, longest_days=400)
    >>> pauses, days = pd.Series([0, 2, 98]), pd.Series([0, 4, 196])
    >>> usual_gap_days(pauses, days, typical=10.0, rules=rules).tolist()
    [10.0, 6.0, 2.16]
    """
    weight = rules.rhythm_weight
    gap = (paused_days + weight * typical) / (pauses + weight)
    return gap.clip(upper=float(rules.longest_days)).round(6)


def lifecycle_stage(
    days_since_last_order: pd.Series,
    tenure_days: pd.Series,
    usual_gap: pd.Series,
    rules: Profile,
) -> pd.Series:
    """Exactly one stage per customer: new, active, dormant or lost.

    *New* while the first order is at most ``new_days`` ago. Otherwise *active* while silent for at
    most ``active_times`` usual pauses, and never less than ``active_days``; *dormant* likewise;
    *lost* beyond. Where no pause is known at all, the days alone decide.

    >>> rules = Profile.model_construct(
    ...     new_days=56, active_times=3, dormant_times=6, active_days=14, dormant_days=42)
    >>> silent = pd.Series([3, 15, 15, 60, 60, 700])
    >>> gap = pd.Series([2.0, 2.0, 7.0, 7.0, 30.0, 365.0])
    >>> lifecycle_stage(silent, silent + 100, gap, rules).tolist()
    ['active', 'dormant', 'active', 'lost', 'active', 'active']
    """
    known = usual_gap.fillna(0)
    active = (rules.active_times * known).clip(lower=rules.active_days)
    dormant = (rules.dormant_times * known).clip(lower=rules.dormant_days)
    return pd.Series(
        np.select(
            [
                tenure_days <= rules.new_days,
                days_since_last_order <= active,
                days_since_last_order <= dormant,
            ],
            [LifecycleStage.NEW.value, LifecycleStage.ACTIVE.value, LifecycleStage.DORMANT.value],
            LifecycleStage.LOST.value,
        ),
        index=days_since_last_order.index,
    )


def global_stage(
    days_since_last_order: pd.Series,
    tenure_days: pd.Series,
    new_days: int,
    active_days: int,
    dormant_days: int,
) -> pd.Series:
    """Stages by one cut for all customers, in days: what the own rhythm is compared with."""
    return pd.Series(
        np.select(
            [
                tenure_days <= new_days,
                days_since_last_order <= active_days,
                days_since_last_order <= dormant_days,
            ],
            [LifecycleStage.NEW.value, LifecycleStage.ACTIVE.value, LifecycleStage.DORMANT.value],
            LifecycleStage.LOST.value,
        ),
        index=days_since_last_order.index,
    )


def silent_after(con: Connection, customers: pd.Series, as_of: date, days: int) -> pd.Series:
    """Whether each customer then had no order in ``[as_of, as_of + days)``; needs ``orders``."""
    came = con.execute(
        f"SELECT DISTINCT customer_id FROM orders WHERE local_date >= DATE '{as_of}' "
        f"AND DATEDIFF('day', DATE '{as_of}', local_date) < {days}"
    ).df()[CUSTOMER_ID]
    return ~customers.isin(came)


def stage_auc(stages: pd.Series, silent: pd.Series) -> float:
    """How well stages rank customers by later silence: the area under the ROC curve.

    The chance that a customer who went silent stood in a later stage than one who did not, ties
    counting half; NaN when all or none went silent.

    >>> stage_auc(pd.Series(["active", "lost", "lost"]), pd.Series([False, True, False]))
    0.75
    """
    ranks = stages.map(SILENT_RANK).rank()
    gone, stayed = int(silent.sum()), int((~silent.astype(bool)).sum())
    if not gone or not stayed:
        return float("nan")
    above = float(ranks[silent.astype(bool)].sum()) - gone * (gone + 1) / 2
    return above / (gone * stayed)


def stage_outcomes(stages: dict[str, pd.Series], silent: pd.Series) -> pd.DataFrame:
    """How often the customers of each stage then went silent, by rule.

    Parameters
    ----------
    stages
        Per name of a rule, each customer's stage.
    silent
        Whether the customer then had no order in the horizon; same index.

    Returns
    -------
    pandas.DataFrame
        One row per ``rule`` and ``stage``: ``customers``, ``silent`` (how many of them),
        ``silent_share`` with Wilson's 95% interval (``_lower``, ``_upper``; missing without
        customers), and ``lift`` over the share of all. Observed.

    """
    overall = float(silent.mean())
    rows = []
    for rule, labels in stages.items():
        for stage in LifecycleStage:
            there = labels == stage.value
            n, gone = int(there.sum()), int(silent[there].sum())
            share = gone / n if n else float("nan")
            lift = share / overall if overall else float("nan")
            ends = wilson_interval(share, n, 0.95) if n else (float("nan"), float("nan"))
            rows.append((rule, stage.value, n, gone, share, *ends, lift))
    share_and_ends = ["silent_share", "silent_share_lower", "silent_share_upper"]
    return pd.DataFrame(
        rows, columns=["rule", "stage", "customers", "silent", *share_and_ends, "lift"]
    )
