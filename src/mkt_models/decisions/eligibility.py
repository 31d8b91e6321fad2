"""Who a strategy is for: rules over the columns of a profile.

A rule on a missing value never holds and never fails by accident: it says "not available". Rules
are checked when the catalogue is read, so a misspelt column or tier stops the run, not a customer.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Literal, Self

from pydantic import StrictFloat, StrictInt, StrictStr, model_validator

from mkt_models.columns import NOT_AVAILABLE, SENSITIVE
from mkt_models.decisions.words import Code, Reason, Words, reason
from mkt_models.profiles.described import PROFILE_COLUMNS, VALUES
from mkt_models.sections import Section, nearest

Op = Literal["==", "!=", ">", ">=", "<", "<=", "in", "not_in", "has"]
Scalar = StrictInt | StrictFloat | StrictStr


GUARDED: Mapping[str, str] = {
    **dict.fromkeys(SENSITIVE, "a sensitive column"),
    **dict.fromkeys(
        ("price_index", "purchasing_power"), "an estimate of what a customer is willing to pay"
    ),
}
"""Columns that a rule may use only with a reason, and what they are."""

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": eq,
    "!=": ne,
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "has": lambda value, wanted: wanted in value,
}
_OPS_OF: Mapping[str, tuple[Op, ...]] = {
    "number": ("==", "!=", ">", ">=", "<", "<="),
    "text": ("==", "!=", "in", "not_in"),
    "list": ("has",),
}


_OPS_IN_WORDS: Mapping[str, Words] = {
    "in": ("one of", "属于"),
    "not_in": ("none of", "不属于"),
    "has": ("with", "包含"),
}


class Rule(Section):
    """One condition on one column of the profile.

    >>> often = Rule(column="orders_90d", op=">=", value=3)
    >>> ineligible([often], {"orders_90d": 2})[0].en
    'not eligible: orders in 90 days is 2, must be >= 3'
    """

    column: str
    op: Op
    value: Scalar | tuple[Scalar, ...]

    @model_validator(mode="after")
    def _fits_the_column(self) -> Self:
        column = PROFILE_COLUMNS.get(self.column)
        if column is None:
            near = nearest(self.column, PROFILE_COLUMNS)
            raise ValueError(f"{self.column!r} is no column of the profile{near}")
        allowed = _OPS_OF[column.kind]
        if self.op not in allowed:
            raise ValueError(
                f"{self.column} is a {column.kind}: {self.op!r} does not apply, "
                f"use one of {', '.join(allowed)}"
            )
        if (self.op in ("in", "not_in")) != isinstance(self.value, tuple):
            raise ValueError(
                f"{self.column} {self.op}: give a list for in and not_in, and only then"
            )
        if self.value == ():
            raise ValueError(f"{self.column} {self.op}: the list is empty; name a value, or none")
        wanted = float | int if column.kind == "number" else str
        for value in self.value if isinstance(self.value, tuple) else (self.value,):
            if not isinstance(value, wanted):
                raise ValueError(
                    f"{self.column} is compared with {value!r}, must be a {column.kind}"
                )
            if column.values and value not in column.values:
                near = nearest(str(value), column.values)
                raise ValueError(f"{value!r} is no value of {self.column}{near}")
        return self


def contradiction(rules: Iterable[Rule]) -> str:
    """Say why no profile can meet all of the rules; empty when one can.

    >>> few = Rule(column="orders_90d", op="<", value=3)
    >>> many = Rule(column="orders_90d", op=">=", value=5)
    >>> contradiction([few, many])
    "'orders_90d' must be < 3 and >= 5: nobody meets both; change or remove one"
    """
    by_column: dict[str, list[Rule]] = {}
    for rule in rules:
        by_column.setdefault(rule.column, []).append(rule)
    for name, some in by_column.items():
        column = PROFILE_COLUMNS[name]
        told = " and ".join(f"{rule.op} {_shown(rule.value)}" for rule in some)
        if column.kind == "number":
            # A value that all would accept is a bound, or lies right beside or between bounds.
            ends = sorted(float(rule.value) for rule in some)  # type: ignore[arg-type]
            between = [(low + high) / 2 for low, high in pairwise(ends)]
            tried: list[Any] = [*ends, *between, ends[0] - 1, ends[-1] + 1]
        elif column.kind == "text":
            values = [
                rule.value if isinstance(rule.value, tuple) else (rule.value,) for rule in some
            ]
            tried = [*(column.values or ()), *(one for group in values for one in group)]
            tried += [] if column.values else [_OTHER]
        else:
            continue
        if not any(all(_COMPARE[r.op](value, r.value) for r in some) for value in tried):
            both = "nobody meets both; change or remove one" if len(some) > 1 else "nobody meets it"
            return f"{name!r} must be {told}: {both}"
    return ""


_OTHER = "\0"  # a text that no rule names


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, tuple) else str(value)


def missing(value: object) -> bool:
    """Whether a value of a profile is not there: null, NaN, an empty list or 'not available'."""
    if value is None or value == NOT_AVAILABLE:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, list | tuple) and not value


def ineligible(rules: Iterable[Rule], profile: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Say which rules a profile does not meet; empty when it meets them all.

    Parameters
    ----------
    rules
        All must hold.
    profile
        One customer's profile columns. A missing value, or one that cannot be compared with the
        rule's, does not meet the rule: it counts as not available.

    """
    return tuple(fault for rule in rules if (fault := _fault(rule, profile)) is not None)


def _fault(rule: Rule, profile: Mapping[str, Any]) -> Reason | None:
    value = profile.get(rule.column)
    if missing(value):
        return _not_available(rule)
    try:
        holds = _COMPARE[rule.op](value, rule.value)
    except TypeError:
        return _not_available(rule)
    if holds:
        return None
    named = bool(PROFILE_COLUMNS[rule.column].values)
    several = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    return reason(
        Code.NOT_ELIGIBLE,
        column=PROFILE_COLUMNS[rule.column].words,
        value=_said([value], named),
        op=_OPS_IN_WORDS.get(rule.op, (rule.op, rule.op)),
        wanted=_said(several, named),
    )


def _said(values: Iterable[object], named: bool) -> Words:
    """Values as people read them: a label of the profile has words in both languages."""
    words = [(VALUES.get(str(one)) if named else None) or (str(one),) * 2 for one in values]
    return ", ".join(en for en, _ in words), "、".join(zh for _, zh in words)


def _not_available(rule: Rule) -> Reason:
    return reason(Code.NOT_AVAILABLE, column=PROFILE_COLUMNS[rule.column].words)
