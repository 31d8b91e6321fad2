"""One predicate for all that names products."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.profiles.exclusions import Exclusions

ALL = Exclusions(
    departments=("FUEL",), categories=("PHARMACY", "O'HARA"), words=("kosher", "COLD AND FLU", "5%")
)


def reason(
    exclusions: Exclusions, department: str | None, category: str | None, kind: str | None
) -> str | None:
    with duckdb.connect(config={"threads": 1}) as con:
        found = con.execute(
            f"SELECT {exclusions.reason_sql()}, {exclusions.allowed_sql()} FROM "
            "(SELECT CAST(? AS VARCHAR) AS department, CAST(? AS VARCHAR) AS category, "
            "CAST(? AS VARCHAR) AS product_type) AS p",
            [department, category, kind],
        ).fetchall()
    ((why, allowed),) = found
    assert allowed == (why is None)
    return why


@pytest.mark.parametrize(
    ("department", "category", "kind", "why"),
    [
        ("GROCERY", "SOUP", "CONDENSED SOUP", None),
        ("FUEL", "PHARMACY", "KOSHER FOODS", "excluded department"),
        ("DRUG GM", "PHARMACY", "KOSHER FOODS", "excluded category"),
        ("DRUG GM", "PHARMACY AND MORE", "BANDAGES", None),
        ("DRUG GM", "O'HARA", None, "excluded category"),
        ("GROCERY", "SOUP", "KOSHER FOODS", "excluded word"),
        ("GROCERY", "Non-food Kosher items", None, "excluded word"),
        ("DRUG GM", None, "COLD AND FLU - DXM", "excluded word"),
        ("GROCERY", "COLD CEREAL", "ALL FAMILY CEREAL", None),
        ("GROCERY", "JUICE", "WITH 5% JUICE", "excluded word"),
        ("GROCERY", "JUICE", "WITH 50 JUICE", None),
        (None, None, None, None),
    ],
)
def test_what_is_left_out_and_why(department, category, kind, why) -> None:
    assert reason(ALL, department, category, kind) == why


@given(st.lists(st.text(min_size=1, max_size=5), max_size=3), st.text(max_size=9) | st.none())
def test_without_exclusions_all_is_allowed_and_odd_words_are_no_sql(words, kind) -> None:
    assert reason(Exclusions(), "FUEL", "PHARMACY", kind) is None
    words = [word for word in words if "\0" not in word]
    found = reason(Exclusions(words=tuple(words)), None, None, (kind or "").replace("\0", ""))
    assert found in (None, "excluded word")
    if not words:
        assert found is None
