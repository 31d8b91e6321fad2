"""What becomes of a portable statement."""

import duckdb
import pytest

from mkt_models.engine import local_time
from mkt_models.spark_sql import parse, to_spark

ALLOWED = {
    "SELECT a FROM t ORDER BY a, b DESC": "SELECT a FROM t ORDER BY a NULLS LAST, b DESC",
    "SELECT a / 100.0 AS b FROM t": "SELECT a / CAST(100.0 AS DOUBLE) AS b FROM t",
    "SELECT round(a * 0.5) AS b FROM t": "SELECT ROUND(a * CAST(0.5 AS DOUBLE)) AS b FROM t",
    "SELECT CAST(a AS DOUBLE) * 0.1 AS b FROM t": (
        "SELECT CAST(a AS DOUBLE) * CAST(0.1 AS DOUBLE) AS b FROM t"
    ),
    "SELECT round(a, 2) AS b FROM t": (
        "SELECT (ROUND((a) * CAST(100 AS DOUBLE)) / CAST(100 AS DOUBLE)) AS b FROM t"
    ),
    "SELECT DATEDIFF('day', a, b) AS c FROM t": "SELECT DATEDIFF(DAY, a, b) AS c FROM t",
    "SELECT CAST(floor(a) AS BIGINT) AS b FROM t": "SELECT CAST(FLOOR(a) AS BIGINT) AS b FROM t",
    "SELECT CAST(round(a / 2) AS BIGINT) AS b FROM t": (
        "SELECT CAST(ROUND(a / 2) AS BIGINT) AS b FROM t"
    ),
    "SELECT * FROM read_parquet('/a/b.parquet')": "SELECT * FROM parquet.`file:///a/b.parquet`",
    f"SELECT {local_time('t', 'Europe/Rome')} AS b FROM s": (
        "SELECT (CONVERT_TIMEZONE('UTC', 'Europe/Rome', t)) AS b FROM s"
    ),
    "SELECT 'O''Hara\\' AS a FROM t": "SELECT 'O\\'Hara\\\\' AS a FROM t",
}


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_is_portable_is_translated(sql: str):
    assert parse(sql).spark == ALLOWED[sql]


def test_the_query_of_a_statement_still_means_the_same_in_duckdb():
    query = "SELECT 7.0 * 3 / 2 AS a, round(2.345, 2) AS b, 'it''s' AS c ORDER BY a DESC"
    with duckdb.connect() as con:
        assert con.execute(parse(query).query).fetchall() == con.execute(query).fetchall()


@pytest.mark.parametrize(
    ("sql", "kind", "name"),
    [
        ("SELECT 1 AS a", "query", ""),
        ("CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS a", "table", "t"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1 AS a", "view", "v"),
        ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1 AS a", "view", "v"),
        ("DROP TABLE t", "drop", "t"),
        ("DROP VIEW IF EXISTS v", "drop", "v"),
    ],
)
def test_statements_and_what_they_make(sql: str, kind: str, name: str):
    statement = parse(sql)
    assert (statement.kind, statement.name) == (kind, name)
    assert statement.spark == ("" if kind == "drop" else "SELECT 1 AS a")


def test_the_spark_text_of_a_query_can_be_read():
    assert to_spark("SELECT a, b FROM t ORDER BY a", pretty=True).splitlines() == [
        "SELECT",
        "  a,",
        "  b",
        "FROM t",
        "ORDER BY",
        "  a NULLS LAST",
    ]
