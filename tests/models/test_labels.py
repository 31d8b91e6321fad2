from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.tables import shop

from mkt_models.models.labels import LabelError, dataset, labels_at, rolling_origins
from mkt_models.params import Cutoffs
from mkt_models.profiles.measures import catalogue

D = date(2020, 4, 1)


def at(days: int) -> date:
    return D + timedelta(days=days)


def cutoffs(**changes: object) -> Cutoffs:
    """Two cutoffs, D - 28 and D; a horizon of 28 days, active within 30."""
    given_ = {
        "horizon_days": 28,
        "active_days": 30,
        "every_days": 28,
        "first": at(-28),
        "last": D,
        "test_cutoffs": 1,
    }
    return Cutoffs.model_validate(given_ | changes)


LONG_AGO = ("long_ago", at(-200), 100)
END = ("long_ago", at(27), 100)  # the last day that the horizon of D needs


@st.composite
def any_cutoffs(draw: st.DrawFn) -> Cutoffs:
    horizon, every = draw(st.integers(1, 120)), draw(st.integers(1, 60))
    tests = draw(st.integers(1, 5))
    enough = tests + -(-horizon // every)  # the oldest cutoff's horizon ends by the first test
    n = enough + draw(st.integers(0, 6))
    first = D - timedelta(days=every * (n - 1) + draw(st.integers(0, every - 1)))
    return cutoffs(
        horizon_days=horizon, every_days=every, first=first, test_cutoffs=tests, active_days=7
    )


@given(any_cutoffs())
def test_no_training_horizon_reaches_beyond_the_test_date(c: Cutoffs) -> None:
    horizon = timedelta(days=c.horizon_days)
    origins = rolling_origins(c)
    assert [o.test for o in origins] == c.tests()
    assert c.tests() == sorted(c.dates())[-c.test_cutoffs :]
    for o in origins:
        assert o.train
        assert max(o.train) + horizon <= o.test
        left_out = set(c.dates()) - set(o.train)
        assert all(d + horizon > o.test for d in left_out)


def test_a_horizon_that_ends_on_the_test_date_may_train() -> None:
    (origin,) = rolling_origins(cutoffs())
    assert origin.train == (at(-28),)
    (origin,) = rolling_origins(cutoffs(every_days=27, first=at(-54)))
    assert origin.train == (at(-54),)  # at(-27) is one day short


def at_last_cutoff(*purchases: tuple[str, date, int]) -> dict[str, tuple[int, float]]:
    frame = labels_at(shop([LONG_AGO, END, *purchases]), cutoffs())
    rows = frame[frame["as_of"] == pd.Timestamp(D)]
    return {r.customer_id: (r.churned, r.spend) for r in rows.itertuples()}


@pytest.mark.parametrize(
    ("days_ahead", "label"),
    [(-1, (1, 0.0)), (0, (0, 5.0)), (27, (0, 5.0)), (28, (1, 0.0))],
)
def test_the_horizon_begins_on_as_of_and_ends_before_its_end(
    days_ahead: int, label: tuple[int, float]
) -> None:
    assert at_last_cutoff(("c", at(-5), 900), ("c", at(days_ahead), 500)) == {"c": label}


@pytest.mark.parametrize(
    ("day", "in_cohort"), [(-31, False), (-30, True), (-1, True), (0, False), (1, False)]
)
def test_the_cohort_ordered_within_the_active_days_before(day: int, in_cohort: bool) -> None:
    assert ("c" in at_last_cutoff(("c", at(day), 500))) is in_cohort


def test_spend_is_summed_in_currency_units_and_a_free_order_is_an_order() -> None:
    labels = at_last_cutoff(
        ("a", at(-3), 1), ("a", at(1), 1234), ("a", at(1), 1), ("b", at(-2), 700), ("b", at(9), 0)
    )
    assert labels == {"a": (0, 12.35), "b": (0, 0.0)}


def test_every_cutoff_has_its_own_cohort_and_label() -> None:
    con = shop([LONG_AGO, END, ("c", at(-40), 100), ("c", at(-28), 250)])
    frame = labels_at(con, cutoffs())
    assert frame.values.tolist() == [
        ["c", pd.Timestamp(at(-28)), 0, 2.5],
        ["c", pd.Timestamp(D), 1, 0.0],
    ]


PURCHASES = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(-70, 40).map(at), st.integers(0, 9999)),
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(PURCHASES)
def test_labels_say_what_counting_by_hand_says(purchases: list[tuple[str, date, int]]) -> None:
    everything = [LONG_AGO, END, *purchases]
    expected = {}
    for as_of in (at(-28), D):
        for customer in {p[0] for p in everything}:
            ages = [(as_of - day).days for c, day, _ in everything if c == customer]
            if any(1 <= age <= 30 for age in ages):
                ahead = [
                    cents
                    for c, day, cents in everything
                    if c == customer and 0 <= (day - as_of).days <= 27
                ]
                expected[customer, pd.Timestamp(as_of)] = (int(not ahead), sum(ahead) / 100)
    frame = labels_at(shop(everything), cutoffs())
    assert not frame.duplicated(["customer_id", "as_of"]).any()
    found = {(r.customer_id, r.as_of): (r.churned, r.spend) for r in frame.itertuples()}
    assert found == expected


def test_a_horizon_beyond_the_data_is_refused() -> None:
    labels_at(shop([LONG_AGO, ("c", at(27), 1)]), cutoffs())
    with pytest.raises(LabelError, match=r"2020-04-01 ends on 2020-04-29.*ends on 2020-04-27"):
        labels_at(shop([LONG_AGO, ("c", at(26), 1)]), cutoffs())


def test_a_cutoff_without_a_history_is_refused() -> None:
    labels_at(shop([END, ("c", at(-29), 1)]), cutoffs())
    with pytest.raises(LabelError, match=r"first cutoff is 2020-03-04.*begins on 2020-03-04"):
        labels_at(shop([END, ("c", at(-28), 1)]), cutoffs())


def test_no_data_at_all_is_refused() -> None:
    with pytest.raises(LabelError, match="the data ends on None"):
        labels_at(shop([]), cutoffs())


def test_a_dataset_is_the_labels_with_features_from_before() -> None:
    past = [LONG_AGO, ("c", at(-40), 100), ("c", at(-3), 250), ("d", at(-1), 50)]
    ahead = [END, ("c", at(0), 400), ("c", at(27), 300), ("new", at(2), 999)]
    con = shop(past + ahead)
    spend = dataset(con, cutoffs(), "spend")
    assert list(spend.columns) == ["customer_id", "as_of", "target", *catalogue()]
    assert spend[["customer_id", "target"]].values.tolist() == [["c", 2.5], ["c", 7.0], ["d", 0.0]]
    assert spend["amount_28d"].tolist() == [1.0, 2.5, 0.5]
    churned = dataset(con, cutoffs(), "churned")
    assert churned["target"].tolist() == [0, 0, 1]
    pd.testing.assert_frame_equal(churned.drop(columns="target"), spend.drop(columns="target"))

    elsewhere = dataset(shop([*past, END]), cutoffs(), "spend")
    last, same = (f[f["as_of"] == pd.Timestamp(D)].reset_index() for f in (spend, elsewhere))
    np.testing.assert_array_equal(last[list(catalogue())], same[list(catalogue())])
    assert same["target"].tolist() == [0.0, 0.0]
