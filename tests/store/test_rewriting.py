"""What an erasure leaves in the files of a real PostgreSQL."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from postgres import database
from toy_contacts import NOW, record

from mkt_models.store import live_tables as tables
from mkt_models.store.engine import server_engine
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Consent, Exposure, Outcome
from mkt_models.store.rewriting import rewrite

GONE, STAYS = "gone-person-0815", "stays-person-0815"
NAMES = tuple(table.name for table in tables.OF_A_CUSTOMER)


@pytest.fixture
def url(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    with database(postgres_url, f"files_{tmp_path.name}") as url:
        yield url


@pytest.fixture
def live(url: str) -> Iterator[LiveStore]:
    """A store that knows two customers: a consent, an outcome, a decision and its contact each."""
    with LiveStore.open(url) as store:
        for name in (STAYS, GONE):
            with store.turn(name, NOW) as turn:
                turn.say(Consent(name, "marketing", "app", "granted", date(2017, 5, 1)))
                turn.contacted(Exposure(name, "sms", NOW), f"c-{name}")
                turn.outcome(Outcome(f"o-{name}", "click", NOW))
                turn.keep(record(f"d-{name}", name))
        yield store


def tables_with(url: str, word: str) -> set[str]:
    """Tables and indexes of the store, the files of which hold a word."""
    with psycopg.connect(url, autocommit=True) as plain:
        plain.execute("CHECKPOINT")
        (folder,) = plain.execute("SHOW data_directory").fetchone()
        rows = plain.execute(
            "SELECT relname, pg_relation_filepath(oid) FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
        ).fetchall()
    return {name for name, path in rows if word.encode() in (Path(folder) / path).read_bytes()}


def test_bytes_of_the_erased_stay_until_the_tables_are_written_anew(
    live: LiveStore, url: str
) -> None:
    before = tables_with(url, GONE)
    assert {"consents", "decisions", "exposures", "outcomes", "uq_outcomes_key"} <= before
    live.forget(GONE, NOW)
    assert tables_with(url, GONE) == before
    with psycopg.connect(url, autocommit=True) as plain:
        plain.execute("VACUUM")
    assert {"outcomes", "decisions"} <= tables_with(url, GONE)  # a vacuum alone is not enough
    assert live.take_out() == ()
    assert tables_with(url, GONE) == set()
    assert {"consents", "decisions", "outcomes"} <= tables_with(url, STAYS)
    assert live.holds(STAYS) == {"consents": 1, "exposures": 1, "decisions": 1, "outcomes": 1,
                                 "assignments": 1}  # fmt: skip
    assert live.take_out() == ()  # asked again
    with psycopg.connect(url) as plain:
        (folder,) = plain.execute("SHOW data_directory").fetchone()
    logs = [file for file in Path(folder, "pg_wal").iterdir() if file.is_file()]
    assert any(GONE.encode() in file.read_bytes() for file in logs)  # as docs/privacy.md says


def test_a_table_in_use_is_named_and_nothing_breaks(live: LiveStore, url: str) -> None:
    live.forget(GONE, NOW)
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM outcomes")  # its transaction holds a lock, as a backup's does
        assert live.take_out() == ("outcomes",)
    found = tables_with(url, GONE)
    assert "outcomes" in found
    assert all("outcomes" in name for name in found)
    assert live.take_out() == ()


def test_what_an_older_transaction_still_sees_is_named(live: LiveStore, url: str) -> None:
    with psycopg.connect(url) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT 1")
        live.forget(GONE, NOW)
        left = live.take_out()
        assert {"consents", "decisions", "exposures", "outcomes"} <= set(left)
        assert "outcomes" in tables_with(url, GONE)
    assert live.take_out() == ()
    assert tables_with(url, GONE) == set()


def test_a_large_table_is_only_vacuumed_and_named(live: LiveStore) -> None:
    live.forget(GONE, NOW)
    assert rewrite(live._engine, tables.OF_A_CUSTOMER, most_bytes=0) == NAMES


def test_a_role_without_the_right_answers_all_the_same(live: LiveStore, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as plain:
        plain.execute("CREATE ROLE mkt_guest LOGIN")
        plain.execute("GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO mkt_guest")
    try:
        engine = server_engine(url.replace("//shop@", "//mkt_guest@"))
        assert rewrite(engine, tables.OF_A_CUSTOMER) == NAMES
        engine.dispose()
    finally:
        with psycopg.connect(url, autocommit=True) as plain:
            plain.execute("DROP OWNED BY mkt_guest")
            plain.execute("DROP ROLE mkt_guest")


def test_a_database_that_is_gone_breaks_no_answer() -> None:
    engine = server_engine("postgresql://nobody@127.0.0.1:1/none")
    assert rewrite(engine, tables.OF_A_CUSTOMER) == NAMES


def test_limits_of_the_rewriting_hold_for_nobody_else(live: LiveStore) -> None:
    live.take_out()
    with live._engine.connect() as connection:
        shown = connection.execute(sa.text("SHOW lock_timeout")).scalar()
    assert shown == "0"


def test_sqlite_has_lost_them_already(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    with LiveStore.open(path) as store:
        with store.turn(GONE, NOW) as turn:
            turn.outcome(Outcome(f"o-{GONE}", "click", NOW + timedelta(hours=1)))
        store.forget(GONE, NOW)
        assert store.take_out() == ()
        files = [path, *tmp_path.glob("live.sqlite-*")]
        assert not any(GONE.encode() in file.read_bytes() for file in files)
