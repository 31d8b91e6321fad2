"""What stands on a page in place of a customer: nobody's row."""

import json

import pandas as pd
import pytest

from mkt_models.typical import customer_to_read, in_common, typical, typical_tags

DAY = pd.Timestamp("2018-01-01")
PROFILES = pd.DataFrame(
    {
        "customer_id": list("abcdef"),
        "as_of": DAY,
        "age_band": [None, None, "35-44", "35-44", "45-54", "65+"],
        "lifecycle_stage": ["lost", "active", "active", "active", "active", "new"],
        "value_tier": ["low", "high", "high", "high", "high", "low"],
        "orders_90d": [0.0, 1.0, 3.0, 5.0, 100.0, 2.0],
        "rating": [None, None, None, 4.5, 2.0, None],
        "likes": [[], ["tea", "bread"], ["tea"], ["tea", "beer"], ["bread"], []],
        "interest_tags": [["pets"], ["pets", "beer"], ["pets", "beer"], [], [], []],
    }
)


def tags(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "customer_id": customer,
                "as_of": DAY,
                "tag": tag,
                "family": "interest",
                "evidence": json.dumps({"points": points, "signals": [], "none": None}),
                "strength": strength,
                "private": False,
            }
            for customer, tag, points, strength in rows
        ]
    )


TAGS = tags(
    ("a", "pets", 90, 0.1),
    ("b", "pets", 10, 0.6),
    ("c", "pets", 20, 0.7),
    ("d", "pets", 90, 0.9),
    ("b", "gourmet", 7, 0.5),
)


def test_a_value_is_shown_if_enough_customers_have_it():
    found = typical(PROFILES.drop(columns="customer_id"), 3)
    assert found["orders_90d"] == 2.5  # 0 1 2 3 5 100
    assert found["lifecycle_stage"] == "active"
    assert pd.isna(found["age_band"])  # two are 35-44
    assert pd.isna(found["rating"])  # two have rated
    assert found["likes"] == ["tea"]  # three; bread has two
    assert found["as_of"] == DAY
    assert found["interest_tags"] == ["pets"]
    assert typical(PROFILES, 2)["likes"] == ["tea", "bread"]
    assert typical(PROFILES, 2)["interest_tags"] == ["pets"]  # two of six have the other


def test_the_customer_to_read_is_the_largest_group_and_nobody():
    before = PROFILES.copy(deep=True)
    profile, own, said = customer_to_read(PROFILES, TAGS, 3, single=False)
    assert profile["orders_90d"] == 4.0  # the median of b to e, which nobody has
    assert (profile["lifecycle_stage"], profile["value_tier"]) == ("active", "high")
    assert "4 active customers of high value" in said
    assert own["tag"].tolist() == ["pets"]  # b, c, d of four; gourmet is one customer's
    assert own["strength"].tolist() == [0.7]
    assert json.loads(own["evidence"].iloc[0]) == {"points": 20.0, "signals": [], "none": None}
    for shown in (profile.index, own.columns):
        assert "customer_id" not in shown
    pd.testing.assert_frame_equal(PROFILES, before)


def test_a_group_of_too_few_is_not_typical_of_anything():
    profile, own, said = customer_to_read(PROFILES, TAGS, 5, single=False)
    assert profile.isna().all()
    assert own.empty
    assert said == "No group is of 5 customers or more, so nothing is typical."


def test_a_single_customer_is_shown_when_the_parameters_say_so_and_without_the_id():
    profile, own, said = customer_to_read(PROFILES, TAGS, 3, single=True)
    assert profile["orders_90d"] == 3  # c, the first whose age is known
    assert own["strength"].tolist() == [0.7]
    assert said == "One customer."
    assert "customer_id" not in profile.index
    assert "customer_id" not in own.columns


def test_half_of_the_customers_must_have_a_tag():
    assert typical_tags(TAGS, pd.Series(list("bcd")), 2)["tag"].tolist() == ["pets"]
    assert typical_tags(TAGS, pd.Series(list("bcdxyzw")), 2)["tag"].tolist() == []
    assert typical_tags(TAGS, pd.Series(["b"]), 1)["tag"].tolist() == ["pets", "gourmet"]


@pytest.mark.parametrize(("k", "shown"), [(2, {"pieces": 0, "channel": "app"}), (3, {})])
def test_rows_of_one_customer_have_nothing_in_common(k, shown):
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "c"],
            "pieces": [0, 0, 0, 0, 2],
            "channel": ["app", "app", "app", "web", "app"],
            "amount": [7.5, 7.5, 7.5, 1.0, 2.0],
        }
    )
    assert in_common(rows, k) == shown
    assert in_common(rows.drop(columns="customer_id"), 3)["amount"] == 7.5
