"""Clean tables of a few rows, and what the training code needs around them."""

from collections.abc import Iterable, Sequence
from datetime import date

import duckdb
import pandas as pd

from mkt_models.params import Boosting
from mkt_models.profiles.features import prepare_orders

SMALL = Boosting(
    max_depth=3,
    n_estimators=40,
    learning_rate=0.2,
    min_child_weight=1,
    subsample=0.8,
    colsample_bytree=1,
    reg_lambda=1,
)

_COLUMNS = {
    "products": ("product_id VARCHAR", "category VARCHAR", "private_label BOOLEAN"),
    "campaigns": (
        "campaign_id VARCHAR",
        "campaign_type VARCHAR",
        "starts_on DATE",
        "ends_on DATE",
        "left_censored BOOLEAN",
        "right_censored BOOLEAN",
    ),
    "offers": ("offer_id VARCHAR", "campaign_id VARCHAR", "product_id VARCHAR"),
    "exposures": ("customer_id VARCHAR", "campaign_id VARCHAR", "channel VARCHAR", "sent_on DATE"),
    "outcomes": (
        "customer_id VARCHAR",
        "campaign_id VARCHAR",
        "offer_id VARCHAR",
        "kind VARCHAR",
        "occurred_on DATE",
    ),
}

# Columns that are null in every row until a test sets them.
_MORE = {"campaigns": "channel VARCHAR", "offers": "discount_share DOUBLE"}


def shop(
    purchases: Iterable[tuple[str, date, int] | tuple[str, date, int, str]],
    **tables: Sequence[tuple[object, ...]],
) -> duckdb.DuckDBPyConnection:
    """Open a shop with its orders prepared.

    A purchase is customer, day, cents and (unless it is ``p1``) product, and an order of its own.
    The other tables are rows of the columns above, and empty where nothing is given.
    """
    con = duckdb.connect(config={"threads": 1})
    set_purchases(con, purchases)
    for name, columns in _COLUMNS.items():
        con.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        if tables.get(name):
            con.executemany(
                f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", tables[name]
            )
    for table, more in _MORE.items():
        con.execute(f"ALTER TABLE {table} ADD COLUMN {more}")
    prepare_orders(con)
    return con


def set_purchases(
    con: duckdb.DuckDBPyConnection,
    purchases: Iterable[tuple[str, date, int] | tuple[str, date, int, str]],
) -> None:
    """Make the table ``transactions`` anew: exactly these purchases."""
    rows = [(*p, "p1")[:4] for p in purchases]
    frame = pd.DataFrame(rows, columns=["customer_id", "local_date", "amount_cents", "product_id"])
    con.register("frame", frame)
    con.execute(
        """
        CREATE OR REPLACE TABLE transactions AS
        SELECT CAST(customer_id AS VARCHAR) AS customer_id,
               CAST(row_number() OVER () AS VARCHAR) AS order_id,
               CAST(product_id AS VARCHAR) AS product_id, 's1' AS store_id, 1 AS quantity,
               CAST(NULL AS VARCHAR) AS channel, CAST(NULL AS VARCHAR) AS payment_method,
               CAST(amount_cents AS BIGINT) AS amount_cents, 0 AS loyalty_discount_cents,
               0 AS coupon_discount_cents, 0 AS coupon_match_discount_cents,
               CAST(local_date AS DATE) AS local_date, 12 AS local_hour
        FROM frame"""
    )
    con.unregister("frame")
