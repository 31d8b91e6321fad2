"""Tables of a PostgreSQL database, copied out as text.

``COPY … TO STDOUT`` streams a table as CSV with times in ISO 8601, so that its rows are read as a
file's are. The database's URL comes from an environment variable, and is never shown: not even in
errors.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mkt_models.mapping_params import Database
from mkt_models.sections import nearest
from mkt_models.sources.mapping import quoted
from mkt_models.sources.text_files import ReadError

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

# PostgreSQL's types of text: char, name, text, bpchar, varchar.
_TEXT_TYPES = {18, 19, 25, 1042, 1043}
_CONNECT_SECONDS = 10


def name_of(database: Database) -> str:
    """What people call the table or query."""
    return f"table {database.table}" if database.table else "the query"


def columns_of(database: Database) -> dict[str, str]:
    """Each column of the table or query, and its type: ``VARCHAR`` for text.

    Raises ReadError when the database, or the table in it, is not there.
    """

    def ask(connection: "psycopg.Connection") -> dict[str, str]:
        found = connection.execute(f"SELECT * FROM {_relation(database)} LIMIT 0").description
        return {c.name: "VARCHAR" if c.type_code in _TEXT_TYPES else "typed" for c in found or ()}

    return _ask(database, ask)


def count_rows(database: Database) -> int:
    """The number of rows of the table or query."""

    def ask(connection: "psycopg.Connection") -> int:
        return int(str(_one(connection, f"SELECT count(*) FROM {_relation(database)}")[0]))

    return _ask(database, ask)


def copy_rows(
    database: Database, columns: Sequence[str], to: Path, limit: int | None = None
) -> None:
    """Write columns of the table or query as CSV with a header, at most ``limit`` rows."""
    some = "" if limit is None else f" LIMIT {limit}"
    query = f"SELECT {', '.join(map(quoted, columns))} FROM {_relation(database)}{some}"
    partial = to.with_suffix(".partial")

    def ask(connection: "psycopg.Connection") -> None:
        with (
            partial.open("wb") as out,
            connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") as copying,
        ):
            for block in copying:
                out.write(block)

    to.parent.mkdir(parents=True, exist_ok=True)
    _ask(database, ask)
    partial.replace(to)


def fingerprint(database: Database) -> str:
    """A text that changes when the data does: what makes the first stage stale.

    ``version`` where the parameters give one. Otherwise the database is asked for the number of
    rows and, with ``changed_at``, for the latest change: rows that are changed in place are seen
    with ``changed_at`` only. A database that cannot be asked counts as changed.
    """
    if database.version is not None:
        return f"version {database.version}"
    latest = "NULL" if database.changed_at is None else f"max({quoted(database.changed_at)})"

    def ask(connection: "psycopg.Connection") -> str:
        row = _one(connection, f"SELECT count(*), {latest} FROM {_relation(database)}")
        return f"{row[0]} rows, changed {row[1]}"

    try:
        return _ask(database, ask)
    except ReadError:
        return "not reached"


def _relation(database: Database) -> str:
    if database.table is not None:
        return ".".join(quoted(part) for part in database.table.split("."))
    return f"({str(database.query).strip().rstrip(';')}) AS query"


def _one(connection: "psycopg.Connection", query: str) -> Sequence[object]:
    return connection.execute(query).fetchall()[0]


def _ask(database: Database, question: Callable[["psycopg.Connection"], T]) -> T:
    """Ask the database, which may only read; say plainly what is wrong."""
    import psycopg

    url = os.environ.get(database.url_env, "").replace("postgresql+psycopg://", "postgresql://")
    if not url:
        raise ReadError(
            f"database.url_env: the environment variable {database.url_env} is not set; it holds "
            "the database's URL, postgresql://user:password@host:port/name"
        )
    try:
        connection = psycopg.connect(
            url, connect_timeout=_CONNECT_SECONDS, options="-c DateStyle=ISO -c TimeZone=UTC"
        )
    except psycopg.Error as error:
        # What the driver says may hold parts of the URL.
        raise ReadError(
            f"database: no connection with the URL in {database.url_env} "
            f"({type(error).__name__}): look at host, port, name, user and password"
        ) from None
    with connection:
        connection.read_only = True
        try:
            return question(connection)
        except psycopg.errors.UndefinedTable:
            connection.rollback()
            raise ReadError(_no_table(connection, database)) from None
        except psycopg.Error as error:
            said = (error.diag.message_primary or type(error).__name__).strip()
            raise ReadError(f"{name_of(database)}: the database says: {said}") from None


def _no_table(connection: "psycopg.Connection", database: Database) -> str:
    if database.table is None:
        return "database.query: it names a table that is not there"
    rows = connection.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    ).fetchall()
    there = [str(row[0]) for row in rows]
    name = database.table if "." in database.table else f"public.{database.table}"
    has = ", ".join(there[:8]) + (" …" if len(there) > 8 else "") or "no tables"
    return f"database: no table {database.table!r}{nearest(name, there)}; it has: {has}"
