import pandas as pd
import pytest

from mkt_models.evaluation.headline import headline

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


def test_a_figure_comes_with_interval_n_kind_and_peer() -> None:
    found = headline(TABLE, "auc", "Churn AUC", model="xgboost", better_than="recency_alone")
    assert found == {
        "name": "Churn AUC",
        "value": 0.8571,
        "lower": 0.83,
        "upper": 0.881,
        "n": 2304,
        "kind": "backtested",
        "unit": "",
        "better_than": "recency alone 0.752",
    }


@pytest.mark.parametrize(
    ("peer", "said"), [("recency_alone", "recency alone 1,234.6"), ("mean", "mean 3.000")]
)
def test_a_large_peer_is_told_with_one_digit(peer: str, said: str) -> None:
    found = headline(TABLE, "mae", "Error", model="xgboost", unit="USD", better_than=peer)
    assert (found["better_than"], found["unit"]) == (said, "USD")


def test_without_a_peer_none_is_named() -> None:
    assert headline(TABLE, "auc", "Churn AUC", model="mean")["better_than"] is None


def test_a_model_or_metric_that_is_not_there_is_an_error() -> None:
    for wrong in ({"model": "xgb"}, {"model": "mean", "better_than": "xgb"}):
        with pytest.raises(KeyError, match="xgb"):
            headline(TABLE, "auc", "Churn AUC", **wrong)
    with pytest.raises(KeyError, match="gini"):
        headline(TABLE, "gini", "Gini", model="mean")
