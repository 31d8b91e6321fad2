import sqlite3
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from mkt_models.store.engine import open_live, open_published, writing
from mkt_models.store.live_tables import exposures
from mkt_models.store.records import SnapshotMeta
from mkt_models.store.snapshot import Store
from mkt_models.store.values import StoreError

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)
COUNT = sa.select(sa.func.count()).select_from(exposures)
ROW = {
    "customer_id": "a",
    "channel": "app",
    "sent_at": NOW,
    "status": "sent",
    "recorded_at": NOW,
}


@pytest.fixture
def engine(tmp_path):
    found = open_live(tmp_path / "live.sqlite")
    yield found
    found.dispose()


def test_what_is_no_snapshot_is_refused(tmp_path):
    path = tmp_path / "snapshot.sqlite"
    with pytest.raises(StoreError, match="no such snapshot"):
        Store.open(path)
    path.write_bytes(b"this is not a database, it is a text" * 100)
    with pytest.raises(StoreError, match="not readable as SQLite"):
        Store.open(path)
    sqlite3.connect(tmp_path / "empty.sqlite").close()
    with pytest.raises(StoreError, match="it lacks consents, customers, exposures"):
        Store.open(tmp_path / "empty.sqlite")


def test_a_file_that_is_being_written_is_not_read_without_locks(tmp_path, engine):
    with writing(engine) as connection:
        connection.execute(exposures.insert(), ROW)
    with pytest.raises(StoreError, match="still being written"):
        Store.open(tmp_path / "live.sqlite")


def test_an_address_or_a_path_open_the_same_store(tmp_path, engine):
    with writing(engine) as connection:
        connection.execute(exposures.insert(), ROW)
    other = open_live(f"sqlite:///{tmp_path / 'live.sqlite'}")
    with other.connect() as reader:
        assert reader.execute(COUNT).scalar() == 1
    other.dispose()


def test_readers_do_not_wait_for_a_writer_and_see_what_was_committed(engine):
    with engine.connect() as reader, writing(engine) as writer:
        writer.execute(exposures.insert(), ROW)
        assert writer.execute(COUNT).scalar() == 1
        assert reader.execute(COUNT).scalar() == 0
    with engine.connect() as reader:
        assert reader.execute(COUNT).scalar() == 1


def test_a_second_writer_waits_from_the_beginning(engine):
    with writing(engine) as first:
        first.execute(exposures.insert(), ROW)
        with engine.connect() as second:
            second.exec_driver_sql("PRAGMA busy_timeout = 50")
            second.rollback()
            with pytest.raises(sa.exc.OperationalError, match="locked"):
                second.execution_options(mkt_writes=True).begin()


def test_what_fails_half_way_is_not_written(engine):
    twice = [{**ROW, "id": 1}, {**ROW, "id": 1}]
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        connection.execute(exposures.insert(), twice)
    with engine.connect() as reader:
        assert reader.execute(COUNT).scalar() == 0


def test_opening_again_keeps_the_rows(tmp_path, engine):
    with writing(engine) as connection:
        connection.execute(exposures.insert(), ROW)
    again = open_live(tmp_path / "live.sqlite")
    with again.connect() as reader:
        assert reader.execute(COUNT).scalar() == 1
    again.dispose()


def test_a_published_snapshot_is_opened_without_leaving_a_trace(tmp_path):
    path = tmp_path / "a name with # and ?.sqlite"
    Store.write_snapshot(path, SnapshotMeta("2018-01-01"), [])
    engine = open_published(path)
    with engine.connect() as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM exposures").scalar() == 0
    engine.dispose()
    assert list(tmp_path.iterdir()) == [path]
