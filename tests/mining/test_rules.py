from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations
from math import ceil, comb

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.mining.rules import association_rules, bought_together, left_out
from mkt_models.profiles.exclusions import Exclusions

DAY = date(2020, 1, 1)
AFTER = DAY + timedelta(days=1)


def tables(baskets: list[set[str]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    con.execute("CREATE TABLE transactions (order_id TEXT, product_id TEXT, local_date DATE)")
    con.execute(
        "CREATE TABLE products (product_id TEXT, product_type TEXT, department TEXT, category TEXT)"
    )
    lines = [(f"o{i}", item, DAY) for i, basket in enumerate(baskets) for item in sorted(basket)]
    items = sorted(set().union(*baskets))
    if lines:
        frame = pd.DataFrame(lines, columns=["order_id", "product_id", "local_date"])
        con.register("lines", frame)
        con.execute("INSERT INTO transactions SELECT * FROM lines")
        kinds = pd.DataFrame({"p": items, "t": [i.upper() for i in items]})
        con.register("kinds", kinds)
        con.execute("INSERT INTO products SELECT p, t, 'GROCERY', 'FOOD' FROM kinds")
    return con


def rules(con: duckdb.DuckDBPyConnection, support: float, lift: float = 0.0) -> pd.DataFrame:
    return association_rules(con, as_of=AFTER, min_support=support, min_lift=lift)


def test_numbers_worked_by_hand() -> None:
    # 10 orders: a in 4, b in 5, both in 3.
    baskets = [{"a", "b"}] * 3 + [{"a"}] + [{"b"}] * 2 + [{"c"}] * 4
    found = rules(tables(baskets), 0.3).set_index("antecedent")
    assert sorted(found.index) == ["A", "B"]
    rule = found.loc["A"]
    assert (rule.consequent, rule.orders, rule.n_orders) == ("B", 3, 10)
    assert (rule.antecedent_orders, rule.consequent_orders) == (4, 5)
    assert rule.support == pytest.approx(0.3)
    assert rule.confidence == pytest.approx(0.75)
    assert rule.lift == pytest.approx(1.5)
    assert rule.leverage == pytest.approx(0.1)
    assert rule.conviction == pytest.approx(0.4 * 0.5 / 0.1)
    # Fisher: ways to draw 3 or 4 of b's five orders among a's four.
    exact = (comb(5, 3) * comb(5, 1) + comb(5, 4)) / comb(10, 4)
    assert rule.p_value == pytest.approx(exact)
    assert rule.q_value == pytest.approx(exact)
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
    assert set(rules(con, 0.3, 1.2).antecedent) == {"A", "B"}
    assert rules(con, 0.3, 1.21).empty


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sets(st.sampled_from("abcdefg"), min_size=1), min_size=1, max_size=25),
    st.integers(1, 60),
    st.integers(0, 25),
)
def test_rules_equal_brute_force_counts(
    baskets: list[set[str]], percent: int, lift_tenths: int
) -> None:
    n, support, lift = len(baskets), Fraction(percent, 100), Fraction(lift_tenths, 10)
    single = Counter(item for basket in baskets for item in basket)
    pairs = Counter(pair for b in baskets for pair in combinations(sorted(b), 2))
    expected = {
        (x.upper(), y.upper()): (both, single[x], single[y])
        for (a, b), both in pairs.items()
        for x, y in ((a, b), (b, a))
        if both >= ceil(support * n) and Fraction(both * n, single[a] * single[b]) >= lift
    }
    with tables(baskets) as con:
        found = rules(con, percent / 100, lift_tenths / 10)
    assert {
        (r.antecedent, r.consequent): (r.orders, r.antecedent_orders, r.consequent_orders)
        for r in found.itertuples()
    } == expected
    assert found["lift"].is_monotonic_decreasing
    assert (found["q_value"] >= found["p_value"] - 1e-12).all()


def test_a_huge_order_is_pruned_before_the_join() -> None:
    # Unpruned, this order alone would give 20 million pairs.
    con = tables([{"a", "b"}] * 9 + [{"a", "b"} | {f"x{i}" for i in range(6_300)}])
    con.execute("SET memory_limit = '150MB'; SET max_temp_directory_size = '0KB'")
    assert set(rules(con, 0.2).antecedent) == {"A", "B"}


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
    found = association_rules(con, as_of=AFTER, min_support=0.01, min_lift=0, exclude=exclude)
    assert set(found.antecedent) == {"A", "B"}
    assert set(found.n_orders) == {2}


def test_orders_on_as_of_are_in_the_future() -> None:
    con = tables([{"a", "b"}])
    assert len(association_rules(con, as_of=AFTER, min_support=0.5, min_lift=0)) == 2
    assert association_rules(con, as_of=DAY, min_support=0.5, min_lift=0).empty


def test_other_levels_and_errors_that_teach() -> None:
    con = tables([{"a", "b"}])
    assert association_rules(
        con, as_of=AFTER, min_support=0.5, min_lift=0, level="product_id"
    ).antecedent.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"no column 'type' to use as level; has: .*product_type"):
        left_out(con, as_of=AFTER, level="type")
    with pytest.raises(ValueError, match="min_support == 0, must be > 0"):
        rules(con, 0)
    with pytest.raises(ValueError, match="min_lift == -1"):
        rules(con, 0.1, -1)


def test_bought_together_keeps_every_recommendation_and_its_order() -> None:
    con = tables([{"a", "b"}] * 3 + [{"a", "c"}] + [{"b"}] * 2 + [{"d"}] * 4)
    wanted = pd.DataFrame({"product_type": ["D", "A", "A"], "rank": [1, 2, 3]})
    out = bought_together(rules(con, 0.1), wanted)
    assert out["rank"].tolist() == [1, 2, 3]
    # c: lift 1 * 10 / (4 * 1) = 2.5; b: 3 * 10 / (4 * 5) = 1.5.
    assert out["goes_with"].tolist()[1:] == ["C", "C"]
    assert out["goes_with_lift"].tolist()[1:] == [2.5, 2.5]
    assert out["goes_with"].isna().tolist() == [True, False, False]
    assert list(wanted.columns) == ["product_type", "rank"]
