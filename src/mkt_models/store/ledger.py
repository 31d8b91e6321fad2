"""What is taken of the budgets: a counter per budget and period, and what each contact takes.

The counter is changed together with the contacts, in their transaction, and by the database itself:
``used = used + n`` where that is within the amount that stands there. So no number of callers on
different customers passes an amount, and the counter is always the sum of what the contacts take.
The amount is set where a period is opened, by a publication and where a service starts; a count
never changes it.

Turns lock one customer each; the counters are locked after that, by budget and first day,
and as the last step of a turn. So two turns never wait for each other, and a counter is locked for
no longer than a commit takes. Everything is in whole millionths of a unit: sums are exact.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from mkt_models.sections import MILLION
from mkt_models.store import live_tables as tables
from mkt_models.store.records import Limit, Purse, Use, UseState
from mkt_models.store.values import StoreError

_OPENING_LOCK = 7_238_012  # of PostgreSQL's advisory locks: one process opens periods, others wait

Place = tuple[str, date]
"""A budget, and the first day of a period."""


def _change() -> sa.Update:
    table = tables.budget_periods
    return (
        table.update()
        .where(
            table.c.budget == sa.bindparam("of_budget"),
            table.c.starts_on == sa.bindparam("of_period"),
        )
        .values(used_millionths=table.c.used_millionths + _RISE)
    )


# Built once, as in :mod:`mkt_models.store.purses`.
_RISE = sa.bindparam("rise", type_=sa.BigInteger)
_COUNT = _change()
_COUNT_WITHIN = _COUNT.where(
    tables.budget_periods.c.used_millionths + _RISE <= tables.budget_periods.c.amount_millionths
)


class BudgetSpent(StoreError):
    """Others have taken what was left since it was read: decide again."""


def open_periods(connection: sa.Connection, limits: Iterable[Limit], day: date) -> None:
    """Open the periods in which ``day`` lies, each once, with nothing used.

    A period that is open stays as it is until its end, whatever length a later publication gives;
    the next one begins there at the earliest.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_OPENING_LOCK)))
    table = tables.budget_periods
    for limit in sorted(limits, key=lambda one: one.budget):
        query = sa.select(table.c.starts_on, table.c.ends_on)
        known = connection.execute(query.where(table.c.budget == limit.budget)).all()
        if any(starts <= day < ends for starts, ends in known):
            continue
        row = {
            "budget": limit.budget,
            "starts_on": max([limit.starts_on, *(ends for _, ends in known if ends <= day)]),
            "ends_on": min([limit.ends_on, *(starts for starts, _ in known if starts > day)]),
            "resource": limit.resource,
            "amount_millionths": limit.amount,
            "planned_millionths": limit.planned,
            "used_millionths": 0,
        }
        connection.execute(table.insert(), row)


def set_amounts(connection: sa.Connection, rows: Iterable[Mapping[str, Any]], today: date) -> None:
    """Let amounts hold for the periods that are open on ``today``, or later.

    What is used stays, and periods that are over keep their amount. ``rows`` are shadow prices, as
    the snapshot carries them; of them ``budget``, ``resource``, ``amount`` and ``used`` are read.

    Raises
    ------
    StoreError
        When a budget is of another resource than was counted under its name: hours are no coupons.

    """
    table = tables.budget_periods
    for row in sorted(rows, key=lambda one: str(one["budget"])):
        if row.get("amount") is None:
            continue
        kinds = sa.select(table.c.resource).where(
            table.c.budget == row["budget"],
            table.c.ends_on > today,
            table.c.resource != row["resource"],
        )
        other = connection.execute(kinds).scalars().first()
        if other is not None:
            raise StoreError(
                f"budget {row['budget']!r}: counts {other} in the period that is open, so it "
                f"cannot count {row['resource']}; give the new budget another id"
            )
        planned = row.get("used")
        change = table.update().where(table.c.budget == row["budget"], table.c.ends_on > today)
        connection.execute(
            change.values(
                amount_millionths=millionths(row["amount"]),
                planned_millionths=None if planned is None else millionths(planned),
            )
        )


def millionths(units: float) -> int:
    """Units as whole millionths, to the nearest.

    >>> millionths(0.45 + 0.1 * 2)
    650000
    """
    return round(units * MILLION)


def reserve(
    connection: sa.Connection, contact: int, uses: Iterable[Use], known: Mapping[str, Purse]
) -> Counter[Place]:
    """Write down what a contact takes; returns by how much the counters must rise."""
    rises: Counter[Place] = Counter()
    rows = []
    for use in uses:
        place = (use.budget, known[use.budget].starts_on)
        rises[place] += use.millionths
        rows.append(
            {
                "contact": contact,
                "budget": place[0],
                "starts_on": place[1],
                "millionths": use.millionths,
                "contacts": 1,
                "state": UseState.RESERVED.value,
            }
        )
    if rows:
        connection.execute(tables.budget_uses.insert(), rows)
    return rises


def give_back(connection: sa.Connection, contacts: Any) -> Counter[Place]:
    """Give back what contacts have reserved; returns by how much the counters must rise: below 0.

    ``contacts`` are their ids: a query, or a list.
    """
    return _moved(connection, contacts, UseState.RESERVED, UseState.GIVEN_BACK, -1)


def take_again(connection: sa.Connection, contact: int) -> Counter[Place]:
    """Reserve once more what a contact has given back; returns by how much the counters must rise.

    They are to be counted ``within`` the amounts.
    """
    return _moved(connection, [contact], UseState.GIVEN_BACK, UseState.RESERVED, 1)


def was_sent(connection: sa.Connection, contact: int) -> Counter[Place]:
    """Say that a contact was sent; returns by how much the counters must rise.

    What had been given back was sent without leave: it counts again, whatever is left.
    """
    _moved(connection, [contact], UseState.RESERVED, UseState.SENT, 0)
    return _moved(connection, [contact], UseState.GIVEN_BACK, UseState.SENT_WITHOUT_LEAVE, 1)


def count(
    connection: sa.Connection, rises: Mapping[Place, int], within: Collection[Place] = ()
) -> None:
    """Change the counters.

    What rises and is in ``within`` must stay within the amount that is stored, which may be another
    than the one that was read; what was sent is a fact.

    Raises
    ------
    BudgetSpent
        When not enough is left of a budget. The transaction must not be kept.

    """
    for place in sorted(rises):
        rise = rises[place]
        if rise == 0:
            continue
        change = _COUNT_WITHIN if place in within and rise > 0 else _COUNT
        parts = {"of_budget": place[0], "of_period": place[1], "rise": rise}
        if connection.execute(change, parts).rowcount != 1:
            raise BudgetSpent(f"{place[0]}: others have taken what was left; decide again")


def overspent(connection: sa.Connection, contact: int) -> str | None:
    """The name of a budget of which a contact has reserved, and more is taken than there is."""
    table, uses = tables.budget_periods, tables.budget_uses
    query = (
        sa.select(table.c.budget)
        .join(uses, (uses.c.budget == table.c.budget) & (uses.c.starts_on == table.c.starts_on))
        .where(
            uses.c.contact == contact,
            uses.c.state == UseState.RESERVED.value,
            table.c.used_millionths > table.c.amount_millionths,
        )
        .order_by(table.c.budget)
    )
    return connection.execute(query).scalars().first()


def detach(connection: sa.Connection, contacts: Any) -> None:
    """Keep what contacts took, and nothing of whose they are: only sums per period and state.

    ``contacts`` is a query of the ids of contacts that are about to be deleted.
    """
    table = tables.budget_uses
    taken = table.delete().where(table.c.contact.in_(contacts))
    gone = connection.execute(
        taken.returning(
            table.c.budget, table.c.starts_on, table.c.state, table.c.millionths, table.c.contacts
        )
    ).all()
    sums: Counter[tuple[str, date, str]] = Counter()
    times: Counter[tuple[str, date, str]] = Counter()
    for budget, starts_on, state, taken_of_it, n in gone:
        sums[budget, starts_on, state] += taken_of_it
        times[budget, starts_on, state] += n
    rows = [
        {
            "contact": None,
            "budget": budget,
            "starts_on": starts_on,
            "state": state,
            "millionths": sums[budget, starts_on, state],
            "contacts": n,
        }
        for (budget, starts_on, state), n in times.items()
    ]
    if rows:
        connection.execute(table.insert(), rows)


def _moved(
    connection: sa.Connection, contacts: Any, old: UseState, new: UseState, sign: int
) -> Counter[Place]:
    table = tables.budget_uses
    change = table.update().where(table.c.contact.in_(contacts), table.c.state == old.value)
    rows = connection.execute(
        change.values(state=new.value).returning(
            table.c.budget, table.c.starts_on, table.c.millionths
        )
    )
    rises: Counter[Place] = Counter()
    for budget, starts_on, taken in rows:
        rises[budget, starts_on] += sign * taken
    return rises
