"""Mapped tables, read into the engine: every row of the data, and what could not be read of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mkt_models.columns import Table
from mkt_models.engine import DuckDB, count, literal
from mkt_models.mapping_params import Database, TableMapping
from mkt_models.source_params import Files
from mkt_models.sources import database, lost_lines, unreadable
from mkt_models.sources.file_readers import open_file
from mkt_models.sources.file_relations import File, Relation, find
from mkt_models.sources.mapping import (
    Made,
    columns_made,
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


def load(
    con: DuckDB, source: Files, scratch: Path, sample_bytes: int | None = None
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
    con: DuckDB, source: Files, table: Table, scratch: Path, sample_bytes: int | None
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
        lost_lines.no_line_is_lost(con, relation, stop - start, broken)
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
    con: DuckDB, source: Files, table: Table, scratch: Path, sample_bytes: int | None
) -> list[Relation]:
    """The files, or the copy of the database table, that feed a table."""
    place, reading = source.reads(table)
    if place.database is not None:
        mapping = source.tables.mapped()[table]
        return [_copied(place.database, mapping, scratch, sampled=sample_bytes is not None)]
    files = find(Path(source.folder), place.files, reading.format)
    each = None if sample_bytes is None else max(sample_bytes // len(files), 100_000)
    return [
        open_file(con, file, reading, scratch, number, each) for number, file in enumerate(files)
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
    con: DuckDB, relation: Relation, given: str, made: Sequence[Made], staged: str
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
        return lost_lines.broken_lines(con, relation)
    except duckdb.Error as error:
        raise lost_lines.explained(relation.file, error) from None
    finally:
        lost_lines.forget(con, relation)


def _read_as(
    con: DuckDB, relation: Relation, given: str, made: Sequence[Made]
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
        raise lost_lines.explained(relation.file, error) from None
    finally:
        lost_lines.forget(con, relation)
    return out


def _insert_nulls(con: DuckDB, staged: str, n: int) -> None:
    if n:
        width = len(con.execute(f"SELECT * FROM {staged} LIMIT 0").description or ())
        con.execute(f"INSERT INTO {staged} SELECT {', '.join(['NULL'] * width)} FROM range({n})")


def _keep_last(con: DuckDB, staged: str, keys: Sequence[str]) -> None:
    """Keep the last row of those that agree in the keys; none where a key is null."""
    names = ", ".join(keys)
    known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {staged} AS SELECT * FROM {staged} WHERE rowid IN "
        f"(SELECT max(rowid) FROM {staged} WHERE {known} GROUP BY {names}) ORDER BY {names}"
    )
