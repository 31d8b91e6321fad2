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
    before = first.astimezone(zone).utcoffset()
    while last - first > timedelta(microseconds=1):  # the change lies after first, up to last
        middle = first + (last - first) / 2
        if middle.astimezone(zone).utcoffset() == before:
            first = middle
        else:
            last = middle
    return [last.replace(microsecond=0)]
