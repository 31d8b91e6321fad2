"""A small market with two campaigns, worked by hand."""

from datetime import date, timedelta

import duckdb
import pandas as pd
from models.tables import shop

from mkt_models.profiles.exclusions import Exclusions

D = date(2020, 9, 1)


def at(days: int) -> date:
    return D + timedelta(days=days)


CAMPAIGNS = [
    ("past", "Type B", at(-60), at(-30), False, False),
    ("now", "Type A", at(0), at(29), False, False),
]
OFFERS = [
    ("a", "now", "soup"),
    ("a", "now", "broth"),
    ("b", "now", "bread"),
    ("c", "now", "wine"),
    ("d", "now", "novelty"),  # nobody ever bought it
    ("old", "past", "milk"),
]
PRODUCTS = [("soup", "CANS", False), ("broth", "CANS", False), ("bread", "BAKERY", False)]
PRODUCTS += [("rolls", "BAKERY", False), ("wine", "WINE", False), ("milk", "DAIRY", False)]
PRODUCTS += [("novelty", "NEW", False)]
HIDDEN = Exclusions(categories=("WINE",))
BOUGHT = [
    ("c", at(-366), 9900, "soup"),  # a day too old
    ("c", at(-365), 300, "soup"),
    ("c", at(-3), 100, "broth"),
    ("c", at(-2), 200, "bread"),
    ("c", at(-1), 200, "rolls"),  # no product of an offer, but of a category
    ("c", at(-1), 900, "wine"),
    ("c", at(-1), 900, "wine"),
    ("d", at(-1), 500, "bread"),
    ("c", at(0), 9900, "bread"),  # not before
]


def market(purchases: list[tuple[str, date, int, str]] | None = None) -> duckdb.DuckDBPyConnection:
    con = shop(purchases or BOUGHT, products=PRODUCTS, campaigns=CAMPAIGNS, offers=OFFERS)
    con.execute("ALTER TABLE products ADD COLUMN product_type VARCHAR")
    con.execute("UPDATE offers SET discount_share = 0.2 WHERE offer_id = 'a'")
    return con


def pairs(*customers: str, campaign: str = "now", as_of: date = D) -> pd.DataFrame:
    frame = pd.DataFrame({"customer_id": list(customers), "campaign_id": campaign})
    return frame.assign(as_of=pd.Timestamp(as_of).as_unit("us"))
