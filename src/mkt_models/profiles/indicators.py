"""The indicators of a profile beyond the models' features: what is counted, from where, in words.

One line per indicator: dimension, source, window, SQL, unit, English and Chinese.
:mod:`mkt_models.profiles.indicator_query` turns them into one query. A new indicator is a new line
here and its name in ``columns.PROFILE_DIMENSIONS``. The models do not see them: what a model reads
is :func:`mkt_models.profiles.measures.catalogue`.

What an indicator needs and the source does not have makes it null, "not available", and never 0:
``needs`` names the columns, as ``table.column``, of which at least one must hold a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mkt_models.columns import Dimension

WINDOW = 90
YEAR = 365
# A purchase follows from a view of the same product at most so many days before.
LOOKED_AHEAD = 30
# What a service request is about, by words anywhere in its topic; a source writes it its own way.
DELIVERY = ("deliver", "shipping", "shipment", "courier", "物流", "配送", "快递")
QUALITY = ("quality", "defect", "damaged", "质量", "品质", "破损")


@dataclass(frozen=True)
class Indicator:
    """One number or text per customer and date.

    Attributes
    ----------
    dimension
        Where on the customer's page it stands.
    source
        The rows that it is computed from: a name of ``indicator_query.SOURCES``.
    days
        How far it looks back; null for all days so far.
    sql
        An aggregate over the source's rows, which have their ``age`` in days.
    unit
        Unit of the number; ``text`` for a word.
    en, zh
        What it is.
    needs
        ``table.column`` of which one must hold a value anywhere, or it is not available.
    empty
        SQL of what a customer without any row has.
    ages
        It is the age of a fixed day: one more every day, whatever the customer does.

    """

    dimension: Dimension
    source: str
    days: int | None
    sql: str
    unit: str
    en: str
    zh: str
    needs: tuple[str, ...]
    empty: str = "NULL"
    ages: bool = False


def _within(days: int | None, condition: str = "") -> str:
    parts = [part for part in (f"age <= {days}" if days else "", condition) if part]
    return " AND ".join(parts) or "TRUE"


def _count(days: int | None, condition: str = "") -> str:
    return f"sum(CASE WHEN {_within(days, condition)} THEN 1 ELSE 0 END)"


def _distinct(days: int, column: str, condition: str = "") -> str:
    return f"count(DISTINCT CASE WHEN {_within(days, condition)} THEN {column} END)"


def _mean(days: int | None, column: str, condition: str = "") -> str:
    """Mean of what is known, to six decimals: sums of fractions differ by engine in the last."""
    case = f"CASE WHEN {_within(days, condition)} THEN {column} END"
    return f"round(CAST(sum({case}) AS DOUBLE) / NULLIF(count({case}), 0), 6)"


def _money(days: int, age: str = "age") -> str:
    return f"CAST(sum(CASE WHEN {age} <= {days} THEN amount_cents ELSE 0 END) AS DOUBLE) / 100"


def _part(days: int, part: str, whole: str) -> str:
    return (
        f"CAST(sum(CASE WHEN age <= {days} THEN {part} ELSE 0 END) AS DOUBLE)"
        f" / NULLIF(sum(CASE WHEN age <= {days} THEN {whole} ELSE 0 END), 0)"
    )


def _events(kind: str, en: str, zh: str) -> Indicator:
    return Indicator(
        Dimension.BEHAVIOUR,
        "events",
        WINDOW,
        _count(WINDOW, f"kind = '{kind}'"),
        "times",
        f"{en}, last {WINDOW} days",
        f"近{WINDOW}天{zh}",
        ("events.kind",),
        empty="0",
    )


def _acts(kind: str, en: str, zh: str) -> Indicator:
    return Indicator(
        Dimension.SOCIAL,
        "social",
        WINDOW,
        _count(WINDOW, f"kind = '{kind}'"),
        "times",
        f"{en}, last {WINDOW} days",
        f"近{WINDOW}天{zh}",
        ("social.kind",),
        empty="0",
    )


def _complaints(words: tuple[str, ...], en: str, zh: str) -> Indicator:
    about = " OR ".join(f"POSITION('{word}' IN LOWER(topic)) > 0" for word in words)
    return Indicator(
        Dimension.BEHAVIOUR,
        "tickets",
        YEAR,
        _count(YEAR, f"({about})"),
        "requests",
        f"service requests {en}, last {YEAR} days",
        f"近{YEAR}天{zh}服务请求数",
        ("tickets.topic",),
        empty="0",
    )


_B, _H, _S = Dimension.BEHAVIOUR, Dimension.HABIT, Dimension.SOCIAL
_V, _R, _L = Dimension.VALUE, Dimension.RISK, Dimension.LIFECYCLE

# What a customer does on the site or in the app, and asks of the service.
BEHAVIOUR: dict[str, Indicator] = {
    "sessions_90d": Indicator(
        _B, "events", WINDOW, _distinct(WINDOW, "session_id"), "times",
        "visits, last 90 days", "近90天访问次数", ("events.session_id",), empty="0",
    ),
    "views_90d": _events("view", "product views", "浏览商品次数"),
    "searches_90d": _events("search", "searches", "搜索次数"),
    "clicks_90d": _events("click", "clicks", "点击次数"),
    "carts_90d": _events("cart", "products put into the cart", "加购次数"),
    "favourites_90d": _events("favourite", "products marked as favourites", "收藏次数"),
    "shares_90d": _events("share", "products shared", "分享次数"),
    "reviews_90d": _events("review", "reviews written", "评价次数"),
    "mean_rating": Indicator(
        _B, "events", YEAR, _mean(YEAR, "rating"), "stars",
        "mean rating given, last 365 days", "近365天平均评分", ("events.rating",),
    ),
    "dwell_seconds": Indicator(
        _B, "events", WINDOW, _mean(WINDOW, "dwell_seconds", "kind = 'view'"), "seconds",
        "mean time on a product, last 90 days", "近90天商品页平均停留秒数",
        ("events.dwell_seconds",),
    ),
    "days_since_last_visit": Indicator(
        _B, "events", None, "min(age)", "days",
        "days since the last visit", "距上次访问天数", ("events.kind",), ages=True,
    ),
    "view_to_buy_share": Indicator(
        _B, "funnel", WINDOW, _mean(WINDOW, "bought", "kind = 'view'"), "share",
        "share of the products viewed in 90 days that were bought since", "近90天浏览后购买占比",
        ("events.product_id",),
    ),
    "cart_abandonment": Indicator(
        _B, "funnel", WINDOW, _mean(WINDOW, "1 - bought", "kind = 'cart'"), "share",
        "share of the products put into the cart in 90 days and not bought since",
        "近90天加购未购买占比", ("events.product_id",),
    ),
    "tickets_365d": Indicator(
        _B, "tickets", YEAR, _count(YEAR), "requests",
        "service requests, last 365 days", "近365天服务请求数", ("tickets.ticket_id",), empty="0",
    ),
    "delivery_tickets_365d": _complaints(DELIVERY, "about delivery", "物流配送类"),
    "quality_tickets_365d": _complaints(QUALITY, "about quality", "商品质量类"),
    "open_tickets": Indicator(
        _B, "tickets", None, "sum(CASE WHEN resolved = 0 THEN 1 ELSE 0 END)", "requests",
        "service requests not resolved yet", "未解决的服务请求数", ("tickets.ticket_id",),
        empty="0",
    ),
    "ticket_satisfaction": Indicator(
        _B, "tickets", YEAR, _mean(YEAR, "CASE WHEN resolved = 1 THEN satisfaction END"), "points",
        "mean satisfaction with the service (1 to 5), last 365 days", "近365天服务满意度（1至5）",
        ("tickets.satisfaction",),
    ),
}  # fmt: skip

# How a customer buys.
HABIT: dict[str, Indicator] = {
    "orders_365d": Indicator(
        _H, "orders", YEAR, _count(YEAR), "orders",
        "orders, last 365 days", "近365天订单数", ("transactions.order_id",), empty="0",
    ),
    "amount_365d": Indicator(
        _H, "orders", YEAR, _money(YEAR),
        "currency", "spend, last 365 days", "近365天消费金额", ("transactions.amount_cents",),
        empty="0",
    ),
    "night_share": Indicator(
        _B, "orders", WINDOW, _part(WINDOW, "CASE WHEN local_hour < 6 THEN 1 ELSE 0 END", "1"),
        "share", "share of orders between midnight and 06:00, last 90 days", "近90天凌晨订单占比",
        ("transactions.order_id",),
    ),
    "days_view_to_buy": Indicator(
        _H, "waits", WINDOW, _mean(WINDOW, "waited"), "days",
        "mean days from the first view of a product to its purchase, last 90 days",
        "近90天从首次浏览到购买的平均天数", ("events.product_id",),
    ),
    "coupon_share_365d": Indicator(
        _R, "orders", YEAR, _part(YEAR, "with_coupon", "1"), "share",
        "share of orders with a coupon, last 365 days", "近365天用券订单占比",
        ("transactions.coupon_discount_cents",),
    ),
}  # fmt: skip

# Whom a customer reaches.
SOCIAL: dict[str, Indicator] = {
    "platforms": Indicator(
        _S, "social", YEAR, _distinct(YEAR, "platform"), "platforms",
        "social platforms used, last 365 days", "近365天活跃的社交平台数", ("social.platform",),
        empty="0",
    ),
    "social_actions_90d": Indicator(
        _S, "social", WINDOW, _count(WINDOW), "times",
        "social actions of any kind, last 90 days", "近90天社交互动次数", ("social.kind",),
        empty="0",
    ),
    "posts_90d": _acts("post", "posts written", "发帖数"),
    "likes_90d": _acts("like", "likes given", "点赞数"),
    "comments_90d": _acts("comment", "comments written", "评论数"),
    "reposts_90d": _acts("repost", "posts passed on", "转发数"),
    "follows_90d": _acts("follow", "accounts newly followed", "新增关注数"),
    "followers": Indicator(
        _S, "social", None, "max(CASE WHEN nth = 1 THEN followers END)", "people",
        "followers, as last seen", "粉丝数（最近一次记录）", ("social.followers",),
    ),
    "contacts_365d": Indicator(
        _S, "social", YEAR, _distinct(YEAR, "contact"), "customers",
        "other customers interacted with, last 365 days", "近365天互动过的其他客户数",
        ("social.target_customer_id",), empty="0",
    ),
    "days_since_last_social": Indicator(
        _S, "social", None, "min(age)", "days",
        "days since the last social action", "距上次社交互动天数", ("social.kind",), ages=True,
    ),
}  # fmt: skip

# What may become a loss: money that went back, orders that came to nothing.
RISK: dict[str, Indicator] = {
    "returned_365d": Indicator(
        _R, "returns", YEAR, _money(YEAR, "sale_age"),
        "currency", "money given back for purchases of the last 365 days", "近365天购买的退款金额",
        ("returns.amount_cents",), empty="0",
    ),
    "unmatched_returns_365d": Indicator(
        _R, "returns", YEAR, _count(YEAR, "sale_date IS NULL"), "returns",
        "returned lines without a known sale, last 365 days", "近365天无对应销售的退货行数",
        ("returns.amount_cents",), empty="0",
    ),
    "failed_orders_365d": Indicator(
        _R, "failed_orders", YEAR, _distinct(YEAR, "order_id", "status = 'failed'"), "orders",
        "orders whose payment failed, last 365 days", "近365天支付失败订单数",
        ("transactions.status", "failed_orders.status"), empty="0",
    ),
    "cancelled_orders_365d": Indicator(
        _R, "failed_orders", YEAR, _distinct(YEAR, "order_id", "status = 'cancelled'"), "orders",
        "cancelled orders, last 365 days", "近365天取消订单数",
        ("transactions.status", "failed_orders.status"), empty="0",
    ),
}  # fmt: skip

# What the stage of life rests on.
RHYTHM: dict[str, Indicator] = {
    "pauses": Indicator(
        _L, "days", None, "count(gap)", "times",
        "pauses between shopping days, so far", "累计购物间隔次数", ("transactions.order_id",),
        empty="0",
    ),
    "paused_days": Indicator(
        _L, "days", None, "sum(gap)", "days",
        "days of all pauses between shopping days, so far", "累计购物间隔天数",
        ("transactions.order_id",), empty="0",
    ),
}  # fmt: skip

# The value that most rows of the window have; ties by the value. ``sql`` is an expression.
MODES: dict[str, Indicator] = {
    "preferred_device": Indicator(
        _B, "events", WINDOW, "device", "text",
        "device used most, last 90 days", "近90天最常用设备", ("events.device",),
    ),
    "browsing_day_part": Indicator(
        _B, "events", WINDOW,
        "CASE WHEN local_hour < 6 THEN 'night' WHEN local_hour < 12 THEN 'morning'"
        " WHEN local_hour < 18 THEN 'afternoon' ELSE 'evening' END",
        "text", "time of day of most visits, last 90 days", "近90天最常访问时段", ("events.kind",),
    ),
    "preferred_day_part": Indicator(
        _B, "orders", None,
        "CASE WHEN local_hour < 6 THEN 'night' WHEN local_hour < 12 THEN 'morning'"
        " WHEN local_hour < 18 THEN 'afternoon' ELSE 'evening' END",
        "text", "time of day of most orders", "最常下单时段", ("transactions.order_id",),
    ),
    "main_platform": Indicator(
        _S, "social", YEAR, "platform", "text",
        "social platform used most, last 365 days", "近365天最活跃的社交平台", ("social.platform",),
    ),
    "main_store": Indicator(
        _B, "orders", None, "store_id", "text",
        "store with most orders", "常去门店", ("transactions.store_id",),
    ),
    "payment_method": Indicator(
        _H, "ways", YEAR, "payment_method", "text",
        "way of paying used most, last 365 days", "近365天最常用支付方式",
        ("transactions.payment_method",),
    ),
    "purchase_channel": Indicator(
        _H, "ways", YEAR, "channel", "text",
        "channel of most orders, last 365 days", "近365天最常用购买渠道",
        ("transactions.channel",),
    ),
}  # fmt: skip


def counted() -> Mapping[str, Indicator]:
    """Every indicator that is an aggregate over the rows of a source, by name."""
    return {**BEHAVIOUR, **HABIT, **SOCIAL, **RISK, **RHYTHM}


def indicators() -> Mapping[str, Indicator]:
    """Every indicator by its column name."""
    return {**counted(), **MODES}
