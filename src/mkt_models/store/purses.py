"""What is left of the budgets, read within a turn; what is taken stands in :mod:`.ledger`."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from mkt_models.store import live_tables as tables
from mkt_models.store.records import ContactStatus, Limit, Purse, UseState
from mkt_models.store.values import StoreError


class PeriodNotOpen(StoreError):
    """Nothing was taken of a budget in this period yet: open it, then decide again."""


def purses(
    connection: sa.Connection,
    limits: Sequence[Limit],
    day: date,
    besides: str | None = None,
    locked: bool = False,
    begun: bool = True,
) -> tuple[Purse, ...]:
    """What is used of each budget in the period in which ``day`` lies, by the name of the budget.

    Parameters
    ----------
    limits
        The budgets. What there is of each is read: a later publication may have set it.
    besides
        What this decision has planned itself, and nobody has begun to send, does not count.
    locked
        Let nobody take of them before this transaction ends.
    begun
        False leaves out what somebody is sending for that decision, too.

    Raises
    ------
    PeriodNotOpen
        When one of them has no period for that day yet.

    """
    if not limits:
        return ()
    names = {limit.budget for limit in limits}
    own = [ContactStatus.PLANNED.value]
    if not begun:
        own.append(ContactStatus.SENDING.value)
    parts = {"day": day, "besides": besides, "own": own}
    # Locked are all of that day: a revision may give back of one that is not among the limits.
    query = _LOCKED if locked else _OF_THE_LIMITS
    rows = connection.execute(query, parts if locked else {**parts, "names": sorted(names)})
    found = tuple(
        Purse(budget, starts_on, ends_on, int(amount), int(used) - int(own_use), planned)
        for budget, starts_on, ends_on, amount, used, planned, own_use in rows
        if budget in names
    )
    if len(found) < len(names):
        lacking = sorted(names - {one.budget for one in found})
        raise PeriodNotOpen(f"{', '.join(lacking)}: no period is open on {day}")
    return found


def _purses() -> sa.Select[Any]:
    """The budgets on a day, and what a decision has planned of each that is not begun."""
    table, uses, contacts = tables.budget_periods, tables.budget_uses, tables.exposures
    own = (
        sa.select(sa.func.coalesce(sa.func.sum(uses.c.millionths), 0))
        .join(contacts, contacts.c.id == uses.c.contact)
        .where(
            contacts.c.decision_id == sa.bindparam("besides"),  # of no decision where it is None
            contacts.c.status.in_(sa.bindparam("own", expanding=True)),
            uses.c.state == UseState.RESERVED.value,
            uses.c.budget == table.c.budget,
            uses.c.starts_on == table.c.starts_on,
        )
        .scalar_subquery()
    )
    query = sa.select(
        table.c.budget,
        table.c.starts_on,
        table.c.ends_on,
        table.c.amount_millionths,
        table.c.used_millionths,
        table.c.planned_millionths,
        own,
    )
    day: sa.BindParameter[date] = sa.bindparam("day", type_=sa.Date)
    query = query.where(table.c.starts_on <= day, table.c.ends_on > day)
    return query.order_by(table.c.budget, table.c.starts_on)


# Built once: to build what asks for budgets and counts them in every turn took a fifth of its CPU
# time, while others wait.
_LOCKED = _purses().with_for_update(of=tables.budget_periods)
_OF_THE_LIMITS = _purses().where(
    tables.budget_periods.c.budget.in_(sa.bindparam("names", expanding=True))
)
