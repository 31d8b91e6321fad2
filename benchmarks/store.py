"""How many decisions a second the live store keeps, and what counting a budget costs.

One decision is one turn of the store, as the service takes it: consents, contacts, complaints and
what is left of the budgets are read, and the decision with one planned contact is kept, on disk
before the next begins. What is decided meanwhile, and HTTP, are not in it. Every client is a
process of its own, and every decision is about a customer of its own: they meet at the budget
alone, of which each takes one unit, from the same row.

Stores and numbers of clients take turns within each repeat. A round with the budget stands beside
one without, in one order and then in the other, and is compared with that one: what else the
machine does is then nearly the same for both.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from mkt_models.store.ledger import BudgetSpent, millionths
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Exposure, Limit, Planned, Record, Use

HERE = Path(__file__).parent
NOW = datetime(2018, 1, 6, 17, tzinfo=UTC)
DAY = NOW.date()
WEEK = timedelta(days=7)
BUDGET = Limit("budget", "contacts", millionths(1e9), DAY, DAY + WEEK)
MEMORY = ("tmpfs", "ramfs")
# As long as those of the answers to the toy customers of the tests, three strategies each.
ANSWER_BYTES, INPUT_BYTES = 13_000, 1_200

_stores: dict[str, LiveStore] = {}
_held_since = [0.0]  # of this process: when others began to wait for what this turn holds


@dataclass(frozen=True)
class Round:
    """Some clients at once on one store, for some seconds; times in milliseconds.

    ``held_ms`` is how long a decision keeps all others from ending: SQLite from its BEGIN IMMEDIATE
    on, PostgreSQL from the change of the budget's row on, both until the commit is on disk. None
    where nothing is held. ``cpu_ms`` is of clients and server, per decision.
    """

    store: str
    budget: bool
    clients: int
    decisions: int
    per_second: float
    median_ms: float
    p95_ms: float
    held_ms: float | None
    cpu_ms: float


def asked(address: str, name: str, budget: bool) -> None:
    """One decision for one customer, as :class:`mkt_models.serving.runtime.Runtime` keeps it."""
    live = _stores[address]
    limits = (BUDGET,) if budget else ()
    for locked in (False, True):
        try:
            with live.turn(name, NOW, "snapshot") as turn:
                turn.consents()
                turn.contacts(NOW - 4 * WEEK, besides=f"d-{name}")
                turn.complaints(NOW - 4 * WEEK)
                purses = turn.purses(limits, DAY, f"d-{name}", locked)
                contact = Exposure(
                    name,
                    "app",
                    NOW,
                    "tips",
                    decision_id=f"d-{name}",
                    until=NOW + timedelta(hours=3),
                )
                uses = (Use("budget", millionths(1)),) if budget else ()
                turn.keep(
                    Record(
                        decision_id=f"d-{name}",
                        snapshot_id="snapshot",
                        asked_for=NOW,
                        arm="treatment",
                        arm_probability=0.9,
                        experiment="holdout:benchmark",
                        strategy="tips",
                        channel="app",
                        offer_id=None,
                        probability=1.0,
                        answer={"text": "x" * ANSWER_BYTES},
                        inputs={"text": "x" * INPUT_BYTES},
                        planned=(Planned(contact, "marketing", uses),),
                        purses=purses,
                    )
                )
            return
        except BudgetSpent:
            if locked:
                raise


def ready(addresses: Sequence[str], others: Any) -> None:
    """Open the stores in a client, and wait until all have."""
    for address in addresses:
        _stores[address] = LiveStore.open(address)
        watch(_stores[address]._engine)
    others.wait(timeout=600)


def watch(engine: sa.Engine) -> None:
    """Note when a turn begins to hold what others wait for."""

    def note(*_: object) -> None:
        _held_since[0] = time.perf_counter()

    def note_count(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("UPDATE budget_periods"):
            note()

    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "begin", note)  # after the store's own: the lock is there
    else:
        sa.event.listen(engine, "after_cursor_execute", note_count)  # the row is locked


def client(work: tuple[str, str, bool, float, float]) -> list[tuple[float, float]]:
    """Ask from a moment on for some seconds; how long each decision took and held, in seconds."""
    address, prefix, budget, begins, seconds = work
    asked(address, f"{prefix}-first", budget)  # the connection is there when the clock begins
    time.sleep(max(0.0, begins - time.time()))
    took: list[tuple[float, float]] = []
    while time.time() < begins + seconds:
        began = time.perf_counter()
        asked(address, f"{prefix}-{len(took)}", budget)
        ended = time.perf_counter()
        took.append((ended - began, ended - _held_since[0]))
    return took


def measured(
    pool: Any, name: str, address: str, budget: bool, clients: int, seconds: float, number: int
) -> Round:
    """Let some clients ask at once; checks that the count is the number of decisions."""
    sys.path.insert(0, str(HERE))
    from measuring import cpu_seconds

    before = counted(address)
    begins = time.time() + 0.5 + clients / 10
    works = [(address, f"r{number}-c{one}", budget, begins, seconds) for one in range(clients)]
    result = pool.map_async(client, works, chunksize=1)
    time.sleep(max(0.0, begins - time.time()))
    cpu = cpu_seconds()
    both = [one for some in result.get() for one in some]
    took, held = sorted(one for one, _ in both), [one for _, one in both]
    cpu = cpu_seconds() - cpu
    assert counted(address) - before == (len(took) + clients) * budget
    return Round(
        store=name,
        budget=budget,
        clients=clients,
        decisions=len(took),
        per_second=round(len(took) / seconds, 1),
        median_ms=round(1000 * statistics.median(took), 2),
        p95_ms=round(1000 * took[int(0.95 * len(took))], 2),
        held_ms=round(1000 * statistics.median(held), 2) if budget or name == "SQLite" else None,
        cpu_ms=round(1000 * cpu / len(took), 2),
    )


def counted(address: str) -> int:
    """How many units of the budget are counted as used."""
    (told,) = _stores[address].budgets(DAY)
    return round(told["used"])


def syncs(folder: Path, times: int = 200) -> dict[str, float]:
    """How long the disk takes to keep 8 KB, in milliseconds."""
    took = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(os.urandom(8192))
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return {"median_ms": round(statistics.median(took), 3), "p95_ms": round(took[-times // 20], 3)}


def file_system(folder: Path) -> str:
    """The kind of file system under a folder; an error for one in memory."""
    here = [
        one
        for one in psutil.disk_partitions(all=True)
        if folder.resolve().is_relative_to(one.mountpoint)
    ]
    kind = max(here, key=lambda one: len(one.mountpoint)).fstype
    if kind in MEMORY:
        raise SystemExit(f"--folder: is {kind}, in memory; name a folder on a disk")
    return kind


@contextmanager
def stores(folder: Path) -> Iterator[dict[str, str]]:
    """The addresses of an empty store of either kind, on disk and as safe as in service."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    from postgres import database, running

    with (
        running(fsync=True, folder=folder) as server,
        database(server, "live") as postgresql,
    ):
        addresses = {"SQLite": f"sqlite:///{folder / 'live.sqlite'}", "PostgreSQL": postgresql}
        for address in addresses.values():
            _stores[address] = LiveStore.open(address)
            _stores[address].open_periods((BUDGET,), DAY)
        try:
            yield addresses
        finally:
            for address in addresses.values():
                _stores.pop(address).close()


def settings(address: str) -> dict[str, str]:
    """What keeps a commit on disk, as the store itself says."""
    asked_for = {
        "sqlite": ("PRAGMA journal_mode", "PRAGMA synchronous"),
        "postgresql": ("SHOW server_version", "SHOW fsync", "SHOW synchronous_commit"),
    }
    with _stores[address]._engine.connect() as connection:
        return {
            query: str(connection.execute(sa.text(query)).scalar())
            for query in asked_for[connection.dialect.name]
        }


def table(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """The median over the repeats of each case."""
    cases: dict[tuple[str, int, bool], list[Round]] = {}
    for one in rounds:
        cases.setdefault((one.store, one.clients, one.budget), []).append(one)
    names = ("per_second", "median_ms", "p95_ms", "held_ms", "cpu_ms")
    return [
        {
            "store": store,
            "clients": clients,
            "budget": budget,
            "repeats": len(some),
            **{name: middle([getattr(one, name) for one in some]) for name in names},
            "per_second_range": [
                min(one.per_second for one in some),
                max(one.per_second for one in some),
            ],
        }
        for (store, clients, budget), some in sorted(cases.items())
    ]


def ratios(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Decisions per second with the budget, of those without it beside them: median and range."""
    cases: dict[tuple[str, int], list[float]] = {}
    for first, second in zip(rounds[::2], rounds[1::2], strict=True):
        without, counts = sorted((first, second), key=lambda one: one.budget)
        assert (without.store, without.clients) == (counts.store, counts.clients)
        ratio = counts.per_second / without.per_second
        cases.setdefault((counts.store, counts.clients), []).append(ratio)
    return [
        {
            "store": store,
            "clients": clients,
            "pairs": len(some),
            "median": round(statistics.median(some), 2),
            "range": [round(min(some), 2), round(max(some), 2)],
        }
        for (store, clients), some in sorted(cases.items())
    ]


def middle(values: Sequence[float | None]) -> float | None:
    """The median; None where there is nothing."""
    found = [one for one in values if one is not None]
    return round(statistics.median(found), 2) if found else None


def main() -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=2, help="of each round")
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--out", type=Path, default=HERE / "store.json")
    wanted = parser.parse_args()
    kind = file_system(wanted.folder)
    rounds: list[Round] = []
    context = get_context("spawn")
    with tempfile.TemporaryDirectory(dir=wanted.folder) as home:
        folder = Path(home)
        folder.chmod(0o755)  # the server runs as a user of its own
        disk = {"file_system": kind, "before": syncs(folder)}
        load = [os.getloadavg()[0]]
        with stores(folder) as addresses:
            kept = {name: settings(address) for name, address in addresses.items()}
            most = max(wanted.clients)
            started = context.Barrier(most + 1)
            with context.Pool(most, ready, (list(addresses.values()), started)) as pool:
                started.wait(timeout=600)
                cases = list(product(wanted.clients, addresses.items(), (False, True)))
                for repeat in range(wanted.repeats):
                    for case in cases if repeat % 2 == 0 else reversed(cases):
                        clients, (name, address), budget = case
                        parts = (name, address, budget, clients, wanted.seconds, len(rounds))
                        rounds.append(measured(pool, *parts))
                        print(json.dumps(asdict(rounds[-1])), flush=True)
                pool.close()
                pool.join()
        load.append(os.getloadavg()[0])
        disk["after"] = syncs(folder)
    found = {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_before_and_after": [round(one, 1) for one in load],
        },
        "disk": disk,
        "stores": kept,
        "seconds": wanted.seconds,
        "cases": table(rounds),
        "with_budget_of_without": ratios(rounds),
        "rounds": [asdict(one) for one in rounds],
    }
    wanted.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
