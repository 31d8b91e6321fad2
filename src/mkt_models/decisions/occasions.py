"""What a day is in a country: weekend, public holiday, or neither."""

from datetime import date
from enum import StrEnum
from functools import lru_cache

import holidays

from mkt_models.decisions.words import Words
from mkt_models.sections import nearest

WEEKEND: Words = ("the weekend", "周末")
HOLIDAY: Words = ("a public holiday", "公共假日")

# The calendar library has no Chinese names for every country; these are the ones in use here.
_CHINESE = {
    "New Year's Day": "元旦",
    "Martin Luther King Jr. Day": "马丁·路德·金日",
    "Washington's Birthday": "总统日",
    "Memorial Day": "阵亡将士纪念日",
    "Juneteenth National Independence Day": "六月节",
    "Independence Day": "美国独立日",
    "Labor Day": "劳动节",
    "Columbus Day": "哥伦布日",
    "Veterans Day": "退伍军人节",
    "Thanksgiving Day": "感恩节",
    "Christmas Day": "圣诞节",
}


class Occasion(StrEnum):
    """A kind of day that a strategy may wait for."""

    WEEKEND = "weekend"
    PUBLIC_HOLIDAY = "public_holiday"


OCCASIONS: dict[Occasion, Words] = {Occasion.WEEKEND: WEEKEND, Occasion.PUBLIC_HOLIDAY: HOLIDAY}


def check_country(country: str) -> str:
    """Return ``country`` if its holidays are known, else raise ValueError with the nearest."""
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError(
            f"country == {country!r}: its public holidays are not known{nearest(country, known)}"
        )
    return country


def occasions(country: str, day: date) -> dict[Occasion, Words]:
    """Say what ``day`` is in ``country``, with a name for each; empty for an ordinary day.

    A Saturday that the country has made a working day is no weekend. A day off in place of a
    holiday has the holiday's name.

    >>> occasions("US", date(2018, 7, 4))
    {<Occasion.PUBLIC_HOLIDAY: 'public_holiday'>: ('Independence Day', '美国独立日')}
    >>> occasions("CN", date(2024, 2, 18))  # a Sunday, worked in exchange for the Spring Festival
    {}
    """
    names, chinese, weekdays, worked = _year(country, day.year)
    found: dict[Occasion, Words] = {}
    if day in names:
        english = names[day].replace(" (observed)", "")
        known = chinese.get(day, _CHINESE.get(english, HOLIDAY[1]))
        found[Occasion.PUBLIC_HOLIDAY] = (english, known.replace("（补假）", ""))
    if day.weekday() in weekdays and day not in worked:
        found[Occasion.WEEKEND] = WEEKEND
    return found


@lru_cache(maxsize=64)
def _year(
    country: str, year: int
) -> tuple[dict[date, str], dict[date, str], frozenset[int], frozenset[date]]:
    languages = holidays.country_holidays(country).supported_languages
    english = holidays.country_holidays(
        country, years=year, language="en_US" if "en_US" in languages else None
    )
    chinese = (
        dict(holidays.country_holidays(country, years=year, language="zh_CN"))
        if "zh_CN" in languages
        else {}
    )
    return (
        dict(english),
        chinese,
        frozenset(english.weekend),
        frozenset(getattr(english, "weekend_workdays", ())),
    )
