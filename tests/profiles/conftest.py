"""A small shop, worked by hand, and a way to write any other one."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from mkt_models.engine import Connection, connect, literal
from mkt_models.params import Engine
from mkt_models.profiles.features import prepare_orders
from mkt_models.sources.schemas import SCHEMAS

CLEAN = {table.value: dict(kinds) for table, kinds in SCHEMAS.items()}
SHOP_CLOCK = {"local_date": "DATE", "local_hour": "INTEGER"}
for name in ("transactions", "events", "social"):
    CLEAN[name] |= SHOP_CLOCK
CLEAN["tickets"] |= {"opened_on": "DATE", "resolved_on": "DATE"}
CLEAN["returns"] = CLEAN["transactions"] | {"sale_order_id": "VARCHAR", "sale_date": "DATE"}
CLEAN["failed_orders"] = dict(CLEAN["transactions"])
CLEAN["transactions"] |= {"outlier": "BOOLEAN"}
CLEAN["identity_map"] = dict.fromkeys(("source_customer_id", "customer_id", "merged_by"), "VARCHAR")

# product_id, category, product_type, private_label
PRODUCTS = [
    ("milk", "DAIRY", "MILK", True),
    ("bread", "BAKERY", "BREAD", False),
    ("wine", "WINE", "RED WINE", False),
    ("chips", "SNACKS", "CHIPS", False),
]
# order, customer, product, store, pieces, cents, loyalty, coupon, coupon match, day, hour
LINES = [
    ("a1", "anna", "milk", "s1", 2, 400, 0, 0, 0, date(2017, 6, 30), 18),  # a Friday
    ("a1", "anna", "bread", "s1", 1, 300, 0, 100, 0, date(2017, 6, 30), 18),
    ("a2", "anna", "milk", "s1", 1, 250, 50, 0, 0, date(2017, 6, 24), 10),  # a Saturday
    ("a3", "anna", "wine", "s2", 1, 1000, 0, 0, 0, date(2017, 6, 10), 20),  # a Saturday
    ("a4", "anna", "milk", "s1", 1, 200, 0, 0, 0, date(2017, 5, 1), 9),  # a Monday
    ("a4", "anna", "chips", "s1", 1, 300, 0, 0, 0, date(2017, 5, 1), 9),
    ("a5", "anna", "milk", "s3", 3, 600, 0, 0, 0, date(2017, 4, 2), 16),  # a Sunday, 90 days
    ("a6", "anna", "bread", "s4", 1, 300, 0, 0, 0, date(2017, 4, 1), 12),  # 91 days
    ("a7", "anna", "not listed", "s1", 1, 500, 0, 0, 20, date(2017, 6, 30), 8),
    ("b1", "bob", "bread", "s2", 2, 640, 0, 0, 0, date(2017, 6, 1), 3),  # 30 days
    ("c1", "cora", "wine", "s1", 1, 1200, 0, 0, 0, date(2016, 12, 1), 6),  # 212 days
    ("d1", "dan", "milk", "s1", 1, 200, 0, 0, 0, date(2017, 7, 1), 0),  # on the day itself
    ("a8", "anna", "wine", "s9", 9, 9999, 0, 99, 0, date(2017, 7, 1), 0),
]
# customer, campaign, channel, day
EXPOSURES = [
    ("anna", "1", "mail", date(2017, 6, 1)),
    ("anna", "1", "app", date(2017, 6, 2)),  # the same campaign over another channel
    ("anna", "2", "mail", date(2017, 3, 1)),  # 122 days
    ("anna", "3", "mail", date(2017, 7, 1)),
    ("zoe", "1", "mail", date(2017, 6, 1)),  # never ordered
]
# customer, campaign, offer, day
OUTCOMES = [
    ("anna", "1", "1:x", date(2017, 6, 10)),
    ("anna", "1", "1:y", date(2017, 6, 10)),
    ("anna", "2", "2:x", date(2017, 3, 10)),  # 113 days
    ("anna", "1", "1:x", date(2017, 7, 1)),
]
KEYS = {
    "products": ("product_id", "category", "product_type", "private_label"),
    "transactions": (
        "order_id",
        "customer_id",
        "product_id",
        "store_id",
        "quantity",
        "amount_cents",
        "loyalty_discount_cents",
        "coupon_discount_cents",
        "coupon_match_discount_cents",
        "local_date",
        "local_hour",
    ),
    "exposures": ("customer_id", "campaign_id", "channel", "sent_on"),
    "outcomes": ("customer_id", "campaign_id", "offer_id", "occurred_on"),
    "customers": ("customer_id", "age_band", "marital_status"),
    "campaigns": ("campaign_id", "campaign_type"),
    "events": (
        "customer_id", "kind", "product_id", "category", "session_id", "dwell_seconds", "rating",
        "device", "local_date", "local_hour",
    ),
    "social": (
        "customer_id", "kind", "platform", "topic", "target_customer_id", "followers",
        "occurred_at", "local_date",
    ),
    "tickets": (
        "ticket_id", "customer_id", "satisfaction", "opened_on", "resolved_on", "topic",
    ),
    "returns": ("order_id", "customer_id", "amount_cents", "sale_date", "local_date"),
    "failed_orders": ("order_id", "customer_id", "status", "local_date"),
    "identity_map": ("source_customer_id", "customer_id"),
}  # fmt: skip
# Tables that the small shop does not have.
ABSENT = dict.fromkeys(
    ("campaigns", "events", "social", "tickets", "returns", "failed_orders", "identity_map")
)
CUSTOMERS = [("anna", "45-54", "Married"), ("bob", None, None), ("cora", None, None)]

Write = Callable[..., Connection]


@pytest.fixture(scope="session")
def write_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Write]:
    """Write clean tables from rows of the columns of ``KEYS``; None leaves a table out.

    Columns that are not given are null. What is not said is that of the small shop.
    """
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:

        def _write(**tables: list[tuple[Any, ...]] | None) -> Connection:
            whole = {
                "products": PRODUCTS,
                "transactions": LINES,
                "exposures": EXPOSURES,
                "outcomes": OUTCOMES,
                "customers": CUSTOMERS,
            }
            for name, rows in (ABSENT | whole | tables).items():
                con.execute(f"DROP TABLE IF EXISTS memory.main.{name}")
                con.execute(f"DROP TABLE IF EXISTS temp.{name}")
                if rows is not None:
                    _create(con, name, rows)
            prepare_orders(con)
            return con

        yield _write


def _create(con: Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    kinds = CLEAN[name]
    con.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {k}' for c, k in kinds.items())})")
    if rows:
        values = ", ".join(
            f"({', '.join('NULL' if v is None else literal(v) for v in row)})" for row in rows
        )
        con.execute(f"INSERT INTO {name} ({', '.join(KEYS[name])}) VALUES {values}")
    if name == "outcomes":
        con.execute("UPDATE outcomes SET kind = 'redemption'")


@pytest.fixture
def shop(write_shop: Write) -> Connection:
    """The small shop: four customers, a dozen orders; look at it on 2017-07-01."""
    return write_shop()
