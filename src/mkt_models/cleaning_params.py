"""Parameters of cleaning: what counts as impossible, as the same, as one person, as an outlier."""

from datetime import date, timedelta
from typing import Self

from pydantic import Field, model_validator

from mkt_models.sections import Day, Days, Section, Share


class Cleaning(Section):
    """What counts as impossible, as the same, as one person, and as an outlier."""

    first_day: Day = Field(
        description="the shop had not opened before this local day: an earlier time is impossible"
    )
    extracted_on: Day | None = Field(
        default=None,
        description="the day of the extract: a later time is impossible; null: `future_days` after "
        "profile.as_of",
    )
    future_days: Days = Field(
        description="without an extract's day: so many days after profile.as_of are possible"
    )
    min_age: int = Field(ge=0, le=120, description="a younger customer's birth year is a mistake")
    max_age: int = Field(ge=0, le=150, description="an older customer's birth year is a mistake")
    max_quantity: float = Field(
        gt=0, description="a line of more pieces is flagged as an outlier; it is kept"
    )
    outlier_mads: float = Field(
        gt=0,
        description="a price per piece that is further from its product's median is flagged: in "
        "robust standard deviations (1.4826 MAD) of the logarithm",
    )
    outlier_min_factor: float = Field(
        gt=1, description="and by at least this factor: prices within it are never flagged"
    )
    outlier_min_lines: int = Field(
        ge=3, description="products of fewer lines have no usual price: their lines are not judged"
    )
    double_seconds: int = Field(
        ge=0,
        le=86_400,
        description="the same customer, product, quantity and amount in another order within so "
        "many seconds was submitted twice",
    )
    merge_doubles: bool = Field(
        description="merge such a line into the one before it; false: only count it"
    )
    merge_by: tuple[str, ...] = Field(
        default=(),
        description="kinds of known keys (identities.kind) that make two customer ids one person",
    )
    max_customers_per_key: int = Field(
        ge=2,
        description="a key that more customer ids share, such as a shop's own telephone, merges "
        "nobody",
    )
    max_quarantined_share: Share = Field(
        description="when a larger share of a table is set aside, the run stops: the mapping is "
        "wrong rather than the rows"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_age >= self.max_age:
            raise ValueError(f"min_age == {self.min_age}, must be < max_age == {self.max_age}")
        if self.extracted_on is not None and self.extracted_on <= self.first_day:
            raise ValueError(
                f"extracted_on == {self.extracted_on}, must be after first_day == {self.first_day}"
            )
        return self

    def last_day(self, as_of: date) -> date:
        """The last local day on which something can have happened."""
        return self.extracted_on or as_of + timedelta(days=self.future_days)
