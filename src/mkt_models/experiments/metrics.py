"""What an experiment is judged by: metrics, as they were planned, and their columns, as read."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from mkt_models.evaluation.inputs import Floats
from mkt_models.sections import Section, nearest

# The fourth power of a much larger number is out of reach of a float.
LARGEST = 1e60
Role = Literal["primary", "secondary", "guardrail"]


class Metric(Section):
    """One figure that an experiment is judged by.

    Attributes
    ----------
    name
        what it is called in tables and sentences; ``name_zh`` in Chinese ones
    kind
        mean: of ``column``; proportion: of units whose ``column`` is 1; ratio: of the sum of
        ``column`` over that of ``denominator`` (orders per session)
    role
        primary: what is decided by; secondary: what explains; guardrail: what must not be harmed
    better
        whether more or less of it is wished for
    covariates
        columns known before the experiment, for CUPED
    margin
        of a guardrail: the loss that must be ruled out; None takes that of the parameters
    margin_of
        control: ``margin`` is a share of the control's mean; unit: it is in the metric's unit

    """

    name: str = Field(min_length=1)
    name_zh: str | None = None
    kind: Literal["mean", "proportion", "ratio"]
    role: Role
    column: str
    denominator: str | None = None
    better: Literal["more", "less"] = "more"
    covariates: tuple[str, ...] = ()
    margin: float | None = Field(default=None, gt=0)
    margin_of: Literal["control", "unit"] = "control"

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.kind == "ratio") != (self.denominator is not None):
            raise ValueError(f"{self.name}: a ratio, and only a ratio, needs a denominator")
        if self.margin is not None and self.role != "guardrail":
            raise ValueError(f"{self.name}: a margin is for guardrails; its role is {self.role}")
        own = sorted(set(self.covariates) & {self.column, self.denominator})
        if own:
            raise ValueError(
                f"{self.name}: its covariates {own} are what it measures; a covariate is known "
                "before the assignment, such as the same figure of the month before"
            )
        if self.margin is None and self.margin_of == "unit":
            raise ValueError(f"{self.name}: margin_of 'unit' needs a margin")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table of units that it needs."""
        return (self.column, *([self.denominator] if self.denominator else []), *self.covariates)


def check_metrics(metrics: Sequence[Metric], units: pd.DataFrame) -> None:
    """Raise ValueError when there is no primary metric, a name stands twice, or a column lacks."""
    if not any(metric.role == "primary" for metric in metrics):
        raise ValueError("metrics: none is primary; say before what the decision goes by")
    names = [metric.name for metric in metrics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"metrics: {twice} stand twice; the name tells them apart")
    has = [str(column) for column in units.columns]
    for metric in metrics:
        for column in metric.columns:
            if column not in has:
                raise ValueError(
                    f"{metric.name}: no column {column!r}{nearest(column, has)}; has: "
                    f"{', '.join(has)}"
                )


def _numbers(units: pd.DataFrame, metric: Metric, column: str) -> Floats:
    values = units[column]
    if values.ndim > 1:
        raise ValueError(f"{metric.name}: {column!r} is the name of more than one column")
    if pd.api.types.is_complex_dtype(values):
        raise ValueError(f"{metric.name}: {column!r} has complex values; give real ones")
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        raise ValueError(f"{metric.name}: {column!r} is a time; give a number, such as days")
    try:
        found = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{metric.name}: {column!r} has values that are no numbers") from error
    return np.asarray(found, dtype=np.float64)


def outcome(units: pd.DataFrame, metric: Metric, column: str) -> Floats:
    """Read what a metric needs of every unit; ValueError when a value is none, or out of reach."""
    values = _numbers(units, metric, column)
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        raise ValueError(
            f"{metric.name}: {column!r} has {wrong:,} null or infinite values in {len(values):,} "
            "units. Give 0 to a unit that did nothing, and find out what the others did; to drop "
            "units after the assignment makes the arms differ by more than the treatment"
        )
    if (np.abs(values) > LARGEST).any():
        raise ValueError(
            f"{metric.name}: {column!r} has values beyond {LARGEST:g}; take a larger unit"
        )
    return values


def known_before(units: pd.DataFrame, metric: Metric, top: Floats) -> Floats | None:
    """Read the covariates of a metric whose values are ``top``: units x covariates, or None."""
    if not metric.covariates:
        return None
    covariates = np.stack([_numbers(units, metric, column) for column in metric.covariates], axis=1)
    for column, known in zip(metric.covariates, covariates.T, strict=True):
        if np.isinf(known).any() or (np.abs(known) > LARGEST).any():
            raise ValueError(f"{metric.name}: covariate {column!r} has values beyond {LARGEST:g}")
        if len(known) and np.isnan(known).all():
            raise ValueError(
                f"{metric.name}: covariate {column!r} is known of no unit; leave it out"
            )
        if len(top) and np.array_equal(known, top) and np.ptp(top) > 0:
            raise ValueError(
                f"{metric.name}: covariate {column!r} has the values of the metric itself; "
                "it would take the effect off with it. Take what was known before"
            )
    return covariates
