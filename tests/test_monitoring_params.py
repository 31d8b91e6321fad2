"""Limits that are no limits are refused, with what to write instead."""

import pytest
from pydantic import ValidationError

from mkt_models.monitoring_params import DriftLimits, Monitoring


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
