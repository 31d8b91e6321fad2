"""A day later, computed anew only for those who changed: equal to a full run, whatever happened."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles.histories import PEOPLE, history_on, line

from mkt_models.loading import load_params
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.features import prepare_orders
from mkt_models.profiles.incremental import Refreshed, keep, refresh
from mkt_models.profiles.profile import ProfileTable, build_profiles
from mkt_models.profiles.tag_catalogue import load_tag_catalogue

ROOT = Path(__file__).parents[2]
NOTHING = Exclusions()
TAGS = load_tag_catalogue(ROOT / "params" / "tags.yaml")
RULES = load_params(ROOT / "params" / "complete_journey.yaml").profile
DAY = date(2017, 7, 10)


def at(day: date):
    return RULES.model_copy(update={"as_of": day, "value_days": 200})


def full(con: Any, day: date) -> ProfileTable:
    prepare_orders(con)
    now = datetime(2017, 7, 1, 6, tzinfo=UTC)
    return build_profiles(con, None, at(day), TAGS, NOTHING, computed_at=now)


def same(one: ProfileTable, other: ProfileTable) -> None:
    for name in ("profiles", "tags"):
        a, b = (getattr(t, name).drop(columns="computed_at") for t in (one, other))
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    pd.testing.assert_frame_equal(one.facts.table, other.facts.table, check_exact=True)
    pd.testing.assert_frame_equal(one.facts.points, other.facts.points, check_exact=True)


def step(write_shop: Any, folder: Path, before: dict[str, Any], after: dict[str, Any],
         days: int = 1) -> Refreshed:  # fmt: skip
    """From a shop on DAY to what it has become some days later; checks it against a full run."""
    con = write_shop(customers=PEOPLE, **before)
    one = full(con, DAY)
    keep(con, one, DAY, folder)
    con = write_shop(customers=PEOPLE, **after)
    later = DAY + timedelta(days=days)
    found = refresh(con, one, at(later), TAGS, NOTHING, folder)
    same(found.table, full(con, later))
    return found


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    return {name: [row for part in parts for row in part[name]] for name in parts[0]}


# Ages at which a row crosses the edge of some window on the next day are most of the draws.
EDGES = st.sampled_from([7, 14, 28, 56, 90, 200, 365]).map(lambda d: DAY - timedelta(days=d))
PAST = EDGES | st.integers(1, 400).map(lambda d: DAY - timedelta(days=d))


# A row of every table long ago, so that no table is new to the shop.
LONG_AGO = DAY - timedelta(days=380)
BASE = {
    "transactions": [line("x", LONG_AGO)],
    "exposures": [("x", "1", "mail", LONG_AGO)],
    "outcomes": [("x", "1", "a", LONG_AGO)],
    "events": [("x", "view", "milk", "DAIRY", "v0", 1.0, 3, "mobile", LONG_AGO, 9)],
    "social": [("x", "post", "weibo", "food", "y", 1, datetime(2016, 1, 1), LONG_AGO)],
    "tickets": [("t0", "x", 3, LONG_AGO, LONG_AGO, "delivery")],
    "returns": [("r", "x", 10, LONG_AGO, LONG_AGO)],
    "failed_orders": [("f0", "x", "failed", LONG_AGO)],
}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    past=history_on(PAST),
    late=history_on(PAST),
    new=history_on(st.integers(0, 3).map(lambda d: DAY + timedelta(days=d))),
    days=st.integers(0, 4),
)
def test_equal_to_a_full_run(write_shop, tmp_path_factory, past, late, new, days):
    """Rows that come in, go out and arrive late, for one day and several."""
    folder = tmp_path_factory.mktemp("kept")
    found = step(write_shop, folder, merged(BASE, past), merged(BASE, past, late, new), days)
    if not late["transactions"]:
        assert not found.all_anew


def shop(**tables: list[Any]) -> dict[str, Any]:
    return {"exposures": [], "outcomes": [], **tables}


def days_ago(*days: int) -> list[Any]:
    return [line("x", DAY - timedelta(days=d)) for d in days]


OTHER = [line("y", DAY - timedelta(days=d)) for d in (40, 45)]


@pytest.mark.parametrize(
    ("more", "recomputed"),
    [
        ([], 0),
        ([line("x", DAY)], 1),  # comes in
        ([line("z", DAY)], 1),  # a new customer
        ([line("x", DAY - timedelta(3))], 1),  # arrived late
    ],
)
def test_only_those_who_changed_are_read_again(write_shop, tmp_path, more, recomputed):
    before = days_ago(3, 50) + OTHER
    found = step(write_shop, tmp_path, shop(transactions=before), shop(transactions=before + more))
    assert (found.recomputed, found.all_anew) == (recomputed, "")


@pytest.mark.parametrize("edge", [7, 14, 28, 56, 90, 200, 365])
def test_a_row_that_leaves_a_window_counts(write_shop, tmp_path, edge: int):
    lines = shop(transactions=days_ago(edge) + OTHER)
    assert step(write_shop, tmp_path, lines, lines).recomputed == 1


def test_a_row_taken_back_or_moved_is_found(write_shop, tmp_path):
    before = shop(transactions=days_ago(3, 50) + OTHER)
    moved = shop(transactions=days_ago(4, 50) + OTHER)
    gone = shop(transactions=OTHER)
    assert step(write_shop, tmp_path, before, moved).recomputed == 1
    assert step(write_shop, tmp_path, before, gone).all_anew == ""  # prices are what they were
    dear = shop(transactions=[line("x", DAY - timedelta(days=50), 300), *OTHER])
    found = step(write_shop, tmp_path, dear, gone)
    assert found.all_anew == "order lines came late, or were taken back, that change what is usual"
    assert found.table.profiles["customer_id"].tolist() == ["y"]


def test_a_new_month_reads_all_again(write_shop, tmp_path):
    lines = shop(transactions=days_ago(3, 50) + OTHER)
    found = step(write_shop, tmp_path, lines, lines, days=22)
    assert (found.recomputed, found.all_anew) == (
        2, "a new month has begun: what is usual is looked at anew",
    )  # fmt: skip


def test_time_does_not_run_back(write_shop, tmp_path):
    con = write_shop(customers=PEOPLE, transactions=days_ago(3))
    one = full(con, DAY)
    with pytest.raises(ValueError, match="must not be before the profiles of 2017-07-10"):
        refresh(con, one, at(DAY - timedelta(1)), TAGS, NOTHING, tmp_path)
