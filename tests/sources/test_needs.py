"""What cannot be told from what is there; every need names columns that exist."""

from mkt_models.columns import Dimension, Table
from mkt_models.sources.needs import NEEDS, not_available
from mkt_models.sources.schemas import CANONICAL


def test_needs_name_tables_and_columns_that_exist() -> None:
    tables = {table.value for table in CANONICAL}
    columns = {f"{t.value}.{c}" for t, schema in CANONICAL.items() for c in schema.columns}
    for need in NEEDS:
        assert set(need.any_of) <= tables | columns, need
    said = {need.of for need in NEEDS}
    assert {d for d in Dimension if d not in said} == {Dimension.LIFECYCLE}


def test_with_every_column_nothing_lacks() -> None:
    assert not_available({t: set(s.columns) for t, s in CANONICAL.items()}) == {}


def test_one_of_the_columns_is_enough() -> None:
    lacking = not_available({Table.CUSTOMERS: {"age_band"}, Table.PRODUCTS: {"department"}})
    assert "age" not in [need.part for need in lacking["basics"]]
    assert "liked categories" not in [need.part for need in lacking["interests"]]
    assert "gender" in [need.part for need in lacking["basics"]]
