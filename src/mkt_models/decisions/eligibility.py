"""Who a strategy is for: rules over the columns of a profile.

A rule on a missing value never holds and never fails by accident: it says "not available". Rules
are checked when the catalogue is read, so a misspelt column or tier stops the run, not a customer.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Literal, Self

from pydantic import StrictFloat, StrictInt, StrictStr, model_validator

from mkt_models.columns import (
    NOT_AVAILABLE,
    PROFILE_DIMENSIONS,
    SENSITIVE,
    Habit,
    LifecycleStage,
    PurchasingPower,
    Tier,
)
from mkt_models.decisions.words import Code, Reason, Words, reason
from mkt_models.sections import Section, nearest

Op = Literal["==", "!=", ">", ">=", "<", "<=", "in", "not_in", "has"]
Scalar = StrictInt | StrictFloat | StrictStr


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """What a rule may ask of a column of the profile."""

    kind: Literal["number", "text", "list"]
    words: Words
    values: tuple[str, ...] = ()


def _number(en: str, zh: str) -> ProfileColumn:
    return ProfileColumn("number", (en, zh))


def _text(en: str, zh: str, values: type[StrEnum] | tuple[str, ...] = ()) -> ProfileColumn:
    return ProfileColumn("text", (en, zh), tuple(str(value) for value in values))


_ASKED: Mapping[str, ProfileColumn] = {
    "age_band": _text("age band", "年龄段"),
    "income_band": _text("income band", "收入段"),
    "marital_status": _text("marital status", "婚姻状况"),
    "household_size": _text("household size", "家庭人数"),
    "household_composition": _text("household composition", "家庭构成"),
    "children": _text("children", "子女数"),
    "home_ownership": _text("home ownership", "住房状况"),
    "tenure_days": _number("days since the first order", "首单距今天数"),
    "days_since_last_order": _number("days since the last order", "末单距今天数"),
    "orders_28d": _number("orders in 28 days", "28 天订单数"),
    "orders_90d": _number("orders in 90 days", "90 天订单数"),
    "orders_365d": _number("orders in 365 days", "365 天订单数"),
    "amount_28d": _number("spend in 28 days", "28 天消费额"),
    "amount_90d": _number("spend in 90 days", "90 天消费额"),
    "amount_365d": _number("spend in 365 days", "365 天消费额"),
    "mean_order_amount": _number("mean order amount", "平均订单金额"),
    "days_between_orders": _number("days between orders", "平均购买间隔天数"),
    "items_per_order": _number("items per order", "每单件数"),
    "discount_share": _number("share of discounts", "折扣占比"),
    "coupon_share": _number("share of orders with a coupon", "用券订单占比"),
    "private_label_share": _number("share of the shop's own brands", "自有品牌占比"),
    "weekend_share": _number("share of orders at weekends", "周末订单占比"),
    "preferred_day_part": _text(
        "preferred time of day", "偏好时段", ("morning", "afternoon", "evening", "night")
    ),
    "stores_90d": _number("stores visited in 90 days", "90 天到店数"),
    "main_store": _text("main store", "常去门店"),
    "categories_90d": _number("categories bought in 90 days", "90 天购买品类数"),
    "top_categories": ProfileColumn("list", ("liked categories", "偏好品类")),
    "lifecycle_stage": _text("lifecycle stage", "生命周期阶段", tuple(LifecycleStage)),
    "value_tier": _text("value tier", "价值层级", tuple(Tier)),
    "price_index": _number("price index", "价格指数"),
    "purchasing_power": _text("purchasing power", "购买力", tuple(PurchasingPower)),
    "spending_habit": _text("spending habit", "消费习惯", tuple(Habit)),
    "coupon_share_365d": _number("share of orders with a coupon in 365 days", "365 天用券订单占比"),
    "risk_tier": _text("risk tier", "风险等级", tuple(Tier)),
    "social": _text("social activity", "社交活动"),
}

PROFILE_COLUMNS: Mapping[str, ProfileColumn] = {
    name: _ASKED[name] for names in PROFILE_DIMENSIONS.values() for name in names
}
"""What a rule may ask of each column of the profile, in the order of the customer's page."""

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
    words = PROFILE_COLUMNS[rule.column].words
    if missing(value):
        return reason(Code.NOT_AVAILABLE, column=words)
    try:
        holds = _COMPARE[rule.op](value, rule.value)
    except TypeError:
        return reason(Code.NOT_AVAILABLE, column=words)
    if holds:
        return None
    wanted = ", ".join(rule.value) if isinstance(rule.value, tuple) else rule.value  # type: ignore[arg-type]
    return reason(Code.NOT_ELIGIBLE, column=words, value=value, op=rule.op, wanted=wanted)
