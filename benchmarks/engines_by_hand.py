"""The 44 features of one date, written without the package: for DuckDB, and for pandas.

Both read the clean tables of a folder (``transactions``, ``products``, ``exposures``,
``outcomes``) and give what :func:`mkt_models.profiles.features.features_at` gives. They are what
the portable SQL is measured against, so they use all that their tool is good at: one date instead
of a table of dates, FILTER, arg_max and list functions, integer days.
"""

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from mkt_models.profiles.measures import WINDOWS, catalogue


def by_hand_in_duckdb(con: duckdb.DuckDBPyConnection, folder: Path, as_of: date) -> pd.DataFrame:
    """Features by SQL for DuckDB alone: one row per customer, ordered by ``customer_id``."""
    windows = ",\n".join(
        f"count(*) FILTER (age <= {days}) AS orders_{days}d,"
        f"coalesce(sum(cents) FILTER (age <= {days}), 0) / 100.0 AS amount_{days}d,"
        f"coalesce(sum(items) FILTER (age <= {days}), 0) AS items_{days}d"
        for days in WINDOWS
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE baskets AS
        SELECT customer_id, DATE '{as_of}' - local_date AS age, min(local_hour) AS hour,
               min(store_id) AS store_id, sum(quantity) AS items,
               sum(amount_cents)::BIGINT AS cents,
               sum(loyalty_discount_cents + coupon_discount_cents + coupon_match_discount_cents)
                   ::BIGINT AS discount,
               bool_or(coupon_discount_cents > 0) AS coupon,
               coalesce(sum(amount_cents) FILTER (private_label), 0)::BIGINT AS own_cents,
               isodow(local_date) >= 6 AS weekend
        FROM '{folder}/transactions.parquet'
        LEFT JOIN (SELECT product_id, private_label FROM '{folder}/products.parquet')
            USING (product_id)
        WHERE local_date < DATE '{as_of}' GROUP BY customer_id, order_id, local_date"""
    )
    frame = con.execute(
        f"""
        WITH plain AS (
            SELECT customer_id, {windows},
                   min(age) AS days_since_last_order, max(age) AS tenure_days,
                   sum(cents) FILTER (age <= 90) / 100.0 / nullif(orders_90d, 0)
                       AS mean_order_amount,
                   items_90d / nullif(orders_90d, 0) AS items_per_order,
                   sum(discount) FILTER (age <= 90)
                       / nullif(sum(cents + discount) FILTER (age <= 90), 0) AS discount_share,
                   count(*) FILTER (age <= 90 AND coupon) / nullif(orders_90d, 0) AS coupon_share,
                   sum(own_cents) FILTER (age <= 90) / nullif(sum(cents) FILTER (age <= 90), 0)
                       AS private_label_share,
                   count(*) FILTER (age <= 90 AND weekend) / nullif(orders_90d, 0)
                       AS weekend_share,
                   count(*) FILTER (age <= 90 AND hour >= 17) / nullif(orders_90d, 0)
                       AS evening_share,
                   count(DISTINCT store_id) FILTER (age <= 90) AS stores_90d,
                   max(cents) FILTER (age <= 90) / 100.0 AS largest_order_90d,
                   count(*) * 7.0 / greatest(max(age), 28) AS orders_per_week,
                   sum(cents) * 7.0 / 100 / greatest(max(age), 28) AS amount_per_week,
                   sum(round(cents * pow(0.5, age / 20.0))::BIGINT) / 100.0 AS amount_decayed_20d,
                   sum(round(cents * pow(0.5, age / 60.0))::BIGINT) / 100.0 AS amount_decayed_60d
            FROM baskets GROUP BY customer_id
        ), days AS (
            SELECT customer_id, age, lead(age) OVER last - age AS gap, row_number() OVER last AS nth
            FROM (SELECT DISTINCT customer_id, age FROM baskets)
            WINDOW last AS (PARTITION BY customer_id ORDER BY age)
        ), rhythm AS (
            SELECT customer_id, avg(gap) FILTER (age <= 90) AS days_between_orders,
                   max(gap) FILTER (age <= 90) AS longest_gap_90d,
                   stddev(gap) FILTER (age <= 90) AS gap_deviation_90d,
                   max(age) FILTER (nth = 3) AS days_since_3rd_last,
                   max(age) FILTER (nth = 6) AS days_since_6th_last,
                   max(age) FILTER (nth = 12) AS days_since_12th_last
            FROM days GROUP BY customer_id
        ), variety AS (
            SELECT customer_id, count(DISTINCT category) FILTER (age <= 28) AS categories_28d,
                   count(DISTINCT category) AS categories_90d
            FROM (SELECT customer_id, category, DATE '{as_of}' - local_date AS age
                  FROM '{folder}/transactions.parquet'
                  JOIN '{folder}/products.parquet' USING (product_id)
                  WHERE local_date < DATE '{as_of}' AND local_date >= DATE '{as_of}' - 90)
            GROUP BY customer_id
        ), received AS (
            SELECT customer_id, count(DISTINCT campaign_id) AS campaigns_90d
            FROM '{folder}/exposures.parquet'
            WHERE sent_on < DATE '{as_of}' AND DATE '{as_of}' - sent_on <= 90 GROUP BY customer_id
        ), redeemed AS (
            SELECT customer_id, count(*) AS redemptions_ever,
                   count(*) FILTER (DATE '{as_of}' - occurred_on <= 90) AS redemptions_90d
            FROM '{folder}/outcomes.parquet'
            WHERE occurred_on < DATE '{as_of}' AND kind = 'redemption' GROUP BY customer_id
        )
        SELECT *, days_since_last_order / nullif(days_between_orders, 0) AS overdue,
               orders_28d * 90 / 28 / nullif(orders_90d, 0) AS orders_trend,
               amount_28d * 90 / 28 / nullif(amount_90d, 0) AS amount_trend
        FROM plain LEFT JOIN rhythm USING (customer_id) LEFT JOIN variety USING (customer_id)
        LEFT JOIN received USING (customer_id) LEFT JOIN redeemed USING (customer_id)
        ORDER BY customer_id"""
    ).df()
    return _finished(frame)


def by_hand_in_pandas(folder: Path, as_of: date) -> pd.DataFrame:
    """Features by pandas: one row per customer, ordered by ``customer_id``."""
    day = pd.Timestamp(as_of)
    lines = pd.read_parquet(
        folder / "transactions.parquet",
        columns=[
            *("customer_id", "order_id", "product_id", "store_id", "quantity", "amount_cents"),
            *("loyalty_discount_cents", "coupon_discount_cents", "coupon_match_discount_cents"),
            *("local_date", "local_hour"),
        ],
    )
    for name in ("customer_id", "order_id", "product_id", "store_id"):
        lines[name] = lines[name].astype("category")
    lines["age"] = (day - pd.to_datetime(lines["local_date"])).dt.days
    lines = lines[lines["age"] > 0]
    products = pd.read_parquet(
        folder / "products.parquet", columns=["product_id", "category", "private_label"]
    )
    products["known"] = True
    ids = lines["product_id"].cat.categories
    looked_up = products.set_index("product_id").reindex(ids)
    code = lines["product_id"].cat.codes.to_numpy()
    private = looked_up["private_label"].eq(True).to_numpy()[code]
    category = pd.Categorical(looked_up["category"]).codes[code]
    lines = lines.assign(
        own=np.where(private, lines["amount_cents"], 0),
        category=category,
        known=looked_up["known"].eq(True).to_numpy()[code],
        discount=lines["loyalty_discount_cents"]
        + lines["coupon_discount_cents"]
        + lines["coupon_match_discount_cents"],
        coupon=lines["coupon_discount_cents"] > 0,
        store=lines["store_id"].cat.codes,
    )
    orders = (
        lines.groupby(["customer_id", "order_id", "age"], observed=True, sort=False)
        .agg(
            hour=("local_hour", "min"),
            store=("store", "min"),
            cents=("amount_cents", "sum"),
            items=("quantity", "sum"),
            discount=("discount", "sum"),
            coupon=("coupon", "any"),
            own=("own", "sum"),
        )
        .reset_index()
    )
    weekday = (day - pd.to_timedelta(orders["age"], unit="D")).dt.dayofweek
    orders = orders.assign(weekend=weekday >= 5, evening=orders["hour"] >= 17)
    by_customer = orders.groupby("customer_id", observed=True)
    out = pd.DataFrame(
        {
            "days_since_last_order": by_customer["age"].min(),
            "tenure_days": by_customer["age"].max(),
        }
    )
    for days in WINDOWS:
        recent = orders[orders["age"] <= days].groupby("customer_id", observed=True)
        out[f"orders_{days}d"] = recent.size()
        out[f"amount_{days}d"] = recent["cents"].sum() / 100
        out[f"items_{days}d"] = recent["items"].sum()
        names = [f"orders_{days}d", f"amount_{days}d", f"items_{days}d"]
        out[names] = out[names].fillna(0)
    recent = orders[orders["age"] <= 90].groupby("customer_id", observed=True)
    n, cents, discount = recent.size(), recent["cents"].sum(), recent["discount"].sum()
    out["mean_order_amount"] = cents / 100 / n
    out["items_per_order"] = recent["items"].sum() / n
    out["discount_share"] = discount / (cents + discount).replace(0, np.nan)
    out["coupon_share"] = recent["coupon"].mean()
    out["private_label_share"] = recent["own"].sum() / cents.replace(0, np.nan)
    out["weekend_share"] = recent["weekend"].mean()
    out["evening_share"] = recent["evening"].mean()
    out["stores_90d"] = recent["store"].nunique()
    out["stores_90d"] = out["stores_90d"].fillna(0)
    out["largest_order_90d"] = recent["cents"].max() / 100
    age = out["tenure_days"].clip(lower=28)
    out["orders_per_week"] = by_customer.size() * 7 / age
    out["amount_per_week"] = by_customer["cents"].sum() * 7 / 100 / age
    for half_life in (20, 60):
        left = np.floor(orders["cents"] * 0.5 ** (orders["age"] / half_life) + 0.5)
        out[f"amount_decayed_{half_life}d"] = (
            left.groupby(orders["customer_id"], observed=True).sum() / 100
        )
    days = orders[["customer_id", "age"]].drop_duplicates().sort_values(["customer_id", "age"])
    by_day = days.groupby("customer_id", observed=True)["age"]
    days = days.assign(gap=by_day.shift(-1) - days["age"], nth=by_day.cumcount() + 1)
    gaps = days[(days["age"] <= 90) & days["gap"].notna()].groupby("customer_id", observed=True)
    out["days_between_orders"] = gaps["gap"].mean()
    out["longest_gap_90d"] = gaps["gap"].max()
    out["gap_deviation_90d"] = gaps["gap"].std()
    for nth, name in ((3, "3rd"), (6, "6th"), (12, "12th")):
        out[f"days_since_{name}_last"] = days[days["nth"] == nth].set_index("customer_id")["age"]
    bought = lines.loc[lines["known"] & (lines["age"] <= 90), ["customer_id", "category", "age"]]
    bought = bought.assign(category=bought["category"].where(bought["category"] >= 0))
    for days_ in (28, 90):
        seen = bought.assign(category=bought["category"].where(bought["age"] <= days_))
        kinds = seen.groupby("customer_id", observed=True)["category"].nunique()
        out[f"categories_{days_}d"] = kinds
    exposures = pd.read_parquet(folder / "exposures.parquet")
    since = (day - pd.to_datetime(exposures["sent_on"])).dt.days
    sent = exposures[(since > 0) & (since <= 90)].groupby("customer_id")["campaign_id"].nunique()
    out["campaigns_90d"] = _counted(out, sent)
    outcomes = pd.read_parquet(folder / "outcomes.parquet")
    outcomes = outcomes[outcomes["kind"] == "redemption"]
    since = (day - pd.to_datetime(outcomes["occurred_on"])).dt.days
    out["redemptions_90d"] = _counted(
        out, outcomes[(since > 0) & (since <= 90)].groupby("customer_id").size()
    )
    out["redemptions_ever"] = _counted(out, outcomes[since > 0].groupby("customer_id").size())
    out["overdue"] = out["days_since_last_order"] / out["days_between_orders"].replace(0, np.nan)
    whole = out[["orders_90d", "amount_90d"]].replace(0, np.nan)
    out["orders_trend"] = out["orders_28d"] * 90 / 28 / whole["orders_90d"]
    out["amount_trend"] = out["amount_28d"] * 90 / 28 / whole["amount_90d"]
    out.index = out.index.astype("str")
    return _finished(out.sort_index().rename_axis("customer_id").reset_index())


def _counted(customers: pd.DataFrame, counts: pd.Series) -> "pd.Series[float]":
    """Counts in the order of the customers, 0 where there are none."""
    found = counts.reindex(customers.index.astype("str")).fillna(0)
    return pd.Series(found.to_numpy(), index=customers.index)


def _finished(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the columns in the order of the catalogue, as numbers; counts that lack are 0."""
    for name in ("campaigns_90d", "redemptions_90d", "redemptions_ever"):
        frame[name] = frame[name].fillna(0)
    return frame[["customer_id", *catalogue()]].astype(dict.fromkeys(catalogue(), "float64"))
