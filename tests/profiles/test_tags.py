"""Rules on small tables: thresholds at their edges, evidence, strength, exclusive families."""

import json
import math
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.profile_params import Risk, RiskSignal
from mkt_models.profiles.tag_catalogue import Family, TagCatalogue
from mkt_models.profiles.tags import TAG_COLUMNS, Tagged, apply_catalogue, risk

NAN = math.nan
DAY, NOW = date(2018, 1, 1), datetime(2018, 1, 1, 5, tzinfo=UTC)
NO_POINTS = pd.DataFrame(
    {"customer_id": [], "interest": [], "interest_points": [], "interest_share": []}
).astype({"customer_id": "str", "interest": "str"})


def catalogue(*tags: dict[str, Any], choose: str = "any", sets: str | None = None) -> TagCatalogue:
    named = [{"name": {"en": "a tag", "zh": "标签"}, **tag} for tag in tags]
    family = {"id": "family", "dimension": "habit", "name": {"en": "f", "zh": "族"},
              "choose": choose, "sets": sets, "tags": named}  # fmt: skip
    return TagCatalogue.model_construct(families=(Family.model_validate(family),))


def table(**columns: list[Any]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    base = {"customer_id": [f"c{i}" for i in range(n)], "orders_365d": [10.0] * n}
    return pd.DataFrame({**base, **columns})


def tagged(frame: pd.DataFrame, rules: TagCatalogue, missing: tuple[str, ...] = (),
           points: pd.DataFrame = NO_POINTS) -> Tagged:  # fmt: skip
    return apply_catalogue(frame, points, rules, frozenset(missing), DAY, NOW)


def who(found: Tagged, tag: str = "often") -> list[str]:
    return found.tags.loc[found.tags["tag"] == tag, "customer_id"].tolist()


def often(op: str = ">=", **threshold: Any) -> dict[str, Any]:
    return {"id": "often", "conditions": [{"column": "orders_90d", "op": op, **threshold}]}


@pytest.mark.parametrize(
    ("op", "has"),
    [(">=", ["c1", "c2"]), (">", ["c2"]), ("<=", ["c0", "c1"]), ("<", ["c0"]), ("==", ["c1"]),
     ("!=", ["c0", "c2"])],
)  # fmt: skip
def test_each_comparison_at_its_edge_and_nothing_for_what_is_missing(op: str, has: list[str]):
    frame = table(orders_90d=[1.0, 2.0, 3.0, NAN])
    assert who(tagged(frame, catalogue(often(op, value=2)))) == has


def test_texts_and_lists():
    frame = table(
        preferred_device=["mobile", "desktop", None], followed_topics=[["food"], [], None]
    )
    wanted = {"id": "often", "conditions": [
        {"column": "preferred_device", "op": "in", "value": ["mobile", "app"]}]}  # fmt: skip
    assert who(tagged(frame, catalogue(wanted))) == ["c0"]
    wanted["conditions"] = [{"column": "preferred_device", "op": "not_in", "value": ["mobile"]}]
    assert who(tagged(frame, catalogue(wanted))) == ["c1"]
    wanted["conditions"] = [{"column": "followed_topics", "op": "has", "value": "food"}]
    assert who(tagged(frame, catalogue(wanted))) == ["c0"]


def test_a_quantile_is_of_the_known_values_and_is_written_into_the_rule():
    frame = table(orders_90d=[0.0, 1.0, 2.0, 3.0, NAN])
    found = tagged(frame, catalogue(often(quantile=0.5)))
    assert who(found) == ["c2", "c3"]
    assert found.cutoffs == {"often.orders_90d": 2.0}
    assert set(found.tags["rule"]) == {"orders_90d >= 2 (quantile 0.5)"}


@pytest.mark.parametrize(
    ("op", "quantile", "have"),
    [
        (">=", 0.75, []),  # 8 of 10 have one order: nobody of them is in the upper quarter,
        (">=", 0.4, list(range(10))),  # but they are where it begins at 0.4
        ("<", 0.5, list(range(8))),
        ("<=", 0.4, list(range(8))),
        (">", 0.4, [8, 9]),
    ],
)
def test_customers_who_are_alike_stay_together(op: str, quantile: float, have: list[int]):
    values = [1.0] * 8 + [2.0, 2.0]
    if op == ">=" and not have:
        values = [1.0] * 10
    found = tagged(table(orders_90d=values), catalogue(often(op, quantile=quantile)))
    assert who(found) == [f"c{i}" for i in have]


def test_a_fact_has_its_day_rule_evidence_and_strength():
    frame = table(orders_90d=[1.0, 2.0, 4.0, 3.0])
    found = tagged(frame, catalogue(often(value=2) | {"min_orders": 3}))
    assert found.tags.columns.tolist() == list(TAG_COLUMNS)
    row = found.tags.iloc[0]
    assert (row["customer_id"], row["tag"], row["family"]) == ("c1", "often", "family")
    assert row["rule"] == "orders_90d >= 2 and orders_365d >= 3"
    assert json.loads(row["evidence"]) == {"orders_90d": 2, "orders_365d": 10}
    assert row["as_of"] == pd.Timestamp(DAY)
    assert row["computed_at"] == "2018-01-01T05:00:00+00:00"
    # The share of customers with at most as many orders: 2, 4 and 3 of four.
    assert found.tags["strength"].tolist() == [0.5, 1.0, 0.75]


def test_fewer_orders_than_the_evidence_asks_give_no_tag():
    frame = table(orders_90d=[5.0, 5.0]).assign(orders_365d=[2.0, 3.0])
    assert who(tagged(frame, catalogue(often(value=1) | {"min_orders": 3}))) == ["c1"]


def test_the_first_tag_of_an_exclusive_family_decides():
    rules = catalogue(
        {"id": "most", "label": "high", "conditions": [
            {"column": "orders_90d", "op": ">=", "value": 3}]},
        {"id": "more", "label": "middle", "conditions": [
            {"column": "orders_90d", "op": ">=", "value": 2}]},
        {"id": "rest", "label": "low"},
        choose="exactly_one",
        sets="value_tier",
    )  # fmt: skip
    found = tagged(table(orders_90d=[3.0, 2.0, 1.0, NAN]), rules)
    assert found.labels["value_tier"].tolist() == ["high", "middle", "low", "low"]
    assert found.tags["customer_id"].tolist() == ["c0", "c1", "c2", "c3"]
    assert found.tags.iloc[2]["rule"] == "no other tag of the family holds"


def test_what_the_source_lacks_asks_nothing_if_the_rule_says_so():
    frame = table(orders_90d=[3.0, 3.0], days_view_to_buy=[NAN, NAN])
    rule = often(value=2)
    rule["conditions"].append({"column": "days_view_to_buy", "op": "<=", "value": 1})
    assert who(tagged(frame, catalogue(rule), ("days_view_to_buy",))) == []
    rule["conditions"][1]["if_available"] = True
    assert who(tagged(frame, catalogue(rule), ("days_view_to_buy",))) == ["c0", "c1"]
    assert who(tagged(frame, catalogue(rule))) == []  # there, and this customer has none


def test_an_index_is_the_mean_rank_of_what_is_there():
    frame = table(
        discount_share=[0.1, 0.2, 0.3, 0.4], days_view_to_buy=[9.0, 8.0, NAN, 1.0],
        views_per_order=[NAN] * 4,
    )  # fmt: skip
    rule = {"id": "often", "conditions": [{"column": "index", "op": ">=", "value": 0.75}],
            "index": {"discount_share": "more", "days_view_to_buy": "less",
                      "views_per_order": "more"}}  # fmt: skip
    found = tagged(frame, catalogue(rule), ("views_per_order",))
    # Ranks .25 .5 .75 1 and (of three) 1/3 2/3 - 1: means .29, .58, .75, 1.
    assert who(found) == ["c2", "c3"]
    assert json.loads(found.tags.iloc[0]["evidence"]) == {
        "discount_share": 0.3, "days_view_to_buy": None, "index": 0.75, "orders_365d": 10,
    }  # fmt: skip


def test_an_interest_asks_its_own_points():
    points = pd.DataFrame(
        {"customer_id": ["c0", "c1", "c1"], "interest": ["often", "often", "other"],
         "interest_points": [20.0, 5.0, 90.0], "interest_share": [0.5, 0.1, 0.9]}
    )  # fmt: skip
    rule = {"id": "often", "interest": {"topics": ["sports"]},
            "conditions": [{"column": "interest_points", "op": ">=", "value": 15}]}  # fmt: skip
    found = tagged(table(orders_90d=[1.0, 1.0, 1.0]), catalogue(rule), points=points)
    assert who(found) == ["c0"]


RULES = Risk(
    middle_points=1,
    high_points=2,
    signals=(
        RiskSignal(column="coupon_share_365d", at_least=0.25, points=1, min_orders=8),
        RiskSignal(column="coupon_share_365d", at_least=0.5, points=1, min_orders=8),
        RiskSignal(column="failed_orders_365d", at_least=2, points=1),
    ),
)


def test_risk_at_its_edges():
    frame = pd.DataFrame(
        {
            "coupon_share_365d": [0.5, 0.49, 0.25, 0.24, 0.9, NAN, 0.3],
            "failed_orders_365d": [NAN, 1, 1, 1, 1, 1, 2],
            "orders_365d": [8, 8, 8, 8, 7, 0, 8],
        }
    )
    found = risk(frame, RULES)
    assert found["risk_tier"].tolist() == [
        "high", "middle", "middle", "low", "low", "low", "high",
    ]  # fmt: skip
    assert found["risk_points"].tolist() == [2, 1, 1, 0, 0, 0, 2]
    assert found["risk_signals"].iloc[6] == ["coupon_share_365d", "failed_orders_365d"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1e6) | st.just(NAN), min_size=1, max_size=30),
    st.floats(0, 1),
    st.sampled_from([">", ">=", "<", "<="]),
)
def test_strength_is_in_its_range_and_who_is_more_so_has_it_too(
    values: list[float], quantile: float, op: str
):
    frame = table(orders_90d=values)
    found = tagged(frame, catalogue(often(op, quantile=quantile)))
    assert found.tags["strength"].between(0, 1, inclusive="right").all()
    has = frame["customer_id"].isin(who(found))
    known = frame["orders_90d"].notna()
    with_it, without = frame.loc[has, "orders_90d"], frame.loc[known & ~has, "orders_90d"]
    if len(with_it) and len(without):
        assert with_it.min() > without.max() if op in (">", ">=") else with_it.max() < without.min()
    assert not (has & ~known).any()
