"""Dates of the parameters against the first and the last day of the data."""

from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.loading import load_params
from mkt_models.sources.dates import check_dates, fitting_cutoffs

PARAMS = load_params(Path(__file__).parents[2] / "params" / "complete_journey.yaml")
FIRST, LAST = date(2017, 1, 1), date(2017, 12, 31)


def test_the_committed_dates_fit_their_data() -> None:
    found = check_dates(PARAMS, FIRST, LAST)
    assert (found.errors, found.warnings, found.suggestion) == ([], [], [])


def test_a_horizon_that_ends_with_the_data_fits_and_a_day_later_does_not() -> None:
    last = PARAMS.churn.last + timedelta(days=PARAMS.churn.horizon_days - 1)
    found = check_dates(PARAMS, FIRST, max(last, date(2017, 12, 31)))
    assert found.errors == []
    short = check_dates(PARAMS, FIRST, last - timedelta(days=1))
    assert any(error.startswith("churn.last == 2017-11-06") for error in short.errors)


def test_a_profile_some_days_after_the_data_is_only_warned_of() -> None:
    found = check_dates(PARAMS, FIRST, date(2017, 12, 30))
    assert [w.partition(",")[0] for w in found.warnings] == [
        "profile.as_of == 2018-01-01 is 2 days after the last day of the data"
    ]


def test_too_short_data_is_said_plainly() -> None:
    found = check_dates(PARAMS, date(2017, 10, 1), date(2017, 12, 31))
    assert any(error.startswith("churn: 92 days of data are too few") for error in found.errors)
    assert not any(line.startswith("churn") for line in found.suggestion)


@settings(deadline=None)
@given(first=st.dates(date(2010, 1, 1), date(2020, 1, 1)), days=st.integers(1, 900))
def test_what_is_suggested_always_fits(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    for cutoffs in (PARAMS.churn, PARAMS.value):
        fitting = fitting_cutoffs(cutoffs, first, last + timedelta(days=1))
        if fitting is None:
            continue
        chosen = type(cutoffs).model_validate(
            {**cutoffs.model_dump(), "first": fitting[0], "last": fitting[1]}
        )
        assert first < chosen.dates()[0]
        assert chosen.last + timedelta(days=chosen.horizon_days) <= last + timedelta(days=1)
