"""Texts that could not be read are found again in the line where they stand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.columns import Table
from mkt_models.engine import Connection, connect
from mkt_models.params import Engine
from mkt_models.source_params import Files
from mkt_models.sources import mapped_tables, unreadable

GOOD, BAD, BROKEN = "o,c,p,1.50,2018-01-01", "o,c,p,free,2018-01-01", "o,c"
HEAD = "order,customer,product,paid,at"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con


# Two files of good, bad and broken lines in any order: every line is a row, and every fault is
# listed once, with its own file and line.
@settings(max_examples=60, deadline=None)
@given(
    contents=st.lists(
        st.lists(st.sampled_from([GOOD, BAD, BROKEN, GOOD]), min_size=1, max_size=12),
        min_size=1,
        max_size=2,
    )
)
def test_every_line_is_a_row_and_every_fault_has_its_line(
    con: Connection, tmp_path_factory: pytest.TempPathFactory, contents: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("dirt")
    for number, lines in enumerate(contents):
        (folder / f"{number}.csv").write_text("\n".join([HEAD, *lines, ""]))
    source = Files.model_validate(
        {
            "kind": "files",
            "time_zone": "UTC",
            "folder": str(folder),
            "tables": {
                "transactions": {
                    "files": "*.csv",
                    "delimiter": ",",
                    "columns": {
                        "order_id": "order",
                        "customer_id": "customer",
                        "product_id": "product",
                        "amount_cents": {"from": "paid", "unit": "currency"},
                        "occurred_at": "at",
                    },
                }
            },
        }
    )
    loaded, wrong = mapped_tables.load(con, source, folder / "scratch")
    assert wrong == []
    assert loaded[0].rows == sum(map(len, contents))
    assert list(loaded[0].files.values()) == [len(lines) for lines in contents]
    listed = con.execute(
        'SELECT file, line, "column" FROM listed_unreadable ORDER BY file, line'
    ).fetchall()
    kinds = {BAD: "amount_cents", BROKEN: unreadable.WHOLE_LINE}
    assert listed == [
        (f"{number}.csv", line, kinds[text])
        for number, lines in enumerate(contents)
        for line, text in enumerate(lines, 2)
        if text in kinds
    ]
    counts = loaded[0].counts
    n_bad = sum(lines.count(BAD) for lines in contents)
    n_broken = sum(lines.count(BROKEN) for lines in contents)
    assert counts["amount_cents"].unreadable == n_bad
    assert counts[unreadable.WHOLE_LINE].unreadable == n_broken
    told = unreadable.too_much(Table.TRANSACTIONS, counts, 0.0)
    assert len(told) == (n_bad > 0) + (n_broken > 0)
    (folder / "raw").mkdir()
    assert unreadable.write(con, folder / "raw") == n_bad + n_broken
    assert (folder / "raw" / "unreadable.parquet").exists() == (n_bad + n_broken > 0)


def test_the_share_decides_what_is_too_much() -> None:
    counts = {
        "amount_cents": unreadable.Count(given=200, unreadable=2, example="a.csv line 7: 'x'")
    }
    assert unreadable.too_much(Table.TRANSACTIONS, counts, 0.01) == []
    (told,) = unreadable.too_much(Table.TRANSACTIONS, counts, 0.009)
    assert told == (
        "source.tables.transactions.columns.amount_cents: 2 of 200 (1.0%) values cannot be read, "
        "e.g. a.csv line 7: 'x'. Look at decimal, thousands and nulls, "
        "and at the currency"
    )


def test_a_list_without_rows_leaves_no_file_behind(con: Connection, tmp_path: Path) -> None:
    (tmp_path / "unreadable.parquet").write_text("of the last run")
    unreadable.begin(con)
    assert unreadable.write(con, tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
