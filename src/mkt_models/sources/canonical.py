"""How a source writes the canonical tables, and the check that it keeps to their columns.

What the tables are: :mod:`mkt_models.sources.schemas`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mkt_models.columns import Table
from mkt_models.engine import DuckDB, register, write_parquet
from mkt_models.sources.schemas import REQUIRED, SCHEMAS

# What is asked of data: is it there, can it be true, is it said once, does it fit to the other
# tables, is its time possible.
Aspect = Literal["", "completeness", "validity", "uniqueness", "consistency", "timeliness"]


@dataclass(frozen=True)
class Rule:
    """One named treatment of the rows of one canonical table.

    Attributes
    ----------
    name
        Snake-case name, shown in the ledger.
    table
        The canonical table that it treats.
    action
        ``normalise`` gives values their one spelling before any other rule looks; ``quarantine``
        sets a row aside; ``merge`` keeps one of several rows that are the same; ``move`` writes a
        row to another clean table, ``to``; ``change`` rewrites columns; ``flag`` only counts.
    says
        What it does and why, in a sentence for the report.
    when
        SQL condition over the table's columns, after normalising, with ``t`` as the table's
        alias: the rows that it touches. For ``normalise`` over the raw columns. A merge has none:
        it touches the second and later of the rows that are the same.
    sets
        Column to SQL expression. For ``change`` and ``move`` applied where ``when`` holds; for
        ``normalise`` the spelling itself, which leaves a value that is already right as it is.
    to
        For ``move``: the clean table that receives the rows.
    needs
        Tables that ``when`` looks things up in. When one is absent the rule is not judged.
    aspect
        Which aspect of data quality a row that it touches lacks; empty when it is no defect.
    columns
        The columns whose values are at fault.

    """

    name: str
    table: Table
    action: Literal["normalise", "quarantine", "merge", "move", "change", "flag"]
    says: str
    when: str = "FALSE"
    sets: Mapping[str, str] = field(default_factory=dict)
    to: str = ""
    needs: tuple[Table, ...] = ()
    aspect: Aspect = ""
    columns: tuple[str, ...] = ()


class SourceError(ValueError):
    """A source's tables cannot be used; the message names table, column and remedy."""


def write_table(con: DuckDB, table: Table, query: str, folder: Path) -> int:
    """Write the result of ``query`` as a canonical table; return the number of rows.

    Columns are cast and put in the order of the schema; those that the query does not have become
    null. Rows keep the order of the query.

    Raises SourceError for a column that the canonical table does not have.
    """
    schema = SCHEMAS[table]
    given = [str(row[0]) for row in con.execute(f"DESCRIBE {query}").fetchall()]
    unknown = [name for name in given if name not in schema]
    if unknown:
        raise SourceError(
            f"{table.value}: no canonical column {', '.join(unknown)}; has: {', '.join(schema)}"
        )
    columns = ", ".join(
        f"CAST({name if name in given else 'NULL'} AS {kind}) AS {name}"
        for name, kind in schema.items()
    )
    return write_parquet(
        con, f"SELECT {columns} FROM ({query}) AS given", folder / f"{table.value}.parquet"
    )


def check(con: DuckDB, folder: Path) -> dict[Table, int]:
    """Check a folder of canonical tables; return the rows of each table that is there.

    Raises SourceError when a required table is missing, or a table's columns or types differ
    from :data:`SCHEMAS`.
    """
    present = set(register(con, folder))
    rows: dict[Table, int] = {}
    for table, schema in SCHEMAS.items():
        if table.value not in present:
            if table in REQUIRED:
                raise SourceError(f"{folder}: no table {table.value!r}; every run needs it")
            continue
        described = con.execute(f"DESCRIBE {table.value}").fetchall()
        found = {str(row[0]): str(row[1]) for row in described}
        for column, kind in schema.items():
            if column not in found:
                has = ", ".join(found)
                raise SourceError(f"{table.value}: no column {column!r}; has: {has}")
            if found[column] != kind:
                raise SourceError(
                    f"{table.value}.{column}: type {found[column]}, must be {kind}; "
                    f"cast it in the source"
                )
        rows[table] = int(con.execute(f"SELECT count(*) FROM {table.value}").fetchall()[0][0])
    return rows
