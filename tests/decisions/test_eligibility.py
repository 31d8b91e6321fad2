import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.columns import NOT_AVAILABLE, PROFILE_DIMENSIONS, SENSITIVE
from mkt_models.decisions.eligibility import GUARDED, PROFILE_COLUMNS, Rule, ineligible, missing


@pytest.mark.parametrize(
    ("column", "op", "value", "holds"),
    [
        ("orders_90d", "==", 3, True),
        ("orders_90d", "!=", 3, False),
        ("orders_90d", ">", 3, False),
        ("orders_90d", ">=", 3, True),
        ("orders_90d", "<", 3, False),
        ("orders_90d", "<=", 3.0, True),
        ("lifecycle_stage", "in", ("active", "new"), True),
        ("lifecycle_stage", "not_in", ("active", "new"), False),
        ("lifecycle_stage", "==", "lost", False),
        ("top_categories", "has", "SOUP", True),
        ("top_categories", "has", "WINE", False),
    ],
)
def test_each_comparison(column, op, value, holds):
    profile = {"orders_90d": 3, "lifecycle_stage": "active", "top_categories": ["SOUP"]}
    assert (ineligible([Rule(column=column, op=op, value=value)], profile) == ()) is holds


def test_a_fault_says_what_is_and_what_must_be():
    (why,) = ineligible([Rule(column="orders_90d", op=">=", value=2)], {"orders_90d": 1})
    assert why.code == "not_eligible"
    assert why.en == "not eligible: orders in 90 days is 1, must be >= 2"
    assert why.zh == "不符合条件：90 天订单数为 1，要求 >= 2"


@given(
    value=st.sampled_from([None, float("nan"), NOT_AVAILABLE, [], "a text", object()]),
    op=st.sampled_from(["==", "!=", ">", ">=", "<", "<="]),
)
def test_a_missing_value_is_not_available_whatever_the_comparison(value, op):
    rule = Rule(column="orders_90d", op=op, value=1)
    faults = ineligible([rule], {"orders_90d": value})
    if missing(value) or op not in ("==", "!="):
        assert [fault.code for fault in faults] == ["not_available"]
    assert [fault.code for fault in ineligible([rule], {})] == ["not_available"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"column": "order_90d", "op": ">", "value": 1}, "did you mean 'orders_90d'"),
        ({"column": "orders_90d", "op": "has", "value": 1}, "'has' does not apply"),
        ({"column": "orders_90d", "op": ">", "value": "1"}, "must be a number"),
        ({"column": "orders_90d", "op": ">", "value": True}, "valid"),
        ({"column": "value_tier", "op": "==", "value": "hgih"}, "did you mean 'high'"),
        ({"column": "value_tier", "op": "in", "value": "high"}, "give a list"),
        ({"column": "value_tier", "op": "==", "value": ["high"]}, "give a list"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(rule, message):
    with pytest.raises(ValueError, match=message):
        Rule(**rule)


def test_rules_and_profiles_have_one_vocabulary():
    placed = [name for names in PROFILE_DIMENSIONS.values() for name in names]
    assert list(PROFILE_COLUMNS) == placed
    assert set(GUARDED) == {*SENSITIVE, "price_index", "purchasing_power"}


def test_every_column_has_words_in_both_languages():
    assert all(column.words[0] and column.words[1] for column in PROFILE_COLUMNS.values())


def test_labels_and_lists_are_said_in_words_of_both_languages():
    rules = [Rule(column="lifecycle_stage", op="in", value=["new", "active"])]
    (fault,) = ineligible(rules, {"lifecycle_stage": "lost"})
    assert "must be one of" in fault.en
    assert fault.zh.startswith("不符合条件：")
    for code in ("lost", "new", "active", " in "):
        assert code not in fault.zh
