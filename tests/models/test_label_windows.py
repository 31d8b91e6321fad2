from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.models.backtest import splits
from mkt_models.models.label_windows import SplitError, label_windows
from mkt_models.models.labels import rolling_origins
from mkt_models.params import Cutoffs

D = date(2020, 4, 1)
KEYS = ("customer_id", "as_of")


def rows(*days: int, customer: str = "c") -> pd.DataFrame:
    """One row per day, counted from D."""
    dates = [pd.Timestamp(D) + pd.Timedelta(days=day) for day in days]
    return pd.DataFrame({"customer_id": customer, "as_of": pd.to_datetime(pd.Series(dates))})


def test_the_table_by_hand() -> None:
    parts = [(rows(-60, -28), rows(0)), (rows(-60, -30), rows(2))]
    table = label_windows(parts, 28, KEYS)
    assert table.values.tolist() == [
        [D, 2, 1, date(2020, 3, 31), 0],  # the last label day is the day before the test
        [date(2020, 4, 3), 2, 1, date(2020, 3, 29), 4],
    ]


def test_a_horizon_of_one_day_too_many_is_an_error() -> None:
    label_windows([(rows(-28), rows(0))], 28, KEYS)
    with pytest.raises(SplitError, match=r"04-01: the labels of 1 of 2 .* reach to 2020-04-01"):
        label_windows([(rows(-60, -27), rows(0))], 28, KEYS)


def test_a_campaign_is_known_when_it_ended_before_the_test_began() -> None:
    train = rows(-40, -20).assign(ends_on=pd.to_datetime([D - timedelta(3), D - timedelta(1)]))
    test = rows(0).assign(ends_on=pd.Timestamp("2020-05-01"))
    assert label_windows([(train, test)], "ends_on", KEYS)["days_between"].tolist() == [0]
    late = train.assign(ends_on=pd.Timestamp(D))
    with pytest.raises(SplitError, match="the labels of 2 of 2 training rows"):
        label_windows([(late, test)], "ends_on", KEYS)
    early = train.assign(ends_on=pd.Timestamp(D - timedelta(30)))
    with pytest.raises(SplitError, match="1 labels end before they begin"):
        label_windows([(early, test)], "ends_on", KEYS)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (rows(-60), rows(0, 1), "test 1: 2 dates"),
        (rows(-60), rows(), "test 1: 0 dates"),
        (rows(), rows(0), "test 1: no training rows"),
        (rows(-60, -60), rows(0), r"1 rows stand twice \(customer_id, as_of\)"),
        (rows(-60), rows(0, 0), "1 rows stand twice"),
    ],
)
def test_parts_that_are_none_are_errors(
    train: pd.DataFrame, test: pd.DataFrame, message: str
) -> None:
    with pytest.raises(SplitError, match=message):
        label_windows([(train, test)], 28, KEYS)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(SplitError) as error:
        label_windows([(rows(-1), rows(0)), (rows(-60, -60), rows(2))], 28, KEYS)
    assert len(str(error.value).splitlines()) == 3


@given(st.integers(1, 90), st.integers(1, 40), st.integers(1, 4), st.integers(0, 5))
def test_rolling_origins_always_hold(horizon: int, every: int, tests: int, more: int) -> None:
    n = tests + -(-horizon // every) + more
    first = D - timedelta(days=every * (n - 1))
    cutoffs = Cutoffs(
        horizon_days=horizon,
        active_days=30,
        every_days=every,
        first=first,
        last=D,
        test_cutoffs=tests,
    )
    everything = rows(*((day - D).days for day in cutoffs.dates()))
    table = label_windows(splits(everything, rolling_origins(cutoffs)), horizon, KEYS)
    assert table["test"].tolist() == cutoffs.tests()
    assert ((table["days_between"] >= 0) & (table["days_between"] < every)).all()
