"""The shop's clock: days that count for more or less, and local time as UTC.

Purchases and drop-outs happen at constant rates on *shop time*, which runs faster on busy days.
``shop_time(t)`` is the integral of the weight of the days from the first day to ``t``. A horizon of
so many calendar days is then a known stretch of shop time, and every closed form stays exact.
"""

from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from mkt_models.simulation.randomness import Floats, Ints

WEEKDAY_WEIGHTS = (0.92, 0.90, 0.90, 0.93, 1.02, 1.20, 1.13)  # from Monday; their mean is 1
PEAK = 330  # day of the year on which its wave is highest
BUSY_DAY = 2.5  # weight of a day of sales, before the mean is made 1
SECONDS = 86_400
EPOCH = date(1970, 1, 1)


class ShopClock:
    """Days from 0, of the data and of the hidden days after it.

    Parameters
    ----------
    first_day
        Calendar day 0.
    days
        Days of the data; their mean weight is 1.
    ahead
        Hidden days after them.
    zone
        The shop's time zone.
    busy_days
        Days of sales, as month-day.
    season
        Height of the year's wave.

    """

    def __init__(
        self,
        first_day: date,
        days: int,
        ahead: int,
        zone: ZoneInfo,
        busy_days: tuple[str, ...] = (),
        season: float = 0.0,
    ) -> None:
        """Weigh every day."""
        self.first_day = first_day
        self.days = days
        self.total = days + ahead
        self._zone = zone
        calendar = [first_day + timedelta(days=i) for i in range(self.total)]
        of_year = np.array([day.timetuple().tm_yday for day in calendar])
        weights = np.array([WEEKDAY_WEIGHTS[day.weekday()] for day in calendar])
        weights *= 1 + season * np.cos(2 * np.pi * (of_year - PEAK) / 365.25)
        weights *= np.where([f"{day:%m-%d}" in busy_days for day in calendar], BUSY_DAY, 1.0)
        self._elapsed: Floats = np.r_[0.0, np.cumsum(weights / weights[:days].mean())]

    def shop_time(self, day: Floats | Ints | float) -> Floats:
        """Shop time of a moment given in days (and fractions) since the first day."""
        return np.asarray(np.interp(day, np.arange(self.total + 1), self._elapsed))

    def day_of(self, shop_time: Floats) -> Floats:
        """Days since the first day at a moment of shop time."""
        return np.asarray(np.interp(shop_time, self._elapsed, np.arange(self.total + 1)))

    def ahead(self, days: int) -> float:
        """Shop time of the first so many hidden days."""
        return float(self._elapsed[self.days + days] - self._elapsed[self.days])

    @cached_property
    def _offsets(self) -> Ints:
        """Seconds that local time is ahead of UTC, per hour since the first day."""
        start = datetime(self.first_day.year, self.first_day.month, self.first_day.day)
        hours = (start + timedelta(hours=i) for i in range((self.total + 2) * 24))
        return np.array(
            [int(z.total_seconds()) if (z := self._zone.utcoffset(h)) else 0 for h in hours]
        )

    def utc(self, local: Ints) -> Ints:
        """UTC, in microseconds since 1970, of local seconds since the first day's midnight."""
        hour = np.clip(local // 3600, 0, len(self._offsets) - 1)
        start = (self.first_day - EPOCH).days * SECONDS
        return np.asarray((start + local - self._offsets[hour]) * 1_000_000, dtype=np.int64)

    def date_number(self, day: Ints) -> Ints:
        """Days since 1970 of days since the first day."""
        return np.asarray(day + (self.first_day - EPOCH).days, dtype=np.int64)
