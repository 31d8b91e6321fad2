from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
import xgboost

from mkt_models.evaluation.explain import (
    Contributions,
    ExplanationError,
    check_additive,
    contributions,
    global_importance,
    importance_by_group,
)

NAMES = ["recency", "orders", "amount"]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(300, 3)), columns=NAMES)


@pytest.fixture(scope="module")
def booster(data):
    churned = (data["recency"] + data["orders"] * data["amount"] > 0.3).astype(int)
    matrix = xgboost.DMatrix(data, label=churned, nthread=1)
    params = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "seed": 0}
    return xgboost.train(params, matrix, num_boost_round=2)


def expectation(tree, node, x, known):
    """A tree's value when only the features in ``known`` are: others follow the covers."""
    row = tree.loc[node]
    if row["Feature"] == "Leaf":
        return row["Gain"]
    yes, no = row["Yes"], row["No"]
    if row["Feature"] in known:
        goes = yes if np.float32(x[row["Feature"]]) < np.float32(row["Split"]) else no
        return expectation(tree, goes, x, known)
    covers = tree.loc[[yes, no], "Cover"]
    sides = [expectation(tree, node, x, known) for node in (yes, no)]
    return np.average(sides, weights=covers)


def brute_force(booster, x):
    """Shapley values from their definition: the mean gain over all orders of the features."""
    trees = [tree.set_index("ID") for _, tree in booster.trees_to_dataframe().groupby("Tree")]

    def worth(known):
        return sum(expectation(tree, tree.index[0], x, known) for tree in trees)

    n = len(NAMES)
    shares = {}
    for name in NAMES:
        others = [other for other in NAMES if other != name]
        shares[name] = sum(
            factorial(size)
            * factorial(n - size - 1)
            / factorial(n)
            * (worth({*known, name}) - worth(set(known)))
            for size in range(n)
            for known in combinations(others, size)
        )
    return shares


def test_contributions_are_shapley_values(booster, data):
    few = data.iloc[:8]
    explained = contributions(booster, few)
    for position in range(len(few)):
        expected = brute_force(booster, few.iloc[position])
        assert explained.values.iloc[position].to_dict() == pytest.approx(expected, abs=1e-5)


def test_contributions_add_up_to_the_margin(booster, data):
    explained = contributions(booster, data)
    p = booster.predict(xgboost.DMatrix(data))
    total = explained.base + explained.values.sum(axis=1)
    np.testing.assert_allclose(total, np.log(p / (1 - p)), atol=1e-4)
    assert explained.values.index.equals(data.index)


def test_columns_may_come_in_any_order_and_input_is_untouched(booster, data):
    before = data.copy(deep=True)
    mixed = data[NAMES[::-1]].assign(customer_id="x")
    pd.testing.assert_frame_equal(
        contributions(booster, mixed).values, contributions(booster, data).values
    )
    pd.testing.assert_frame_equal(data, before)


def test_errors_teach(booster, data):
    with pytest.raises(ExplanationError, match="the model also needs orders, amount"):
        contributions(booster, data[["recency"]])
    with pytest.raises(ExplanationError, match=r"1 of 2 rows do not add up; row 1"):
        check_additive(np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([3.0, 3.01]))
    with pytest.raises(ExplanationError, match="1 of 1 rows do not add up"):
        check_additive(np.array([[np.nan, 2.0]]), np.array([3.0]))


def small():
    values = pd.DataFrame({"a": [0.3, -0.1, 0.2], "b": [0.0, 0.0, -0.6]})
    features = pd.DataFrame({"a": [3.0, 1.0, 2.0], "b": [5.0, np.nan, 7.0]})
    return Contributions(values, features, base=-1.0)


def test_global_importance_by_hand():
    table = global_importance(small())
    assert table["feature"].tolist() == ["a", "b"]
    assert table["importance"].tolist() == pytest.approx([0.2, 0.2])
    assert table["share"].tolist() == pytest.approx([0.5, 0.5])
    # More a, more; b falls from 0 to -.6 as b grows from 5 to 7.
    assert table["direction"].tolist() == pytest.approx([1, -1])


def test_a_constant_feature_has_no_direction():
    explained = small()
    flat = Contributions(explained.values, explained.features.assign(a=1.0), explained.base)
    assert np.isnan(global_importance(flat).set_index("feature").loc["a", "direction"])


def test_importance_by_group_by_hand():
    table = importance_by_group(small(), pd.Series(["x", None, "x"]))
    table = table.set_index(["group", "feature"])
    assert table.loc[("x", "a"), "importance"] == pytest.approx(0.25)
    assert table.loc[("x", "b"), "mean"] == pytest.approx(-0.3)
    assert table.loc[("x", "b"), "share"] == pytest.approx(0.3 / 0.55)
    assert table.loc[("not available", "a"), "n"] == 1
    with pytest.raises(ValueError, match="groups has 1 labels for 3 rows"):
        importance_by_group(small(), pd.Series(["x"]))


def test_a_calibration_moves_what_is_explained_to_the_served_scale() -> None:
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
    target = (table["a"] > 0).to_numpy(dtype=float)
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 2, "nthread": 1},
        xgboost.DMatrix(table.to_numpy(), target, feature_names=["a", "b"]),
        num_boost_round=4,
    )
    raw = contributions(booster, table)
    served = contributions(booster, table, slope=0.5, intercept=-1.0)
    assert served.base == pytest.approx(0.5 * raw.base - 1.0)
    assert np.allclose(served.values, 0.5 * raw.values)
