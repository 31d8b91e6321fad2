"""Which files the user names, and what a file is to the engine: rows of text columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mkt_models.engine import literal
from mkt_models.sections import nearest
from mkt_models.sources.mapping import quoted
from mkt_models.sources.text_files import ReadError

Format = Literal["csv", "parquet", "jsonl"]
_SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
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
