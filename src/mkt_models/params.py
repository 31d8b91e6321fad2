"""Parameters of a run: what each choice means, its unit and its range.

YAML files under ``params/`` hold the choices; this module holds their meaning;
:mod:`mkt_models.loading` reads the one into the other.
"""

import hashlib
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from mkt_models.audit_params import Audit
from mkt_models.budget_params import Budgets
from mkt_models.cleaning_params import Cleaning
from mkt_models.experiment_params import Experiments
from mkt_models.exploration_params import Exploration, Method
from mkt_models.fatigue_params import Fatigue
from mkt_models.guard_params import FeatureChoice, Guards
from mkt_models.monitoring_params import Monitoring
from mkt_models.privacy_params import Privacy
from mkt_models.profile_params import Profile
from mkt_models.release_params import Release
from mkt_models.sections import Day, Days, Moment, Section, Share
from mkt_models.served_params import Served
from mkt_models.source_params import AnySource
from mkt_models.terms_params import Terms
from mkt_models.uplift_params import Uplift


class Engine(Section):
    """Which SQL engine runs the stages from cleaning to tags, and how much it may use.

    Memory and threads are those of DuckDB, which runs the other stages in any case. Those of a
    Spark server are set where it is started.
    """

    url: str = Field(
        default="duckdb",
        pattern=r"^(duckdb|sc://[A-Za-z0-9._-]+:[0-9]{1,5})$",
        description="duckdb: embedded; sc://host:port: the Spark Connect server there, which must "
        "see the files of the run under the same paths",
    )
    memory_limit_gb: float = Field(gt=0.2, description="beyond it the engine spills to disk, GB")
    threads: int = Field(gt=0)


Level = Literal["department", "category", "product_type", "brand", "product_id"]


class RuleLevel(Section):
    """What the items of rules are: values of one column of products, or of several mixed."""

    levels: tuple[Level, ...] = Field(min_length=1, description="the columns, each once")
    min_support: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="null: that of mining; coarse levels need a higher one",
    )
    max_items: int | None = Field(default=None, ge=2, le=10, description="null: that of mining")

    @field_validator("levels")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"levels == {list(value)}, names one twice")
        return value


class Mining(Section):
    """Which products are bought together, and what a customer buys next."""

    min_support: float = Field(gt=0, lt=1, description="share of orders that hold a rule's items")
    min_confidence: Share = Field(
        default=0.0, description="share of the orders with the first items that hold the second"
    )
    min_lift: float = Field(ge=1)
    max_q_value: float = Field(
        default=0.05, gt=0, le=1, description="share of the rules that chance may have made"
    )
    min_customers: int = Field(
        default=1, ge=1, description="customers with an order that holds a rule's items"
    )
    max_items: int = Field(default=2, ge=2, le=10, description="items of a rule, both sides")
    max_consequents: int = Field(default=1, ge=1, le=9, description="items of the second side")
    redundant_rules: bool = Field(
        default=True, description="keep rules that a more general rule makes superfluous, marked"
    )
    rule_levels: tuple[RuleLevel, ...] = Field(
        default=(RuleLevel(levels=("product_type",)),),
        min_length=1,
        description="levels at which rules are mined, one after the other",
    )
    half_life_days: Days = Field(description="after so many days a purchase counts half")
    n_items: int = Field(gt=0, le=100, description="items recommended per customer")
    new_share: Share = Field(
        default=0.0, description="at least this share of the items is new to the customer"
    )
    max_per_category: int | None = Field(
        default=None, gt=0, description="at most so many items of one category; null: any number"
    )
    n_discover: int = Field(
        default=5, ge=0, le=100, description="items on the shelf discover, all new to the customer"
    )
    discover_per_category: int | None = Field(
        default=1, gt=0, description="on that shelf, items of one category; null: any number"
    )
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

    @model_validator(mode="after")
    def _consequents_leave_an_antecedent(self) -> Self:
        sizes = [level.max_items or self.max_items for level in self.rule_levels]
        if self.max_consequents >= min(sizes):
            raise ValueError(
                f"max_consequents == {self.max_consequents}, must be < max_items == {min(sizes)}"
            )
        return self


class Boosting(Section):
    """Settings of the gradient-boosted trees (XGBoost)."""

    start: Literal["constant", "regression"] = Field(
        default="constant",
        description="what the trees begin at: one number for everybody, or a regularised "
        "regression on log features, which they then mend",
    )
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
    first: Day = Field(description="no cutoff before this day: features need a history")
    last: Day = Field(description="the last cutoff; its whole horizon must lie in the data")
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
    interval: float = Field(
        default=0.8, ge=0.5, le=0.99, description="share of customers within their interval"
    )


class Propensity(Section):
    """Propensity: does a customer redeem a coupon of a campaign that reached it."""

    first_test: Day = Field(description="campaigns that start on or after this day are tests")
    boosting: Boosting


class Decisions(Section):
    """Which strategies are offered, when, and how."""

    catalogue: str = Field(description="file of the strategies, beside this file")
    k: int = Field(gt=0, le=20, description="strategies per answer")
    decide_at: Moment = Field(
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
    showcase_customers: int = Field(gt=0, le=20, description="customers printed at the end")
    exploration: Exploration = Exploration()


class Params(Section):
    """All parameters of one run."""

    run: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$", description="name of reports/<run>/")
    seed: int = Field(ge=0, description="seed of every random step")
    source: AnySource
    engine: Engine
    cleaning: Cleaning
    profile: Profile
    mining: Mining
    churn: Churn
    value: Value
    propensity: Propensity
    audit: Audit
    decisions: Decisions
    features: FeatureChoice = FeatureChoice()
    guards: Guards = Guards()
    uplift: Uplift = Uplift()
    fatigue: Fatigue = Fatigue()
    experiments: Experiments = Experiments()
    release: Release = Release()
    budgets: Budgets = Budgets()
    terms: Terms = Terms()
    privacy: Privacy = Privacy()
    monitoring: Monitoring = Monitoring()
    served: Served = Served()

    @model_validator(mode="after")
    def _nothing_after_the_profile(self) -> Self:
        for name, cutoffs in (("churn", self.churn), ("value", self.value)):
            end = cutoffs.last + timedelta(days=cutoffs.horizon_days)
            if end > self.profile.as_of:
                raise ValueError(
                    f"{name}: labels of the last cutoff reach to {end}, after profile.as_of == "
                    f"{self.profile.as_of}; move {name}.last back, or profile.as_of ahead"
                )
        if self.decisions.exploration.method is Method.THOMPSON:
            raise ValueError(
                "decisions.exploration.method == 'thompson': no worth has a standard error yet "
                "from which it could draw; set method: epsilon"
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
