"""Parameters of the sources: where the data of a run comes from, one class per kind of source."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from mkt_models.columns import Channel, ConsentStatus
from mkt_models.sections import Section, nearest


class AssumedConsent(Section):
    """A consent that the data does not record and the user of the data declares, with a reason."""

    purpose: str = Field(description="what the contact is for, e.g. marketing")
    channel: Channel
    status: ConsentStatus = ConsentStatus.GRANTED
    customers: Literal["all", "exposed"] = Field(
        description="all customers, or only those that a recorded campaign has reached"
    )
    reason: str = Field(min_length=20, description="why this may be assumed; shown in the reports")


class Source(Section):
    """What is said of every source, whatever its kind."""

    kind: str
    time_zone: str = Field(description="IANA name of the shop's zone; decides calendar days")
    currency: str = Field(default="USD", min_length=3, max_length=3)
    country: str = Field(default="US", description="ISO 3166 code; decides the public holidays")
    assumed_consents: tuple[AssumedConsent, ...] = Field(
        default=(), description="consents that the data does not record; no record means refused"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = nearest(value, available_timezones())
            raise ValueError(f"{value!r} is no IANA time zone{near}")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)

    def describe(self) -> str:
        """Say in a few words what is read."""
        return self.kind


class CompleteJourney(Source):
    """Complete Journey, a year of a grocer's loyalty households, from its PyPI package."""

    kind: Literal["complete_journey"]
    households: int | None = Field(
        default=None, gt=0, description="size of a repeatable sample of households; null for all"
    )

    def describe(self) -> str:
        """Say in a few words what is read."""
        return f"{self.kind}, {self.households or 'all'} households"


class Simulator(Source):
    """A simulated shop of any size whose truth is known."""

    kind: Literal["simulator"]
    customers: int = Field(ge=100, le=10_000_000, description="customers of the simulated shop")


class Files(Source):
    """Files or database tables of the user, mapped to the canonical tables."""

    kind: Literal["files"]


AnySource = Annotated[CompleteJourney | Simulator | Files, Field(discriminator="kind")]
