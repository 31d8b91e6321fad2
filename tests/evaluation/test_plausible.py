"""A leak that no feature shows alone is seen in the model, and allowed only with a reason."""

import numpy as np
import pandas as pd
import pytest

from mkt_models.columns import Model
from mkt_models.evaluation.feature_figures import feature_table
from mkt_models.evaluation.leakage import LeakageError, check_leakage
from mkt_models.evaluation.performance import classification_table
from mkt_models.evaluation.plausible import check_plausible
from mkt_models.guard_params import Guards

REASON = "the target is a sum of both columns by definition, and known the day before"
ALLOWED = {
    "model": Model.CHURN,
    "feature": "all",
    "finding": "too_good_together",
    "reason": REASON,
}


def spread_over_two(n: int = 400) -> pd.DataFrame:
    """One column exclusive-or another is the label; either alone is a coin."""
    rng = np.random.default_rng(3)
    target, key = rng.integers(0, 2, n), rng.integers(0, 2, n)
    frame = pd.DataFrame({"customer_id": np.arange(n), "target": target})
    frame["first"] = key + 0.1 * rng.random(n)
    frame["second"] = (key ^ target) + 0.1 * rng.random(n)
    told = np.abs(frame["first"].round() - frame["second"].round())
    return frame.assign(this_model=0.05 + 0.9 * told, coin=0.5)


def performance(rows: pd.DataFrame) -> pd.DataFrame:
    return classification_table(rows, ["this_model", "coin"], 100, 0.95, 1)


def test_a_leak_over_two_columns_passes_each_alone_and_stops_the_model() -> None:
    rows, guards = spread_over_two(), Guards()
    figures = feature_table(rows, rows, ["first", "second"], "classification", 0.95)
    assert check_leakage(figures, guards, Model.CHURN).empty
    with pytest.raises(
        LeakageError, match=r"AUC 1\.000 \[1\.000, 1\.000\] on later cutoffs .n = 400"
    ):
        check_plausible(performance(rows), "this_model", guards, Model.CHURN)


def test_what_can_be_believed_is_told_with_its_figure() -> None:
    said = check_plausible(performance(spread_over_two()), "coin", Guards(), Model.CHURN)
    assert said.startswith("The model as a whole is not shown to be too good to be true: AUC 0.500")
    amounts = pd.DataFrame(
        {
            "model": ["this_model"],
            "n": [900],
            "n_customers": [300],
            "gini": [0.98],
            "gini_lower": [0.971],
            "gini_upper": [0.99],
        }
    )
    with pytest.raises(LeakageError, match=r"normalised Gini 0\.980"):
        check_plausible(amounts, "this_model", Guards(), Model.VALUE)
    assert "not shown" in check_plausible(
        amounts, "this_model", Guards(max_model_gini=0.971), Model.VALUE
    )
    unknown = amounts.assign(gini_lower=np.nan)
    assert "not evaluated" in check_plausible(unknown, "this_model", Guards(), Model.VALUE)


def test_it_is_allowed_for_one_model_with_a_reason_and_is_no_finding_of_a_feature() -> None:
    rows, guards = spread_over_two(), Guards.model_validate({"allowed": [ALLOWED]})
    said = check_plausible(performance(rows), "this_model", guards, Model.CHURN)
    assert said.endswith(f"allowed: {REASON}")
    with pytest.raises(LeakageError, match="propensity: the model is too good"):
        check_plausible(performance(rows), "this_model", guards, Model.PROPENSITY)
    figures = feature_table(rows, rows, ["first", "second"], "classification", 0.95)
    assert check_leakage(figures, guards, Model.CHURN).empty  # and not called stale either


@pytest.mark.parametrize(
    "changed",
    [{"feature": "orders_90d"}, {"finding": "too_good_alone"}],
    ids=["feature", "finding"],
)
def test_all_features_have_this_finding_and_no_other(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="too_good_together is of feature: all"):
        Guards.model_validate({"allowed": [ALLOWED | changed]})


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no model 'modl'; has: this_model, coin"):
        check_plausible(performance(spread_over_two()), "modl", Guards(), Model.CHURN)
