"""Parameters of a run: what each choice means, its unit and its range.

YAML files under ``params/`` hold the choices; this module holds their meaning;
:mod:`mkt_models.loading` reads the one into the other.
"""

import hashlib
from datetime import date, datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from mkt_models.columns import PROFILE_DIMENSIONS, SENSITIVE, Dimension
from mkt_models.sections import Days, Section, Share, nearest
from mkt_models.source_params import AnySource

# The numbers of the risk dimension that a signal may rest on.
RISK_COLUMNS = tuple(
    name
    for name in PROFILE_DIMENSIONS[Dimension.RISK]
    if name not in ("risk_points", "risk_signals", "risk_tier")
)


class Engine(Section):
    """How much of the machine the SQL engine may use."""

    memory_limit_gb: float = Field(gt=0.2, description="beyond it the engine spills to disk, GB")
    threads: int = Field(gt=0)


class RiskSignal(Section):
    """A sign of risk: a number of the profile that reaches a threshold, and what it counts."""

    column: str = Field(description="a number of the profile, one of RISK_COLUMNS")
    at_least: float = Field(ge=0, description="the signal is there from this value on")
    points: int = Field(gt=0, le=10)
    min_orders: int = Field(
        default=0, ge=0, description="with fewer orders in 365 days it says nothing"
    )

    @field_validator("column")
    @classmethod
    def _of_risk(cls, value: str) -> str:
        if value not in RISK_COLUMNS:
            raise ValueError(
                f"{value!r} is no number of the risk dimension{nearest(value, RISK_COLUMNS)}; "
                f"known: {', '.join(RISK_COLUMNS)}"
            )
        return value


class Risk(Section):
    """Which signals make a customer a risk; the points of all that are there add up."""

    middle_points: int = Field(gt=0, description="tier middle from so many points on")
    high_points: int = Field(gt=0, description="tier high from so many points on")
    signals: tuple[RiskSignal, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.middle_points >= self.high_points:
            raise ValueError(
                f"middle_points == {self.middle_points}, must be < high_points == "
                f"{self.high_points}"
            )
        return self


class Profile(Section):
    """How a customer is described on a date.

    The stage of life compares the days since the last order with the customer's own rhythm: the
    mean pause between shopping days, drawn towards the median customer's by ``rhythm_weight``.
    """

    as_of: date = Field(description="the profile looks strictly before this local day")
    tags: str = Field(description="file of the tags, beside this file")
    new_days: Days = Field(description="first order at most so many days ago: stage new")
    rhythm_weight: float = Field(
        gt=0, le=100, description="the median customer's pause counts as much as so many own pauses"
    )
    active_times: float = Field(
        gt=0, le=100, description="silent for at most so many usual pauses: stage active"
    )
    dormant_times: float = Field(gt=0, le=100, description="the same, for stage dormant")
    active_days: Days = Field(description="silent for at most so many days: never less than active")
    dormant_days: Days = Field(description="the same, for dormant: nobody is lost earlier")
    longest_days: Days = Field(description="no pause counts as longer: beyond its times, lost")
    value_days: Days = Field(description="window of the spend that value tiers rank, days")
    interests: int = Field(gt=0, le=20, description="how many liked things of a kind are named")
    risk: Risk

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.active_days >= self.dormant_days:
            raise ValueError(
                f"active_days == {self.active_days}, must be < dormant_days == {self.dormant_days}"
            )
        if self.active_times >= self.dormant_times:
            raise ValueError(
                f"active_times == {self.active_times}, must be < dormant_times == "
                f"{self.dormant_times}"
            )
        return self


class Mining(Section):
    """Which products are bought together, and what a customer buys next."""

    min_support: float = Field(gt=0, lt=1, description="share of orders that hold both items")
    min_lift: float = Field(ge=1)
    half_life_days: Days = Field(description="after so many days a purchase counts half")
    n_items: int = Field(gt=0, le=100, description="items recommended per customer")
    backtest_days: Days = Field(description="the last days of the data, held out to test")
    exclude_departments: tuple[str, ...] = Field(
        default=(), description="departments in no rule and no recommendation"
    )
    exclude_categories: tuple[str, ...] = Field(
        default=(), description="categories in no rule and no recommendation"
    )
    exclude_words: tuple[Annotated[str, Field(min_length=3)], ...] = Field(
        default=(),
        description="a product whose category or product type contains one of these, in any case, "
        "is never named",
    )


class Boosting(Section):
    """Settings of the gradient-boosted trees (XGBoost)."""

    max_depth: int = Field(gt=0, le=12)
    n_estimators: int = Field(gt=0, le=5000)
    learning_rate: float = Field(gt=0, le=1)
    min_child_weight: float = Field(ge=0)
    subsample: float = Field(gt=0, le=1)
    colsample_bytree: float = Field(gt=0, le=1)
    reg_lambda: float = Field(ge=0)


class Cutoffs(Section):
    """Dates at which a model looks back for features and ahead for labels."""

    horizon_days: Days = Field(description="labels look in [as_of, as_of + horizon)")
    active_days: Days = Field(description="customers with an order in so many days before as_of")
    every_days: Days = Field(description="distance between two cutoffs")
    first: date = Field(description="no cutoff before this day: features need a history")
    last: date = Field(description="the last cutoff; its whole horizon must lie in the data")
    test_cutoffs: int = Field(gt=0, description="how many of the last cutoffs are tests")

    @model_validator(mode="after")
    def _train_before_test(self) -> Self:
        oldest = (self.last - self.first).days // self.every_days * self.every_days
        before_test = oldest - self.every_days * (self.test_cutoffs - 1)
        if before_test < self.horizon_days:
            raise ValueError(
                f"no training cutoff ends before the first test cutoff: the oldest cutoff is "
                f"{before_test} days before it, and horizon_days == {self.horizon_days}; move "
                "`first` back, or lower `test_cutoffs` or `horizon_days`"
            )
        return self

    def dates(self) -> list[date]:
        """All cutoffs, oldest first, counted back from ``last``."""
        n = (self.last - self.first).days // self.every_days + 1
        return [self.last - timedelta(days=self.every_days * i) for i in reversed(range(n))]

    def tests(self) -> list[date]:
        """The cutoffs that models are tested on, oldest first."""
        return self.dates()[-self.test_cutoffs :]


class Churn(Cutoffs):
    """Churn: no order in the horizon, among recently active customers."""

    boosting: Boosting


class Value(Cutoffs):
    """Value: spend in the horizon, among recently active customers, in currency units."""

    boosting: Boosting
    tweedie_power: float = Field(ge=1.01, le=1.99)


class Propensity(Section):
    """Propensity: does a household redeem a coupon of a campaign that reached it."""

    first_test: date = Field(description="campaigns that start on or after this day are tests")
    boosting: Boosting


class Audit(Section):
    """Which groups are compared, and what counts as too small or too far apart."""

    attributes: tuple[str, ...] = Field(min_length=1)
    min_group_size: int = Field(ge=10, description="smaller groups are marked, not judged")
    min_group_positives: int = Field(ge=1, description="fewer positives: marked, not judged")
    selected_share: Share = Field(description="share of customers counted as selected by a score")
    max_calibration_gap: Share = Field(
        description="a group fails when the interval of its observed minus predicted rate lies "
        "wholly beyond this; for value, relative to the mean"
    )
    n_bootstrap: int = Field(ge=100, le=10_000)
    confidence: float = Field(gt=0.5, lt=1)

    @field_validator("attributes")
    @classmethod
    def _sensitive(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in SENSITIVE:
                raise ValueError(
                    f"{name!r} is no sensitive attribute{nearest(name, SENSITIVE)}; "
                    f"known: {', '.join(SENSITIVE)}"
                )
        return value


class Decisions(Section):
    """Which strategies are offered, when, and how."""

    catalogue: str = Field(description="file of the strategies, beside this file")
    k: int = Field(gt=0, le=20, description="strategies per answer")
    decide_at: datetime = Field(
        description="the shop's local time for which the batch decides and the showcase asks"
    )

    @field_validator("decide_at")
    @classmethod
    def _on_the_shop_clock(cls, value: datetime) -> datetime:
        if value.tzinfo is not None:
            raise ValueError("must have no zone: it is read on the shop's clock, source.time_zone")
        return value

    holdout_share: Share = Field(description="customers withheld from all contact, at random")
    holdout_salt: str = Field(min_length=4, description="changes who is withheld")
    showcase_customers: int = Field(gt=0, le=20, description="households printed at the end")


class Params(Section):
    """All parameters of one run."""

    run: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$", description="name of reports/<run>/")
    seed: int = Field(ge=0, description="seed of every random step")
    source: AnySource
    engine: Engine
    profile: Profile
    mining: Mining
    churn: Churn
    value: Value
    propensity: Propensity
    audit: Audit
    decisions: Decisions

    @model_validator(mode="after")
    def _nothing_after_the_profile(self) -> Self:
        for name, cutoffs in (("churn", self.churn), ("value", self.value)):
            end = cutoffs.last + timedelta(days=cutoffs.horizon_days)
            if end > self.profile.as_of:
                raise ValueError(
                    f"{name}: labels of the last cutoff reach to {end}, after profile.as_of == "
                    f"{self.profile.as_of}; move {name}.last back, or profile.as_of ahead"
                )
        if self.decisions.decide_at.date() < self.profile.as_of:
            raise ValueError(
                f"decisions.decide_at == {self.decisions.decide_at} is before profile.as_of == "
                f"{self.profile.as_of}: a decision cannot know the future"
            )
        return self

    @property
    def decide_at(self) -> datetime:
        """The moment of the batch's decisions, aware."""
        return self.decisions.decide_at.replace(tzinfo=self.source.zone)

    @property
    def digest(self) -> str:
        """Twelve hex digits that change when any parameter changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]
