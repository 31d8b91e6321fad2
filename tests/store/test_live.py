"""The live store, on SQLite and on a real PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from toy_contacts import HOUR, NOW, YES, email, record

from mkt_models.store import live_tables as tables
from mkt_models.store.engine import migrate, open_live, writing
from mkt_models.store.live import LiveStore
from mkt_models.store.records import (
    Consent,
    ContactStatus,
    Exposure,
    Outcome,
    SnapshotMeta,
)
from mkt_models.store.values import StoreError


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
    assert version == "0003"


def columns(engine: sa.Engine) -> set[str]:
    return {one["name"] for one in sa.inspect(engine).get_columns("exposures")}


def test_a_step_is_taken_back_and_again_and_rows_stay(address: str) -> None:
    new = {"sender_key", "sending_since", "withdrawn_at"}
    engine = open_live(address)
    assert new <= columns(engine)
    migrate(engine, "0002")
    assert not new & columns(engine)
    statuses = ("planned", "sending", "recalled", "withdrawn", "not_sent", "sent")
    rows = [
        {"customer_id": "a", "channel": "app", "sent_at": NOW, "status": one, "recorded_at": NOW}
        for one in statuses
    ]
    old = [one for one in tables.exposures.columns if one.name not in new]
    names = {one.name for one in old} - {"id"}
    before = sa.Table("exposures", sa.MetaData(), *(sa.Column(c.name, c.type) for c in old))
    with writing(engine) as connection:
        blank = dict.fromkeys(names)
        connection.execute(before.insert(), [{**blank, **row} for row in rows])
    migrate(engine)
    with engine.connect() as connection:
        query = sa.select(tables.exposures).order_by(tables.exposures.c.id)
        found = connection.execute(query).mappings().all()
    engine.dispose()
    assert [row["status"] for row in found] == list(statuses)
    assert {row["sender_key"] for row in found} == {None}
    begun = [row["status"] for row in found if row["sending_since"] == NOW]
    over = [row["status"] for row in found if row["withdrawn_at"] == NOW]
    assert begun == ["sending", "recalled"]
    assert over == ["recalled", "withdrawn", "not_sent"]


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
    for hours in (1, 3):  # asked for in two hours, leave for three: they go together
        assert sum(live.due(NOW + hours * HOUR).values()) == 0
    assert sum(live.purge(NOW + 3 * HOUR + timedelta(seconds=1)).values()) == 2


def test_a_decision_and_its_contacts_go_together_when_the_last_is_due(live: LiveStore) -> None:
    later, other = NOW + 48 * HOUR, Exposure("a", "sms", NOW)
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email(), email("promotion")))
        turn.keep(record("d2", "good morning"))
        turn.contacted(other, "of-nobody")
    with live.turn("a", later) as turn:  # a fact is taken, however late
        turn.report("d1", "content", "email", None, ContactStatus.SENT, later)
    moment = timedelta(seconds=1)
    # Of d1 nothing is due while one of its two contacts is not; the others go by themselves.
    alone = {"decisions": 1, "exposures": 1, "outcomes": 0}
    assert live.due(later) == live.purge(later) == alone
    assert live.holds("a") == {"decisions": 1, "exposures": 2, "assignments": 1}
    whole = {"decisions": 1, "exposures": 2, "outcomes": 0}
    assert live.due(later + moment) == live.purge(later + moment) == whole


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
