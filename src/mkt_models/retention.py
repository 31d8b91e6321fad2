"""Retention: what a run holds of persons for longer than the parameters allow, and its deletion."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mkt_models.serving.settings import LIVE_FILE
from mkt_models.sources.pseudonyms import PrivacyError
from mkt_models.workspace import MADE_BY, Workspace

_DECISIONS = ("decisions", "package", "bentoml")
# The ledger is not of persons, and says what was decided of models. The live store says who has
# refused and who was erased: it is never due.
_KEPT = ("releases.jsonl", LIVE_FILE, f"{LIVE_FILE}-wal", f"{LIVE_FILE}-shm")


@dataclass(frozen=True, slots=True)
class Overdue:
    """A file that is older than its kind may be; ``age_days`` since it was last written."""

    path: Path
    kind: str
    age_days: int


def overdue(ws: Workspace, now: datetime) -> list[Overdue]:
    """The files of a run that are due to be deleted at ``now`` (aware), by kind and path.

    Kinds are those of ``privacy.retention``; one without a period is never due. The age is that
    of the file: a stage that has run again has read the source again.
    """
    if now.utcoffset() is None:
        raise PrivacyError(f"now == {now}: give a time with its zone")
    periods = ws.params.privacy.retention
    found = []
    for kind, path in _files(ws):
        days = getattr(periods, kind)
        written = datetime.fromtimestamp(path.stat().st_mtime, tz=now.tzinfo)
        if days is not None and now - written > timedelta(days=days):
            found.append(Overdue(path, kind, (now - written).days))
    return found


def delete_overdue(ws: Workspace, now: datetime) -> list[Overdue]:
    """Delete what is due, and return it; the stages that made it run again when next asked for."""
    found = overdue(ws, now)
    for one in found:
        one.path.unlink()
    return found


def _files(ws: Workspace) -> Iterator[tuple[str, Path]]:
    for path in sorted(ws.reports.rglob("*")):
        if path.is_file():
            yield "reports", path
    for path in sorted(ws.build.rglob("*")):
        top = path.relative_to(ws.build).parts[0]
        if not path.is_file() or path.name in _KEPT:
            continue
        if top == "notebooks":
            yield "reports", path
        elif top in _DECISIONS:
            yield "decisions", path
        elif top in MADE_BY or top in ("champions", "spill", ".last_good"):
            yield "tables", path
