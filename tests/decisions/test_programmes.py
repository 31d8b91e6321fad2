from datetime import date

import pytest

from mkt_models.columns import SENSITIVE
from mkt_models.decisions.eligibility import GUARDED
from mkt_models.decisions.programmes import (
    SENSITIVITY,
    PublishedOffer,
    ServiceLevel,
    SocialProgramme,
)
from mkt_models.profiles.described import PROFILE_COLUMNS

TEXT = {"en": "something", "zh": "某物"}
OFFER = {"id": "gift", "name": TEXT, "terms": TEXT, "open_to": []}


def rule(column):
    known = PROFILE_COLUMNS[column]
    if known.kind == "number":
        return {"column": column, "op": ">=", "value": 1}
    return {"column": column, "op": "==", "value": (*known.values, "x")[0]}


@pytest.mark.parametrize("column", sorted({*GUARDED, *SENSITIVITY} & set(PROFILE_COLUMNS)))
def test_to_whom_an_offer_is_open_never_depends_on_what_they_would_pay_or_who_they_are(column):
    with pytest.raises(ValueError, match=f"open_to uses '{column}'"):
        PublishedOffer.model_validate({**OFFER, "open_to": [rule(column)]})


def test_a_habit_may_say_whom_it_suits_and_a_guarded_column_may_not():
    PublishedOffer.model_validate({**OFFER, "suits": [rule("discount_share")]})
    for column in ("price_index", "age_band"):
        with pytest.raises(ValueError, match=f"suits uses '{column}'"):
            PublishedOffer.model_validate({**OFFER, "suits": [rule(column)]})
    assert set(SENSITIVITY) <= set(PROFILE_COLUMNS)
    assert not set(SENSITIVITY) & set(SENSITIVE)


def test_who_qualifies_must_be_said():
    with pytest.raises(ValueError, match="open_to"):
        PublishedOffer.model_validate({k: v for k, v in OFFER.items() if k != "open_to"})


@pytest.mark.parametrize(("day", "runs"), [(4, False), (5, True), (7, True), (8, False)])
def test_an_offer_runs_from_its_first_to_its_last_day(day, runs):
    days = {"starts_on": "2018-01-05", "ends_on": "2018-01-07"}
    assert PublishedOffer.model_validate({**OFFER, **days}).runs(date(2018, 1, day)) is runs
    assert PublishedOffer.model_validate(OFFER).runs(date(2018, 1, day))
    with pytest.raises(ValueError, match="lies before starts_on"):
        PublishedOffer.model_validate({**OFFER, "starts_on": "2018-01-05", "ends_on": "2018-01-04"})


@pytest.mark.parametrize(
    ("given_for", "message"),
    [
        ([], "at least 1 item"),
        ([[]], "would give it to everybody"),
        ([[rule("gender")]], "given_for uses 'gender'"),
        ([[rule("purchasing_power")]], "given_for uses 'purchasing_power'"),
    ],
)
def test_a_service_rests_on_facts_and_nothing_guarded(given_for, message):
    with pytest.raises(ValueError, match=message):
        ServiceLevel.model_validate({"id": "agent", "name": TEXT, "given_for": given_for})


def programme(name, followers):
    return {"id": name, "from_followers": followers, "name": TEXT, "terms": TEXT}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"programmes": [programme("ab", 1)]}, "must start at 0 and rise"),
        ({"programmes": [programme("ab", 0), programme("cd", 0)]}, "must start at 0 and rise"),
        (
            {"platforms": [{"id": n, "name": TEXT, "invite": TEXT} for n in ("Weibo", "weibo")]},
            "'weibo' stands twice",
        ),
    ],
)
def test_a_social_programme_that_does_not_hang_together_is_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        SocialProgramme.model_validate(parts)
