from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cleaning.rows import cleaned, line, read, touched
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.cleaning import added_columns
from mkt_models.cleaning.clock import whole_seconds
from mkt_models.columns import Table
from mkt_models.engine import Connection, literal, local_time
from mkt_models.source_params import CompleteJourney


@pytest.mark.parametrize(
    ("utc", "day", "hour"),
    [
        ("2017-01-01 04:59:59", "2016-12-31", 23),  # five hours behind in winter
        ("2017-01-01 05:00:00", "2017-01-01", 0),
        ("2017-07-01 03:59:59", "2017-06-30", 23),  # four in summer
        ("2017-07-01 04:00:00", "2017-07-01", 0),
        ("2017-03-12 04:59:59", "2017-03-11", 23),  # the day of 23 hours begins
        ("2017-03-12 06:59:59", "2017-03-12", 1),
        ("2017-03-12 07:00:00", "2017-03-12", 3),  # there is no hour 2
        ("2017-03-13 03:59:59", "2017-03-12", 23),  # and it ends
        ("2017-11-05 03:59:59", "2017-11-04", 23),
        ("2017-11-05 04:00:00", "2017-11-05", 0),  # the day of 25 hours begins
        ("2017-11-05 05:30:00", "2017-11-05", 1),
        ("2017-11-05 06:30:00", "2017-11-05", 1),  # hour 1 comes twice
        ("2017-11-05 07:00:00", "2017-11-05", 2),
        ("2017-11-06 04:59:59", "2017-11-05", 23),  # and it ends
    ],
)
def test_the_day_in_new_york(con: Connection, tmp_path: Path, utc: str, day: str, hour: int):
    stamp = datetime.fromisoformat(utc)
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: [line(occurred_at=stamp)]})
    (row,) = read(con, tmp_path / "clean", "transactions")
    assert row["occurred_at"] == stamp  # the time stamp itself stays
    assert (row["local_date"], row["local_hour"]) == (date.fromisoformat(day), hour)
    moved = stamp.date() != date.fromisoformat(day)
    assert touched(report) == ({"utc_to_shop_day": 1} if moved else {})


@settings(max_examples=25, deadline=None)
@given(
    zone=st.sampled_from(
        ["America/New_York", "Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "Pacific/Apia"]
    ),
    stamps=st.lists(
        st.datetimes(datetime(2011, 12, 25), datetime(2020, 1, 1)), min_size=1, max_size=40
    ),
)
def test_the_day_anywhere_is_that_of_the_time_zone_database(con: Connection, zone: str, stamps):
    source = CompleteJourney(kind="complete_journey", time_zone=zone)
    exprs = added_columns(source)[Table.TRANSACTIONS]
    columns = ", ".join([local_time("occurred_at", zone), *(s for _, s in exprs.values())])
    values = ", ".join(f"({i}, TIMESTAMP {literal(s)})" for i, s in enumerate(stamps))
    found = con.execute(
        f"SELECT {columns} FROM (VALUES {values}) AS v(i, occurred_at) ORDER BY i"
    ).fetchall()
    clocks = [
        s.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for s in stamps
    ]
    assert found == [(c, c.date(), c.hour) for c in clocks]


@given(stamp=st.datetimes(datetime(1900, 1, 1), datetime(2999, 12, 31)))
@settings(max_examples=50, deadline=None)
def test_whole_seconds_are_those_since_1970(con: Connection, stamp: datetime):
    query = f"SELECT {whole_seconds('t')} FROM (SELECT TIMESTAMP {literal(stamp)} AS t)"
    whole = stamp.replace(microsecond=0) - datetime(1970, 1, 1)
    assert con.execute(query).fetchall() == [(whole.days * 86400 + whole.seconds,)]
