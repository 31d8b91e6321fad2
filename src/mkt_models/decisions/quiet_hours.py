"""Quiet hours: in which nobody is woken, by the clock where the customer is."""

from datetime import time
from typing import Self

from pydantic import Field, field_validator, model_validator

from mkt_models.sections import Section

_DAY, _LEAST_LOUD = 24 * 60, 60  # minutes
# Longer ones, and such around noon, are rather a mistake than meant. A rest at noon is not.
_LONGEST, _LONGEST_AT_NOON = 16 * 60, 4 * 60


class QuietHours(Section):
    """Hours without push contacts, by the customer's clock: from ``start`` until before ``end``.

    Those that take more than 16 hours, or more than 4 around noon, are refused: who swaps the two
    would write to people at night only. ``as_written`` says that they are meant.

    >>> night = QuietHours(start="21:00", end="09:00")
    >>> [night.covers(time(h)) for h in (20, 21, 3, 9)]
    [False, True, True, False]
    """

    start: time
    end: time
    as_written: bool = Field(
        default=False,
        strict=True,
        description="true: hours that look the wrong way round or too long are meant",
    )

    @field_validator("start", "end", mode="before")
    @classmethod
    def _quoted(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError('write the hour in quotes, "21:00": YAML reads 21:00 as a number')
        return value

    @model_validator(mode="after")
    def _plain(self) -> Self:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("quiet hours are by the customer's own clock: give no zone")
        if self.start == self.end:
            raise ValueError("start == end: leave quiet_hours out if there are none")
        loud = (_minutes(self.start) - _minutes(self.end)) % _DAY
        if loud < _LEAST_LOUD:
            raise ValueError(
                f"{self} leave {loud:g} minutes of the day: perhaps they are the wrong way round; "
                "to contact nobody, set caps of 0"
            )
        quiet = _DAY - loud
        by_day = quiet > _LONGEST_AT_NOON and self.covers(time(12))
        if (by_day or quiet > _LONGEST) and not self.as_written:
            raise ValueError(
                f"{self} take {quiet / 60:g} hours{' by day' if by_day else ''} and leave those "
                f"from {self.end:%H:%M} to {self.start:%H:%M}: perhaps they are the wrong way "
                "round; if they are meant, add as_written: true"
            )
        return self

    def __str__(self) -> str:
        """As they are written."""
        return f"start == {self.start:%H:%M} and end == {self.end:%H:%M}"

    def covers(self, local: time) -> bool:
        """Whether a local time of day lies in the quiet hours."""
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def touches(self, hour: int) -> bool:
        """Whether a moment of an hour of the day, 0 to 23, lies in the quiet hours."""
        return self.covers(time(hour)) or self.start.hour == hour


def _minutes(clock: time) -> float:
    return clock.hour * 60 + clock.minute + clock.second / 60
