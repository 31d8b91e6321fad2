from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mkt_models.columns import Channel
from mkt_models.decisions.caps import Caps, least, out_of_reach, total, within_gap
from mkt_models.decisions.contact import ContactPolicy, too_much
from mkt_models.store.records import Exposure


def policy(**changes):
    whole = {
        "caps": {"per_day": 1, "per_week": 2, "per_month": 6},
        "min_gap_hours": 48,
        "channels": {"app": {"kind": "pull", "caps": {"per_day": 12}}, "email": {"kind": "push"}},
    }
    return ContactPolicy.model_validate({**whole, **changes})


def refused(**changes):
    with pytest.raises(ValidationError) as caught:
        policy(**changes)
    return str(caught.value)


def email(**caps):
    return {"channels": {"email": {"kind": "push", "caps": caps}}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            email(per_week=9),
            "channels.email.caps.per_week == 9 can never be reached: contact.caps.per_week == 2 "
            "leaves room for 2 within 7 days; lower per_week or leave it out, or change the wider",
        ),
        (email(per_day=2), "contact.caps.per_day == 1 leaves room for 1 within 24 hours"),
        (email(per_month=7), "contact.caps.per_month == 6 leaves room for 6 within 30 days"),
        (
            {"min_gap_hours": 700},
            "caps.per_week == 2 can never be reached: contact.min_gap_hours == 700 leaves room "
            "for 1 within 7 days",
        ),
        (
            {"caps": {"per_day": 1}, **email(per_week=5)},
            "contact.min_gap_hours == 48 leaves room for 4 within 7 days",
        ),
        (
            {"caps": {"per_day": 1}, "min_gap_hours": 0, **email(per_week=8)},
            "contact.caps.per_day == 1 leaves room for 7 within 7 days",
        ),
    ],
)
def test_a_cap_that_a_wider_limit_never_lets_be_reached_is_refused(changes, message):
    assert message in refused(**changes)


def test_caps_that_can_be_reached_are_taken():
    policy(**email(per_week=2))
    policy(**email(per_day=1, per_month=6))
    policy(caps={}, min_gap_hours=0, **email(per_week=9))
    policy(caps={"per_day": 1, "per_week": 2}, min_gap_hours=160)  # at hours 0 and 160
    policy(caps={"per_day": 0}, **email(per_week=9))  # nobody is contacted for a while
    # the app is not under the caps of push contacts
    policy(channels={"app": {"kind": "pull", "caps": {"per_day": 12, "per_week": 80}}})


def test_the_room_over_several_channels():
    some = policy(
        channels={
            "app": {"kind": "pull", "caps": {"per_week": 5}},
            "email": {"kind": "push", "caps": {"per_week": 1}},
            "mail": {"kind": "push"},
            "sms": {"kind": "push", "caps": {"per_week": 0}},
        }
    )
    assert some.room([Channel.EMAIL])(7) == (1, "contact.channels.email.caps.per_week == 1")
    assert some.room([Channel.EMAIL, Channel.SMS])(7)[0] == 1
    assert some.room([Channel.EMAIL, Channel.MAIL])(7) == (2, "contact.caps.per_week == 2")
    assert some.room([Channel.APP, Channel.MAIL])(7) == (
        7,
        "contact.channels.app.caps.per_week == 5 and contact.caps.per_week == 2",
    )
    assert some.room([Channel.APP])(1)[0] == 5
    assert policy(channels={"app": {"kind": "pull"}}).room([Channel.APP])(7) is None


@given(
    per_day=st.none() | st.integers(1, 3),
    per_week=st.none() | st.integers(1, 9),
    gap=st.integers(0, 60),
    days=st.sampled_from([1, 7]),
)
def test_no_sequence_holds_more_than_there_is_room_for_and_a_gap_alone_as_many(
    per_day, per_week, gap, days
):
    if per_day and per_week and per_week < per_day:
        per_day = None
    caps = Caps(per_day=per_day, per_week=per_week)
    try:
        some = policy(
            caps=caps, min_gap_hours=gap, hold_hours=0.01, channels={"sms": {"kind": "push"}}
        )
    except ValidationError:
        return  # the gap leaves no room for a cap
    start, sent = datetime(2018, 1, 6, tzinfo=UTC), []
    for hour in range(days * 24):
        now = start + timedelta(hours=hour)
        if not too_much(some, Channel.SMS, "s", Caps(), sent, now, ZoneInfo("UTC")):
            sent.append(Exposure("1", "sms", now, "s"))
    found = least(within_gap(gap), caps.room("caps"))(days)
    assert found is None or len(sent) <= found[0]
    # 0.01 hours of leave before a contact count for the gap: whole hours, so none is lost
    if found and not (per_day or per_week):
        assert len(sent) == found[0]


def test_no_limit_among_several_kinds_is_no_limit_together():
    assert total([Caps(per_day=1).room("a"), Caps().room("b")])(1) is None
    out_of_reach("caps", Caps(per_day=99), total([Caps().room("b")]))
