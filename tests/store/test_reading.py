"""Reading a live store changes nothing, on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from toy_contacts import HOUR, record

from mkt_models.store.live import LiveStore
from mkt_models.store.reading import LiveReader
from mkt_models.store.records import ContactStatus, Exposure, Outcome, Planned
from mkt_models.store.values import StoreError

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'live.sqlite'}"
        return
    server = request.getfixturevalue("postgres_url")
    name = f"read_{tmp_path.name[-40:]}".lower().replace("-", "_")
    with psycopg.connect(server, autocommit=True) as plain:
        plain.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    yield server.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as plain:
        plain.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


def keep(live: LiveStore) -> None:
    exposures = [
        Exposure("a", channel, NOW, "content", decision_id="d1", until=NOW + 3 * HOUR)
        for channel in ("email", "app")
    ]
    planned = [Planned(one, "marketing") for one in exposures]
    kept = replace(record("d1", None, *planned), asked_for=NOW, answer={"strategies": []})
    with live.turn("a", NOW + 3000 * 24 * HOUR) as turn:
        turn.keep(kept)
    # The server's clock is years ahead of the questions and of what is reported about them.
    with live.turn("a", NOW + 3000 * 24 * HOUR) as turn:
        turn.report("d1", "content", "email", None, ContactStatus.SENT, NOW + HOUR)
        turn.outcome(Outcome("o", "purchase", NOW + 5 * HOUR, "d1", amount_hundredths=1250))


def test_what_is_on_record_is_read_and_nothing_is_written(address: str) -> None:
    with LiveStore.open(address) as live:
        with LiveReader.open(address) as empty:
            assert empty.last(24 * HOUR) is None
            before = empty.state()
        keep(live)
    with LiveReader.open(address) as reader:
        assert reader.state() != before
        assert reader.state() == reader.state()
        assert reader.last(24 * HOUR) == NOW + 5 * HOUR
        assert reader.later(NOW + HOUR) == (2, 1)  # the contact and the purchase
        assert reader.later(NOW + 9 * HOUR) == (0, 0)
        # By the moment that was asked for, whatever the server's clock says.
        assert [one["decision_id"] for one in reader.decided(NOW, NOW + HOUR)] == ["d1"]
        later = NOW + 3000 * 24 * HOUR
        assert list(reader.decided(NOW + HOUR, later + HOUR)) == []
        assert [one["amount"] for one in reader.outcomes(NOW, NOW + 9 * HOUR)] == [12.5]
        contacts = reader.contacts(NOW, NOW + 2 * HOUR)
        told = [(one["channel"], one["status"], one["sent_at"]) for one in contacts]
        assert told == [("app", "planned", NOW), ("email", "sent", NOW + HOUR)]
        assert reader.contacts(NOW + 2 * HOUR, NOW + 9 * HOUR) == []
        with reader._engine.connect() as connection, pytest.raises(sa.exc.DatabaseError):
            connection.execute(sa.text("DELETE FROM decisions"))


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no live store here"):
        LiveReader.open(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []
    other = tmp_path / "other.sqlite"
    sa.create_engine(f"sqlite:///{other}").connect().execute(sa.text("CREATE TABLE x (y INT)"))
    with pytest.raises(StoreError, match=r"other\.sqlite: decisions lacks .*no live store"):
        LiveReader.open(other)
    (tmp_path / "text.sqlite").write_text("not a database, but long enough to be read as one" * 9)
    with pytest.raises(StoreError, match="cannot be read"):
        LiveReader.open(tmp_path / "text.sqlite")


def test_an_address_is_not_told_with_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refused:
        LiveReader.open("postgresql://me:secret@127.0.0.1:1/db")
    assert "secret" not in str(refused.value)
    assert "PostgreSQL database db" in str(refused.value)
