import pandas as pd
import pytest
from models.assignments import at, market

from mkt_models.models.taste_features import PRIOR, TASTES, with_tastes

BOUGHT = [
    ("a", at(-10), 100, "soup"),
    ("a", at(-400), 100, "soup"),
    ("a", at(-20), 9000, "drill"),
    ("b", at(-3), 100, "drill"),
    ("b", at(0), 100, "soup"),  # the day itself is not known yet
]


def asked(*customers: str, campaign: str = "now") -> pd.DataFrame:
    day = pd.Timestamp(at(0))
    return pd.DataFrame({"customer_id": customers, "campaign_id": campaign, "as_of": day})


def test_a_taste_is_a_share_of_lines_drawn_towards_everybodys() -> None:
    con = market([], [], BOUGHT)
    con.execute("INSERT INTO products (product_id, department) VALUES ('drill', 'TOOLS')")
    con.execute("UPDATE transactions SET loyalty_discount_cents = 5 WHERE amount_cents = 9000")
    rows = with_tastes(con, asked("a", "b", "new")).set_index("customer_id")
    assert (rows[list(TASTES)].dtypes == "float64").all()
    food = 2 / 4  # of everybody's lines
    expected = {
        "a": (2 + PRIOR * food) / (3 + PRIOR),
        "b": PRIOR * food / (1 + PRIOR),
        "new": food,
    }
    assert rows["department_lines"].to_dict() == pytest.approx(expected)
    assert rows["lines_ever"].to_dict() == {"a": 3.0, "b": 1.0, "new": 0.0}
    discounted = {"a": (1 + PRIOR / 4) / (3 + PRIOR), "b": PRIOR / 4 / (1 + PRIOR), "new": 1 / 4}
    assert rows["discounted_lines"].to_dict() == pytest.approx(discounted)
    assert rows["department_events"].isna().all()  # nobody's behaviour is on record


def test_what_was_looked_at_tells_too() -> None:
    con = market([], [], BOUGHT)
    con.execute("INSERT INTO products (product_id, department) VALUES ('drill', 'TOOLS')")
    con.execute(
        "CREATE TABLE events (customer_id VARCHAR, product_id VARCHAR, kind VARCHAR, "
        "local_date DATE)"
    )
    seen = [
        ("a", "soup", at(-1)),
        ("a", "drill", at(-2)),
        ("a", None, at(-2)),
        ("b", "soup", at(0)),
    ]
    con.executemany("INSERT INTO events VALUES (?, ?, 'view', ?)", seen)
    rows = with_tastes(con, asked("a", "b")).set_index("customer_id")
    assert rows["department_events"].to_dict() == pytest.approx({"a": 2.5 / 5, "b": 0.5})


def test_a_campaign_without_products_has_no_departments() -> None:
    con = market([], [], BOUGHT)
    rows = with_tastes(con, asked("a", campaign="past"))
    assert rows["department_lines"].isna().all()
    assert rows["lines_ever"].tolist() == [2.0]  # of known products


def test_without_products_there_are_no_tastes() -> None:
    con = market([], [], BOUGHT)
    con.execute("DROP TABLE products")
    assert with_tastes(con, asked("a"))[list(TASTES)].isna().all(axis=None)


def test_no_rows_have_no_tastes() -> None:
    none = with_tastes(market([], []), asked())
    assert none.empty
    assert set(TASTES) <= set(none)
