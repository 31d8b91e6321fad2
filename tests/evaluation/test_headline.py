import pandas as pd
import pytest

from mkt_models.evaluation.headline import coverage_headline, headline

TABLE = pd.DataFrame(
    {
        "model": ["recency_alone", "xgboost", "mean"],
        "n": [2304, 2304, 2304],
        "auc": [0.7521, 0.8571, 0.5],
        "auc_lower": [0.72, 0.83, 0.5],
        "auc_upper": [0.78, 0.881, 0.5],
        "mae": [1234.56, 9.99951, 3.0],
        "mae_lower": [1.0, 2.0, 1.0],
        "mae_upper": [2.0, 3.0, 1.0],
    }
)


def test_a_figure_comes_with_interval_n_kind_and_the_strongest_peer() -> None:
    assert headline(TABLE, "auc", "Churn AUC", model="xgboost") == {
        "name": "Churn AUC",
        "value": 0.8571,
        "lower": 0.83,
        "upper": 0.881,
        "n": 2304,
        "kind": "backtested",
        "unit": "",
        "beside": "recency alone 0.752",
    }


def test_a_peer_that_is_better_is_named_all_the_same() -> None:
    assert headline(TABLE, "auc", "AUC", model="mean")["beside"] == "xgboost 0.857"


def test_less_is_better_for_an_error_and_large_ones_have_one_digit() -> None:
    assert headline(TABLE, "mae", "Error", model="xgboost", unit="USD")["beside"] == "mean 3.000"
    without = TABLE[TABLE["model"] != "mean"]
    assert headline(without, "mae", "Error", model="xgboost")["beside"] == "recency alone 1234.6"


def test_no_peer_is_named_when_none_is_wanted_or_there() -> None:
    assert headline(TABLE, "auc", "AUC", model="mean", with_peer=False)["beside"] is None
    alone = TABLE[TABLE["model"] == "xgboost"]
    assert headline(alone, "auc", "AUC", model="xgboost")["beside"] is None


def test_a_model_or_metric_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="xgb"):
        headline(TABLE, "auc", "Churn AUC", model="xgb")
    with pytest.raises(KeyError, match="gini"):
        headline(TABLE, "gini", "Gini", model="mean")


def test_the_coverage_of_all_bins_is_the_figure() -> None:
    table = pd.DataFrame(
        {
            "bin": [0, 1],
            "n": [30, 30],
            "coverage": [0.8, 0.9],
            "coverage_lower": [0.7, 0.8],
            "coverage_upper": [0.9, 1.0],
        }
    )
    (found,) = coverage_headline(table, "within")
    assert (found["name"], found["value"], found["n"]) == ("within", 0.8, 30)
    assert (found["lower"], found["upper"], found["kind"]) == (0.7, 0.9, "backtested")
    assert coverage_headline(table[:0], "within") == []
