"""Opening the database of a store, so that readers and writers do not get in each other's way."""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from mkt_models.store_tables import StoreError, schema

BUSY_SECONDS = 5


def open_live(url: str | Path) -> sa.Engine:
    """Open a database for reading and writing, and make the tables that it lacks."""
    path = _sqlite_path(url)
    if path is None:
        engine = sa.create_engine(str(url))
    else:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),  # as text, a "?" would begin its options
            connect_args={"timeout": BUSY_SECONDS},
            poolclass=QueuePool,
        )
        sa.event.listen(engine, "connect", _write_ahead)
        sa.event.listen(engine, "begin", _begin)
    with writing(engine) as connection:
        schema.create_all(connection)
    return engine


def _sqlite_path(url: str | Path) -> Path | None:
    if isinstance(url, Path) or "://" not in url:
        return Path(url)
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError(f"{url}: name a file; threads cannot share a database in memory")
    return Path(parsed.database)


def open_published(url: str | Path) -> sa.Engine:
    """Open a published SQLite snapshot for reading, without locks; a StoreError if it is none."""
    path = _sqlite_path(url)
    if path is None:
        raise StoreError(f"{url}: read_only is for SQLite files")
    if not path.is_file():
        raise StoreError(f"{path}: no such snapshot")
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(f"{path}: is still being written; open it without read_only")
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    try:
        probe = connect()
        tables = {row[0] for row in probe.execute("SELECT name FROM sqlite_master").fetchall()}
        probe.close()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: not readable as SQLite: {error}") from None
    lacking = sorted(set(schema.tables) - tables)
    if lacking:
        raise StoreError(f"{path}: is no snapshot, it lacks {', '.join(lacking)}")
    return sa.create_engine("sqlite://", creator=connect, poolclass=QueuePool)


def writing(engine: sa.Engine) -> AbstractContextManager[sa.Connection]:
    """Begin a transaction that writes."""
    return engine.execution_options(mkt_writes=True).begin()


def _write_ahead(connection: Any, _: object) -> None:
    # The driver's own transaction handling is off: _begin starts transactions.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: sa.Connection) -> None:
    # A deferred transaction that turns into a writing one fails at once when another one writes;
    # an immediate one waits for its turn.
    writes = connection.get_execution_options().get("mkt_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
