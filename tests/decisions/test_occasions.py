from datetime import date

import pytest

from mkt_models.decisions.occasions import (
    Occasion,
    check_country,
    check_region,
    next_holiday,
    occasions,
)


@pytest.mark.parametrize(
    ("country", "day", "found"),
    [
        ("US", date(2018, 1, 6), {Occasion.WEEKEND}),
        ("US", date(2018, 1, 8), set()),
        ("US", date(2018, 12, 25), {Occasion.PUBLIC_HOLIDAY}),
        ("CN", date(2024, 2, 10), {Occasion.WEEKEND, Occasion.PUBLIC_HOLIDAY}),
        ("CN", date(2024, 2, 18), set()),  # a working Sunday
        ("SA", date(2024, 1, 5), {Occasion.WEEKEND}),  # a Friday
    ],
)
def test_the_country_decides(country, day, found):
    assert set(occasions(country, day)) == found


def test_names_in_both_languages():
    assert occasions("US", date(2018, 11, 12))[Occasion.PUBLIC_HOLIDAY] == (
        "Veterans Day",
        "退伍军人节",
    )
    assert occasions("CN", date(2024, 2, 10))[Occasion.PUBLIC_HOLIDAY][1] == "春节"
    # A working day off in place of a Sunday.
    assert occasions("CN", date(2017, 1, 2))[Occasion.PUBLIC_HOLIDAY] == ("New Year's Day", "元旦")


@pytest.mark.parametrize("country", ["US", "CN", "SG", "GB", "HK"])
def test_no_name_tells_the_calendars_bookkeeping(country):
    first = date(2017, 1, 1).toordinal()
    days = [date.fromordinal(first + n) for n in range(3 * 365)]
    names = [words for day in days for words in occasions(country, day).values()]
    assert names
    assert not [words for words in names if "observed" in words[0] or "补假" in words[1]]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2018, 2, 15), ("Spring Festival", "春节")),  # exchanged for a Sunday
        (date(2018, 12, 31), ("New Year's Day", "元旦")),  # of the next year
        (date(2024, 10, 7), ("National Day", "国庆节")),
        (date(2025, 1, 28), ("Chinese New Year's Eve", "农历除夕")),
        (date(2025, 10, 6), ("Mid-Autumn Festival", "中秋节")),
    ],
)
def test_a_day_off_beside_a_holiday_has_its_name(day, name):
    assert occasions("CN", day)[Occasion.PUBLIC_HOLIDAY] == name


@pytest.mark.parametrize("country", ["US", "CN"])
def test_every_holiday_of_ten_years_is_named_in_both_languages(country):
    first = date(2017, 1, 1).toordinal()
    days = [date.fromordinal(first + n) for n in range(3652)]
    names = {
        found[Occasion.PUBLIC_HOLIDAY]
        for day in days
        if Occasion.PUBLIC_HOLIDAY in (found := occasions(country, day))
    }
    assert len(names) >= 7
    assert all(en.isascii() and not zh.isascii() and zh != "公共假日" for en, zh in names)
    assert not [en for en, _ in names if "substituted" in en or ";" in en]


@pytest.mark.parametrize(
    ("country", "day", "found"),
    [
        ("US", date(2018, 12, 22), (3, ("Christmas Day", "圣诞节"))),
        ("US", date(2018, 12, 30), (2, ("New Year's Day", "元旦"))),  # over the year's end
        ("US", date(2018, 12, 25), None),  # the day itself
        ("CN", date(2024, 2, 11), None),  # within the Spring Festival
        ("CN", date(2024, 2, 9), (1, ("Spring Festival", "春节"))),
        ("US", date(2018, 7, 5), None),  # two months without one
    ],
)
def test_the_next_holiday_and_how_far_it_is(country, day, found):
    assert next_holiday(country, day) == found


def test_regions_have_holidays_of_their_own():
    patriots = date(2018, 4, 16)
    assert not occasions("US", patriots)
    assert occasions("US", patriots, "MA")[Occasion.PUBLIC_HOLIDAY][1] == "爱国者日"
    assert check_region("US", "MA") == "MA"
    with pytest.raises(ValueError, match="known: none: its holidays are the same everywhere"):
        check_region("CN", "BJ")


def test_an_unknown_country_is_refused():
    with pytest.raises(ValueError, match="public holidays are not known"):
        check_country("XX")
