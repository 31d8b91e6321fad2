import re

import pytest

from mkt_models.profiles.measures import MEASURES, WINDOWS, catalogue, windowed


def test_every_measure_over_every_window():
    assert len(windowed()) == len(MEASURES) * len(WINDOWS)
    assert windowed()["orders_28d"].en == "orders in the last 28 days"
    assert windowed()["orders_28d"].zh == "近28天订单数"
    assert "age <= 28" in windowed()["orders_28d"].sql


@pytest.mark.parametrize("name", catalogue())
def test_a_feature_is_told_in_both_languages(name: str):
    measure = catalogue()[name]
    assert measure.unit
    assert measure.en.isascii()
    assert re.search("[\u4e00-\u9fff]", measure.zh)
    assert "{" not in measure.en + measure.zh + measure.sql
    # The window that the name tells is the window that the words tell.
    if window := re.search(r"_(\d+)d$", name):
        assert window[1] in measure.en
        assert window[1] in measure.zh


def test_no_two_features_say_the_same():
    for words in ([m.en for m in catalogue().values()], [m.zh for m in catalogue().values()]):
        assert len(set(words)) == len(words)
