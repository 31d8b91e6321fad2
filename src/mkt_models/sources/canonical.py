"""The columns and types of the canonical tables, and the check that a source keeps to them.

Every source, whatever its origin, yields tables of these columns in this order. Ids are text,
money is whole cents, days are calendar days of the shop's time zone, ``occurred_at`` is UTC.
A table that a source does not have is absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mkt_models.columns import Table
from mkt_models.engine import Connection, register

SCHEMAS: dict[Table, dict[str, str]] = {
    Table.CUSTOMERS: {
        "customer_id": "VARCHAR",
        "age_band": "VARCHAR",
        "income_band": "VARCHAR",
        "marital_status": "VARCHAR",
        "household_size": "VARCHAR",
        "household_composition": "VARCHAR",
        "children": "VARCHAR",
        "home_ownership": "VARCHAR",
    },
    Table.PRODUCTS: {
        "product_id": "VARCHAR",
        "department": "VARCHAR",
        "category": "VARCHAR",
        "product_type": "VARCHAR",
        "brand": "VARCHAR",
        "private_label": "BOOLEAN",
        "package_size": "VARCHAR",
    },
    Table.TRANSACTIONS: {
        "order_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "product_id": "VARCHAR",
        "store_id": "VARCHAR",
        "quantity": "DOUBLE",
        "amount_cents": "BIGINT",
        "loyalty_discount_cents": "BIGINT",
        "coupon_discount_cents": "BIGINT",
        "coupon_match_discount_cents": "BIGINT",
        "occurred_at": "TIMESTAMP",
    },
    Table.CAMPAIGNS: {
        "campaign_id": "VARCHAR",
        "campaign_type": "VARCHAR",
        "starts_on": "DATE",
        "ends_on": "DATE",
    },
    Table.OFFERS: {"offer_id": "VARCHAR", "campaign_id": "VARCHAR", "product_id": "VARCHAR"},
    Table.EXPOSURES: {
        "customer_id": "VARCHAR",
        "campaign_id": "VARCHAR",
        "channel": "VARCHAR",
        "sent_on": "DATE",
        "assignment_probability": "DOUBLE",
    },
    Table.OUTCOMES: {
        "customer_id": "VARCHAR",
        "campaign_id": "VARCHAR",
        "offer_id": "VARCHAR",
        "kind": "VARCHAR",
        "occurred_on": "DATE",
    },
    Table.CONSENTS: {
        "customer_id": "VARCHAR",
        "purpose": "VARCHAR",
        "channel": "VARCHAR",
        "status": "VARCHAR",
        "changed_on": "DATE",
        "expires_on": "DATE",
        "basis": "VARCHAR",
    },
}

REQUIRED = (Table.TRANSACTIONS,)


@dataclass(frozen=True)
class Rule:
    """One named treatment of the rows of one canonical table.

    Attributes
    ----------
    name
        Snake-case name, shown in the ledger.
    table
        The canonical table that it treats.
    action
        ``quarantine`` sets a row aside, ``merge`` keeps one of several equal rows, ``change``
        rewrites columns, ``flag`` only counts.
    says
        What it does and why, in a sentence for the report.
    when
        SQL condition over the raw table's columns: the rows that it touches. A merge has none:
        it touches the second and later of equal rows.
    sets
        For ``change``: column to SQL expression, applied where ``when`` holds.

    """

    name: str
    table: Table
    action: Literal["quarantine", "merge", "change", "flag"]
    says: str
    when: str = "FALSE"
    sets: Mapping[str, str] = field(default_factory=dict)


class SourceError(ValueError):
    """A source's tables cannot be used; the message names table, column and remedy."""


def check(con: Connection, folder: Path) -> dict[Table, int]:
    """Check a folder of canonical tables; return the rows of each table that is there.

    Raises SourceError when a required table is missing, or a table's columns or types differ
    from :data:`SCHEMAS`.
    """
    present = set(register(con, folder))
    rows: dict[Table, int] = {}
    for table, schema in SCHEMAS.items():
        if table.value not in present:
            if table in REQUIRED:
                raise SourceError(f"{folder}: no table {table.value!r}; every run needs it")
            continue
        described = con.execute(f"DESCRIBE {table.value}").fetchall()
        found = {str(row[0]): str(row[1]) for row in described}
        for column, kind in schema.items():
            if column not in found:
                has = ", ".join(found)
                raise SourceError(f"{table.value}: no column {column!r}; has: {has}")
            if found[column] != kind:
                raise SourceError(
                    f"{table.value}.{column}: type {found[column]}, must be {kind}; "
                    f"cast it in the source"
                )
        rows[table] = int(con.execute(f"SELECT count(*) FROM {table.value}").fetchall()[0][0])
    return rows
