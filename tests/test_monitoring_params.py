"""Limits that are no limits are refused, with what to write instead."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from mkt_models.loading import load_params
from mkt_models.monitoring_params import DriftLimits, Monitoring, Rule


def test_the_defaults_are_valid_and_frozen():
    settings = Monitoring()
    with pytest.raises(ValidationError):
        settings.false_alarms = 0.5


def test_an_expected_feature_needs_a_sentence():
    with pytest.raises(ValidationError, match="must be a sentence that says why it moves"):
        DriftLimits(expected={"tenure_days": "grows"})
    reason = "everybody is older at each later date"
    assert DriftLimits(expected={"tenure_days": reason}).expected == {"tenure_days": reason}


@pytest.mark.parametrize(
    "wrong", [{"false_alarms": 0.0}, {"may_lack": ["weather"]}, {"fail_on": "never"}, {"x": 1}]
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Monitoring(**wrong)


def test_the_simulated_shop_may_lack_only_what_one_run_cannot_compare():
    params = load_params(Path(__file__).parents[1] / "params" / "demo.yaml")
    assert params.monitoring.may_lack == (Rule.SUPPRESSION, Rule.STRATEGY_MIX)
