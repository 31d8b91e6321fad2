"""What the live store has on record: decisions, contacts, outcomes and budgets, as JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa

from mkt_models.sections import MILLION
from mkt_models.store import live_tables as tables
from mkt_models.store.records import Limit, UseState

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
    taken = _taken(connection, decision_id)
    for contact in found["exposures"]:
        contact["budget_uses"] = taken.get(contact["id"], [])
    return {"decision_id": decision_id, "revisions": found.pop("decisions"), **found}


def budgets(connection: sa.Connection, day: date | None = None) -> list[dict[str, Any]]:
    """What was planned, taken and given back per budget and period, the newest period first.

    Parameters
    ----------
    connection
        Of the live store.
    day
        Only the periods in which it lies; None for all.

    Returns
    -------
    One dict per budget and period, in the budget's unit: ``amount`` there is, ``planned`` is what
    the plan expected to be used (None: nobody planned), ``used`` is counted, ``left`` is the rest,
    not below 0; ``reserved``, ``sent`` and ``sent_without_leave`` are the sums over contacts, which
    together are ``used``, and ``given_back`` is what no longer counts; ``contacts`` by state.
    """
    table, uses = tables.budget_periods, tables.budget_uses
    query = sa.select(table).order_by(table.c.starts_on.desc(), table.c.budget)
    sums = sa.select(
        uses.c.budget,
        uses.c.starts_on,
        uses.c.state,
        sa.func.sum(uses.c.millionths),
        sa.func.sum(uses.c.contacts),
    ).group_by(uses.c.budget, uses.c.starts_on, uses.c.state)
    if day is not None:
        query = query.where(table.c.starts_on <= day, table.c.ends_on > day)
        sums = sums.where(uses.c.starts_on <= day)
    found: dict[tuple[str, date], dict[str, tuple[int, int]]] = {}
    for budget, starts_on, state, taken, n in connection.execute(sums):
        found.setdefault((budget, starts_on), {})[state] = (int(taken), int(n))
    shown = []
    for row in connection.execute(query).mappings():
        states = found.get((row["budget"], row["starts_on"]), {})
        limit = Limit(
            row["budget"],
            row["resource"],
            row["amount_millionths"],
            row["starts_on"],
            row["ends_on"],
            row["planned_millionths"],
        )
        shown.append(_period(limit, row["used_millionths"], states))
    return shown


def with_untouched(
    told: Iterable[Mapping[str, Any]], limits: Iterable[Limit], day: date
) -> list[dict[str, Any]]:
    """Add the budgets of which nothing was taken in the period of ``day`` yet."""
    found = [dict(one) for one in told]
    known = {one["budget"] for one in found if one["starts_on"] <= day.isoformat() < one["ends_on"]}
    found += [_period(limit, 0, {}) for limit in limits if limit.budget not in known]
    found.sort(key=lambda one: str(one["budget"]))
    return sorted(found, key=lambda one: str(one["starts_on"]), reverse=True)


def _period(limit: Limit, used: int, states: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    by_state = {state.value: states.get(state.value, (0, 0)) for state in UseState}
    return {
        "budget": limit.budget,
        "resource": limit.resource,
        "starts_on": limit.starts_on.isoformat(),
        "ends_on": limit.ends_on.isoformat(),
        "amount": limit.amount / MILLION,
        "planned": None if limit.planned is None else limit.planned / MILLION,
        "used": used / MILLION,
        "left": max(limit.amount - used, 0) / MILLION,
        **{state: taken / MILLION for state, (taken, _) in by_state.items()},
        "contacts": {state: n for state, (_, n) in by_state.items()},
    }


def _taken(connection: sa.Connection, decision_id: str) -> dict[int, list[dict[str, Any]]]:
    """What each contact of a decision takes of budgets, by the contact's number."""
    uses, contacts = tables.budget_uses, tables.exposures
    query = (
        sa.select(uses)
        .join(contacts, contacts.c.id == uses.c.contact)
        .where(contacts.c.decision_id == decision_id)
        .order_by(uses.c.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        told = {
            "budget": row["budget"],
            "period_starts_on": row["starts_on"].isoformat(),
            "use": row["millionths"] / MILLION,
            "state": row["state"],
        }
        found.setdefault(row["contact"], []).append(told)
    return found


def decided(
    connection: sa.Connection,
    since: datetime,
    until: datetime,
    clock: Literal["decided_at", "asked_for"] = "decided_at",
) -> Iterator[dict[str, Any]]:
    """The last revision of each decision; see :meth:`.live.LiveStore.decided`.

    ``clock``: whether it was made in this time, or is about a moment of it.
    """
    table = tables.decisions
    at = table.c[clock]
    newest = (
        sa.select(table.c.decision_id, sa.func.max(table.c.revision).label("revision"))
        .where(at >= since, at < until)
        .group_by(table.c.decision_id)
        .subquery()
    )
    query = sa.select(table).join(
        newest,
        (table.c.decision_id == newest.c.decision_id) & (table.c.revision == newest.c.revision),
    )
    order = (at, table.c.decision_id)
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
