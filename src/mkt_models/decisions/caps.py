"""Caps: how often at most, and whether wider limits leave a cap any room to be reached.

A cap that can never be reached is a mistake: who wrote it believes in a limit that is none. The
number that other limits leave room for is a bound, by rolling windows in elapsed time: a window of
some days holds no more than a longer one, nor than the shorter ones that cover it.
"""

from collections.abc import Callable, Iterable
from math import ceil
from typing import Self

from pydantic import Field, field_validator, model_validator

from mkt_models.sections import Section

NAMES = {1: "per_day", 7: "per_week", 30: "per_month"}
Room = Callable[[int], tuple[int, str] | None]
"""Of a window's days: how many contacts there is room for, and by what; None for no limit."""


class Caps(Section):
    """How often at most, within rolling windows; null for no limit."""

    per_day: int | None = Field(default=None, ge=0, description="within 24 hours")
    per_week: int | None = Field(default=None, ge=0, description="within 7 days")
    per_month: int | None = Field(default=None, ge=0, description="within 30 days")

    @field_validator("*", mode="before")
    @classmethod
    def _counted(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("must be a number or null: YAML reads yes and on as true")
        return value

    @model_validator(mode="after")
    def _a_longer_window_leaves_room(self) -> Self:
        limits = self.windows()
        for days, most in limits:
            for longer, less in limits:
                if longer > days and less < most:
                    raise ValueError(
                        f"{NAMES[days]} == {most} can never be reached: {NAMES[longer]} == {less} "
                        f"is less; lower {NAMES[days]}, or leave it out"
                    )
        return self

    def windows(self) -> tuple[tuple[int, int], ...]:
        """The limits that are set, as (days, most)."""
        limits = ((1, self.per_day), (7, self.per_week), (30, self.per_month))
        return tuple((days, most) for days, most in limits if most is not None)

    def room(self, where: str) -> Room:
        """How many these caps alone leave room for within some days; ``where`` they stand.

        >>> Caps(per_day=2, per_month=9).room("contact.caps")(7)
        (9, 'contact.caps.per_month == 9')
        >>> Caps(per_day=1).room("contact.caps")(7)
        (7, 'contact.caps.per_day == 1')
        """

        def within(days: int) -> tuple[int, str] | None:
            found = [
                (most * ceil(days / window), f"{where}.{NAMES[window]} == {most}")
                for window, most in self.windows()
            ]
            return min(found, key=lambda one: one[0], default=None)

        return within


def within_gap(hours: float) -> Room:
    """How many contacts a gap of some hours leaves room for.

    >>> within_gap(48)(7)
    (4, 'contact.min_gap_hours == 48')
    """

    def within(days: int) -> tuple[int, str] | None:
        if hours <= 0:
            return None
        return ceil(days * 24 / hours), f"contact.min_gap_hours == {hours:g}"

    return within


def least(*rooms: Room) -> Room:
    """The room that is left where all of these limits hold."""

    def within(days: int) -> tuple[int, str] | None:
        found = [one for room in rooms if (one := room(days)) is not None]
        return min(found, key=lambda one: one[0], default=None)

    return within


def total(rooms: Iterable[Room]) -> Room:
    """The room of several kinds of contacts together; unlimited where one of them is."""
    listed = tuple(rooms)

    def within(days: int) -> tuple[int, str] | None:
        found = [room(days) for room in listed]
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        return sum(n for n, _ in known), " and ".join(why for _, why in known)

    return within


def out_of_reach(where: str, caps: Caps, wider: Room) -> None:
    """ValueError for a cap, written at ``where``, above what wider limits leave room for.

    Limits that leave room for none are no mistake: so contacts are stopped for a while.
    """
    for days, most in caps.windows():
        if (found := wider(days)) is not None and 0 < found[0] < most:
            room, why = found
            window = "24 hours" if days == 1 else f"{days} days"
            raise ValueError(
                f"{where}.{NAMES[days]} == {most} can never be reached: {why} leaves room for "
                f"{room} within {window}; lower {NAMES[days]} or leave it out, or change the wider "
                "limit"
            )
