"""Parameters of the audit: which groups are compared, and when a model is withheld."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from mkt_models.columns import SENSITIVE
from mkt_models.sections import Section, Share, nearest


class Gate(Section):
    """How far apart groups may be treated before a model is withheld.

    A gap is shown within its limit, shown beyond it, suspected (there is a gap, and it may lie
    beyond) or undecided (too few customers to tell): ``evaluation/gate.py``.
    """

    max_calibration_gap: Share = Field(
        description="probabilities: a group's observed minus predicted rate, 0.1 is ten points"
    )
    max_gap_of_rate: float = Field(
        gt=0,
        le=1,
        description="probabilities: and never more than this share of everybody's rate, so that a "
        "rare outcome has a limit that it can exceed",
    )
    max_gap_of_amount: float = Field(
        gt=0, le=1, description="amounts: observed minus predicted mean, over everybody's mean"
    )
    min_selection_ratio: Share | None = Field(
        default=None,
        description="a group's selection rate over everybody's (0.8: the four-fifths rule); null: "
        "shown, not judged",
    )
    max_ability_gap: Share | None = Field(
        default=None,
        description="everybody's AUC minus the group's; amounts: absolute error over the mean, "
        "group minus everybody; null: shown, not judged",
    )
    min_benefit_ratio: Share = Field(
        default=0.5,
        description="randomised contacts: a group's incremental value per unit of budget, over "
        "everybody's",
    )
    undecided: Literal["pass", "not_evaluated"] = Field(
        default="not_evaluated",
        description="what becomes of a model with a suspected gap, or with too many customers in "
        "groups that are undecided; pass: only a gap shown beyond its limit withholds it",
    )
    min_told_share: Share = Field(
        default=0.5,
        description="per attribute, customers in groups shown within the limit, among those whose "
        "attribute is known; below it the attribute is undecided",
    )
    max_undecided_share: Share = Field(
        default=0.25,
        description="a group, or pair, of a larger share of the customers whose attribute is known "
        "must be shown within the limit: undecided, or not judged, it withholds the model",
    )
    max_measured_share: Share = Field(
        default=0.1,
        description="likewise, where an undecided group's measured gap lies beyond the limit",
    )


class Audit(Section):
    """Which groups are compared, and what counts as too small."""

    attributes: tuple[str, ...] = Field(min_length=1)
    bands: dict[str, dict[str, tuple[str, ...]]] | None = Field(
        default=None,
        description="per attribute, groups that are compared as one: name: [groups]. Choose them "
        "before looking at results: bands of a hundred customers and more, neighbours together",
    )
    pairs: bool = Field(default=True, description="compare also the groups of every two attributes")
    min_group_size: int = Field(
        ge=10, description="smaller groups are not judged, and no figure of them is shown"
    )
    min_group_positives: int = Field(
        ge=1, description="a group with fewer customers with a positive is not judged"
    )
    selected_share: Share = Field(description="share of customers counted as selected by a score")
    gate: Gate
    n_bootstrap: int = Field(ge=100, le=10_000)
    confidence: float = Field(gt=0.5, lt=1)

    @model_validator(mode="after")
    def _bands_do_not_overlap(self) -> Self:
        for attribute, bands in (self.bands or {}).items():
            if attribute not in SENSITIVE:
                raise ValueError(
                    f"bands: {attribute!r} is no sensitive attribute{nearest(attribute, SENSITIVE)}"
                )
            groups = [group for some in bands.values() for group in some]
            twice = sorted({group for group in groups if groups.count(group) > 1})
            if twice:
                raise ValueError(f"bands.{attribute}: {', '.join(twice)} stands in two bands")
        return self

    @field_validator("attributes")
    @classmethod
    def _sensitive(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in SENSITIVE:
                raise ValueError(
                    f"{name!r} is no sensitive attribute{nearest(name, SENSITIVE)}; "
                    f"known: {', '.join(SENSITIVE)}"
                )
        if twice := sorted({name for name in value if value.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice")
        return value
