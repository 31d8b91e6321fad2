"""What comes back about a customer, on SQLite and on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from toy_contacts import HOUR, NO, NOW, YES, email, record

from mkt_models.store.live import LiveStore
from mkt_models.store.records import (
    Consent,
    ContactStatus,
    Exposure,
    Outcome,
    Refused,
)


def test_what_is_said_is_read_again(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        assert turn.say(YES) == (True, 0)
        assert turn.say(NO, "k1") == (True, 0)
        assert turn.say(NO, "k1") == (False, 0)
        with pytest.raises(Refused, match="other content") as caught:
            turn.say(YES, "k1")
        assert caught.value.code == "key_taken"
        assert turn.consents() == (YES, NO)
    assert live.consents() == {"a": (YES, NO)}


def test_a_contact_is_sent_within_its_time(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email()))

    def report(status: ContactStatus, at: datetime) -> tuple[bool, bool]:
        with live.turn("a", at) as turn:
            return turn.report("d1", "content", "email", None, status, at)

    assert report(ContactStatus.SENDING, NOW + HOUR) == (True, True)
    assert report(ContactStatus.SENDING, NOW + HOUR) == (False, True)
    assert report(ContactStatus.SENT, NOW + 2 * HOUR) == (True, True)
    assert report(ContactStatus.SENT, NOW + 9 * HOUR) == (False, True)  # the first word stands
    with pytest.raises(Refused, match="on record as sent"):
        report(ContactStatus.NOT_SENT, NOW + 3 * HOUR)
    with live.turn("a", NOW) as turn:
        (contact,) = turn.contacts(NOW)
    assert (contact.sent_at, contact.until) == (NOW + 2 * HOUR, None)


@pytest.mark.parametrize(
    ("status", "at", "code"),
    [
        (ContactStatus.SENDING, NOW + 4 * HOUR, "contact_lapsed"),
        (ContactStatus.SENDING, NOW - HOUR, "contact_lapsed"),
        (ContactStatus.SENT, NOW + 4 * HOUR, None),
        (ContactStatus.NOT_SENT, NOW + 4 * HOUR, None),
    ],
)
def test_leave_to_send_ends_but_a_fact_is_always_taken(
    live: LiveStore, status: ContactStatus, at: datetime, code: str | None
) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email()))
        if code is None:
            new, within = turn.report("d1", "content", "email", None, status, at)
            assert (new, within) == (True, status is ContactStatus.NOT_SENT)
            left = turn.contacts(NOW)
            assert len(left) == (0 if status is ContactStatus.NOT_SENT else 1)
        else:
            with pytest.raises(Refused) as caught:
                turn.report("d1", "content", "email", None, status, at)
            assert caught.value.code == code


def test_a_no_withdraws_what_was_planned(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email(), email("other", offer_id="o1")))
        assert turn.say(YES) == (True, 0)
        assert turn.say(Consent("a", "service", "email", "refused", NO.changed_on)) == (True, 0)
        assert turn.say(NO) == (True, 2)
        with pytest.raises(Refused, match="must not be sent: it is withdrawn"):
            turn.report("d1", "content", "email", None, ContactStatus.SENDING, NOW)
        sent = turn.report("d1", "other", "email", "o1", ContactStatus.SENT, NOW)
        assert sent == (True, False)
    found = live.explain("d1")
    assert found is not None
    assert [one["within_policy"] for one in found["exposures"]] == [None, False]


@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_who_refuses_personalisation_keeps_what_everybody_gets(
    live: LiveStore, purpose: str
) -> None:
    everybody = replace(email("tips"), purpose=purpose)
    elsewhere = replace(email(), exposure=replace(email().exposure, channel="sms"))
    personal = replace(email(), purpose=purpose)
    yes = Consent("a", "personalisation", "email", "granted", NO.changed_on)
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", personal, everybody, elsewhere))
        for some in (yes, replace(yes, expires_on=NO.changed_on)):
            assert turn.say(some, for_everybody=["tips"]) == (True, 0)
        no = replace(yes, status="refused")
        assert turn.say(no, "k1", for_everybody=["tips"]) == (True, 1)
        assert turn.say(no, "k1", for_everybody=["tips"]) == (False, 0)
        sent = turn.report("d1", "content", "email", None, ContactStatus.SENT, NOW)
        assert sent == (True, False)
        assert turn.report("d1", "tips", "email", None, ContactStatus.SENDING, NOW) == (True, True)
        assert turn.say(no) == (True, 1)  # nothing is known to be for everybody
    found = live.explain("d1")
    assert found is not None
    assert [one["status"] for one in found["exposures"]] == ["sent", "recalled", "planned"]


@pytest.mark.parametrize("begun", [False, True])
def test_leave_is_over_after_a_no_or_a_complaint_even_once_sending_has_begun(
    live: LiveStore, begun: bool
) -> None:
    contact = ("d1", "content", "email", None)
    for number, change in enumerate(("no", "complaint", "short yes")):
        with live.turn("a", NOW) as turn:
            turn.keep(record("d1", number, email()))
            if begun:
                turn.report(*contact, ContactStatus.SENDING, NOW)
            if change == "no":
                turn.say(NO)
            elif change == "complaint":
                turn.outcome(Outcome("o-1", "complaint", NOW))
            else:
                day = date(2018, 1, 5)
                turn.say(Consent("a", "marketing", "email", "granted", day, day))
            for _ in range(2):
                with pytest.raises(Refused, match="it is withdrawn"):
                    turn.report(*contact, ContactStatus.SENDING, NOW)


def test_a_report_that_is_sent_again_without_a_time_counts_once(live: LiveStore) -> None:
    for hours in (0, 1):
        at = NOW + hours * HOUR
        with live.turn("a", at) as turn:
            said = Consent("a", "marketing", "sms", "granted", at.date(), changed_at=at)
            assert turn.say(said, "k1", timed=False)[0] is (hours == 0)
            sent = Exposure("a", "sms", at)
            assert turn.contacted(sent, "c1", timed=False) is (hours == 0)


def test_a_report_of_what_was_never_decided_is_refused(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email()))
        for parts in (
            ("d2", "content", "email", None),
            ("d1", "other", "email", None),
            ("d1", "content", "app", None),
            ("d1", "content", "email", "o1"),
        ):
            with pytest.raises(Refused) as caught:
                turn.report(*parts, ContactStatus.SENT, NOW)
            assert caught.value.code == "unknown_contact"
    with live.turn("b", NOW) as turn, pytest.raises(Refused):
        turn.report("d1", "content", "email", None, ContactStatus.SENT, NOW)


def test_contacts_of_others_and_outcomes_count_once(live: LiveStore) -> None:
    shanghai = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    contact = Exposure("a", "sms", shanghai, campaign_id="7")
    purchase = Outcome("o-1", "purchase", NOW, "d1", "content", 1999)
    with live.turn("a", NOW) as turn:
        assert turn.contacted(contact, "c-1")
        assert not turn.contacted(contact, "c-1")
        with pytest.raises(Refused):
            turn.contacted(Exposure("a", "mail", NOW), "c-1")
        assert turn.contacts(NOW) == (contact,)
        assert turn.contacts(NOW)[0].sent_at.tzinfo is UTC
        assert turn.contacts(NOW + HOUR) == ()
        assert turn.outcome(purchase)
        assert not turn.outcome(purchase)
        with pytest.raises(Refused):
            turn.outcome(Outcome("o-1", "purchase", NOW, "d1", "content", 2000))
        assert turn.outcome(Outcome("o-2", "complaint", NOW))
        assert turn.complaints(NOW) == (NOW,)
        assert turn.complaints(NOW + HOUR) == ()
    with live.turn("b", NOW) as turn:
        assert turn.contacts(NOW) == turn.complaints(NOW) == ()
    assert live.complaints(NOW) == {"a": (NOW,)}
    (first, second) = live.outcomes(NOW, NOW + HOUR)
    assert (first["amount"], second["amount"]) == (19.99, None)
