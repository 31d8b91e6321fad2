"""Lines of a file that are in no row: told apart with their text, or the end of the reading.

Every physical line of a CSV file must be in a row or among the broken lines; one quotation mark
that is never closed would otherwise swallow half a file.
"""

from collections.abc import Sequence

import duckdb

from mkt_models.engine import DuckDB
from mkt_models.sources.file_relations import File, Relation
from mkt_models.sources.mapping import quoted
from mkt_models.sources.text_files import ReadError, count_lines, no_utf8
from mkt_models.sources.unreadable import BrokenLine

_LONGEST_FIELD = 100  # lines of one field in quotes
_FAULTS = {
    "MISSING COLUMNS": "the line has too few fields",
    "TOO MANY COLUMNS": "the line has too many fields",
    "UNQUOTED VALUE": "a quotation mark is not closed",
    "LINE SIZE OVER MAXIMUM": "the line is too long",
    "NOT JSON": "the line is no JSON",
}


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
