"""What could not be read: which text, in which line of which file, for which column.

Nothing that is given becomes null silently: it is listed here, and counted against the share that
the parameters allow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mkt_models.columns import Table
from mkt_models.engine import DuckDB, literal, write_parquet
from mkt_models.sources.schemas import CANONICAL

WHOLE_LINE = "(whole line)"
FILE = "unreadable.parquet"
_LISTED = "listed_unreadable"
_MORE = 3  # texts shown beside the first


@dataclass(frozen=True)
class BrokenLine:
    """A line of a file that could not be split into fields."""

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class Piece:
    """A file's rows among the staged ones.

    Attributes
    ----------
    name
        What people call the file.
    first_line
        The line of its first row.
    start, stop
        Its rows are those from ``start`` up to, and without, ``stop``.
    broken
        Its lines that could not be split, in their order.

    """

    name: str
    first_line: int
    start: int
    stop: int
    broken: Sequence[BrokenLine] = ()


@dataclass(frozen=True)
class Count:
    """How many texts were given for a column, and how many of them could not be read."""

    given: int
    unreadable: int
    example: str = ""

    @property
    def share(self) -> float:
        """The unreadable part of what was given."""
        return self.unreadable / self.given if self.given else 0.0


def begin(con: DuckDB) -> None:
    """Begin an empty list."""
    con.execute(
        f'CREATE OR REPLACE TEMP TABLE {_LISTED} ("table" VARCHAR, file VARCHAR, line BIGINT, '
        '"column" VARCHAR, value VARCHAR)'
    )


def note(
    con: DuckDB, table: Table, staged: str, columns: Mapping[str, str], pieces: Sequence[Piece]
) -> dict[str, Count]:
    """List what could not be read of a table; return the counts of each column.

    Parameters
    ----------
    con
        An open engine in which :func:`begin` was called.
    table
        The canonical table.
    staged
        The engine's table of its rows, in the order of the files.
    columns
        Each canonical column, and the staged column of the texts that could not be read for it.
    pieces
        Which rows come from which file.

    """
    parts = ", ".join(f"count({name}), count({unread})" for name, unread in columns.items())
    counted = con.execute(f"SELECT {parts} FROM {staged}").fetchall()[0]
    read = dict(zip(columns, counted[::2], strict=True))
    unread = dict(zip(columns, counted[1::2], strict=True))
    _name_pieces(con, pieces)
    for name, bad in columns.items():
        if unread[name]:
            con.execute(
                f"INSERT INTO {_LISTED} SELECT {literal(table.value)}, p.name, "
                "p.first_line + s.row - p.start + COALESCE(b.so_many, 0), "
                f"{literal(name)}, s.value "
                f"FROM (SELECT rowid AS row, {bad} AS value FROM {staged} WHERE {bad} IS NOT NULL) "
                "AS s JOIN pieces AS p ON s.row >= p.start AND s.row < p.stop "
                "ASOF LEFT JOIN broken_before AS b "
                "ON b.name = p.name AND s.row - p.start >= b.rows_before"
            )
    lost = [
        [table.value, p.name, b.line, WHOLE_LINE, f"{b.why}: {b.text}"]
        for p in pieces
        for b in p.broken
    ]
    if lost:
        con.executemany(f"INSERT INTO {_LISTED} VALUES (?, ?, ?, ?, ?)", lost)
    rows = sum(p.stop - p.start + len(p.broken) for p in pieces)
    counts = {n: Count(read[n] + unread[n], unread[n], _example(con, table, n)) for n in columns}
    return counts | {WHOLE_LINE: Count(rows, len(lost), _example(con, table, WHOLE_LINE))}


def _name_pieces(con: DuckDB, pieces: Sequence[Piece]) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE pieces "
        "(name VARCHAR, first_line BIGINT, start BIGINT, stop BIGINT)"
    )
    con.executemany(
        "INSERT INTO pieces VALUES (?, ?, ?, ?)",
        [[p.name, p.first_line, p.start, p.stop] for p in pieces],
    )
    # Of each broken line: how many rows of its file stand before it.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE broken_before "
        "(name VARCHAR, rows_before BIGINT, so_many BIGINT)"
    )
    before: dict[tuple[str, int], int] = {}
    for p in pieces:
        for so_many, b in enumerate(p.broken, 1):
            before[p.name, b.line - p.first_line - (so_many - 1)] = so_many
    if before:
        con.executemany(
            "INSERT INTO broken_before VALUES (?, ?, ?)", [[*key, n] for key, n in before.items()]
        )


def _example(con: DuckDB, table: Table, column: str) -> str:
    """The first that could not be read, with file and line, and the commonest others."""
    found = con.execute(
        f'SELECT file, line, value FROM {_LISTED} WHERE "table" = {literal(table.value)} '
        f'AND "column" = {literal(column)} ORDER BY file, line LIMIT 1'
    ).fetchall()
    if not found:
        return ""
    file, line, value = found[0]
    others = [
        repr(other)
        for (other,) in con.execute(
            f'SELECT value FROM {_LISTED} WHERE "table" = {literal(table.value)} '
            f'AND "column" = {literal(column)} AND value <> {literal(value)} '
            f"GROUP BY value ORDER BY count(*) DESC, value LIMIT {_MORE}"
        ).fetchall()
    ]
    more = f"; also {', '.join(others)}" if others and column != WHOLE_LINE else ""
    return f"{file} line {line}: {value!r}{more}"


def write(con: DuckDB, folder: Path) -> int:
    """Write the list to ``unreadable.parquet`` of a folder, if it has rows; return their number."""
    path = folder / FILE
    path.unlink(missing_ok=True)
    rows = int(con.execute(f"SELECT count(*) FROM {_LISTED}").fetchall()[0][0])
    if rows:
        write_parquet(con, f'SELECT * FROM {_LISTED} ORDER BY "table", file, line, "column"', path)
    return rows


def too_much(table: Table, counts: Mapping[str, Count], limit: float) -> list[str]:
    """Say which columns are unreadable in more than the allowed share, and the remedy."""
    return [
        f"source.tables.{table.value}.columns.{name}: {_of(count)} values cannot be read, e.g. "
        f"{count.example}. {_remedy(table, name)}"
        if name != WHOLE_LINE
        else f"source.tables.{table.value}: {_of(count)} lines cannot be split into fields, e.g. "
        f"{count.example}. Look at delimiter, quote and skip_lines"
        for name, count in counts.items()
        if count.share > limit
    ]


def _of(count: Count) -> str:
    return f"{count.unreadable:,} of {count.given:,} ({count.share:.1%})"


def _remedy(table: Table, column: str) -> str:
    kind = CANONICAL[table].columns[column]
    if kind in ("TIMESTAMP", "DATE"):
        return (
            "No format that is given fits it. Say under format (or date_format, for the whole "
            "table) how it is written; of several the first that fits counts: "
            "['%d.%m.%Y %H:%M', '%Y-%m-%d %H:%M:%S']"
        )
    if kind in ("BIGINT", "DOUBLE", "INTEGER"):
        money = column.endswith("_cents")
        return f"Look at decimal, thousands and nulls{', and at the currency' if money else ''}"
    return (
        "Name it under values, or say under otherwise what others become (null: they tell nothing)"
    )
