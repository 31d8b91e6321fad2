"""What is left of budgets, read on SQLite and on a real PostgreSQL."""

from datetime import UTC, date, datetime

import pytest

from mkt_models.store.ledger import millionths
from mkt_models.store.live import LiveStore
from mkt_models.store.purses import PeriodNotOpen
from mkt_models.store.records import Limit, Purse

NOW = datetime(2018, 1, 3, 15, tzinfo=UTC)
MONDAY, SUNDAY, NEXT = date(2018, 1, 1), date(2018, 1, 7), date(2018, 1, 8)
SMS = Limit("sms", "contacts", millionths(3), MONDAY, NEXT, planned=millionths(2.5))
MONEY = Limit("money", "money", millionths(1), MONDAY, NEXT)


def left(
    live: LiveStore, *limits: Limit, day: date, besides: str | None = None, locked: bool = False
) -> tuple[Purse, ...]:
    with live.turn("a", NOW) as turn:
        return turn.purses(limits, day, besides, locked)


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("besides", [None, "a decision that planned nothing"])
def test_only_the_budgets_that_are_asked_for_are_told(
    live: LiveStore, locked: bool, besides: str | None
) -> None:
    live.open_periods((SMS, MONEY), MONDAY)
    sms = Purse("sms", MONDAY, NEXT, millionths(3), 0, planned=millionths(2.5))
    money = Purse("money", MONDAY, NEXT, millionths(1), 0)
    told = left(live, MONEY, SMS, day=MONDAY, besides=besides, locked=locked)
    assert told == (money, sms)  # by name
    assert left(live, SMS, day=SUNDAY, besides=besides, locked=locked) == (sms,)
    assert left(live, day=MONDAY, besides=besides, locked=locked) == ()


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("day", [date(2017, 12, 31), NEXT])
def test_a_day_outside_of_the_periods_says_which_are_not_open(
    live: LiveStore, day: date, locked: bool
) -> None:
    live.open_periods((SMS, MONEY), MONDAY)
    with pytest.raises(PeriodNotOpen, match=rf"money, sms: no period is open on {day}"):
        left(live, SMS, MONEY, day=day, locked=locked)
