import numpy as np
import pandas as pd

from mkt_models.evaluation.groups import Needs, group_labels, group_order, groups_of, with_pairs


def people():
    return pd.DataFrame(
        {
            "age": ["old", "old", "young", None, "young", "child"],
            "sex": ["f", "m", "f", "f", None, "m"],
        }
    )


def needs(min_size=2, min_positives=1):
    # Rows 0 and 1 are of one customer.
    customers, target = np.array([0, 0, 1, 2, 3, 4]), np.array([1.0, 0, 1, 0, 0, 1])
    return Needs(customers, target, "classification", min_size, min_positives)


def test_pairs_need_both_attributes():
    both = with_pairs(people(), ["age", "sex"])["age × sex"]
    assert group_labels(both).tolist() == [
        "old × f",
        "old × m",
        "young × f",
        "not available",
        "not available",
        "child × m",
    ]


def test_the_small_are_one_group_that_shows_nothing():
    found = {group.value: group for group in groups_of(people(), ["age"], needs(), pairs=False)}
    # Two rows, but one customer: old is as small as child.
    assert list(found) == ["young", "not available", "too small: 2 groups"]
    assert not found["not available"].shown
    small = found["too small: 2 groups"]
    assert small.why_not == "not judged: 2 groups of fewer than 2 customers"
    assert set(small.row(needs().target, "classification").values()) == {
        "age",
        "too small: 2 groups",
        False,
        None,
    }


def test_why_a_group_is_not_judged():
    found = {g.value: g for g in groups_of(people(), ["age", "sex"], needs(1, 2), pairs=False)}
    assert found["old"].why_not == "not judged: fewer than 2 customers with a positive"
    assert found["f"].why_not == ""
    assert found["not available"].why_not.startswith("not judged: the attribute is unknown")


def test_no_group_is_lost():
    rows = np.concatenate([g.rows for g in groups_of(people(), ["age"], needs(1), pairs=False)])
    assert sorted(rows) == [0, 1, 2, 3, 4, 5]


def test_bands_are_in_the_order_of_their_numbers():
    assert group_order(["65+", "19-24", "not available", "under 5"]) == [
        "under 5",
        "19-24",
        "65+",
        "not available",
    ]
