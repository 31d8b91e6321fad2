from datetime import date, timedelta
from math import sqrt

import pandas as pd
import pytest
from mining.tables import AS_OF, line, mining

from mkt_models.mining import discover_candidates
from mkt_models.mining.discover import DISCOVER, discover
from mkt_models.mining.discover_candidates import FEATURES, discover_sql
from mkt_models.mining.purchase_model import PurchaseModel, fit_discover_model
from mkt_models.mining.recommend import RECOMMENDATION_COLUMNS, recommend


def by_likeness() -> PurchaseModel:
    weights = {name: 1.0 if name == "likeness" else 0.0 for name in FEATURES}
    return PurchaseModel(0.0, weights, 28, (), 0)


def coffee_shop(fill):
    """Six buy beans, five of them filters too; ann buys beans only. Jam is bought by two."""
    lines = [line(f"a{i}", f"c{i}", "beans", 10, 500) for i in range(5)]
    lines += [line(f"b{i}", f"c{i}", "filters", 20, 200) for i in range(5)]
    lines += [line("e1", "ann", "beans", 60, 500), line("e2", "ann", "beans", 120, 500)]
    lines += [line(f"j{i}", name, "jam", 5, 300) for i, name in enumerate(["dan", "eve"])]
    lines += [line("f1", "ann", "filters", -2, 200)]  # the future
    products = pd.DataFrame(
        {
            "product_id": ["beans", "filters", "jam"],
            "department": "GROCERY",
            "category": ["COFFEE", "COFFEE", "SPREADS"],
            "product_type": ["BEANS", "FILTERS", "JAM"],
        }
    )
    return fill(pd.DataFrame(lines), products)


def test_what_is_known_of_a_pair_worked_by_hand(fill) -> None:
    rows = coffee_shop(fill).execute(discover_sql(AS_OF, mining(), 28)).df()
    known = rows.set_index(["customer_id", "product_id"])
    assert set(known.index.get_level_values(1)[known.index.get_level_values(0) == "ann"]) == {
        "filters",
        "jam",
    }
    pair = known.loc[("ann", "filters")]
    # Of eight customers six have beans, five filters, five both: the phi coefficient's numerator
    # over the root of both sizes, times the root of ann's decayed purchases of beans.
    assert pair.similarity == pytest.approx((5 - 6 * 5 / 8) / sqrt(6 * 5) * sqrt(0.5 + 0.25))
    assert pair.because == "beans"
    assert (pair.buyers, pair.trend_buyers) == (5, 5)
    assert pair.popular_share == pytest.approx(5 / 8)
    assert pair.mean_amount_cents == 200
    assert (pair.customer_score, pair.category_score) == (0.75, 0.75)
    assert pair.type_score == 0
    assert pair.bought == 1
    jam = known.loc[("ann", "jam")]
    assert (jam.similarity, jam.bought) == (0, 0)
    assert pd.isna(jam.because)
    assert set(FEATURES) <= set(rows.columns)
    assert "bought" not in coffee_shop(fill).execute(discover_sql(AS_OF, mining())).df()


def test_the_shelf_worked_by_hand(fill) -> None:
    con = coffee_shop(fill)
    shown = pd.DataFrame({"customer_id": ["ann", "dan"], "product_id": ["x", "beans"], "rank": 4})
    out = discover(con, AS_OF, mining(n_discover=2), shown, by_likeness())
    assert list(out.columns) == list(RECOMMENDATION_COLUMNS)
    assert set(out["shelf"]) == {DISCOVER}
    ann = out[out["customer_id"] == "ann"]
    assert ann["product_id"].tolist() == ["filters", "jam"]
    assert ann["rank"].tolist() == [5, 6]
    assert ann["en"].tolist() == [
        "new to you; those who buy beans, as you do, often buy it",
        "bought by 25 of 100 customers in 90 days",
    ]
    assert ann["zh"].iloc[0] == "您尚未买过；和您一样常买beans的顾客也常买"
    assert ann["days_since_last"].isna().all()
    # dan is shown beans elsewhere, and has bought jam.
    assert out[out["customer_id"] == "dan"]["product_id"].tolist() == ["filters"]
    one = discover(con, AS_OF, mining(n_discover=5), shown[:1], by_likeness())
    # One of a category: of beans and filters only the better.
    assert one[one["customer_id"] == "eve"]["category"].tolist() == ["COFFEE"]
    assert discover(con, AS_OF, mining(n_discover=0), shown).empty


def test_all_is_new_and_nothing_is_shown_twice(fill, shop) -> None:
    transactions, products = shop
    con = fill(transactions, products)
    chosen = mining(n_discover=4, discover_per_category=2)
    known = recommend(con, AS_OF, chosen)
    new = discover(con, AS_OF, chosen, known)
    past = transactions[transactions["local_date"] < AS_OF]
    bought = set(zip(past["customer_id"], past["product_id"], strict=True))
    pairs = set(zip(new["customer_id"], new["product_id"], strict=True))
    assert len(new) > 100
    assert len(pairs) == len(new)
    assert not pairs & bought
    assert not pairs & set(zip(known["customer_id"], known["product_id"], strict=True))
    assert new.groupby(["customer_id", "category"]).size().max() <= 2
    assert new["probability"].between(0, 1, inclusive="neither").all()
    assert not {"p00", "p01"} & set(new["product_id"])
    assert (new.groupby("customer_id")["rank"].min() == 5).all()


def test_nothing_changes_when_the_future_changes(fill, shop) -> None:
    transactions, products = shop
    none = pd.DataFrame({"customer_id": ["nobody"], "product_id": ["x"], "rank": [1]})
    before = discover(fill(transactions, products), AS_OF, mining(), none)
    later = transactions["local_date"] >= AS_OF
    moved = transactions.assign(product_id=transactions["product_id"].where(~later, "p03"))
    pd.testing.assert_frame_equal(discover(fill(moved, products), AS_OF, mining(), none), before)
    some = ~later & (transactions["customer_id"] < "c05")
    past = transactions.assign(product_id=transactions["product_id"].where(~some, "p03"))
    assert not discover(fill(past, products), AS_OF, mining(), none).equals(before)


def test_some_customers_are_the_same_rows_of_all(fill, shop, monkeypatch) -> None:
    con = fill(*shop)
    every = con.execute(discover_sql(AS_OF, mining(), 28)).df()
    some = con.execute(discover_sql(AS_OF, mining(), 28, customers=7)).df()
    keys = ["customer_id", "product_id"]
    assert some["customer_id"].nunique() == 7
    same = every[every["customer_id"].isin(some["customer_id"])]
    pd.testing.assert_frame_equal(
        some.sort_values(keys, ignore_index=True), same.sort_values(keys, ignore_index=True)
    )
    monkeypatch.setattr(discover_candidates, "RANGE", 3)
    few = con.execute(discover_sql(AS_OF, mining())).df()
    assert few["product_id"].nunique() <= 3


def test_a_history_too_short_is_an_error_that_teaches(fill, shop) -> None:
    model = fit_discover_model(fill(*shop), AS_OF, mining())
    assert model.cutoffs == tuple(AS_OF - timedelta(days=28 * i) for i in (2, 1))
    assert set(model.weights) == set(FEATURES)
    with pytest.raises(ValueError, match="too short to learn from, needs 2 x backtest_days == 56"):
        fit_discover_model(fill(*shop), date(2020, 2, 1), mining())
