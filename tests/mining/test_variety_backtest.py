import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from mining.tables import AS_OF, line, mining

from mkt_models import plots
from mkt_models.mining.discover import discover
from mkt_models.mining.purchase_model import fit_purchase_model
from mkt_models.mining.recommend import recommend
from mkt_models.mining.recommend_backtest import MODEL, RECOMMENDABLE, backtest, side_by_side
from mkt_models.mining.variety_backtest import (
    DISCOVER_MODEL,
    FREE,
    POPULARITY,
    backtest_discover,
    price_of_variety,
)

START = AS_OF - timedelta(days=28)
DRAWS = {"n_bootstrap": 100, "confidence": 0.9, "seed": 1}


def test_without_limits_it_is_the_list_of_the_backtest(fill, shop) -> None:
    con = fill(*shop)
    first = backtest(con, AS_OF, mining(), **DRAWS)
    priced = price_of_variety(con, AS_OF, mining(), first.model, **DRAWS)
    table = first.ranking
    expected = table[(table["scope"] == RECOMMENDABLE) & (table["ranking"] == MODEL)]
    columns = ["metric", "value", "lower", "upper", "n"]
    found = priced.ranking[priced.ranking["ranking"] == FREE]
    pd.testing.assert_frame_equal(
        found[columns].reset_index(drop=True), expected[columns].reset_index(drop=True)
    )
    assert (found[["gain", "gain_lower", "gain_upper"]] == 0).all(axis=None)
    variety = priced.variety.set_index("ranking")
    assert variety["n_lists"].tolist() == [40] * 7
    shares = variety.loc[["at least 10% new", "at least 20% new", "at least 30% new"], "new_items"]
    # Of four items: one, one, two, as far as customers have so many left to find.
    assert shares.is_monotonic_increasing
    assert variety.loc["at most 1 per category", "categories"] > variety.loc[FREE, "categories"]
    assert set(json.loads(json.dumps(priced.metrics))) == {"variety"}
    names = {row[0] for row in con.execute("SHOW TABLES").fetchall()}
    assert not {"variety_list", "variety_candidates"} & names


def test_a_model_that_has_seen_the_window_is_refused(fill, shop) -> None:
    con = fill(*shop)
    model = fit_purchase_model(con, AS_OF, mining())
    with pytest.raises(ValueError, match=f"the model learned from days after {START}"):
        price_of_variety(con, AS_OF, mining(), model, **DRAWS)


def test_popular_new_products_equal_lists_made_in_python(fill, shop) -> None:
    transactions, products = shop
    past = transactions[transactions["local_date"] < START]
    window = transactions[
        (transactions["local_date"] >= START) & (transactions["local_date"] < AS_OF)
    ]
    good = set(products.query("department != 'FUEL' and product_type.notna()")["product_id"])
    lately = past[past["local_date"].map(lambda d: (START - d).days) <= 90]
    buyers = lately.groupby("product_id")["customer_id"].nunique()
    popular = sorted(good & set(buyers.index), key=lambda p: (-buyers[p], p))
    own = past.groupby("customer_id")["product_id"].agg(set)
    recall, ndcg = [], []
    for customer, bought in window.groupby("customer_id")["product_id"].agg(set).items():
        relevant = (bought & good) - own[customer]
        if not relevant:
            continue
        hit = [p in relevant for p in [p for p in popular if p not in own[customer]][:4]]
        recall.append(sum(hit) / len(relevant))
        best = sum(1 / np.log2(i + 2) for i in range(min(4, len(relevant))))
        ndcg.append(sum(h / np.log2(i + 2) for i, h in enumerate(hit)) / best)
    result = backtest_discover(fill(transactions, products), AS_OF, mining(), **DRAWS)
    table = result.ranking.set_index(["ranking", "metric"])
    assert 0 < np.mean(ndcg) < 1
    assert table.loc[(POPULARITY, "recall"), "value"] == pytest.approx(np.mean(recall))
    assert table.loc[(POPULARITY, "ndcg"), "value"] == pytest.approx(np.mean(ndcg))
    assert set(table["n"]) == {len(recall)}
    assert max(result.model.cutoffs) + timedelta(days=28) == START
    shelf = result.calibration
    lists = result.variety.set_index("ranking").loc[DISCOVER_MODEL]
    assert shelf["n"].sum() == pytest.approx(lists["n_lists"] * lists["new_items"])


def test_nobody_who_buys_anything_new_is_not_available(fill, shop) -> None:
    transactions, products = shop
    past = transactions["local_date"] < START
    seen = set(
        zip(transactions[past]["customer_id"], transactions[past]["product_id"], strict=True)
    )
    known = [
        pair in seen
        for pair in zip(transactions["customer_id"], transactions["product_id"], strict=True)
    ]
    con = fill(transactions[past | np.array(known)], products)
    result = backtest_discover(con, AS_OF, mining(), **DRAWS)
    assert result.not_available.startswith("nobody with an earlier order buys anything new in")
    assert result.ranking.empty
    assert result.headline(DISCOVER_MODEL, "ndcg") == f"not available: {result.not_available}"
    assert side_by_side(result.ranking).empty
    assert plots.gains(result.ranking) is not None


def test_a_shop_of_two_products_that_everybody_buys_has_nothing_new(fill) -> None:
    lines = [
        line(f"{c}-{d}", c, product, d, 100)
        for c in ("ann", "bob", "cat")
        for d in range(40 if c == "cat" else 1, 200, 9)
        for product in ("tea", "rice")
        if (len(c + product) + d) % 4
    ]
    products = pd.DataFrame(
        {"product_id": ["tea", "rice"], "department": "X", "category": "X", "product_type": "X"}
    )
    con = fill(pd.DataFrame(lines), products)
    lists = recommend(con, AS_OF, mining())
    assert lists.groupby("customer_id").size().tolist() == [2, 2, 2]
    assert discover(con, AS_OF, mining(), lists).empty
    assert "nothing to learn" in backtest_discover(con, AS_OF, mining(), **DRAWS).not_available
