"""What is known of fatigue over each channel: estimated, not shown, not evaluated, or assumed.

One row per channel that a customer can be reached over, as the snapshot carries it to the service.
Where earlier contacts were assigned at random and suffice, they alone tell; else what was observed
within customers does, unless contacts depended on responses. A decay is applied only if its
interval leaves out 0; a response that rises with contacts is no reason for more of them.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import Channel, FatigueState, NumberKind
from mkt_models.engine import Connection, tables
from mkt_models.fatigue_params import Fatigue
from mkt_models.models.contact_pressure import (
    RESPONSE,
    Contacts,
    answerable,
    assigned,
    with_pressure,
)
from mkt_models.models.fatigue import Decay, comparable, feedback, randomised, within_customers

Row = dict[str, Any]
Words = tuple[str, str]

NEEDED = ("campaigns", "exposures", "outcomes")
OFF = ("switched off (fatigue.enabled)", "已关闭（fatigue.enabled）")
NO_RECORDS = (
    "the source records no campaigns, contacts or responses",
    "来源未记录活动、触达或响应",
)
NO_CONTACTS = (
    "no contact over it that could be answered is on record",
    "该渠道没有可响应的触达记录",
)
UNBOUNDED = ("the responses do not bound a decay", "响应数据无法界定衰减")
DEPENDS = (
    "whether later contacts depend on responses cannot be excluded (p = {p:.3f}), so that a decay "
    "within customers may be the shop's doing",
    "无法排除后续触达取决于先前响应（p = {p:.3f}），客户内的衰减可能由商家的投放造成",
)
UNTESTED = (
    "whether later contacts depend on responses could not be tested",
    "无法检验后续触达是否取决于先前响应",
)
FEW = (
    "too little: {customers:,} customers tell of it ({min_customers:,} are needed), and "
    "{responses:,} of their responses came under more pressure than usual, or under less, "
    "whichever is rarer ({min_responses:,} are needed)",
    "数据不足：可用客户 {customers:,} 人（至少 {min_customers:,} 人），高于或低于平常压力的响应"
    "取较少者为 {responses:,} 次（至少 {min_responses:,} 次）",
)
SHOWN = (
    "responses fall with earlier contacts, and chance is ruled out",
    "响应随先前触达减少，且可排除偶然",
)
NOT_SHOWN = (
    "no fatigue is shown: the interval of the decay holds 0",
    "未显示疲劳：衰减区间包含 0",
)
RISES = (
    "responses rise with earlier contacts; that is no reason for more of them",
    "响应随先前触达增加；这不是增加触达的理由",
)


def fatigue_by_channel(
    con: Connection, as_of: date, settings: Fatigue, seed: int
) -> tuple[Row, ...]:
    """Estimate the decay of every channel from the clean tables.

    Parameters
    ----------
    con
        Engine with the clean views; without ``campaigns``, ``exposures`` or ``outcomes`` nothing is
        evaluated.
    as_of
        Only campaigns that were over before it are looked at.
    settings, seed
        What is tried and needed; the seed of the widened intervals.

    Returns
    -------
    tuple of dict
        One per :class:`Channel`, JSON-able: ``channel``, ``state`` (FatigueState), ``kind``
        (NumberKind or None), ``decay`` with ``decay_lower`` and ``decay_upper`` (per unit of
        pressure; None where not evaluated), ``half_life_days``, ``plausible`` (the half-lives that
        fit about as well, each with the interval of its decay), ``window_days``, ``n`` (contacts),
        ``customers``, ``responses``, ``feedback_p``, ``of`` (what counts as a response), ``en`` and
        ``zh`` (why).

    """
    if not settings.enabled:
        return declared(settings, OFF)
    if not set(NEEDED) <= tables(con):
        return declared(settings, NO_RECORDS)
    contacts, history = answerable(con, as_of), assigned(con)
    rows = []
    for channel in Channel:
        here = contacts[contacts["channel"] == channel.value]
        sent = history[history["channel"] == channel.value]
        if here.empty:
            rows.append(_unknown(channel, settings, NO_CONTACTS))
            continue
        weighed = with_pressure(here, sent, settings.half_lives, settings.window_days)
        rows.append(of_channel(channel, weighed, settings, seed))
    return tuple(rows)


def declared(settings: Fatigue, why: Words = NO_RECORDS) -> tuple[Row, ...]:
    """The rows where nothing can be estimated: assumed by a parameter, or not evaluated."""
    return tuple(_unknown(channel, settings, why) for channel in Channel)


def of_channel(channel: Channel, contacts: Contacts, settings: Fatigue, seed: int) -> Row:
    """Judge one channel; the row of :func:`fatigue_by_channel`."""
    assigned_so = (contacts.probability > 0) & (contacts.probability < 1)
    drawn = contacts.where(assigned_so)
    usual = drawn.expected[:, -1]
    counts = _counts(drawn, usual, drawn.random)
    if not _too_few(counts, settings):
        found = randomised(drawn, settings.confidence, seed)
        return _judged(channel, NumberKind.RANDOMISED, drawn, found, counts, settings, None)
    kept = comparable(contacts)
    pressure = kept.pressure[:, -1]
    size = np.bincount(kept.customer)
    usual = (np.bincount(kept.customer, pressure) / size)[kept.customer]
    varies = np.bincount(kept.customer, np.abs(pressure - usual) > 1e-9)[kept.customer] > 0
    counts = _counts(kept, usual, varies)
    if few := _too_few(counts, settings):
        return _unknown(channel, settings, few, counts)
    found = within_customers(kept, settings.confidence, seed)
    p = float("nan") if found.best is None else feedback(kept, found.best)
    return _judged(channel, NumberKind.OBSERVED, kept, found, counts, settings, p)


def _counts(contacts: Contacts, usual: np.ndarray, telling: np.ndarray) -> Row:
    """How many contacts, customers and responses tell of a decay."""
    apart = contacts.pressure[:, -1] - usual if len(contacts) else np.zeros(0)
    answered = telling & (contacts.response > 0)
    more, less = int((answered & (apart > 1e-9)).sum()), int((answered & (apart < -1e-9)).sum())
    return {
        "n": int(telling.sum()),
        "customers": len(np.unique(contacts.customer[telling])),
        "responses": int(answered.sum()),
        "either": min(more, less),
    }


def _too_few(counts: Row, settings: Fatigue) -> Words | None:
    if counts["customers"] >= settings.min_customers and counts["either"] >= settings.min_responses:
        return None
    said = {
        "customers": counts["customers"],
        "responses": counts["either"],
        "min_customers": settings.min_customers,
        "min_responses": settings.min_responses,
    }
    return FEW[0].format(**said), FEW[1].format(**said)


def _judged(
    channel: Channel,
    kind: NumberKind,
    contacts: Contacts,
    found: Decay,
    counts: Row,
    settings: Fatigue,
    p: float | None,
) -> Row:
    best = found.best
    if best is None:
        return _unknown(channel, settings, UNBOUNDED, counts)
    if p is not None and not p >= settings.exogeneity_level:
        why = UNTESTED if np.isnan(p) else (DEPENDS[0].format(p=p), DEPENDS[1].format(p=p))
        return _unknown(channel, settings, why, counts, p)
    lower, upper = found.interval(best)
    state = FatigueState.SHOWN if lower > 0 else FatigueState.NOT_SHOWN
    why = SHOWN if lower > 0 else RISES if upper < 0 else NOT_SHOWN
    return {
        **_row(channel, state, settings, why, counts, p),
        "kind": kind.value,
        "decay": round(float(found.decay[best]), 6),
        "decay_lower": round(lower, 6),
        "decay_upper": round(upper, 6),
        "half_life_days": settings.half_lives[best],
        "plausible": [
            {
                "half_life_days": settings.half_lives[one],
                "decay_lower": round(found.interval(one)[0], 6),
                "decay_upper": round(found.interval(one)[1], 6),
            }
            for one in found.plausible
        ],
    }


def _unknown(
    channel: Channel,
    settings: Fatigue,
    why: Words,
    counts: Mapping[str, int] | None = None,
    p: float | None = None,
) -> Row:
    """Not evaluated; or assumed, if a parameter says so."""
    assumed = settings.assumed.get(channel)
    if assumed is None:
        return _row(channel, FatigueState.NOT_EVALUATED, settings, why, counts, p)
    said = (f"assumed: {assumed.why}; {why[0]}", f"假设：{assumed.why}；{why[1]}")
    return {
        **_row(channel, FatigueState.ASSUMED, settings, said, counts, p),
        "kind": NumberKind.ASSUMED.value,
        "decay": assumed.decay,
        "half_life_days": assumed.half_life_days,
    }


def _row(
    channel: Channel,
    state: FatigueState,
    settings: Fatigue,
    why: Words,
    counts: Mapping[str, int] | None,
    p: float | None,
) -> Row:
    known = counts or {}
    return {
        "channel": channel.value,
        "state": state.value,
        "kind": None,
        "decay": None,
        "decay_lower": None,
        "decay_upper": None,
        "half_life_days": None,
        "plausible": [],
        "window_days": settings.window_days,
        **{name: int(known.get(name, 0)) for name in ("n", "customers", "responses")},
        "feedback_p": None if p is None or np.isnan(p) else round(p, 6),
        "of": RESPONSE,
        "en": why[0],
        "zh": why[1],
    }


def fatigue_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows for readers, with what a contact the day before leaves of a response.

    ``left`` is ``exp(-decay * 0.5 ** (1 / half_life))``, with its interval over all plausible
    half-lives; missing where no decay was estimated or assumed. ``applied`` says whether decisions
    use it.
    """
    table = pd.DataFrame(list(rows))
    numbers = ["decay", "decay_lower", "decay_upper", "half_life_days", "feedback_p"]
    table = table.astype(dict.fromkeys(numbers, "float64"))
    table["left"] = np.exp(-table["decay"] * 0.5 ** (1 / table["half_life_days"]))
    for end, of, over in (("lower", "decay_upper", min), ("upper", "decay_lower", max)):
        table[f"left_{end}"] = [
            over(
                (np.exp(-one[of] * 0.5 ** (1 / one["half_life_days"])) for one in plausible),
                default=np.nan,
            )
            for plausible in table["plausible"]
        ]
    table["applied"] = table["state"].isin([FatigueState.SHOWN, FatigueState.ASSUMED])
    return table
