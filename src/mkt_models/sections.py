"""What every block of parameters is made of: frozen, strict, and helpful about misspelt keys."""

import difflib
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

MILLION = 1_000_000
"""Amounts are counted in millionths of their unit."""
SMALLEST = "0.000001"


def _no_number(value: object) -> object:
    """A lone year, or 0, would be taken for seconds since 1970."""
    if isinstance(value, int | float):
        raise ValueError("must be a date such as 2018-01-01, not a number")
    return value


def no_truth(value: object) -> object:
    """YAML reads yes and on as true, which would be taken for 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number: YAML reads yes and on as true")
    return value


def countable(value: float) -> float:
    """Refuse what would be counted as nothing though it is something."""
    if value > 0 and round(value * MILLION) == 0:
        raise ValueError(
            f"{value:g} would be counted as 0: the smallest amount is {SMALLEST}, "
            "a millionth of a unit"
        )
    return value


Day = Annotated[date, BeforeValidator(_no_number)]
Moment = Annotated[datetime, BeforeValidator(_no_number)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(gt=0, le=3650), BeforeValidator(no_truth)]


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word is nearest, for the end of an error message; empty if none is near.

    >>> nearest("horizon_day", ["horizon_days", "active_days"])
    "; did you mean 'horizon_days'?"
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


class UnnamedKeyError(LookupError):
    """Something reads a key that is not among those it has named."""


class Section(BaseModel):
    """A frozen block of parameters that refuses unknown keys.

    A copy by :func:`only` lacks keys: to read one of them, or to write down the whole, is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    if not TYPE_CHECKING:  # a type checker would take it for leave to read any name

        def __getattr__(self, name: str) -> object:
            """Called for what is not there; not an AttributeError, which `getattr` would hide."""
            if name in type(self).model_fields:
                raise _unnamed(self, name)
            return super().__getattr__(name)

    @model_serializer(mode="wrap")
    def _whole(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        for name in type(self).model_fields:
            if name not in self.__dict__:
                raise _unnamed(self, name)
        return dict(write(self))


S = TypeVar("S", bound=Section)


def only(section: S, keys: Iterable[str]) -> S:
    """Copy a section with nothing but some of its keys, dotted for a key of an inner section.

    Raises
    ------
    UnnamedKeyError
        When something reads another key of the copy, by whatever way.
    AttributeError
        When there is no such key.

    >>> class Limits(Section):
    ...     low: int = 1
    ...     high: int = 9
    >>> class Rules(Section):
    ...     limits: Limits = Limits()
    ...     days: int = 7
    >>> some = only(Rules(), ["limits.high"])
    >>> some.limits.high
    9
    >>> some.days  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    mkt_models.sections.UnnamedKeyError: Rules.days is read and not named: ...
    """
    named: dict[str, list[str]] = {}
    for key in keys:
        first, _, rest = key.partition(".")
        named.setdefault(first, []).append(rest)
    kept = {
        key: getattr(section, key) if "" in rest else only(getattr(section, key), rest)
        for key, rest in named.items()
    }
    copy = section.model_copy()
    copy.__dict__.clear()
    copy.__dict__.update(kept)
    return copy


def _unnamed(section: Section, key: str) -> UnnamedKeyError:
    return UnnamedKeyError(
        f"{type(section).__name__}.{key} is read and not named: name it among what the stage reads "
        "(READS in workspace.py), so that a change of it makes the stage stale"
    )
