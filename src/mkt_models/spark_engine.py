"""Spark through Spark Connect, behind the same few calls as DuckDB.

A statement of the portable subset is translated (:mod:`mkt_models.spark_sql`) and run by the
server. Beside it stands a DuckDB whose tables have the same columns and no rows: it knows the type
that every column of a result has on DuckDB, and results and files are given those types.

A TEMP TABLE is computed once and kept as Parquet in the spill folder, until the connection closes.

Files
    Paths go to the server as they are. The folders of the run (``build/…``) must be the same ones
    there: a server on this machine, or a file system that both have mounted at the same place. One
    file per table is written in the end, by this machine, from the parts that Spark wrote, in
    bounded memory.
"""

import logging
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pandas as pd

from mkt_models.portable import PortableError
from mkt_models.spark_sql import Statement, parse

if TYPE_CHECKING:
    import pyarrow as pa

_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.caseSensitive": "false",
}
_ANSWER_SECONDS = 10.0
_ROWS = "rows_of_spark"


class SparkError(RuntimeError):
    """Spark cannot be reached or cannot run a statement; the message says what to do."""


class SparkConnection:
    """A session of a Spark Connect server, used like a DuckDB connection.

    Parameters
    ----------
    url
        ``sc://host:port``.
    local
        A DuckDB of its own, for column types and for gathering what Spark wrote; closed with it.
    spill
        Folder of temporary tables, seen by the server under the same path.

    Raises
    ------
    SparkError
        When the server does not answer, or the extra ``spark`` is not installed.

    """

    def __init__(self, url: str, local: duckdb.DuckDBPyConnection, spill: Path) -> None:
        """Open a session."""
        self.local = local
        self._spark = _session(url)
        spill.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="spark-", dir=spill)).resolve()
        self._folder.chmod(0o777)  # the server may be another user
        self._parts = 0
        self._made: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Use it until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close the session."""
        self.close()

    def close(self) -> None:
        """End the session, and delete its temporary tables."""
        with suppress(Exception):  # a server that is gone has nothing to give back
            self._spark.stop()
        self.local.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def execute(self, query: str, /) -> "SparkResult":
        """Run one portable statement.

        Raises
        ------
        PortableError
            When the statement is not in the portable subset.
        SparkError
            When Spark cannot run it.
        duckdb.Error
            When a table or column of it does not exist.

        """
        statement = parse(query)
        if statement.kind == "query":
            return SparkResult(self, statement)
        name = statement.name
        made = self._made.get(name.lower(), statement.kind)
        if statement.kind == "drop":
            self.local.execute(query)
            self._run(f"DROP VIEW IF EXISTS {name}")
            self._made.pop(name.lower(), None)
        elif made != statement.kind:  # in DuckDB one would hide the other
            raise PortableError(f"{name} is a {made} already; drop it before it is made anew")
        elif statement.kind == "view":
            self.local.execute(query)
            self._run(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {statement.spark}")
            self._made[name.lower()] = "view"
        else:
            self._keep(statement)
            self._made[name.lower()] = "table"
        return SparkResult(self, parse("SELECT 1 AS done"))

    def _keep(self, statement: Statement) -> None:
        """Compute a temporary table, and tell DuckDB its columns."""
        types = self.types(statement)
        folder = self._write(statement)
        self._run(
            f"CREATE OR REPLACE TEMPORARY VIEW {statement.name} AS "
            f"SELECT * FROM parquet.`file://{folder}`"
        )
        listed = ", ".join(f"{_quoted(name)} {kind}" for name, kind in types)
        self.local.execute(f"CREATE OR REPLACE TEMP TABLE {statement.name} ({listed})")

    def types(self, statement: Statement) -> list[tuple[str, str]]:
        """Name and type that DuckDB gives each column of a query."""
        rows = self.local.execute(f"DESCRIBE {statement.query}").fetchall()
        return [(str(row[0]), str(row[1])) for row in rows]

    def gather(self, query: str) -> str:
        """Run a query and keep its parts; return the DuckDB query that reads them in order."""
        statement = parse(query)
        types = self.types(statement)
        parts = sorted(str(path) for path in self._write(statement).glob("part-*.parquet"))
        listed = ", ".join("'" + part.replace("'", "''") + "'" for part in parts)
        return f"SELECT {_cast(types)} FROM read_parquet([{listed}])"

    def forget(self, path: Path) -> None:
        """Let Spark read a file anew that was written over."""
        self._spark.catalog.refreshByPath(f"file://{path.resolve()}")

    def arrow(self, statement: Statement) -> "pa.Table":
        """Rows of a query, as Spark gives them."""
        with _spark_errors():
            return self._spark.sql(statement.spark).toArrow()

    def _run(self, spark: str) -> None:
        with _spark_errors():
            self._spark.sql(spark)

    def _write(self, statement: Statement) -> Path:
        """Run a query into a new folder of Parquet parts, in the order of the query."""
        self._parts += 1
        folder = self._folder / f"{statement.name or 'query'}-{self._parts}"
        with _spark_errors():
            self._spark.sql(statement.spark).write.parquet(f"file://{folder}")
        return folder


class SparkResult:
    """Rows of a query, computed by Spark when they are asked for, in DuckDB's types."""

    def __init__(self, connection: SparkConnection, statement: Statement) -> None:
        """Keep the query."""
        self._connection = connection
        self._statement = statement

    def df(self) -> pd.DataFrame:
        """All rows as a table, with the types that DuckDB's frames have."""
        with self._in_duckdb() as rows:
            return rows.df()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows as tuples of Python's own types."""
        with self._in_duckdb() as rows:
            return rows.fetchall()

    @contextmanager
    def _in_duckdb(self) -> Iterator[duckdb.DuckDBPyConnection]:
        types = self._connection.types(self._statement)
        rows = self._connection.arrow(self._statement)
        found, names = rows.column_names, [name for name, _ in types]
        if self._statement.stars and list(map(str.lower, found)) != list(map(str.lower, names)):
            raise SparkError(f"Spark finds the columns {found}, DuckDB {names}: name them in SQL")
        local = self._connection.local
        local.register(_ROWS, rows.rename_columns([f"c{number}" for number in range(len(names))]))
        try:
            yield local.execute(f"SELECT {_cast(types, numbered=True)} FROM {_ROWS}")
        finally:
            local.unregister(_ROWS)


def _cast(types: list[tuple[str, str]], numbered: bool = False) -> str:
    """SQL of columns in DuckDB's types, read by their names or as c0, c1, …"""
    return ", ".join(
        f"CAST({f'c{number}' if numbered else _quoted(name)} AS {kind}) AS {_quoted(name)}"
        for number, (name, kind) in enumerate(types)
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _session(url: str) -> Any:
    """Open a session with the settings under which Spark means the same as DuckDB."""
    host, port = url.removeprefix("sc://").rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        raise SparkError(
            f"engine.url == '{url}': nothing answers there ({error}); start the Spark Connect "
            "server, correct the address, or set engine.url to duckdb"
        ) from error
    with warnings.catch_warnings():  # what is used here works with pandas 3: the tests say so
        warnings.filterwarnings("ignore", "PySpark does not yet", FutureWarning)
        from pyspark.sql.connect.session import SparkSession
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # it prints to stderr
    with _spark_errors():
        session = SparkSession.builder.remote(url).create()
        for name, value in _SETTINGS.items():
            session.conf.set(name, value)
    return session


@contextmanager
def _spark_errors() -> Iterator[None]:
    """Say what Spark says, without the Java stack."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise SparkError(str(error).split("\n\nJVM stacktrace")[0]) from error
