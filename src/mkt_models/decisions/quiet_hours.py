"""Quiet hours: in which nobody is woken, by the clock where the customer is."""

from datetime import time
from typing import Self

from pydantic import field_validator, model_validator

from mkt_models.sections import Section

_DAY, _LEAST_LOUD = 24 * 60, 60  # minutes


class QuietHours(Section):
    """Hours without push contacts, by the shop's clock: from ``start`` until before ``end``.

    >>> night = QuietHours(start="21:00", end="09:00")
    >>> [night.covers(time(h)) for h in (20, 21, 3, 9)]
    [False, True, True, False]
    """

    start: time
    end: time

    @field_validator("start", "end", mode="before")
    @classmethod
    def _quoted(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError('write the hour in quotes, "21:00": YAML reads 21:00 as a number')
        return value

    @model_validator(mode="after")
    def _plain(self) -> Self:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("quiet hours are in the shop's time zone: give no zone")
        if self.start == self.end:
            raise ValueError("start == end: leave quiet_hours out if there are none")
        loud = (_minutes(self.start) - _minutes(self.end)) % _DAY
        if loud < _LEAST_LOUD:
            raise ValueError(
                f"start == {self.start:%H:%M} and end == {self.end:%H:%M} leave {loud:g} minutes "
                "of the day: perhaps they are the wrong way round; to contact nobody, set caps of 0"
            )
        return self

    def covers(self, local: time) -> bool:
        """Whether a local time of day lies in the quiet hours."""
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


def _minutes(clock: time) -> float:
    return clock.hour * 60 + clock.minute + clock.second / 60
