"""Beside every golden query in DuckDB's words stands the same one in Spark's."""

import os
from pathlib import Path

import pytest

from mkt_models.spark_sql import to_spark

GOLDEN = sorted(Path(__file__).parent.rglob("golden/*.duckdb.sql"))


def test_there_are_golden_queries_of_cleaning_and_profiles():
    assert {path.stem for path in GOLDEN} >= {"features.duckdb", "lines.duckdb"}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name.partition(".")[0])
def test_the_golden_query_in_the_words_of_spark(path: Path):
    beside = path.with_name(path.name.replace(".duckdb.", ".spark."))
    query = to_spark(path.read_text(encoding="utf-8"), pretty=True) + "\n"
    if os.environ.get("RENEW_GOLDEN"):
        beside.write_text(query, encoding="utf-8")
    assert query == beside.read_text(encoding="utf-8"), (
        "what Spark is told has changed: the query, or its translation. If that was meant, write "
        "it anew with `RENEW_GOLDEN=1 .venv/bin/pytest tests -k golden`, twice when the query "
        f"itself has changed, and read the difference with `git diff {beside.name}`"
    )
