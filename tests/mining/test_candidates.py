from collections import defaultdict
from datetime import timedelta
from math import log

import pandas as pd
import pytest
from mining.tables import AS_OF, mining, small

from mkt_models.mining.candidates import FEATURES, candidates_sql


def test_scores_equal_a_plain_sum_in_python(fill, shop) -> None:
    transactions, products = shop
    seen: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
    for t in transactions.itertuples():
        if t.local_date < AS_OF:
            days = (AS_OF - t.local_date).days
            seen[t.customer_id, t.product_id].add((t.order_id, days))
    rows = fill(transactions, products).execute(candidates_sql(AS_OF, mining())).df()
    for row in rows.itertuples():
        days = [d for _, d in seen.get((row.customer_id, row.product_id), set())]
        assert row.score == pytest.approx(sum(0.5 ** (d / 60) for d in days))
        assert row.times_bought == len(days)
        assert row.times_bought_90d == sum(d <= 90 for d in days)
    assert len(rows) == rows[["customer_id", "product_id"]].drop_duplicates().shape[0]


def test_the_label_looks_at_the_horizon_only(fill) -> None:
    con = small(fill)
    at = AS_OF - timedelta(days=20)
    sql = candidates_sql(at, mining(), horizon_days=20)
    rows = con.execute(sql).df().set_index(["customer_id", "product_id"])["bought"]
    # Before: ann's tea. In [20 days ago, as_of): milk (10 and 20 ago), rice. On as_of: tea.
    assert rows.to_dict() == {("ann", "tea"): 0}
    at = AS_OF - timedelta(days=15)
    rows = con.execute(candidates_sql(at, mining(), horizon_days=15)).df()
    bought = rows.set_index(["customer_id", "product_id"])["bought"].to_dict()
    assert bought == {("ann", "tea"): 0, ("ann", "milk"): 0, ("cat", "milk"): 0, ("cat", "tea"): 0}


def test_what_is_known_of_a_pair_worked_by_hand(fill) -> None:
    rows = small(fill).execute(candidates_sql(AS_OF, mining())).df()
    known = rows.set_index(["customer_id", "product_id"])
    tea = known.loc[("ann", "tea")]
    assert (tea.times_bought, tea.times_bought_90d, tea.days_since_last) == (2, 1, 60)
    assert tea.mean_amount_cents == 300  # orders of 300 cents, 60 and 120 days ago
    assert tea.score == pytest.approx(0.5 + 0.25)
    assert tea.frequency == pytest.approx(log(0.76))
    assert (tea.single, known.loc[("ann", "rice")].single) == (0, 1)
    # ann never bought milk: bob and cat did, of the three who ordered in 90 days.
    milk = known.loc[("ann", "milk")]
    assert (milk.times_bought, milk.score, milk.buyers) == (0, 0, 2)
    assert pd.isna(milk.days_since_last)
    assert milk.mean_amount_cents == 200
    assert milk.popular_share == pytest.approx(2 / 3)
    assert milk.popular_rank == 1
    assert set(FEATURES) <= set(rows.columns)
    assert "bought" not in rows
    assert set(rows["customer_id"]) == {"ann", "bob", "cat"}  # dan comes on the day itself


def test_what_is_no_article_is_marked(fill) -> None:
    rows = small(fill).execute(candidates_sql(AS_OF, mining())).df()
    marked = rows.groupby("product_id")["recommendable"].agg(set).to_dict()
    assert marked == {
        "tea": {True},
        "rice": {True},
        "milk": {True},
        "fuel": {False},
        "misc": {False},
    }
