"""The measures of a customer: what is counted, over how many days, in words.

``MEASURES`` times ``WINDOWS``, and the tables of fixed windows, give every feature by name with
its SQL, unit, and wording in English and Chinese. :mod:`mkt_models.profiles.features` turns them
into one query. A new feature is a new line here. Money inside the SQL is whole cents; a feature of
money is in currency units.
"""

from dataclasses import dataclass

WINDOWS = (7, 14, 28, 56, 90)


@dataclass(frozen=True)
class Measure:
    """One number per customer and date.

    ``sql`` is an aggregate over orders (one row per order and ``as_of``, with its ``age`` in days)
    in which ``{in_window}`` stands for the condition on ``age``; ``en`` and ``zh`` say what it is,
    with ``{days}`` for the window.
    """

    sql: str
    unit: str
    en: str
    zh: str


# Over each window.
MEASURES: dict[str, Measure] = {
    "orders": Measure(
        "sum(CASE WHEN {in_window} THEN 1 ELSE 0 END)",
        "orders",
        "orders in the last {days} days",
        "近{days}天订单数",
    ),
    "amount": Measure(
        "sum(CASE WHEN {in_window} THEN amount_cents ELSE 0 END) / 100.0",
        "currency",
        "spend in the last {days} days",
        "近{days}天消费金额",
    ),
    "items": Measure(
        "sum(CASE WHEN {in_window} THEN items ELSE 0 END)",
        "items",
        "items bought in the last {days} days",
        "近{days}天购买件数",
    ),
}

_W28, _W90 = "age <= 28", "age <= 90"


def _share(part: str, whole: str, window: str) -> str:
    return (
        f"CAST(sum(CASE WHEN {window} THEN {part} ELSE 0 END) AS DOUBLE)"
        f" / NULLIF(sum(CASE WHEN {window} THEN {whole} ELSE 0 END), 0)"
    )


def _decayed(half_life: int) -> str:
    """Sum of amounts that lose half their weight in so many days, in whole cents each."""
    cents = f"CAST(round(amount_cents * pow(0.5, age / {half_life}.0)) AS BIGINT)"
    return f"sum({cents}) / 100.0"


# Over a fixed window, or all days so far.
HISTORY: dict[str, Measure] = {
    "days_since_last_order": Measure(
        "min(age)", "days", "days since the last order", "距上次下单天数"
    ),
    "tenure_days": Measure("max(age)", "days", "days since the first order", "距首次下单天数"),
    "mean_order_amount": Measure(
        _share("amount_cents", "100", _W90),
        "currency",
        "mean amount of an order, last 90 days",
        "近90天平均订单金额",
    ),
    "items_per_order": Measure(
        _share("items", "1", _W90), "items", "items per order, last 90 days", "近90天每单件数"
    ),
    "discount_share": Measure(
        _share("discount_cents", "(amount_cents + discount_cents)", _W90),
        "share",
        "share of the shelf price saved by discounts, last 90 days",
        "近90天折扣占比",
    ),
    "coupon_share": Measure(
        _share("with_coupon", "1", _W90),
        "share",
        "share of orders with a coupon, last 90 days",
        "近90天用券订单占比",
    ),
    "private_label_share": Measure(
        _share("private_label_cents", "amount_cents", _W90),
        "share",
        "share of spend on the shop's own brands, last 90 days",
        "近90天自有品牌消费占比",
    ),
    "weekend_share": Measure(
        _share("weekend", "1", _W90),
        "share",
        "share of orders on weekends, last 90 days",
        "近90天周末订单占比",
    ),
    "evening_share": Measure(
        _share("evening", "1", _W90),
        "share",
        "share of orders after 17:00, last 90 days",
        "近90天傍晚后订单占比",
    ),
    "stores_90d": Measure(
        "count(DISTINCT CASE WHEN age <= 90 THEN store_id END)",
        "stores",
        "stores visited in the last 90 days",
        "近90天到访门店数",
    ),
    "largest_order_90d": Measure(
        "max(CASE WHEN age <= 90 THEN amount_cents END) / 100.0",
        "currency",
        "largest order of the last 90 days",
        "近90天最大单笔金额",
    ),
    "orders_per_week": Measure(
        "count(*) * 7.0 / greatest(max(age), 28)",
        "orders",
        "orders per week since the first order",
        "首单以来每周订单数",
    ),
    "amount_per_week": Measure(
        "sum(amount_cents) * 7.0 / 100 / greatest(max(age), 28)",
        "currency",
        "spend per week since the first order",
        "首单以来每周消费金额",
    ),
    "amount_decayed_20d": Measure(
        _decayed(20),
        "currency",
        "spend so far, an amount of 20 days ago counting half",
        "累计消费（20天半衰期）",
    ),
    "amount_decayed_60d": Measure(
        _decayed(60),
        "currency",
        "spend so far, an amount of 60 days ago counting half",
        "累计消费（60天半衰期）",
    ),
}

# From distinct shopping days: rhythm.
RHYTHM: dict[str, Measure] = {
    "days_between_orders": Measure(
        "CAST(sum(CASE WHEN age <= 90 THEN gap END) AS DOUBLE)"
        " / NULLIF(count(CASE WHEN age <= 90 THEN gap END), 0)",
        "days",
        "mean days between shopping days, last 90 days",
        "近90天平均购物间隔天数",
    ),
    "longest_gap_90d": Measure(
        "max(CASE WHEN age <= 90 THEN gap END)",
        "days",
        "longest pause between shopping days, last 90 days",
        "近90天最长购物间隔天数",
    ),
    "gap_deviation_90d": Measure(
        "sqrt(CAST(greatest(0, count(CASE WHEN age <= 90 THEN gap END)"
        " * sum(CASE WHEN age <= 90 THEN gap * gap ELSE 0 END)"
        " - sum(CASE WHEN age <= 90 THEN gap ELSE 0 END)"
        " * sum(CASE WHEN age <= 90 THEN gap ELSE 0 END)) AS DOUBLE)"
        " / NULLIF(count(CASE WHEN age <= 90 THEN gap END)"
        " * (count(CASE WHEN age <= 90 THEN gap END) - 1), 0))",
        "days",
        "standard deviation of the days between shopping days, last 90 days",
        "近90天购物间隔标准差",
    ),
    "days_since_3rd_last": Measure(
        "max(CASE WHEN nth = 3 THEN age END)",
        "days",
        "days since the third-last shopping day",
        "距倒数第三次购物天数",
    ),
    "days_since_6th_last": Measure(
        "max(CASE WHEN nth = 6 THEN age END)",
        "days",
        "days since the sixth-last shopping day",
        "距倒数第六次购物天数",
    ),
    "days_since_12th_last": Measure(
        "max(CASE WHEN nth = 12 THEN age END)",
        "days",
        "days since the twelfth-last shopping day",
        "距倒数第十二次购物天数",
    ),
}

# From order lines: variety.
VARIETY: dict[str, Measure] = {
    "categories_28d": Measure(
        "count(CASE WHEN age <= 28 THEN category END)",
        "categories",
        "product categories bought in the last 28 days",
        "近28天购买品类数",
    ),
    "categories_90d": Measure(
        "count(category)",
        "categories",
        "product categories bought in the last 90 days",
        "近90天购买品类数",
    ),
}

# From exposures and outcomes; absent tables give missing values.
CAMPAIGN_HISTORY: dict[str, Measure] = {
    "campaigns_90d": Measure(
        "", "campaigns", "campaigns received in the last 90 days", "近90天收到的活动数"
    ),
    "redemptions_90d": Measure(
        "", "coupons", "coupons redeemed in the last 90 days", "近90天核销优惠券数"
    ),
    "redemptions_ever": Measure("", "coupons", "coupons redeemed so far", "累计核销优惠券数"),
}

RATIOS: dict[str, Measure] = {
    "overdue": Measure(
        "days_since_last_order / NULLIF(days_between_orders, 0)",
        "times",
        "days since the last order over the mean pause of the last 90 days",
        "距上次下单天数与近90天平均购物间隔之比",
    ),
    "orders_trend": Measure(
        "CAST(orders_28d AS DOUBLE) * 90 / 28 / NULLIF(orders_90d, 0)",
        "times",
        "orders of the last 28 days against the usual pace of 90 days",
        "近28天订单相对近90天节奏",
    ),
    "amount_trend": Measure(
        "CAST(amount_28d AS DOUBLE) * 90 / 28 / NULLIF(amount_90d, 0)",
        "times",
        "spend of the last 28 days against the usual pace of 90 days",
        "近28天消费相对近90天节奏",
    ),
}


def windowed() -> dict[str, Measure]:
    """Every measure over every window, by column name."""
    return {
        f"{name}_{days}d": Measure(
            m.sql.format(in_window=f"age <= {days}"),
            m.unit,
            m.en.format(days=days),
            m.zh.format(days=days),
        )
        for name, m in MEASURES.items()
        for days in WINDOWS
    }


def catalogue() -> dict[str, Measure]:
    """Every feature by its column name: unit, and what it is in English and Chinese."""
    return {**windowed(), **HISTORY, **RHYTHM, **VARIETY, **CAMPAIGN_HISTORY, **RATIOS}
