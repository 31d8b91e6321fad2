"""What all contacts together do, in words: good, harm, both, or not known."""

from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from mkt_models.columns import Verdict
from mkt_models.decisions.holdout_effect import HoldoutEffect
from mkt_models.served_effect import in_all


def found(spend: str, buyers: str, note: str = "", ratio: Verdict = Verdict.PASS) -> HoldoutEffect:
    effects = pd.DataFrame(
        {
            "role": "primary",
            "metric": ["spend", "buyers"],
            "metric_zh": ["消费额", "购买客户占比"],
            "verdict": [spend, buyers],
            "note": note,
        }
    )
    result = SimpleNamespace(sample_ratio=SimpleNamespace(verdict=ratio), effects=effects)
    return cast("HoldoutEffect", SimpleNamespace(result=result))


@pytest.mark.parametrize(
    ("effect", "en", "zh"),
    [
        (found("better", ""), "do good: they raise spend.", "有益：提高了消费额"),
        (found("better", "better"), "they raise spend and buyers.", "消费额、购买客户占比"),
        (found("", "worse"), "do harm: they lower buyers.", "有害：降低了购买客户占比"),
        (found("better", "worse"), "raise spend and lower buyers.", "却降低了购买客户占比"),
        (found("", ""), "not known: neither is shown.", "尚不清楚"),
        (found("", "", "few"), "too few customers", "客户太少"),
        (found("better", "", ratio=Verdict.FAIL), "not as they were drawn", "与分配不符"),
    ],
)
def test_a_holdout_is_nothing_to_ship(effect: HoldoutEffect, en: str, zh: str) -> None:
    told = in_all(effect)
    assert en in told[0]
    assert zh in told[1]
    assert "ship" not in told[0]
    assert "上线" not in told[1]
