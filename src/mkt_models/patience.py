"""How long to wait for a process that starts: by what it does, not by the clock alone.

On a busy machine a start that takes seconds can take minutes, and nothing is wrong. A process that
has stopped working is not worth waiting for, however little time has passed since it should have
been there.
"""

import time
from collections.abc import Callable

import psutil

WORKING = 0.02
"""A process that uses less than this share of one core waits for something else than its turn."""

_MOST = 10


class Patience:
    """Whether to go on waiting for a process.

    For ``seconds`` in any case. After that as long as it works: as long as it has used
    :data:`WORKING` of a core in each third of ``seconds``. Never for more than ten times
    ``seconds``, nor for one that has had ``seconds`` of a core for itself: it does not start.
    """

    def __init__(
        self,
        seconds: float,
        used: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to wait.

        Parameters
        ----------
        seconds
            How long the start may take on a machine that is free.
        used
            Seconds of processor time that the process has had so far, see :func:`cpu_seconds`.
        clock
            Seconds, as they pass.

        """
        self._seconds, self._used, self._clock = seconds, used, clock
        self._began = self._mark = clock()
        self._had = used()

    def over(self) -> str | None:
        """Why there is nothing to wait for any more; None while there is."""
        now = self._clock()
        if now - self._mark < self._seconds / 3:
            return None
        used = self._used()
        share = (used - self._had) / (now - self._mark)
        passed, quiet = now - self._began, now - self._mark
        self._mark, self._had = now, used
        if passed < self._seconds:
            return None
        if share < WORKING:
            return f"it did nothing in the last {quiet:.3g} of {passed:.3g} s"
        if used >= self._seconds:
            return f"it has used {used:.3g} s of processor time"
        if passed >= _MOST * self._seconds:
            return f"after {passed:.3g} s; it was given {used:.3g} s of processor time"
        return None


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process and those below it, ended ones included; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    total = 0.0
    for one in family:
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return float(total)
