"""Text to values: what is written must be what is read, to the cent and to the second."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mkt_models.sources.casting import Notation, cast, line_amount

PLAIN = Notation()
GERMAN = Notation(decimal=",", thousands=".", currency="EUR")
SWISS = Notation(decimal=".", thousands="'", currency="CHF")
FRENCH = Notation(decimal=",", thousands=" ", currency="EUR")
BERLIN = Notation(zone="Europe/Berlin", shop_zone="Europe/Berlin")
DAY_FIRST = Notation(
    formats=("%d.%m.%Y %H:%M:%S", "%d.%m.%Y"), zone="Europe/Berlin", shop_zone="Europe/Berlin"
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def read(
    con: Any, text: str, column: str, kind: str, how: Notation, unit: str | None = None
) -> Any:
    sql = cast("t", column, kind, how, unit)
    return con.execute(f"SELECT {sql} FROM (SELECT CAST(? AS VARCHAR) AS t)", [text]).fetchall()[0][
        0
    ]


def money(con: Any, text: str, how: Notation, unit: str = "currency") -> Any:
    return read(con, text, "amount_cents", "BIGINT", how, unit)


def written(cents: int, decimal: str, thousands: str) -> str:
    sign = "-" if cents < 0 else ""
    whole = f"{abs(cents) // 100:,}".replace(",", thousands)
    return f"{sign}{whole}{decimal}{abs(cents) % 100:02d}"


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        ("PLN", "1 365,09 zł"),
        ("CZK", "1 365,09 Kč"),
        ("BRL", "R$ 1 365,09"),
        ("DKK", "1 365,09 kr."),
        ("JPY", "1 365,09円"),
        ("VND", "1 365,09 ₫"),
        ("ZAR", "R 1 365,09"),
    ],
)
def test_the_signs_of_other_currencies_are_known(con: Any, currency: str, text: str) -> None:
    how = Notation(decimal=",", thousands=" ", currency=currency)
    assert money(con, text, how) == 136509


@settings(deadline=None)
@given(cents=st.integers(-(10**14), 10**14))
@pytest.mark.parametrize(
    ("how", "mark"),
    [(GERMAN, " €"), (GERMAN, ""), (SWISS, " CHF"), (FRENCH, "\u202f€"), (PLAIN, "")],
    ids=["german", "german without sign", "swiss", "french", "plain"],
)
def test_no_cent_is_lost(con: Any, how: Notation, mark: str, cents: int) -> None:
    text = written(cents, how.decimal, how.thousands or "") + mark
    assert money(con, text, how) == cents


@settings(deadline=None)
@given(amount=st.decimals(-(10**9), 10**9, places=6))
def test_half_a_cent_is_rounded_away_from_zero(con: Any, amount: Decimal) -> None:
    expected = (amount * 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert money(con, f"{amount:f}", PLAIN) == int(expected)


@settings(deadline=None)
@given(price=st.decimals(0, 10**6, places=4), pieces=st.integers(-1000, 1000))
def test_price_times_pieces_is_exact(con: Any, price: Decimal, pieces: int) -> None:
    sql = line_amount("t", "CAST(n AS DOUBLE)", PLAIN, "currency")
    found = con.execute(
        f"SELECT {sql} FROM (SELECT CAST(? AS VARCHAR) AS t, ? AS n)", [f"{price:f}", pieces]
    ).fetchall()[0][0]
    assert found == int((price * pieces * 100).quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("text", "cents"),
    [("€ 1.234,56", 123456), ("1.234,56 EUR", 123456), ("5,00-", -500), ("(1.234,00 €)", -123400),
     ("- 5,00 €", -500), ("\u22125", -500), ("5,-", 500), ("5,–", 500), ("+7", 700), (",5", 50),
     ("1.234", 123400), ("1e3", 100000)],
)  # fmt: skip
def test_amounts_as_people_write_them(con: Any, text: str, cents: int) -> None:
    assert money(con, text, GERMAN) == cents


@pytest.mark.parametrize(
    "text",
    ["1.23", "12,345.6", "1.23.456", "$5", "5 USD", "nan", "inf", "1_000", "abc", "--5", "5 6",
     "0x10", "1,2,3", "99999999999999999999999"],
)  # fmt: skip
def test_what_is_no_amount_is_not_guessed(con: Any, text: str) -> None:
    assert money(con, text, GERMAN) is None


def test_a_comma_is_no_point_when_none_was_announced(con: Any) -> None:
    assert money(con, "1,5", PLAIN) is None
    assert money(con, "1.5", Notation(decimal=",")) is None


def test_units(con: Any) -> None:
    assert money(con, "1234", PLAIN, "cents") == 1234
    assert money(con, "12345", PLAIN, "thousandths") == 1235
    assert read(con, "89638", "quantity", "DOUBLE", PLAIN, "thousandths") == 89.638
    assert read(con, "1,5", "dwell_seconds", "DOUBLE", GERMAN, "minutes") == 90
    assert read(con, "1500", "dwell_seconds", "DOUBLE", PLAIN, "milliseconds") == 1.5
    assert read(con, "20", "discount_share", "DOUBLE", PLAIN, "percent") == 0.2


def test_whole_numbers_are_not_rounded(con: Any) -> None:
    assert read(con, "1980.0", "birth_year", "INTEGER", PLAIN) == 1980
    assert read(con, "1980.5", "birth_year", "INTEGER", PLAIN) is None
    assert read(con, "31.12.1980", "birth_year", "INTEGER", DAY_FIRST) == 1980
    assert read(con, "1980", "birth_year", "INTEGER", DAY_FIRST) == 1980
    assert read(con, "0080", "birth_year", "INTEGER", DAY_FIRST) is None
    assert read(con, "80", "birth_year", "INTEGER", DAY_FIRST) is None


def test_booleans_and_texts(con: Any) -> None:
    assert read(con, "yes", "private_label", "BOOLEAN", PLAIN) is True
    assert read(con, "perhaps", "private_label", "BOOLEAN", PLAIN) is None
    assert read(con, "007", "product_id", "VARCHAR", PLAIN) == "007"


# Every moment, written on a shop's clock, is read as that moment; in the repeated hour the later.
@settings(deadline=None, max_examples=200)
@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)).map(
        lambda one: one.replace(microsecond=0)
    ),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]),
)
def test_local_times_come_back_as_utc(con: Any, moment: datetime, zone: str) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    assume(not repeated or local.fold == 1)
    how = Notation(formats=("%d.%m.%Y %H:%M:%S",), zone=zone, shop_zone=zone)
    assert read(con, f"{local:%d.%m.%Y %H:%M:%S}", "occurred_at", "TIMESTAMP", how) == moment
    iso = Notation(zone=zone, shop_zone=zone)
    assert read(con, f"{local:%Y-%m-%d %H:%M:%S}", "occurred_at", "TIMESTAMP", iso) == moment
    assert read(con, local.isoformat(), "occurred_at", "TIMESTAMP", iso) == moment
    assert read(con, local.isoformat(), "registered_on", "DATE", iso) == local.date()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2018-03-25 01:59", datetime(2018, 3, 25, 0, 59)),
        ("2018-03-25 02:30", datetime(2018, 3, 25, 1, 30)),  # skipped: by the clock before
        ("2018-03-25 03:00", datetime(2018, 3, 25, 1, 0)),
        ("2018-10-28 02:30", datetime(2018, 10, 28, 1, 30)),  # repeated: the later
        ("2018-10-28 03:00", datetime(2018, 10, 28, 2, 0)),
        ("2018-01-01", datetime(2017, 12, 31, 23, 0)),
        ("2018-01-01T10:00:00Z", datetime(2018, 1, 1, 10, 0)),
        ("2018-01-01 10:00:00 UTC", datetime(2018, 1, 1, 10, 0)),
        ("2018-01-01T10:00:00.250+0530", datetime(2018, 1, 1, 4, 30, 0, 250_000)),
    ],
)
def test_iso_times(con: Any, text: str, utc: datetime) -> None:
    assert read(con, text, "occurred_at", "TIMESTAMP", BERLIN) == utc


@pytest.mark.parametrize("after", [" PM", " EST", " America/New_York", " xyz", "x", ":61", " 7"])
@pytest.mark.parametrize("time", ["2018-01-01 10:00", "2018-01-01", "2018-01-01T10:00:00"])
def test_a_time_with_more_behind_it_is_not_guessed(con: Any, time: str, after: str) -> None:
    assert read(con, time, "occurred_at", "TIMESTAMP", PLAIN) is not None
    assert read(con, time + after, "occurred_at", "TIMESTAMP", PLAIN) is None


@pytest.mark.parametrize("text", ["31.02.2018", "01.02.18", "2018-02-01", "1/2/2018", "gestern"])
def test_what_is_no_day_of_the_format_is_not_guessed(con: Any, text: str) -> None:
    assert read(con, text, "registered_on", "DATE", DAY_FIRST) is None
    assert read(con, text, "occurred_at", "TIMESTAMP", DAY_FIRST) is None


def test_days_come_first_where_the_format_says_so(con: Any) -> None:
    assert read(con, "03.04.2018", "registered_on", "DATE", DAY_FIRST) == date(2018, 4, 3)
    midnight = datetime(2018, 4, 3) - timedelta(hours=2)
    assert read(con, "03.04.2018", "occurred_at", "TIMESTAMP", DAY_FIRST) == midnight


def test_times_with_a_zone_in_the_format_and_since_1970(con: Any) -> None:
    zoned = Notation(formats=("%d/%m/%Y %H:%M %z",), zone="Europe/Berlin")
    found = read(con, "01/02/2018 10:00 +0200", "occurred_at", "TIMESTAMP", zoned)
    assert found == datetime(2018, 2, 1, 8, 0)
    seconds, thousandths = (Notation(formats=(f"epoch_{u}",)) for u in ("seconds", "milliseconds"))
    moment = datetime(2018, 1, 1, 0, 0, 0, 500_000)
    assert read(con, "1514764800.5", "occurred_at", "TIMESTAMP", seconds) == moment
    assert read(con, "1514764800500", "occurred_at", "TIMESTAMP", thousandths) == moment


def test_the_day_of_a_zoned_time_is_the_shop_s(con: Any) -> None:
    assert read(con, "2018-01-01T23:30:00Z", "registered_on", "DATE", BERLIN) == date(2018, 1, 2)
