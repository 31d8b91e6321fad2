import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from mkt_models.store.engine import open_published
from mkt_models.store.records import Consent, Exposure, SnapshotMeta
from mkt_models.store.snapshot import Store
from mkt_models.store.values import StoreError

NOW = datetime(2018, 1, 6, 15, 0, 0, 123456, tzinfo=UTC)
META = SnapshotMeta(
    as_of="2018-01-01",
    models={"churn": "churn:1"},
    verdicts={"churn": "pass"},
    popular_items=({"product_id": "p", "en": "often bought", "zh": "热销"},),
)
CONSENTS = [
    Consent("a", "marketing", "app", "granted", date(2017, 5, 1), date(2019, 5, 1)),
    Consent("a", "marketing", "app", "revoked", date(2017, 6, 1), None, "assumed: a reason"),
    Consent("b", "marketing", "sms", "refused", date(2017, 5, 1)),
]
EXPOSURES = [
    Exposure("a", "mail", NOW, "promotion", "o1", "23"),
    Exposure("a", "mail", NOW - timedelta(days=3)),
]


def document(name: str, **parts) -> dict:
    return {"customer_id": name, "as_of": "2018-01-01", "profile": {"amount": 1.5}, **parts}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "snapshot.sqlite"


def test_what_was_published_is_read_again(path):
    name = Store.write_snapshot(path, META, [document("b"), document("a")], CONSENTS, EXPOSURES)
    with Store.open(path) as store:
        assert store.meta() == SnapshotMeta(**{**META.__dict__, "snapshot_id": name})
        assert store.customer("a") == document("a")
        assert store.customer("nobody") is None
        assert [one["customer_id"] for one in store.customers()] == ["a", "b"]
        assert store.consents("a") == tuple(CONSENTS[:2])
        assert store.all_consents() == {"a": tuple(CONSENTS[:2]), "b": (CONSENTS[2],)}
        assert store.exposures("a", NOW - timedelta(days=3)) == (EXPOSURES[1], EXPOSURES[0])
        assert store.exposures("a", NOW - timedelta(days=2)) == (EXPOSURES[0],)
        assert store.exposures("b", NOW - timedelta(days=99)) == ()
        assert store.all_exposures(NOW) == {"a": (EXPOSURES[0],)}
    assert [file.name for file in path.parent.iterdir()] == ["snapshot.sqlite"]


def test_the_id_follows_the_content(tmp_path):
    def publish(*documents, meta=META, consents=()):
        return Store.write_snapshot(tmp_path / "x.sqlite", meta, documents, consents)

    first = publish(document("a"))
    assert publish(document("a")) == first
    assert publish(document("a", profile={})) != first
    assert publish(document("a"), consents=CONSENTS[:1]) != first
    assert publish(document("a"), meta=SnapshotMeta("2018-01-01")) != first


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (document("a"), "'a' stands twice"),
        (document(""), "1 to 64 characters"),
        (document("x" * 65), "1 to 64 characters"),
        ({"as_of": "2018-01-01"}, "customer_id == None"),
        (document("b", as_of="2018-01-02"), "the snapshot's is '2018-01-01'"),
        (document("b", score=float("nan")), "customer 'b': cannot be written as JSON"),
        (document("b", score=object()), "customer 'b': cannot be written as JSON"),
    ],
)
def test_a_failed_publication_leaves_the_old_snapshot_alone(path, bad, message):
    Store.write_snapshot(path, META, [document("old")])
    before = path.read_bytes()
    with pytest.raises(StoreError, match=message):
        Store.write_snapshot(path, META, [document("a"), bad])
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["snapshot.sqlite"]


def test_an_id_of_64_characters_is_fine(path):
    Store.write_snapshot(path, META, [document("x" * 64)])
    with Store.open(path) as store:
        assert store.customer("x" * 64) is not None


def test_a_snapshot_is_replaced_under_its_readers(path):
    Store.write_snapshot(path, META, [document("a", n=1)])
    with Store.open(path) as old:
        assert old.customer("a")["n"] == 1
        Store.write_snapshot(path, META, [document("a", n=2)])
        assert old.customer("a")["n"] == 1
        with Store.open(path) as new:
            assert new.customer("a")["n"] == 2


def test_a_snapshot_cannot_be_written(path):
    Store.write_snapshot(path, META, [document("a")])
    engine = open_published(path)
    with engine.connect() as connection, pytest.raises(Exception, match="readonly database"):
        connection.exec_driver_sql("DELETE FROM customers")
    engine.dispose()


def test_threads_share_a_snapshot(path):
    Store.write_snapshot(path, META, [document(str(i), n=i) for i in range(50)])
    with Store.open(path) as store, ThreadPoolExecutor(8) as pool:
        start = threading.Barrier(8)

        def work(_: int) -> list[int]:
            start.wait(timeout=10)
            return [store.customer(str(i))["n"] for i in range(50)]

        assert list(pool.map(work, range(8))) == [list(range(50))] * 8


def test_documents_are_kept_as_readable_text(path):
    Store.write_snapshot(path, META, [document("a", zh="银卡会员")])
    with sqlite3.connect(path) as plain:
        ((text,),) = plain.execute("SELECT document FROM customers").fetchall()
    plain.close()
    assert "银卡会员" in text
    assert json.loads(text)["zh"] == "银卡会员"
