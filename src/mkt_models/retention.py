"""Retention: what is held of persons for longer than the parameters allow, and its deletion.

A run holds files; a service holds decisions, contacts and outcomes in a live store.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.contact import LONGEST_WINDOW
from mkt_models.serving.settings import LIVE_FILE, live_store_address
from mkt_models.sources.pseudonyms import PrivacyError
from mkt_models.store.engine import sqlite_path
from mkt_models.store.live import LiveStore
from mkt_models.store.values import StoreError
from mkt_models.workspace import MADE_BY, Workspace

_DECISIONS = ("decisions", "package", "bentoml")
# The ledger is not of persons, and says what was decided of models. The live store says who has
# refused and who was erased: as a file it is never due, but rows of it are.
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


def needed_days(ws: Workspace) -> dict[str, int]:
    """For how many days a live store must keep what is counted, by what counts it.

    Caps look back 30 days, a budget over its period, and a contact may be made as late as its
    answer is leave to send. A complaint is a reason for rest as long as the catalogue says.
    """
    policy = load_catalogue(ws.params_folder / ws.params.decisions.catalogue).contact
    holds = [policy.hold_hours, *(one.hold_hours or 0 for one in policy.channels.values())]
    later = math.ceil(max(holds) / 24)
    return {
        "caps": LONGEST_WINDOW.days + later,
        "budgets": ws.params.budgets.period_days + later,
        "rest after a complaint": policy.complaint_days,
    }


def live_limit(ws: Workspace, now: datetime) -> datetime | None:
    """Before when the rows of a live store are due at ``now`` (aware); None for never.

    Raises
    ------
    PrivacyError
        When ``privacy.retention.live`` is shorter than what is counted needs.

    """
    days = ws.params.privacy.retention.live
    if days is None:
        return None
    if short := {what: n for what, n in needed_days(ws).items() if n > days}:
        told = ", ".join(f"{what} {n}" for what, n in short.items())
        raise PrivacyError(
            f"privacy.retention.live == {days} days is shorter than what is still counted: {told}. "
            f"Keep at least {max(short.values())}; nothing was deleted"
        )
    return now - timedelta(days=days)


def live_store_of(ws: Workspace, named: str | None) -> str | Path | None:
    """The live store that is meant: ``named``, else ``MKT_STORE_URL``, else the run's own.

    None when no service has made one of its own yet.

    Raises
    ------
    StoreError
        When a file is named that is not there: nobody wants a new store made here.

    """
    settings = {**os.environ, "BENTOML_HOME": str(ws.bentoml_home)}
    address = named or live_store_address(settings)
    path = sqlite_path(address)
    if path is None or path.is_file():
        return address
    if isinstance(address, Path):
        return None
    raise StoreError(f"{address}: there is no such file; say where the live store is")


def overdue_rows(address: str | Path, before: datetime, delete: bool) -> dict[str, int]:
    """Rows of a live store from before ``before``, by table; removed when ``delete`` says so."""
    with LiveStore.open(address) as live:
        return live.purge(before) if delete else live.due(before)


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
