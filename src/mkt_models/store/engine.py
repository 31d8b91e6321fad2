"""Opening the database of a store, so that readers and writers do not get in each other's way."""

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import QueuePool

from mkt_models import migrations
from mkt_models.store.snapshot_tables import schema
from mkt_models.store.values import StoreError

BUSY_SECONDS = 30
MIGRATIONS = Path(migrations.__path__[0])
_SETUP_LOCK = 7_238_011  # of PostgreSQL's advisory locks: one process migrates, others wait


def open_live(url: str | Path) -> sa.Engine:
    """Open a live store for reading and writing, and bring its tables to this version.

    Raises
    ------
    StoreError
        When the address is of no database that is known here, when the database does not answer,
        or when a newer version of this package has already changed the tables.

    """
    path = sqlite_path(url)
    if path is None:
        engine = server_engine(str(url))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),  # as text, a "?" would begin its options
            connect_args={"timeout": BUSY_SECONDS},
            poolclass=QueuePool,
        )
        sa.event.listen(engine, "connect", _write_ahead)
        sa.event.listen(engine, "begin", _begin)
    try:
        migrate(engine)
    except sa.exc.OperationalError as error:
        engine.dispose()
        shown = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"{shown}: the live store cannot be opened: {error.orig}") from None
    except Exception:
        engine.dispose()
        raise
    return engine


def server_engine(url: str, options: Mapping[str, Any] = {}) -> sa.Engine:
    """Give an engine of a PostgreSQL database; a StoreError for any other address."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError(
            "the address of the live store cannot be read; write postgresql://user@host/database, "
            "or sqlite:////path/of/a/file"
        ) from None
    if parsed.get_backend_name() != "postgresql":
        shown = parsed.render_as_string(hide_password=True)
        raise StoreError(f"{shown}: a live store is an SQLite file or a PostgreSQL database")
    driver = parsed.set(drivername="postgresql+psycopg")
    return sa.create_engine(driver, pool_pre_ping=True, connect_args=dict(options))


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the tables of a live store to a version, all of its steps at once or none.

    Parameters
    ----------
    engine
        Of the store.
    revision
        Usually the newest. An older one takes steps back, from 0003 on, before an older version of
        this package is installed; what only the newer tables knew is lost.

    Raises
    ------
    StoreError
        When a newer version of this package has already changed the tables.

    """
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}

    def steps(current: Any, _: object) -> Any:
        found = [current] if isinstance(current, str) else list(current)
        if beyond := sorted(set(found) - known):
            raise StoreError(
                f"the live store is at version {beyond[0]}, which this version of mkt-models does "
                "not know: install the newer one, or name another store"
            )
        if revision != "head" and max(found, default="") > revision:
            return script._downgrade_revs(revision, current)
        return script._upgrade_revs(revision, current)

    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SETUP_LOCK)))
        with EnvironmentContext(config, script, fn=steps) as context:
            context.configure(connection=connection, version_table="mkt_models_version")
            context.run_migrations()


def sqlite_path(url: str | Path) -> Path | None:
    """The file that an address means; None for the address of a server."""
    if isinstance(url, Path) or "://" not in url:
        return Path(url)
    if not url.startswith("sqlite"):
        return None
    parsed = sa.make_url(url)
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError(f"{url}: name a file; threads cannot share a database in memory")
    return Path(parsed.database)


def open_published(path: str | Path) -> sa.Engine:
    """Open a published SQLite snapshot for reading, without locks; a StoreError if it is none."""
    path = Path(path)
    if not path.is_file():
        raise StoreError(f"{path}: no such snapshot")
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(f"{path}: is still being written; wait until it is published")
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


def open_new(path: Path) -> sa.Engine:
    """Open a new SQLite file with the tables of a snapshot, to be filled by one writer."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    schema.create_all(engine)
    return engine


def writing(engine: sa.Engine) -> AbstractContextManager[sa.Connection]:
    """Begin a transaction that writes."""
    return engine.execution_options(mkt_writes=True).begin()


def inserter(connection: sa.Connection) -> Any:
    """The database's own ``insert``, which knows ``on_conflict``."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _write_ahead(connection: Any, _: object) -> None:
    # The driver's own transaction handling is off: _begin starts transactions.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # An answer must not outlive its decision: every commit is on disk, also when the power fails.
    connection.execute("PRAGMA synchronous = FULL")
    # Who was erased is not left on unused pages.
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: sa.Connection) -> None:
    # A deferred transaction that turns into a writing one fails at once when another one writes;
    # an immediate one waits for its turn.
    writes = connection.get_execution_options().get("mkt_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
