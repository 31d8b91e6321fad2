"""Content: what a strategy shows, the words for its text, and why it was chosen."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mkt_models.columns import Channel
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.content_kinds import KINDS
from mkt_models.decisions.eligibility import missing
from mkt_models.decisions.question import Customer, Policy
from mkt_models.decisions.words import Code, Reason, Words, reason
from mkt_models.profiles.described import PROFILE_COLUMNS


@dataclass(frozen=True, slots=True)
class Content:
    """What a strategy shows, the words for its text, and why it was chosen."""

    data: Mapping[str, Any]
    words: Mapping[str, Words]
    reasons: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Case:
    """One customer under a policy on a local day.

    ``kept`` holds what one function worked out and another strategy needs again.
    """

    customer: Customer
    policy: Policy
    today: date
    kept: dict[str, Any] = field(default_factory=dict)


Found = tuple[str | None, Content | Reason]
"""The id of an offer, where it is one of several, and its content or why there is none."""

Maker = Callable[[StrategyEntry, Channel, Case], Iterable[Found]]
"""Makes the content of one kind: for a strategy, over a channel, in a case."""


def nothing(entry: StrategyEntry) -> Reason:
    """Say that there is none of the kind of content that a strategy needs."""
    return reason(Code.NO_CONTENT, content=KINDS[entry.needs].words)


def not_available(*columns: str) -> Reason:
    """Say that columns of the profile are not available, in words."""
    words = [PROFILE_COLUMNS[column].words for column in columns]
    both = (", ".join(en for en, _ in words), "、".join(zh for _, zh in words))
    return reason(Code.NOT_AVAILABLE, column=both)


def number(data: Mapping[str, Any], name: str) -> float | None:
    """A number that is there, or None."""
    value = data.get(name)
    there = isinstance(value, int | float) and not isinstance(value, bool) and not missing(value)
    return value if there else None


def said(data: Mapping[str, Any]) -> bool:
    """Whether something gives its reason in both languages."""
    return bool(data.get("en") and data.get("zh"))
