"""How a response over a channel falls with the contacts before it, as the snapshot carries it.

The multiplier is ``exp(-decay * pressure)``; the pressure is the sum over the customer's contacts
on the channel, in the window before the question, of ``0.5 ** (age / half_life)``, ages in days. It
is 1 unless a decay was shown, or is assumed by a parameter, and never more than 1.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mkt_models.columns import Channel, FatigueState, NumberKind
from mkt_models.decisions.words import CHANNELS, Words
from mkt_models.store.records import Exposure

DAY = timedelta(days=1)
APPLIED = (FatigueState.SHOWN, FatigueState.ASSUMED)
LEFT: Words = (
    "{n} contacts over {channel} in {days} days leave {left} of a response ({how})",
    "{days} 天内经{channel}触达 {n} 次，响应剩余 {left}（{how}）",
)
UNCHANGED: Words = (
    "not changed by {n} contacts over {channel} in {days} days: {why}",
    "{days} 天内经{channel}触达 {n} 次，未作调整：{why}",
)
MEASURED: Words = (
    "{kind}, interval {lower} to {upper}, n = {count:,} contacts of {customers:,} customers",
    "{kind}，区间 {lower} 至 {upper}，{customers:,} 名客户的 {count:,} 次触达",
)
KINDS: Mapping[NumberKind, Words] = {
    NumberKind.OBSERVED: ("observed within customers", "客户内观察"),
    NumberKind.RANDOMISED: ("contacts assigned at random", "随机分配的触达"),
}


@dataclass(frozen=True, slots=True)
class ChannelDecay:
    """The decay of a channel: what is known of it, from how much, and of which kind.

    ``decay`` is per unit of pressure; None where nothing could be evaluated. ``plausible`` are the
    half-lives that fit about as well, each with the lower and upper end of its decay; none where
    the decay is assumed. ``n`` are contacts, ``of`` says which responses were counted, ``why``
    stands in both languages.
    """

    channel: Channel
    state: FatigueState
    window_days: int
    of: str
    why: Words
    kind: NumberKind | None = None
    decay: float | None = None
    half_life_days: float | None = None
    plausible: tuple[tuple[float, float, float], ...] = ()
    n: int = 0
    customers: int = 0

    def __post_init__(self) -> None:
        """Refuse a decay that is to be applied, and that nobody has, or that raises a response."""
        if self.state not in APPLIED:
            return
        for name, value in (("decay", self.decay), ("half_life_days", self.half_life_days)):
            if value is None or not 0 <= value < math.inf:
                raise ValueError(f"fatigue over {self.channel}: {name} == {value}, must be >= 0")
        if not self.half_life_days:
            raise ValueError(f"fatigue over {self.channel}: half_life_days == 0, must be > 0")

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "ChannelDecay":
        """Read a row of ``models.fatigue_by_channel``."""
        names = ("window_days", "of", "decay", "half_life_days")
        ends = ("half_life_days", "decay_lower", "decay_upper")
        return cls(
            channel=Channel(row["channel"]),
            state=FatigueState(row["state"]),
            kind=None if row["kind"] is None else NumberKind(row["kind"]),
            why=(row["en"], row["zh"]),
            n=row["n"],
            customers=row["customers"],
            plausible=tuple(tuple(one[name] for name in ends) for one in row["plausible"]),
            **{name: row[name] for name in names},
        )

    def fatigue(self, contacts: Iterable[Exposure], now: datetime) -> "Fatigue":
        """What a customer's contacts leave of a response to one at ``now``, aware.

        A contact that is planned, and may still be sent, counts as if it were sent at ``now``: the
        careful side. Contacts over other channels, after ``now`` or before the window are without
        effect.
        """
        ages = [
            age
            for one in contacts
            if one.channel == self.channel and one.sent_at <= now
            if (age := (now - min(now, one.until or one.sent_at)) / DAY) <= self.window_days
        ]
        if self.state not in APPLIED:
            return Fatigue(self, len(ages), None, 1.0, None)
        assert self.decay is not None
        assert self.half_life_days is not None
        pressure = pressure_of(ages, self.half_life_days)
        multiplier = math.exp(-self.decay * pressure)
        ends = [
            (math.exp(-max(end, 0.0) * pressure_of(ages, half_life)))
            for half_life, *both in self.plausible
            for end in both
        ]
        interval = (min(ends), max(ends)) if ends else None
        return Fatigue(self, len(ages), pressure, multiplier, interval)


def pressure_of(ages: Iterable[float], half_life_days: float) -> float:
    """The pressure of contacts of these ages, days.

    >>> pressure_of([7, 14], 7)
    0.75
    """
    return float(sum(0.5 ** (age / half_life_days) for age in ages))


@dataclass(frozen=True, slots=True)
class Fatigue:
    """What the ``contacts`` of a customer leave of a response: ``multiplier``, above 0, at most 1.

    ``pressure`` is None where no decay is applied; ``interval`` holds the multiplier over all
    plausible half-lives, and is None where it was not estimated.
    """

    decay: ChannelDecay
    contacts: int
    pressure: float | None
    multiplier: float
    interval: tuple[float, float] | None

    def words(self, language: int) -> str:
        """What it says, in English (0) or Chinese (1)."""
        decay, ends = self.decay, self.interval
        said = {
            "n": self.contacts,
            "days": decay.window_days,
            "channel": CHANNELS[decay.channel][language],
        }
        if self.pressure is None:
            return UNCHANGED[language].format(**said, why=decay.why[language])
        how = decay.why[language]
        if ends is not None and decay.kind is not None:
            how = MEASURED[language].format(
                kind=KINDS[decay.kind][language],
                lower=f"{ends[0]:.0%}",
                upper=f"{ends[1]:.0%}",
                count=decay.n,
                customers=decay.customers,
            )
        return LEFT[language].format(**said, left=f"{self.multiplier:.0%}", how=how)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: the factor, its interval, what it comes from, and the words."""
        decay, ends = self.decay, self.interval
        return {
            "multiplier": round(self.multiplier, 6),
            "multiplier_lower": None if ends is None else round(ends[0], 6),
            "multiplier_upper": None if ends is None else round(ends[1], 6),
            "contacts": self.contacts,
            "pressure": None if self.pressure is None else round(self.pressure, 6),
            "channel": decay.channel.value,
            "state": decay.state.value,
            "kind": None if decay.kind is None else decay.kind.value,
            "n": decay.n,
            "customers": decay.customers,
            "decay": decay.decay,
            "half_life_days": decay.half_life_days,
            "window_days": decay.window_days,
            "of": decay.of,
            "en": self.words(0),
            "zh": self.words(1),
        }
