"""Every indicator: told in both languages, placed in its dimension, and in one portable query."""

import os
import re
from datetime import date
from pathlib import Path

import pytest

from mkt_models.columns import PROFILE_DIMENSIONS, Dimension
from mkt_models.profiles.available import Available, known
from mkt_models.profiles.described import DIMENSIONS, PROFILE_COLUMNS
from mkt_models.profiles.indicator_query import indicator_sql, needed_columns
from mkt_models.profiles.indicators import counted, indicators
from mkt_models.profiles.measures import catalogue

GOLDEN = Path(__file__).parent / "golden" / "indicators.duckdb.sql"
EVERYTHING = Available(frozenset(needed_columns()))
# What the portable subset leaves out; as words of the query.
NOT_PORTABLE = ("QUALIFY", "FILTER", "DISTINCT ON", "ARG_MAX", "LIST", "STDDEV", "MEDIAN",
                "EXCLUDE", "GROUP BY ALL", "ORDER BY ALL", "DATE_DIFF", "REGEXP")  # fmt: skip


@pytest.mark.parametrize("name", PROFILE_COLUMNS)
def test_a_column_is_told_in_both_languages(name: str):
    en, zh = PROFILE_COLUMNS[name].words
    assert en.isascii()
    assert "_" not in en + zh
    assert re.search("[\u4e00-\u9fff]", zh)
    if name in indicators() and (window := re.search(r"_(\d+)d$", name)):
        assert indicators()[name].days == int(window[1])
        assert window[1] in en
        assert window[1] in zh


def test_no_two_columns_say_the_same():
    for side in (0, 1):
        words = [column.words[side] for column in PROFILE_COLUMNS.values()]
        assert len(set(words)) == len(words)


def test_an_indicator_stands_in_its_dimension():
    placed = {name: d for d, names in PROFILE_DIMENSIONS.items() for name in names}
    for name, one in indicators().items():
        assert placed.get(name, one.dimension) is one.dimension, name
    assert set(DIMENSIONS) == set(Dimension)


def test_the_models_see_their_features_and_no_indicator():
    assert len(catalogue()) == 44
    assert not set(catalogue()) & set(indicators())


def test_the_query_is_the_golden_one_and_portable():
    query = indicator_sql(EVERYTHING).strip() + "\n"
    if os.environ.get("RENEW_GOLDEN"):
        GOLDEN.write_text(query, encoding="utf-8")
    assert query == GOLDEN.read_text(encoding="utf-8"), (
        "the query of the indicators has changed. If that was meant, write it anew with "
        "`RENEW_GOLDEN=1 .venv/bin/pytest tests/profiles/test_indicators.py -k golden`, "
        f"and read the difference with `git diff {GOLDEN.name}` before you commit it"
    )
    words = re.sub(r"\s+", " ", query.upper())
    assert not [word for word in NOT_PORTABLE if re.search(rf"\b{word}\b", words)]


def test_a_source_of_orders_alone_asks_no_other_table():
    query = indicator_sql(Available(frozenset({"transactions.order_id"})))
    for table in ("events", "social", "tickets", "returns", "failed_orders"):
        assert f"FROM {table}" not in query
    for name in counted():
        assert re.search(rf"AS {name}\b", query)


def test_what_is_known_is_known_since_its_first_row(write_shop):
    con = write_shop(
        events=[("x", "view", None, None, None, None, None, None, date(2017, 6, 2), 1)],
        failed_orders=[],
    )
    found = known(
        con, ["events.kind", "events.rating", "products.category", "failed_orders.status", "no.no"]
    )
    assert found.before(date(2017, 6, 2)).columns == {"products.category"}
    assert found.before(date(2017, 6, 3)).columns == {"products.category", "events.kind"}
