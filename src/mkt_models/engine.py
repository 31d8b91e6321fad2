"""The SQL engine: DuckDB, embedded, bounded in memory, reading and writing Parquet.

Definitions elsewhere in the package are written in a portable subset of SQL: whole-number money,
``DATEDIFF`` on dates only, no list or order-dependent aggregates, every division guarded by
``NULLIF``. What is peculiar to DuckDB stays in this module.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from mkt_models.params import Engine

Connection = duckdb.DuckDBPyConnection


def connect(engine: Engine, spill: Path) -> Connection:
    """Open an in-memory database that spills to the folder ``spill`` beyond its memory limit."""
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


def literal(value: object) -> str:
    """Write a value as a SQL string literal.

    >>> literal("O'Hara")
    "'O''Hara'"
    """
    return "'" + str(value).replace("'", "''") + "'"


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
        con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({literal(path)})")
    return names


def write_parquet(con: Connection, query: str, path: Path) -> int:
    """Write the result of ``query`` as Parquet, atomically; return the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    con.execute(f"COPY ({query}) TO {literal(partial)} (FORMAT parquet, COMPRESSION zstd)")
    partial.replace(path)
    return count(con, f"read_parquet({literal(path)})")


def count(con: Connection, relation: str, where: str = "TRUE") -> int:
    """Count the rows of a table, view or sub-query that satisfy a condition."""
    return int(con.execute(f"SELECT count(*) FROM {relation} WHERE {where}").fetchall()[0][0])
