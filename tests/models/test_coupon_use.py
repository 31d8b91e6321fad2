from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.models.coupon_use import COUPON_USE, coupon_use

D = date(2020, 9, 1)
# order, customer, days from D, saved by the coupon, added by the shop
LINES = [
    ("o1", "c", -200, 100, 50),
    ("o1", "c", -200, 0, 0),
    ("o2", "c", -91, 0, 0),
    ("o3", "c", -90, 30, 0),
    ("o4", "c", -1, 0, 0),
    ("o5", "d", -5, 0, 0),
]


def shop(lines: list[tuple[object, ...]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    con.execute(
        "CREATE TABLE transactions (order_id VARCHAR, customer_id VARCHAR, local_date DATE,"
        " coupon_discount_cents BIGINT, coupon_match_discount_cents BIGINT)"
    )
    for order, customer, day, coupon, match in lines:
        con.execute(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?)",
            [order, customer, D + timedelta(days=day), coupon, match],
        )
    return con


def at(lines: list[tuple[object, ...]], day: date = D) -> pd.DataFrame:
    return coupon_use(shop(lines), [day]).set_index("customer_id").sort_index()


def test_the_use_of_coupons_worked_by_hand() -> None:
    found = at(LINES)
    assert set(found.columns) == {"as_of", *COUPON_USE}
    by_hand = {
        "coupon_orders_ever": 2,  # o1 and o3, of four orders
        "days_since_coupon": 90,
        "coupon_saved_90d": 0.30,
        "coupon_saved_ever": 1.80,
        "coupon_share_ever": 0.5,
    }
    assert found.loc["c", list(by_hand)].to_dict() == pytest.approx(by_hand)
    never = found.loc["d", list(COUPON_USE)].to_dict()
    assert np.isnan(never.pop("days_since_coupon"))
    assert set(never.values()) == {0.0}


def test_a_window_of_90_days_and_the_day_itself() -> None:
    assert at([("o", "c", -91, 100, 0)])["coupon_saved_90d"].item() == 0.0
    assert at([("o", "c", -90, 100, 0)])["coupon_saved_90d"].item() == 1.0
    assert at([("o", "c", 0, 100, 0)]).empty


def test_without_discounts_by_coupon_nothing_is_known_and_0_would_be_a_claim() -> None:
    found = at([("o1", "c", -3, None, None), ("o2", "c", 2, 50, 0)])
    assert found[list(COUPON_USE)].isna().all(axis=None)
    assert len(found) == 1
    later = at([("o1", "c", -3, None, None), ("o2", "c", 2, 50, 0)], D + timedelta(days=3))
    assert later["coupon_share_ever"].item() == 0.5


def test_each_date_has_its_own_rows() -> None:
    found = coupon_use(shop(LINES), [D, D - timedelta(days=150)])
    counts = found.groupby("as_of")["coupon_orders_ever"].sum()
    assert counts.tolist() == [1.0, 2.0]


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["o1", "o4", "new"]),
            st.sampled_from(["c", "d", "stranger"]),
            st.integers(0, 60),
            st.integers(0, 999),
            st.integers(0, 99),
        ),
        max_size=4,
    )
)
def test_nothing_on_or_after_the_day_changes_it(later: list[tuple[object, ...]]) -> None:
    pd.testing.assert_frame_equal(at([*LINES, *later]), at(LINES))
