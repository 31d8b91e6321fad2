"""Wall time, CPU seconds and peak memory of a piece of work, over the whole process tree."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

_EVERY_SECONDS = 0.02


@dataclass(frozen=True)
class Cost:
    """What a piece of work took.

    ``cpu_s`` is of all processes of the tree, those that have ended too. ``peak_gb`` is the
    largest sum of resident memory that was seen (1 GB is 1000 ** 3 bytes), ``base_gb`` what was
    resident before the work began. Memory that processes share counts once for each.
    """

    wall_s: float
    cpu_s: float
    peak_gb: float
    base_gb: float


def measured(work: Callable[[], object]) -> tuple[object, Cost]:
    """Do some work in this process; return its result and its cost."""
    peak = [_memory()]
    base, ended = peak[0], threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY_SECONDS):
            peak[0] = max(peak[0], _memory())

    watcher = threading.Thread(target=watch, daemon=True)
    cpu, wall = cpu_seconds(), time.perf_counter()
    watcher.start()
    try:
        result = work()
    finally:
        wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
        ended.set()
        watcher.join()
    return result, Cost(wall, cpu, max(peak[0], _memory()) / 1e9, base / 1e9)


def _tree() -> list[psutil.Process]:
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def _memory() -> float:
    total = 0.0
    for process in _tree():
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def cpu_seconds() -> float:
    """CPU seconds of this process and all below it so far, those that have ended too."""
    total = 0.0
    for process in _tree():
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total
