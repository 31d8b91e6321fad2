"""One call: a table of units to figures, verdicts and a memo.

The order is always the same: are the arms as assigned; is there enough; what is shown on the
primary metrics; does harm remain possible; then what explains it. What must not be believed (a
sample ratio mismatch, too little, a look before the planned size) has a note in place of an
interval, so that nothing can be read into it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind, Verdict
from mkt_models.evaluation.headline import figure_of
from mkt_models.experiment_params import Experiments
from mkt_models.experiments import heterogeneity
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.comparison import Comparison, Looks
from mkt_models.experiments.fixed_horizon import Contrast
from mkt_models.experiments.guardrails import guardrail, margin_of
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.memo import Memo, memo
from mkt_models.experiments.metrics import Metric, check_metrics
from mkt_models.experiments.said import NOTHING_SAID, Said
from mkt_models.experiments.sample_ratio import SampleRatio, sample_ratio
from mkt_models.sections import nearest


@dataclass(frozen=True)
class Columns:
    """Columns of the table of units.

    Attributes
    ----------
    unit, arm
        id of what was assigned, and the arm it was assigned to (not: what it saw)
    stratum
        stratum of the assignment; None without
    ready
        day or time at which the unit's outcome was complete; needed for the sequential method

    """

    unit: str = CUSTOMER_ID
    arm: str = "arm"
    stratum: str | None = None
    ready: str | None = None


@dataclass(frozen=True)
class Result:
    """What an experiment found.

    Attributes
    ----------
    sample_ratio
        whether the arms have the sizes that were assigned
    effects
        one row per metric and treatment arm, see :func:`analyse`
    guardrails
        one row per guardrail and treatment arm: margin, verdict and why
    segments
        one row per segment, group, primary metric and arm (``heterogeneity``)
    sequence
        one row per primary metric, arm and look (``sequential``); empty for a single look
    memo
        the decision in words

    """

    sample_ratio: SampleRatio
    effects: pd.DataFrame
    guardrails: pd.DataFrame
    segments: pd.DataFrame
    sequence: pd.DataFrame
    memo: Memo

    def headline(self, unit: str = "share") -> list[dict[str, Any]]:
        """Relative lifts of the primary metrics as headline figures, where they are judged."""
        rows = self.effects[(self.effects["role"] == "primary") & (self.effects["note"] == "")]
        return [
            figure_of(row, "lift", f"{row['metric']}, {row['arm']}", unit, NumberKind.RANDOMISED)
            for _, row in rows[rows["lift_lower"].notna()].iterrows()
        ]


def analyse(
    units: pd.DataFrame,
    experiment: Experiment,
    metrics: Sequence[Metric],
    settings: Experiments,
    *,
    columns: Columns = Columns(),
    planned_units: int | None = None,
    declared: Sequence[str] = (),
    exploratory: Sequence[str] = (),
) -> Result:
    """Analyse an experiment.

    Parameters
    ----------
    units
        One row per unit that was assigned, whether or not it saw anything: its id, arm, what the
        metrics need, and the segments.
    experiment, metrics, settings
        What was planned: arms and shares, what is measured, and which risks are taken.
    columns
        What the columns are called.
    planned_units
        Size that was planned, all arms together. With the fixed method nothing is judged before.
    declared, exploratory
        Segment columns that were, and that were not, written down before.

    Returns
    -------
    Result
        ``effects`` has metric, metric_zh, metric_kind, role, arm, control, n, n_control, mean,
        mean_control, ``effect`` (the difference, in the metric's unit) and ``lift`` (relative to
        the control), each with ``_lower`` and ``_upper``, effect_error; p_value, ``p_adjusted``
        by ``correction`` (over all arms and metrics of the role), level of the intervals,
        ``shown``, ``verdict`` (better, worse or empty) and shown_at (the first look that showed it,
        of a sequential test), variance_left (by CUPED), normal_from (units per arm that
        values so skewed need, see ``metrics``), ``test`` (t, score, confidence sequence, or
        randomisation: of values too skewed for arms of this size), kind, note and note_zh (why it
        is not judged; empty when it is)

    Raises
    ------
    ValueError
        When a column is missing, a unit stands twice or in two arms, an arm is unknown, a value is
        not a number, a covariate is the metric itself, or the planned size is none.

    """
    _check_plan(planned_units, declared, exploratory)
    frame = _checked(units, experiment, metrics, columns, [*declared, *exploratory])
    _needs_ready(settings, columns)
    ratio = sample_ratio(
        frame, experiment, settings.srm_threshold, arm=columns.arm, stratum=columns.stratum
    )
    if columns.ready is not None:
        frame = _in_order(frame, columns.ready)
    n = len(frame)
    early = planned_units is not None and n < planned_units
    names = tuple(experiment.shares)
    arms = np.array([names.index(arm) for arm in frame[columns.arm]], dtype=np.intp)
    strata, named = np.zeros(n, dtype=np.intp), []
    if columns.stratum is not None:
        codes, known = pd.factorize(frame[columns.stratum], sort=True)
        strata, named = np.asarray(codes, dtype=np.intp), [str(name) for name in known]
    measured = [Measured.of(frame, metric, names, arms, strata) for metric in metrics]
    why = NOTHING_SAID
    if ratio.verdict is Verdict.FAIL:
        why = Said("not judged: sample ratio mismatch", "未评估：样本比例失配")
    elif not n:
        why = Said("not judged: no unit is complete yet", "未评估：尚无完整样本")
    elif early and settings.method == "fixed":
        why = Said(
            f"not judged: {n:,} of {planned_units:,} planned units, and this is no sequential test",
            f"未评估：计划 {planned_units:,} 个样本，目前 {n:,} 个，且不是序贯检验",
        )
    looks = _looks(frame, columns) if settings.method == "sequential" else None
    plan = planned_units or settings.tightest_at
    tests = Comparison(settings, experiment, looks, plan, why, named)
    effects, sequence = tests.table(measured)
    judged = _guardrails(measured, effects, settings)
    segments = pd.DataFrame(columns=heterogeneity.COLUMNS)
    if not why and (declared or exploratory) and not early:
        # Groups were looked at whenever the whole was: no test of them holds at every look.
        before = declared if settings.method == "fixed" else ()
        segments = heterogeneity.segment_table(
            [one for one in measured if one.metric.role == "primary"],
            {name: frame[name] for name in [*declared, *exploratory]},
            before,
            settings,
            experiment.salt,
        )
    told = memo(experiment, settings, ratio, effects, judged, segments, n, planned_units)
    return Result(ratio, effects, judged, segments, sequence, told)


def _guardrails(
    measured: Sequence[Measured], effects: pd.DataFrame, settings: Experiments
) -> pd.DataFrame:
    metrics = {one.metric.name: one.metric for one in measured}
    rows = []
    for row in effects[effects["role"] == "guardrail"].to_dict("records"):
        metric = metrics[str(row["metric"])]
        effect, lift = (
            Contrast(
                row[name],
                math.nan,
                row[f"{name}_lower"],
                row[f"{name}_upper"],
                math.nan,
                row["level"],
            )
            for name in ("effect", "lift")
        )
        margin = margin_of(metric, settings.guardrail_margin)
        verdict, why = guardrail(metric, effect, lift, margin, Said(row["note"], row["note_zh"]))
        kept = (
            "metric",
            "metric_zh",
            "arm",
            "control",
            "n",
            "n_control",
            "level",
            "kind",
            "note",
            "note_zh",
        )
        ends = [f"{name}{end}" for name in ("effect", "lift") for end in ("", "_lower", "_upper")]
        found = {key: row[key] for key in (*kept, *ends)}
        rows.append(
            found
            | {
                "margin": margin,
                "margin_of": metric.margin_of,
                "better": metric.better,
                "verdict": verdict,
                "why": why.en,
                "why_zh": why.zh,
            }
        )
    return pd.DataFrame(rows)


def _looks(frame: pd.DataFrame, columns: Columns) -> Looks:
    ready = frame[columns.ready]
    return [(at, (ready <= at).to_numpy(dtype=bool)) for at in sorted(ready.unique())]


def _in_order(frame: pd.DataFrame, ready: str) -> pd.DataFrame:
    try:
        return frame[frame[ready].notna()].sort_values(ready, kind="stable")
    except TypeError as error:
        raise ValueError(
            f"units: {ready!r} has values of kinds that have no order; give days, times or numbers"
        ) from error


def _needs_ready(settings: Experiments, columns: Columns) -> None:
    if settings.method == "sequential" and columns.ready is None:
        raise ValueError(
            "columns.ready is missing: the sequential method looks at the units in the order in "
            "which their outcomes were complete, so name the column of that day"
        )


def _check_plan(planned: int | None, declared: Sequence[str], exploratory: Sequence[str]) -> None:
    whole = isinstance(planned, (int, np.integer)) and not isinstance(planned, bool)
    if planned is not None and not (whole and planned > 0):
        raise ValueError(
            f"planned_units == {planned!r}: must be a whole number above 0; None says that no size "
            "was planned"
        )
    for name, listed in (("declared", declared), ("exploratory", exploratory)):
        if isinstance(listed, str):
            raise ValueError(f"{name} == {listed!r}: give a list of columns, [{listed!r}]")
    both = sorted(set(declared) & set(exploratory))
    if both or len({*declared, *exploratory}) < len(declared) + len(exploratory):
        raise ValueError(
            f"declared == {list(declared)}, exploratory == {list(exploratory)}: name each once"
        )


def _checked(
    units: pd.DataFrame,
    experiment: Experiment,
    metrics: Sequence[Metric],
    columns: Columns,
    segments: Sequence[str],
) -> pd.DataFrame:
    has = [str(column) for column in units.columns]
    wanted = [columns.unit, columns.arm, columns.stratum, columns.ready, *segments]
    for column in wanted:
        if column is not None and column not in has:
            raise ValueError(
                f"units: no column {column!r}{nearest(column, has)}; has: {', '.join(has)}"
            )
    check_metrics(metrics, units)
    if units.empty:
        raise ValueError("units: no rows; was anybody assigned?")
    for column in (columns.unit, columns.arm, columns.stratum):
        if column is not None and units[column].isna().any():
            raise ValueError(
                f"units: {column!r} has {int(units[column].isna().sum()):,} nulls; every unit that "
                "was assigned has one, so find out which were lost"
            )
    arms = units[columns.arm].astype(str)
    pairs = pd.DataFrame({"unit": units[columns.unit], "arm": arms}).drop_duplicates()
    crossed = int(pairs["unit"].duplicated().sum())
    if crossed:
        raise ValueError(
            f"units: {crossed:,} of {columns.unit} stand in more than one arm (first: "
            f"{pairs.loc[pairs['unit'].duplicated(), 'unit'].iloc[0]!r}); take the arm of the "
            "assignment, and mend what put them into another"
        )
    twice = int(units[columns.unit].duplicated().sum())
    if twice:
        raise ValueError(
            f"units: {twice:,} rows repeat a {columns.unit}; sum up to one row per unit, and take "
            "a ratio for what counts sessions or orders"
        )
    other = sorted(set(arms.unique()) - set(experiment.shares))
    if other:
        raise ValueError(
            f"units: arms {other} are not of {experiment.name}: {list(experiment.shares)}"
        )
    return units.assign(**{columns.arm: arms})
