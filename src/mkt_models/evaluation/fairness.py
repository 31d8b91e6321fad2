"""Whom the predictions serve less well: one row per group, or per pair of groups.

The figures *assess*; they prove neither bias nor its absence. Named metrics: selection rate (who
would be contacted), benefit (what the group has of being selected), AUC or MAE (for whom the model
is less able), calibration gap (whom it over- or underrates). What follows from them is decided in
:mod:`mkt_models.evaluation.gate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import ClusterBootstrap, error_interval, standard_error
from mkt_models.evaluation.groups import (
    Group,
    Needs,
    attribute_names,
    groups_of,
    known_customers,
    levels_of,
)
from mkt_models.evaluation.inputs import TARGET, Floats, Kind, numbers, read_target, require
from mkt_models.evaluation.metrics import Ranking

BOUNDS = {
    "selection_rate": (0.0, 1.0),
    "selection_ratio": (0.0, np.inf),
    "auc": (0.0, 1.0),
    "mae": (0.0, np.inf),
    "benefit_ratio": (0.0, np.inf),
}
_ANY = (-np.inf, np.inf)


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
    *,
    pairs: bool = False,
    benefit: str = TARGET,
    measures: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per attribute and group, and per pair of groups: how the model treats them.

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
        target, to be judged. Smaller groups of an attribute are one row, without any figure
    n_bootstrap, confidence, seed
        draws of customers, level of the intervals before correction, seed of the draws
    pairs
        also the groups of every two attributes, as far as both are known: a group may be treated
        well on average, and one half of it badly (Kearns et al. 2018)
    benefit
        column of what a customer has of being selected; by default the target: a selected churner
        is helped in time, a selected buyer gets the offer that he or she will use
    measures
        the measures to take, by default all; the cheap ones are for simulations

    Returns
    -------
    DataFrame
        attribute, group, pair, n (rows), n_customers, and (classification) positives, or
        (regression) mean_target; selection_rate; selection_ratio (to the rate of everybody);
        benefit (mean over the selected of the group); benefit_ratio (benefit per member of the
        group, selected or not, over that of everybody); auc, or mae (in the target's units);
        ability_gap (everybody's AUC minus the group's; or MAE over the mean target of the group,
        minus that of everybody: more is worse); calibration_gap (observed minus predicted mean;
        for a regression over the mean target of everybody); each with ``_lower``, ``_upper`` and
        ``_error`` (the bootstrap's standard error); of everybody mean_target_all and
        calibration_gap_all; n_known (customers whose attribute is known); level; judged; note.

        Every group is a comparison, so intervals are wider than ``confidence`` says: the column
        ``level`` is 1 - (1 - confidence) / number of judged groups (Bonferroni: of the usual
        corrections the one under which verdict and interval say the same; Holm's steps have
        no intervals). With pairs, half of the error is theirs, as there are so many of them.
        Percentiles of the draws at hand do not resolve such levels, so an interval
        is the estimate -+ t times the bootstrap's standard error; it is NaN where all draws are
        alike (nobody selected). A group that happens to lack positives, or large amounts, seems
        to vary less than it does; the error of its calibration gap is at least the one that true
        predictions would have. Without that, one fair toy shop in five raised an alarm.

    """
    names = attribute_names(attributes)
    require(predictions, [CUSTOMER_ID, TARGET, model, benefit, *names])
    if not 0 < selected_share <= 1:
        raise ValueError(f"selected_share == {selected_share}, must be > 0 and <= 1")
    target, score = read_target(predictions, kind), numbers(predictions, model)
    if kind == "classification" and (score.min() < 0 or score.max() > 1):
        raise ValueError(f"predictions: {model!r} leaves [0, 1], so it is no probability")
    draws = ClusterBootstrap.of(predictions[CUSTOMER_ID], n_bootstrap, seed)
    needs = Needs(draws.codes, target, kind, min_group_size, min_group_positives)
    groups = list(groups_of(predictions, names, needs, pairs))
    levels = levels_of(groups, confidence, pairs)
    shown = [group for group in groups if group.shown]
    statistic = _Statistic.of(
        shown, target, score, numbers(predictions, benefit), kind, selected_share, measures
    )
    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    everybody = {
        "mean_target_all": float(target.mean()),
        "calibration_gap_all": float((target - score).mean())
        / (1.0 if kind == "classification" else float(target.mean()) or np.nan),
    }
    known, expected = known_customers(groups, needs), _expected_variance(target, score, kind)
    rows, place = [], {id(group): i for i, group in enumerate(shown)}
    for group in groups:
        i = place.get(id(group))
        row: dict[str, Any] = group.row(target, kind)
        notes = [group.why_not] if group.why_not else []
        for j, metric in enumerate(statistic.names):
            told = i is not None and not (group.rare and metric in _NEEDS_POSITIVES)
            value = float(estimates[i, j]) if told else np.nan
            drawn = replicates[:, i, j] if told else np.empty(0)
            error = standard_error(drawn)
            if metric == "calibration_gap":
                error *= _surprise((target - score)[group.rows], expected[group.rows])
            bounds = BOUNDS.get(metric, _ANY)
            ends = error_interval(value, error, levels[group.pair], group.n_customers, bounds)
            row |= {metric: value, f"{metric}_lower": ends[0], f"{metric}_upper": ends[1]}
            row[f"{metric}_error"] = error
            if told and np.isnan(value):
                notes.append(f"{metric} is undefined here")
            elif told and np.isnan(ends[0]):
                notes.append(f"{metric} has no interval")
        row |= everybody
        row["n_known"] = known[group.attribute]
        row["level"] = levels[group.pair]
        row["judged"] = not group.why_not and bool(np.isfinite(row["calibration_gap_error"]))
        row["note"] = "; ".join(notes)
        rows.append(row)
    counts = ["n", "n_customers", "positives"] if kind == "classification" else ["n", "n_customers"]
    return pd.DataFrame(rows).astype(dict.fromkeys(counts, "Int64"))


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


# Figures of a group that say nothing, and tell too much, when only a few have a positive target.
_NEEDS_POSITIVES = frozenset({"auc", "ability_gap", "calibration_gap", "benefit", "benefit_ratio"})


def _expected_variance(target: Floats, score: Floats, kind: Kind) -> Floats:
    """Give each row's variance around its prediction, were all predictions true.

    Amounts scatter in proportion to what is predicted, as much as everybody's do.
    """
    if kind == "classification":
        return score * (1 - score)
    squared = score**2
    return squared * float(((target - score) ** 2).mean()) / max(float(squared.mean()), 1e-12)


def _surprise(off: Floats, expected: Floats) -> float:
    """How much more a group would vary than it did, were its predictions true; at least 1."""
    return max(1.0, float(np.sqrt(expected.mean() / max(float(off.var()), 1e-12))))


@dataclass(frozen=True)
class _Statistic:
    """Weights to draws x groups x metrics."""

    names: tuple[str, ...]
    members: tuple[npt.NDArray[np.intp], ...]
    rankings: tuple[Ranking, ...]
    everybody: Ranking
    target: Floats
    score: Floats
    selected: Floats
    benefit: Floats
    relative: bool

    @classmethod
    def of(
        cls,
        groups: Sequence[Group],
        target: Floats,
        score: Floats,
        benefit: Floats,
        kind: Kind,
        share: float,
        measures: Sequence[str] | None,
    ) -> "_Statistic":
        ability = "auc" if kind == "classification" else "mae"
        known = ["selection_rate", "selection_ratio", "benefit", "benefit_ratio", ability]
        known += ["ability_gap", "calibration_gap"]
        names = tuple(name for name in known if measures is None or name in measures)
        if "calibration_gap" not in names:
            raise ValueError(f"measures: needs 'calibration_gap'; known: {', '.join(known)}")
        members = tuple(group.rows for group in groups)
        ranked = "auc" in names or "ability_gap" in names
        return cls(
            names,
            members,
            tuple(Ranking.of(score[rows]) for rows in members) if ranked else (),
            Ranking.of(score),
            target,
            score,
            selected_top(score, share),
            benefit,
            kind == "regression",
        )

    def __call__(self, weights: Floats) -> Floats:
        """Give draws x groups x metrics."""
        if not self.members:
            return np.empty((len(weights), 0, len(self.names)))
        of_all = self._measures(weights, None, self.everybody)
        parts = []
        for i, rows in enumerate(self.members):
            ranking = self.rankings[i] if self.rankings else self.everybody
            mine = self._measures(np.take(weights, rows, axis=1), rows, ranking)
            parts.append(np.stack(self._compared(mine, of_all), axis=1))
        return np.stack(parts, axis=1)

    def _compared(self, mine: dict[str, Floats], of_all: dict[str, Floats]) -> list[Floats]:
        scale = of_all["target"] if self.relative else np.ones_like(of_all["target"])
        found = {
            "selection_rate": mine["rate"],
            "selection_ratio": metrics.ratio(mine["rate"], of_all["rate"]),
            "benefit": metrics.ratio(mine["gained"], mine["rate"]),
            "benefit_ratio": metrics.ratio(mine["gained"], of_all["gained"]),
            "calibration_gap": metrics.ratio(mine["target"] - mine["score"], scale),
        }
        if self.relative:
            found["mae"] = mine["off"]
            off, off_all = (metrics.ratio(m["off"], m["target"]) for m in (mine, of_all))
            found["ability_gap"] = off - off_all
        elif "auc" in mine:
            found |= {"auc": mine["auc"], "ability_gap": of_all["auc"] - mine["auc"]}
        return [found[name] for name in self.names]

    def _measures(
        self, weights: Floats, rows: npt.NDArray[np.intp] | None, ranking: Ranking
    ) -> dict[str, Floats]:
        inside = slice(None) if rows is None else rows
        target, score, selected = self.target[inside], self.score[inside], self.selected[inside]
        columns = [target, score, selected, selected * self.benefit[inside], np.abs(score - target)]
        means = metrics.ratio(weights @ np.stack(columns, axis=1), weights.sum(1, keepdims=True))
        found = dict(zip(("target", "score", "rate", "gained", "off"), means.T, strict=True))
        if self.rankings and not self.relative:
            found["auc"] = metrics.auc(weights, target, ranking)
        return found
