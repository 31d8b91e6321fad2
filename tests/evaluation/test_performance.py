import numpy as np
import pandas as pd
import pytest

from mkt_models.evaluation.performance import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    backtest_table,
    classification_table,
    regression_table,
)


def churn_predictions(n=400, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.beta(2, 6, n)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, n // 2, n).astype(str),
            "as_of": pd.to_datetime("2017-10-09") + pd.to_timedelta(14 * (np.arange(n) % 3), "D"),
            "target": (rng.random(n) < truth).astype(int),
            "model": truth,
            "noise": rng.random(n),
            "recency": rng.integers(0, 90, n),
        }
    )


def value_predictions(n=300):
    rng = np.random.default_rng(1)
    spend = rng.gamma(2, 250, n)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "target": spend,
            "twice": 2 * spend,
            "mean": np.full(n, spend.mean()),
        }
    )


def test_every_metric_lies_inside_its_interval_and_is_paired():
    table = classification_table(
        churn_predictions(), ["model", "noise"], 200, 0.95, 1, reference="noise"
    ).set_index("model")
    for name in CLASSIFICATION_METRICS:
        row = table.loc["model"]
        assert row[f"{name}_lower"] < row[name] < row[f"{name}_upper"]
        assert row[f"{name}_difference"] == pytest.approx(row[name] - table.loc["noise", name])
        assert np.isnan(table.loc["noise", f"{name}_difference"])
    assert table.loc["model", "auc_difference_lower"] > 0
    assert table.loc["model", "brier_difference_upper"] < 0
    assert table.loc["model", "note"] == ""
    assert table.loc["model", "n"] == 400
    assert table.loc["model", "n_customers"] == churn_predictions()["customer_id"].nunique()


def test_differences_use_the_same_draws():
    predictions = churn_predictions()
    predictions["copy"] = predictions["model"]
    row = classification_table(predictions, ["model", "copy"], 100, 0.9, 1, reference="model").iloc[
        1
    ]
    ends = [row[f"auc_difference{end}"] for end in ("", "_lower", "_upper")]
    assert ends == [0, 0, 0]


def test_order_of_rows_does_not_matter_and_input_is_untouched():
    predictions = churn_predictions()
    before = predictions.copy(deep=True)
    table = classification_table(predictions, ["model", "recency"], 60, 0.9, 3)
    pd.testing.assert_frame_equal(predictions, before)
    shuffled = predictions.sample(frac=1, random_state=1)
    again = classification_table(shuffled, ["model", "recency"], 60, 0.9, 3)
    pd.testing.assert_frame_equal(table, again)


def test_a_score_that_is_no_probability_is_only_ranked():
    row = classification_table(churn_predictions(), ["recency"], 50, 0.9, 1).iloc[0]
    assert np.isfinite(row["auc"])
    assert row[["brier", "brier_lower", "log_loss", "ece"]].isna().all()
    assert row["note"].startswith("brier, log_loss, ece: a score from 0 to 89 is no probability")


def test_too_few_are_null_with_a_note():
    predictions = churn_predictions()
    predictions["target"] = 0
    row = classification_table(predictions, ["model"], 50, 0.9, 1).iloc[0]
    assert row[["auc", "auc_upper", "pr_auc"]].isna().all()
    assert "auc, pr_auc: only 0 positives, needs 5" in row["note"]
    assert np.isfinite(row["brier"])
    few = churn_predictions(30)
    row = classification_table(few, ["model"], 50, 0.9, 1).iloc[0]
    assert row[list(CLASSIFICATION_METRICS)].isna().all()
    assert f"only {few['customer_id'].nunique()} customers, needs 20" in row["note"]


def test_amounts_by_hand():
    predictions = value_predictions()
    table = regression_table(
        predictions, ["twice", "mean"], 200, 0.95, 1, reference="mean"
    ).set_index("model")
    spend = predictions["target"]
    assert table.loc["twice", "mae"] == pytest.approx(spend.mean())
    assert table.loc["twice", "rmse"] == pytest.approx(np.sqrt((spend**2).mean()))
    assert table.loc["twice", "bias"] == pytest.approx(1)
    assert table.loc["twice", "spearman"] == pytest.approx(1)
    assert table.loc["twice", "gini"] == pytest.approx(1)
    assert table.loc["mean", "rmse"] == pytest.approx(spend.std(ddof=0))
    assert table.loc["mean", "bias"] == pytest.approx(0, abs=1e-12)
    assert np.isnan(table.loc["mean", "spearman"])
    assert table.loc["mean", "note"] == "spearman, gini: every prediction is the same"
    # A difference needs both sides.
    assert np.isnan(table.loc["twice", "gini_difference"])
    assert table.loc["twice", "mae_difference"] == pytest.approx(
        spend.mean() - (spend - spend.mean()).abs().mean()
    )
    assert {f"{name}_lower" for name in REGRESSION_METRICS} <= set(table.columns)


def test_backtest_has_one_row_per_cutoff_and_model():
    table = backtest_table(churn_predictions(), ["model", "noise"], "classification", 40, 0.9, 1)
    assert table.groupby("as_of").size().tolist() == [2, 2, 2]
    assert table["n"].sum() == 800
    assert table["as_of"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d.rename(columns={"model": "modell"}),
            "no column 'model'; did you mean 'modell'",
        ),
        (lambda d: d.assign(model=np.nan), "'model' has 400 null or infinite values in 400 rows"),
        (lambda d: d.assign(target=d["target"] * 2), "'target' must be 0 or 1, has 2"),
        (lambda d: d.assign(customer_id=None), "customer_id has nulls"),
        (lambda d: d.iloc[:0], "no rows"),
    ],
)
def test_errors_teach(change, message):
    with pytest.raises(ValueError, match=message):
        classification_table(change(churn_predictions()), ["model"], 10, 0.9, 1)


def test_an_unknown_reference_is_refused():
    with pytest.raises(ValueError, match="reference == 'best', must be one of: model"):
        classification_table(churn_predictions(), ["model"], 10, 0.9, 1, reference="best")
