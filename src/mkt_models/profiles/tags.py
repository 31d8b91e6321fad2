"""Tags as dated facts: who has which tag on a day, by which rule, with what evidence, how strongly.

The rules come from the catalogue; see :mod:`mkt_models.profiles.tag_catalogue`. Cut-offs that
depend on all customers are written into the rule's text, so that a tag can be explained and
repeated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, Tier
from mkt_models.profile_params import Risk
from mkt_models.profiles.tag_catalogue import (
    INDEX,
    POINTS,
    SHARE,
    Condition,
    Family,
    Tag,
    TagCatalogue,
)

TAG_COLUMNS = (
    CUSTOMER_ID,
    AS_OF,
    "tag",
    "family",
    "rule",
    "rule_version",
    "evidence",
    "strength",
    "private",
    "computed_at",
)


@dataclass(frozen=True)
class Tagged:
    """What the catalogue says of the customers of a table.

    Attributes
    ----------
    tags
        One row per customer and tag, :data:`TAG_COLUMNS`: ``rule`` is the rule with its resolved
        cut-offs, ``evidence`` the customer's own numbers as JSON, ``strength`` in (0, 1].
    labels
        Per column that a family sets, each customer's value.
    cutoffs
        Every cut-off that depends on all customers: ``tag.column`` to value.

    """

    tags: pd.DataFrame
    labels: Mapping[str, pd.Series]
    cutoffs: Mapping[str, float]


def apply_catalogue(
    table: pd.DataFrame,
    points: pd.DataFrame,
    catalogue: TagCatalogue,
    unavailable: frozenset[str],
    as_of: date,
    computed_at: datetime,
) -> Tagged:
    """Tag every customer of a table.

    Parameters
    ----------
    table
        One row per customer: the features and the profile's columns.
    points
        One row per customer and interest, from ``interests.interest_points``.
    catalogue
        The rules.
    unavailable
        Columns that the source cannot fill: conditions marked ``if_available`` ask nothing there.
    as_of, computed_at
        The day that the facts are of, and when they were computed (aware).

    """
    stamp = computed_at.isoformat(timespec="seconds")
    table = table.copy()  # one block after many columns were added
    facts: list[pd.DataFrame] = []
    labels: dict[str, pd.Series] = {}
    cutoffs: dict[str, float] = {}
    for family in catalogue.families:
        free = pd.Series(True, index=table.index)
        column = pd.Series(None, index=table.index, dtype="object")
        for tag in family.tags:
            judged = _judge(tag, _with_own(table, points, tag, unavailable), unavailable)
            cutoffs |= {f"{tag.id}.{name}": value for name, value in judged.cutoffs.items()}
            has = judged.holds & free
            if family.choose != "any":
                free &= ~has
                column = column.mask(has, tag.label or tag.id)
            facts.append(_facts(table, family, tag, judged, has))
        if family.sets:
            labels[family.sets] = column.astype("str").where(column.notna())
    tags = pd.concat(facts, ignore_index=True).assign(as_of=pd.Timestamp(as_of), computed_at=stamp)
    tags = tags.sort_values([CUSTOMER_ID, "family", "tag"], ignore_index=True)
    return Tagged(tags[list(TAG_COLUMNS)], labels, cutoffs)


def risk(table: pd.DataFrame, rules: Risk) -> pd.DataFrame:
    """Points, signals and tier of risk.

    Returns
    -------
    pandas.DataFrame
        The table's index: ``risk_points``, ``risk_signals`` (the columns whose signal is there),
        and ``risk_tier``. What is not available gives no points: the tier rests on what is known.

    """
    points = pd.Series(0.0, index=table.index)
    signals: list[list[str]] = [[] for _ in range(len(table))]
    for signal in rules.signals:
        enough = table["orders_365d"] >= signal.min_orders
        there = enough & (table[signal.column] >= signal.at_least)
        points = points + signal.points * there
        for row in np.flatnonzero(there.to_numpy()):
            if signal.column not in signals[row]:
                signals[row].append(signal.column)
    tier = np.select(
        [points >= rules.high_points, points >= rules.middle_points],
        [Tier.HIGH.value, Tier.MIDDLE.value],
        Tier.LOW.value,
    )
    return pd.DataFrame(
        {
            "risk_points": points,
            "risk_signals": pd.Series(signals, index=table.index, dtype="object"),
            "risk_tier": pd.Series(tier, index=table.index, dtype="str"),
        }
    )


@dataclass(frozen=True)
class _Judged:
    """Who meets a tag's conditions, by how much, and the numbers behind it."""

    holds: pd.Series
    strength: pd.Series
    rule: str
    evidence: pd.DataFrame
    cutoffs: dict[str, float]


def _with_own(
    table: pd.DataFrame, points: pd.DataFrame, tag: Tag, unavailable: frozenset[str]
) -> pd.DataFrame:
    """The table with the columns that only this tag has: its index, or its interest's points."""
    if tag.interest is not None:
        mine = points[points["interest"] == tag.id].set_index(CUSTOMER_ID)[[POINTS, SHARE]]
        return table.join(mine, on=CUSTOMER_ID)
    if tag.index:
        ranks = [
            (table[name] if more == "more" else -table[name]).rank(pct=True)
            for name, more in tag.index.items()
            if name not in unavailable
        ]
        if not ranks:
            return table.join(pd.Series(np.nan, index=table.index, name=INDEX))
        return table.join(pd.concat(ranks, axis=1).mean(axis=1).rename(INDEX))
    return table


def _judge(tag: Tag, table: pd.DataFrame, unavailable: frozenset[str]) -> _Judged:
    holds = table["orders_365d"] >= tag.min_orders
    said, ranks, cutoffs = [], {}, {}
    shown = [name for name in tag.index if name not in unavailable]
    for condition in tag.conditions:
        if condition.if_available and condition.column in unavailable:
            continue
        values = table[condition.column]
        at = condition.value
        if condition.quantile is not None:
            at = _cutoff(values, condition.quantile, condition.op)
            if np.isfinite(at):
                cutoffs[condition.column] = at
        holds &= _meets(values, condition, at)
        said.append(_in_text(condition, at))
        shown.append(condition.column)
        if condition.described.kind == "number" and condition.op not in ("==", "!="):
            ranks[condition.column] = (
                values.rank(pct=True, method="max")
                if condition.op in (">", ">=")
                else (-values).rank(pct=True, method="max")
            )
    if tag.min_orders:
        said.append(f"orders_365d >= {tag.min_orders}")
    chosen = [ranks[name] for name in (tag.strength.columns or ranks) if name in ranks]
    strength = pd.Series(tag.strength.value, index=table.index)
    if tag.strength.by == "rank" and chosen:
        strength = pd.concat(chosen, axis=1).mean(axis=1).round(6)
    names = list(dict.fromkeys([*shown, *tag.evidence, "orders_365d"]))
    return _Judged(
        holds.fillna(False).astype(bool),
        strength,
        " and ".join(said) or "no other tag of the family holds",
        table[names],
        cutoffs,
    )


def _cutoff(values: pd.Series, quantile: float, op: str) -> float:
    """The value at a quantile of the customers, by which those who are alike stay together.

    A customer's place is the share of customers below, and half of those who are equal. So where
    most customers have no discount at all, they are the lower half; and where all have one order,
    nobody is in the upper quarter. Infinite where no value is so high, or so low.
    """
    known = values.dropna().astype("float64")
    place = (known.rank(method="min") - 1 + known.rank(method="max")) / (2 * len(known))
    if op in (">=", "<"):
        return float(known[place >= quantile].min()) if (place >= quantile).any() else np.inf
    return float(known[place <= quantile].max()) if (place <= quantile).any() else -np.inf


def _meets(values: pd.Series, condition: Condition, at: object) -> pd.Series:
    """Whether each value meets the condition; what is missing meets none."""
    known = values.notna()
    match condition.op:
        case "has":
            return values.map(lambda one: isinstance(one, list) and at in one).astype(bool)
        case "in":
            return known & values.isin(list(at))  # type: ignore[call-overload]
        case "not_in":
            return known & ~values.isin(list(at))  # type: ignore[call-overload]
        case "==":
            return known & (values == at)
        case "!=":
            return known & (values != at)
        case ">":
            return known & (values > at)
        case ">=":
            return known & (values >= at)
        case "<":
            return known & (values < at)
        case _:
            return known & (values <= at)


def _in_text(condition: Condition, at: object) -> str:
    if isinstance(at, float) and np.isinf(at):
        return f"{condition.column} {condition.op} quantile {condition.quantile:g} (nobody's)"
    shown = f"{at:.6g}" if isinstance(at, float) else json.dumps(at, ensure_ascii=False)
    quantile = f" (quantile {condition.quantile:g})" if condition.quantile is not None else ""
    return f"{condition.column} {condition.op} {shown}{quantile}"


def _facts(
    table: pd.DataFrame, family: Family, tag: Tag, judged: _Judged, has: pd.Series
) -> pd.DataFrame:
    evidence = judged.evidence[has]
    parts = [
        [f"{json.dumps(name)}: {text}" for text in _as_json(evidence[name])] for name in evidence
    ]
    texts = ["{" + ", ".join(row) + "}" for row in zip(*parts, strict=True)]
    return pd.DataFrame(
        {
            CUSTOMER_ID: table.loc[has, CUSTOMER_ID],
            "tag": tag.id,
            "family": family.id,
            "rule": judged.rule,
            "rule_version": tag.version,
            "evidence": pd.Series(texts, index=evidence.index, dtype="str"),
            "strength": judged.strength[has].astype("float64"),
            "private": tag.private,
        }
    )


def _as_json(values: pd.Series) -> list[str]:
    """Each value as JSON: whole numbers without a point, others to six decimals."""
    if pd.api.types.is_float_dtype(values):
        return [
            "null" if v != v else str(int(v)) if v.is_integer() else repr(round(v, 6))
            for v in values.tolist()
        ]
    plain = [None if v is pd.NA or v != v else v for v in values.tolist()]
    return [json.dumps(v, ensure_ascii=False) for v in plain]
