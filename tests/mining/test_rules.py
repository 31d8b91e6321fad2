from fractions import Fraction
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mining.baskets import AFTER, DAY, brute_force, tables
from mining.tables import mining

from mkt_models.mining.derive import RULE_COLUMNS, Thresholds
from mkt_models.mining.rules import (
    READ_COLUMNS,
    association_rules,
    best_rules,
    bought_together,
    left_out,
    rules_at_levels,
)
from mkt_models.profiles.exclusions import Exclusions


def rules(con, support: float, **keep: object) -> pd.DataFrame:
    return association_rules(con, as_of=AFTER, keep=Thresholds(support, **keep))


def test_numbers_worked_by_hand() -> None:
    # 10 orders: a in 4, b in 5, both in 3, which are of two customers.
    baskets = [{"a", "b"}] * 3 + [{"a"}] + [{"b"}] * 2 + [{"c"}] * 4
    whose = ["ann", "ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal", "ida"]
    table = rules(tables(baskets, whose), 0.3)
    assert list(table.columns) == list(RULE_COLUMNS)
    found = table.set_index("antecedent")
    assert sorted(found.index) == ["A", "B"]
    rule = found.loc["A"]
    assert (rule.consequent, rule.orders, rule.n_orders) == ("B", 3, 10)
    assert (rule.antecedent_orders, rule.consequent_orders) == (4, 5)
    assert (rule.customers, rule.n_customers, rule.level) == (2, 9, "product_type")
    assert (rule.antecedent_items, rule.consequent_items, rule["size"]) == (("A",), ("B",), 2)
    assert rule.support == pytest.approx(0.3)
    assert rule.confidence == pytest.approx(0.75)
    assert rule.lift == pytest.approx(1.5)
    assert rule.leverage == pytest.approx(0.1)
    assert rule.conviction == pytest.approx(0.4 * 0.5 / 0.1)
    assert rule.improvement == pytest.approx(0.75 - 0.5)
    # Fisher: ways to draw 3 or 4 of b's five orders among a's four.
    exact = (comb(5, 3) * comb(5, 1) + comb(5, 4)) / comb(10, 4)
    assert rule.p_orders == pytest.approx(exact)
    assert rule.p_value == rule.q_value == max(rule.p_orders, rule.p_customers)
    assert found.loc["B"].confidence == pytest.approx(0.6)


def test_conviction_is_infinite_where_a_never_comes_alone() -> None:
    found = rules(tables([{"a", "b"}, {"a", "b"}, {"b"}, {"c"}]), 0.5).set_index("antecedent")
    assert found.loc["A"].conviction == np.inf
    assert found.loc["B"].conviction == pytest.approx((3 / 4) * (2 / 4) / (1 / 4))


@pytest.mark.parametrize("support", [0.07, 0.14, 0.28, 0.29, 0.57, 0.58])
def test_a_rule_exactly_on_the_support_is_kept(support: float) -> None:
    # In binary, 0.07 * 100, 0.14 * 100, 0.28 * 100 ... lie above 7, 14, 28.
    n = round(support * 100)
    on = [{"a", "b"}] * n + [{"c"}] * (100 - n)
    below = [{"a", "b"}] * (n - 1) + [{"c"}] * (101 - n)
    assert len(rules(tables(on), support)) == 2
    assert rules(tables(below), support).empty


def test_a_rule_exactly_on_the_lift_is_kept() -> None:
    # lift = 3 * 10 / (5 * 5) = 1.2
    baskets = [{"a", "b"}] * 3 + [{"a"}] * 2 + [{"b"}] * 2 + [{"c"}] * 3
    con = tables(baskets)
    assert set(rules(con, 0.3, min_lift=1.2).antecedent) == {"A", "B"}
    assert rules(con, 0.3, min_lift=1.21).empty


@pytest.mark.parametrize("confidence", [0.07, 0.14, 0.28, 0.29, 0.57, 0.58])
def test_a_rule_exactly_on_the_confidence_is_kept(confidence: float) -> None:
    n = round(confidence * 100)
    on = [{"a", "b"}] * n + [{"a"}] * (100 - n)
    below = [{"a", "b"}] * (n - 1) + [{"a"}] * (101 - n)
    assert "A" in set(rules(tables(on), 0.01, min_confidence=confidence).antecedent)
    assert "A" not in set(rules(tables(below), 0.01, min_confidence=confidence).antecedent)


BASKETS = st.lists(
    st.tuples(st.sets(st.sampled_from("abcdef"), min_size=1), st.sampled_from("xyz")),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(BASKETS, st.data())
def test_rules_of_any_size_equal_brute_force_counts(
    drawn: list[tuple[set[str], str]], data: st.DataObject
) -> None:
    baskets, customers = [items for items, _ in drawn], [who for _, who in drawn]
    n = len(baskets)
    # Thresholds that a rule can meet exactly: k of n orders, or a tenth or a quarter.
    percent = data.draw(st.integers(1, 60), label="support, percent")
    confidence = data.draw(st.sampled_from(["0", "0.25", "0.5", "0.6", "0.75", "1"]), label="conf")
    lift = data.draw(st.sampled_from(["0", "0.8", "1", "1.2", "1.25", "1.5", "2"]), label="lift")
    max_items = data.draw(st.integers(2, 6), label="max_items")
    max_consequents = data.draw(st.integers(1, max_items - 1), label="max_consequents")
    expected = {
        (rule.left, rule.right): (rule.orders, rule.left_orders, rule.right_orders, rule.customers)
        for rule in brute_force(
            [{i.upper() for i in items} for items in baskets],
            customers,
            support=Fraction(percent, 100),
            confidence=Fraction(confidence),
            lift=Fraction(lift),
            max_items=max_items,
            max_consequents=max_consequents,
        )
    }
    with tables(baskets, customers) as con:
        found = rules(
            con,
            percent / 100,
            min_confidence=float(confidence),
            min_lift=float(lift),
            max_items=max_items,
            max_consequents=max_consequents,
        )
    assert {
        (frozenset(r.antecedent_items), frozenset(r.consequent_items)): (
            r.orders,
            r.antecedent_orders,
            r.consequent_orders,
            r.customers,
        )
        for r in found.itertuples()
    } == expected
    assert len(found) == len(expected)
    assert found["lift"].is_monotonic_decreasing
    assert (found["q_value"] >= found["p_value"] - 1e-12).all()
    assert (found["n_orders"] == n).all()


@settings(max_examples=40, deadline=None)
@given(BASKETS, st.integers(2, 5))
def test_redundant_rules_are_those_that_a_part_foretells_as_well(
    drawn: list[tuple[set[str], str]], max_items: int
) -> None:
    baskets, customers = [items for items, _ in drawn], [who for _, who in drawn]
    n = len(baskets)
    every = {
        (rule.left, rule.right): Fraction(rule.orders, rule.left_orders)
        for rule in brute_force(
            [{i.upper() for i in items} for items in baskets],
            customers,
            support=Fraction(1, 100),
            confidence=Fraction(0),
            lift=Fraction(0),
            max_items=max_items,
            max_consequents=1,
        )
    }
    alone = {r: Fraction(sum(next(iter(r)).lower() in b for b in baskets), n) for _, r in every}
    best = {
        (left, right): max(
            [alone[right]] + [c for (x, y), c in every.items() if y == right and x < left]
        )
        for left, right in every
    }
    with tables(baskets, customers) as con:
        found = rules(con, 0.01, max_items=max_items)
        without = rules(con, 0.01, max_items=max_items, redundant=False)
    marked = {
        (frozenset(r.antecedent_items), frozenset(r.consequent_items)): (
            r.redundant,
            pytest.approx(r.improvement),
        )
        for r in found.itertuples()
    }
    assert marked == {
        rule: (every[rule] <= best[rule], float(every[rule] - best[rule])) for rule in every
    }
    pd.testing.assert_frame_equal(
        without.drop(columns="q_value"),
        found[~found["redundant"]].reset_index(drop=True).drop(columns="q_value"),
    )


def test_a_huge_order_is_pruned_before_the_join() -> None:
    # Unpruned, this order alone would give 20 million pairs, and 10 ** 17 sets of five.
    con = tables([{"a", "b", "c"}] * 9 + [{"a", "b", "c"} | {f"x{i}" for i in range(6_300)}])
    con.execute("SET memory_limit = '150MB'; SET max_temp_directory_size = '0KB'")
    found = rules(con, 0.2, max_items=5)
    assert set(found.antecedent) == {"A", "B", "C", "A + B", "A + C", "B + C"}


def test_too_many_sets_say_what_to_change() -> None:
    # Every item of both orders is frequent: 12.5 million pairs, in 5,000 items.
    con = tables([{f"x{i}" for i in range(5_000)}] * 2)
    with pytest.raises(
        ValueError,
        match=r"level product_type, min_support == 0.5 \(1 of 2 orders\), max_items == 3: more "
        r"than 1,000,000 sets of up to 2 items are in enough orders; raise min_support",
    ):
        rules(con, 0.5, max_items=3)
    # Few pairs, but 2 ** 30 sets.
    con = tables([{f"x{i}" for i in range(30)}] * 2)
    with pytest.raises(ValueError, match=r"sets of up to .* raise min_support, lower max_items"):
        rules(con, 0.5, max_items=30)
    with pytest.raises(ValueError, match=r"more than 1,000,000 rules of up to \d+ items; raise"):
        rules(tables([{f"x{i}" for i in range(13)}] * 2), 0.5, max_items=13, max_consequents=12)


def test_left_out_lines_add_up_and_are_in_no_rule() -> None:
    con = tables([{"a", "b", "fuel", "unknown"}, {"a", "b", "coupon", "kosher foods"}, {"fuel"}])
    con.execute("UPDATE products SET department = 'FUEL' WHERE product_id = 'fuel'")
    con.execute("UPDATE products SET category = 'COUPON' WHERE product_id = 'coupon'")
    con.execute("DELETE FROM products WHERE product_id = 'unknown'")
    exclude = Exclusions(("FUEL",), ("COUPON",), ("kosher",))
    table = left_out(con, as_of=AFTER, exclude=exclude).set_index("reason")
    assert table["lines"].to_dict() == {
        "kept": 4,
        "excluded department": 2,
        "excluded category": 1,
        "excluded word": 1,
        "no product_type": 1,
    }
    assert table.loc["excluded department", "orders"] == 2
    found = association_rules(con, as_of=AFTER, keep=Thresholds(0.01), exclude=exclude)
    assert set(found.antecedent) == {"A", "B"}
    assert set(found.n_orders) == {2}
    assert set(found.n_customers) == {2}


def test_orders_on_as_of_are_in_the_future() -> None:
    con = tables([{"a", "b"}])
    assert len(association_rules(con, as_of=AFTER, keep=Thresholds(0.5))) == 2
    empty = association_rules(con, as_of=DAY, keep=Thresholds(0.5))
    assert empty.empty
    assert list(empty.columns) == list(RULE_COLUMNS)


def test_levels_mix_but_never_an_item_with_its_own_category() -> None:
    # Apples and pears are FRUIT, bread and rolls are BAKERY.
    con = tables([{"apple", "bread"}] * 2 + [{"pear", "roll"}, {"apple", "pear", "roll"}])
    con.execute(
        "UPDATE products SET category = CASE WHEN product_id IN ('apple', 'pear') "
        "THEN 'FRUIT' ELSE 'BAKERY' END"
    )

    def pairs(*levels: str) -> set[tuple[str, str]]:
        found = association_rules(
            con, as_of=AFTER, keep=Thresholds(0.25, max_items=3), levels=levels
        )
        return {(r.antecedent, r.consequent) for r in found.itertuples() if r.size == 2}

    assert pairs("category") == {("FRUIT", "BAKERY"), ("BAKERY", "FRUIT")}
    assert ("apple", "bread") in pairs("product_id")
    mixed = pairs("category", "product_type")
    assert ("product_type: APPLE", "category: BAKERY") in mixed
    assert ("product_type: APPLE", "product_type: BREAD") in mixed
    assert not any("APPLE" in a + b and "FRUIT" in a + b for a, b in mixed)
    assert not any("ROLL" in a + b and "BAKERY" in a + b for a, b in mixed)


def test_max_q_value_and_min_customers_are_kept_exactly() -> None:
    baskets = [{"a", "b"}] * 6 + [{"a"}] + [{"c", "d"}] * 2 + [{"c"}] * 11
    con = tables(baskets, ["ann"] * 3 + ["bob"] * 3 + [f"c{i}" for i in range(14)])
    found = rules(con, 0.1).set_index(["antecedent", "consequent"])
    q = found.loc[("A", "B"), "q_value"]
    assert q < found.loc[("C", "D"), "q_value"]
    assert set(rules(con, 0.1, max_q_value=q).antecedent) == {"A", "B"}
    assert rules(con, 0.1, max_q_value=q * 0.999).empty
    assert (found.loc[("A", "B"), "customers"], found.loc[("C", "D"), "customers"]) == (2, 2)
    assert len(rules(con, 0.1, min_customers=2)) == 4
    assert rules(con, 0.1, min_customers=3).empty


def test_every_level_of_the_parameters_has_its_thresholds() -> None:
    con = tables([{"a", "b", "c"}] * 2 + [{"a", "b"}] + [{"d"}] * 7)
    chosen = mining(
        min_support=0.3,
        max_q_value=1,
        rule_levels=[
            {"levels": ["product_type"]},
            {"levels": ["product_id"], "min_support": 0.2, "max_items": 3},
        ],
    )
    found = rules_at_levels(con, as_of=AFTER, mining=chosen)
    assert found["level"].tolist() == ["product_type"] * 2 + ["product_id"] * 9
    assert set(found.query("level == 'product_id' and size == 3").consequent) == {"a", "b", "c"}


def test_without_tests_the_rules_are_the_same() -> None:
    con = tables([{"a", "b"}] * 3 + [{"a", "c"}] * 2 + [{"b", "c"}])
    keep = Thresholds(0.1, max_items=3)
    tested = association_rules(con, as_of=AFTER, keep=keep)
    plain = association_rules(con, as_of=AFTER, keep=keep, tests=False)
    unknown = ["customers", "p_orders", "p_customers", "p_value", "q_value"]
    assert plain[unknown].isna().all(axis=None)
    pd.testing.assert_frame_equal(plain.drop(columns=unknown), tested.drop(columns=unknown))
    with pytest.raises(ValueError, match="max_q_value and min_customers need the tests"):
        association_rules(con, as_of=AFTER, keep=Thresholds(0.1, max_q_value=0.1), tests=False)


def test_errors_that_teach() -> None:
    con = tables([{"a", "b"}])
    with pytest.raises(ValueError, match=r"'type' is no level of products; known: .*product_type"):
        left_out(con, as_of=AFTER, level="type")
    with pytest.raises(ValueError, match="must name one or more, each once"):
        association_rules(con, as_of=AFTER, keep=Thresholds(0.5), levels=[])
    for wrong, words in (
        ({"min_support": 0}, "min_support == 0, must be > 0"),
        ({"min_lift": -1}, "min_lift == -1"),
        ({"min_confidence": 1.5}, "min_confidence == 1.5"),
        ({"max_q_value": 0}, "max_q_value == 0"),
        ({"min_customers": 0}, "min_customers == 0"),
        ({"max_items": 1}, "max_items == 1, must be >= 2"),
        ({"max_consequents": 2}, "max_consequents == 2, must be >= 1 and < max_items == 2"),
    ):
        with pytest.raises(ValueError, match=words):
            Thresholds(**{"min_support": 0.1, **wrong})


def test_bought_together_keeps_every_recommendation_and_its_order() -> None:
    con = tables([{"a", "b"}] * 3 + [{"a", "c"}] + [{"b"}] * 2 + [{"d"}] * 4)
    wanted = pd.DataFrame({"product_type": ["D", "A", "A"], "rank": [1, 2, 3]})
    out = bought_together(rules(con, 0.1, max_items=3), wanted)
    assert out["rank"].tolist() == [1, 2, 3]
    # c: lift 1 * 10 / (4 * 1) = 2.5; b: 3 * 10 / (4 * 5) = 1.5.
    assert out["goes_with"].tolist()[1:] == ["C", "C"]
    assert out["goes_with_lift"].tolist()[1:] == [2.5, 2.5]
    assert out["goes_with"].isna().tolist() == [True, False, False]
    assert list(wanted.columns) == ["product_type", "rank"]


def test_what_goes_with_a_product_comes_from_types_or_else_from_products() -> None:
    con = tables([{"a", "b"}] * 3 + [{"a", "c"}] + [{"b"}] * 2 + [{"d"}] * 4)
    levels = [{"levels": ["category"]}, {"levels": ["product_id"]}, {"levels": ["product_type"]}]
    wanted = pd.DataFrame({"product_type": ["A", "X"], "product_id": ["b", "a"]})

    def goes_with(*chosen: dict[str, list[str]]) -> list[object]:
        found = rules_at_levels(
            con,
            as_of=AFTER,
            mining=mining(min_support=0.1, max_q_value=1, rule_levels=list(chosen)),
        )
        return bought_together(found, wanted)["goes_with"].fillna("-").tolist()

    assert goes_with(*levels) == ["C", "-"]
    assert goes_with(*levels[:2]) == ["a", "c"]
    assert goes_with(levels[0]) == ["-", "-"]


def test_the_best_rules_show_the_same_items_once_per_level() -> None:
    con = tables([{"a", "b", "c"}] * 2 + [{"a", "b"}] + [{"d", "e"}] * 3 + [{"d"}] * 4)
    found = rules(con, 0.2, max_items=3)
    best = best_rules(found, top=1)
    assert list(best.columns) == list(READ_COLUMNS)
    # All lifts are 10 / 3. Of the rules between a, b and c, two have the confidence 1; among
    # equals the alphabet decides.
    assert best[["antecedent", "consequent"]].to_numpy().tolist() == [["A", "B"], ["A + C", "B"]]
    pairs = best_rules(found, top=9)
    assert ["E", "D"] in pairs[["antecedent", "consequent"]].to_numpy().tolist()
    assert len(pairs) == 5  # ab, ac, bc, de; abc
    assert best_rules(found[:0]).empty
