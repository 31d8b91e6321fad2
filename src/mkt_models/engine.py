"""The SQL engine: DuckDB, embedded, bounded in memory, reading and writing Parquet; or Spark.

Definitions elsewhere in the package are written in a portable subset of SQL
(:mod:`mkt_models.portable`). The stages from cleaning to tags ask :func:`open_engine` for the
engine that the parameters name: DuckDB, or a Spark Connect server
(:mod:`mkt_models.spark_engine`). They then use only what stands in this module and ``execute``.
The tables that they write are the same Parquet files either way.

All other stages, which read data of any origin or work on one row per customer, :func:`connect`
to DuckDB and read those files, whatever engine has written them.
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

import duckdb
import pandas as pd

from mkt_models.params import Engine

if TYPE_CHECKING:
    from mkt_models.spark_engine import SparkConnection


# What the stages outside that stretch use: all that DuckDB can do.
DuckDB = duckdb.DuckDBPyConnection


class Result(Protocol):
    """What a query gives: the types are DuckDB's on every engine."""

    def df(self) -> pd.DataFrame:
        """All rows as a table."""
        ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows as tuples."""
        ...


class Connection(Protocol):
    """An open engine; leaving its ``with`` block closes it."""

    def execute(self, query: str, /) -> Result:
        """Run one statement."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...

    def __enter__(self) -> Self:
        """Use it until the block ends."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close it."""
        ...


def connect(engine: Engine, spill: Path) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that spills to the folder ``spill`` beyond its memory limit."""
    spill.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(
        config={
            "memory_limit": f"{engine.memory_limit_gb}GB",
            "threads": engine.threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    con.execute("SET TimeZone = 'UTC'")
    return con


def open_engine(engine: Engine, spill: Path) -> Connection:
    """Open the engine that ``engine.url`` names, for the stages from cleaning to tags.

    Raises
    ------
    ModuleNotFoundError
        When Spark is asked for and the extra ``spark`` is not installed.
    mkt_models.spark_engine.SparkError
        When the Spark Connect server does not answer.

    """
    if engine.url == "duckdb":
        return connect(engine, spill)
    try:
        from mkt_models.spark_engine import SparkConnection

        return SparkConnection(engine.url, connect(engine, spill), spill)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"engine.url == '{engine.url}' needs the extra spark, and {error.name} is not "
            "installed: pip install 'mkt-models[spark]'"
        ) from error


def literal(value: object) -> str:
    """Write a value as a SQL string literal.

    >>> literal("O'Hara")
    "'O''Hara'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def local_time(column: str, zone: str) -> str:
    """SQL of a UTC time (TIMESTAMP) on the clock of a time zone, portable to every engine.

    >>> local_time("occurred_at", "Europe/Rome")
    "((occurred_at AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Rome')"
    """
    return f"(({column} AT TIME ZONE 'UTC') AT TIME ZONE {literal(zone)})"


def register(con: Connection, folder: Path, tables: Iterable[str] | None = None) -> list[str]:
    """Make a view of every Parquet file of ``folder`` (or of ``tables``), named by its stem.

    Raises FileNotFoundError when a named table has no file there.
    """
    names = sorted(p.stem for p in folder.glob("*.parquet")) if tables is None else list(tables)
    for name in names:
        path = folder / f"{name}.parquet"
        if not path.is_file():
            there = ", ".join(sorted(p.stem for p in folder.glob("*.parquet"))) or "no tables"
            raise FileNotFoundError(f"{path}: no such table; the folder has {there}")
        path = path if _on_duckdb(con) else path.resolve()  # a server has a folder of its own
        con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({literal(path)})")
    return names


def write_parquet(con: Connection, query: str, path: Path) -> int:
    """Write the result of ``query`` as one Parquet file, atomically; return the number of rows.

    Rows keep the order of the query.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    if not _on_duckdb(con):
        query = _spark(con).gather(query)
    local = _duckdb(con)
    local.execute(f"COPY ({query}) TO {literal(partial)} (FORMAT parquet, COMPRESSION zstd)")
    partial.replace(path)
    if not _on_duckdb(con):
        _spark(con).forget(path)
    return count(local, f"read_parquet({literal(path)})")


def count(con: Connection, relation: str, where: str = "TRUE") -> int:
    """Count the rows of a table, view or sub-query that satisfy a condition."""
    return int(con.execute(f"SELECT count(*) FROM {relation} WHERE {where}").fetchall()[0][0])


def columns(con: Connection, relation: str) -> dict[str, str]:
    """Columns of a table, view or query (in brackets), in order: name to DuckDB's type.

    >>> with duckdb.connect() as con:
    ...     columns(con, "(SELECT 1 AS n, 'x' AS name)")
    {'n': 'INTEGER', 'name': 'VARCHAR'}
    """
    rows = _duckdb(con).execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def tables(con: Connection) -> set[str]:
    """Names of the tables and views that are there."""
    rows = _duckdb(con).execute("SELECT table_name FROM information_schema.tables").fetchall()
    return {str(row[0]) for row in rows}


def _on_duckdb(con: Connection) -> bool:
    return isinstance(con, duckdb.DuckDBPyConnection)


def _spark(con: Connection) -> "SparkConnection":
    return cast("SparkConnection", con)


def _duckdb(con: Connection) -> duckdb.DuckDBPyConnection:
    """The DuckDB that knows the tables: the engine itself, or the one beside Spark."""
    return con if isinstance(con, duckdb.DuckDBPyConnection) else _spark(con).local
