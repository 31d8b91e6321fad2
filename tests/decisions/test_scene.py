from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.columns import DayPart, Place, Weather
from mkt_models.decisions.occasions import Occasion
from mkt_models.decisions.scene import DAY_PARTS, PLACES, WEATHER, Scene, When, told, unmet

KING = ("Martin Luther King Jr. Day", "马丁·路德·金日")
SATURDAY, FRIDAY, MLK = date(2018, 1, 6), date(2018, 1, 12), date(2018, 1, 15)


def scene(day=SATURDAY, hour=17, **said):
    return Scene.on(day, hour, "US", **said)


@pytest.mark.parametrize(
    ("when", "now", "words"),
    [
        ({"days": ["weekend"]}, scene(), ("the weekend", "周末")),
        ({"days": ["weekend", "public_holiday"]}, scene(MLK), KING),
        ({"holiday_ahead": {"least": 1, "most": 5}}, scene(FRIDAY), KING),
        ({"weather": ["rain", "snow"]}, scene(weather=Weather.SNOW), ("a snowy day", "雪天")),
        ({"places": ["store"]}, scene(place=Place.STORE), ("in the store", "在门店")),
        ({"day_parts": ["afternoon"]}, scene(), ("this afternoon", "今天下午")),
    ],
)  # fmt: skip
def test_a_scene_that_is_given_has_words_and_a_reason(when, now, words):
    wanted = When.model_validate(when)
    assert unmet(wanted, now) is None
    filled, reasons = told(wanted, now)
    assert filled["occasion"] == words
    assert len(reasons) == 1
    assert words[0] in reasons[0]["en"]
    assert words[1] in reasons[0]["zh"]


@pytest.mark.parametrize(
    ("when", "now", "code", "en"),
    [
        ({"days": ["public_holiday"]}, scene(), "not_the_occasion",
         "2018-01-06 is not the occasion: a public holiday"),
        ({"holiday_ahead": {"least": 1, "most": 5}}, scene(), "not_the_occasion",
         "2018-01-06 is not the occasion: 1 to 5 days before a public holiday"),
        ({"weather": ["rain", "snow"]}, scene(), "context_not_given",
         "needs weather: the context of the request does not say it"),
        ({"weather": ["rain", "snow"]}, scene(weather=Weather.HEAT), "not_the_occasion",
         "a hot day is not the occasion: a rainy day or a snowy day"),
        ({"places": ["store"]}, scene(), "context_not_given",
         "needs place: the context of the request does not say it"),
        ({"places": ["store"]}, scene(place=Place.HOME), "not_the_occasion",
         "at home is not the occasion: in the store"),
        ({"day_parts": ["morning"]}, scene(), "not_the_occasion",
         "this afternoon is not the occasion: this morning"),
    ],
)  # fmt: skip
def test_a_scene_that_is_not_given_says_what_is_wanted(when, now, code, en):
    why = unmet(When.model_validate(when), now)
    assert (why.code.value, why.en) == (code, en)
    assert why.zh


def test_every_condition_must_hold_and_each_gives_its_reason():
    when = When.model_validate({"days": ["weekend"], "weather": ["rain"], "places": ["home"]})
    now = scene(weather=Weather.RAIN, place=Place.HOME)
    assert unmet(when, now) is None
    words, reasons = told(when, now)
    assert words["occasion"] == ("the weekend", "周末")
    assert [why["source"] for why in reasons] == ["occasion", "weather", "place"]
    assert unmet(when, scene(weather=Weather.RAIN)).code == "context_not_given"


@pytest.mark.parametrize(
    ("day", "ahead"), [(FRIDAY, ("in 3 days", "3 天后")), (date(2018, 1, 14), ("tomorrow", "明天"))]
)
def test_a_holiday_ahead_says_how_far(day, ahead):
    when = When.model_validate({"holiday_ahead": {"least": 1, "most": 3}})
    assert told(when, scene(day))[0]["ahead"] == ahead
    assert unmet(when, scene(date(2018, 1, 11))) is not None  # 4 days
    assert unmet(when, scene(MLK)) is not None  # the day itself


def test_the_calendar_is_that_of_the_country_and_region():
    when = When.model_validate({"days": ["public_holiday"]})
    assert unmet(when, Scene.on(date(2024, 2, 10), 9, "CN")) is None
    assert unmet(when, Scene.on(date(2024, 2, 10), 9, "US")) is not None
    assert unmet(when, Scene.on(date(2018, 4, 16), 9, "US", "MA")) is None
    assert unmet(when, Scene.on(date(2018, 4, 16), 9, "US")) is not None


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({}, "names no condition"),
        ({"weather": ["rian"]}, "rain"),
        ({"days": ["holiday"]}, "public_holiday"),
        ({"holiday_ahead": {"least": 5, "most": 1}}, "must not exceed"),
        ({"holiday_ahead": {"least": 0, "most": 1}}, "greater than or equal to 1"),
        ({"moon": ["full"]}, "moon"),
    ],
)
def test_conditions_that_cannot_hold_are_refused(when, message):
    with pytest.raises(ValueError, match=message):
        When.model_validate(when)


def test_every_word_of_a_scene_has_words_in_both_languages():
    for table, words in ((WEATHER, Weather), (PLACES, Place), (DAY_PARTS, DayPart)):
        assert set(table) == set(words)
        assert all(en.isascii() and not zh.isascii() for en, zh in table.values())


@given(hour=st.integers(0, 23))
def test_an_hour_lies_in_one_quarter_of_the_day(hour):
    part = scene(hour=hour).day_part
    assert part == ("night", "morning", "afternoon", "evening")[hour // 6]
    assert scene().days == {Occasion.WEEKEND: ("the weekend", "周末")}
