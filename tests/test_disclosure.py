from math import inf

import pytest

from mkt_models.disclosure import Contradiction, reckoned, settled


def test_two_counts_below_five_that_add_up_to_eight_are_four_each():
    hidden = {"a": (1, 4), "b": (1, 4)}
    found = reckoned({"all": 30, "c": 22}, hidden, [("all", ["a", "b", "c"])])
    assert found == {"a": (4, 4), "b": (4, 4)}
    assert settled(hidden, found) == ["a", "b"]


def test_what_one_table_hides_another_gives_away():
    """500 - 421 - 41 = 38 are lost or new; the other table has 0 + 28 + 9 of the lost."""
    told = {"all": 500, "active": 421, "dormant": 41, "high": 0, "low": 28, "middle": 9}
    hidden = {"lost": (5, inf), "new": (1, 4)}
    total = ("all", ["active", "dormant", "lost", "new"])
    alone = reckoned(told, hidden, [total])
    assert alone == {"lost": (34, 37), "new": (1, 4)}
    assert settled(hidden, alone) == []
    both = reckoned(told, hidden, [total, ("lost", ["high", "low", "middle"])])
    assert both == {"lost": (37, 37), "new": (1, 1)}
    assert settled(hidden, both) == ["lost", "new"]


def test_a_whole_may_be_hidden_and_an_ellipsis_has_no_upper_end():
    hidden = {"whole": (5, inf), "a": (1, 4), "b": (5, inf)}
    assert reckoned({"c": 3}, hidden, [("whole", ["a", "b", "c"])], ["whole", "b"]) == {
        "whole": (9, inf),
        "b": (5, inf),
    }


def test_sums_of_other_customers_contradict():
    with pytest.raises(Contradiction, match="no counts fulfil all 1 sums"):
        reckoned({"all": 10}, {"a": (1, 4), "b": (1, 4)}, [("all", ["a", "b"])])


def test_a_count_of_one_kind_only_is_not_settled_by_a_sum():
    assert settled({"a": (1, 1)}, {"a": (1, 1)}) == []
