"""When a store's records end: the last moment that they tell of, questions about others apart.

A question may name its own moment, and an app the moment of what it reports. One that is far ahead
must not end the period of a report: everything else would lie before it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

CLOCKS_AGREE = timedelta(days=1)
"""A record about a moment up to so much later than when it was recorded is of its time."""

Moment = tuple[datetime, datetime]
"""What a record is about, and when it was recorded; both aware."""


def end_of(latest: Iterable[Moment], n: int, typical: timedelta, gap: timedelta) -> datetime | None:
    """Give the last moment that the records tell of; None without any.

    Where the two clocks agree, what is about a later moment than the time it was recorded has not
    happened. Where they are far apart for all records (a log that is played again, a rehearsal),
    the clock tells nothing: then a few records, at most :func:`few_of` them, are left out if they
    stand alone, more than ``gap`` after all before them, and their clocks are otherwise apart.

    Parameters
    ----------
    latest
        Records, the last moment first; only as many are taken as are needed.
    n
        All records.
    typical
        By how much the moment of a record in the middle is later than its time of recording.
    gap
        How long nothing is on record before moments that are left out.

    >>> day, at = timedelta(days=1), datetime(2018, 1, 31)
    >>> end_of([(at + 40 * day, at), (at, at), (at - day, at - day)], 3, 0 * day, 7 * day)
    datetime.datetime(2018, 1, 31, 0, 0)
    """
    first: datetime | None = None
    later: datetime | None = None
    end: datetime | None = None
    agree, most = abs(typical) <= CLOCKS_AGREE, few_of(n)
    for place, (about, recorded) in enumerate(latest):
        first = about if first is None else first
        if agree:
            if about - recorded <= CLOCKS_AGREE:
                return about
            continue
        if later is not None and later - about > gap:
            end = about
        if place >= most or about - recorded - typical <= CLOCKS_AGREE:
            break
        later = about
    return first if end is None else end


def few_of(n: int) -> int:
    """How many of ``n`` records may stand alone: a hundredth or 5, at most a twentieth.

    >>> [few_of(n) for n in (10, 40, 440, 3000)]
    [0, 2, 5, 30]
    """
    return min(n // 20, max(5, ceil(n / 100)))
