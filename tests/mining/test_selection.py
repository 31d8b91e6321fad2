import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.mining.selection import Selection


def chosen(selection: Selection, rows: list[tuple[str, str | None, int, float]]) -> list[str]:
    """Products of the list, from product, category, is_new and probability."""
    frame = pd.DataFrame(rows, columns=["product_id", "category", "is_new", "p"])
    frame["category"] = frame["category"].astype("str")
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("candidates", frame.assign(customer_id="ann"))
        query = selection.sql("SELECT * FROM candidates", "p DESC, product_id")
        return [
            r[0] for r in con.execute(f"SELECT product_id FROM ({query}) ORDER BY rank").fetchall()
        ]


ROWS = [
    ("tea", "DRINKS", 0, 0.9),
    ("milk", "DRINKS", 0, 0.8),
    ("juice", "DRINKS", 1, 0.4),
    ("rice", "FOOD", 0, 0.3),
    ("beans", "FOOD", 1, 0.2),
    ("soap", None, 1, 0.1),
    ("sponge", None, 0, 0.05),
]


@pytest.mark.parametrize(
    ("selection", "products"),
    [
        (Selection(3), ["tea", "milk", "juice"]),
        (Selection(3, max_per_category=1), ["tea", "rice", "soap"]),
        # Without a category there is no limit.
        (Selection(4, max_per_category=1), ["tea", "rice", "soap", "sponge"]),
        # Two of three are new: the best new ones, and then the best of all.
        (Selection(3, new_share=0.5), ["tea", "juice", "beans"]),
        (Selection(10, new_share=0.3), [r[0] for r in ROWS]),
        (Selection(3, 1.0, 1), ["juice", "beans", "soap"]),
    ],
)
def test_lists_worked_by_hand(selection: Selection, products: list[str]) -> None:
    assert chosen(selection, ROWS) == products


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.integers(0, 1), st.integers(1, 9)),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    st.sampled_from([None, 1, 2]),
)
def test_limits_always_hold(
    drawn: list[tuple[str, int, int]], n_items: int, new_share: float, limit: int | None
) -> None:
    rows = [(f"p{i:02d}", c, new, p / 10) for i, (c, new, p) in enumerate(drawn)]
    known = {r[0]: r for r in rows}
    products = chosen(Selection(n_items, new_share, limit), rows)
    categories = pd.Series([known[p][1] for p in products]).value_counts()
    free = Selection(n_items=len(rows), max_per_category=limit)
    possible = chosen(free, rows)
    assert len(products) == min(n_items, len(possible))
    assert limit is None or categories.max() <= limit
    new = sum(known[p][2] for p in products)
    could_be = len(chosen(free, [r for r in rows if r[2]]))
    assert new >= min(-(-new_share * n_items // 1), could_be)
    chances = [known[p][3] for p in products]
    assert chances == sorted(chances, reverse=True)
