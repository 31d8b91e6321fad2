"""What the live store has on record about decisions, contacts and outcomes, as JSON knows it."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mkt_models.store import live_tables as tables

_BATCH = 1_000


def explain(connection: sa.Connection, decision_id: str) -> dict[str, Any] | None:
    """Everything kept about a decision; see :meth:`.live.LiveStore.explain`."""
    found = {}
    for table in (tables.decisions, tables.exposures, tables.outcomes):
        order = list(table.primary_key.columns)
        query = sa.select(table).where(table.c.decision_id == decision_id)
        rows = connection.execute(query.order_by(*order)).mappings().all()
        found[table.name] = [_readable(row) for row in rows]
    if not found["decisions"]:
        return None
    return {"decision_id": decision_id, "revisions": found.pop("decisions"), **found}


def decided(
    connection: sa.Connection, since: datetime, until: datetime
) -> Iterator[dict[str, Any]]:
    """The last revision of each decision; see :meth:`.live.LiveStore.decided`."""
    table = tables.decisions
    newest = (
        sa.select(table.c.decision_id, sa.func.max(table.c.revision).label("revision"))
        .where(table.c.decided_at >= since, table.c.decided_at < until)
        .group_by(table.c.decision_id)
        .subquery()
    )
    query = sa.select(table).join(
        newest,
        (table.c.decision_id == newest.c.decision_id) & (table.c.revision == newest.c.revision),
    )
    order = (table.c.decided_at, table.c.decision_id)
    for row in connection.execute(query.order_by(*order)).mappings().yield_per(_BATCH):
        yield _readable(row)


def outcomes(connection: sa.Connection, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Outcomes by the time they occurred; see :meth:`.live.LiveStore.outcomes`."""
    table = tables.outcomes
    query = sa.select(table).where(table.c.occurred_at >= since, table.c.occurred_at < until)
    rows = connection.execute(query.order_by(table.c.occurred_at, table.c.id)).mappings()
    return [_readable(row) for row in rows]


def _readable(row: sa.RowMapping) -> dict[str, Any]:
    """A row as JSON knows it: times as text, documents read, money in currency units."""
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if name in ("answer", "inputs"):
            shown[name] = json.loads(value)
        elif name == "amount_hundredths":
            shown["amount"] = None if value is None else value / 100
        elif isinstance(value, datetime):
            shown[name] = value.isoformat()
        else:
            shown[name] = value
    return shown
