"""The ledger of releases: which version became champion when, and which was refused and why.

One JSON object per line, appended and never changed. Each line says who was champion before and
who is after it, so that the file as a whole can be checked: a line that does not follow from the
one before is an error. It lies beside the folders of the stages, which a run empties.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from mkt_models.columns import Model, Verdict
from mkt_models.models.card import Plain, Words
from mkt_models.sections import Section

FILE = "releases.jsonl"


class LedgerError(ValueError):
    """A ledger that cannot be trusted; the message names file and line, and what to do."""


class Outcome(StrEnum):
    """What became of a model's challenger."""

    FIRST = "first"  # no champion before it
    REPLACED = "replaced"  # better than the champion, which is retired
    KEPT = "kept"  # not shown to be better: the champion stays
    REFUSED = "refused"  # audit or calibration do not let it pass
    RETIRED = "retired"  # the champion cannot go on, and nobody follows


# After these the challenger is champion.
_CROWNS = (Outcome.FIRST, Outcome.REPLACED)


class Entry(Section):
    """One decision. Versions are those of the store; ``signature`` is the challenger's."""

    at: str = Field(description="ISO 8601, UTC")
    model: Model
    outcome: Outcome
    version: str = Field(description="of the challenger; of the champion where it is retired")
    signature: str = ""
    champion_before: str | None
    champion: str | None
    reason: Words
    verdict: Verdict = Verdict.NOT_EVALUATED
    calibration: Plain | None = None
    comparison: Plain | None = None
    data_hash: str = ""
    labels_until: str = ""

    @model_validator(mode="after")
    def _one_champion(self) -> Self:
        if self.outcome in _CROWNS:
            after: str | None = self.version
        elif self.outcome is Outcome.RETIRED:
            after = None
        else:
            after = self.champion_before
        if self.champion != after:
            raise ValueError(f"after {self.outcome.value} the champion is {after}")
        if self.outcome is Outcome.FIRST and self.champion_before is not None:
            raise ValueError(f"first, but {self.champion_before} was champion")
        needs_one = self.outcome in (Outcome.REPLACED, Outcome.KEPT, Outcome.RETIRED)
        if needs_one and self.champion_before is None:
            raise ValueError(f"{self.outcome.value}, but there was no champion")
        if self.outcome in _CROWNS:
            if self.verdict is not Verdict.PASS:
                raise ValueError(f"released, but its audit says {self.verdict.value}")
            if (self.calibration or {}).get("state") != "holds":
                raise ValueError("released, but its calibration does not hold")
        return self

    def says_the_same(self, other: "Entry") -> bool:
        """Whether it only repeats another entry, at another time."""
        return self.model_copy(update={"at": other.at}) == other


@dataclass(frozen=True)
class Ledger:
    """The entries of one file; see :meth:`read`."""

    path: Path
    entries: tuple[Entry, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a ledger; a file that is not there is an empty one.

        Raises
        ------
        LedgerError
            When the file is no UTF-8 text, or a line is no entry, or does not follow from those
            before it.

        """
        if not path.is_file():
            return cls(path)
        found = cls(path)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise LedgerError(
                f"{path.name}: byte {error.start:,} is no UTF-8 text; take the file from a backup, "
                "or delete it to begin without a champion"
            ) from None
        # Only a line feed ends an entry: a reason may hold other ends of lines, as U+2028.
        for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], 1):
            where = f"{path.name}, line {number}"
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError as error:
                said = error.errors(include_url=False)[0]["msg"]
                raise LedgerError(
                    f"{where}: no entry of a release ({said}); the file is only ever appended to: "
                    "take it from a backup, or delete it to begin without a champion"
                ) from None
            found = found._with(entry, where)
        return found

    def champion(self, model: Model) -> str | None:
        """The version of a model that is released; None when there is none."""
        last = self.last(model)
        return None if last is None else last.champion

    def last(self, model: Model) -> Entry | None:
        """The last decision about a model."""
        own = [entry for entry in self.entries if entry.model is model]
        return own[-1] if own else None

    def decided(self, model: Model, version: str) -> Entry | None:
        """The last decision about a version as a challenger."""
        own = [e for e in self.entries if e.model is model and e.version == version]
        own = [e for e in own if e.outcome is not Outcome.RETIRED]
        return own[-1] if own else None

    def append(self, entries: Iterable[Entry]) -> "Ledger":
        """Write entries down and give the longer ledger; what only repeats the last is left out.

        Raises LedgerError for an entry that does not follow; nothing is written then.
        """
        found, new = self, []
        for entry in entries:
            last = found.last(entry.model)
            if last is not None and entry.says_the_same(last):
                continue
            found = found._with(entry, f"{self.path.name}, new entry")
            new.append(entry)
        if new:
            _write(self.path, [entry.model_dump_json() for entry in new])
        return found

    def as_rows(self) -> list[dict[str, Any]]:
        """The entries as plain rows, oldest first."""
        return [entry.model_dump(mode="json") for entry in self.entries]

    def _with(self, entry: Entry, where: str) -> Self:
        before = self.champion(entry.model)
        if entry.champion_before != before:
            raise LedgerError(
                f"{where}: says that {entry.model.value}:{entry.champion_before} was champion, "
                f"but the lines before say {before}: two runs wrote at a time, or a line is lost"
            )
        return type(self)(self.path, (*self.entries, entry))


def _write(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cut = path.is_file() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * cut + "".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
