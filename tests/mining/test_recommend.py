from datetime import date, timedelta

import pandas as pd
import pytest
from mining.tables import AS_OF, mining, small

from mkt_models.mining.candidates import FEATURES
from mkt_models.mining.purchase_model import PurchaseModel, fit_purchase_model
from mkt_models.mining.recommend import BUY_AGAIN, POPULAR, RECOMMENDATION_COLUMNS, recommend


def by_score() -> PurchaseModel:
    # Ranks by decayed frequency alone: the probability rises with it.
    weights = {name: 1.0 if name == "frequency" else 0.0 for name in FEATURES}
    return PurchaseModel(0.0, weights, 28, (), 0)


def test_lists_worked_by_hand(fill) -> None:
    out = recommend(small(fill), AS_OF, mining(), by_score())
    assert list(out.columns) == list(RECOMMENDATION_COLUMNS)
    ann = out[out["customer_id"] == "ann"].set_index("product_id")
    # rice: 0.5^(1/60); tea: 0.5^1 + 0.5^2.
    assert ann["rank"].to_dict() == {"rice": 1, "tea": 2, "milk": 3}
    assert ann.loc["rice", "score"] == pytest.approx(0.5 ** (1 / 60))
    assert ann.loc["tea", "score"] == pytest.approx(0.75)
    assert ann.loc["tea", "probability"] == pytest.approx(0.76 / 1.76)
    assert ann.loc["tea", "mean_amount"] == 3.0
    assert ann.loc["tea", "times_bought_90d"] == 1
    assert ann["shelf"].to_dict() == {"rice": BUY_AGAIN, "tea": BUY_AGAIN, "milk": POPULAR}
    assert ann.loc["milk", "score"] == 0
    assert ann.loc["milk", "mean_amount"] == 2.0
    assert pd.isna(ann.loc["milk", "days_since_last"])
    assert ann["en"].to_dict() == {
        "rice": f"bought once in 90 days, last on {AS_OF - timedelta(days=1)}",
        "tea": f"bought once in 90 days, last on {AS_OF - timedelta(days=60)}",
        "milk": "bought by 67 of 100 customers in 90 days",
    }
    assert ann["zh"].to_dict() == {
        "rice": f"近90天购买1次，最近一次在{AS_OF - timedelta(days=1)}",
        "tea": f"近90天购买1次，最近一次在{AS_OF - timedelta(days=60)}",
        "milk": "近90天每100位顾客中有67位购买",
    }


def test_no_article_is_recommended_and_nobody_from_the_future(fill) -> None:
    out = recommend(small(fill), AS_OF, mining(), by_score())
    assert not {"fuel", "misc"} & set(out["product_id"])
    assert set(out["customer_id"]) == {"ann", "bob", "cat"}
    kept = recommend(small(fill), AS_OF, mining(exclude_departments=[]), by_score())
    assert "fuel" in set(kept["product_id"])


def test_every_customer_has_a_full_list_without_repeats(fill, shop) -> None:
    out = recommend(fill(*shop), AS_OF, mining())
    assert out.groupby("customer_id")["rank"].apply(list).map([1, 2, 3, 4].__eq__).all()
    assert out["customer_id"].nunique() == 40
    assert not out.duplicated(["customer_id", "product_id"]).any()
    assert out["probability"].between(0, 1, inclusive="neither").all()
    falls = out.groupby("customer_id")["probability"].diff().dropna()
    assert (falls <= 1e-9).all()
    assert not out.drop(columns="days_since_last").isna().any().any()


def test_nothing_changes_when_the_future_changes(fill, shop) -> None:
    transactions, products = shop
    before = recommend(fill(transactions, products), AS_OF, mining())
    later = transactions["local_date"] >= AS_OF
    assert later.sum() > 50
    moved = transactions.assign(
        product_id=transactions["product_id"].where(~later, "p03"),
        amount_cents=transactions["amount_cents"].where(~later, 999_999),
        local_date=transactions["local_date"].where(~later, date(2020, 8, 1)),
    )
    after = recommend(fill(moved, products), AS_OF, mining())
    pd.testing.assert_frame_equal(before, after)
    # And the test can fail: the same change to some of the past shows.
    some = ~later & (transactions["customer_id"] < "c05")
    past = transactions.assign(product_id=transactions["product_id"].where(~some, "p03"))
    assert not recommend(fill(past, products), AS_OF, mining()).equals(before)


def test_the_model_learns_from_windows_that_end_at_its_date(fill, shop) -> None:
    model = fit_purchase_model(fill(*shop), AS_OF, mining())
    assert model.cutoffs == tuple(AS_OF - timedelta(days=28 * i) for i in (3, 2, 1))
    assert set(model.weights) == set(FEATURES)


def test_errors_that_teach(fill, shop) -> None:
    con = fill(*shop)
    with pytest.raises(ValueError, match="too short to learn from, needs 2 x backtest_days == 56"):
        fit_purchase_model(con, date(2020, 2, 1), mining())
    with pytest.raises(ValueError, match="no transactions before 2019-01-01"):
        fit_purchase_model(con, date(2019, 1, 1), mining())
    with pytest.raises(ValueError, match="nothing to learn"):
        fit_purchase_model(con, date(2021, 7, 1), mining())
