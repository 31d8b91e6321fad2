from datetime import time

import pytest

from mkt_models.decisions.quiet_hours import QuietHours


def test_quiet_hours_within_a_day():
    noon = QuietHours.model_validate({"start": "12:00", "end": "14:00"})
    assert [noon.covers(time(hour)) for hour in (11, 12, 13, 14, 23)] == [
        False,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        ({"start": 1260, "end": "09:00"}, "in quotes"),  # what YAML makes of a bare 21:00
        ({"start": "09:00", "end": "09:00"}, "leave quiet_hours out"),
        ({"start": "21:00+02:00", "end": "09:00"}, "give no zone"),
    ],
)
def test_quiet_hours_that_are_none_are_refused(hours, message):
    with pytest.raises(ValueError, match=message):
        QuietHours.model_validate(hours)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("09:00", "08:30", "leave 30 minutes of the day"),
        # 21:00 to 09:00 the wrong way round: all day quiet, and loud at night.
        ("09:00", "21:00", r"take 12 hours by day and leave those from 21:00 to 09:00"),
        ("08:00", "12:01", "take 4.01667 hours by day"),
        ("20:00", "12:30", "take 16.5 hours by day"),
        ("17:00", "09:01", "take 16.0167 hours and leave those from 09:01 to 17:00"),
    ],
)
def test_hours_that_look_swapped_or_too_long_are_refused(start, end, message):
    with pytest.raises(ValueError, match=message):
        QuietHours.model_validate({"start": start, "end": end})


@pytest.mark.parametrize(
    ("start", "end"),
    [("17:00", "09:00"), ("10:00", "14:00"), ("08:00", "12:00"), ("00:00", "06:00")],
)
def test_hours_at_the_edge_are_taken(start, end):
    QuietHours.model_validate({"start": start, "end": end})


def test_hours_that_are_meant_are_taken_as_they_are_written():
    day = {"start": "09:00", "end": "21:00", "as_written": True}
    assert QuietHours.model_validate(day).covers(time(12))
    with pytest.raises(ValueError, match="as_written"):
        QuietHours.model_validate({**day, "as_written": "yes"})
    with pytest.raises(ValueError, match="set caps of 0"):  # nobody would be reached at all
        QuietHours.model_validate({**day, "end": "08:30"})
