"""Answers worked by hand for the small shop of conftest.py, on Saturday 2017-07-01."""

import math
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from profiles.histories import PEOPLE, history_on, line

from mkt_models.loading import load_params
from mkt_models.profiles.features import _feature_sql, features_at
from mkt_models.profiles.measures import catalogue
from mkt_models.profiles.profile import build_profiles
from mkt_models.profiles.tag_catalogue import load_tag_catalogue

AS_OF = date(2017, 7, 1)
NAN = math.nan
GOLDEN = Path(__file__).parent / "golden" / "features.duckdb.sql"
PARAMS = load_params(Path(__file__).parents[2] / "params" / "complete_journey.yaml")
RULES = PARAMS.profile.model_copy(update={"as_of": AS_OF})
TAGS = load_tag_catalogue(Path(__file__).parents[2] / "params" / "tags.yaml")
NOW = datetime(2017, 7, 1, 6, tzinfo=UTC)

# The decayed sums: of every order, the cents that still count, rounded to whole ones.
# anna  age              1    1    7   21   61   90   91
#       cents          700  500  250 1000  500  600  300
#       half-life 20   676  483  196  483   60   27   13   together 1938
#       half-life 60   692  494  231  785  247  212  105   together 2766
# anna's shopping days are 91, 90, 61, 21, 7 and 1 days ago; the pauses that end in the last 90 days
# are 1, 29, 40, 14, 6: mean 18, squared deviations 289, 121, 484, 16, 144, together 1054.
BY_HAND = {
    "orders_7d": (3, 0, 0),
    "orders_14d": (3, 0, 0),
    "orders_28d": (4, 0, 0),
    "orders_56d": (4, 1, 0),
    "orders_90d": (6, 1, 0),
    "amount_7d": (14.5, 0, 0),
    "amount_14d": (14.5, 0, 0),
    "amount_28d": (24.5, 0, 0),
    "amount_56d": (24.5, 6.4, 0),
    "amount_90d": (35.5, 6.4, 0),
    "items_7d": (5, 0, 0),
    "items_14d": (5, 0, 0),
    "items_28d": (6, 0, 0),
    "items_56d": (6, 2, 0),
    "items_90d": (11, 2, 0),
    "days_since_last_order": (1, 30, 212),
    "tenure_days": (91, 30, 212),
    "mean_order_amount": (35.5 / 6, 6.4, NAN),
    "items_per_order": (11 / 6, 2, NAN),
    "discount_share": (170 / 3720, 0, NAN),
    "coupon_share": (1 / 6, 0, NAN),
    "private_label_share": (1450 / 3550, 0, NAN),
    "weekend_share": (3 / 6, 0, NAN),
    "evening_share": (2 / 6, 0, NAN),
    "stores_90d": (3, 1, 0),
    "largest_order_90d": (10, 6.4, NAN),
    "orders_per_week": (7 * 7 / 91, 7 / 30, 7 / 212),
    "amount_per_week": (38.5 * 7 / 91, 6.4 * 7 / 30, 12 * 7 / 212),
    "amount_decayed_20d": (19.38, 2.26, 0.01),
    "amount_decayed_60d": (27.66, 4.53, 1.04),
    "days_between_orders": (18, NAN, NAN),
    "longest_gap_90d": (40, NAN, NAN),
    "gap_deviation_90d": (math.sqrt(1054 / 4), NAN, NAN),
    "days_since_3rd_last": (21, NAN, NAN),
    "days_since_6th_last": (91, NAN, NAN),
    "days_since_12th_last": (NAN, NAN, NAN),
    "categories_28d": (3, 0, 0),
    "categories_90d": (4, 1, 0),
    "campaigns_90d": (1, 0, 0),
    "redemptions_90d": (2, 0, 0),
    "redemptions_ever": (3, 0, 0),
    "overdue": (1 / 18, NAN, NAN),
    "orders_trend": (4 / 28 * 90 / 6, 0, NAN),
    "amount_trend": (24.5 / 28 * 90 / 35.5, 0, NAN),
}


def before(days: int) -> date:
    return AS_OF - timedelta(days=days)


def one_row(con, as_of: date = AS_OF) -> dict[str, Any]:
    """The features of the only customer."""
    frame = features_at(con, [as_of])
    assert len(frame) == 1
    return dict(frame.iloc[0])


def test_every_feature_has_an_answer_by_hand():
    assert set(BY_HAND) == set(catalogue())


@pytest.mark.parametrize("name", BY_HAND)
def test_feature_by_hand(hand: pd.DataFrame, name: str):
    assert hand[name].tolist() == pytest.approx(list(BY_HAND[name]), nan_ok=True)


@pytest.fixture(scope="module")
def hand(write_shop) -> pd.DataFrame:
    return features_at(write_shop(), [AS_OF])


def test_grain_types_and_order(hand: pd.DataFrame):
    assert hand["customer_id"].tolist() == ["anna", "bob", "cora"]  # dan comes on the day itself
    assert hand.columns.tolist() == ["customer_id", "as_of", *catalogue()]
    assert hand.dtypes.astype(str).tolist() == ["str", "datetime64[us]"] + ["float64"] * 44
    assert (hand["as_of"] == pd.Timestamp(AS_OF)).all()


@pytest.mark.parametrize("days", [7, 14, 28, 56, 90])
def test_a_window_holds_its_last_day_and_not_the_next(write_shop, days: int):
    lines = [line("x", before(days), 200), line("x", before(days + 1), 1000)]
    row = one_row(write_shop(transactions=lines))
    assert (row[f"orders_{days}d"], row[f"amount_{days}d"], row[f"items_{days}d"]) == (1, 2, 1)


def test_the_window_of_campaigns_holds_its_last_day(write_shop):
    con = write_shop(
        transactions=[line("x", before(1))],
        exposures=[("x", str(days), "mail", before(days)) for days in (0, 1, 90, 91)],
        outcomes=[("x", "1", "1:a", before(days)) for days in (0, 1, 90, 91)],
    )
    row = one_row(con)
    assert (row["campaigns_90d"], row["redemptions_90d"], row["redemptions_ever"]) == (2, 2, 3)


def test_nth_last_days_count_days_and_not_orders(write_shop):
    lines = [line("x", before(d), order=f"{d}{i}") for d in range(10, 130, 10) for i in "ab"]
    row = one_row(write_shop(transactions=lines))
    assert [row[f"days_since_{n}_last"] for n in ("3rd", "6th", "12th")] == [30, 60, 120]


def test_the_first_day_has_no_pause_before_it(write_shop):
    # All within 90 days: three days, two pauses of 10 and 20.
    lines = [line("x", before(days)) for days in (5, 15, 35)]
    row = one_row(write_shop(transactions=lines))
    assert row["days_between_orders"] == 15
    assert row["gap_deviation_90d"] == pytest.approx(math.sqrt(50))
    assert row["overdue"] == pytest.approx(5 / 15)


def test_one_pause_has_no_deviation(write_shop):
    row = one_row(write_shop(transactions=[line("x", before(5)), line("x", before(15))]))
    assert (row["days_between_orders"], row["longest_gap_90d"]) == (10, 10)
    assert math.isnan(row["gap_deviation_90d"])


def test_weekdays(write_shop):
    # 2017-06-05 was a Monday: of the seven days from it, the last two are a weekend.
    for offset in range(7):
        day = date(2017, 6, 5) + timedelta(days=offset)
        row = one_row(write_shop(transactions=[line("x", day)]))
        assert row["weekend_share"] == (1 if offset >= 5 else 0), day


def test_an_order_of_two_days_counts_on_each(write_shop):
    lines = [line("x", before(2), 100, "o"), line("x", before(1), 300, "o")]
    con = write_shop(transactions=lines)
    early = one_row(con, before(1))
    assert (early["orders_7d"], early["amount_7d"]) == (1, 1)
    late = one_row(con)
    assert (late["orders_7d"], late["amount_7d"]) == (2, 4)


def test_an_order_number_of_two_customers_is_two_orders(write_shop):
    lines = [line("x", before(2), 100, "o"), line("y", before(2), 300, "o")]
    frame = features_at(write_shop(transactions=lines), [AS_OF])
    assert frame["amount_7d"].tolist() == [1, 3]


def test_absent_tables_give_missing_values(write_shop):
    names = ["campaigns_90d", "redemptions_90d", "redemptions_ever"]
    frame = features_at(write_shop(exposures=None, outcomes=None), [AS_OF])
    assert frame[names].isna().all(axis=None)
    frame = features_at(write_shop(exposures=None), [AS_OF])
    assert frame[names].iloc[0].tolist() == pytest.approx([NAN, 2, 3], nan_ok=True)


def test_a_date_before_all_orders_gives_no_rows(shop):
    frame = features_at(shop, [date(2016, 12, 1)])
    assert frame.empty
    assert frame.columns.tolist() == ["customer_id", "as_of", *catalogue()]


def test_without_dates_there_is_nothing_to_do(shop):
    with pytest.raises(ValueError, match="as_of is empty; give at least one date"):
        features_at(shop, [])


# --- point in time -------------------------------------------------------------------------------

PAST = st.integers(1, 400).map(before)
# The day itself, where a wrong comparison shows, is half of what is to come.
FUTURE = st.just(AS_OF) | st.integers(1, 120).map(lambda days: AS_OF + timedelta(days=days))


BUDGET = settings(
    max_examples=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


WHOLE = settings(BUDGET, max_examples=6)


def both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {name: first[name] + second[name] for name in first}


def described(con) -> tuple[Any, ...]:
    """Features, profiles, cut-offs and tags on the day."""
    features = features_at(con, [AS_OF])
    table = build_profiles(con, features, RULES, TAGS, computed_at=NOW)
    return features, table.profiles, table.cutoffs, table.tags


def same(one: tuple[Any, ...], other: tuple[Any, ...], exact: bool = True) -> None:
    pd.testing.assert_frame_equal(one[0], other[0], check_exact=exact)
    pd.testing.assert_frame_equal(one[1], other[1], check_exact=exact)
    assert one[2] == pytest.approx(other[2], nan_ok=True, abs=0 if exact else 1e-9)
    pd.testing.assert_frame_equal(one[3], other[3], check_exact=exact)


@WHOLE
@given(past=history_on(PAST), future=history_on(FUTURE, least=1), other=history_on(FUTURE))
def test_nothing_on_or_after_the_day_changes_anything(write_shop, past, future, other):
    """Adding, taking away and changing what is yet to come leaves every number as it was."""
    alone = described(write_shop(customers=PEOPLE, **past))
    for to_come in (future, other):
        same(alone, described(write_shop(customers=PEOPLE, **both(past, to_come))))


@WHOLE
@given(past=history_on(PAST), data=st.data())
def test_moving_what_is_to_come_changes_nothing(write_shop, past, data):
    """Whatever is moved from one later day to another (the day itself too) is not seen."""
    days = {"transactions": -2, "exposures": -1, "outcomes": -1, "events": -2, "social": -1,
            "tickets": -3, "returns": -1, "failed_orders": -1}  # fmt: skip
    split = {name: data.draw(st.integers(0, len(rows))) for name, rows in past.items()}
    kept = {name: rows[: split[name]] for name, rows in past.items()}
    moved = []
    for _ in range(2):
        later = {
            name: [
                (*row[: days[name]], data.draw(FUTURE), *row[len(row) + days[name] + 1 :])
                for row in rows[split[name] :]
            ]
            for name, rows in past.items()
        }
        moved.append(described(write_shop(customers=PEOPLE, **both(kept, later))))
    same(*moved)


@BUDGET
@given(
    history=history_on(PAST),
    dates=st.lists(st.integers(-5, 300).map(before), min_size=1, max_size=4),
)
def test_several_dates_at_once_equal_one_at_a_time(write_shop, history, dates):
    con = write_shop(**history)
    at_once = features_at(con, dates)
    single = [features_at(con, [day]) for day in sorted(set(dates))]
    pd.testing.assert_frame_equal(at_once, pd.concat(single, ignore_index=True), check_exact=True)


@WHOLE
@given(history=history_on(PAST), data=st.data())
def test_the_order_of_the_rows_does_not_matter(write_shop, history, data):
    shuffled = {name: data.draw(st.permutations(rows)) for name, rows in history.items()}
    one = described(write_shop(customers=PEOPLE, **history))
    same(one, described(write_shop(customers=PEOPLE[::-1], **shuffled)))


@BUDGET
@given(history=history_on(PAST))
def test_features_keep_within_their_ranges(write_shop, history):
    frame = features_at(write_shop(**history), [AS_OF])
    customers = {row[1] for row in history["transactions"]}
    assert frame["customer_id"].tolist() == sorted(customers)
    shares = [name for name, m in catalogue().items() if m.unit == "share"]
    assert frame[shares].fillna(0).apply(lambda share: share.between(0, 1)).all(axis=None)
    assert (frame[[*catalogue()]].fillna(0) >= 0).all(axis=None)
    assert (frame["days_since_last_order"] <= frame["tenure_days"]).all()
    for short, long in ((7, 14), (14, 28), (28, 56), (56, 90)):
        assert (frame[f"amount_{short}d"] <= frame[f"amount_{long}d"]).all()
    gaps = frame["days_between_orders"].notna()
    assert (frame["days_between_orders"] <= frame["longest_gap_90d"])[gaps].all()


# --- the query itself ----------------------------------------------------------------------------


def test_the_query_is_the_golden_one():
    query = _feature_sql({"exposures", "outcomes"}).strip() + "\n"
    if os.environ.get("RENEW_GOLDEN"):
        GOLDEN.write_text(query, encoding="utf-8")
    assert query == GOLDEN.read_text(encoding="utf-8"), (
        "the query of the features has changed. If that was meant, write it anew with "
        "`RENEW_GOLDEN=1 .venv/bin/pytest tests/profiles/test_features.py -k golden`, "
        f"and read the difference with `git diff {GOLDEN.name}` before you commit it"
    )


def test_only_redemptions_are_counted_as_such(write_shop):
    con = write_shop()
    before = features_at(con, [AS_OF])
    con.execute(
        "INSERT INTO outcomes (customer_id, campaign_id, kind, occurred_on) VALUES"
        " ('anna', '1', 'open', DATE '2017-06-11'), ('bob', '1', 'click', DATE '2017-06-11')"
    )
    pd.testing.assert_frame_equal(features_at(con, [AS_OF]), before)
