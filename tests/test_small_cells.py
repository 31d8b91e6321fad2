import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.disclosure import reckoned, settled
from mkt_models.small_cells import cover, hidden, hidden_grid, hide_in_json, hide_small_cells

TABLE = pd.DataFrame(
    {
        "customers": [1200, 4, 0, 3],
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
    assert [b.strip() for _, b in changed] == ["<td>&lt; 5</td>", "<td>…</td>", "<td>…</td>"] * 2
    assert [a.strip() for a, _ in changed] == [
        "<td>4</td>",
        "<td>2.5</td>",
        "<td>0.99 [0.98, 1.00]</td>",
        "<td>3</td>",
        "<td>3.5</td>",
        "<td>0.75 [0.60, 0.80]</td>",
    ]


def test_the_total_minus_the_rest_does_not_tell_the_one_small_row():
    table = pd.DataFrame({"customers": [421, 41, 37, 1]}, index=list("abcd"))
    page = hide_small_cells(table.to_html(), 5)
    assert page.count("&lt; 5") == 1
    assert page.count(">…<") == 1
    assert "37" not in page
    assert "421" in page
    assert "41" in page


def test_two_hidden_rows_of_fewer_than_k_together_hide_a_third():
    assert hidden([1, 2, 30, 40], 5) == [True, True, True, False]
    assert hidden([3, 4, 30, 40], 5) == [True, True, False, False]
    assert hidden([4, 4, 30, 40], 5) == [True, True, True, False]  # 8 is 4 + 4 and nothing else
    assert hidden([1] * 5 + [9, 90], 5) == [True] * 6 + [False]  # 5 is five times 1
    assert hidden([1, 5, 30], 5) == [True, True, True]  # 6 is 1 and what is not below 5
    assert hidden([3, 0, 0], 5) == [True, False, False]
    assert hidden([3, 8], 1) == [False, False]
    assert hidden([float("nan"), 2, 6], 5) == [False, True, True]


@pytest.mark.parametrize("count", ["4", "4.0", "1"])
def test_a_count_is_small_however_it_is_written(count):
    page = f"<table><tr><th>n_customers</th></tr><tr><td>{count}</td></tr></table>"
    assert "&lt; 5" in hide_small_cells(page, 5)


def test_each_outer_name_is_a_total_of_its_own():
    table = pd.DataFrame(
        {
            "attribute": ["age", "age", "age", "sex", "sex"],
            "group": list("xyzab"),
            "customers": [2, 90, 40, 60, 72],
            "rate": [0.5, 0.1, 0.2, 0.3, 0.4],
        }
    ).set_index(["attribute", "group"])
    page = hide_small_cells(table.to_html(), 5)
    assert [figure in page for figure in ("&lt; 5", ">40<", ">90<", ">60<", ">72<")] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert "0.5" not in page
    assert "0.2" not in page
    told = cover(table, 5)
    assert told["customers"].tolist() == ["< 5", 90, "…", 60, 72]
    assert told["rate"].tolist() == ["…", 0.1, "…", 0.3, 0.4]
    assert hide_small_cells(told.to_html(), 5) == told.to_html()


def test_few_of_a_row_are_hidden_and_its_size_is_told():
    table = pd.DataFrame(
        {
            "campaign_id": ["17", "18"],
            "customers": [41, 80],
            "redeemed": [2, 9],
            "share": [0.05, 0.11],
        }
    )
    for told in (cover(table, 5).to_html(), hide_small_cells(table.to_html(), 5)):
        assert [text in told for text in ("17", "41", "80", "0.05", "0.11", "9<")] == [
            True,
            True,
            True,
            False,
            False,
            False,
        ]


def test_a_table_without_small_cells_is_the_same_table():
    table = pd.DataFrame({"customers": [50, 60], "rate": [0.1, 0.2]})
    pd.testing.assert_frame_equal(cover(table, 5), table)
    other = pd.DataFrame({"orders": [1, 2]}).to_html()
    assert hide_small_cells(other, 5) == other
    assert hide_small_cells(TABLE.to_html(), 1) == TABLE.to_html()


def test_a_grid_hides_what_sums_of_rows_and_columns_would_tell():
    counts = np.array([[97, 102, 222], [3, 19, 19], [0, 28, 9], [0, 1, 0]])
    found = hidden_grid(counts, 5)
    assert found[1, 0]
    assert found[3, 1]
    for line, mark in [*zip(counts, found, strict=True), *zip(counts.T, found.T, strict=True)]:
        others = (line > 0) & ~mark
        assert not mark.any() or mark.sum() > 1 or not others.any()
    table = pd.DataFrame(counts, columns=["high", "low", "middle"])
    told = cover(table, 5, grid=True)
    assert told.iloc[1, 0] == "< 5"
    assert told.iloc[0, 2] == 222


def test_a_grid_does_not_add_up_to_a_sum_that_is_hidden_beside_it():
    counts = np.array([[97, 102, 222], [3, 19, 19], [0, 28, 9], [0, 1, 0]])
    sums = hidden(list(counts.sum(axis=1)), 5)
    assert sums == [False, False, True, True]  # 500 - 421 - 41 = 38, of which 37 are in row 2
    found = hidden_grid(counts, 5)
    assert found[2].any()
    assert found[3].any()


def test_a_table_that_is_turned_or_ordered_otherwise_hides_the_same_cells():
    """Else a figure of it would show what the table hides."""
    rng = np.random.default_rng(0)
    for _ in range(12):
        counts = rng.choice(40, (3, 4), replace=False)  # no two alike
        found = hidden_grid(counts, 6)
        assert (found == hidden_grid(counts.T, 6).T).all()
        ways = rng.permutation(3), rng.permutation(4)
        assert (hidden_grid(counts[np.ix_(*ways)], 6) == found[np.ix_(*ways)]).all()
        wider = np.insert(counts, 1, 0, axis=0)  # a stage that nobody is in
        assert (np.delete(hidden_grid(wider, 6), 1, axis=0) == found).all()


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4),
    st.integers(3, 6),
)
def test_sums_of_rows_and_columns_give_no_small_cell_away(counts, k):
    table = np.array(counts)
    found = hidden_grid(table, k)
    sums = [hidden(list(table.sum(axis=axis)), k) for axis in (1, 0)]
    if found[table > 0].all() or not found.any():
        return
    told = {("all",): table.sum(), **{at: n for at, n in np.ndenumerate(table) if not found[at]}}
    gone = {
        at: (1, k - 1) if n < k else (k, np.inf) for at, n in np.ndenumerate(table) if found[at]
    }
    ways = []
    for axis, length in ((0, table.shape[0]), (1, table.shape[1])):
        for i in range(length):
            cells = [at for at in np.ndindex(table.shape) if at[axis] == i]
            if sums[axis][i]:
                continue
            told["sum", axis, i] = sum(table[at] for at in cells)
            ways.append((("sum", axis, i), cells))
    small = [at for at in gone if table[at] < k]
    assert not settled(gone, reckoned(told, gone, ways, small))


@settings(max_examples=50)
@given(
    st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=5),
    st.integers(2, 8),
)
def test_no_line_of_a_grid_tells_its_small_cell(counts, k):
    table = np.array(counts)
    found = hidden_grid(table, k)
    assert found[(table > 0) & (table < k)].all()
    for line, mark in [*zip(table, found, strict=True), *zip(table.T, found.T, strict=True)]:
        if mark.any() and ((line > 0) & ~mark).any():
            assert mark.sum() >= 2
            assert line[mark].sum() >= k


def test_json_loses_small_groups_wherever_they_stand():
    data = {
        "fairness": [
            {"model": "churn", "attribute": "age", "group": "x", "n_customers": 3, "gap": 0.7},
            {"model": "churn", "attribute": "age", "group": "y", "n_customers": 60, "gap": 0.1},
            {"model": "churn", "attribute": "age", "group": "z", "n_customers": 50, "gap": 0.2},
            {"model": "value", "attribute": "age", "group": "y", "n_customers": 61, "gap": 0.3},
        ],
        "deep": {"one": {"customers": 2, "rate": 0.9, "kind": "observed"}},
        "headline": [{"name": "AUC", "value": 0.8, "n": 3}],
    }
    before = json.dumps(data)
    told = hide_in_json(data, 5)
    assert json.dumps(data) == before
    assert [row["gap"] for row in told["fairness"]] == [None, 0.1, None, 0.3]
    assert [row["n_customers"] for row in told["fairness"]] == [None, 60, None, 61]
    assert told["fairness"][0]["group"] == "x"
    assert told["fairness"][0]["fewer_than"] == 5
    assert told["deep"]["one"] == {
        "customers": None,
        "rate": None,
        "kind": "observed",
        "fewer_than": 5,
    }
    assert told["headline"] == data["headline"]
    assert hide_in_json(data, 1) == data


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(2, 12))
def test_no_small_count_is_left_and_none_can_be_had_by_subtraction(counts, k):
    table = pd.DataFrame({"customers": counts})
    for page in (hide_small_cells(table.to_html(), k), cover(table, k).to_html()):
        for n in range(1, k):
            assert f"<td>{n}</td>" not in page
        assert page.count(f"&lt; {k}") == sum(0 < n < k for n in counts)
    told = [row["customers"] for row in hide_in_json(table.to_dict("records"), k)]
    gone = [n for n, shown in zip(counts, told, strict=True) if shown is None]
    if gone and any(told):
        assert len(gone) >= 2
        assert sum(gone) >= k
