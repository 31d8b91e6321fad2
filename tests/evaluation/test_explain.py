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
    interactions,
    margin_of,
)

NAMES = ["recency", "orders", "amount"]


class Model:
    """Trees with a calibration: the least that can be explained."""

    features, link = tuple(NAMES), "logistic"

    def __init__(self, booster, slope=1.0, intercept=0.0):
        self.booster, self.slope, self.intercept = booster, slope, intercept

    def predict(self, matrix):
        raw = self.booster.predict(xgboost.DMatrix(matrix, feature_names=NAMES), output_margin=True)
        return 1 / (1 + np.exp(-self.intercept - self.slope * raw.astype(float)))

    def contributions(self, matrix):
        data = xgboost.DMatrix(matrix, feature_names=NAMES)
        parts = self.slope * self.booster.predict(data, pred_contribs=True).astype(float)
        parts[:, -1] += self.intercept
        return parts


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
    explained = contributions(Model(booster), few)
    for position in range(len(few)):
        expected = brute_force(booster, few.iloc[position])
        assert explained.values.iloc[position].to_dict() == pytest.approx(expected, abs=1e-5)


def test_contributions_add_up_to_the_margin(booster, data):
    explained = contributions(Model(booster), data)
    p = booster.predict(xgboost.DMatrix(data))
    total = explained.base + explained.values.sum(axis=1)
    np.testing.assert_allclose(total, np.log(p / (1 - p)), atol=1e-4)
    assert explained.values.index.equals(data.index)


def test_columns_may_come_in_any_order_and_input_is_untouched(booster, data):
    before = data.copy(deep=True)
    mixed = data[NAMES[::-1]].assign(customer_id="x")
    pd.testing.assert_frame_equal(
        contributions(Model(booster), mixed).values, contributions(Model(booster), data).values
    )
    pd.testing.assert_frame_equal(data, before)


def test_errors_teach(booster, data):
    with pytest.raises(ExplanationError, match="the model also needs orders, amount"):
        contributions(Model(booster), data[["recency"]])
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


def test_what_is_explained_is_the_number_that_is_served(booster, data):
    raw = contributions(Model(booster), data)
    served = contributions(Model(booster, slope=0.5, intercept=-1.0), data)
    assert served.base == pytest.approx(0.5 * raw.base - 1.0)
    assert np.allclose(served.values, 0.5 * raw.values)


def test_a_blend_that_does_not_add_up_is_refused(booster, data):
    class Half(Model):
        def predict(self, matrix):
            return super().predict(matrix) * 0.9

    with pytest.raises(ExplanationError, match="of 300 rows do not add up"):
        contributions(Half(booster), data)

    class Wide(Model):
        def contributions(self, matrix):
            return super().contributions(matrix)[:, :-1]

    with pytest.raises(ExplanationError, match=r"shape \(300, 3\), must be \(300, 4\)"):
        contributions(Wide(booster), data)


def test_the_margin_of_a_certain_probability_is_that_of_its_contributions():
    p, told = np.array([0.5, 1.0, 0.0, 1.0]), np.array([9.0, 40.0, -40.0, -40.0])
    assert margin_of(p, "logistic", told).tolist() == [0.0, 40.0, -40.0, np.inf]
    assert margin_of(np.array([np.e]), "log", told[:1]) == pytest.approx([1.0])


def test_interactions_are_what_two_features_move_beyond_each_alone(booster, data):
    table = interactions(booster, data, max_rows=100)
    assert table["n"].tolist() == [100] * 3
    assert set(table.loc[0, ["first", "second"]]) == {"orders", "amount"}
    assert table["strength"].is_monotonic_decreasing
    assert table["share"].sum() < 1
    # By definition: the contributions of a model of sums have no interactions.
    rng = np.random.default_rng(0)
    matrix = xgboost.DMatrix(data, label=rng.random(300) + data["recency"], nthread=1)
    stumps = xgboost.train({"max_depth": 1, "nthread": 1}, matrix, num_boost_round=5)
    assert interactions(stumps, data)["strength"].max() == pytest.approx(0, abs=1e-6)


def test_an_interaction_is_the_brute_force_one(booster, data):
    """Shapley interaction of two features by its definition, for one row."""
    trees = [tree.set_index("ID") for _, tree in booster.trees_to_dataframe().groupby("Tree")]
    row = data.iloc[[3]]

    def worth(*known):
        return sum(expectation(tree, tree.index[0], row.iloc[0], set(known)) for tree in trees)

    a, b, c = NAMES
    alone = worth(a, b) - worth(a) - worth(b) + worth()
    among = worth(a, b, c) - worth(a, c) - worth(b, c) + worth(c)
    expected = abs(alone + among) / 2  # both orders of the third feature, equally likely
    table = interactions(booster, row).set_index(["first", "second"])
    assert table.loc[(a, b), "strength"] == pytest.approx(expected, abs=1e-5)
