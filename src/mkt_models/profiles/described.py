"""What every column of a profile is: kind, unit, values, and what it is called in both languages.

One vocabulary for the rules of tags and strategies, for the customer's page and for the reports.
Plain Python: the service reads it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from mkt_models.columns import (
    PROFILE_DIMENSIONS,
    Dimension,
    Habit,
    LifecycleStage,
    PurchasingPower,
    Tier,
)
from mkt_models.profiles.indicators import indicators
from mkt_models.profiles.interests_named import LIST_NEEDS
from mkt_models.profiles.measures import catalogue

Words = tuple[str, str]
"""The same thing said twice: English, Chinese."""


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """What a rule may ask of a column of the profile, and what people call it.

    ``needs`` names what must hold a value in the source's tables; else it is not available.
    """

    kind: Literal["number", "text", "list"]
    words: Words
    values: tuple[str, ...] = ()
    unit: str = ""
    needs: tuple[str, ...] = ()


def _number(en: str, zh: str, unit: str, *needs: str) -> ProfileColumn:
    return ProfileColumn("number", (en, zh), unit=unit, needs=needs)


def _text(en: str, zh: str, *needs: str) -> ProfileColumn:
    return ProfileColumn("text", (en, zh), needs=needs)


def _label(en: str, zh: str, values: type[StrEnum], *needs: str) -> ProfileColumn:
    return ProfileColumn("text", (en, zh), tuple(str(value) for value in values), needs=needs)


def _list(en: str, zh: str, *needs: str) -> ProfileColumn:
    return ProfileColumn("list", (en, zh), needs=needs)


_DAY_PARTS = ("morning", "afternoon", "evening", "night")
_RETURNS = ("returns.amount_cents",)

# What is neither a feature of the models nor an indicator, and shorter words for some that are.
_OWN: Mapping[str, ProfileColumn] = {
    "age_band": _text("age band", "年龄段", "customers.age_band", "customers.birth_year"),
    "gender": _text("gender", "性别", "customers.gender"),
    "region": _text("region", "地区", "customers.region"),
    "occupation": _text("occupation", "职业", "customers.occupation"),
    "income_band": _text("income band", "收入段", "customers.income_band"),
    "education": _text("education", "教育程度", "customers.education"),
    "marital_status": _text("marital status", "婚姻状况", "customers.marital_status"),
    "household_size": _text("household size", "家庭人数", "customers.household_size"),
    "household_composition": _text(
        "household composition", "家庭构成", "customers.household_composition"
    ),
    "children": _text("children", "子女数", "customers.children"),
    "home_ownership": _text("home ownership", "住房状况", "customers.home_ownership"),
    "tenure_days": _number("days since the first order", "首单距今天数", "days"),
    "days_since_last_order": _number("days since the last order", "末单距今天数", "days"),
    "days_since_registration": _number(
        "days since registration", "注册距今天数", "days", "customers.registered_on"
    ),
    "orders_28d": _number("orders in 28 days", "28 天订单数", "orders"),
    "orders_90d": _number("orders in 90 days", "90 天订单数", "orders"),
    "orders_365d": _number("orders in 365 days", "365 天订单数", "orders"),
    "amount_28d": _number("spend in 28 days", "28 天消费额", "currency"),
    "amount_90d": _number("spend in 90 days", "90 天消费额", "currency"),
    "amount_365d": _number("spend in 365 days", "365 天消费额", "currency"),
    "mean_order_amount": _number("mean order amount", "平均订单金额", "currency"),
    "days_between_orders": _number("days between orders", "平均购买间隔天数", "days"),
    "items_per_order": _number("items per order", "每单件数", "items", "transactions.quantity"),
    "discount_share": _number(
        "share of discounts",
        "折扣占比",
        "share",
        "transactions.loyalty_discount_cents",
        "transactions.coupon_discount_cents",
        "transactions.coupon_match_discount_cents",
    ),
    "coupon_share": _number(
        "share of orders with a coupon", "用券订单占比", "share",
        "transactions.coupon_discount_cents",
    ),
    "private_label_share": _number(
        "share of the shop's own brands", "自有品牌占比", "share", "products.private_label"
    ),
    "weekend_share": _number("share of orders at weekends", "周末订单占比", "share"),
    "preferred_day_part": ProfileColumn("text", ("preferred time of day", "偏好时段"), _DAY_PARTS),
    "browsing_day_part": ProfileColumn(
        "text", ("time of day of most visits", "最常访问时段"), _DAY_PARTS, needs=("events.kind",)
    ),
    "stores_90d": _number(
        "stores visited in 90 days", "90 天到店数", "stores", "transactions.store_id"
    ),
    "main_store": _text("main store", "常去门店", "transactions.store_id"),
    "categories_90d": _number(
        "categories bought in 90 days", "90 天购买品类数", "categories", "products.category"
    ),
    "views_per_order": _number(
        "product views per order in 90 days", "90 天每单浏览商品次数", "times", "events.kind"
    ),
    "coupon_share_365d": _number(
        "share of orders with a coupon in 365 days", "365 天用券订单占比", "share",
        "transactions.coupon_discount_cents",
    ),
    "campaigns_90d": _number(
        "campaigns received in 90 days", "90 天收到的活动数", "campaigns", "exposures.campaign_id"
    ),
    "redemptions_90d": _number(
        "coupons redeemed in 90 days", "90 天核销优惠券数", "coupons", "outcomes.campaign_id"
    ),
    "top_categories": _list("liked categories", "偏好品类", *LIST_NEEDS["top_categories"]),
    "top_brands": _list("liked brands", "偏好品牌", *LIST_NEEDS["top_brands"]),
    "top_products": _list("liked products", "偏好商品", *LIST_NEEDS["top_products"]),
    "liked_categories": _list(
        "categories looked at, marked and bought", "浏览、收藏和购买最多的品类",
        *LIST_NEEDS["liked_categories"],
    ),
    "followed_topics": _list("topics followed", "关注的话题", *LIST_NEEDS["followed_topics"]),
    "answered_campaigns": _list(
        "kinds of campaign answered", "响应过的活动类型", *LIST_NEEDS["answered_campaigns"]
    ),
    "interest_tags": _list("interests by name", "兴趣标签"),
    "behaviour_tags": _list("tags of behaviour", "行为标签"),
    "social_tags": _list("tags of social activity", "社交标签", "social.kind"),
    "influence": _number("social influence (0 to 100)", "社交影响力（0 至 100）", "points",
                         "social.followers"),
    "usual_gap_days": _number("usual days between shopping days", "惯常购物间隔天数", "days"),
    "silence": _number(
        "days since the last order, in usual pauses", "沉默时长（以惯常间隔计）", "times"
    ),
    "lifecycle_stage": _label("lifecycle stage", "生命周期阶段", LifecycleStage),
    "value_amount": _number("spend net of returns", "净消费额（扣除退货）", "currency_net"),
    "value_percentile": _number("rank by spend", "消费额排名分位", "share"),
    "value_tier": _label("value tier", "价值层级", Tier),
    "price_index": _number("price index", "价格指数", "times", "products.product_type"),
    "purchasing_power": _label("purchasing power", "购买力", PurchasingPower,
                               "products.product_type"),
    "spending_habit": _label("spending habit", "消费习惯", Habit),
    "return_share_365d": _number(
        "share of spend returned in 365 days", "365 天退货金额占比", "ratio", *_RETURNS
    ),
    "accounts": _number(
        "accounts of the same person", "同一人的账号数", "accounts",
        "identity_map.source_customer_id",
    ),
    "risk_points": _number("points of risk", "风险积分", "points"),
    "risk_signals": _list("signs of risk", "风险信号"),
    "risk_tier": _label("risk tier", "风险等级", Tier),
}  # fmt: skip


def _described(name: str) -> ProfileColumn:
    if name in _OWN:
        return _OWN[name]
    if name in indicators():
        one = indicators()[name]
        kind: Literal["text", "number"] = "text" if one.unit == "text" else "number"
        return ProfileColumn(kind, (one.en, one.zh), unit=one.unit, needs=one.needs)
    feature = catalogue()[name]
    return ProfileColumn("number", (feature.en, feature.zh), unit=feature.unit)


PROFILE_COLUMNS: Mapping[str, ProfileColumn] = {
    name: _described(name) for names in PROFILE_DIMENSIONS.values() for name in names
}
"""Every column of the profile, in the order of the customer's page."""

DIMENSIONS: Mapping[Dimension, Words] = {
    Dimension.BASICS: ("Basics", "基础属性"),
    Dimension.BEHAVIOUR: ("Behaviour", "行为偏好"),
    Dimension.HABIT: ("Spending habits", "消费习惯"),
    Dimension.INTERESTS: ("Interests", "兴趣爱好"),
    Dimension.SOCIAL: ("Social", "社交属性"),
    Dimension.LIFECYCLE: ("Lifecycle", "生命周期"),
    Dimension.VALUE: ("Value", "价值等级"),
    Dimension.RISK: ("Risk", "风险等级"),
}

VALUES: Mapping[str, Words] = {
    "new": ("new", "新用户"),
    "active": ("active", "活跃用户"),
    "dormant": ("dormant", "沉睡用户"),
    "lost": ("lost", "流失用户"),
    "high": ("high", "高"),
    "middle": ("middle", "中"),
    "low": ("low", "低"),
    "impulse_buyer": ("impulse buyer", "剁手党"),
    "careful_spender": ("careful spender", "精打细算族"),
    "rational_consumer": ("rational consumer", "理性消费者"),
    "affluent": ("affluent", "高净值人群"),
    "middle_class": ("middle class", "中产阶级"),
    "ordinary": ("ordinary", "普通消费者"),
    "morning": ("morning", "上午"),
    "afternoon": ("afternoon", "下午"),
    "evening": ("evening", "晚上"),
    "night": ("night", "凌晨"),
}
"""What the fixed values of text columns are called."""
