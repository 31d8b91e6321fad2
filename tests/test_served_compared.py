"""The last days of a service against days before them, by hand: what is compared, what is not."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from mkt_models.decisions.catalogue import Catalogue, load_catalogue
from mkt_models.decisions.served_tables import served_tables
from mkt_models.monitoring.alarms import Outcome
from mkt_models.params import Params
from mkt_models.served_compared import changed, filling_days, reach, special_days
from mkt_models.served_judged import Seen
from mkt_models.served_params import ServedRule
from mkt_models.workspace import Workspace

UNTIL = datetime(2018, 4, 10, tzinfo=UTC)  # no public holiday in the eight weeks before it
CAPS = ("cap_customer", "cap_channel", "cap_strategy", "min_gap", "fatigue")


@pytest.fixture(scope="module")
def params() -> Params:
    return Workspace.open("params/sample.yaml", {"privacy.min_cell": 5, "served.days": 56}).params


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue("params/catalogue.yaml")


def asked(customer: int, days_ago: float, *codes: str, offer: bool = False) -> dict[str, object]:
    at = UNTIL - timedelta(days=days_ago)
    strategies = [{"content": {"offer": {"id": 1}}}] if offer else []
    answer = {"strategies": strategies, "suppressed": [{"code": code} for code in codes]}
    row = {"decision_id": f"{customer}/{days_ago}", "customer_id": f"c{customer:03d}"}
    row |= {"asked_for": at.isoformat(), "arm": "treatment", "arm_probability": 0.9}
    row |= {"answer": answer, "strategy": "membership_tier", "channel": "app"}
    return row | {"offer_id": None, "probability": 1.0}


def seen(
    rows: list[dict[str, object]],
    params: Params,
    catalogue: Catalogue,
    begun_ago: float | None = None,
) -> Seen:
    tables = served_tables(rows, [], [], catalogue, ZoneInfo("UTC"))
    begun = None if begun_ago is None else UNTIL - timedelta(days=begun_ago)
    return Seen(tables, params, catalogue, UNTIL, begun)


def suppression(found: Seen) -> list[tuple[str, Outcome]]:
    alarms = changed(found)[1]
    return [(one.subject, one.outcome) for one in alarms if one.rule is ServedRule.SUPPRESSION]


def test_a_service_that_was_asked_on_holidays_only_is_not_evaluated(
    params: Params, catalogue: Catalogue
) -> None:
    """New Year's day is left out, and no decision remains to be compared."""
    rows = [asked(n, (UNTIL - datetime(2018, 1, 1, 12, tzinfo=UTC)).days + 0.5) for n in range(300)]
    table, alarms = changed(seen(rows, params, catalogue, 100))
    assert table.empty
    told = {one.rule: (one.outcome, one.what) for one in alarms}
    assert set(told) == {ServedRule.STRATEGY_MIX, ServedRule.SUPPRESSION}
    for outcome, what in told.values():
        assert outcome is Outcome.NOT_EVALUATED
        assert "0 customers in the last 7 days, holidays and the days before them apart" in what


def test_the_longest_memory_is_that_of_a_month(params: Params, catalogue: Catalogue) -> None:
    assert params.fatigue.window_days < 30
    assert filling_days(seen([asked(1, 1)], params, catalogue)) == 30


def test_caps_that_fill_are_not_compared_and_caps_of_an_old_service_are(
    params: Params, catalogue: Catalogue
) -> None:
    """Nobody is capped in the weeks before, 200 of 300 in the last."""
    rows = [asked(n, ago) for n in range(300) for ago in (8, 15, 22)]
    rows += [asked(n, 1, *(CAPS if n < 200 else ())) for n in range(300)]
    young = changed(seen(rows, params, catalogue, 28))[1]
    assert {one.outcome for one in young} == {Outcome.NOT_EVALUATED}
    # Begun on 13 March, filled on 12 April, two weeks more.
    assert all("fill for 30 days" in one.what for one in young)
    assert all("compared from 2018-04-26 on" in one.what for one in young)
    found = suppression(seen(rows, params, catalogue, 100))
    assert found == [(code.replace("_", " "), Outcome.ALARM) for code in sorted(CAPS)]


@pytest.mark.parametrize(("week_ago", "outcome"), [(3, Outcome.OK), (None, Outcome.ALARM)])
def test_what_weeks_differ_by_among_themselves_is_no_change(
    params: Params, catalogue: Catalogue, week_ago: int | None, outcome: Outcome
) -> None:
    """A reason of 150 of 300 customers now, and in one week before; in the others of none."""
    rows = [
        asked(n, 7 * week + 1, *(("budget_spent",) if n < 150 and week in (0, week_ago) else ()))
        for n in range(300)
        for week in range(6)
    ]
    rows += [asked(n, 7 * week + 1, "outranked") for n in range(300, 400) for week in range(6)]
    table, alarms = changed(seen(rows, params, catalogue, 100))
    row = table.query("label == 'budget_spent'").iloc[0]
    assert (row["now"], row["windows"]) == (150 / 400, 4)  # five before, but for the latest
    assert row["before"] == (150 / 400 if week_ago else 0.0)
    told = [one for one in alarms if one.rule is ServedRule.SUPPRESSION]
    assert told[0].outcome is outcome
    assert len(told) == (1 if outcome is Outcome.OK else 2)  # the rest is one


def test_a_fault_that_began_in_the_week_before_does_not_hide_itself(
    params: Params, catalogue: Catalogue
) -> None:
    rows = [
        asked(n, 7 * week + 1, *(("consent_expired",) if n < 150 and week < 2 else ("outranked",)))
        for n in range(300)
        for week in range(5)
    ]
    assert suppression(seen(rows, params, catalogue)) == [
        ("consent expired", Outcome.ALARM),
        ("outranked", Outcome.ALARM),
    ]


def test_a_holiday_is_not_held_against_other_days(params: Params, catalogue: Catalogue) -> None:
    days = {date(2018, 5, 20) + timedelta(days=n) for n in range(10)}
    special = special_days(catalogue, "US", days)
    # Memorial Day, 28 May, and the five days before it that a strategy waits for.
    assert sorted(day.day for day in special) == [23, 24, 25, 26, 27, 28]
    assert special_days(catalogue, "US", {date(2018, 5, 30)}) == set()


def test_too_few_customers_are_told_as_such(params: Params, catalogue: Catalogue) -> None:
    few = seen([asked(n, ago) for n in range(60) for ago in (1, 8, 15)], params, catalogue)
    [mix, _] = changed(few)[1]
    assert "60 customers in the last 7 days" in mix.what
    recent = seen([asked(n, 1) for n in range(160)], params, catalogue)
    [mix, _] = changed(recent)[1]
    assert "no window of 7 days before has 100 customers" in mix.what


def test_a_group_that_is_no_longer_offered_anything_is_seen_in_the_last_week(
    params: Params, catalogue: Catalogue
) -> None:
    """Until last week a third of all had an offer in every week; then no old ones had."""
    rows = [
        asked(n, 7 * week + 1, offer=n % 3 == week % 3 and (week > 0 or n % 2 == 0))
        for n in range(400)
        for week in range(8)
    ]
    people = pd.DataFrame({"customer_id": [f"c{n:03d}" for n in range(400)]})
    people["age_band"] = ["young" if n % 2 == 0 else "old" for n in range(400)]
    _, by_week, alarms = reach(seen(rows, params, catalogue), people)
    raised = [one for one in alarms if one.outcome is Outcome.ALARM]
    assert {one.subject for one in raised} == {"age_band young", "age_band old"}
    assert all("last 7 days" in one.what for one in raised)
    assert len(by_week["as_of"].unique()) == 8
