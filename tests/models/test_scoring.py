import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mkt_models.models.conformal import PredictionIntervals
from mkt_models.models.scorer import Scorer
from mkt_models.models.scoring import common_reasons, highest, score_table

ROWS = pd.DataFrame(
    {
        "customer_id": ["loyal", "gone"],
        "as_of": pd.Timestamp("2018-01-01"),
        "discount_share": [np.nan, 0.5],
        "orders_90d": [25, 1],
        "days_since_last_order": [2, 80],
        "age_band": ["65+", None],
    },
    index=[7, 3],
)


def test_a_score_stands_beside_its_keys_with_model_and_reasons(churn: Scorer) -> None:
    before = ROWS.copy(deep=True)
    found = score_table(ROWS, ["customer_id", "as_of"], churn, top=2)
    numbers = ["score", "lower", "upper", "confidence"]
    assert list(found.columns) == ["customer_id", "as_of", *numbers, "model", "reasons"]
    assert found[numbers[1:]].isna().all(axis=None)  # a probability is itself a chance
    assert found.index.tolist() == [7, 3]
    for position, (_, row) in enumerate(ROWS.iterrows()):
        alone = churn.score_row({f: row[f] for f in churn.features if pd.notna(row[f])}, top=2)
        assert found["score"].iloc[position] == alone.value
        assert json.loads(found["reasons"].iloc[position]) == list(alone.reasons)
    assert found["score"].is_monotonic_increasing
    assert set(found["model"]) == {churn.tag}
    assert "距上次下单天数" in found["reasons"].iloc[1]
    pd.testing.assert_frame_equal(ROWS, before)


def test_an_amount_stands_in_its_interval(value: Scorer) -> None:
    twice = PredictionIntervals((), (0.5,), (2.0,), 0.8, 100)
    found = score_table(ROWS, ["customer_id", "as_of"], replace(value, intervals=twice), top=0)
    assert found["lower"].tolist() == pytest.approx((found["score"] / 2).tolist())
    assert found["upper"].tolist() == pytest.approx((found["score"] * 2).tolist())
    assert set(found["confidence"]) == {0.8}
    assert {"lower", "upper"} <= set(highest(found, 1))


def test_a_feature_that_is_missing_is_named(churn: Scorer) -> None:
    with pytest.raises(KeyError, match="orders_90d"):
        score_table(ROWS.drop(columns="orders_90d"), ["customer_id"], churn)


def test_the_highest_come_first_and_tell_their_reasons(churn: Scorer) -> None:
    scores = score_table(ROWS, ["customer_id", "as_of"], churn, top=2)
    found = highest(scores, 1)
    assert list(found.columns) == ["score", "reasons"]  # by rank: ids stay out of reports
    assert found.index.tolist() == [1]
    assert found["score"].tolist() == [scores["score"].max()]
    reasons = [why["en"] for why in json.loads(scores["reasons"].iloc[1])]
    assert reasons
    assert found["reasons"].tolist() == ["; ".join(reasons)]
    assert len(highest(scores, 5)) == 2


def test_reasons_of_the_highest_scores_are_counted_over_customers() -> None:
    def reasons(**moves: float) -> str:
        said = [{"feature": f, "contribution": c, "en": f"{f} is 7"} for f, c in moves.items()]
        return json.dumps(said)

    scores = pd.DataFrame(
        [
            ("a", 0.9, reasons(orders=0.4, days=-0.1)),
            ("a", 0.1, reasons(spend=0.4)),  # a customer's lower score
            ("b", 0.8, reasons(orders=0.2, days=0.3)),
            ("c", 0.2, reasons(spend=0.1)),
            ("d", 0.1, reasons(spend=0.1)),
        ],
        columns=["customer_id", "score", "reasons"],
    )
    words = {"orders": {"en": "orders placed", "zh": "订单数"}}
    found = common_reasons(scores, words, share=0.5)
    assert found.to_dict("records") == [
        {"reason": "orders placed", "原因": "订单数", "moves": "raises", "customers": 2, "of": 2},
        {"reason": "days", "原因": "days", "moves": "lowers", "customers": 1, "of": 2},
        {"reason": "days", "原因": "days", "moves": "raises", "customers": 1, "of": 2},
    ]
    assert len(common_reasons(scores, words, share=1.0, top=1)) == 1
    assert common_reasons(scores.head(0), words).empty
