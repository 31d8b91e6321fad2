from collections.abc import Iterator
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.offers import BOUGHT, HIDDEN, PRODUCTS, at, market, pairs
from models.tables import set_purchases

from mkt_models.models.offer_features import KEYS, OFFER_FEATURES, offer_choices


def test_offers_beside_each_other_worked_by_hand() -> None:
    found = offer_choices(market(), pairs("c"), HIDDEN)
    assert list(found.columns) == [*KEYS, *OFFER_FEATURES]
    assert found["offer_id"].tolist() == ["a", "b", "c", "d"]
    nan = np.nan
    by_hand = {
        "offer_bought": [2, 1, 0, 0],  # what is hidden does not count
        "offer_bought_share": [2 / 3, 1 / 3, 0, 0],
        "offer_bought_rank": [1, 2, 3, 3],
        "offer_days_since": [3, 2, nan, nan],
        "offer_category_bought": [2, 2, 0, 0],
        "offer_category_share": [0.5, 0.5, 0, 0],
        "offer_popularity": [2 / 6, 2 / 6, 2 / 6, 0],
        "offer_products": [2, 1, 1, 1],
        "offer_price": [2.0, 3.5, 9.0, nan],
        "offer_discount": [0.2, nan, nan, nan],
        "campaign_offers": [4, 4, 4, 4],
    }
    for name, values in by_hand.items():
        np.testing.assert_allclose(found[name], values, err_msg=name)


def test_who_bought_nothing_has_the_offers_all_the_same() -> None:
    found = offer_choices(market(), pairs("stranger"))
    assert found["offer_bought"].tolist() == [0, 0, 0, 0]
    assert found["offer_bought_rank"].tolist() == [1, 1, 1, 1]
    assert found["offer_bought_share"].isna().all()
    assert offer_choices(market(), pairs("c", campaign="no offers")).empty


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[duckdb.DuckDBPyConnection, pd.DataFrame]]:
    con = market()
    yield con, offer_choices(con, pairs("c", "d", "stranger"), HIDDEN)
    con.close()


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["c", "d", "stranger"]),
            st.integers(0, 60).map(at),
            st.integers(0, 99_999),
            st.sampled_from([name for name, *_ in PRODUCTS]),
        ),
        max_size=4,
    )
)
def test_nothing_on_or_after_the_day_changes_a_feature(
    world: tuple[duckdb.DuckDBPyConnection, pd.DataFrame],
    later: list[tuple[str, date, int, str]],
) -> None:
    con, before = world
    set_purchases(con, [*BOUGHT, *later])
    after = offer_choices(con, pairs("c", "d", "stranger"), HIDDEN)
    pd.testing.assert_frame_equal(after, before)
