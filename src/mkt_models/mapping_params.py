"""Parameters of a mapping: which files or database tables feed which canonical table, and how.

On the left of every ``columns`` block stands a canonical column, on the right a column of the
user's data, or how its value is made. What the canonical columns are:
:mod:`mkt_models.sources.schemas`; how text becomes a value: :mod:`mkt_models.sources.casting`.
"""

import codecs
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from mkt_models.columns import Table
from mkt_models.sections import Section, nearest

Unit = Literal[
    "currency",
    "cents",
    "thousandths",
    "pieces",
    "seconds",
    "minutes",
    "milliseconds",
    "share",
    "percent",
]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Text = Annotated[str, BeforeValidator(_as_text)]


class TextRule(Section):
    """A value for every text that looks like this; exactly one condition."""

    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    matches: str | None = Field(default=None, description="regular expression for the whole text")
    value: Text | None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [n for n in ("starts_with", "ends_with", "contains", "matches") if getattr(self, n)]
        if len(given) != 1:
            raise ValueError("needs exactly one of starts_with, ends_with, contains, matches")
        return self


class Column(Section):
    """Where the value of a canonical column comes from, and how it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: Names = Field(
        default=(), alias="from", description="a column of the data, or several to be joined"
    )
    join: str = Field(default=" ", description="what stands between the columns that are joined")
    value: Text | None = Field(default=None, description="the same value in every row")
    unit_price: str | None = Field(
        default=None, description="a column of prices per piece, to be multiplied by `times`"
    )
    times: str | None = Field(
        default=None, description="the canonical column that counts the pieces, e.g. quantity"
    )
    unit: Unit | None = Field(
        default=None,
        description="what a number counts; money needs it: currency (12.34) or cents (1234)",
    )
    format: Names = Field(
        default=(),
        description="of a date or time, tried in order, e.g. '%d.%m.%Y %H:%M'; epoch_seconds and "
        "epoch_milliseconds count from 1970",
    )
    values: Mapping[str, Text | None] = Field(
        default={}, description="what a text becomes; null where it says nothing"
    )
    rules: tuple[TextRule, ...] = Field(default=(), description="the first that holds decides")
    otherwise: Text | None = Field(
        default=None,
        description="what a text becomes that no value and no rule names; a null that is written "
        "here says that it tells nothing, and is not listed as unreadable",
    )
    keep_others: bool = Field(
        default=False, description="a text that `values` does not name stays as it is"
    )
    negate: bool = Field(
        default=False, description="the data gives the number with the opposite sign"
    )
    whole_number: bool = Field(
        default=False, description="an id that was written as a number: 17850.0 is 17850"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [
            name
            for name, there in (
                ("from", self.source),
                ("value", self.value is not None),
                ("unit_price", self.unit_price is not None),
            )
            if there
        ]
        if len(given) != 1:
            raise ValueError(
                "needs exactly one of from (a column), value (a constant) and unit_price"
                + (f"; has {' and '.join(given)}" if given else "")
            )
        if (self.unit_price is None) != (self.times is None):
            raise ValueError("unit_price and times go together: {unit_price: Price, times: …}")
        if self.rules and self.values:
            raise ValueError("has both values and rules; write the values as rules too")
        if self.keep_others and (self.otherwise is not None or not self.values):
            raise ValueError("keep_others goes with values, and without otherwise")
        return self


def _short_form(value: object) -> object:
    return {"from": value} if isinstance(value, str | list | tuple) else value


ShortColumn = Annotated[Column, BeforeValidator(_short_form)]


class Reading(Section):
    """How files are read: said once for all tables under ``defaults``, or table by table."""

    format: Literal["csv", "parquet", "jsonl"] | None = Field(
        default=None, description="null: by the file's name"
    )
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=1, description="of CSV; null: found by looking"
    )
    quote: str = Field(default='"', max_length=1, description="of CSV; empty for none")
    encoding: str = Field(default="utf-8", description="of the text, e.g. windows-1252, ISO-8859-1")
    header: bool = Field(default=True, description="whether a CSV file begins with column names")
    names: Names = Field(
        default=(),
        description="the column names, in order: needed without a header, else instead of it",
    )
    skip_lines: int = Field(default=0, ge=0, description="lines before the header")
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", "'", " "] | None = None
    nulls: Names = Field(default=(), description="texts that mean nothing is known, e.g. NULL, -")
    date_format: Names = Field(default=(), description="of dates and times; null: ISO 8601")
    time_zone: str | None = Field(
        default=None, description="of times that name no zone; null: the shop's"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            near = nearest(value, available_timezones())
            raise ValueError(f"{value!r} is no IANA time zone{near}")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            near = nearest(value, ("utf-8", "windows-1252", "ISO-8859-1", "utf-16", "gb18030"))
            raise ValueError(f"no encoding is called so{near}") from None
        return value

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        if "header" in self.model_fields_set and not self.header and not self.names:
            raise ValueError("header: false needs names: the column names, in order")
        return self

    def over(self, base: "Reading") -> "Reading":
        """Lay what is said here over ``base``."""
        said = {
            name: getattr(self, name)
            for name in self.model_fields_set
            if name in Reading.model_fields
        }
        return Reading.model_validate({**base.model_dump(exclude_unset=True), **said})


class Database(Section):
    """A table or query of a PostgreSQL database."""

    url_env: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="the environment variable that holds the database's URL; never the URL itself",
    )
    table: str | None = Field(default=None, description="e.g. public.sales")
    query: str | None = Field(default=None, description="a SELECT, instead of a table")
    version: str | None = Field(
        default=None, description="change it to have the data read again; the database is not asked"
    )
    changed_at: str | None = Field(
        default=None, description="a column whose latest value tells that rows have changed"
    )

    @model_validator(mode="after")
    def _table_or_query(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("needs either table or query")
        return self


class TableMapping(Reading):
    """What feeds one canonical table."""

    files: Names = Field(default=(), description="file names with * and ?, under source.folder")
    database: Database | None = None
    from_table: Table | None = Field(
        default=None, description="reads what this other table reads, in the same way"
    )
    one_per: Names = Field(
        default=(),
        description="canonical columns: of rows that agree in them the last one counts, e.g. "
        "customers from order lines",
    )
    columns: dict[str, ShortColumn] = Field(
        min_length=1, description="canonical column: from where"
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [n for n in ("files", "database", "from_table") if getattr(self, n)]
        if len(given) != 1:
            raise ValueError(
                "needs exactly one of files, database and from_table"
                + (f"; has {' and '.join(given)}" if given else "")
            )
        return self


class Tables(Section):
    """The canonical tables that the data feeds; only transactions must be there."""

    transactions: TableMapping
    customers: TableMapping | None = None
    identities: TableMapping | None = None
    products: TableMapping | None = None
    events: TableMapping | None = None
    social: TableMapping | None = None
    tickets: TableMapping | None = None
    campaigns: TableMapping | None = None
    offers: TableMapping | None = None
    exposures: TableMapping | None = None
    outcomes: TableMapping | None = None
    consents: TableMapping | None = None

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        for table, mapping in self.mapped().items():
            other = mapping.from_table
            if other is None:
                continue
            there = self.mapped().get(other)
            if there is None or there.from_table is not None:
                raise ValueError(f"{table}.from_table: {other} reads no files and no database")
        return self

    def mapped(self) -> dict[Table, TableMapping]:
        """The tables that are there, in the order of the canonical tables."""
        there = {table: getattr(self, table.value) for table in Table}
        return {table: mapping for table, mapping in there.items() if mapping is not None}
