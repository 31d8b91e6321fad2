"""Parameters of the report on a service that runs: the period, what is an alarm, a rehearsal."""

from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from mkt_models.monitoring_params import Severity
from mkt_models.sections import Day, Days, Section, Share


class ServedRule(StrEnum):
    """What is watched of a service that runs; each rule has one outcome per subject."""

    SAMPLE_RATIO = "sample_ratio"
    HOLDOUT_EFFECT = "holdout_effect"
    CONTACT_POLICY = "contact_policy"
    CAPS = "caps"
    BUDGETS = "budgets"
    COST = "cost"
    REPORTS = "reports"
    COMPLAINTS = "complaints"
    STALE_PROFILES = "stale_profiles"
    STRATEGY_MIX = "strategy_mix"
    SUPPRESSION = "suppression"
    FAIRNESS = "fairness"


class ServedLimits(Section):
    """When something about the service is out of the ordinary."""

    max_share_change: Share = Field(
        default=0.1,
        description="change of the share of customers with a strategy, no action or a suppression, "
        "the last days against the nearest of the windows before",
    )
    max_gap: Share = Field(
        default=0.1, description="gap of a group in being contacted or offered something"
    )
    max_unreported: Share = Field(
        default=0.1,
        description="share of the contacts whose time is over that nobody has reported on",
    )
    max_complaints: Share = Field(
        default=0.01, description="customers who complained, of those who were contacted"
    )
    max_stale: Share = Field(
        default=0.01, description="share of the decisions from a profile that is too old"
    )
    cost: float | None = Field(
        default=None, gt=0, description="cost of a week's contacts, currency units; null: no limit"
    )


class Rehearsal(Section):
    """A simulated service: what a run without a live store shows in its place, marked so.

    The decisions are real, of the run's own customers and policy; what customers do is drawn.
    """

    customers: int | None = Field(
        default=None, ge=1, description="the first so many of the snapshot; null: all"
    )
    days: Days = Field(default=28, description="how long it lasts, from the day of the profile on")
    every_days: Days = Field(default=7, description="how often every customer is asked for")
    holdout_share: Share = Field(default=0.3, description="more than a service would hold out")
    epsilon: float = Field(default=0.5, ge=0, le=0.5, description="share of draws that explore")
    p_purchase: Share = Field(default=0.3, description="chance of a purchase between two questions")
    lift: Share = Field(default=0.15, description="what a contact adds to this chance")
    lift_of: dict[str, Share] = Field(
        default_factory=dict, description="the same of single strategies, in place of lift"
    )
    mean_amount: float = Field(default=30.0, gt=0, description="of a purchase, currency units")
    p_not_sent: Share = Field(default=0.05, description="contacts that the app reports as not sent")
    p_unreported: Share = Field(default=0.02, description="contacts of which it reports nothing")
    p_complaint: Share = Field(default=0.001, description="complaints per push contact")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name, lift in (("lift", self.lift), *self.lift_of.items()):
            if self.p_purchase + lift > 1:
                raise ValueError(f"{name}: p_purchase + {lift:g} is more than 1")
        if self.p_not_sent + self.p_unreported > 1:
            raise ValueError("p_not_sent + p_unreported is more than 1")
        return self


class Served(Section):
    """The report on what the service did, from its live store."""

    store: str | None = Field(
        default=None,
        description="where the live store is: a path, or postgresql://user@host/database without a "
        "password; null: MKT_STORE_URL, else the file that `mkt serve` of this run writes",
    )
    days: Days = Field(default=56, description="how far the report goes back from the last record")
    recent_days: Days = Field(
        default=7,
        description="the last days, which are held against windows of the same length before; "
        "whole weeks, as weekdays differ",
    )
    effect_days: Days = Field(
        default=28,
        description="what a customer did within so many days of the first question counts for the "
        "effect of the holdout; who was first asked later is left out",
    )
    effect_since: Day | None = Field(
        default=None,
        description="first day of the holdout: after a change of its share or salt, the day of the "
        "change; null: all that is on record",
    )
    reward_days: Days = Field(
        default=7, description="what a customer did within so many days is a decision's reward"
    )
    min_customers: int = Field(
        default=100, ge=20, description="with fewer customers nothing is evaluated"
    )
    false_alarms: float = Field(
        default=0.05, gt=0, lt=0.5, description="probability that a rule alarms without a cause"
    )
    n_bootstrap: int = Field(default=999, ge=199, le=100_000, description="draws of customers")
    fail_on: Severity = Field(
        default=Severity.WARNING, description="the least severe alarm that counts for the exit code"
    )
    may_lack: tuple[ServedRule, ...] = Field(
        default=(ServedRule.BUDGETS, ServedRule.COST),
        description="rules that need not be evaluated: nothing to hold them against",
    )
    limits: ServedLimits = ServedLimits()
    rehearsal: Rehearsal | None = Field(
        default=None, description="where there is no live store, show a simulated service"
    )

    @field_validator("store")
    @classmethod
    def _without_secret(cls, value: str | None) -> str | None:
        if value is not None and "://" in value and urlsplit(value).password is not None:
            raise ValueError("a password does not belong into a file; set MKT_STORE_URL instead")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("recent_days", "effect_days", "reward_days"):
            if getattr(self, name) >= self.days:
                raise ValueError(f"{name} == {getattr(self, name)}, must be less than days")
        return self
