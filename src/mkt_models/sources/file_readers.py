"""Files of the user as relations of text: CSV, Parquet, JSON lines.

Everything is read as text, trimmed, with null for what means nothing; types come later
(:mod:`mkt_models.sources.casting`), where what cannot be read is counted. A line that has too many
or too few fields is kept apart, with its text.
"""

import csv
import json
from pathlib import Path

import duckdb

from mkt_models.engine import DuckDB, count, literal
from mkt_models.mapping_params import Reading
from mkt_models.sources.file_relations import File, Relation
from mkt_models.sources.lost_lines import explained
from mkt_models.sources.mapping import quoted
from mkt_models.sources.text_files import (
    ReadError,
    Ready,
    first_line,
    make_ready,
    meant_encoding,
    no_utf8,
)

_SAMPLE_ROWS = 200_000  # of a large Parquet file
_DELIMITERS = (",", ";", "\t", "|")
_NO_FIELD = "\x1f"  # a separator that no line has: a line is then one field


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
