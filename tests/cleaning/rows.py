"""Rows of canonical tables as dicts of named columns; what a row does not name is null."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from mkt_models.cleaning import CleaningReport, clean
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.engine import Connection, literal, write_parquet
from mkt_models.source_params import CompleteJourney, Source
from mkt_models.sources.schemas import SCHEMAS

NEW_YORK = CompleteJourney(kind="complete_journey", time_zone="America/New_York")
UTC = CompleteJourney(kind="complete_journey", time_zone="UTC")
AS_OF = date(2018, 1, 1)
CHOICES = Cleaning(
    first_day=date(2010, 1, 1),
    future_days=366,
    min_age=14,
    max_age=110,
    max_quantity=1000,
    outlier_mads=5,
    outlier_min_factor=3,
    outlier_min_lines=5,
    double_seconds=60,
    merge_doubles=False,
    merge_by=("loyalty_card", "email"),
    max_customers_per_key=3,
    max_quarantined_share=1,
)
Row = dict[str, Any]
Rows = dict[Table, list[Row]]

# One good row of every table, each fitting to the others.
GOOD: dict[Table, Row] = {
    Table.CUSTOMERS: {
        "customer_id": "c1",
        "birth_year": 1970,
        "age_band": "45-54",
        "income_band": "50-74K",
        "registered_on": date(2017, 1, 1),
    },
    Table.IDENTITIES: {"customer_id": "c1", "kind": "loyalty_card", "value": "k1"},
    Table.PRODUCTS: {
        "product_id": "milk",
        "department": "GROCERY",
        "category": "DAIRY",
        "product_type": "MILK",
        "price_cents": 100,
    },
    Table.TRANSACTIONS: {
        "order_id": "o1",
        "customer_id": "c1",
        "product_id": "milk",
        "store_id": "s1",
        "quantity": 1.0,
        "amount_cents": 100,
        "loyalty_discount_cents": 0,
        "coupon_discount_cents": 0,
        "coupon_match_discount_cents": 0,
        "occurred_at": datetime(2017, 6, 1, 16),
    },
    Table.EVENTS: {
        "event_id": "e1",
        "customer_id": "c1",
        "kind": "view",
        "product_id": "milk",
        "dwell_seconds": 3.0,
        "rating": 5.0,
        "occurred_at": datetime(2017, 6, 1, 15),
    },
    Table.SOCIAL: {
        "action_id": "a1",
        "customer_id": "c1",
        "kind": "post",
        "platform": "weibo",
        "followers": 7,
        "occurred_at": datetime(2017, 6, 1, 15),
    },
    Table.TICKETS: {
        "ticket_id": "t1",
        "customer_id": "c1",
        "order_id": "o1",
        "opened_at": datetime(2017, 6, 2, 10),
        "resolved_at": datetime(2017, 6, 2, 11),
        "satisfaction": 4.0,
    },
    Table.CAMPAIGNS: {
        "campaign_id": "1",
        "channel": "mail",
        "starts_on": date(2017, 6, 1),
        "ends_on": date(2017, 6, 1),
    },
    Table.OFFERS: {
        "offer_id": "1:a",
        "campaign_id": "1",
        "product_id": "milk",
        "discount_share": 0.2,
        "cost_cents": 5,
    },
    Table.EXPOSURES: {
        "customer_id": "c1",
        "campaign_id": "1",
        "offer_id": "1:a",
        "channel": "mail",
        "sent_on": date(2017, 6, 1),
        "arm": "treatment",
        "assignment_probability": 0.5,
    },
    Table.OUTCOMES: {
        "customer_id": "c1",
        "campaign_id": "1",
        "offer_id": "1:a",
        "kind": "redemption",
        "amount_cents": 100,
        "occurred_on": date(2017, 6, 1),
    },
    Table.CONSENTS: {
        "customer_id": "c1",
        "purpose": "marketing",
        "channel": "mail",
        "status": "granted",
        "changed_on": date(2017, 1, 1),
    },
}


def row(table: Table, **values: Any) -> Row:
    """A good row of a table with some values changed."""
    return GOOD[table] | values


def line(**values: Any) -> Row:
    """A good order line with some values changed."""
    return row(Table.TRANSACTIONS, **values)


def product(product_id: str | None, product_type: str | None = "MILK", **values: Any) -> Row:
    return row(Table.PRODUCTS, product_id=product_id, product_type=product_type, **values)


def sql(value: object) -> str:
    return "NULL" if value is None else literal(value)


def write(con: Connection, folder: Path, given: Rows) -> None:
    """Write rows as canonical tables, exactly these tables."""
    for table, rows in given.items():
        kinds = SCHEMAS[table]
        for one in rows:
            assert set(one) <= set(kinds), f"{table}: no column {set(one) - set(kinds)}"
        casts = ", ".join(f"CAST({c} AS {kind}) AS {c}" for c, kind in kinds.items())
        listed = rows or [{}]
        values = ", ".join(f"({', '.join(sql(r.get(c)) for c in kinds)})" for r in listed)
        write_parquet(
            con,
            f"SELECT {casts} FROM (VALUES {values}) AS v({', '.join(kinds)}) "
            f"WHERE {'TRUE' if rows else 'FALSE'}",
            folder / f"{table.value}.parquet",
        )


def read(con: Connection, folder: Path, table: str) -> list[Row]:
    """Rows of a table in the order of its file."""
    path = literal(folder / f"{table}.parquet")
    names = [r[0] for r in con.execute(f"DESCRIBE SELECT * FROM read_parquet({path})").fetchall()]
    found = con.execute(f"SELECT * FROM read_parquet({path})").fetchall()
    return [dict(zip(names, values, strict=True)) for values in found]


def cleaned(
    con: Connection, folder: Path, given: Rows, source: Source = NEW_YORK, **choices: Any
) -> CleaningReport:
    """Write the rows to ``raw`` and clean them to ``clean`` and ``aside`` of a folder."""
    write(con, folder / "raw", given)
    chosen = CHOICES.model_copy(update=choices)
    paths = folder / "raw", folder / "clean", folder / "aside"
    return clean(con, source, chosen, AS_OF, *paths)


def touched(report: CleaningReport) -> dict[str, int]:
    """Rows that each rule touched; only the rules that touched some."""
    counts = zip(report.rules["rule"], report.rules["rows"], strict=True)
    return {rule: int(n) for rule, n in counts if n}


def balance(report: CleaningReport, table: str) -> list[int]:
    """Rows in, clean, quarantined and merged of a table."""
    found = report.ledger.set_index("table").loc[table]
    return [int(n) for n in found]
