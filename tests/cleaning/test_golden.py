"""The query that cleans order lines, as it was last read; Spark's words for it stand beside it."""

import os
from datetime import date
from pathlib import Path

import sqlglot

from mkt_models.cleaning.rules import rules_for
from mkt_models.cleaning.steps import kept_sql, tidy_sql
from mkt_models.columns import Table
from mkt_models.loading import load_params

GOLDEN = Path(__file__).parent / "golden" / "lines.duckdb.sql"
PARAMS = load_params(Path(__file__).parents[2] / "params" / "complete_journey.yaml")


def test_the_query_of_the_lines_is_the_golden_one():
    every = rules_for(PARAMS.source, PARAMS.cleaning, date(2018, 1, 1))
    rules = [rule for rule in every if rule.table is Table.TRANSACTIONS]
    tidy = f"({tidy_sql(Table.TRANSACTIONS, rules, persons=True)})"
    query = kept_sql(Table.TRANSACTIONS, rules, PARAMS.source, tidy, True)
    pretty = sqlglot.transpile(query, read="duckdb", write="duckdb", pretty=True)[0] + "\n"
    if os.environ.get("RENEW_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(pretty, encoding="utf-8")
    assert pretty == GOLDEN.read_text(encoding="utf-8"), (
        "the query that cleans order lines has changed. If that was meant, write it anew with "
        "`RENEW_GOLDEN=1 .venv/bin/pytest tests -k golden`, and read the difference with git diff"
    )
