"""Parameters of the sources: where the data of a run comes from, one class per kind of source."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from mkt_models.columns import Channel, ConsentStatus, Table
from mkt_models.mapping_params import Reading, TableMapping, Tables
from mkt_models.sections import Day, Days, Section, Share, nearest


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


class Dirt(Section):
    """How much of each kind of dirt the simulator plants: shares of the rows that could have it.

    What each kind is: :mod:`mkt_models.simulation.dirt`. Zero plants none.
    """

    exact_duplicates: Share = Field(default=0.004, description="rows written a second time")
    near_duplicates: Share = Field(
        default=0.002, description="order lines, and whole orders, written again some seconds later"
    )
    missing_keys: Share = Field(default=0.002, description="rows without one of their keys")
    missing_amounts: Share = Field(default=0.001, description="order lines without an amount")
    negative_amounts: Share = Field(
        default=0.001, description="order lines of a positive quantity with a negative amount"
    )
    orphans: Share = Field(
        default=0.002, description="rows that name a product or a customer that is in no table"
    )
    impossible_times: Share = Field(
        default=0.001, description="rows in a far future, or before their customer registered"
    )
    absurd_values: Share = Field(
        default=0.001, description="quantities, ratings, birth years and the like beyond belief"
    )
    broken_labels: Share = Field(
        default=0.02, description="labels in another case or with blanks, or left out"
    )


class CampaignPlan(Section):
    """When campaigns run, and how many of those who may be contacted are contacted, at random."""

    every_days: Days = Field(default=28, description="from the start of one to that of the next")
    days: Days = Field(default=14, description="length of one campaign; its effect lasts as long")
    treated_share: float = Field(
        default=0.5, ge=0.05, le=0.95, description="mean probability of being contacted"
    )
    fatigue: float = Field(
        default=0.0,
        ge=0,
        le=5,
        description="decay of a contact's good effects per unit of pressure of the earlier "
        "contacts over its channel; 0: none",
    )
    fatigue_half_life_days: float = Field(
        default=7.0, gt=0, le=365, description="after so many days a contact presses half as much"
    )

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        if self.days > self.every_days:
            raise ValueError(
                f"days == {self.days}, must be <= every_days == {self.every_days}: campaigns run "
                "one after the other, so that the effect of each is known"
            )
        return self


class Simulator(Source):
    """A simulated shop of any size whose truth is known; its equations: docs/simulator.md."""

    kind: Literal["simulator"]
    customers: int = Field(ge=100, le=10_000_000, description="customers of the simulated shop")
    first_day: Day = Field(description="the first day of the data, on the shop's calendar")
    days: int = Field(ge=90, le=3650, description="length of the data, days")
    chunk_customers: int = Field(
        default=2_000, ge=100, le=100_000, description="customers held in memory at a time"
    )
    products: int = Field(default=1500, ge=400, le=50_000, description="products of the shop")
    days_between_orders: float = Field(
        default=14, gt=0.5, le=365, description="1 / mean purchase rate of a customer, days"
    )
    rate_shape: float = Field(
        default=1.2, gt=0.05, le=50, description="shape of the gamma of purchase rates"
    )
    lifetime_days: float = Field(
        default=400, gt=5, le=36_500, description="1 / mean rate of drop-out, days"
    )
    lifetime_shape: float = Field(
        default=0.8, gt=0.05, le=50, description="shape of the gamma of the rates of drop-out"
    )
    new_share: Share = Field(
        default=0.5, description="customers who register within the data; the others did before"
    )
    browsing: float = Field(
        default=1, ge=0, le=20, description="visits without an order, per order of the customer"
    )
    busy_days: tuple[Annotated[str, Field(pattern=r"^\d\d-\d\d$")], ...] = Field(
        default=(), description="days of sales, as month-day, e.g. 11-11"
    )
    season: float = Field(
        default=0.03, ge=0, le=0.5, description="height of the year's wave, highest in November"
    )
    attribute_strength: Share = Field(
        default=1, description="how much age, gender and the like tell of interests and means"
    )
    unknown_attributes: Share = Field(default=0.15, description="customers who told nothing")
    fraud_share: Share = Field(default=0.04, description="customers who cheat, in one of 3 ways")
    shared_accounts: float = Field(
        default=0.03, ge=0, le=0.3, description="ids that are a further account of a person"
    )
    campaigns: CampaignPlan = CampaignPlan()
    horizons: tuple[Days, ...] = Field(
        default=(28, 56, 90), min_length=1, description="days ahead for which the truth is told"
    )
    dirt: Dirt = Dirt()

    @property
    def last_day(self) -> date:
        """The last day of the data."""
        return self.first_day + timedelta(days=self.days - 1)

    @model_validator(mode="after")
    def _records_consents(self) -> Self:
        if self.assumed_consents:
            raise ValueError("assumed_consents: the simulator records consents; declare none")
        return self

    def describe(self) -> str:
        """Say in a few words what is read."""
        return f"{self.kind}, {self.customers:,} customers, {self.first_day} to {self.last_day}"


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
