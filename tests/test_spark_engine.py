"""Spark gives what DuckDB gives, construct by construct; `make test-spark` runs this file."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mkt_models.engine import (
    Connection,
    columns,
    connect,
    count,
    literal,
    local_time,
    open_engine,
    register,
    tables,
    write_parquet,
)
from mkt_models.params import Engine
from mkt_models.portable import PortableError

pytestmark = pytest.mark.spark

SMALL = Engine(memory_limit_gb=0.5, threads=1)

# Names of columns: n, m whole numbers; x a double; s a text; d, e days; t a time; b a boolean.
KINDS = {
    "id": "INTEGER",
    "n": "BIGINT",
    "m": "INTEGER",
    "x": "DOUBLE",
    "s": "VARCHAR",
    "d": "DATE",
    "e": "DATE",
    "t": "TIMESTAMP",
    "b": "BOOLEAN",
}
ROWS: list[tuple[Any, ...]] = [
    (0, 3, 2, 2.5, "Ab c", "2017-03-31", "2017-03-01", "2017-03-12 07:00:00", True),
    (1, -7, 3, -2.5, "  é_%\\ '", "2016-02-29", "2017-01-01", "2017-11-05 05:59:00", False),
    (2, 10**15, -3, 0.1, "", "1969-12-31", "1970-01-05", "1999-12-31 23:59:59", True),
    (3, 0, 0, 1e-7, "中文", "2100-01-01", "2017-06-30", "2017-06-01 12:00:00.5", None),
    (4, None, None, None, None, None, None, None, None),
    (5, 3, 2, 0.285, "ab c", "2017-03-31", None, "2017-03-12 06:59:59", False),
]

EXPRESSIONS = [
    *("n + m", "n - m", "n * m", "m % 3", "-m", "abs(n)", "n / NULLIF(m, 0)", "n / 7"),
    *(
        "n / 100.0",
        "7.0 * n / 3",
        "n * 1.5",
        "CAST(n AS DOUBLE) * 0.1",
        "CAST(x AS DOUBLE) * 0.1",
        "x + n",
    ),
    *(
        "round(x)",
        "round(x, 2)",
        "round(CAST(x AS DOUBLE) * 1.15, 3)",
        "round(n / 7, 1)",
        "round(-x)",
    ),
    *("CAST(round(x * 100) AS BIGINT)", "CAST(floor(x) AS BIGINT)", "CAST(ceil(x) AS INTEGER)"),
    *("sqrt(abs(x))", "round(pow(0.5, m / 20.0), 9)", "round(ln(abs(x) + 1), 9)"),
    *("round(exp(m), 6)", "greatest(n, m)", "least(n, x, 0)", "greatest(NULL, m)"),
    *("COALESCE(n, 0)", "COALESCE(x, m)", "NULLIF(n, 3)", "CASE WHEN b THEN 1.5 ELSE 0 END"),
    *("CASE WHEN n > 0.1 THEN 'much' WHEN n IS NULL THEN NULL ELSE 'little' END",),
    *("n = m", "n <> m", "n IS NOT DISTINCT FROM m", "n IS DISTINCT FROM m", "NOT b", "b OR n > 1"),
    *("n IN (3, 0)", "n NOT IN (3, 0)", "n BETWEEN 0 AND 5", "b IS NULL", "x > 0.1", "x = 0.1"),
    *("d - 30", "d + 1", "DATEDIFF('day', d, e)", "DATEDIFF('day', DATE '1970-01-05', d) % 7"),
    *("d < e", "d = DATE '2017-03-31'", "EXTRACT(YEAR FROM d)", "year(d)", "month(d)", "day(d)"),
    *("CAST(t AS DATE)", "EXTRACT(HOUR FROM t)", "CAST(hour(t) AS INTEGER)", "t < d", "t"),
    *("CAST(d AS TIMESTAMP)", "CAST(t AS VARCHAR)", "CAST(d AS VARCHAR)", "CAST(n AS VARCHAR)"),
    *("CAST(b AS VARCHAR)", "CAST(b AS INTEGER)", "CAST(m AS VARCHAR) || ':' || s", "s || n"),
    *("CAST(' 12' AS BIGINT)", "CAST('2017-01-02' AS DATE)", "CAST(NULL AS VARCHAR)"),
    *("upper(s)", "lower(s)", "trim(s)", "length(s)", "substring(s, 2, 3)", "left(s, 2)"),
    *("right(s, 2)", "replace(s, 'b', 'B!')", "position('b' IN s)", "starts_with(s, 'A')"),
    *("md5(s)", "s LIKE 'a%'", "s < 'ab'", "s || ''", "'it''s a \\ and ' || s", "s = ''"),
    *(local_time("t", "America/New_York"), local_time("t", "Asia/Kolkata")),
    f"CAST({local_time('t', 'America/New_York')} AS DATE)",
    f"CAST(EXTRACT(HOUR FROM {local_time('t', 'Australia/Lord_Howe')}) AS INTEGER)",
]

QUERIES = [
    "SELECT * FROM t ORDER BY x DESC, id",
    "SELECT * FROM t ORDER BY s, id",
    "SELECT b, count(*) AS n, count(n) AS m, count(DISTINCT n) AS k, sum(n) AS s, sum(m) AS z, "
    "min(x) AS lo, max(s) AS hi, sum(n) / 100.0 AS c FROM t GROUP BY b ORDER BY b",
    "SELECT sum(n) AS s, count(*) AS k, max(d) AS d FROM t WHERE id > 99",
    "SELECT id, row_number() OVER (PARTITION BY b ORDER BY n DESC, id) AS r, "
    "lag(d) OVER (ORDER BY d, id) AS g, lead(n, 2) OVER (ORDER BY s, id) AS l, "
    "sum(m) OVER (PARTITION BY b ORDER BY id) AS c, rank() OVER (ORDER BY n) AS k, "
    "sum(m) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS w, "
    "count(*) OVER (PARTITION BY b) AS p FROM t ORDER BY id",
    "SELECT a.id, c.n FROM t AS a LEFT JOIN t AS c ON a.n = c.n AND a.id < c.id ORDER BY a.id, c.n",
    "SELECT a.id, c.id AS other FROM t AS a JOIN t AS c ON a.d < c.d ORDER BY a.id, c.id",
    "SELECT a.id FROM t AS a WHERE EXISTS (SELECT 1 FROM t AS c WHERE c.n = a.n AND c.id <> a.id) "
    "AND a.n NOT IN (SELECT m FROM t WHERE m IS NOT NULL AND m > 2) ORDER BY a.id",
    "SELECT id, n NOT IN (SELECT m FROM t WHERE m IS NOT NULL) AS a, n NOT IN (SELECT m FROM t) "
    "AS b, n NOT IN (SELECT m FROM t WHERE id > 99) AS c, n IN (SELECT m FROM t WHERE m > 1) AND b "
    "AS d, CASE WHEN id NOT IN (SELECT id FROM t WHERE b) THEN 1 ELSE 0 END AS e "
    "FROM t ORDER BY id",
    "SELECT id FROM t UNION ALL SELECT id FROM t WHERE b ORDER BY id",
    "SELECT DISTINCT n, b FROM t ORDER BY n, b",
    "WITH v AS (SELECT * FROM (VALUES (DATE '2017-01-01', 1), (DATE '2017-04-01', 2)) "
    "AS v(as_of, k)) "
    "SELECT v.k, count(t.id) AS n, sum(t.n) - (SELECT sum(m) FROM t) AS z FROM v "
    "LEFT JOIN t ON t.d < v.as_of GROUP BY v.k HAVING count(*) > 0 ORDER BY v.k",
    "SELECT n, id FROM t ORDER BY n DESC, id LIMIT 3",
    "SELECT b, sqrt(CAST(greatest(0, count(m) * sum(m * m) - sum(m) * sum(m)) AS DOUBLE)"
    " / NULLIF(count(m) * (count(m) - 1), 0)) AS deviation FROM t GROUP BY b ORDER BY b",
]


@pytest.fixture(scope="module")
def both(
    spark_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Connection, Connection, Path]]:
    """DuckDB, Spark, and a folder whose tables both read."""
    folder = tmp_path_factory.mktemp("it's both")
    on_spark = Engine(url=spark_url, memory_limit_gb=0.5, threads=1)
    with (
        open_engine(SMALL, folder / "spill") as duck,
        open_engine(on_spark, folder / "spill") as spark,
    ):
        yield duck, spark, folder


def lay(both: tuple[Connection, Connection, Path], rows: list[tuple[Any, ...]]) -> None:
    """Let both engines have the table ``t`` of these rows."""
    duck, spark, folder = both
    values = ", ".join(
        f"({', '.join('NULL' if v is None else literal(v) for v in row)})" for row in rows
    )
    casts = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in KINDS.items())
    write_parquet(
        duck,
        f"SELECT {casts} FROM (VALUES {values}) AS v({', '.join(KINDS)})",
        folder / "t.parquet",
    )
    for con in (duck, spark):
        register(con, folder, ["t"])


def same(both: tuple[Connection, Connection, Path], query: str) -> pd.DataFrame:
    duck, spark, _ = both
    expected, found = duck.execute(query).df(), spark.execute(query).df()
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    rows, there = duck.execute(query).fetchall(), spark.execute(query).fetchall()
    assert there == rows
    assert [list(map(type, row)) for row in there] == [list(map(type, row)) for row in rows]
    return expected


def test_expressions_give_the_same_values_and_types(both):
    lay(both, ROWS)
    listed = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(EXPRESSIONS))
    frame = same(both, f"SELECT id, {listed} FROM t ORDER BY id")
    assert len(frame) == len(ROWS)


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_queries_give_the_same_rows_in_the_same_order(both, query: str):
    lay(both, ROWS)
    same(both, query)


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(10**12), 10**12) | st.none(),
            st.integers(-20, 20) | st.none(),
            st.integers(-(10**6), 10**6).map(lambda n: n / 1000) | st.none(),
            st.text("abcAB é中'\\_%", max_size=4) | st.none(),
            st.dates(date(1990, 1, 1), date(2030, 1, 1)) | st.none(),
            st.dates(date(1990, 1, 1), date(2030, 1, 1)) | st.none(),
            st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)) | st.none(),
            st.booleans() | st.none(),
        ),
        min_size=8,
        max_size=30,
    )
)
def test_arbitrary_rows_give_the_same(both, rows):
    lay(both, [(number, *row) for number, row in enumerate(rows)])
    listed = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(EXPRESSIONS))
    same(both, f"SELECT id, {listed} FROM t ORDER BY id")
    for query in QUERIES:
        same(both, query)


def test_a_temporary_table_is_computed_once_and_can_be_made_from_itself(both):
    lay(both, ROWS)
    for con in both[:2]:
        con.execute("CREATE OR REPLACE TEMP TABLE kept AS SELECT id, n FROM t WHERE n > 0")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE kept AS SELECT id, n * 2 AS n, 's' AS k FROM kept"
        )
        con.execute("CREATE OR REPLACE VIEW seen AS SELECT k, sum(n) AS n FROM kept GROUP BY k")
        assert columns(con, "kept") == {"id": "INTEGER", "n": "BIGINT", "k": "VARCHAR"}
        assert {"kept", "seen"} <= tables(con)
    same(both, "SELECT * FROM kept ORDER BY id")
    same(both, "SELECT * FROM seen")
    for con in both[:2]:
        con.execute("CREATE OR REPLACE TEMP TABLE kept AS SELECT id, n, k FROM kept WHERE FALSE")
    assert same(both, "SELECT * FROM kept").empty
    assert same(both, "SELECT * FROM seen").empty  # a view looks when it is asked
    for con in both[:2]:
        con.execute("DROP VIEW seen")
        con.execute("DROP TABLE IF EXISTS kept")
        assert not {"kept", "seen"} & tables(con)


def test_a_file_has_the_same_rows_order_and_types(both, tmp_path: Path):
    lay(both, ROWS)
    query = "SELECT *, sum(n) OVER (ORDER BY id) AS total, 1.5 AS k FROM t ORDER BY x DESC, id"
    duck, spark, _ = both
    with connect(SMALL, tmp_path / "spill") as con:
        for query_ in (query, query.replace("FROM t", "FROM t WHERE id > 99")):
            read = []
            for engine, name in ((duck, "duck"), (spark, "spark")):
                path = tmp_path / f"{name}.parquet"
                n = write_parquet(engine, query_, path)
                source = f"read_parquet({literal(path)})"
                read.append((n, columns(con, source), con.execute(f"FROM {source}").fetchall()))
            assert repr(read[0]) == repr(read[1])


def test_a_file_that_is_written_over_is_read_anew(both, tmp_path: Path):
    _, spark, _ = both
    for rows in (1, 3):
        values = ", ".join(f"({number})" for number in range(rows))
        query = f"SELECT a FROM (VALUES {values}) AS v(a) ORDER BY a"
        assert write_parquet(spark, query, tmp_path / "over.parquet") == rows
        assert register(spark, tmp_path) == ["over"]
        assert count(spark, "over") == rows
    assert count(spark, "over", "a > 0") == 2
    spark.execute("DROP VIEW over")


def test_errors_are_those_of_sql_and_are_short(both, tmp_path: Path):
    lay(both, ROWS)
    _, spark, _ = both
    with pytest.raises(PortableError, match=r"median\(\) is not in the portable subset"):
        spark.execute("SELECT median(n) FROM t")
    with pytest.raises(Exception, match="Table with name nowhere does not exist"):
        spark.execute("SELECT * FROM nowhere").df()
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO") as caught:
        spark.execute("SELECT n / 0 AS q FROM t").df()
    assert "JVM stacktrace" not in str(caught.value)
    with pytest.raises(Exception, match="CAST_INVALID_INPUT"):
        spark.execute("SELECT CAST(s AS BIGINT) AS q FROM t").df()
    spark.execute("CREATE OR REPLACE TEMP TABLE name AS SELECT 1 AS a")
    with pytest.raises(PortableError, match="name is a table already; drop it"):
        spark.execute("CREATE OR REPLACE VIEW name AS SELECT 2 AS a")
    spark.execute("DROP TABLE name")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.parquet: no such table"):
        register(spark, tmp_path, ["nowhere"])


def test_temporary_tables_end_with_the_connection(spark_url: str, tmp_path: Path):
    engine = Engine(url=spark_url, memory_limit_gb=0.5, threads=1)
    with open_engine(engine, tmp_path) as con:
        con.execute("CREATE OR REPLACE TEMP TABLE kept AS SELECT 1 AS a")
        assert list(tmp_path.rglob("*.parquet"))
    assert not list(tmp_path.rglob("*.parquet"))
