"""Parameters of experiments: which risks are taken, and what is too little to judge."""

from typing import Literal

from pydantic import Field

from mkt_models.sections import Section, Share


class Experiments(Section):
    """How experiments are planned and judged, the same for all of them.

    What one experiment asks (its arms, metrics and planned size) is said where it is planned.
    """

    alpha: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="chance of claiming any effect on the primary metrics where there is none, "
        "over all arms and, if sequential, all looks",
    )
    power: float = Field(
        default=0.8, gt=0.5, lt=1, description="chance of showing an effect of the planned size"
    )
    method: Literal["fixed", "sequential"] = Field(
        default="fixed",
        description="fixed: one look, at the planned size; sequential: as many as you like, with "
        "wider intervals",
    )
    srm_threshold: float = Field(
        default=0.0005,
        gt=0,
        le=0.05,
        description="sample ratio mismatch: below this p-value of the arms' sizes nothing is "
        "judged (Fabijan et al. 2019)",
    )
    min_units: int = Field(
        default=100,
        ge=20,
        description="units that every arm needs before anything is judged, and a segment's arms",
    )
    guardrail_margin: Share = Field(
        default=0.02,
        description="loss, as a share of the control arm's mean, that a guardrail metric must be "
        "shown to stay within, unless the metric says otherwise",
    )
    tightest_at: int = Field(
        default=10_000,
        gt=0,
        description="units at which the confidence sequence is tightest, where no size is planned",
    )
    n_permutations: int = Field(
        default=2000,
        ge=100,
        le=100_000,
        description="assignments that are drawn at least, where values are too skewed for a t test",
    )
    whole_weeks: bool = Field(
        default=True, description="a planned duration is rounded up: weekdays differ"
    )
