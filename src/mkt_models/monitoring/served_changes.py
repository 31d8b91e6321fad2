"""What of a service has changed: the shares of its last days against like days before.

A young service changes by itself: caps, gaps and budgets fill as contacts add up. A calendar makes
days differ. And of a longer time other customers are seen: those too who ask once in a month. So
the last days are held against earlier windows of the same length, after the caps have filled,
without the days on which the catalogue waits for a holiday. What earlier windows differ by among
themselves is no change: a share has changed when it lies beyond *all* of them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.evaluation.inputs import require
from mkt_models.monitoring.gaps import Figure, change
from mkt_models.monitoring.realised import ends

Counts = tuple[Mapping[str, int], int]  # customers by label, and all customers


def windows(
    decisions: pd.DataFrame,
    until: datetime,
    days: int,
    since: datetime,
    count: Callable[[pd.DataFrame], Counts],
) -> list[Counts]:
    """Customers by label in windows of ``days`` before ``until``, the last days first.

    A window that begins before ``since`` (aware), the last days apart, is left out.

    Parameters
    ----------
    decisions
        One row per decision with ``at`` and what ``count`` counts; without any, all windows are
        empty: of a service that was asked on holidays only no day can be compared.
    until, days, since
        End of the last window, length of all, and from when on they can be compared.
    count
        Gives customers by label, and all customers, of some decisions.

    """
    if len(decisions):
        require(decisions, ["at"])
    ago = (pd.Timestamp(until) - decisions["at"]).dt.total_seconds()
    number = ago // timedelta(days=days).total_seconds()
    earlier = range(1, int((until - since) / timedelta(days=days))) if until > since else range(0)
    return [count(decisions[number == one]) for one in (0, *earlier)]


def reference_of(counted: Sequence[Counts], min_customers: int) -> list[Counts]:
    """Say which of the earlier windows of :func:`windows` the last days are held against.

    Those of at least ``min_customers``. The one right before is left out where two others remain:
    what begins in its midst would hide itself.
    """
    large = [one for one in counted[1:] if one[1] >= min_customers]
    return large[1:] if len(large) > 2 and large[0] is counted[1] else large


def share_changes_beyond(
    now: Counts, reference: Sequence[Counts], allowed: float, false_alarms: float
) -> pd.DataFrame:
    """One row per label: its share of customers, and that of the window nearest to it.

    Parameters
    ----------
    now, reference
        Customers by label and all customers, of the last days and of each earlier window (at
        least one).
    allowed
        A change that matters.
    false_alarms
        Shared by the labels (Bonferroni).

    Returns
    -------
    DataFrame
        label, n (customers of the last days), n_before (those of the nearest window), ``windows``
        (how many were compared), ``before`` (share in the nearest), ``now`` and ``change`` with
        ends, ``allowed``; ``changed``: beyond all windows on the same side, chance ruled out, and
        as large as matters; kind; the most changed first

    """
    labels = sorted({label for one, _ in (now, *reference) for label in one})
    level = 1 - false_alarms / max(1, len(labels))
    rows = []
    for label in labels:
        mine = Figure.of_share(now[0].get(label, 0), now[1], level)
        olds = [Figure.of_share(one.get(label, 0), n, level) for one, n in reference]
        gaps = [change(old, mine, level) for old in olds]
        nearest = int(np.argmin([abs(gap.value) for gap in gaps]))
        gap, signs = gaps[nearest], {np.sign(one.value) for one in gaps}
        beyond = len(signs) == 1 and (gap.lower > 0 or gap.upper < 0)
        row: dict[str, Any] = {"label": label, "n": now[1], "n_before": reference[nearest][1]}
        row |= {"windows": len(reference)} | ends("before", olds[nearest]) | ends("now", mine)
        row |= ends("change", gap) | {"allowed": allowed, "level": level}
        row["changed"] = bool(beyond and abs(gap.value) >= allowed)
        rows.append(row | {"kind": NumberKind.OBSERVED.value})
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
