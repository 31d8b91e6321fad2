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
