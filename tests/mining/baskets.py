"""Orders of few items, and every rule counted the long way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations
from math import ceil

import duckdb
import pandas as pd

DAY = date(2020, 1, 1)
AFTER = DAY + timedelta(days=1)


def tables(
    baskets: Sequence[set[str]], customers: Sequence[str] | None = None
) -> duckdb.DuckDBPyConnection:
    """One order per basket, all on DAY; a product's type is its id in capitals.

    Every order is of another customer unless ``customers`` says whose it is.
    """
    con = duckdb.connect(config={"threads": 1})
    con.execute(
        "CREATE TABLE transactions "
        "(order_id TEXT, customer_id TEXT, product_id TEXT, local_date DATE)"
    )
    con.execute(
        "CREATE TABLE products (product_id TEXT, product_type TEXT, department TEXT, "
        "category TEXT, brand TEXT)"
    )
    whose = customers or [f"c{i}" for i in range(len(baskets))]
    lines = [
        (f"o{i}", whose[i], item, DAY)
        for i, basket in enumerate(baskets)
        for item in sorted(basket)
    ]
    items = sorted(set().union(*baskets))
    if lines:
        columns = ["order_id", "customer_id", "product_id", "local_date"]
        con.register("lines", pd.DataFrame(lines, columns=columns))
        con.execute("INSERT INTO transactions SELECT * FROM lines")
        con.register("kinds", pd.DataFrame({"p": items, "t": [i.upper() for i in items]}))
        con.execute("INSERT INTO products SELECT p, t, 'GROCERY', 'FOOD', NULL FROM kinds")
    return con


@dataclass(frozen=True)
class Counted:
    """A rule by brute force."""

    left: frozenset[str]
    right: frozenset[str]
    orders: int
    left_orders: int
    right_orders: int
    customers: int


def brute_force(
    baskets: Sequence[set[str]],
    customers: Sequence[str],
    *,
    support: Fraction,
    confidence: Fraction,
    lift: Fraction,
    max_items: int,
    max_consequents: int,
) -> Iterator[Counted]:
    """Count every rule of every set in every order, in whole numbers."""
    n = len(baskets)

    def orders(items: frozenset[str]) -> list[int]:
        return [i for i, basket in enumerate(baskets) if items <= basket]

    for size in range(2, max_items + 1):
        for items in combinations(sorted(set().union(*baskets)), size):
            held = orders(frozenset(items))
            if len(held) < max(1, ceil(support * n)):
                continue
            for n_right in range(1, min(max_consequents, size - 1) + 1):
                for chosen in combinations(items, n_right):
                    right = frozenset(chosen)
                    left = frozenset(items) - right
                    a, b = len(orders(left)), len(orders(right))
                    if Fraction(len(held), a) < confidence:
                        continue
                    if Fraction(len(held) * n, a * b) < lift:
                        continue
                    whose = {customers[i] for i in held}
                    yield Counted(left, right, len(held), a, b, len(whose))
