"""A shop with campaigns that were assigned at random, worked by hand."""

from datetime import date, timedelta

import duckdb
from models.tables import shop

D = date(2020, 9, 1)


def at(days: int) -> date:
    return D + timedelta(days=days)


def market(
    exposures: list[tuple[object, ...]],
    controls: list[tuple[object, ...]],
    purchases: list[tuple[str, date, int, str]] = [],  # noqa: B006
    **more: str,
) -> duckdb.DuckDBPyConnection:
    """A campaign ``now`` of days 0 to 9, one that ran before, one that is not over on day 30."""
    con = shop(
        purchases or [("z", at(-50), 100, "soup")],
        products=[("soup", "SOUP", False), ("tea", "TEA", False)],
        campaigns=[
            ("past", "Type B", at(-60), at(-50), False, False),
            ("now", "Type A", at(0), at(9), False, False),
            ("open", "Type A", at(25), at(40), False, False),
            ("cut", "Type A", at(-90), at(-80), True, False),
        ],
        offers=[("coupon", "now", "soup")],
        outcomes=[("a", "now", "coupon", "redemption", at(3)), ("b", "now", "c", "open", at(3))],
    )
    con.execute("UPDATE campaigns SET channel = 'app'")
    con.execute("UPDATE offers SET discount_share = 0.2")
    con.execute("ALTER TABLE offers ADD COLUMN cost_cents BIGINT DEFAULT 5")
    con.execute("ALTER TABLE products ADD COLUMN department VARCHAR DEFAULT 'FOOD'")
    for table, rows in (("exposures", exposures), ("controls", controls)):
        con.execute(
            f"CREATE OR REPLACE TABLE {table} (customer_id VARCHAR, campaign_id VARCHAR, "
            "channel VARCHAR, sent_on DATE, assignment_probability DOUBLE)"
        )
        if rows:
            con.executemany(f"INSERT INTO {table} VALUES (?, ?, 'app', ?, ?)", rows)
    return con
