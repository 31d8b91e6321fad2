"""Files and database tables of the user, mapped to the canonical tables by parameters alone.

Every row of the data becomes a row of a raw table, whatever is wrong with it. A text that cannot be
read as its column's type becomes null *and* a row of ``unreadable.parquet`` beside the tables, with
file, line, column and text; when there are many of them the run ends instead. A line that cannot
be split into fields becomes a row of nulls, which cleaning sets aside, and stands there whole.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from mkt_models.columns import Table
from mkt_models.engine import Connection, count, literal
from mkt_models.mapping_params import Database, TableMapping
from mkt_models.source_params import Files
from mkt_models.sources import database, file_readers, unreadable
from mkt_models.sources.canonical import SourceError, write_table
from mkt_models.sources.consents import assumed_consents_sql
from mkt_models.sources.file_readers import File, Relation
from mkt_models.sources.mapping import (
    Made,
    columns_made,
    faults,
    faults_of_data,
    faults_of_table,
    needed_columns,
)
from mkt_models.sources.schemas import CANONICAL
from mkt_models.sources.text_files import ReadError
from mkt_models.sources.unreadable import Piece

_SAMPLE_ROWS = 500_000  # of a large database table
_TOLD = ("BIGINT", "DOUBLE", "DATE", "TIMESTAMP")  # what may be misread, and names nobody


@dataclass(frozen=True)
class Loaded:
    """A canonical table as it was read, and what was found on the way.

    Attributes
    ----------
    table
        The canonical table.
    rows
        Its rows, of what was read.
    files
        What was read: name, and number of rows with the lines that could not be split.
    share
        The share of the data that was read: below 1 for a sample.
    found
        The columns of the data.
    counts
        Of each mapped column, how many texts were given and how many could not be read.
    read_as
        Of numbers and times in a sample: the first text that was given, and its value.

    """

    table: Table
    rows: int
    files: dict[str, int]
    share: float
    found: tuple[str, ...]
    counts: dict[str, unreadable.Count]
    read_as: dict[str, tuple[str, object]]


def extract(con: Connection, source: Files, seed: int, folder: Path) -> dict[str, object]:
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


def load(
    con: Connection, source: Files, scratch: Path, sample_bytes: int | None = None
) -> tuple[list[Loaded], list[str]]:
    """Read every mapped table into the engine; return what was found, and what is wrong.

    The engine's table ``staged_<table>`` then holds the rows in the order of the files. A table
    that could not be read is left out of the list, and so is one whose mapping has
    :func:`faults`. ``sample_bytes`` limits what is read of the files of a table, each of which is
    cut to its share; None reads all.
    """
    unreadable.begin(con)
    loaded, wrong = [], []
    for table, mapping in source.tables.mapped().items():
        if faults_of_table(table, mapping):
            continue
        try:
            loaded.append(_load_table(con, source, table, scratch, sample_bytes))
        except ReadError as error:
            wrong += [f"source.tables.{table.value}: {line}" for line in str(error).splitlines()]
    return loaded, wrong


def _load_table(
    con: Connection, source: Files, table: Table, scratch: Path, sample_bytes: int | None
) -> Loaded:
    mapping = source.tables.mapped()[table]
    relations = _open(con, source, table, scratch, sample_bytes)
    wrong = faults_of_data(table, mapping, {r.file.name: r.columns for r in relations})
    if wrong:
        raise ReadError("\n".join(wrong))
    _, reading = source.reads(table)
    kinds = CANONICAL[table].columns
    staged = f"staged_{table.value}"
    pieces: list[Piece] = []
    read_as: dict[str, tuple[str, object]] = {}
    for relation in relations:
        texts = {name for name, kind in relation.columns.items() if kind == "VARCHAR"}
        made = columns_made(source, table, texts)
        if not pieces:
            columns = (f"{m.name} {kinds[m.name]}, unread_{m.name} VARCHAR" for m in made)
            con.execute(f"CREATE OR REPLACE TEMP TABLE {staged} ({', '.join(columns)})")
        start = count(con, staged)
        given = relation.select(needed_columns(mapping), reading.nulls)
        if sample_bytes is not None and not read_as:
            read_as = _read_as(con, relation, given, [m for m in made if kinds[m.name] in _TOLD])
        broken = _insert(con, relation, given, made, staged)
        kept = broken if mapping.from_table is None else []
        name, stop = relation.file.name, count(con, staged)
        pieces.append(Piece(name, relation.first_line, start, stop, kept))
    unread = {m.name: f"unread_{m.name}" for m in made}
    counts = unreadable.note(con, table, staged, unread, pieces)
    if mapping.one_per:
        _keep_last(con, staged, mapping.one_per)
    else:
        _insert_nulls(con, staged, counts[unreadable.WHOLE_LINE].unreadable)
    files = {piece.name: piece.stop - piece.start + len(piece.broken) for piece in pieces}
    whole = sum(n / r.share for n, r in zip(files.values(), relations, strict=True) if r.share)
    found = tuple(dict.fromkeys(name for r in relations for name in r.columns))
    share = sum(files.values()) / whole if whole else 1.0
    return Loaded(table, count(con, staged), files, share, found, counts, read_as)


def _open(
    con: Connection, source: Files, table: Table, scratch: Path, sample_bytes: int | None
) -> list[Relation]:
    """The files, or the copy of the database table, that feed a table."""
    place, reading = source.reads(table)
    if place.database is not None:
        mapping = source.tables.mapped()[table]
        return [_copied(place.database, mapping, scratch, sampled=sample_bytes is not None)]
    files = file_readers.find(Path(source.folder), place.files, reading.format)
    each = None if sample_bytes is None else max(sample_bytes // len(files), 100_000)
    return [
        file_readers.open_file(con, file, reading, scratch, number, each)
        for number, file in enumerate(files)
    ]


def _copied(place: Database, mapping: TableMapping, scratch: Path, sampled: bool) -> Relation:
    """Copy the columns that are needed out of a database."""
    columns = database.columns_of(place)
    name = database.name_of(place)
    wanted = [name for name in needed_columns(mapping) if name in columns]
    rows = database.count_rows(place)
    limit = _SAMPLE_ROWS if sampled and rows > _SAMPLE_ROWS else None
    path = scratch / f"{hashlib.sha256(f'{place!r}{wanted}{limit}'.encode()).hexdigest()[:16]}.csv"
    if wanted:
        database.copy_rows(place, wanted, path, limit)
    fields = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in wanted)
    query = (
        f"SELECT * FROM read_csv({literal(path)}, header=true, auto_detect=false, delim=',', "
        f"quote='\"', escape='\"', columns={{{fields}}})"
    )
    return Relation(File(name, path, "csv"), query, columns, limit / rows if limit else 1.0)


def _insert(
    con: Connection, relation: Relation, given: str, made: Sequence[Made], staged: str
) -> list[unreadable.BrokenLine]:
    """Read the rows of one file; return its broken lines."""
    parts = ", ".join(
        f"{m.value} AS value_{m.name}, {m.given} AS given_{m.name}, {m.excused} AS excused_{m.name}"
        for m in made
    )
    columns = ", ".join(
        f"value_{m.name}, CASE WHEN value_{m.name} IS NULL AND NOT excused_{m.name} "
        f"THEN given_{m.name} END"
        for m in made
    )
    try:
        con.execute(
            f"INSERT INTO {staged} SELECT {columns} "
            f"FROM (SELECT {parts} FROM ({given}) AS given) AS made"
        )
        return file_readers.broken_lines(con, relation)
    except duckdb.Error as error:
        raise file_readers.explained(relation.file, error) from None
    finally:
        file_readers.forget(con, relation)


def _read_as(
    con: Connection, relation: Relation, given: str, made: Sequence[Made]
) -> dict[str, tuple[str, object]]:
    """What becomes of the first texts of a file."""
    out: dict[str, tuple[str, object]] = {}
    columns = ", ".join(f"{m.given}, {m.value}" for m in made)
    try:
        some = f"SELECT {columns} FROM ({given}) AS given LIMIT 100"
        for row in con.execute(some).fetchall() if made else ():
            for m, text, value in zip(made, row[::2], row[1::2], strict=True):
                if value is not None and text is not None:
                    out.setdefault(m.name, (str(text), value))
    except duckdb.Error as error:
        raise file_readers.explained(relation.file, error) from None
    finally:
        file_readers.forget(con, relation)
    return out


def _insert_nulls(con: Connection, staged: str, n: int) -> None:
    if n:
        width = len(con.execute(f"SELECT * FROM {staged} LIMIT 0").description or ())
        con.execute(f"INSERT INTO {staged} SELECT {', '.join(['NULL'] * width)} FROM range({n})")


def _keep_last(con: Connection, staged: str, keys: Sequence[str]) -> None:
    """Keep the last row of those that agree in the keys; none where a key is null."""
    names = ", ".join(keys)
    known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {staged} AS SELECT * FROM {staged} WHERE rowid IN "
        f"(SELECT max(rowid) FROM {staged} WHERE {known} GROUP BY {names}) ORDER BY {names}"
    )


def write(con: Connection, source: Files, loaded: Sequence[Loaded], folder: Path) -> list[str]:
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


def _day_before(con: Connection, lines: str) -> date:
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
