"""What a local clock shows: a time of day comes once, twice or not at all where it is changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def moments_of(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    """The moments, in UTC, at which a local clock shows a time: two where it is set back.

    A time that is skipped, where the clock is set forward, is over at the moment of the change.
    """
    shown = [datetime.combine(day, clock, zone).replace(fold=fold) for fold in (0, 1)]
    first, last = sorted(one.astimezone(UTC) for one in shown)
    if first.astimezone(zone).time() == clock:
        return [first] if first == last else [first, last]
    return [_change(first, last, zone).replace(microsecond=0)]


def set_back(first: datetime, last: datetime, zone: ZoneInfo) -> datetime | None:
    """When a clock is set back after ``first``, up to ``last``, in UTC; None where it is not.

    From then on it shows once more what it has shown. The two, aware, are no more than some days
    apart: a clock is changed once in them at most.
    """
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    if _offset(last, zone) >= _offset(first, zone):
        return None
    return _change(first, last, zone).replace(microsecond=0)


def _change(first: datetime, last: datetime, zone: ZoneInfo) -> datetime:
    """When the clock of a zone is changed: after ``first``, up to ``last``, both in UTC."""
    before = _offset(first, zone)
    while last - first > timedelta(microseconds=1):
        middle = first + (last - first) / 2
        if _offset(middle, zone) == before:
            first = middle
        else:
            last = middle
    return last


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
