from datetime import date

import pytest

from mkt_models.decisions.occasions import Occasion, check_country, occasions


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


def test_an_unknown_country_is_refused():
    with pytest.raises(ValueError, match="public holidays are not known"):
        check_country("XX")
