"""What the guard refuses, by name; the fitting words to use instead."""

import pytest

from mkt_models.portable import PortableError
from mkt_models.spark_sql import parse

REFUSED = {
    "SELECT isodow(day) FROM t": r"dayofweek_iso\(\) is not .* Monday is 0",
    "SELECT dayofweek(day) FROM t": r"day_of_week\(\) is not .* Monday is 0",
    "SELECT log(x) FROM t": r"log\(\) is not .*; write ln\(x\)",
    "SELECT list(x ORDER BY y) FROM t": r"array_agg\(\)",
    "SELECT date_diff('day', opened_at, closed_at) FROM t": "DATEDIFF of times",
    "SELECT DATEDIFF('day', CAST(a AS TIMESTAMP), b) FROM t": "DATEDIFF of times",
    "SELECT DATEDIFF('hour', a, b) FROM t": "DATEDIFF in other units than 'day'",
    "SELECT a FROM t ORDER BY ALL": "ORDER BY ALL",
    "SELECT a, count(*) FROM t GROUP BY ALL": "GROUP BY ALL",
    "SELECT a, count(*) FROM t GROUP BY 1": "GROUP BY the number of a column",
    "SELECT a, count(*) FROM t GROUP BY ROLLUP (a)": "ROLLUP",
    "SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1": "QUALIFY .*sub-query",
    "SELECT sum(a) FILTER (WHERE b) FROM t": "FILTER .*CASE WHEN",
    "SELECT DISTINCT ON (a) b FROM t": "DISTINCT ON",
    "SELECT arg_max(a, b) FROM t": r"arg_max\(\) .*row_number",
    "SELECT [1, 2] FROM t": "array",
    "SELECT {'a': 1} FROM t": "struct",
    "SELECT a FROM t WHERE (a, b) IN (SELECT (a, b) FROM u)": r"a tuple, as in \(a, b\) IN",
    "SELECT * EXCLUDE (a) FROM t": r"\* with EXCLUDE",
    "SELECT * REPLACE (1 AS a) FROM t": r"\* with EXCLUDE, REPLACE",
    "SELECT a FROM t USING SAMPLE 3": "TABLESAMPLE",
    "SELECT stddev(a) FROM t": r"stddev\(\) .*sum_x2",
    "SELECT corr(a, b) FROM t": r"corr\(\)",
    "SELECT median(a) FROM t": r"median\(\)",
    "SELECT avg(a) FROM t": r"avg\(\) .*NULLIF\(count\(x\), 0\)",
    "SELECT count(DISTINCT a, b) FROM t": "DISTINCT of several columns",
    "SELECT a // b FROM t": "cast a quotient that was rounded",
    "SELECT day + INTERVAL 3 DAY FROM t": "INTERVAL .*whole days",
    "SELECT date_trunc('month', day) FROM t": r"timestamp_trunc\(\)",
    "SELECT EXTRACT(dow FROM day) FROM t": "EXTRACT",
    "SELECT regexp_matches(a, 'x') FROM t": "regexp",
    "SELECT concat(a, b) FROM t": r"write a \|\| b",
    "SELECT a LIKE 'x\\_%' FROM t": "LIKE with a backslash",
    "SELECT unknown_function(a) FROM t": r"unknown_function\(\)",
    "SELECT TRY_CAST(a AS DATE) FROM t": "TRY_?CAST",
    "SELECT CAST(a AS DECIMAL(9, 2)) FROM t": r"the type DECIMAL\(9, 2\)",
    "SELECT CAST(a AS HUGEINT) FROM t": "the type INT128",
    "SELECT CAST(a AS TIMESTAMPTZ) FROM t": "the type TIMESTAMPTZ",
    "SELECT CAST(a / b AS BIGINT) FROM t": r"a fraction to a whole number without round\(\)",
    "SELECT CAST(round(a / b, 1) AS BIGINT) FROM t": r"whole number without round\(\)",
    "SELECT CAST(CASE WHEN a THEN 0.5 END AS BIGINT) FROM t": r"whole number without round\(\)",
    "SELECT CAST(a * 1.5 AS VARCHAR) FROM t": "a cast of a fraction to text",
    "SELECT 0.1 * cents FROM t": r"0\.1 in arithmetic .*cast it to DOUBLE",
    "SELECT cents + 0.3 FROM t": r"0\.3 in arithmetic",
    "SELECT floor(a) FROM t": "floor or ceil outside a cast",
    "SELECT row_number() OVER (PARTITION BY a) FROM t": "OVER a window without ORDER BY",
    "SELECT lag(a) OVER () FROM t": "OVER a window without ORDER BY",
    "SELECT a FROM t LIMIT 3": "LIMIT without ORDER BY",
    "SELECT a FROM t UNION SELECT a FROM u": "UNION other than UNION ALL",
    "SELECT a FROM t EXCEPT SELECT a FROM u": "EXCEPT",
    "SELECT a FROM t ASOF JOIN u ON t.a >= u.a": "ASOF JOIN",
    "SELECT a FROM t SEMI JOIN u ON t.a = u.a": "SEMI JOIN",
    "SELECT table_name FROM information_schema.tables": r"ask engine\.tables",
    "SELECT * FROM range(3)": "range|a table function",
    "SELECT * FROM read_parquet(['a', 'b'])": "read_parquet with more than one path|array",
    "SELECT * FROM read_csv('a')": "a table function|csv",
    "SELECT t AT TIME ZONE 'Europe/Rome' FROM s": r"AT TIME ZONE \(use engine\.local_time\)",
    "DESCRIBE t": r"the statement Describe .*ask engine\.columns",
    "INSERT INTO t VALUES (1)": "the statement Insert",
    "SET threads = 1": "the statement Set",
    "COPY (SELECT 1 AS a) TO 'file'": "the statement Copy",
    "CREATE TABLE t (a INTEGER)": "CREATE without AS SELECT",
    "CREATE OR REPLACE TABLE t AS SELECT 1 AS a": "a table that is not TEMP",
    "CREATE TEMP TABLE t AS SELECT 1 AS a": "CREATE other than CREATE OR REPLACE",
    "DROP SCHEMA s": "DROP of anything but one table or view",
    "SELECT 1 AS a; SELECT 2 AS a": "2 statements at once",
    "SELECT FROM WHERE": "this is no SQL that can be read",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_not_portable_is_refused_by_name(sql: str):
    with pytest.raises(PortableError, match=REFUSED[sql]):
        parse(sql)


def test_a_long_query_is_shown_by_its_beginning_only():
    many = ", ".join(f"a{number}" for number in range(100))
    with pytest.raises(PortableError, match=r"It stands in: MEDIAN\(.*\.\.\.$"):
        parse(f"SELECT median(CASE WHEN {many.replace(',', ' +')} > 0 THEN 1 END) FROM t")
