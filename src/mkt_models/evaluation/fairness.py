"""Who the predictions serve less well: one row per group, and a verdict.

The figures *assess*; they prove neither bias nor its absence. Named metrics: selection rate (who
would be contacted), AUC or MAE (for whom the model is less able), calibration gap (whom it over-
or underrates). The harm looked for is that a group is steadily rated too high or too low.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NOT_AVAILABLE, Verdict
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import ClusterBootstrap, normal_interval
from mkt_models.evaluation.inputs import TARGET, Floats, Kind, numbers, read_target, require
from mkt_models.evaluation.metrics import Ranking

_Mask = npt.NDArray[np.bool_]

BOUNDS = {
    "selection_rate": (0.0, 1.0),
    "selection_ratio": (0.0, np.inf),
    "auc": (0.0, 1.0),
    "mae": (0.0, np.inf),
    "calibration_gap": (-np.inf, np.inf),
}


def group_table(
    predictions: pd.DataFrame,
    model: str,
    attributes: str | Sequence[str],
    kind: Kind,
    selected_share: float,
    min_group_size: int,
    min_group_positives: int,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """One row per attribute and group: how the model treats it.

    Parameters
    ----------
    predictions
        customer_id, target, the model's predictions and the sensitive columns; a null there is
        the group 'not available', which is shown but never judged, as it is no group of like people
    attributes
        one sensitive column or several
    kind
        'classification' (target 0 or 1, predictions are probabilities) or 'regression'
    selected_share
        top share of *all* rows by prediction that counts as selected; rows that tie at the
        threshold share what is left
    min_group_size, min_group_positives
        a group needs so many customers, and (classification) so many customers with a positive
        target, to be judged
    n_bootstrap, confidence, seed
        draws of customers, level of the intervals before correction, seed of the draws

    Returns
    -------
    DataFrame
        attribute, group, n (rows), n_customers, and (classification) positives, or (regression)
        mean_target; selection_rate; selection_ratio (to the rate of everybody); auc, or mae (in
        the target's units); calibration_gap (observed minus predicted mean; for a regression over
        the mean target of everybody); each with ``_lower`` and ``_upper``; level; judged; note.

        Every group is a comparison, so intervals are wider than ``confidence`` says: the column
        ``level`` is 1 - (1 - confidence) / number of judged groups (Bonferroni). Percentiles of
        the draws at hand do not resolve such levels, so an interval is the estimate -+ z times
        the bootstrap's standard error; it is NaN where all draws are alike (nobody selected).

    """
    names = [attributes] if isinstance(attributes, str) else list(attributes)
    require(predictions, [CUSTOMER_ID, TARGET, model, *names])
    if not 0 < selected_share <= 1:
        raise ValueError(f"selected_share == {selected_share}, must be > 0 and <= 1")
    target, score = read_target(predictions, kind), numbers(predictions, model)
    if kind == "classification" and (score.min() < 0 or score.max() > 1):
        raise ValueError(f"predictions: {model!r} leaves [0, 1], so it is no probability")
    groups = [
        _Group.of(predictions, target, name, value, kind, min_group_size, min_group_positives)
        for name in names
        for value in _values(predictions[name])
    ]
    judged = sum(not group.why_not for group in groups)
    level = 1 - (1 - confidence) / max(1, judged)
    draws = ClusterBootstrap.of(predictions[CUSTOMER_ID], n_bootstrap, seed)
    statistic = _Statistic.of(groups, target, score, kind, selected_share)
    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    rows = []
    for i, group in enumerate(groups):
        row = group.row(target, kind)
        notes = [group.why_not] if group.why_not else []
        for j, metric in enumerate(statistic.names):
            value = float(estimates[i, j])
            ends = normal_interval(value, replicates[:, i, j], level, BOUNDS[metric])
            row |= {metric: value, f"{metric}_lower": ends[0], f"{metric}_upper": ends[1]}
            if np.isnan(value):
                notes.append(f"{metric} is undefined here")
            elif np.isnan(ends[0]):
                notes.append(f"{metric} has no interval")
            if metric == "calibration_gap":
                row["judged"] = not group.why_not and not np.isnan(ends[0])
        row["level"] = level
        row["note"] = "; ".join(notes)
        rows.append(row)
    return pd.DataFrame(rows)


def verdict(table: pd.DataFrame, max_calibration_gap: float) -> tuple[Verdict, list[str]]:
    """Judge the calibration gaps of :func:`group_table`; give the verdict and its reasons.

    FAIL when the interval of a judged group lies wholly beyond -+ ``max_calibration_gap``;
    otherwise NOT_EVALUATED when an attribute has fewer than two judged groups, for there is
    nothing to compare; otherwise PASS. PASS says that no gap that large was shown, not that there
    is none: small groups have wide intervals, and wide intervals do not fail.
    """
    if not max_calibration_gap >= 0:
        raise ValueError(f"max_calibration_gap == {max_calibration_gap}, must be >= 0")
    failed, unjudged, passed = [], [], []
    for name, rows in table.groupby("attribute", sort=False):
        judged = rows[rows["judged"].astype(bool)]
        lower, upper = judged["calibration_gap_lower"], judged["calibration_gap_upper"]
        beyond = judged[(lower > max_calibration_gap) | (upper < -max_calibration_gap)]
        failed += [
            f"{name} {_gap(row)} lies wholly beyond ±{max_calibration_gap:g}"
            for _, row in beyond.iterrows()
        ]
        if len(judged) < 2:
            unjudged.append(
                f"{name}: {len(judged)} of {len(rows)} groups are large enough to judge, needs 2"
            )
            continue
        widest = judged.iloc[int(judged["calibration_gap"].abs().argmax())]
        passed.append(
            f"{name}: {len(judged)} of {len(rows)} groups judged; largest at {_gap(widest)}"
        )
    if failed:
        return Verdict.FAIL, [*failed, *unjudged]
    if unjudged or not passed:
        return Verdict.NOT_EVALUATED, unjudged or ["no groups to compare"]
    return Verdict.PASS, passed


@dataclass(frozen=True)
class _Group:
    attribute: str
    value: str
    member: _Mask
    n_customers: int
    why_not: str  # empty when the group is large enough to judge

    @classmethod
    def of(
        cls,
        predictions: pd.DataFrame,
        target: Floats,
        attribute: str,
        value: str,
        kind: Kind,
        min_size: int,
        min_positives: int,
    ) -> "_Group":
        member = (_labels(predictions[attribute]) == value).to_numpy(dtype=bool)
        customers = predictions[CUSTOMER_ID].to_numpy()
        n = len(np.unique(customers[member].astype(str)))
        positive = len(np.unique(customers[member & (target == 1)].astype(str)))
        why_not = ""
        if value == NOT_AVAILABLE:
            why_not = "not judged: the attribute is unknown, so this is no group of like people"
        elif n < min_size:
            why_not = f"not judged: {n} customers, needs {min_size}"
        elif kind == "classification" and positive < min_positives:
            why_not = f"not judged: {positive} customers with a positive, needs {min_positives}"
        return cls(attribute, value, member, n, why_not)

    def row(self, target: Floats, kind: Kind) -> dict[str, object]:
        out: dict[str, object] = {
            "attribute": self.attribute,
            "group": self.value,
            "n": int(self.member.sum()),
            "n_customers": self.n_customers,
        }
        inside = target[self.member]
        if kind == "classification":
            out["positives"] = int(inside.sum())
        else:
            out["mean_target"] = float(inside.mean())
        return out


@dataclass(frozen=True)
class _Statistic:
    """Weights to draws x groups x metrics."""

    names: tuple[str, ...]
    members: tuple[_Mask, ...]
    rankings: tuple[Ranking, ...]
    target: Floats
    score: Floats
    selected: Floats
    relative: bool

    @classmethod
    def of(
        cls, groups: Sequence[_Group], target: Floats, score: Floats, kind: Kind, share: float
    ) -> "_Statistic":
        ability = "auc" if kind == "classification" else "mae"
        return cls(
            ("selection_rate", "selection_ratio", ability, "calibration_gap"),
            tuple(group.member for group in groups),
            tuple(Ranking.of(score[group.member]) for group in groups),
            target,
            score,
            selected_top(score, share),
            kind == "regression",
        )

    def __call__(self, weights: Floats) -> Floats:
        everybody = metrics.weighted_mean(weights, self.selected)
        scale = metrics.weighted_mean(weights, self.target) if self.relative else 1.0
        parts = []
        for member, ranking in zip(self.members, self.rankings, strict=True):
            inside, target, score = weights[:, member], self.target[member], self.score[member]
            rate = metrics.weighted_mean(inside, self.selected[member])
            if self.relative:
                ability = metrics.weighted_mean(inside, np.abs(score - target))
            else:
                ability = metrics.auc(inside, target, ranking)
            gap = metrics.weighted_mean(inside, target - score)
            gap = metrics.ratio(gap, np.broadcast_to(scale, gap.shape))
            parts.append(np.stack([rate, metrics.ratio(rate, everybody), ability, gap], axis=1))
        return np.stack(parts, axis=1)


def widest_gap(fairness: pd.DataFrame) -> str:
    """Tell the widest calibration gap among the groups that are large enough to judge.

    ``fairness`` has the rows of :func:`group_table` of several models, with ``model``. The text
    goes on a sentence and begins with "; "; it is empty when no group is large enough.
    """
    large = fairness[fairness["judged"]]
    if large.empty:
        return ""
    row = large.sort_values("calibration_gap", key=lambda gap: gap.abs()).iloc[-1]
    return (
        f"; the widest calibration gap among them is {row['calibration_gap']:+.3f} "
        f"[{row['calibration_gap_lower']:+.3f}, {row['calibration_gap_upper']:+.3f}] "
        f"({row['model']}, {row['attribute']} {row['group']}, {row['n_customers']:,} customers)"
    )


def selected_top(score: Floats, share: float) -> Floats:
    """How much of every row belongs to the top ``share`` by score; ties at the edge share it.

    >>> selected_top(np.array([0.9, 0.5, 0.5, 0.1]), 0.5)
    array([1. , 0.5, 0.5, 0. ])
    """
    places = share * len(score)
    ranking = Ranking.of(-score)
    counts = np.bincount(ranking.group)
    before = np.cumsum(counts) - counts
    return np.clip((places - before) / counts, 0, 1)[ranking.group]


def _labels(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), NOT_AVAILABLE).astype(str)


def _values(column: pd.Series) -> list[str]:
    found = sorted(set(_labels(column)) - {NOT_AVAILABLE}, key=_natural)
    return [*found, NOT_AVAILABLE] if column.isna().any() else found


def _natural(label: str) -> tuple[float, bool, str]:
    """Order bands by their first number: 'Under 15K', '15-24K', '100-124K', then plain words."""
    number = re.search(r"\d+", label)
    return (float(number[0]) if number else np.inf, label[:1].isdigit(), label)


def _gap(row: pd.Series) -> str:
    return (
        f"{row['group']} (n = {row['n_customers']:,}): gap {row['calibration_gap']:+.3f} "
        f"[{row['calibration_gap_lower']:+.3f}, {row['calibration_gap_upper']:+.3f}]"
    )
