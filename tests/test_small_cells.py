import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.small_cells import hide_small_cells

TABLE = pd.DataFrame(
    {
        "customers": [1200, 4, 0, 5],
        "mean_worth": [1.5, 2.5, 0.0, 3.5],
        "example": ["not eligible: orders is 2", "no offer", "", "x"],
        "auc": ["0.80 [0.70, 0.90]", "0.99 [0.98, 1.00]", "", "0.75 [0.60, 0.80]"],
    },
    index=pd.Index(["a", "b", "c", "d"], name="reason"),
)


def test_rows_of_few_customers_lose_their_figures_and_keep_their_words():
    page = hide_small_cells(TABLE.to_html(), 5)
    before = TABLE.to_html().splitlines()
    changed = [(a, b) for a, b in zip(before, page.splitlines(), strict=True) if a != b]
    assert [b.strip() for _, b in changed] == [
        "<td>&lt; 5</td>",
        "<td>…</td>",
        "<td>…</td>",
    ]
    assert [a.strip() for a, _ in changed] == [
        "<td>4</td>",
        "<td>2.5</td>",
        "<td>0.99 [0.98, 1.00]</td>",
    ]


@pytest.mark.parametrize("count", ["4", "4.0", "1"])
def test_a_count_is_small_however_it_is_written(count):
    page = f"<table><tr><th>n_customers</th></tr><tr><td>{count}</td></tr></table>"
    assert "&lt; 5" in hide_small_cells(page, 5)


def test_several_names_before_the_figures_do_not_shift_the_columns():
    table = pd.DataFrame(
        {"attribute": ["age", "age"], "group": ["x", "y"], "customers": [2, 90], "rate": [0.5, 0.1]}
    ).set_index(["attribute", "group"])
    page = hide_small_cells(table.to_html(), 10)
    assert "&lt; 10" in page
    assert "0.5" not in page
    assert "<td>90</td>" in page
    assert "0.1" in page


def test_tables_that_count_no_customers_and_k_of_one_are_left_alone():
    other = pd.DataFrame({"orders": [1, 2]}).to_html()
    assert hide_small_cells(other, 5) == other
    assert hide_small_cells(TABLE.to_html(), 1) == TABLE.to_html()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(2, 12))
def test_no_small_count_is_left(counts, k):
    page = hide_small_cells(pd.DataFrame({"customers": counts}).to_html(), k)
    for n in range(1, k):
        assert f"<td>{n}</td>" not in page
    assert page.count(f"&lt; {k}") == sum(0 < n < k for n in counts)
