"""May a model be released? What the gaps between groups show, and what follows.

Absence of evidence is no evidence of absence: a wide interval shows nothing. So each gap gets one
of four findings. **Within**: a gap as large as the limit is ruled out (two one-sided tests;
Schuirmann 1987). **Beyond**: the whole interval lies past the limit. **Suspected**: there is a gap,
and it may lie past the limit. **Undecided**: neither a gap nor its absence is shown; the group is
too small for the limit.

Errors are held where they matter. That any of many fair groups is suspected or beyond has at most
the probability 1 - confidence: the intervals are corrected for the number of groups. That a group
with a gap as large as the limit is found within has at most 1 - confidence too, whatever its size;
here no correction is due, as a model passes only if this holds of every group that is counted.
An undecided group carries no model. A small one withholds none either: how many customers must be
in groups that do count is a parameter. A large one does, as no other can stand for it; and so does
one of some size whose measured gap lies past the limit, though it is not shown. What large is, are
parameters too.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np
import pandas as pd

from mkt_models.audit_params import Gate
from mkt_models.columns import NOT_AVAILABLE, Verdict
from mkt_models.evaluation import gate_words
from mkt_models.evaluation.bootstrap import critical
from mkt_models.evaluation.gate_words import NO_GROUPS_ZH, Limit, Reason
from mkt_models.evaluation.inputs import Kind

__all__ = [
    "Finding",
    "Limit",
    "Reason",
    "findings",
    "judge",
    "limits",
    "marked",
    "verdict",
    "widest",
    "widest_gap",
]

POWER = 0.8  # the smallest gap that is found so often is told


class Finding(StrEnum):
    """What the interval of a gap shows."""

    WITHIN = "within"
    SUSPECTED = "suspected"
    UNDECIDED = "undecided"
    BEYOND = "beyond"


def limits(table: pd.DataFrame, kind: Kind, gate: Gate) -> list[Limit]:
    """Give the limits that ``gate`` sets for the table of one model."""
    rate = float(table["mean_target_all"].iloc[0]) if len(table) else np.nan
    allowed = gate.max_gap_of_amount
    if kind == "classification":
        allowed = min(gate.max_calibration_gap, gate.max_gap_of_rate * rate)
    found = [Limit("calibration_gap", 0.0, allowed)]
    if gate.min_selection_ratio is not None:
        found.append(Limit("selection_ratio", 1.0, 1 - gate.min_selection_ratio, -1))
    if gate.max_ability_gap is not None:
        found.append(Limit("ability_gap", 0.0, gate.max_ability_gap, 1))
    return found


def findings(table: pd.DataFrame, limits_: Sequence[Limit], confidence: float) -> pd.DataFrame:
    """One row per judged group and limit: what its interval shows.

    Parameters
    ----------
    table
        as ``group_table`` gives it
    limits_
        what is judged; several limits share the error, so that intervals widen further
    confidence
        that of the gate as a whole, before correction

    Returns
    -------
    DataFrame
        attribute, group, pair, n_customers, measure, gap (its distance from what treats all
        alike), lower and upper (corrected for all comparisons), within (largest distance that is
        not ruled out, uncorrected), limit, smallest (the smallest true gap that would be shown to
        be one with a probability of 80%), finding

    """
    rows = []
    for _, row in table[table["judged"].astype(bool)].iterrows():
        for limit in limits_:
            error = float(row[f"{limit.measure}_error"])
            gap = float(row[limit.measure]) - limit.alike
            level = 1 - (1 - float(row["level"])) / len(limits_)
            n = float(row["n_customers"])
            z = critical((1 + level) / 2, n)
            z_within = critical(confidence, n)
            lower, upper = gap - z * error, gap + z * error
            # What is left of the gap that may be a harm, at most.
            reaches = [side * gap + z_within * error for side in _sides(limit)]
            shown = [side * gap - z * error for side in _sides(limit)]
            if not np.isfinite(error):
                finding = Finding.UNDECIDED
            elif max(shown) > limit.allowed:
                finding = Finding.BEYOND
            elif max(reaches) <= limit.allowed:
                finding = Finding.WITHIN
            else:
                finding = Finding.SUSPECTED if max(shown) > 0 else Finding.UNDECIDED
            rows.append(
                {
                    **{k: row[k] for k in ("attribute", "group", "pair", "n_customers")},
                    "measure": limit.measure,
                    "gap": gap,
                    "lower": lower,
                    "upper": upper,
                    "within": max(reaches),
                    "limit": limit.allowed,
                    "smallest": (z + critical(POWER, n)) * error,
                    "finding": finding.value,
                }
            )
    columns = ["attribute", "group", "pair", "n_customers", "measure", "gap", "lower", "upper"]
    columns += ["within", "limit", "smallest", "finding"]
    return pd.DataFrame(rows, columns=columns)


def marked(table: pd.DataFrame, found: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Give the table of groups with what was found of one measure, to be drawn.

    Adds finding (empty where not judged), and the ends that must lie inside the limit for
    *within*: inner_measure, inner_lower and inner_upper.
    """
    mine = found.loc[found["measure"] == measure].set_index(["attribute", "group"])
    keys = pd.MultiIndex.from_frame(table[["attribute", "group"]])
    inner = (mine["within"] - mine["gap"].abs()).reindex(keys).to_numpy()
    return table.assign(
        finding=mine["finding"].reindex(keys).fillna("").to_numpy(),
        inner_measure=measure,
        inner_lower=table[measure] - inner,
        inner_upper=table[measure] + inner,
    )


def widest(fairness: pd.DataFrame) -> pd.Series | None:
    """Give the judged group with the largest calibration gap; None when none is judged.

    Gaps of several models count in units of their limits when ``limit`` is a column.
    """
    large = fairness[fairness["judged"].astype(bool) & ~fairness["pair"].astype(bool)]
    if large.empty:
        return None
    size = large["calibration_gap"].abs() / large.get("limit", 1.0)
    return large.iloc[int(size.to_numpy().argmax())]


def verdict(
    table: pd.DataFrame, kind: Kind, gate: Gate, confidence: float
) -> tuple[Verdict, list[Reason]]:
    """Judge one model by the groups of ``group_table``; give the verdict and its reasons.

    FAIL when a group, or a pair of groups, is shown beyond a limit. NOT_EVALUATED when there is
    nothing to compare: an attribute has fewer than two judged groups. With ``undecided:
    not_evaluated`` also when a gap is suspected; when of an attribute fewer than
    ``min_told_share`` of the customers are in groups that are shown within the limit; when a group
    or pair of more than ``max_undecided_share`` of them is undecided, or could not be judged; or
    when one of more than ``max_measured_share`` is measured beyond the limit without being shown.
    Otherwise PASS; a reason then says if only ``undecided: pass`` made it one. Pairs can withhold
    a model, they are not needed to pass it: most are too small.
    """
    if table.empty:
        return Verdict.NOT_EVALUATED, [Reason("no groups to compare", NO_GROUPS_ZH)]
    return judge(table, limits(table, kind, gate), gate, confidence)


def judge(
    table: pd.DataFrame, limits_: Sequence[Limit], gate: Gate, confidence: float
) -> tuple[Verdict, list[Reason]]:
    """Judge a table of groups by these limits, as :func:`verdict` does."""
    found = findings(table, limits_, confidence)
    of = {limit.measure: limit for limit in limits_}

    def of_finding(finding: Finding, said: Callable[[pd.Series, Limit], Reason]) -> list[Reason]:
        rows = found[found["finding"] == finding]
        return [said(row, of[row["measure"]]) for _, row in rows.iterrows()]

    failed = of_finding(Finding.BEYOND, gate_words.beyond)
    suspected = of_finding(Finding.SUSPECTED, gate_words.suspected)
    unjudged, undecided, passed, large = [], [], [], []
    for name, rows in table.groupby("attribute", sort=False):
        mine = found[found["attribute"] == name]
        pair = bool(rows["pair"].iloc[0])
        judged = int(rows["judged"].astype(bool).sum())
        if judged < 2 and not pair:
            unjudged.append(gate_words.too_few_groups(str(name), judged))
            continue
        if not pair:
            large += _not_judged(str(name), rows, gate)
        for measure, some in mine.groupby("measure", sort=False):
            limit = of[str(measure)]
            within = some[some["finding"] == Finding.WITHIN]
            share = float(within["n_customers"].sum()) / _known(rows)
            if pair or share >= gate.min_told_share:
                large += _not_carried(some, _known(rows), limit, gate)
            if pair:
                continue
            text = gate_words.told(str(name), limit, len(within), judged, share)
            if share < gate.min_told_share:
                open_ = some.loc[some["finding"] == Finding.UNDECIDED, "smallest"]
                least = float(open_.max()) if len(open_) else None
                undecided.append(gate_words.too_little_told(text, gate.min_told_share, least))
            else:
                passed.append(text)
    if failed:
        return Verdict.FAIL, [*failed, *suspected, *unjudged]
    open_ends = [*suspected, *large, *undecided]
    strict = gate.undecided == "not_evaluated"
    if unjudged or (strict and open_ends) or not (passed or undecided):
        none = [Reason("no groups to compare", NO_GROUPS_ZH)]
        return Verdict.NOT_EVALUATED, [*unjudged, *(open_ends if strict else [])] or none
    lenient = [gate_words.let_pass(len(open_ends))] if open_ends else []
    return Verdict.PASS, [*lenient, *passed, *open_ends]


def widest_gap(fairness: pd.DataFrame) -> str:
    """Tell the widest calibration gap of the groups that are large enough to judge.

    ``fairness`` has the rows of ``group_table`` of several models, with ``model``. The text
    goes on a sentence and begins with "; "; it is empty when no group is large enough.
    """
    row = widest(fairness)
    if row is None:
        return ""
    measured = " for its limit" if "limit" in row else ""
    return (
        f"; the widest calibration gap{measured} is {row['calibration_gap']:+.3f} "
        f"[{row['calibration_gap_lower']:+.3f}, {row['calibration_gap_upper']:+.3f}] "
        f"({row['model']}, {row['attribute']} {row['group']}, {row['n_customers']:,} customers)"
    )


def _sides(limit: Limit) -> tuple[int, ...]:
    return (1, -1) if limit.side == 0 else (limit.side,)


def _known(rows: pd.DataFrame) -> float:
    """Customers whose attribute is known, those of groups too small to show with them."""
    return float(rows["n_known"].iloc[0])


def _not_carried(some: pd.DataFrame, known: float, limit: Limit, gate: Gate) -> list[Reason]:
    """Undecided groups of one attribute and limit that are too large for others to carry."""
    reasons = []
    for _, row in some[some["finding"] == Finding.UNDECIDED].iterrows():
        share = float(row["n_customers"]) / known
        harm = max(side * float(row["gap"]) for side in _sides(limit))
        if share > gate.max_measured_share and harm > limit.allowed:
            reasons.append(gate_words.measured(row, limit, share))
        elif share > gate.max_undecided_share:
            reasons.append(gate_words.undecided(row, limit, share, gate.max_undecided_share))
    return reasons


def _not_judged(name: str, rows: pd.DataFrame, gate: Gate) -> list[Reason]:
    """Groups of an attribute that are large and could not be judged; too small ones count as one.

    Their sizes are not shown, but what they leave of those whose attribute is known is.
    """
    known, rows = _known(rows), rows[rows["group"] != NOT_AVAILABLE]
    sizes = rows["n_customers"].astype(float)
    shares = sizes.fillna(max(0.0, known - float(sizes.sum()))) / known
    unseen = ~rows["judged"].astype(bool) & (shares > gate.max_undecided_share)
    return [
        gate_words.not_judged(name, str(group), share, str(note))
        for group, note, share, large in zip(
            rows["group"], rows["note"], shares, unseen, strict=True
        )
        if large
    ]
