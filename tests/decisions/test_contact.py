from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mkt_models.columns import Channel
from mkt_models.decisions.caps import Caps
from mkt_models.decisions.contact import (
    ContactPolicy,
    held_out,
    too_much,
    valid_until,
)
from mkt_models.store.records import Exposure

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2018, 1, 10, 12, tzinfo=NEW_YORK)
POLICY = ContactPolicy.model_validate(
    {
        "caps": {"per_day": 1, "per_week": 2},
        "min_gap_hours": 36,
        "quiet_hours": {"start": "21:00", "end": "09:00"},
        "channels": {
            "app": {"kind": "pull", "caps": {"per_day": 2}},
            "sms": {"kind": "push"},
            "mail": {"kind": "push", "wakes": False, "caps": {"per_month": 1}},
        },
    }
)


def codes(channel: Channel, *history: Exposure, now: datetime = NOON, caps: Caps | None = None):
    faults = too_much(POLICY, channel, "s", caps or Caps(), history, now, NEW_YORK)
    return [fault.code.value for fault in faults]


def sent(channel: str, hours_ago: float, strategy: str = "other") -> Exposure:
    return Exposure("1", channel, NOON - timedelta(hours=hours_ago), strategy)


@pytest.mark.parametrize(
    ("channel", "history", "expected"),
    [
        (Channel.SMS, [], []),
        (Channel.SMS, [sent("mail", 36)], []),  # exactly the gap
        (Channel.SMS, [sent("mail", 35.9)], ["min_gap"]),
        # Planned in 30 hours: this one may be sent until 21:00, and then lies 21 hours before it.
        (Channel.SMS, [sent("mail", -30)], ["min_gap", "cap_customer"]),
        (Channel.SMS, [sent("mail", 23)], ["min_gap", "cap_customer"]),
        (Channel.SMS, [sent("sms", 40), sent("mail", 100)], ["cap_customer"]),
        (Channel.SMS, [sent("sms", 40), sent("mail", 168)], []),  # exactly a week
        (Channel.SMS, [sent("app", 1), sent("app", 2), sent("app", 3)], []),  # pull is apart
        (Channel.SMS, [sent("pigeon", 1)], ["min_gap", "cap_customer"]),  # unknown: push
        (Channel.MAIL, [sent("mail", 24 * 29)], ["cap_channel"]),
        (Channel.MAIL, [sent("mail", 24 * 30)], []),
        (Channel.APP, [sent("sms", 1), sent("app", 1)], []),
        (Channel.APP, [sent("app", 1), sent("app", 1)], ["cap_channel"]),
    ],
)
def test_limits_worked_by_hand(channel, history, expected):
    assert codes(channel, *history) == expected


def test_a_strategy_has_its_own_cap():
    history = [sent("app", 100, "s")]
    assert codes(Channel.APP, *history, caps=Caps(per_week=1)) == ["cap_strategy"]
    assert codes(Channel.APP, *history, caps=Caps(per_day=1)) == []


@pytest.mark.parametrize(
    ("utc", "quiet"),
    [
        # Summer time begins on 11 March 2018: 9:00 moves from 14:00 to 13:00 UTC.
        (datetime(2018, 3, 10, 13, 59, tzinfo=UTC), True),
        (datetime(2018, 3, 10, 14, 0, tzinfo=UTC), False),
        (datetime(2018, 3, 11, 12, 59, tzinfo=UTC), True),
        (datetime(2018, 3, 11, 13, 0, tzinfo=UTC), False),
        # It ends on 4 November: 1:30 comes twice, both times at night.
        (datetime(2018, 11, 4, 5, 30, tzinfo=UTC), True),
        (datetime(2018, 11, 4, 6, 30, tzinfo=UTC), True),
        (datetime(2018, 11, 4, 14, 0, tzinfo=UTC), False),
        # 20:59 and 21:00 in winter.
        (datetime(2018, 11, 6, 1, 59, tzinfo=UTC), False),
        (datetime(2018, 11, 6, 2, 0, tzinfo=UTC), True),
    ],
)
def test_quiet_hours_follow_the_clock_of_the_shops_zone(utc, quiet):
    assert (codes(Channel.SMS, now=utc) == ["quiet_hours"]) is quiet
    assert codes(Channel.APP, now=utc) == []
    assert codes(Channel.MAIL, now=utc) == []


def test_the_holdout_has_its_share_and_depends_on_the_salt_alone():
    ids = [str(i) for i in range(5_000)]
    spring = {i for i in ids if held_out(i, "spring", 0.1)}
    autumn = {i for i in ids if held_out(i, "autumn", 0.1)}
    assert 430 <= len(spring) <= 570  # 500 +- 3.3 standard deviations
    assert 430 <= len(autumn) <= 570
    assert 20 <= len(spring & autumn) <= 85  # independent: 50 expected
    assert spring <= {i for i in ids if held_out(i, "spring", 0.2)}


def night(start: str, end: str) -> ContactPolicy:
    return ContactPolicy.model_validate(
        {
            "caps": {},
            "min_gap_hours": 0,
            "hold_hours": 240,
            "quiet_hours": {"start": start, "end": end},
            "channels": {"sms": {"kind": "push"}},
        }
    )


@pytest.mark.parametrize(
    ("zone", "start", "now", "ends"),
    [
        # The clock goes from 02:00 to 03:00: 02:30 is over at 03:00, which is 07:00 in UTC.
        ("America/New_York", "02:30", "2018-03-11T06:10", "2018-03-11T07:00"),
        ("America/New_York", "02:30", "2018-03-11T06:50", "2018-03-11T07:00"),
        # It goes back from 02:00 to 01:00: 01:30 comes twice, at 05:30 and at 06:30 in UTC.
        ("America/New_York", "01:30", "2018-11-04T05:10", "2018-11-04T05:30"),
        ("America/New_York", "01:30", "2018-11-04T06:10", "2018-11-04T06:30"),
        # Lord Howe moves by half an hour: from 02:00 to 02:30, at 15:30 in UTC.
        ("Australia/Lord_Howe", "02:15", "2018-10-06T15:00", "2018-10-06T15:30"),
        # In Nepal there are 5:45 hours to UTC; in Beirut midnight itself was skipped.
        ("Asia/Kathmandu", "22:00", "2018-01-10T12:00", "2018-01-10T16:15"),
        ("Asia/Beirut", "00:00", "2018-03-24T20:00", "2018-03-24T22:00"),
    ],
)
def test_leave_ends_where_quiet_hours_begin_whatever_the_clock_does(zone, start, now, ends):
    at = datetime.fromisoformat(f"{now}+00:00")
    found = valid_until(night(start, "05:00"), Channel.SMS, at, ZoneInfo(zone))
    assert found.astimezone(UTC).isoformat()[:16] == ends


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", "2018-03-10"),
        ("America/New_York", "2018-11-03"),
        ("Australia/Lord_Howe", "2018-10-06"),
        ("Australia/Lord_Howe", "2018-03-31"),
        ("America/St_Johns", "2018-03-10"),
        ("Asia/Kolkata", "2020-02-28"),
    ],
)
@pytest.mark.parametrize(
    ("start", "end"),
    # The last: 01:35 is loud, and where the clock is set back an hour 01:05 comes after it.
    [("22:00", "08:00"), ("01:30", "02:30"), ("02:15", "06:00"), ("22:00", "01:30")],
)
def test_no_moment_of_a_leave_lies_in_quiet_hours(zone, day, start, end):
    policy, own = night(start, end), ZoneInfo(zone)
    first = datetime.fromisoformat(f"{day}T12:00+00:00")
    for minutes in range(0, 36 * 60, 10):
        now = first + timedelta(minutes=minutes)
        if too_much(policy, Channel.SMS, "s", Caps(), (), now, own):
            continue
        until = valid_until(policy, Channel.SMS, now, own).astimezone(UTC)
        assert until > now
        moment = now
        while moment < until:
            assert not policy.quiet_hours.covers(moment.astimezone(own).time()), moment
            moment += timedelta(minutes=5)


@pytest.mark.parametrize("hours", [1, 24])
def test_a_leave_is_as_long_as_it_says_where_the_clock_changes(hours):
    # Wall clocks of one zone differ by an hour less, or more, than has gone by.
    policy = ContactPolicy.model_validate(
        {
            "caps": {},
            "min_gap_hours": 0,
            "hold_hours": hours,
            "channels": {"app": {"kind": "pull"}, "sms": {"kind": "push"}},
        }
    )
    for now in (datetime(2018, 3, 11, 1, 30), datetime(2018, 11, 4, 1, 30)):
        asked = now.replace(tzinfo=NEW_YORK)
        for channel in policy.channels:
            until = valid_until(policy, channel, asked, NEW_YORK)
            assert until.astimezone(UTC) - asked.astimezone(UTC) == timedelta(hours=hours)


def test_the_gap_is_elapsed_time_where_the_clock_changes():
    # From Saturday noon to Sunday midnight there are 36 hours by the clock, and 37 gone by in
    # autumn; in spring 35, which is too soon.
    for saturday, expected in (
        (datetime(2018, 11, 3, 12, tzinfo=NEW_YORK), []),
        (datetime(2018, 3, 10, 12, tzinfo=NEW_YORK), ["min_gap"]),
    ):
        before = Exposure("1", "sms", saturday, "other")
        now = saturday + timedelta(hours=36)
        assert codes(Channel.MAIL, before, now=now) == expected


@pytest.mark.parametrize(
    ("channel", "hour", "now", "local"),
    [
        (Channel.SMS, 23, NOON, "23:00"),
        (Channel.SMS, 0, NOON, "00:00"),
        (Channel.SMS, 12, NOON, None),
        (Channel.SMS, 20, NOON, None),
        (Channel.SMS, 9, NOON, None),
        (Channel.MAIL, 23, NOON, None),  # wakes nobody
        (Channel.APP, 23, NOON, None),  # is there anyway
        (Channel.SMS, 12, NOON.replace(hour=22), "22:00"),  # the hour allows nothing
        (Channel.SMS, 23, NOON.replace(hour=22), "22:00"),
    ],
)
def test_an_hour_of_the_customer_in_quiet_hours_counts(channel, hour, now, local):
    faults = too_much(POLICY, channel, "s", Caps(), [], now, NEW_YORK, hour)
    assert [fault.code.value for fault in faults] == ([] if local is None else ["quiet_hours"])
    assert all(f"it is {local} where" in fault.en for fault in faults)


def test_an_hour_that_now_agrees_with_is_judged_by_the_minute():
    quiet = {"start": "21:30", "end": "09:30"}
    policy = ContactPolicy.model_validate({**POLICY.model_dump(mode="json"), "quiet_hours": quiet})
    for clock, hour, expected in (
        (NOON.replace(hour=21, minute=10), 21, 0),
        (NOON.replace(hour=9, minute=40), 9, 0),
        (NOON, 21, 1),
        (NOON, 9, 1),
        (NOON, 10, 0),
    ):
        assert (
            len(too_much(policy, Channel.SMS, "s", Caps(), [], clock, NEW_YORK, hour)) == expected
        )
