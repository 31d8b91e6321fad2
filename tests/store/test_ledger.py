"""Budgets in the live store, on SQLite and on a real PostgreSQL."""

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from toy_contacts import HOUR, record

from mkt_models.store import live_tables as tables
from mkt_models.store.ledger import BudgetSpent, millionths
from mkt_models.store.live import LiveStore
from mkt_models.store.publishing import Superseded
from mkt_models.store.purses import PeriodNotOpen
from mkt_models.store.records import (
    Consent,
    ContactStatus,
    Exposure,
    Limit,
    Outcome,
    Planned,
    Purse,
    Record,
    Refused,
    SnapshotMeta,
    Use,
)
from mkt_models.store.values import StoreError

NOW = datetime(2018, 1, 3, 15, tzinfo=UTC)
MONDAY, NEXT = date(2018, 1, 1), date(2018, 1, 8)
TODAY = date(2018, 1, 3)
COUPONS = Limit("coupons", "coupons", millionths(2), MONDAY, NEXT, planned=millionths(1.5))
MONEY = Limit("money", "money", millionths(1), MONDAY, NEXT)
LETTER = (Use("coupons", millionths(1)), Use("money", millionths(0.65)))


def plan(
    customer: str, decision: str, purses: tuple[Purse, ...], *uses: Use, answer: object = "hello"
) -> Record:
    exposure = Exposure(
        customer, "mail", NOW, "promotion", decision_id=decision, until=NOW + 3 * HOUR
    )
    made = record(decision, answer, Planned(exposure, "marketing", uses))
    return replace(made, asked_for=NOW, strategy="promotion", channel="mail", purses=purses)


def decided(
    live: LiveStore,
    customer: str,
    decision: str,
    *uses: Use,
    limits: tuple[Limit, ...] = (COUPONS,),
    answer: object = "hello",
) -> None:
    with live.turn(customer, NOW) as turn:
        purses = turn.purses(limits, TODAY, decision)
        turn.keep(plan(customer, decision, purses, *uses, answer=answer))


def report(live: LiveStore, customer: str, decision: str, status: str, at: datetime = NOW) -> None:
    with live.turn(customer, at) as turn:
        turn.report(decision, "promotion", "mail", None, ContactStatus(status), at, "job")


def told(live: LiveStore, budget: str = "coupons") -> dict[str, float]:
    check(live)
    (one,) = [one for one in live.budgets(TODAY) if one["budget"] == budget]
    names = ("used", "left", "reserved", "sent", "given_back", "sent_without_leave")
    return {name: one[name] for name in names if one[name]}


def check(live: LiveStore) -> None:
    """The counter is the sum over contacts, whatever happened."""
    sums: dict[tuple[str, date], int] = defaultdict(int)
    with live._engine.connect() as connection:
        for row in connection.execute(sa.select(tables.budget_uses)).mappings():
            if row["state"] != "given_back":
                sums[row["budget"], row["starts_on"]] += row["millionths"]
        for row in connection.execute(sa.select(tables.budget_periods)).mappings():
            assert row["used_millionths"] == sums.pop((row["budget"], row["starts_on"]), 0)
    assert not sums


@pytest.fixture
def opened(live: LiveStore) -> LiveStore:
    """With the periods of both budgets open."""
    live.open_periods((MONEY, COUPONS), TODAY)
    return live


def test_who_refuses_personalisation_gives_back_what_was_planned(opened: LiveStore) -> None:
    decided(opened, "a", "d-a", Use("coupons", millionths(1)))
    with opened.turn("a", NOW) as turn:
        assert turn.say(Consent("a", "personalisation", "mail", "refused", TODAY)) == (True, 1)
    assert told(opened) == {"left": 2, "given_back": 1}


def test_an_amount_is_never_passed_and_what_fails_leaves_nothing(opened: LiveStore) -> None:
    one = Use("coupons", millionths(1))
    for customer in ("a", "b"):
        decided(opened, customer, f"d-{customer}", one)
    assert told(opened) == {"used": 2, "reserved": 2}
    with pytest.raises(BudgetSpent, match="coupons"):
        decided(opened, "c", "d-c", one)
    assert opened.explain("d-c") is None
    assert opened.holds("c") == {}
    assert told(opened) == {"used": 2, "reserved": 2}


def test_fractions_add_up_exactly(opened: LiveStore) -> None:
    for number in range(10):
        decided(opened, "a", f"d-{number}", Use("money", millionths(0.1)), limits=(MONEY,))
    assert told(opened, "money") == {"used": 1, "reserved": 1}
    with pytest.raises(BudgetSpent):
        decided(opened, "a", "d", Use("money", 1), limits=(MONEY,))


def test_what_is_left_is_read_without_what_this_decision_planned(opened: LiveStore) -> None:
    decided(opened, "a", "d1", *LETTER, limits=(COUPONS, MONEY))
    with opened.turn("a", NOW) as turn:
        left = {one.budget: one.left for one in turn.purses((COUPONS, MONEY), TODAY)}
        own = {one.budget: one.left for one in turn.purses((COUPONS, MONEY), TODAY, "d1")}
        under_lock = turn.purses((COUPONS, MONEY), TODAY, "d1", locked=True)
    assert {one.budget: one.planned for one in under_lock} == {
        "coupons": millionths(1.5),
        "money": None,
    }
    assert left == {"coupons": millionths(1), "money": millionths(0.35)}
    assert own == {"coupons": millionths(2), "money": millionths(1)}
    assert {one.budget: one.left for one in under_lock} == own


def test_a_question_asked_again_takes_once_and_a_revision_only_its_own(opened: LiveStore) -> None:
    both = (COUPONS, MONEY)
    for _ in range(3):
        decided(opened, "a", "d1", *LETTER, limits=both)
    assert told(opened) == {"used": 1, "left": 1, "reserved": 1}
    cheaper = Use("money", millionths(0.9))  # more than is left, were the first not given back
    decided(opened, "a", "d1", cheaper, limits=both, answer="other")
    assert told(opened) == {"left": 2, "given_back": 1}
    assert told(opened, "money") == {
        "used": 0.9,
        "left": 0.1,
        "reserved": 0.9,
        "given_back": 0.65,
    }
    found = opened.explain("d1")
    assert found is not None
    assert [one["budget_uses"] for one in found["exposures"]] == [
        [
            {"budget": name, "period_starts_on": "2018-01-01", "use": use, "state": "given_back"}
            for name, use in (("coupons", 1), ("money", 0.65))
        ],
        [
            {
                "budget": "money",
                "period_starts_on": "2018-01-01",
                "use": 0.9,
                "state": "reserved",
            }
        ],
    ]


def refuse(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        no = Consent("a", "marketing", "mail", "refused", TODAY, changed_at=NOW)
        assert turn.say(no) == (True, 1)


def complain(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.outcome(Outcome("o-1", "complaint", NOW))


def not_sent(live: LiveStore) -> None:
    report(live, "a", "d1", "not_sent")


@pytest.mark.parametrize("end", [refuse, complain, not_sent])
def test_what_is_not_sent_is_given_back_once(
    opened: LiveStore, end: Callable[[LiveStore], None]
) -> None:
    decided(opened, "a", "d1", *LETTER, limits=(COUPONS, MONEY))
    end(opened)
    for _ in range(2):
        assert told(opened) == {"left": 2, "given_back": 1}
        report(opened, "a", "d1", "not_sent")
    # It was sent all the same: a fact, which counts again.
    report(opened, "a", "d1", "sent")
    report(opened, "a", "d1", "sent")
    assert told(opened) == {"used": 1, "left": 1, "sent_without_leave": 1}
    assert told(opened, "money") == {"used": 0.65, "left": 0.35, "sent_without_leave": 0.65}


def test_what_somebody_has_begun_to_send_counts_until_they_say_that_it_was_not(
    opened: LiveStore,
) -> None:
    decided(opened, "a", "d1", LETTER[0])
    report(opened, "a", "d1", "sending")
    refuse(opened)
    assert told(opened) == {"used": 1, "left": 1, "reserved": 1}
    report(opened, "a", "d1", "not_sent")
    assert told(opened) == {"left": 2, "given_back": 1}


@pytest.mark.parametrize("locked", [False, True])
def test_what_is_being_sent_is_left_out_of_what_its_own_question_is_told_if_asked(
    opened: LiveStore, locked: bool
) -> None:
    decided(opened, "a", "d1", LETTER[0])
    report(opened, "a", "d1", "sending")
    for decision, begun, used in (("d1", False, 0), ("d1", True, 1), ("d2", False, 1)):
        with opened.turn("a", NOW) as turn:
            (one,) = turn.purses((COUPONS,), TODAY, decision, locked, begun=begun)
        assert one.used == millionths(used)


def test_what_was_sent_counts_once_and_what_lapsed_counts(opened: LiveStore) -> None:
    for customer in ("a", "b"):
        decided(opened, customer, f"d-{customer}", LETTER[0])
    report(opened, "a", "d-a", "sending")
    report(opened, "a", "d-a", "sent", NOW + HOUR)
    report(opened, "b", "d-b", "sent", NOW + 9 * HOUR)  # long after its time
    assert told(opened) == {"used": 2, "sent": 2}
    with pytest.raises(Refused, match="on record as sent"):
        report(opened, "a", "d-a", "not_sent")


def test_sent_without_leave_counts_beyond_the_amount_and_stops_the_next(opened: LiveStore) -> None:
    decided(opened, "a", "d-a", LETTER[0])
    report(opened, "a", "d-a", "not_sent")
    for customer in ("b", "c"):
        decided(opened, customer, f"d-{customer}", LETTER[0])
    report(opened, "a", "d-a", "sent")
    assert told(opened) == {"used": 3, "reserved": 2, "sent_without_leave": 1}
    with pytest.raises(Refused, match="more is taken of the budget coupons") as caught:
        report(opened, "b", "d-b", "sending")
    assert caught.value.code == "budget_spent"
    report(opened, "b", "d-b", "not_sent")
    report(opened, "c", "d-c", "sending")


def test_periods_follow_each_other_without_gap_or_overlap(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn, pytest.raises(PeriodNotOpen, match="coupons: no period"):
        turn.purses((COUPONS,), TODAY)
    for _ in range(2):
        live.open_periods((COUPONS,), TODAY)
    decided(live, "a", "d1", LETTER[0])
    # Two weeks from now on: the week that is open stays, the next period begins where it ends.
    longer = Limit("coupons", "coupons", millionths(5), MONDAY, date(2018, 1, 15))
    live.open_periods((longer,), TODAY)
    decided(live, "a", "d2", LETTER[0], limits=(longer,))
    live.open_periods((longer,), date(2018, 1, 9))
    # A question about a day before is one of an earlier period.
    earlier = Limit("coupons", "coupons", millionths(5), date(2017, 12, 25), date(2018, 1, 8))
    live.open_periods((earlier,), date(2017, 12, 31))
    found = [(one["starts_on"], one["ends_on"], one["used"]) for one in live.budgets()]
    assert found == [
        ("2018-01-08", "2018-01-15", 0),
        ("2018-01-01", "2018-01-08", 2),
        ("2017-12-25", "2018-01-01", 0),
    ]
    (open_now,) = live.budgets(TODAY)
    assert (open_now["amount"], open_now["left"]) == (2, 0)  # as it was opened
    assert open_now["contacts"]["reserved"] == 2


def test_many_that_open_a_period_at_once_open_one(live: LiveStore) -> None:
    def go(_: int) -> None:
        live.open_periods((COUPONS, MONEY), TODAY)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(go, range(8)))
    assert [one["budget"] for one in live.budgets()] == ["coupons", "money"]


def publication(amount: float, name: str, resource: str = "coupons") -> SnapshotMeta:
    row = {"budget": "coupons", "resource": resource, "amount": amount, "price": 0.0, "used": 1.0}
    return SnapshotMeta("2018-01-03", snapshot_id=name, shadow_prices=(row,))


def test_publishing_again_refills_nothing(opened: LiveStore) -> None:
    for customer in ("a", "b"):
        decided(opened, customer, f"d-{customer}", LETTER[0])
    opened.publish(publication(2, "s1"), [], NOW)
    assert told(opened) == {"used": 2, "reserved": 2}
    opened.publish(publication(3, "s2"), [], NOW)
    assert told(opened) == {"used": 2, "left": 1, "reserved": 2}
    opened.publish(publication(1, "s3"), [], NOW)
    assert told(opened) == {"used": 2, "reserved": 2}
    with pytest.raises(Refused, match="budget coupons"):
        report(opened, "a", "d-a", "sending")
    with pytest.raises(StoreError, match=r"counts coupons in the period .* give the new budget"):
        opened.publish(publication(9, "s4", "money"), [], NOW)
    (one,) = [one for one in opened.budgets() if one["budget"] == "coupons"]
    assert (one["amount"], one["planned"]) == (1, 1)


def test_what_an_erased_customer_took_stays_counted_and_is_nobodys(opened: LiveStore) -> None:
    decided(opened, "a", "d1", *LETTER, limits=(COUPONS, MONEY))
    report(opened, "a", "d1", "sent")
    decided(opened, "a", "d2", LETTER[0])
    opened.forget("a", NOW)
    assert told(opened) == {"used": 2, "reserved": 1, "sent": 1}
    assert told(opened, "money") == {"used": 0.65, "left": 0.35, "sent": 0.65}
    # The next contact may have the number that theirs had: what they took is not its.
    decided(opened, "b", "d3", Use("money", millionths(0.1)), limits=(MONEY,))
    found = opened.explain("d3")
    assert found is not None
    assert [len(one["budget_uses"]) for one in found["exposures"]] == [1]


def test_what_is_purged_stays_counted_as_one_sum(opened: LiveStore) -> None:
    for customer in ("a", "b"):
        decided(opened, customer, f"d-{customer}", LETTER[0])
    assert opened.purge(NOW + HOUR)["exposures"] == 0  # they may still be sent
    opened.purge(NOW + 4 * HOUR)
    assert told(opened) == {"used": 2, "reserved": 2}
    assert opened.budgets(TODAY)[0]["contacts"]["reserved"] == 2
    with opened._engine.connect() as connection:
        (row,) = connection.execute(sa.select(tables.budget_uses)).mappings()
    assert (row["contact"], row["contacts"]) == (None, 2)


def test_many_customers_at_once_take_all_there_is_and_no_more(live: LiveStore) -> None:
    """Two budgets, taken of in either order: nobody waits in a circle, nothing is passed."""
    limits = (
        Limit("coupons", "coupons", millionths(10), MONDAY, NEXT),
        Limit("money", "money", millionths(100), MONDAY, NEXT),
    )
    live.open_periods(limits, TODAY)
    orders = ((Use("money", 7), LETTER[0]), (LETTER[0], Use("money", 7)))
    start = Barrier(16)

    def ask(caller: int) -> int:
        given = 0
        start.wait(timeout=60)
        for number in range(3):
            name = f"customer-{caller}-{number}"
            for locked in (False, True):
                try:
                    with live.turn(name, NOW) as turn:
                        purses = turn.purses(limits, TODAY, None, locked)
                        if purses[0].left < millionths(1):
                            break
                        turn.keep(plan(name, f"d-{name}", purses, *orders[caller % 2]))
                        given += 1
                        break
                except BudgetSpent:
                    assert not locked
        return given

    with ThreadPoolExecutor(16) as pool:
        given = sum(pool.map(ask, range(16)))
    assert given == 10
    assert told(live) == {"used": 10, "reserved": 10}
    assert told(live, "money")["used"] == 70 / 1_000_000


def test_a_budget_that_is_no_longer_published_gets_back_what_a_revision_does_not_take(
    opened: LiveStore,
) -> None:
    decided(opened, "a", "d1", *LETTER, limits=(COUPONS, MONEY))
    with opened.turn("a", NOW) as turn:
        left = turn.purses((MONEY,), TODAY, "d1", locked=True)
        assert [(one.budget, one.left) for one in left] == [("money", millionths(1))]
        turn.keep(plan("a", "d1", left, Use("money", 5), answer="other"))
    assert told(opened) == {"left": 2, "given_back": 1}
    assert told(opened, "money")["reserved"] == 0.000005


def test_a_count_never_changes_the_amount(opened: LiveStore) -> None:
    """What was read before a publication is no leave to pass the amount that it sets."""
    decided(opened, "a", "d-a", LETTER[0])
    opened.publish(publication(1, "s1"), [], NOW)
    stale = Purse("coupons", MONDAY, NEXT, amount=millionths(50), used=millionths(1))
    with pytest.raises(BudgetSpent), opened.turn("b", NOW) as turn:
        turn.keep(plan("b", "d-b", (stale,), LETTER[0]))
    fifty = replace(COUPONS, amount=millionths(50))
    with opened.turn("b", NOW) as turn:
        assert [one.amount for one in turn.purses((fifty,), TODAY)] == [millionths(1)]
    (one,) = [one for one in opened.budgets() if one["budget"] == "coupons"]
    assert (one["amount"], one["used"]) == (1, 1)


def test_a_publication_leaves_periods_alone_that_are_over(live: LiveStore) -> None:
    later = replace(COUPONS, starts_on=NEXT, ends_on=date(2018, 1, 15))
    live.open_periods((COUPONS,), TODAY)
    live.open_periods((later,), NEXT)
    # As of 3 January, and published in the week after.
    live.publish(publication(9, "s1"), [], NOW, today=NEXT)
    amounts = {one["starts_on"]: one["amount"] for one in live.budgets()}
    assert amounts == {"2018-01-01": 2, "2018-01-08": 9}
    live.publish(publication(7, "s2"), [], NOW + timedelta(days=12))  # the clock's day
    assert {one["amount"] for one in live.budgets()} == {2, 9}


def test_nobody_decides_by_a_snapshot_that_is_no_longer_served(opened: LiveStore) -> None:
    with opened.turn("a", NOW, "bento"):
        pass  # nothing was published: what the service was built with is served
    opened.publish(publication(1, "s1"), [], NOW)
    with opened.turn("a", NOW, "s1"):
        pass
    with pytest.raises(Superseded, match="s1 was published"), opened.turn("a", NOW, "bento"):
        pass
    with pytest.raises(Superseded):
        opened.open_periods((COUPONS,), date(2018, 1, 9), "bento")
    with pytest.raises(Superseded):
        opened.set_amounts([{"budget": "coupons", "amount": 5}], TODAY, "bento")
    assert [one["amount"] for one in opened.budgets()] == [1, 1]


def test_a_publication_waits_for_the_turns_that_decide_by_the_one_before(live: LiveStore) -> None:
    live.publish(publication(2, "s1"), [], NOW)
    with ThreadPoolExecutor(1) as pool:
        with live.turn("a", NOW, "s1"):
            later = pool.submit(live.publish, publication(1, "s2"), [], NOW)
            with pytest.raises(TimeoutError):
                later.result(timeout=0.3)
            assert live.served_id() == "s1"
        later.result(timeout=60)
    assert live.served_id() == "s2"


def test_amounts_that_are_set_hold_from_now_on(opened: LiveStore) -> None:
    rows = [{"budget": "money", "resource": "money", "amount": 5, "used": None}]
    opened.set_amounts(rows, TODAY, "bento")
    assert {one["budget"]: one["amount"] for one in opened.budgets()} == {"coupons": 2, "money": 5}
    opened.set_amounts([{**rows[0], "amount": 7}], NEXT, "bento")  # it is over by then
    assert {one["amount"] for one in opened.budgets()} == {2, 5}
    with pytest.raises(StoreError, match="give the new budget another id"):
        opened.set_amounts([{**rows[0], "resource": "coupons"}], TODAY, "bento")


def test_what_was_given_back_is_taken_again_where_all_of_its_budgets_have_room(
    opened: LiveStore,
) -> None:
    both = (COUPONS, MONEY)
    decided(opened, "a", "d1", *LETTER, limits=both)
    report(opened, "a", "d1", "sending")
    report(opened, "a", "d1", "not_sent")
    decided(opened, "b", "d2", Use("money", millionths(0.9)), limits=both)
    with opened.turn("a", NOW) as turn, pytest.raises(Refused, match="money: others") as caught:
        turn.report("d1", "promotion", "mail", None, ContactStatus.SENDING, NOW, "job")
    assert caught.value.code == "budget_spent"
    # Neither the coupon that was left nor the status stays, though the turn was kept.
    assert told(opened) == {"left": 2, "given_back": 1}
    report(opened, "b", "d2", "not_sent")
    report(opened, "a", "d1", "sending")
    assert told(opened) == {"used": 1, "left": 1, "reserved": 1}
    assert told(opened, "money") == {
        "used": 0.65,
        "left": 0.35,
        "reserved": 0.65,
        "given_back": 0.9,
    }
