"""Parameters of the profile: its day, rhythm and risk. The tags stand in a file of their own."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from mkt_models.columns import PROFILE_DIMENSIONS, Dimension
from mkt_models.sections import Day, Days, Section, nearest

# The numbers of the risk dimension that a signal may rest on.
RISK_COLUMNS = tuple(
    name
    for name in PROFILE_DIMENSIONS[Dimension.RISK]
    if name not in ("risk_points", "risk_signals", "risk_tier")
)


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

    as_of: Day = Field(description="the profile looks strictly before this local day")
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
