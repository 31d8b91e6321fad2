"""Files of the user as relations of text: CSV, Parquet, JSON lines.

Everything is read as text, trimmed, with null for what means nothing; types come later
(:mod:`mkt_models.sources.casting`), where what cannot be read is counted. A line that has too many
or too few fields is kept apart, with its text.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from mkt_models.engine import DuckDB, count, literal
from mkt_models.mapping_params import Reading
from mkt_models.sections import nearest
from mkt_models.sources.mapping import quoted
from mkt_models.sources.text_files import (
    ReadError,
    Ready,
    count_lines,
    first_line,
    make_ready,
    meant_encoding,
    no_utf8,
)
from mkt_models.sources.unreadable import BrokenLine

Format = Literal["csv", "parquet", "jsonl"]
_SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_SAMPLE_ROWS = 200_000  # of a large Parquet file
_LONGEST_FIELD = 100  # lines of one field in quotes
_DELIMITERS = (",", ";", "\t", "|")
_NO_FIELD = "\x1f"  # a separator that no line has: a line is then one field
_FAULTS = {
    "MISSING COLUMNS": "the line has too few fields",
    "TOO MANY COLUMNS": "the line has too many fields",
    "UNQUOTED VALUE": "a quotation mark is not closed",
    "LINE SIZE OVER MAXIMUM": "the line is too long",
    "NOT JSON": "the line is no JSON",
}


@dataclass(frozen=True)
class File:
    """A file of the user: what people call it, where it is, and what it is."""

    name: str
    path: Path
    format: Format


@dataclass(frozen=True)
class Relation:
    """A file as the engine sees it.

    Attributes
    ----------
    file
        The file.
    rows
        SQL of its rows, with the columns of the data.
    columns
        Name and type of each column; ``VARCHAR`` for text.
    share
        The share of the file that is read: below 1 for a sample.
    first_line
        The line of the first row.
    broken
        The engine's table of lines that could not be split, if there can be any; it is filled
        while the rows are read.
    text
        Of CSV: the text whose lines must all be in a row or a broken line.

    """

    file: File
    rows: str
    columns: Mapping[str, str]
    share: float = 1.0
    first_line: int = 1
    broken: str | None = None
    text: Path | None = None

    def select(self, names: Sequence[str], nulls: Sequence[str]) -> str:
        """SQL of some columns as text: trimmed, and null where it is empty or one of ``nulls``."""
        silent = ", ".join(literal(text) for text in dict.fromkeys(("", *nulls)))
        parts = []
        for name in names:
            text = f"trim(CAST({quoted(name)} AS VARCHAR))"
            parts.append(f"CASE WHEN {text} NOT IN ({silent}) THEN {text} END AS {quoted(name)}")
        return f"SELECT {', '.join(parts) or '1 AS nothing'} FROM ({self.rows}) AS rows_of_file"


def find(folder: Path, patterns: Sequence[str], form: Format | None) -> list[File]:
    """The files that any of the patterns names, in the order of their names.

    Raises ReadError for a pattern that names none, or a file of unknown format.
    """
    if not folder.is_dir():
        raise ReadError(f"source.folder: {folder.name!r} is no folder (relative to the parameters)")
    found: dict[Path, None] = {}
    for pattern in patterns:
        if Path(pattern).is_absolute():
            raise ReadError(f"files: {pattern!r} must be relative to source.folder")
        matching = sorted(path for path in folder.glob(pattern) if path.is_file())
        if not matching:
            there = sorted(p.name for p in folder.iterdir() if p.is_file())
            has = ", ".join(there[:8]) + (" …" if len(there) > 8 else "") or "no files"
            raise ReadError(
                f"files: none is called {pattern!r} in source.folder{nearest(pattern, there)}; "
                f"it has: {has}"
            )
        found.update(dict.fromkeys(matching))
    return [File(_name(path, folder), path, form or _format_of(path)) for path in sorted(found)]


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _format_of(path: Path) -> Format:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes and suffixes[-1] in (".xls", ".xlsx", ".ods"):
        raise ReadError(f"{path.name}: is a spreadsheet; save it as CSV")
    if not suffixes or suffixes[-1] not in _SUFFIXES:
        raise ReadError(f"{path.name}: say its format: csv, parquet or jsonl")
    return _SUFFIXES[suffixes[-1]]


def open_file(
    con: DuckDB,
    file: File,
    reading: Reading,
    scratch: Path,
    number: int,
    sample_bytes: int | None = None,
) -> Relation:
    """Look at a file and say how its rows are read.

    Parameters
    ----------
    con
        An open engine.
    file
        The file.
    reading
        How it is written.
    scratch
        Folder for copies.
    number
        Names the engine's table of broken lines; another one for every file.
    sample_bytes
        About so many bytes are enough; None for all.

    Raises
    ------
    ReadError
        When the file is empty, or is not what it is said to be.

    """
    if file.path.stat().st_size == 0:
        raise ReadError(f"{file.name}: is empty; take it away or leave it out of files")
    try:
        if file.format == "parquet":
            return _open_parquet(con, file, sample_bytes)
        ready = make_ready(file.path, file.name, reading.encoding, scratch, sample_bytes)
        if file.format == "jsonl":
            return _open_jsonl(con, file, ready, number)
        return _open_csv(con, file, ready, reading, number)
    except duckdb.Error as error:
        if meant_encoding(reading.encoding) == "utf-8" and (why := no_utf8(file.path)):
            raise ReadError(f"{file.name}: {why}") from None
        raise explained(file, error) from None


def explained(file: File, error: duckdb.Error) -> ReadError:
    """Say what the engine says of a file, in a line."""
    said = str(error)
    if "Invalid unicode" in said or "is not utf-8 encoded" in said:
        return ReadError(f"{file.name}: {no_utf8(file.path) or 'is not UTF-8; say its encoding'}")
    if "sniffing" in said:
        return ReadError(
            f"{file.name}: no way was found to split it into columns; look at delimiter, quote, "
            "skip_lines and encoding"
        )
    first = said.splitlines()[0].partition("Error: ")[2] or said
    return ReadError(f"{file.name}: cannot be read as {file.format}: {first}")


def _open_csv(con: DuckDB, file: File, ready: Ready, reading: Reading, number: int) -> Relation:
    where = literal(ready.path)
    quote = literal(reading.quote)
    packing = "gzip" if ready.path.suffix == ".gz" else "none"
    fixed = f"quote={quote}, escape={quote}, skip={reading.skip_lines}, compression='{packing}'"
    delim = f", delim={literal(reading.delimiter)}" if reading.delimiter else ""
    try:
        delimiter, columns_found = con.execute(
            f"SELECT Delimiter, Columns FROM sniff_csv({where}, {fixed}{delim}, "
            f"header={reading.header}, all_varchar=true, ignore_errors=true, sample_size=2000)"
        ).fetchall()[0]
        found = [column["name"] for column in columns_found]
        if len(found) == 1 and any(mark in found[0] for mark in _DELIMITERS):
            delimiter, found = _of_first_line(ready.path, reading)
    except duckdb.InvalidInputException:  # for one odd quotation mark: the first line must do
        delimiter, found = _of_first_line(ready.path, reading)
    names = [name.strip().lstrip("\ufeff") for name in (reading.names or found)]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    broken = f"broken_{number}"
    rows = (
        f"SELECT * FROM read_csv({where}, {fixed}, delim={literal(delimiter)}, "
        f"header={reading.header}, auto_detect=false, columns={{{columns}}}, store_rejects=true, "
        f"rejects_table='{broken}', rejects_scan='{broken}_scan')"
    )
    first = reading.skip_lines + 1 + int(reading.header)
    columns_of = dict.fromkeys(names, "VARCHAR")
    return Relation(file, rows, columns_of, ready.share, first, broken, ready.path)


def _of_first_line(path: Path, reading: Reading) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns, by the first line alone."""
    first = first_line(path, reading.skip_lines)
    delimiter = reading.delimiter or max(_DELIMITERS, key=first.count)
    if reading.quote:
        return delimiter, next(csv.reader([first], delimiter=delimiter, quotechar=reading.quote))
    return delimiter, first.split(delimiter)


def _open_jsonl(con: DuckDB, file: File, ready: Ready, number: int) -> Relation:
    packing = "gzip" if ready.path.suffix == ".gz" else "none"
    lines = (
        f"SELECT line FROM read_csv({literal(ready.path)}, columns={{'line': 'VARCHAR'}}, "
        f"delim='{_NO_FIELD}', quote='', escape='', header=false, auto_detect=false, "
        f"compression='{packing}') WHERE line IS NOT NULL"
    )
    paths = _paths(con, lines)
    if not paths:
        raise ReadError(f"{file.name}: no line of it is a JSON object")
    listed = ", ".join(literal("$." + ".".join(json.dumps(key) for key in p)) for p in paths)
    taken = ", ".join(f"fields[{i}] AS {quoted('.'.join(path))}" for i, path in enumerate(paths, 1))
    rows = (
        f"SELECT {taken} FROM (SELECT json_extract_string(line, [{listed}]) AS fields "
        f"FROM ({lines}) AS lines WHERE json_valid(line))"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW not_json_{number} AS "
        "SELECT line_number AS line, line AS csv_line, 'NOT JSON' AS error_type "
        f"FROM (SELECT row_number() OVER () AS line_number, line FROM ({lines}) AS lines) AS n "
        "WHERE NOT json_valid(line)"
    )
    columns = dict.fromkeys((".".join(path) for path in paths), "VARCHAR")
    return Relation(file, rows, columns, ready.share, 1, f"not_json_{number}")


def _paths(con: DuckDB, lines: str) -> list[tuple[str, ...]]:
    """The keys of the first objects, and of the objects in them."""
    some = (
        f"(SELECT line FROM ({lines}) AS lines LIMIT 10000) AS first_lines WHERE json_valid(line)"
    )
    found: dict[tuple[str, ...], None] = {}
    for (text,) in con.execute(f"SELECT line FROM {some}").fetchall():
        record = json.loads(text)
        for key, value in record.items() if isinstance(record, dict) else ():
            found[(key,)] = None
            found.update({(key, inner): None for inner in value} if isinstance(value, dict) else {})
    return list(found)


def _open_parquet(con: DuckDB, file: File, sample_bytes: int | None) -> Relation:
    source = f"read_parquet({literal(file.path)}, file_row_number=true)"
    described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = {str(row[0]): str(row[1]) for row in described if row[0] != "file_row_number"}
    names = ", ".join(map(quoted, columns))
    rows = f"SELECT {names} FROM {source}"
    n = count(con, f"read_parquet({literal(file.path)})")
    if sample_bytes is not None and n > _SAMPLE_ROWS:
        half = _SAMPLE_ROWS // 2
        rows += f" WHERE file_row_number < {half} OR file_row_number >= {n - half}"
        return Relation(file, rows, columns, _SAMPLE_ROWS / n)
    return Relation(file, rows, columns)


def broken_lines(con: DuckDB, relation: Relation) -> list[BrokenLine]:
    """The lines that could not be split, after the rows have been read.

    Raises ReadError when a line is none of the encoding.
    """
    if relation.broken is None:
        return []
    found = con.execute(
        f"SELECT line, min(csv_line), min(CAST(error_type AS VARCHAR)) FROM {relation.broken} "
        "GROUP BY line ORDER BY line"
    ).fetchall()
    for line, _, kind in found:
        if kind == "INVALID ENCODING":
            why = no_utf8(relation.file.path) or "is not UTF-8; say its encoding"
            raise ReadError(f"{relation.file.name}: line {line} {why}")
    # An open quotation mark makes one of several lines.
    return [
        BrokenLine(int(n) + i, line, _FAULTS.get(kind, kind.lower()))
        for n, text, kind in found
        for i, line in enumerate(str(text).rstrip("\n").split("\n"))
    ]


def no_line_is_lost(
    con: DuckDB, relation: Relation, rows: int, broken: Sequence[BrokenLine]
) -> None:
    """Raise ReadError when a quotation mark has swallowed lines of a CSV file.

    A field in quotes may go over several lines, but hardly over more than ``_LONGEST_FIELD``.
    """
    if relation.text is None:
        return
    before = relation.first_line - 1 + sum(name.count("\n") for name in relation.columns)
    told = before + rows + len(broken)
    if count_lines(relation.text, blank=True) <= told:
        return
    lost = count_lines(relation.text, blank=False) - told
    if lost <= 0:
        return
    breaks = [
        f"len({quoted(n)}) - len(replace({quoted(n)}, chr(10), ''))" for n in relation.columns
    ]
    each = " + ".join(f"COALESCE({one}, 0)" for one in breaks)
    try:
        inside, longest, begins = con.execute(
            f"SELECT COALESCE(sum(n), 0), COALESCE(max(n), 0), arg_max(row, n) FROM (SELECT {each} "
            f"AS n, concat_ws(' ', {', '.join(map(quoted, relation.columns))}) AS row "
            f"FROM ({relation.rows}) AS rows_of_file) AS counted"
        ).fetchall()[0]
    finally:
        forget(con, relation)
    swallowed = lost - int(inside)
    marked = [line for line in broken if '"' in line.text] or list(broken)
    if longest > _LONGEST_FIELD:
        swallowed, where = int(longest), f"near {str(begins).splitlines()[0][:60]!r}"
    elif swallowed <= 0:
        return
    elif marked:
        where = f"opened in line {marked[-1].line}, {marked[-1].text[:60]!r},"
    else:
        where = "somewhere"
    raise ReadError(
        f"{relation.file.name}: a quotation mark {where} swallows at least {swallowed:,} lines; "
        "close it, or say quote: '' if the file has no quotes, or another quote"
    )


def forget(con: DuckDB, relation: Relation) -> None:
    """Drop what the engine remembers of a file's broken lines."""
    if relation.broken is None:
        return
    if relation.file.format == "csv":
        con.execute(f"DROP TABLE IF EXISTS {relation.broken}")
        con.execute(f"DROP TABLE IF EXISTS {relation.broken}_scan")
