"""Scoring: the numbers against xgboost's own, the reasons against the numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.columns import Model
from mkt_models.models.scorer import FeatureError, Scorer


def rows() -> np.ndarray:
    return np.array([[80, 1, 0.5], [2, 25, np.nan], [np.nan, 3, 0]], dtype=np.float32)


def test_uncalibrated_numbers_are_those_of_xgboost(churn: Scorer, value: Scorer) -> None:
    for scorer in (replace(churn, slope=1.0, intercept=0.0), value):
        matrix = xgb.DMatrix(rows(), feature_names=list(scorer.features))
        np.testing.assert_allclose(
            scorer.predict(rows()), scorer.booster.predict(matrix), rtol=1e-5
        )


def test_calibration_is_applied_to_the_margin(churn: Scorer) -> None:
    plain = replace(churn, slope=1.0, intercept=0.0).predict(rows())
    margin = np.log(plain / (1 - plain))
    expected = 1 / (1 + np.exp(-(-0.3 + 0.8 * margin)))
    np.testing.assert_allclose(churn.predict(rows()), expected, rtol=1e-5)


def test_contributions_add_up_to_the_prediction(churn: Scorer, value: Scorer) -> None:
    logit = churn.contributions(rows()).sum(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-logit)), churn.predict(rows()), rtol=1e-4)
    log_amount = value.contributions(rows()).sum(axis=1)
    np.testing.assert_allclose(np.exp(log_amount), value.predict(rows()), rtol=1e-4)


def test_a_model_without_names_scores_the_same(churn: Scorer) -> None:
    nameless = xgb.Booster(model_file=bytearray(churn.booster.save_raw("ubj")))
    nameless.feature_names = None
    other = replace(churn, booster=nameless)
    np.testing.assert_array_equal(other.predict(rows()), churn.predict(rows()))
    np.testing.assert_array_equal(other.contributions(rows()), churn.contributions(rows()))


def test_reasons_speak_two_languages(churn: Scorer) -> None:
    first, second, third = churn.reasons(rows(), top=2)
    assert first[0]["feature"] == "days_since_last_order"
    assert first[0]["contribution"] > 0
    assert first[0]["en"] == ("days since the last order: 80 days; raises the predicted churn risk")
    assert first[0]["zh"] == "距上次下单天数：80天，提高预测的流失风险"
    assert second[0]["en"].endswith("2 days; lowers the predicted churn risk")
    missing = next(r for r in third if r["feature"] == "days_since_last_order")
    assert missing["value"] is None
    assert "not available" in missing["en"]
    assert "暂无数据" in missing["zh"]
    assert all(len(row) <= 2 for row in (first, second, third))


def test_the_strongest_reason_comes_first(churn: Scorer) -> None:
    for row in churn.reasons(rows(), top=3):
        strengths = [abs(reason["contribution"]) for reason in row]
        assert strengths == sorted(strengths, reverse=True)


def test_a_value_reads_as_its_shortest_decimal(value: Scorer) -> None:
    score = value.score_row({"discount_share": 0.1, "orders_90d": 9}, top=3)
    shown = {reason["feature"]: reason for reason in score.reasons}
    assert shown["orders_90d"]["value"] == 9
    assert shown["orders_90d"]["en"].startswith("orders in the last 90 days: 9; ")
    if "discount_share" in shown:
        assert shown["discount_share"]["value"] == 0.1
        assert "10%" in shown["discount_share"]["en"]


def test_one_row_by_name_equals_the_table(churn: Scorer) -> None:
    score = churn.score_row({"orders_90d": 1, "days_since_last_order": 80, "discount_share": 0.5})
    assert score.value == churn.predict(rows())[0]
    assert list(score.reasons) == churn.reasons(rows())[0]
    assert score.missing == ()


def test_left_out_and_null_features_are_missing(churn: Scorer) -> None:
    score = churn.score_row({"orders_90d": 3, "discount_share": None})
    assert score.missing == ("days_since_last_order", "discount_share")


@pytest.mark.parametrize(
    ("features", "field", "message"),
    [
        ({"orders_90": 3}, "orders_90", "did you mean 'orders_90d'?"),
        ({}, "features", "at least one"),
        ({"orders_90d": None}, "features", "at least one"),
        ({"orders_90d": math.inf}, "orders_90d", "finite"),
        ({"orders_90d": math.nan}, "orders_90d", "finite"),
        ({"orders_90d": 1e300}, "orders_90d", "finite"),
        ({"orders_90d": 10**400}, "orders_90d", "finite"),
        ({"orders_90d": -1}, "orders_90d", "orders_90d must be 0 or more: orders in the last 90 d"),
        ({"days_since_last_order": -0.5}, "days_since_last_order", "must be 0 or more"),
        ({"discount_share": -0.1}, "discount_share", "must be 0 or more"),
        ({"orders_90d": True}, "orders_90d", "finite"),
        ({"orders_90d": "3"}, "orders_90d", "finite"),
    ],
)
def test_what_cannot_be_scored_is_named(
    churn: Scorer, features: dict, field: str, message: str
) -> None:
    with pytest.raises(FeatureError, match=message.replace("?", r"\?")) as caught:
        churn.score_row(features)
    assert caught.value.feature == field


@given(
    st.dictionaries(
        st.sampled_from(["days_since_last_order", "orders_90d", "discount_share"]),
        st.floats(0, 1e30, allow_nan=False) | st.integers(0, 10**9),
        min_size=1,
    )
)
def test_every_finite_row_has_a_probability(churn: Scorer, features: dict) -> None:
    score = churn.score_row(features)
    assert 0 < score.value < 1
    assert set(score.missing) == set(churn.features) - set(features)


def test_money_may_be_below_0(churn: Scorer) -> None:
    words = {**churn.words, "orders_90d": {"en": "net spend", "zh": "净消费", "unit": "USD"}}
    assert 0 < replace(churn, words=words).score_row({"orders_90d": -3}).value < 1


def test_parts_that_do_not_fit_are_refused(churn: Scorer) -> None:
    with pytest.raises(ValueError, match="2 features for trees of 3"):
        replace(churn, features=churn.features[:2])
    with pytest.raises(ValueError, match="another order"):
        replace(churn, features=churn.features[::-1])
    with pytest.raises(ValueError, match="slope == -1"):
        replace(churn, slope=-1)
    with pytest.raises(ValueError, match=r"words: none .* for orders_90d"):
        replace(churn, words={f: w for f, w in churn.words.items() if f != "orders_90d"})
    with pytest.raises(ValueError, match="must be 'logistic' or 'log'"):
        replace(churn, link="probit")
    with pytest.raises(ValueError, match=r"shape \(1, 2\), must be rows x 3"):
        churn.predict(rows()[:1, :2])


def test_the_name_of_a_model_in_an_answer(churn: Scorer) -> None:
    assert churn.tag == "churn:unsaved"
    assert churn.with_version("abc").tag == "churn:abc"
    assert churn.name is Model.CHURN
