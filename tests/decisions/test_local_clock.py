from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from mkt_models.decisions.local_clock import moments_of, set_back

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        (date(2018, 1, 10), time(9), ["2018-01-10T14:00"]),
        # The clock goes from 02:00 to 03:00: 02:30 is over at the change.
        (date(2018, 3, 11), time(2, 30), ["2018-03-11T07:00"]),
        # It goes back from 02:00 to 01:00: 01:30 comes twice.
        (date(2018, 11, 4), time(1, 30), ["2018-11-04T05:30", "2018-11-04T06:30"]),
    ],
)
def test_a_time_of_day_comes_once_twice_or_is_skipped(day, clock, utc):
    found = moments_of(day, clock, NEW_YORK)
    assert all(one.tzinfo is UTC for one in found)
    assert [one.isoformat()[:16] for one in found] == utc


def test_midnight_where_it_is_skipped_is_the_moment_of_the_change():
    # In Beirut the clock went from 24:00 on 24 March 2018 to 01:00.
    found = moments_of(date(2018, 3, 25), time(0), ZoneInfo("Asia/Beirut"))
    assert found == [datetime(2018, 3, 24, 22, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("first", "last", "back"),
    [
        ("2018-11-03T12:00", "2018-11-04T12:00", "2018-11-04T06:00"),
        ("2018-11-04T05:59", "2018-11-04T06:00", "2018-11-04T06:00"),
        ("2018-11-04T06:00", "2018-11-05T06:00", None),  # it has been
        ("2018-11-03T12:00", "2018-11-04T05:59", None),
        ("2018-03-10T12:00", "2018-03-11T12:00", None),  # forward
    ],
)
def test_when_a_clock_is_set_back(first, last, back):
    ends = (datetime.fromisoformat(f"{one}+00:00") for one in (first, last))
    found = set_back(*ends, NEW_YORK)
    assert (found and found.isoformat()[:16]) == back
