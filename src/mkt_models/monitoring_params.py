"""Parameters of monitoring: when something that has changed is an alarm.

Every alarm needs two things: that chance is ruled out, at the stated rate of false alarms, and that
the change is large enough to matter. With a million rows everything is significant.
"""

from enum import StrEnum

from pydantic import Field, field_validator

from mkt_models.sections import Section, Share


class Rule(StrEnum):
    """What is watched; each rule has one outcome per subject and period."""

    FEATURE_DRIFT = "feature_drift"
    SCORE_DRIFT = "score_drift"
    ESTIMATED_PERFORMANCE = "estimated_performance"
    REALISED_PERFORMANCE = "realised_performance"
    CALIBRATION = "calibration"
    CAMPAIGN_EFFECT = "campaign_effect"
    COST = "cost"
    CAPS = "caps"
    SUPPRESSION = "suppression"
    STRATEGY_MIX = "strategy_mix"
    FAIRNESS = "fairness"


class Severity(StrEnum):
    """How much an alarm asks for: to look at it, or to act before the next campaign."""

    WARNING = "warning"
    CRITICAL = "critical"


class DriftLimits(Section):
    """When a feature or a score is distributed otherwise than before."""

    bins: int = Field(default=10, ge=2, le=50, description="cells, by quantiles of the reference")
    min_psi: float = Field(
        default=0.1,
        gt=0,
        le=5,
        description="population stability index that matters, above what chance gives; 0.1 is "
        "a moderate and 0.25 a large change by custom",
    )
    max_missing_change: Share = Field(
        default=0.05, description="change of the share of missing values that matters"
    )
    max_new_share: Share = Field(
        default=0.01, description="share of rows with a category the reference does not know"
    )
    max_customers: int = Field(
        default=10_000, ge=100, description="of more, a random sample is tested; sizes use all"
    )
    expected: dict[str, str] = Field(
        default_factory=dict,
        description="features that are bound to move, and why: shown, no alarm",
    )

    @field_validator("expected")
    @classmethod
    def _with_a_reason(cls, value: dict[str, str]) -> dict[str, str]:
        for feature, reason in value.items():
            if len(reason.strip()) < 20:
                raise ValueError(f"{feature}: {reason!r} must be a sentence that says why it moves")
        return value


class PerformanceLimits(Section):
    """How much worse than promised a model may be, beyond what chance explains."""

    max_auc_loss: float = Field(default=0.02, ge=0, le=0.5, description="AUC below the promised")
    max_error_rise: float = Field(
        default=0.1,
        ge=0,
        description="Brier score or absolute error above the promised, as a share of it",
    )


class CampaignLimits(Section):
    """When campaigns, their cost and their suppressions are out of the ordinary."""

    max_effect_loss: Share = Field(
        default=0.5, description="part of the reference's effect that may be lost"
    )
    max_cost_rise: float = Field(
        default=0.25, ge=0, description="cost per contact above the reference, as a share of it"
    )
    budget: float | None = Field(
        default=None,
        gt=0,
        description="cost of a calendar month in currency units; null: no budget",
    )
    max_share_change: Share = Field(
        default=0.1,
        description="change of the share of customers with a strategy, no action or a suppression",
    )


class FairnessLimits(Section):
    """When the gap of a group has widened."""

    max_gap_change: Share = Field(
        default=0.1, description="change of a group's gap to everybody, in shares of its members"
    )


class Monitoring(Section):
    """What is watched after a release, and when it is an alarm."""

    false_alarms: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="probability that a rule alarms at one check though nothing has changed, over "
        "all of its subjects and periods (Holm, or Bonferroni where there are intervals)",
    )
    n_bootstrap: int = Field(default=999, ge=199, le=100_000, description="draws of customers")
    min_customers: int = Field(
        default=100, ge=20, description="customers of each period; with fewer nothing is evaluated"
    )
    fail_on: Severity = Field(
        default=Severity.WARNING, description="the least severe alarm that `mkt monitor` exits 1 on"
    )
    may_lack: tuple[Rule, ...] = Field(
        default=(),
        description="rules that need not be evaluated; any other that is not makes `mkt monitor` "
        "exit 3",
    )
    drift: DriftLimits = DriftLimits()
    performance: PerformanceLimits = PerformanceLimits()
    campaign: CampaignLimits = CampaignLimits()
    fairness: FairnessLimits = FairnessLimits()
