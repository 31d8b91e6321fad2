"""Pseudonyms at the source, and customers who were forgotten and must not come back.

A pseudonym is a keyed hash (HMAC-SHA256, RFC 2104) of an id. Ids are few and short, so an unkeyed
hash could be undone by trying them all; with the key it cannot, and whoever loses the key cannot
undo it either. The same key gives the same pseudonym in every table and run.

A source writes its tables outside the run's folder; only what has gone through here is put there.
Every engine reads the tables that were written here: Spark begins at the cleaning, so it sees
pseudonyms only.
"""

import hashlib
import hmac
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

from mkt_models.engine import DuckDB, literal
from mkt_models.privacy_params import KEY_LENGTH, Privacy

PERSONAL: tuple[str, ...] = ("customer_id", "target_customer_id", "source_customer_id")
"""Columns of ids of customers, in whatever table."""

# Of these tables another column tells who somebody is.
_ALSO: Mapping[str, tuple[str, ...]] = {"identities": ("value",), "actions": ("handle",)}
# A table of lines that could not be read, as they were: whatever stands in them.
_LINES = ("unreadable", "text")
_TRUTH = "truth"
_WORD = re.compile(r"[\w.@+-]+")


class PrivacyError(ValueError):
    """Personal data cannot be protected as the parameters ask; the message says what to do."""


def pseudonym(value: str, key: str) -> str:
    """The pseudonym of an id: ``p_`` and 32 hex digits.

    >>> pseudonym("936", "a key of at least thirty-two characters")
    'p_79bc58f4cf622c15d134a04bc714cdfd'
    """
    digest = hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()
    return f"p_{digest[:32]}"


def read_key(privacy: Privacy) -> str:
    """The key, from the environment; a PrivacyError when it is missing or short."""
    key = os.environ.get(privacy.key_env, "")
    if len(key) < KEY_LENGTH:
        there = f"has {len(key)} characters" if key else "is not set"
        raise PrivacyError(
            f"privacy.key_env: the environment variable {privacy.key_env} {there}; give it a "
            f"secret of at least {KEY_LENGTH} characters, the same at every run, e.g. of "
            '`python -c "import secrets; print(secrets.token_hex(32))"`'
        )
    return key


@dataclass(frozen=True)
class Protection:
    """What is done to the tables of a source before they reach a run's folder.

    Attributes
    ----------
    key
        The key; empty when nothing needs one.
    pseudonymise
        Whether ids become pseudonyms.
    forgotten
        Pseudonyms of the customers whose rows are left out.

    """

    key: str = ""
    pseudonymise: bool = False
    forgotten: frozenset[str] = frozenset()

    @classmethod
    def of(cls, privacy: Privacy, root: Path) -> Self:
        """Read the key and the list of those forgotten; a PrivacyError without a key for them."""
        forgotten = read_forgotten(root / privacy.forgotten)
        if not (privacy.pseudonymise or forgotten):
            return cls()
        return cls(read_key(privacy), privacy.pseudonymise, forgotten)

    @property
    def needed(self) -> bool:
        """Whether anything is to be done."""
        return self.pseudonymise or bool(self.forgotten)

    def gone(self, value: str | None) -> bool:
        """Whether an id, or a pseudonym, is of a customer who was forgotten."""
        if value is None or not self.forgotten:
            return False
        return value in self.forgotten or pseudonym(value, self.key) in self.forgotten


NO_PROTECTION = Protection()


def read_forgotten(file: Path) -> frozenset[str]:
    """The pseudonyms in a list of those forgotten, one a line; none when there is no list."""
    if not file.is_file():
        return frozenset()
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and line[0] != "#")


def add_forgotten(file: Path, pseudonyms: Iterable[str]) -> None:
    """Add pseudonyms to a list of those forgotten, atomically; each stands in it once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    known = sorted(read_forgotten(file) | set(pseudonyms))
    head = "# Keyed hashes of customers who were forgotten: sources leave them out (mkt forget).\n"
    partial.write_text(head + "".join(f"{one}\n" for one in known), encoding="utf-8")
    partial.replace(file)


def protected(
    con: DuckDB,
    protection: Protection,
    write: Callable[[Path], dict[str, object]],
    folder: Path,
) -> dict[str, object]:
    """Let a source write its tables, and put them into ``folder`` protected.

    Parameters
    ----------
    con
        An open engine.
    protection
        What to do; when there is nothing to do, the source writes into ``folder`` itself.
    write
        Writes the canonical tables into the folder that it is given, and returns their origin.
    folder
        Where the tables of the run are to be.

    Returns
    -------
    dict
        The origin, with ``privacy``: whether ids are pseudonyms, how many customers are on the
        list of those forgotten, and rows left out per table.

    """
    if not protection.needed:
        return write(folder)
    left_out: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="mkt-source-") as name:
        raw = Path(name) / "raw"
        raw.mkdir()
        origin = write(raw)
        for found, place in ((raw, folder), (raw.parent / _TRUTH, folder.parent / _TRUTH)):
            if place.name == _TRUTH and (protection.pseudonymise or not found.is_dir()):
                continue  # the truth of a simulated shop goes by the ids as they were
            place.mkdir(parents=True, exist_ok=True)
            for file in sorted(found.glob("*.parquet")):
                n = _copy(con, protection, file, place / file.name)
                if n:
                    left_out[f"{place.name}/{file.stem}"] = n
    note = {
        "pseudonymised": protection.pseudonymise,
        "forgotten": len(protection.forgotten),
        "rows_left_out": left_out,
    }
    return {**origin, "privacy": note}


def _copy(con: DuckDB, protection: Protection, file: Path, target: Path) -> int:
    source = f"read_parquet({literal(file)})"
    described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = [str(row[0]) for row in described]
    ids = [name for name in columns if name in PERSONAL]
    named = [*ids, *(name for name in _ALSO.get(file.stem, ()) if name in columns)]
    lines = [_LINES[1]] if file.stem == _LINES[0] and _LINES[1] in columns else []
    _functions(con, protection)
    try:
        keep = " AND ".join(f"NOT mkt_gone({name})" for name in named) or "TRUE"
        shown = []
        for name in columns:
            if name in lines:
                shown.append(f"mkt_line({name}) AS {name}")
            elif name in named and protection.pseudonymise:
                shown.append(f"mkt_pseudonym({name}) AS {name}")
            else:
                shown.append(f'"{name}"')
        target.unlink(missing_ok=True)
        con.execute(
            f"COPY (SELECT {', '.join(shown)} FROM {source} WHERE {keep}) "
            f"TO {literal(target)} (FORMAT parquet)"
        )
        count = "SELECT (SELECT count(*) FROM {}) - (SELECT count(*) FROM {})"
        written = f"read_parquet({literal(target)})"
        return int(con.execute(count.format(source, written)).fetchall()[0][0])
    finally:
        for name in ("mkt_gone", "mkt_pseudonym", "mkt_line"):
            con.remove_function(name)


def _functions(con: DuckDB, protection: Protection) -> None:
    """Give the engine the hash; every id is hashed once, however many rows have it."""

    @lru_cache(maxsize=1_000_000)
    def hashed(value: str) -> str:
        return pseudonym(value, protection.key)

    @lru_cache(maxsize=1_000_000)
    def gone(value: str) -> bool:
        return protection.gone(value)

    def line(value: str) -> str:
        told = protection.pseudonymise or any(map(gone, _WORD.findall(value)))
        return "[not kept: it may name a customer]" if told else value

    text, plain = "VARCHAR", "special"
    con.create_function("mkt_pseudonym", hashed, [text], text)
    con.create_function("mkt_line", line, [text], text)
    con.create_function("mkt_gone", gone, [text], "BOOLEAN", null_handling=plain)  # type: ignore[call-overload]
