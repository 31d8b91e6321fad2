"""What comes back about a customer, on SQLite and on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from toy_contacts import HOUR, NO, NOW, YES, email, record

from mkt_models.store import live_tables as tables
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
            return turn.report("d1", "content", "email", None, status, at, "job")

    assert report(ContactStatus.SENDING, NOW + HOUR) == (True, True)
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
                turn.report("d1", "content", "email", None, status, at, "job")
            assert caught.value.code == code


def test_a_no_withdraws_what_was_planned(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email(), email("other", offer_id="o1")))
        assert turn.say(YES) == (True, 0)
        assert turn.say(Consent("a", "service", "email", "refused", NO.changed_on)) == (True, 0)
        assert turn.say(NO) == (True, 2)
        with pytest.raises(Refused, match="must not be sent: it is withdrawn"):
            turn.report("d1", "content", "email", None, ContactStatus.SENDING, NOW, "job")
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
        tips = ("d1", "tips", "email", None, ContactStatus.SENDING, NOW, "job")
        assert turn.report(*tips) == (True, True)
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
                turn.report(*contact, ContactStatus.SENDING, NOW, change)
            if change == "no":
                turn.say(NO)
            elif change == "complaint":
                turn.outcome(Outcome("o-1", "complaint", NOW))
            else:
                day = date(2018, 1, 5)
                turn.say(Consent("a", "marketing", "email", "granted", day, day))
            for _ in range(2):
                with pytest.raises(Refused, match="it is withdrawn"):
                    turn.report(*contact, ContactStatus.SENDING, NOW, change)


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


CONTACT = ("d1", "content", "email", None)
SENDING, SENT, NOT_SENT = ContactStatus.SENDING, ContactStatus.SENT, ContactStatus.NOT_SENT


@pytest.fixture
def planned(live: LiveStore) -> LiveStore:
    """With one contact that may be sent from NOW for three hours."""
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email()))
    return live


def say(
    live: LiveStore, status: ContactStatus, key: str | None = None, hours: float = 0
) -> tuple[bool, bool]:
    at = NOW + hours * HOUR
    with live.turn("a", at) as turn:
        return turn.report(*CONTACT, status, at, key)


def refused(
    live: LiveStore, status: ContactStatus, key: str | None = None, hours: float = 0
) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        say(live, status, key, hours)
    return caught.value.code, str(caught.value)


def test_one_sender_at_a_time_has_leave_and_may_ask_again(planned: LiveStore) -> None:
    assert say(planned, SENDING, "one") == (True, True)
    for hours in (0, 1, 2):
        assert say(planned, SENDING, "one", hours) == (False, True)
        code, message = refused(planned, SENDING, "two", hours)
        assert code == "already_sending"
        assert "since 2018-01-06T15:00:00+00:00" in message
    assert refused(planned, SENDING, "one", 4)[0] == "contact_lapsed"
    found = planned.explain("d1")
    assert found is not None
    (contact,) = found["exposures"]
    assert (contact["sender_key"], contact["sending_since"]) == ("one", NOW.isoformat())


def test_without_a_key_nobody_has_leave(planned: LiveStore) -> None:
    for _ in range(2):
        assert refused(planned, SENDING)[0] == "key_required"
    assert say(planned, SENDING, "one") == (True, True)
    assert refused(planned, SENDING)[0] == "key_required"


def test_a_sender_without_a_key_does_not_take_the_place_of_one_who_has_leave(
    planned: LiveStore,
) -> None:
    assert say(planned, SENDING, "one") == (True, True)
    assert refused(planned, NOT_SENT)[0] == "already_sending"
    assert refused(planned, SENDING, "two")[0] == "already_sending"
    assert say(planned, SENT) == (True, False)
    assert say(planned, SENT) == (False, False)
    # The one who had leave has sent it too: they are told that there are two.
    code, message = refused(planned, SENT, "one")
    assert (code, "if it went out once more" in message) == ("already_sent", True)


def test_what_was_begun_before_senders_named_themselves_is_given_back_without_a_key(
    planned: LiveStore,
) -> None:
    say(planned, SENDING, "one")
    with planned._engine.begin() as connection:  # as after the migration from 0002
        connection.execute(tables.exposures.update().values(sender_key=None))
    for status in (SENDING, NOT_SENT):
        code, message = refused(planned, status, "one")
        assert (code, "begun without" in message) == ("already_sending", True)
    assert say(planned, NOT_SENT) == (True, True)
    assert say(planned, SENDING, "one") == (True, True)


def test_of_many_senders_at_once_one_has_leave(planned: LiveStore) -> None:
    def ask(number: int) -> bool:
        try:
            return say(planned, SENDING, f"sender-{number}")[0]
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1


def test_what_was_given_back_is_begun_again_within_its_time(planned: LiveStore) -> None:
    for key, hours in (("one", 0), ("two", 1), ("one", 2)):
        assert say(planned, SENDING, key, hours) == (True, True)
        assert say(planned, NOT_SENT, key, hours) == (True, True)
        assert say(planned, NOT_SENT, key, hours) == (False, True)
        with planned.turn("a", NOW) as turn:
            assert turn.contacts(NOW) == ()
    assert refused(planned, SENDING, "one", 3)[0] == "contact_lapsed"


@pytest.mark.parametrize("key", ["two", None])
def test_nobody_gives_back_what_another_has_begun(planned: LiveStore, key: str | None) -> None:
    say(planned, SENDING, "one")
    code, message = refused(planned, NOT_SENT, key)
    assert code == "already_sending"
    assert "not_sent takes the key" in message
    with planned.turn("a", NOW) as turn:
        assert len(turn.contacts(NOW)) == 1
    assert say(planned, NOT_SENT, "one") == (True, True)


def test_what_was_sent_by_another_is_a_fact_and_not_within_the_leave(planned: LiveStore) -> None:
    say(planned, SENDING, "one")
    assert say(planned, SENT, "two", 1) == (True, False)
    assert say(planned, SENT, "two", 2) == (False, False)
    for status in (SENT, SENDING, NOT_SENT):
        code, message = refused(planned, status, "one", 1)
        assert (code, "sent at 2018-01-06T16:00:00" in message) == ("already_sent", True)
        assert ("report that one with customer_id and a key" in message) is (status is SENT)


@pytest.mark.parametrize("change", ["no", "complaint", "another answer"])
def test_what_was_given_back_and_then_withdrawn_is_not_begun_again(
    planned: LiveStore, change: str
) -> None:
    say(planned, SENDING, "one")
    say(planned, NOT_SENT, "one")
    with planned.turn("a", NOW + HOUR) as turn:
        if change == "no":
            assert turn.say(NO) == (True, 0)  # it was not waiting to be sent
        elif change == "complaint":
            turn.outcome(Outcome("o-1", "complaint", NOW))
        else:
            turn.keep(record("d1", "goodbye"))
    code, message = refused(planned, SENDING, "one", 1)
    assert code == "contact_withdrawn"
    assert message.endswith("withdrawn since 2018-01-06T16:00:00+00:00")


def test_what_was_withdrawn_and_then_given_back_is_not_begun_again(planned: LiveStore) -> None:
    say(planned, SENDING, "one")
    with planned.turn("a", NOW) as turn:
        turn.say(NO)
    assert say(planned, NOT_SENT, "one") == (True, True)
    assert refused(planned, SENDING, "one")[0] == "contact_withdrawn"


def test_with_a_key_a_report_is_about_the_contact_that_was_begun_with_it(
    planned: LiveStore,
) -> None:
    say(planned, SENDING, "one")
    with planned.turn("a", NOW) as turn:
        turn.keep(record("d1", "goodbye", email()))
    # Its own is withdrawn: it does not slip into the place of the newer one.
    assert refused(planned, SENDING, "one")[0] == "contact_withdrawn"
    for new in (True, False):
        assert say(planned, NOT_SENT, "one") == (new, True)
    assert say(planned, SENDING, "one") == (True, True)
    found = planned.explain("d1")
    assert found is not None
    assert [one["status"] for one in found["exposures"]] == ["not_sent", "sending"]
