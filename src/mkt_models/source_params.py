"""Parameters of the sources: where the data of a run comes from, one class per kind of source."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from mkt_models.columns import Channel, ConsentStatus, Table
from mkt_models.mapping_params import Reading, TableMapping, Tables
from mkt_models.sections import Section, Share, nearest


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

    def at(self, folder: Path) -> Self:
        """The source with its paths, which are relative to ``folder``, made absolute."""
        return self


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
    folder: str = Field(
        default=".", description="where the files are, relative to the parameter file"
    )
    about: str = Field(
        default="", description="what the data is, and its licence, in a sentence; for the reports"
    )
    max_unreadable_share: Share = Field(
        default=0.01,
        description="when a larger share of the values of a column, or of the lines of a table, "
        "cannot be read, the run ends; what cannot be read below it becomes null and is reported",
    )
    defaults: Reading = Field(
        default=Reading(), description="how all tables are read that do not say otherwise"
    )
    tables: Tables

    def describe(self) -> str:
        """Say in a few words what is read."""
        return f"{self.kind} in {self.folder}: {', '.join(self.tables.mapped())}"

    def at(self, folder: Path) -> Self:
        """The source with its folder, which is relative to ``folder``, made absolute."""
        return self.model_copy(update={"folder": str((folder / self.folder).resolve())})

    def reads(self, table: Table) -> tuple[TableMapping, Reading]:
        """Where the rows of a table come from, and how they are read."""
        mapped = self.tables.mapped()
        mapping = mapped[table]
        place = mapping if mapping.from_table is None else mapped[mapping.from_table]
        how = place.over(self.defaults)
        return place, how if place is mapping else mapping.over(how)


AnySource = Annotated[CompleteJourney | Simulator | Files, Field(discriminator="kind")]
