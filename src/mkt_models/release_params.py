"""Parameters of the release: what a model is compared by, and when its calibration holds."""

from typing import Literal, Self

from pydantic import Field, model_validator

from mkt_models.columns import Model
from mkt_models.sections import Section, Share

Ranking = Literal["auc", "pr_auc", "brier", "log_loss"]
Amounts = Literal["mae", "rmse", "spearman", "gini"]


class CalibrationLimits(Section):
    """How far a model's numbers may be off before it is withheld."""

    min_slope: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="slope of the truth on the predictions' margin; below 1: too extreme",
    )
    max_slope: float = Field(default=1.25, ge=1, description="above 1: too timid")
    max_bias: Share = Field(
        default=0.2, description="sum of the predictions over sum of the truth, minus 1, up or down"
    )
    undecided: Literal["pass", "not_evaluated"] = Field(
        default="not_evaluated",
        description="what becomes of a model whose intervals show neither that the limits hold nor "
        "that they are broken; pass: only a shown breach withholds it",
    )


class Release(Section):
    """When a trained model becomes the one that decides, and when the one before it stays."""

    churn: Ranking = Field(default="auc", description="metric that champions are compared by")
    value: Amounts = "mae"
    propensity: Ranking = "auc"
    confidence: float = Field(
        default=0.95, gt=0.5, lt=1, description="level of the interval of the paired difference"
    )
    calibration: CalibrationLimits = CalibrationLimits()

    def metric(self, model: Model) -> str:
        """By which metric versions of a model are compared.

        >>> Release().metric(Model.VALUE)
        'mae'
        """
        return str(getattr(self, model.value))

    @model_validator(mode="after")
    def _limits_hold_one(self) -> Self:
        if self.calibration.max_bias == 0:
            raise ValueError("calibration.max_bias == 0: no model is true to the last digit")
        return self
