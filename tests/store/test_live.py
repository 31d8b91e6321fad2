"""The live store, on SQLite and on a real PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from mkt_models.store import live_tables as tables
from mkt_models.store.engine import open_live
from mkt_models.store.live import LiveStore
from mkt_models.store.records import (
    Consent,
    ContactStatus,
    Exposure,
    Outcome,
    Planned,
    Record,
    Refused,
    SnapshotMeta,
)
from mkt_models.store.values import StoreError

NOW = datetime(2018, 1, 6, 15, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
YES = Consent("a", "marketing", "app", "granted", date(2017, 5, 1), date(2019, 5, 1))
NO = Consent("a", "marketing", "email", "refused", date(2018, 1, 6), changed_at=NOW)


def email(strategy: str = "content", **parts: object) -> Planned:
    exposure = Exposure(
        "a", "email", NOW, strategy, decision_id="d1", until=NOW + 3 * HOUR, **parts
    )
    return Planned(exposure, "marketing")


def record(decision_id: str = "d1", answer: object = "hello", *planned: Planned) -> Record:
    return Record(
        decision_id=decision_id,
        snapshot_id="snap",
        asked_for=NOW,
        arm="treatment",
        arm_probability=0.9,
        experiment="holdout:spring",
        strategy="content",
        channel="email",
        offer_id=None,
        probability=1.0,
        answer={"says": answer},
        inputs={"contacts": []},
        planned=planned,
    )


def test_the_migrations_make_the_tables_of_the_code(address: str) -> None:
    engine = open_live(address)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": "mkt_models_version", "compare_type": True}
        )
        differences = compare_metadata(context, tables.live_schema)
        version = context.get_current_revision()
    engine.dispose()
    assert differences == []
    assert version == "0002"


def test_a_store_of_a_newer_version_is_refused(address: str) -> None:
    LiveStore.open(address).close()
    engine = open_live(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE mkt_models_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreError, match=r"is at version 9999, which this version .* not know"):
        LiveStore.open(address)


def test_two_that_open_an_empty_store_at_once_make_its_tables_once(address: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(LiveStore.open, [address] * 6))
    assert len({store.digest_of("a") for store in stores}) == 1  # one key of the hashes
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("mysql://me:secret@host/db", r"mysql://me:\*\*\*@host/db: a live store is an SQLite"),
        ("sqlite://", "name a file"),
        ("postgresql://host:port/db", "cannot be read"),
        ("postgresql://me:secret@127.0.0.1:1/db", "cannot be opened: .*refused"),
    ],
)
def test_an_address_that_is_no_store_is_named_without_its_password(
    address: str, message: str
) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        LiveStore.open(address)
    assert "secret" not in str(caught.value)


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


def test_what_fails_is_not_kept(live: LiveStore) -> None:
    def fail() -> None:
        with live.turn("a", NOW) as turn:
            turn.say(YES)
            turn.keep(record())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert live.consents() == {}
    assert live.explain("d1") is None


def test_ids_that_do_not_fit_are_refused(live: LiveStore) -> None:
    with pytest.raises(StoreError, match="1 to 64 characters"), live.turn("x" * 65, NOW):
        pass
    with pytest.raises(StoreError, match=r"consent\.purpose"), live.turn("a", NOW) as turn:
        turn.say(Consent("a", "", "app", "granted", date(2017, 1, 1)))


def test_the_same_question_with_the_same_answer_is_kept_once(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        assert turn.keep(record("d1", "hello", email())) == 1
    with live.turn("a", NOW + HOUR) as turn:
        assert turn.contacts(NOW) == (email().exposure,)
        assert turn.contacts(NOW, besides="d1") == ()
        assert turn.keep(record("d1", "hello", email())) == 1
        assert turn.keep(record("d1", "goodbye")) == 2
        # Withdrawn, and perhaps sent all the same: it counts, but not for its own question.
        assert turn.contacts(NOW) == turn.contacts(NOW, besides="d2") == (email().exposure,)
        assert turn.contacts(NOW, besides="d1") == ()
    found = live.explain("d1")
    assert found is not None
    assert [one["answer"] for one in found["revisions"]] == [{"says": "hello"}, {"says": "goodbye"}]
    assert [one["status"] for one in found["exposures"]] == ["withdrawn"]
    assert found["revisions"][0]["decided_at"] == NOW.isoformat()
    assert live.explain("d2") is None
    assert live.customer_of("d1") == "a"
    assert live.customer_of("d2") is None


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


def test_a_contact_that_was_given_back_is_planned_anew_with_the_same_answer(
    live: LiveStore,
) -> None:
    for revision in (1, 2, 3):
        with live.turn("a", NOW) as turn:
            assert turn.keep(record("d1", "hello", email())) == revision
            assert turn.keep(record("d1", "hello", email())) == revision
            assert len(turn.contacts(NOW)) == 1
            turn.report("d1", "content", "email", None, ContactStatus.NOT_SENT, NOW)
            assert turn.contacts(NOW) == ()


def test_what_somebody_has_begun_to_send_counts_until_all_of_it_is_given_back(
    live: LiveStore,
) -> None:
    contact = ("d1", "content", "email", None)
    with live.turn("a", NOW) as turn:
        for answer in ("one", "two"):
            turn.keep(record("d1", answer, email()))
            turn.report(*contact, ContactStatus.SENDING, NOW)
        turn.keep(record("d1", "three", email()))  # begun by nobody
        turn.keep(record("d1", "four", email()))
        assert turn.contacts(NOW, besides="d1") == (email().exposure,) * 2
        assert turn.contacts_beside(NOW, *contact) == (email().exposure,) * 2
        assert turn.contacts_beside(NOW, "d1", "other", "email", None) == (email().exposure,) * 3
        assert turn.contacts_beside(NOW, "d2", "other", "email", None) == (email().exposure,) * 4
    found = live.explain("d1")
    assert found is not None
    statuses = [one["status"] for one in found["exposures"]]
    assert statuses == ["recalled", "recalled", "withdrawn", "planned"]
    with live.turn("a", NOW) as turn:
        for left in (3, 2, 1, 0):
            assert turn.report(*contact, ContactStatus.NOT_SENT, NOW) == (True, True)
            assert len(turn.contacts(NOW)) == left
        assert turn.report(*contact, ContactStatus.NOT_SENT, NOW) == (False, True)


def test_what_was_withdrawn_and_sent_all_the_same_counts_for_its_own_question(
    live: LiveStore,
) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email()))
        turn.keep(record("d1", "goodbye"))
        sent = turn.report("d1", "content", "email", None, ContactStatus.SENT, NOW)
        assert sent == (True, False)
        assert len(turn.contacts(NOW, besides="d1")) == 1
        with pytest.raises(Refused, match="on record as sent"):
            turn.report("d1", "content", "email", None, ContactStatus.NOT_SENT, NOW)


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


def test_the_arm_is_the_one_of_the_first_decision(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1"))
        turn.keep(record("d2"))
    engine = live._engine
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.assignments)).all()
    assert [(row.experiment, row.arm, row.probability) for row in rows] == [
        ("holdout:spring", "treatment", 0.9)
    ]


META = SnapshotMeta(
    as_of="2018-01-01",
    models={"churn": "churn:1"},
    verdicts={"churn": "pass"},
    popular_items=({"product_id": "p", "en": "often bought", "zh": "热销"},),
    snapshot_id="s1",
)


def document(name: str, **parts: object) -> dict[str, object]:
    return {"customer_id": name, "as_of": "2018-01-01", "profile": {"amount": 1.5}, **parts}


def published(live: LiveStore, name: str, *customers: str) -> int:
    meta = SnapshotMeta(**{**META.__dict__, "snapshot_id": name})
    at = NOW + int(name[1:]) * HOUR
    return live.publish(meta, [document(one, of=name) for one in customers], at)


def test_a_snapshot_is_served_when_all_of_it_is_there(live: LiveStore) -> None:
    assert live.served() is None
    assert published(live, "s1", "a", "b") == 2
    assert live.served() == META
    assert live.profile("s1", "a") == document("a", of="s1")
    with pytest.raises(StoreError, match="'c' stands twice"):
        published(live, "s2", "c", "c")
    assert live.served() == META
    assert live.profile("s2", "c") is None
    published(live, "s2", "a")
    published(live, "s3", "a")
    served = live.served()
    assert served is not None
    assert served.snapshot_id == "s3"
    assert live.profile("s2", "a") == document("a", of="s2")  # the one before stays
    assert live.profile("s1", "a") is None
    assert published(live, "s3", "a", "b") == 2  # again, with more


def test_what_the_data_records_is_added_once(live: LiveStore) -> None:
    twice = [Exposure("a", "mail", NOW, campaign_id="7")] * 2
    for _ in range(2):
        live.publish(META, [document("a")], NOW, [YES], twice)
    assert live.consents() == {"a": (YES,)}
    assert live.exposures(NOW) == {"a": tuple(twice)}
    live.forget("a", NOW)
    live.publish(META, [document("a")], NOW, [YES], twice)
    assert live.holds("a") == {}


def test_the_models_in_service_are_recorded_when_they_change(live: LiveStore) -> None:
    live.serve_models(META, NOW)
    live.serve_models(META, NOW + HOUR)
    live.serve_models(SnapshotMeta("2018-01-01", {"churn": "churn:2"}), NOW + 2 * HOUR)
    with live._engine.connect() as connection:
        rows = connection.execute(sa.select(tables.models_in_service)).all()
    assert [(row.tag, row.verdict, row.since) for row in rows] == [
        ("churn:1", "pass", NOW),
        ("churn:2", "not_evaluated", NOW + 2 * HOUR),
    ]


def fill(live: LiveStore, name: str) -> None:
    with live.turn(name, NOW) as turn:
        turn.say(Consent(name, "marketing", "app", "granted", date(2017, 5, 1)))
        turn.contacted(Exposure(name, "sms", NOW), f"c-{name}")
        turn.outcome(Outcome(f"o-{name}", "click", NOW))
        turn.keep(record(f"d-{name}"))


def test_a_forgotten_customer_is_nowhere_and_stays_so(live: LiveStore) -> None:
    published(live, "s1", "a", "b")
    for name in ("a", "b"):
        fill(live, name)
    removed = live.forget("a", NOW)
    assert removed == {
        "consents": 1,
        "exposures": 1,
        "decisions": 1,
        "outcomes": 1,
        "assignments": 1,
        "profiles": 1,
    }
    assert live.holds("a") == {}
    assert sum(live.holds("b").values()) == 6
    with live.turn("a", NOW) as turn:
        assert turn.erased
    with live.turn("b", NOW) as turn:
        assert not turn.erased
    assert published(live, "s2", "a", "b") == 1
    assert live.profile("s2", "a") is None
    assert live.forget("a", NOW) == dict.fromkeys(removed, 0)
    assert live.erased() == {live.digest_of("a")}
    assert live.digest_of("a") != "a"
    with live._engine.connect() as connection:
        for table in tables.live_schema.tables.values():
            for row in connection.execute(sa.select(table)).mappings():
                assert "a" not in row.values()


def test_what_is_old_is_purged_and_consents_stay(live: LiveStore) -> None:
    fill(live, "a")
    nothing, all_of_it = (dict.fromkeys(("decisions", "exposures", "outcomes"), n) for n in (0, 1))
    assert live.purge(NOW) == live.due(NOW) == nothing
    assert live.due(NOW + 4 * HOUR) == live.purge(NOW + 4 * HOUR) == all_of_it
    assert live.holds("a") == {"consents": 1, "assignments": 1}


def test_what_may_still_be_sent_later_is_not_purged(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(replace(record("d1", "hello", email()), asked_for=NOW + 2 * HOUR))
    assert live.due(NOW + HOUR) == {"decisions": 0, "exposures": 0, "outcomes": 0}
    assert live.due(NOW + 3 * HOUR) == {"decisions": 1, "exposures": 0, "outcomes": 0}
    assert sum(live.purge(NOW + 3 * HOUR + timedelta(seconds=1)).values()) == 2


def test_decisions_are_read_by_time_in_their_last_revision(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello"))
    with live.turn("a", NOW + HOUR) as turn:
        turn.keep(record("d2"))
        turn.keep(record("d1", "goodbye"))
    found = list(live.decided(NOW, NOW + 2 * HOUR))
    assert [(one["decision_id"], one["answer"]["says"]) for one in found] == [
        ("d1", "goodbye"),
        ("d2", "hello"),
    ]
    assert list(live.decided(NOW + 2 * HOUR, NOW + 3 * HOUR)) == []
    assert json.dumps(found)


def test_turns_of_one_customer_never_overlap(live: LiveStore) -> None:
    """Each reads how many contacts there are, and adds one if there are fewer than ten."""

    def contact(number: int) -> bool:
        with live.turn("a", NOW) as turn:
            if len(turn.contacts(NOW)) >= 10:
                return False
            return turn.contacted(Exposure("a", "app", NOW), f"c-{number}")

    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(contact, range(40)))
    assert sum(done) == 10
    assert len(live.exposures(NOW)["a"]) == 10


def test_a_reader_sees_what_was_committed(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.say(YES)
        assert live.consents() == {}
    assert live.consents() == {"a": (YES,)}
