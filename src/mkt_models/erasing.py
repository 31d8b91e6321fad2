"""Finding and removing a person in one file of a run, whatever its kind.

How a mention is known depends on the kind. In tables (Parquet, SQLite) it is the value of a column
of ids. In JSON it is the value of a key of ids, or a value in a list of ids. In pages, notebooks
and logs it is the id as a word of its own; what holds it goes as a whole (a notebook's output, a
page, a line of a log), since what stands beside an id is as personal as the id. Short ids are
ordinary numbers too, so more than the person's may go: a run makes it again.

Every file is written beside its place and renamed.
"""

import html
import json
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PERSON_COLUMNS = frozenset(
    {"customer_id", "source_customer_id", "target_customer_id", "customer", "household_id"}
)
# Values of these are ids of other things, however alike they look.
_OTHER_KEYS = frozenset(
    {"product_id", "store_id", "campaign_id", "offer_id", "order_id", "products", "items"}
)
_FIGURES = ("image/png", "image/svg+xml", "image/jpeg")
_EMBEDDED = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
_GONE = object()
_SQLITE = b"SQLite format 3\x00"

REMOVED = "An output stood here. It was removed: it named a customer who has been forgotten."


class Person:
    """Everything by which one person is known in a run."""

    def __init__(self, ids: Collection[str], words: Collection[str] | None = None) -> None:
        """Take the ids: the customer's, those of other accounts, their pseudonyms.

        ``words`` are those that are looked for as words of a text and in lists, by default all: in
        a run of pseudonyms a short id is found in columns and keys of ids only, as there it can
        be nothing else, and an ordinary number everywhere else.
        """
        if not ids or not all(ids):
            raise ValueError("a person needs an id that is not empty")
        self.ids = frozenset(ids)
        self.words = self.ids if words is None else frozenset(words)
        either = "|".join(sorted(map(re.escape, self.words), key=len, reverse=True)) or r"(?!)"
        self._word = re.compile(rf"(?<![\w.,-])(?:{either})(?![\w-]|[.,]\d)")

    def named_in(self, text: str) -> bool:
        """Whether an id stands in a text as a word of its own."""
        return self._word.search(text) is not None

    def surely_named_in(self, text: str) -> bool:
        """Whether an id long enough not to be there by chance stands in a text."""
        return any(len(one) >= SURE and one in text for one in self.ids)

    def named_in_bytes(self, data: bytes) -> bool:
        """Whether an id long enough not to be there by chance stands in bytes."""
        return any(one.encode() in data for one in self.ids if len(one) >= SURE)

    def is_one(self, value: object) -> bool:
        """Whether a value is one of the ids."""
        return isinstance(value, str | int) and str(value) in self.ids


SURE = 8
"""An id of so many characters is not among arbitrary bytes by chance; a shorter one may be."""


def mentions(path: Path, person: Person) -> int:
    """How often a file names the person: rows, entries, outputs or lines."""
    return _tool(path)(path, person, False)


def erase(path: Path, person: Person) -> int:
    """Remove the person from a file; returns how much was removed."""
    return _tool(path)(path, person, True)


def searchable(path: Path, person: Person) -> bool:
    """Whether a person would be found in a file; a short id among arbitrary bytes would not."""
    return _tool(path) is not _bytes or all(len(one) >= SURE for one in person.words)


def _parquet(path: Path, person: Person, remove: bool) -> int:
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name in PERSON_COLUMNS]
        if not columns:
            return 0
        found = sum(
            pc.sum(_of_person(batch, person)).as_py() or 0
            for batch in file.iter_batches(columns=columns)
        )
        if not (found and remove):
            return int(found)
        partial = path.with_name(f".{path.name}.partial")
        with pq.ParquetWriter(partial, file.schema_arrow) as writer:
            for batch in file.iter_batches():
                writer.write_batch(batch.filter(pc.invert(_of_person(batch, person))))
    partial.replace(path)
    return int(found)


def _of_person(batch: pa.RecordBatch, person: Person) -> Any:
    ids = pa.array(sorted(person.ids), pa.string())
    theirs = pa.array([False] * batch.num_rows)
    for name in batch.schema.names:
        if name in PERSON_COLUMNS:
            values = pc.cast(batch.column(name), pa.string())
            theirs = pc.or_(theirs, pc.is_in(values, value_set=ids))
    return theirs


def _sqlite(path: Path, person: Person, remove: bool) -> int:
    found = 0
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA secure_delete = ON")
        tables = con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        marks = ", ".join("?" * len(person.ids))
        for (table,) in tables:
            named = [row[1] for row in con.execute(f'PRAGMA table_info("{table}")')]
            for column in named:
                if column not in PERSON_COLUMNS:
                    continue
                where = f'FROM "{table}" WHERE CAST("{column}" AS TEXT) IN ({marks})'
                found += con.execute(f"SELECT count(*) {where}", sorted(person.ids)).fetchone()[0]
                if remove:
                    con.execute(f"DELETE {where}", sorted(person.ids))
        con.commit()
        if found and remove:
            con.execute("VACUUM")
    return found


def _json(path: Path, person: Person, remove: bool) -> int:
    return _documents(path, person, remove, lines=False)


def _json_lines(path: Path, person: Person, remove: bool) -> int:
    return _documents(path, person, remove, lines=True)


def _documents(path: Path, person: Person, remove: bool, lines: bool) -> int:
    text = path.read_text(encoding="utf-8")
    try:
        given = (
            [json.loads(line) for line in text.splitlines() if line] if lines else json.loads(text)
        )
    except json.JSONDecodeError:
        return _text(path, person, remove)
    count = [0]
    left = _pruned(given, person, count)
    if not (count[0] and remove):
        return count[0]
    if left is _GONE:
        path.unlink()
        return count[0]
    if lines:
        said = "".join(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in left)
    else:
        said = json.dumps(left, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    _write(path, said)
    return count[0]


def _pruned(value: Any, person: Person, count: list[int], key: str = "") -> Any:
    """The value without what is the person's; :data:`_GONE` when all of it is."""
    if isinstance(value, dict):
        if any(name in PERSON_COLUMNS and person.is_one(one) for name, one in value.items()):
            count[0] += 1
            return _GONE
        entries = {}
        for name, one in value.items():
            if name in person.words and "customer" in key:
                count[0] += 1
                continue
            left = _pruned(one, person, count, name)
            if left is not _GONE:
                entries[name] = left
        return entries
    if isinstance(value, list):
        ids = key not in _OTHER_KEYS and all(isinstance(one, str) for one in value)
        kept = [one for one in value if not (ids and one in person.words)]
        count[0] += len(value) - len(kept)
        left = [_pruned(one, person, count, key) for one in kept]
        return [one for one in left if one is not _GONE]
    if isinstance(value, str) and person.surely_named_in(value):
        count[0] += 1
        return _GONE
    return value


def _notebook(path: Path, person: Person, remove: bool) -> int:
    notebook = nbformat.read(path, as_version=4)
    found = 0
    for cell in notebook.cells:
        kept = []
        for output in cell.get("outputs", []):
            data = {k: v for k, v in output.get("data", {}).items() if k not in _FIGURES}
            if any(
                person.named_in(text) or person.named_in(html.unescape(text))
                for part in (data, output.get("text", ""), output.get("traceback", ""))
                for text in _texts(part)
            ):
                found += 1
                output = nbformat.v4.new_output("stream", name="stdout", text=REMOVED)
            kept.append(output)
        if "outputs" in cell:
            cell["outputs"] = kept
        if person.named_in(cell.source):
            found += 1
            cell.source = f"# {REMOVED}" if cell.cell_type == "code" else REMOVED
    if found and remove:
        _write(path, nbformat.writes(notebook) + "\n")
    return found


def _texts(value: Any) -> Iterator[str]:
    """Every text within a value; lines of one text are joined."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        if all(isinstance(one, str) for one in value):
            yield "".join(value)
        else:
            for one in value:
                yield from _texts(one)
    else:
        yield str(value)


def _page(path: Path, person: Person, remove: bool) -> int:
    """A page is made anew by the next run; one that names the person goes as a whole."""
    said = _EMBEDDED.sub("", path.read_text(encoding="utf-8"))
    if not (person.named_in(said) or person.named_in(html.unescape(said))):
        return 0
    if remove:
        path.unlink()
    return 1


def _text(path: Path, person: Person, remove: bool) -> int:
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    kept = [line for line in lines if not person.named_in(line)]
    if remove and len(kept) < len(lines):
        _write(path, "".join(kept), errors="surrogateescape")
    return len(lines) - len(kept)


def _bytes(path: Path, person: Person, remove: bool) -> int:
    """Bytes of an unknown kind cannot be mended: the file goes as a whole."""
    if not person.named_in_bytes(path.read_bytes()):
        return 0
    if remove:
        path.unlink()
    return 1


def _tool(path: Path) -> Callable[[Path, Person, bool], int]:
    tool = _TOOLS.get(path.suffix.lower(), _bytes)
    if tool is _sqlite:  # other databases have the same endings
        with path.open("rb") as file:
            return _sqlite if file.read(len(_SQLITE)) == _SQLITE else _bytes
    return tool


def _write(path: Path, text: str, errors: str = "strict") -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8", errors=errors)
    partial.replace(path)


_TOOLS: dict[str, Callable[[Path, Person, bool], int]] = {
    ".parquet": _parquet,
    ".sqlite": _sqlite,
    ".db": _sqlite,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ipynb": _notebook,
    ".html": _page,
    ".htm": _page,
    ".csv": _text,
    ".log": _text,
    ".md": _text,
    ".txt": _text,
    ".yaml": _text,
    ".yml": _text,
    ".in": _text,
    ".sh": _text,
    "": _text,
}
