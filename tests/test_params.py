from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mkt_models.loading import ParamsError, load_params
from mkt_models.params import Cutoffs
from mkt_models.sections import nearest

WHOLE = Path(__file__).parent.parent / "params" / "complete_journey.yaml"


def cutoffs(**changes: Any) -> Cutoffs:
    """Horizon 56, one test cutoff, every 14 days; the 11 dates end on 2017-05-21."""
    chosen: dict[str, Any] = {
        "horizon_days": 56,
        "active_days": 90,
        "every_days": 14,
        "first": date(2017, 1, 1),
        "last": date(2017, 5, 21),
        "test_cutoffs": 1,
    }
    return Cutoffs(**(chosen | changes))


def test_cutoffs_by_hand():
    some = cutoffs(test_cutoffs=2)
    dates = some.dates()
    assert (len(dates), dates[0], dates[-1]) == (11, date(2017, 1, 1), date(2017, 5, 21))
    assert some.tests() == [date(2017, 5, 7), date(2017, 5, 21)]


def test_cutoffs_are_counted_back_from_the_last():
    # 2017-01-02 is no multiple of 14 days before the last: the oldest cutoff is 2017-01-15.
    assert cutoffs(first=date(2017, 1, 2)).dates()[0] == date(2017, 1, 15)


@pytest.mark.parametrize(
    "changes",
    [
        {"horizon_days": 141},
        {"test_cutoffs": 8},
        {"first": date(2017, 3, 27)},
        # `first` is 56 days before the last; but the oldest cutoff, 2017-04-09, is only 42.
        {"first": date(2017, 3, 26), "every_days": 42},
        {"first": date(2018, 1, 1)},
        {"test_cutoffs": 10**9},
        {"last": date(9999, 12, 31), "first": date(9999, 12, 30)},
    ],
)
def test_cutoffs_that_leave_no_training_data_are_refused(changes: dict[str, Any]):
    with pytest.raises(ValidationError, match="no training cutoff ends before the first test"):
        cutoffs(**changes)


def test_cutoffs_that_just_leave_training_data_are_taken():
    assert cutoffs(first=date(2017, 3, 26)).dates()[0] == date(2017, 3, 26)
    assert cutoffs(horizon_days=140).dates()[0] + timedelta(days=140) == date(2017, 5, 21)


@settings(max_examples=200, deadline=None)
@given(
    horizon_days=st.integers(1, 120),
    every_days=st.integers(1, 60),
    first=st.dates(date(2016, 1, 1), date(2018, 1, 1)),
    last=st.dates(date(2016, 1, 1), date(2018, 1, 1)),
    test_cutoffs=st.integers(1, 30),
)
def test_accepted_cutoffs_always_leave_training_data(**chosen: Any):
    try:
        some = cutoffs(**chosen)
    except ValidationError:
        return
    dates, tests = some.dates(), some.tests()
    assert some.first <= dates[0] < dates[-1] == some.last
    assert all((b - a).days == some.every_days for a, b in pairwise(dates))
    assert len(tests) == some.test_cutoffs
    assert dates[0] + timedelta(days=some.horizon_days) <= tests[0]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("source.time_zone", "America/New_Yrok", "no IANA time zone; did you mean 'America/New_Yo"),
        ("source.time_zone", "EDT5", "'EDT5' is no IANA time zone"),
        ("source.kind", "cdnow", "source.kind"),
        ("source.households", 0, "source.households: input should be greater than 0 (is 0)"),
        ("run", "Two Words", "run: string should match"),
        ("run", "../up", "run: string should match"),
        ("seed", -1, "seed: input should be greater than or equal to 0 (is -1)"),
        ("engine.memory_limit_gb", float("inf"), "engine.memory_limit_gb: input should be a fin"),
        ("mining.min_support", 1, "mining.min_support: input should be less than 1 (is 1)"),
        ("profile.as_of", "2017-02-30", "profile.as_of: input should be a valid date"),
        ("profile.active_days", 56, "profile: active_days == 56, must be < dormant_days == 56"),
        ("profile.active_times", 6, "active_times == 6.0, must be < dormant_times == 6.0"),
        ("profile.risk.high_points", 1, "middle_points == 1, must be < high_points == 1"),
        (
            "profile.risk.signals",
            [{"column": "coupon_share", "at_least": 1, "points": 1}],
            "'coupon_share' is no number of the risk dimension; did you mean 'coupon_share_365d'?",
        ),
        ("audit.attributes", [], "audit.attributes"),
        ("audit.attributes", ["gender", "gender"], "audit.attributes: gender stands twice"),
        ("audit.attributes", ["age_bnd"], "no sensitive attribute; did you mean 'age_band'?"),
        (
            "audit.bands",
            {"age_bnd": {"all": ["19-24"]}},
            "audit: bands: 'age_bnd' is no sensitive attribute; did you mean 'age_band'?",
        ),
        (
            "audit.bands",
            {"age_band": {"young": ["19-24"]}},
            "audit: bands.age_band: 19-24 stands in two bands",
        ),
        ("audit.gate.undecided", "maybe", "audit.gate.undecided: input should be 'pass' or"),
        ("value.tweedie_power", 2, "value.tweedie_power: input should be less than or equal"),
        ("churn.horizon_days", 183, "churn: no training cutoff ends before the first test"),
        ("churn.boosting.subsample", 0, "churn.boosting.subsample: input should be greater than"),
        ("decisions.k", "many", "decisions.k: input should be a valid integer"),
    ],
)
def test_values_out_of_range_are_explained(key: str, value: object, says: str):
    with pytest.raises(ParamsError) as caught:
        load_params(WHOLE, {key: value})
    assert str(caught.value).startswith(f"{WHOLE}: {key.split('.')[0]}")
    assert says in str(caught.value)


def test_an_assumed_consent_needs_a_real_reason():
    consent = {"purpose": "marketing", "channel": "app", "customers": "all", "reason": "because"}
    with pytest.raises(ParamsError, match=r"source\.assumed_consents\.0\.reason: .*at least 20"):
        load_params(WHOLE, {"source.assumed_consents": [consent]})


def test_params_are_frozen():
    params = load_params(WHOLE)
    with pytest.raises(ValidationError, match="frozen"):
        params.seed = 2
    with pytest.raises(ValidationError, match="frozen"):
        params.churn.boosting.max_depth = 9


def test_the_digest_changes_with_any_parameter():
    def digest(**changes: object) -> str:
        return load_params(WHOLE, changes).digest

    assert len(digest()) == 12
    changed = [{key: 4} for key in ("seed", "churn.boosting.max_depth", "decisions.k")]
    assert len({digest(), *(digest(**change) for change in changed)}) == 4
    assert digest(seed=load_params(WHOLE).seed) == digest()


def test_the_zone_is_the_named_one():
    assert str(load_params(WHOLE).source.zone) == "America/New_York"


@pytest.mark.parametrize(
    ("word", "known", "says"),
    [
        ("horizon", ["horizon_days"], "; did you mean 'horizon_days'?"),
        ("xyz", ["horizon_days"], ""),
        ("a", [], ""),
    ],
)
def test_nearest(word: str, known: list[str], says: str):
    assert nearest(word, known) == says


def test_labels_after_the_profile_are_refused() -> None:
    with pytest.raises(ParamsError, match=r"churn: labels of the last cutoff reach to 2018-01-01"):
        load_params(WHOLE, {"profile.as_of": "2017-12-31", "value.last": "2017-09-04"})


def test_a_decision_before_the_profile_is_refused() -> None:
    with pytest.raises(ParamsError, match="cannot know the future"):
        load_params(WHOLE, {"decisions.decide_at": "2017-12-31T10:00:00"})


def test_the_time_of_decisions_is_read_on_the_shop_clock() -> None:
    at = load_params(WHOLE, {"decisions.decide_at": "2018-01-06T10:00:00"}).decide_at
    assert at.isoformat() == "2018-01-06T10:00:00-05:00"
    with pytest.raises(ParamsError, match="must have no zone"):
        load_params(WHOLE, {"decisions.decide_at": "2018-01-06T10:00:00Z"})
