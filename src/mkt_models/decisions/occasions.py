"""What a day is in a country or region: weekend, public holiday, or neither; which comes next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays

from mkt_models.decisions.words import Words
from mkt_models.sections import nearest

WEEKEND: Words = ("the weekend", "周末")
HOLIDAY: Words = ("a public holiday", "公共假日")
FURTHEST = 30
"""A holiday is looked for so many days ahead at most."""

# The calendar library has no Chinese names for every country; these are the ones in use here.
_CHINESE = {
    "New Year's Day": "元旦",
    "Martin Luther King Jr. Day": "马丁·路德·金日",
    "Washington's Birthday": "总统日",
    "Presidents' Day": "总统日",
    "Good Friday": "耶稣受难日",
    "Patriots' Day": "爱国者日",
    "Cesar Chavez Day": "凯萨·查维斯日",
    "Susan B. Anthony Day": "苏珊·安东尼日",
    "Indigenous Peoples' Day": "原住民日",
    "Election Day": "选举日",
    "Diwali": "排灯节",
    "Memorial Day": "阵亡将士纪念日",
    "Juneteenth National Independence Day": "六月节",
    "Independence Day": "美国独立日",
    "Labor Day": "劳动节",
    "Columbus Day": "哥伦布日",
    "Veterans Day": "退伍军人节",
    "Thanksgiving Day": "感恩节",
    "Day After Thanksgiving": "感恩节次日",
    "Christmas Eve": "平安夜",
    "Christmas Day": "圣诞节",
    "New Year's Eve": "新年前夕",
}
# The library's bookkeeping, which no customer should read; and shorter names.
_SHORTER = {"Chinese New Year (Spring Festival)": "Spring Festival"}
_DAY_OFF = ("Day off (", "Day Off (")


class Occasion(StrEnum):
    """A kind of day that a strategy may wait for."""

    WEEKEND = "weekend"
    PUBLIC_HOLIDAY = "public_holiday"


OCCASIONS: dict[Occasion, Words] = {Occasion.WEEKEND: WEEKEND, Occasion.PUBLIC_HOLIDAY: HOLIDAY}


@dataclass(frozen=True, slots=True)
class Year:
    """The days of a year in a country: holidays by name, weekdays of the weekend, and exchanges."""

    names: Mapping[date, Words]
    weekend: frozenset[int]
    worked: frozenset[date]


def check_country(country: str) -> str:
    """Return ``country`` if its holidays are known, else raise ValueError with the nearest."""
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError(
            f"country == {country!r}: its public holidays are not known{nearest(country, known)}"
        )
    return country


def check_region(country: str, region: str) -> str:
    """Return ``region`` if it is one of the country's, else raise ValueError with the nearest."""
    known = holidays.list_supported_countries()[check_country(country)]
    if region not in known:
        which = ", ".join(known) or "none: its holidays are the same everywhere"
        raise ValueError(
            f"region == {region!r}: no region of {country} whose holidays are known"
            f"{nearest(region, known)}; known: {which}"
        )
    return region


def occasions(country: str, day: date, region: str | None = None) -> dict[Occasion, Words]:
    """Say what ``day`` is in ``country``, with a name for each; empty for an ordinary day.

    A Saturday that the country has made a working day is no weekend. A day off in place of a
    holiday, or beside one, has the holiday's name.

    >>> occasions("US", date(2018, 7, 4))
    {<Occasion.PUBLIC_HOLIDAY: 'public_holiday'>: ('Independence Day', '美国独立日')}
    >>> occasions("CN", date(2024, 2, 18))  # a Sunday, worked in exchange for the Spring Festival
    {}
    """
    year = _year(country, region, day.year)
    found: dict[Occasion, Words] = {}
    if day in year.names:
        found[Occasion.PUBLIC_HOLIDAY] = year.names[day]
    if day.weekday() in year.weekend and day not in year.worked:
        found[Occasion.WEEKEND] = WEEKEND
    return found


@lru_cache(maxsize=1024)
def next_holiday(country: str, day: date, region: str | None = None) -> tuple[int, Words] | None:
    """The next public holiday after ``day``: days until it begins, and its name.

    None when none begins within 30 days, and during a holiday: its second day is not ahead.

    >>> next_holiday("US", date(2018, 12, 22))
    (3, ('Christmas Day', '圣诞节'))
    """
    if day in _year(country, region, day.year).names:
        return None
    for days in range(1, FURTHEST + 1):
        then = day + timedelta(days=days)
        name = _year(country, region, then.year).names.get(then)
        if name is not None:
            return days, name
    return None


@lru_cache(maxsize=256)
def _year(country: str, region: str | None, year: int) -> Year:
    # The years beside it: a day off on New Year's Eve has the name of New Year's Day.
    years = [year - 1, year, year + 1]
    languages = holidays.country_holidays(country).supported_languages
    english = holidays.country_holidays(
        country, subdiv=region, years=years, language="en_US" if "en_US" in languages else None
    )
    chinese = (
        dict(holidays.country_holidays(country, subdiv=region, years=years, language="zh_CN"))
        if "zh_CN" in languages
        else {}
    )
    named = {
        day: _words(name, chinese.get(day))
        for day, name in english.items()
        if not name.startswith(_DAY_OFF)
    }
    names = {day: named.get(day) or _beside(day, named) for day in english if day.year == year}
    worked = frozenset(getattr(english, "weekend_workdays", ()))
    return Year(names, frozenset(english.weekend), worked)


def _words(english: str, chinese: str | None) -> Words:
    # Two holidays may fall on one day: the first stands for both.
    english = english.split("; ")[0].replace(" (observed)", "")
    english = _SHORTER.get(english, english)
    known = (chinese or "").split("; ")[0] or _CHINESE.get(english, HOLIDAY[1])
    return english, known.replace("（补假）", "")


def _beside(day: date, named: Mapping[date, Words]) -> Words:
    """The name of the holiday that a day off belongs to: the nearest within a week."""
    near = [(abs((day - other).days), other) for other in named if abs((day - other).days) <= 7]
    return named[min(near)[1]] if near else HOLIDAY
