"""Parameters of the release: what a model is compared by, and when its calibration holds."""

from typing import Literal

from pydantic import Field

from mkt_models.columns import Model
from mkt_models.sections import Section

Ranking = Literal["auc", "pr_auc", "brier", "log_loss"]
Amounts = Literal["mae", "rmse", "spearman", "gini"]


class CalibrationLimits(Section):
    """How far a model's numbers may be off before it is withheld."""

    max_factor: float = Field(
        default=1.25,
        gt=1,
        le=10,
        description="by which factor slope and sum may be off, up or down: 1.25 allows 0.8 to 1.25",
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
