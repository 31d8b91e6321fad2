"""Do the gaps between groups widen? Who is selected, who is served, and for whom scores are true.

The gap of a group is its mean minus that of all whose attribute is known, so that what changes for
all alike is no change of a gap, nor is who has told his or her attribute. Groups too small are not
judged (:mod:`mkt_models.evaluation.groups`); nor is one of whom all are alike (nobody selected), as
no spread is known then. A gap that was there before the release is the audit's
business; here a change of it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import ClusterBootstrap, error_interval, standard_error
from mkt_models.evaluation.fairness import selected_top
from mkt_models.evaluation.groups import Needs, groups_of, levels_of
from mkt_models.evaluation.inputs import TARGET, Floats, numbers, require
from mkt_models.monitoring.gaps import Figure, change
from mkt_models.monitoring.realised import ends
from mkt_models.monitoring_params import FairnessLimits

SELECTED, SCORE, UNTRUE = "selected", "score", "observed_minus_predicted"


def measured_rows(rows: pd.DataFrame, model: str, selected_share: float) -> pd.DataFrame:
    """Add what gaps are taken of: selection, score, and what the score was off.

    ``selected`` is how much of the row belongs to the top ``selected_share`` of all rows; with a
    target, ``observed_minus_predicted``. Amounts (scores beyond 1) are shares of their mean.
    """
    require(rows, [CUSTOMER_ID, model])
    score = numbers(rows, model)
    scale = 1.0 if score.max() <= 1 else float(score.mean())
    out = rows.assign(**{SELECTED: selected_top(score, selected_share), SCORE: score / scale})
    if TARGET in rows:
        out[UNTRUE] = (numbers(rows, TARGET) - score) / scale
    return out


def gap_table(
    rows: pd.DataFrame,
    measures: Sequence[str],
    attributes: Sequence[str],
    *,
    min_group_size: int,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """One row per attribute, group and measure: how far its mean is from that of all known.

    Parameters
    ----------
    rows
        Any grain, of one period: customer_id, the measures (numbers, such as 1 for served and 0
        for not) and the attributes.
    measures, attributes
        Columns.
    min_group_size
        Customers that a group needs to be judged; with fewer it is not shown either.
    n_bootstrap, confidence, seed
        Draws of customers; level of the intervals before it is shared by the judged groups and the
        measures; seed of the draws.

    Returns
    -------
    DataFrame
        attribute, group, measure, n, n_customers, ``mean``, ``gap`` with ends and ``_error``,
        level, judged, note

    """
    names = list(measures)
    require(rows, [CUSTOMER_ID, *names, *attributes])
    values = np.stack([numbers(rows, name) for name in names], axis=1)
    draws = ClusterBootstrap.of(rows[CUSTOMER_ID], n_bootstrap, seed)
    needs = Needs(draws.codes, values[:, 0], "regression", min_group_size, 0)
    groups = list(groups_of(rows, list(attributes), needs, pairs=False))
    shared = 1 - (1 - confidence) / len(names)
    level = levels_of(groups, shared, pairs=False)[False]
    shown = [group for group in groups if group.shown]

    told = {name: np.flatnonzero(rows[name].notna()) for name in attributes}

    def statistic(weights: Floats) -> Floats:
        every = {name: _means(np.take(weights, w, axis=1), values[w]) for name, w in told.items()}
        parts = [np.zeros((len(weights), len(names)))]
        for group in shown:
            mine = _means(np.take(weights, group.rows, axis=1), values[group.rows])
            parts.append(mine - every[group.attribute])
        return np.stack(parts, axis=1)

    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    found: list[dict[str, Any]] = []
    for group in groups:
        i = 1 + shown.index(group) if group.shown else None
        for j, name in enumerate(names):
            gap = np.nan if i is None else float(estimates[i, j])
            error = np.nan if i is None else standard_error(replicates[:, i, j])
            low, high = error_interval(gap, error, level, max(group.n_customers, 2))
            row = group.row(values[:, j], "regression") | {"measure": name}
            row["mean"] = row.pop("mean_target")
            row |= {"gap": gap, "gap_lower": low, "gap_upper": high, "gap_error": error}
            judged = not group.why_not and bool(np.isfinite(error))
            note = group.why_not or ("" if judged else "all of the group are alike")
            found.append(row | {"level": level, "judged": judged, "note": note})
    table = pd.DataFrame(found).drop(columns="pair")
    return table.astype({"n": "Int64", "n_customers": "Int64"})


def gap_changes(
    reference: pd.DataFrame, current: pd.DataFrame, limits: FairnessLimits
) -> pd.DataFrame:
    """One row per group and measure of the current period: how its gap has changed.

    ``reference`` and ``current`` are tables of :func:`gap_table`; the level is the current one's.

    Returns
    -------
    DataFrame
        attribute, group, measure, n, n_customers, ``gap`` and ``before`` with ends, ``change`` with
        ends, ``allowed``, level, evaluated, changed (shown, and as large as matters: wider or
        reversed, not narrower), kind, note

    """
    keys = ["attribute", "group", "measure"]
    old = {tuple(row[key] for key in keys): row for _, row in reference.iterrows()}
    rows = []
    for _, now in current.iterrows():
        before = old.get(tuple(now[key] for key in keys))
        level = float(now["level"])
        row: dict[str, Any] = {key: now[key] for key in (*keys, "n", "n_customers")}
        told = [_figure(one) if one is not None else _NOTHING for one in (before, now)]
        gap = change(told[0], told[1], level)
        row |= ends("gap", told[1]) | ends("before", told[0]) | ends("change", gap)
        row |= {"allowed": limits.max_gap_change, "level": level}
        both = bool(now["judged"]) and before is not None and bool(before["judged"])
        shown = gap.known and (gap.lower > 0 or gap.upper < 0)
        wider = abs(told[1].value) > abs(told[0].value) or told[1].value * told[0].value < 0
        row |= {"evaluated": both}
        large = abs(gap.value) >= limits.max_gap_change
        row |= {"changed": bool(both and shown and wider and large)}
        note = str(now["note"]) or ("" if both else "not judged in the reference")
        rows.append(row | {"kind": NumberKind.OBSERVED.value, "note": note})
    return pd.DataFrame(rows)


_NOTHING = Figure(np.nan, np.nan, np.nan, 0)


def _figure(row: pd.Series) -> Figure:
    n = 0 if pd.isna(row["n_customers"]) else int(row["n_customers"])
    ends_ = (float(row["gap"]), float(row["gap_lower"]), float(row["gap_upper"]))
    return Figure(*ends_, n, float(row["level"]))


def _means(weights: Floats, values: Floats) -> Floats:
    return metrics.ratio(weights @ values, weights.sum(axis=1, keepdims=True))
