"""What every block of parameters is made of: frozen, strict, and helpful about misspelt keys."""

import difflib
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _no_number(value: object) -> object:
    """A lone year, or 0, would be taken for seconds since 1970."""
    if isinstance(value, int | float):
        raise ValueError("must be a date such as 2018-01-01, not a number")
    return value


Day = Annotated[date, BeforeValidator(_no_number)]
Moment = Annotated[datetime, BeforeValidator(_no_number)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(gt=0, le=3650)]


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word is nearest, for the end of an error message; empty if none is near.

    >>> nearest("horizon_day", ["horizon_days", "active_days"])
    "; did you mean 'horizon_days'?"
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


class Section(BaseModel):
    """A frozen block of parameters that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
