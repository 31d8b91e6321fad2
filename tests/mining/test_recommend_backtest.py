import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.mining.list_metrics import list_metrics
from mkt_models.mining.recommend_backtest import (
    ALL,
    BASELINE,
    MODEL,
    PREDICTION,
    RANKINGS,
    RECOMMENDABLE,
    backtest,
    calibrate,
)
from mkt_models.params import Mining

AS_OF = date(2020, 7, 1)
MINING = Mining(
    min_support=0.01,
    min_lift=1,
    half_life_days=60,
    n_items=4,
    backtest_days=28,
    exclude_departments=("FUEL",),
)
DRAWS = {"n_bootstrap": 100, "confidence": 0.9, "seed": 1}


def test_peers_equal_lists_made_in_python(fill, shop) -> None:
    transactions, products = shop
    start = AS_OF - timedelta(days=28)
    past = transactions[transactions["local_date"] < start]
    window = transactions[
        (transactions["local_date"] >= start) & (transactions["local_date"] < AS_OF)
    ]
    age = past["local_date"].map(lambda d: (start - d).days)
    lately = past[age <= 90]
    buyers = lately.groupby("product_id")["customer_id"].nunique()
    popular = sorted(buyers.index, key=lambda p: (-buyers[p], p))
    decayed = (
        past.assign(w=0.5 ** (age / 60)).groupby(["customer_id", "product_id"])["w"].sum().round(9)
    )
    recall = {"popularity": [], BASELINE: []}
    ndcg = {"popularity": [], BASELINE: []}
    for customer, bought in window.groupby("customer_id")["product_id"].agg(set).items():
        own = decayed.get(customer, pd.Series(dtype=float))
        ranked = sorted(own.index, key=lambda p: (-own[p], popular.index(p)))
        ranked += [p for p in popular if p not in own.index]
        for name, items in (("popularity", popular), (BASELINE, ranked)):
            hit = [p in bought for p in items[:4]]
            recall[name].append(sum(hit) / len(bought))
            best = sum(1 / np.log2(i + 2) for i in range(min(4, len(bought))))
            ndcg[name].append(sum(h / np.log2(i + 2) for i, h in enumerate(hit)) / best)
    result = backtest(fill(transactions, products), AS_OF, MINING, **DRAWS)
    table = result.ranking.set_index(["scope", "ranking", "metric"]).sort_index()
    for name in recall:
        assert table.loc[(ALL, name, "recall"), "value"] == pytest.approx(np.mean(recall[name]))
        assert table.loc[(ALL, name, "ndcg"), "value"] == pytest.approx(np.mean(ndcg[name]))
    assert (table.loc[ALL, "n"] == len(recall[BASELINE])).all()


def test_a_backtest_is_complete_and_repeatable(fill, shop) -> None:
    con = fill(*shop)
    first, again = (backtest(con, AS_OF, MINING, **DRAWS) for _ in range(2))
    pd.testing.assert_frame_equal(first.ranking, again.ranking)
    table = first.ranking
    assert set(table["scope"]) == {ALL, RECOMMENDABLE}
    assert len(table) == 2 * len(RANKINGS) * 3
    assert (table["lower"] <= table["value"]).all()
    assert (table["value"] <= table["upper"]).all()
    assert (table.loc[table["ranking"] == BASELINE, "gain"] == 0).all()
    # Customers have favourites, so knowing them must beat popularity.
    ndcg = table[(table["scope"] == ALL) & (table["metric"] == "ndcg")].set_index("ranking")
    assert ndcg.loc[MODEL, "lower"] > ndcg.loc["popularity", "upper"]
    assert max(first.model.cutoffs) + timedelta(days=28) == AS_OF - timedelta(days=28)
    headline = json.loads(json.dumps(first.metrics))["headline"][0]
    assert headline["name"] == "Recommender NDCG@4, next 28 days"
    assert headline["kind"] == "backtested"
    assert headline["value"] == pytest.approx(ndcg.loc[MODEL, "value"])
    assert "popularity 0." in headline["beside"]
    names = [row[0] for row in con.execute("SHOW TABLES").fetchall()]
    assert "backtest_candidates" not in names


def test_predictions_are_the_items_shown_to_everybody_with_an_earlier_order(fill, shop) -> None:
    transactions, products = shop
    start = AS_OF - timedelta(days=28)
    result = backtest(fill(transactions, products), AS_OF, MINING, **DRAWS)
    shown = result.predictions
    assert list(shown) == ["customer_id", "as_of", "product_id", "shelf", "target", PREDICTION]
    assert str(shown["as_of"].dtype).startswith("datetime64")
    assert (shown["as_of"] == pd.Timestamp(start)).all()
    past = transactions[transactions["local_date"] < start]
    assert shown.groupby("customer_id").size().to_dict() == dict.fromkeys(past["customer_id"], 4)
    assert not shown.duplicated(["customer_id", "product_id"]).any()
    # Never the fuel, never what has no type.
    assert not set(shown["product_id"]) & {"p00", "p01"}
    own = set(zip(past["customer_id"], past["product_id"], strict=True))
    window = transactions[
        (transactions["local_date"] >= start) & (transactions["local_date"] < AS_OF)
    ]
    bought = set(zip(window["customer_id"], window["product_id"], strict=True))
    pairs = list(zip(shown["customer_id"], shown["product_id"], strict=True))
    assert shown["target"].tolist() == [int(pair in bought) for pair in pairs]
    assert shown["shelf"].tolist() == ["buy_again" if pair in own else "popular" for pair in pairs]
    assert shown[PREDICTION].between(0, 1).all()
    assert {0, 1} == set(shown["target"])


def test_the_window_decides_and_not_what_follows(fill, shop) -> None:
    transactions, products = shop
    first = backtest(fill(transactions, products), AS_OF, MINING, **DRAWS).ranking
    cut = transactions[transactions["local_date"] < AS_OF]
    assert len(cut) < len(transactions)
    pd.testing.assert_frame_equal(
        backtest(fill(cut, products), AS_OF, MINING, **DRAWS).ranking, first
    )


def test_an_empty_window_is_an_error(fill, shop) -> None:
    transactions, products = shop
    cut = transactions[transactions["local_date"] < AS_OF - timedelta(days=28)]
    with pytest.raises(ValueError, match="nobody with an earlier order buys in"):
        backtest(fill(cut, products), AS_OF, MINING, **DRAWS)


@given(st.integers(1, 30), st.integers(1, 12), st.data())
def test_list_metrics_stay_between_0_and_1(relevant: int, k: int, data) -> None:
    places = data.draw(st.sets(st.integers(1, k), max_size=min(relevant, k)))
    dcg = sum(1 / np.log2(place + 1) for place in places)
    hits = pd.DataFrame({"relevant": [relevant], "hits": [len(places)], "dcg": [dcg]})
    out = list_metrics(hits, k).iloc[0]
    assert 0 <= out["ndcg"] <= 1 + 1e-12
    assert out["recall"] == len(places) / relevant
    if places == set(range(1, min(relevant, k) + 1)):
        assert out["ndcg"] == pytest.approx(1)


def test_calibration_worked_by_hand() -> None:
    # Ten bins of two items: the lower half 0.2, none bought; the upper half 0.8, all bought.
    shown = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(20)],
            "shelf": "buy_again",
            "probability": np.r_[0.2 + np.arange(10) / 1e6, 0.8 + np.arange(10) / 1e6],
            "target": [0] * 10 + [1] * 10,
        }
    )
    table, errors = calibrate(shown, confidence=0.9)
    assert table["n"].tolist() == [2] * 10
    assert table["observed"].tolist() == [0] * 5 + [1] * 5
    assert errors["buy_again"]["ece"] == pytest.approx(0.2, abs=1e-4)
    assert errors["buy_again"]["predicted"] == pytest.approx(0.5, abs=1e-4)
    assert errors["buy_again"]["observed"] == 0.5
    assert "popular" not in errors
