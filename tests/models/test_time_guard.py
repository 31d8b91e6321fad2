"""The guard on a small shop: honest features pass, and every way to peek is found."""

from collections.abc import Callable, Hashable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from models.tables import shop

from mkt_models.engine import DuckDB, tables
from mkt_models.models import propensity
from mkt_models.models.labels import labels_at
from mkt_models.models.offer_features import KEYS as KEYS_OF_OFFERS
from mkt_models.models.offer_features import OFFER_FEATURES, offer_choices
from mkt_models.models.time_guard import (
    TimeGuardError,
    changed_by_the_future,
    check_unchanged,
    choices_at,
    customers_at,
    pairs_at,
)
from mkt_models.params import Cutoffs
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.features import features_at, prepare_orders
from mkt_models.profiles.measures import catalogue

D = date(2020, 4, 1)
KEYS = ("customer_id", "as_of")


def at(days: int) -> date:
    return D + timedelta(days=days)


PAST = [("a", at(-40), 500), ("a", at(-3), 250), ("b", at(-1), 300), ("c", at(-20), 900)]
FUTURE = [("a", at(0), 100), ("b", at(5), 700), ("c", at(30), 800), ("d", at(2), 400)]
CAMPAIGNS = [
    ("1", "Type A", at(-30), at(-5), False, False),
    ("2", "Type C", at(0), at(20), False, False),
    ("3", "Type A", at(10), at(40), False, True),
]
OFFERS = [("o1", "1", "p1"), ("o2", "2", "p1"), ("o3", "3", "p2")]
SENT = [
    (who, campaign, "mail", day)
    for campaign, day in (("1", at(-30)), ("2", at(0)))
    for who in "abc"
]
REDEEMED = [("a", "1", "o1", "redemption", at(-10)), ("b", "2", "o2", "redemption", at(6))]


@pytest.fixture
def con() -> DuckDB:
    return shop(
        PAST + FUTURE, campaigns=CAMPAIGNS, offers=OFFERS, exposures=SENT, outcomes=REDEEMED
    )


def peeking(sql: str) -> Callable[[DuckDB], pd.DataFrame]:
    """A feature that is a number per customer, from SQL over the clean tables."""

    def compute(con: DuckDB) -> pd.DataFrame:
        frame = con.execute(f"SELECT customer_id, CAST(x AS DOUBLE) AS x FROM ({sql})").df()
        return frame.assign(as_of=pd.Timestamp(D))

    return compute


def guard(con: DuckDB, compute: Callable[[DuckDB], pd.DataFrame]) -> dict[Hashable, Any]:
    rows = compute(con)
    rows = rows[rows["customer_id"].isin(list("abc"))]
    (row,) = changed_by_the_future(con, rows, KEYS, ["x"], D, compute).to_dict("records")
    return row


def test_the_features_of_customers_do_not_change(con: DuckDB) -> None:
    rows = features_at(con, [at(-30), D])
    table = changed_by_the_future(con, rows, KEYS, list(catalogue()), D, customers_at(D))
    assert table["feature"].tolist() == list(catalogue())
    assert table["n"].unique().tolist() == [3]
    assert table[["without_future", "garbled"]].to_numpy().sum() == 0
    assert table["example"].unique().tolist() == [""]
    check_unchanged(table, D)


def test_the_features_of_campaigns_do_not_change(con: DuckDB) -> None:
    pairs = propensity.exposed(con, at(60))
    rows = propensity.with_features(con, pairs)
    now = pairs[pairs["as_of"] == pd.Timestamp(D)]
    names = list(propensity.features_of_propensity())
    keys = ("customer_id", "campaign_id", "as_of")
    table = changed_by_the_future(con, rows, keys, names, D, pairs_at(now))
    assert table["n"].unique().tolist() == [3]
    check_unchanged(table, D)
    target = changed_by_the_future(
        con, rows, keys, ["target"], D, lambda c: propensity.exposed(c, at(60))
    )
    assert target["without_future"].tolist() == [3]  # without the day, nobody has been sent it


def test_the_features_of_offers_do_not_change(con: DuckDB) -> None:
    pairs = propensity.exposed(con, at(60))
    now = pairs[pairs["as_of"] == pd.Timestamp(D)]
    rows = offer_choices(con, pairs)
    names = list(OFFER_FEATURES)
    table = changed_by_the_future(
        con, rows, KEYS_OF_OFFERS, names, D, choices_at(now, Exclusions())
    )
    assert table["n"].unique().tolist() == [3]
    check_unchanged(table, D)


def test_a_feature_that_includes_the_day_itself_is_found(con: DuckDB) -> None:
    day_too_many = peeking(
        f"SELECT customer_id, count(*) AS x FROM transactions WHERE local_date <= DATE '{D}' "
        "GROUP BY customer_id"
    )
    row = guard(con, day_too_many)
    assert (row["n"], row["without_future"], row["garbled"]) == (3, 1, 2)
    assert row["example"] == "a: 3 in training, 2 without the future"


@pytest.mark.parametrize("table", ["exposures", "outcomes", "transactions"])
def test_a_day_too_many_is_found_where_no_row_is_of_that_day(con: DuckDB, table: str) -> None:
    day = {"exposures": "sent_on", "outcomes": "occurred_on", "transactions": "local_date"}[table]
    con.execute(f"DELETE FROM {table} WHERE {day} = DATE '{D}'")
    feature = (
        f"SELECT c.customer_id, count(t.customer_id) AS x FROM (SELECT DISTINCT customer_id "
        f"FROM transactions WHERE local_date < DATE '{D}') AS c LEFT JOIN {table} AS t "
        f"ON t.customer_id = c.customer_id AND t.{day} {{}} DATE '{D}' GROUP BY c.customer_id"
    )
    assert guard(con, peeking(feature.format("<")))["garbled"] == 0
    row = guard(con, peeking(feature.format("<=")))
    assert row["without_future"] == 0
    assert row["garbled"] > 0


@pytest.mark.parametrize(
    ("sql", "without_future", "garbled"),
    [
        ("SELECT customer_id, sum(amount_cents) AS x FROM transactions GROUP BY customer_id", 3, 3),
        # scaled by the largest amount there ever is: everybody's changes
        (
            "SELECT customer_id, min(amount_cents) / (SELECT max(amount_cents) FROM transactions) "
            "AS x FROM transactions WHERE local_date < DATE '2020-04-01' GROUP BY customer_id",
            0,  # the largest is of the past: only another future shows that the future counts
            3,
        ),
        (
            "SELECT customer_id, count(*) AS x FROM outcomes GROUP BY customer_id "
            "UNION SELECT DISTINCT customer_id, 0 FROM transactions WHERE customer_id NOT IN "
            "(SELECT customer_id FROM outcomes)",
            1,
            2,
        ),
        (
            "SELECT DISTINCT t.customer_id, (SELECT count(*) FROM campaigns) AS x "
            "FROM transactions AS t",
            3,  # the campaign that is yet to begin
            0,
        ),
    ],
    ids=["all time", "scaled by a later maximum", "later outcomes", "later campaigns"],
)
def test_what_looks_ahead_is_found(
    con: DuckDB, sql: str, without_future: int, garbled: int
) -> None:
    row = guard(con, peeking(sql))
    assert (row["without_future"], row["garbled"]) == (without_future, garbled)
    with pytest.raises(TimeGuardError, match=r"1 of 1 features know .* 2020-04-01:\n  x: "):
        check_unchanged(pd.DataFrame([row]), D)


def test_what_is_learnt_of_a_ticket_later_is_not_known_when_it_is_opened(con: DuckDB) -> None:
    con.execute(
        "CREATE TABLE tickets (ticket_id VARCHAR, customer_id VARCHAR, opened_on DATE, "
        "resolved_on DATE, resolved_at TIMESTAMP, satisfaction DOUBLE)"
    )
    con.execute(
        f"INSERT INTO tickets VALUES ('1', 'a', '{at(-9)}', '{at(-2)}', '{at(-2)}', 5), "
        f"('2', 'b', '{at(-9)}', '{at(3)}', '{at(3)}', 1), ('3', 'c', '{at(4)}', NULL, NULL, NULL)"
    )
    opened = "SELECT customer_id, {} AS x FROM tickets WHERE opened_on < DATE '2020-04-01'"
    assert guard(con, peeking(opened.format("1")))["without_future"] == 0
    row = guard(con, peeking(opened.format("satisfaction")))
    assert row["without_future"] == 1
    assert row["example"].startswith("b: 1 in training, nan")


def test_a_column_that_was_joined_from_elsewhere_is_found(con: DuckDB) -> None:
    rows = features_at(con, [D]).assign(leak=[1.0, 0.0, 1.0])
    table = changed_by_the_future(con, rows, KEYS, ["orders_7d", "leak"], D, customers_at(D))
    assert table["without_future"].tolist() == [0, 3]
    table = changed_by_the_future(
        con, rows.assign(orders_7d=rows["orders_7d"] + 1), KEYS, ["orders_7d"], D, customers_at(D)
    )
    assert table["garbled"].tolist() == [3]


def test_labels_do_not_look_beyond_their_horizon(con: DuckDB) -> None:
    cutoffs = Cutoffs(
        horizon_days=10, active_days=30, every_days=10, first=at(-10), last=D, test_cutoffs=1
    )
    rows = labels_at(con, cutoffs)
    rows = rows[rows["as_of"] == pd.Timestamp(D)]
    end = at(10)

    def compute(c: DuckDB) -> pd.DataFrame:
        prepare_orders(c)
        # one order a day keeps the data as long as the horizon, as it is where it is trained on
        return labels_at(_with_an_order_on(c, at(9)), cutoffs)

    # the rows to compare are of the cutoff; what may not be known begins at the horizon's end
    shifted = rows.assign(as_of=pd.Timestamp(end))
    table = changed_by_the_future(
        con, shifted, KEYS, ["spend", "churned"], end, lambda c: _moved(compute(c), end)
    )
    assert table["n"].tolist() == [3, 3]
    check_unchanged(table, end)
    too_far = rows.assign(spend=rows["spend"] + 8, as_of=pd.Timestamp(end))
    found = changed_by_the_future(
        con, too_far, KEYS, ["spend"], end, lambda c: _moved(compute(c), end)
    )
    assert found["without_future"].tolist() == [3]


def _with_an_order_on(con: DuckDB, day: date) -> DuckDB:
    con.execute(
        "INSERT INTO orders (customer_id, local_date, amount_cents) "
        f"VALUES ('nobody', DATE '{day}', 0)"
    )
    return con


def _moved(labels: pd.DataFrame, to: date) -> pd.DataFrame:
    of_last = labels[labels["as_of"] == pd.Timestamp(D)]
    return of_last.assign(as_of=pd.Timestamp(to))


def test_the_connection_is_left_as_it_was(con: DuckDB) -> None:
    before = tables(con), con.execute("SELECT * FROM transactions ORDER BY ALL").fetchall()
    orders = con.execute("SELECT * FROM orders ORDER BY ALL").fetchall()
    changed_by_the_future(con, features_at(con, [D]), KEYS, ["orders_7d"], D, customers_at(D))
    after = tables(con), con.execute("SELECT * FROM transactions ORDER BY ALL").fetchall()
    assert after[1] == before[1]
    assert after[0] - before[0] <= {"cutoffs"}
    assert con.execute("SELECT * FROM orders ORDER BY ALL").fetchall() == orders


def test_without_a_future_or_rows_nothing_is_claimed(con: DuckDB) -> None:
    rows = features_at(con, [D, at(99)])
    with pytest.raises(ValueError, match="not evaluated: no clean table has a row on or after"):
        changed_by_the_future(con, rows, KEYS, ["orders_7d"], at(99), customers_at(at(99)))
    with pytest.raises(ValueError, match="no row is of this date"):
        changed_by_the_future(con, rows, KEYS, ["orders_7d"], at(-7), customers_at(at(-7)))


def test_it_reads_views_of_parquet_as_a_notebook_does(con: DuckDB, tmp_path: Path) -> None:
    con.execute(f"COPY transactions TO '{tmp_path}/transactions.parquet'")
    with duckdb.connect() as other:
        other.execute(
            f"CREATE VIEW transactions AS SELECT * FROM read_parquet('{tmp_path}/*.parquet')"
        )
        prepare_orders(other)  # products is absent, and made
        rows = features_at(other, [D])
        table = changed_by_the_future(other, rows, KEYS, list(catalogue()), D, customers_at(D))
        check_unchanged(table, D)
        assert table["n"].unique().tolist() == [3]
