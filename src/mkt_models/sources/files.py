"""Files and database tables of the user, mapped to the canonical tables by parameters alone.

Every row of the data becomes a row of a raw table, whatever is wrong with it. A text that cannot be
read as its column's type becomes null *and* a row of ``unreadable.parquet`` beside the tables, with
file, line, column and text; when there are many of them the run ends instead. A line that cannot
be split into fields becomes a row of nulls, which cleaning sets aside, and stands there whole.
"""

import hashlib
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from mkt_models.columns import Table
from mkt_models.engine import DuckDB, literal
from mkt_models.source_params import Files
from mkt_models.sources import database, unreadable
from mkt_models.sources.canonical import SourceError, write_table
from mkt_models.sources.consents import assumed_consents_sql
from mkt_models.sources.mapped_tables import Loaded, load
from mkt_models.sources.mapping import faults


def extract(con: DuckDB, source: Files, seed: int, folder: Path) -> dict[str, object]:
    """Write the canonical tables of the user's data to ``folder``.

    Parameters
    ----------
    con
        An open engine.
    source
        Where the data is, and what it means; its folder is absolute (:meth:`Files.at`).
    seed
        Not used: everything is read.
    folder
        Where ``<table>.parquet`` and, if some texts could not be read, ``unreadable.parquet`` are
        written.

    Returns
    -------
    dict
        Origin of the data for the run's manifest: SHA-256 and number of rows of each file, how
        many texts of each column could not be read, and which tables are derived.

    Raises
    ------
    SourceError
        With every fault of the mapping, of a file, or of a column that largely cannot be read.

    """
    wrong = faults(source)
    loaded: list[Loaded] = []
    if not wrong:
        scratch = folder / ".scratch"
        try:
            loaded, wrong = load(con, source, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    for one in loaded:
        wrong += unreadable.too_much(one.table, one.counts, source.max_unreadable_share)
    if wrong:
        raise SourceError("\n".join(wrong))
    derived = write(con, source, loaded, folder)
    origin: dict[str, object] = {"kind": source.kind, "derived": derived}
    origin["tables"] = {one.table.value: _origin(source, one) for one in loaded}
    return origin | ({"about": source.about} if source.about else {})


def write(con: DuckDB, source: Files, loaded: Sequence[Loaded], folder: Path) -> list[str]:
    """Write what was loaded as canonical tables; return the names of those that are derived.

    Customers and products that the data has no table of are those of the transactions. Consents
    that it has no table of are those that the parameters assume, if any.
    """
    tables = [one.table for one in loaded]
    for one in loaded:
        columns = ", ".join(n for n in one.counts if n != unreadable.WHOLE_LINE)
        write_table(con, one.table, f"SELECT {columns} FROM staged_{one.table.value}", folder)
    unreadable.write(con, folder)
    derived = []
    lines = f"read_parquet({literal(folder / 'transactions.parquet')})"
    for table, key in ((Table.CUSTOMERS, "customer_id"), (Table.PRODUCTS, "product_id")):
        if table not in tables:
            named = f"SELECT DISTINCT {key} FROM {lines} WHERE {key} IS NOT NULL ORDER BY {key}"
            write_table(con, table, named, folder)
            derived.append(table.value)
    if Table.CONSENTS not in tables:
        everybody = literal(folder / "customers.parquet")
        exposed = "SELECT '' AS customer_id WHERE FALSE"
        if Table.EXPOSURES in tables:
            exposed = (
                f"SELECT customer_id FROM read_parquet({literal(folder / 'exposures.parquet')})"
            )
        consents = assumed_consents_sql(
            source,
            f"SELECT DISTINCT customer_id FROM read_parquet({everybody}) "
            "WHERE customer_id IS NOT NULL",
            exposed,
            since=_day_before(con, lines),
        )
        write_table(con, Table.CONSENTS, consents, folder)
        derived.append(Table.CONSENTS.value)
    for table in tables:
        con.execute(f"DROP TABLE staged_{table.value}")
    return derived


def _day_before(con: DuckDB, lines: str) -> date:
    first = con.execute(f"SELECT CAST(min(occurred_at) AS DATE) FROM {lines}").fetchall()[0][0]
    return (first or date(1970, 1, 2)) - timedelta(days=1)


def _origin(source: Files, one: Loaded) -> dict[str, object]:
    """Where a table comes from: its files with their hashes, and what could not be read of them."""
    mapping = source.tables.mapped()[one.table]
    out: dict[str, object] = {
        "rows": one.rows,
        "unreadable": {name: c.unreadable for name, c in one.counts.items() if c.unreadable},
    }
    if mapping.from_table is not None:
        return out | {"from_table": mapping.from_table.value}
    if mapping.database is not None:
        return out | {
            "database": next(iter(one.files)),
            "rows_read": next(iter(one.files.values())),
        }
    files = {}
    for name, rows in one.files.items():
        with (Path(source.folder) / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files[name] = {"rows": rows, "sha256": digest}
    return out | {"files": files}


def data_files(source: Files) -> list[Path]:
    """The files of the user that a run reads, sorted; those that are missing are left out."""
    found: set[Path] = set()
    for mapping in source.tables.mapped().values():
        for pattern in mapping.files:
            found.update(path for path in Path(source.folder).glob(pattern) if path.is_file())
    return sorted(found)


def version(source: Files) -> str:
    """What tells that a database's data has changed; empty when only files are read."""
    places = (mapping.database for mapping in source.tables.mapped().values())
    return "; ".join(database.fingerprint(place) for place in places if place is not None)
