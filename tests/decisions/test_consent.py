from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from mkt_models.columns import Channel
from mkt_models.decisions.consent import consent_ends, without_consent
from mkt_models.store.records import Consent

NEW_YORK = ZoneInfo("America/New_York")


def said(status: str, day: date, expires: date | None = None, channel: str = "app") -> Consent:
    return Consent("1", "marketing", channel, status, day, expires)


JAN_1, JAN_2, JAN_3 = (date(2018, 1, day) for day in (1, 2, 3))


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], "consent_unknown"),
        ([said("granted", JAN_1, channel="sms")], "consent_unknown"),
        ([said("granted", JAN_1)], None),
        ([said("granted", JAN_2)], None),
        ([said("granted", JAN_3)], "consent_unknown"),  # begins tomorrow
        ([said("granted", JAN_1, expires=JAN_3)], None),
        ([said("granted", JAN_1, expires=JAN_2)], "consent_expired"),
        ([said("granted", JAN_1), said("revoked", JAN_2)], "consent_refused"),
        ([said("revoked", JAN_1), said("granted", JAN_2)], None),
        ([said("refused", JAN_2), said("granted", JAN_2)], "consent_refused"),
        ([said("granted", JAN_2), said("refused", JAN_2)], "consent_refused"),
        ([said("granted", JAN_1), said("revoked", JAN_3)], "consent_refused"),  # binds at once
    ],
)
def test_consent_on_the_second_of_january(records, code):
    fault = without_consent(records, "marketing", Channel.APP, JAN_2)
    assert (fault and fault.code) == code


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], None),
        ([said("granted", JAN_1, expires=JAN_2)], None),
        ([said("refused", JAN_1)], "consent_refused"),
    ],
)
def test_a_no_binds_even_where_no_yes_is_needed(records, code):
    fault = without_consent(records, "marketing", Channel.APP, JAN_2, required=False)
    assert (fault and fault.code) == code


def test_a_yes_that_begins_later_does_not_prolong_the_one_of_today():
    today, ends = date(2018, 1, 10), date(2018, 1, 12)
    records = [said("granted", JAN_1, expires=ends), said("granted", date(2018, 1, 20))]
    found = consent_ends(records, "marketing", Channel.APP, NEW_YORK, today)
    assert found == datetime(2018, 1, 12, tzinfo=NEW_YORK)
    for far in (date.min, date.max):
        one = [said("granted", date.min, expires=far)]
        assert consent_ends(one, "marketing", Channel.APP, NEW_YORK, today) is not None


def test_a_yes_that_begins_later_and_ends_takes_the_place_of_one_without_end():
    today, unlimited = date(2018, 1, 10), said("granted", JAN_1)
    for begins, expires, day in ((11, 13, 13), (11, 11, 11), (12, 11, 12)):
        other = said("granted", date(2018, 1, begins), expires=date(2018, 1, expires))
        found = consent_ends([unlimited, other], "marketing", Channel.APP, NEW_YORK, today)
        assert found == datetime(2018, 1, day, tzinfo=NEW_YORK)
        before, then = date(2018, 1, day - 1), date(2018, 1, day)
        assert without_consent([unlimited, other], "marketing", Channel.APP, before) is None
        assert without_consent([unlimited, other], "marketing", Channel.APP, then) is not None


def test_a_leap_day_is_a_day_and_a_consent_may_end_on_it():
    leap = date(2020, 2, 29)
    for day, code in ((date(2020, 2, 28), None), (leap, "consent_expired")):
        fault = without_consent(
            [said("granted", JAN_1, expires=leap)], "marketing", Channel.APP, day
        )
        assert (fault and fault.code.value) == code
