"""What a look at canonical tables counts, worked by hand."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from mkt_models.columns import Table
from mkt_models.engine import Connection, connect
from mkt_models.params import Engine
from mkt_models.sources.canonical import write_table
from mkt_models.sources.facts import facts, oddities, span, unknown_words

COLUMNS = (
    "order_id, customer_id, quantity, amount_cents, coupon_discount_cents, status, occurred_at"
)
USUAL = "'o1', '7', 1, 100, 0, NULL, TIMESTAMP '2018-01-01 23:30:00'"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con


@pytest.fixture
def write(con: Connection, tmp_path: Path) -> Callable[..., Path]:
    """Write order lines, each the text of its values."""

    def _write(*lines: str) -> Path:
        rows = ", ".join(f"({line})" for line in lines)
        write_table(
            con, Table.TRANSACTIONS, f"SELECT * FROM (VALUES {rows}) AS v({COLUMNS})", tmp_path
        )
        return tmp_path

    return _write


def test_rows_customers_days_and_gaps(con: Connection, write) -> None:
    folder = write(USUAL, USUAL.replace("'7'", "'8'"), USUAL.replace("'7'", "NULL"))
    (found,) = facts(con, folder, "Europe/Berlin")
    assert (found.table, found.rows, found.customers) == (Table.TRANSACTIONS, 3, 2)
    assert (found.first, found.last) == (date(2018, 1, 2), date(2018, 1, 2))  # on the shop's clock
    assert found.missing["customer_id"] == 1
    assert found.given == {"order_id", "customer_id", "quantity", "amount_cents",
                           "coupon_discount_cents", "occurred_at"}  # fmt: skip


def told(con: Connection, folder: Path) -> str:
    return "\n".join(oddities(con, folder, COLUMNS.split(", ")))


def test_usual_lines_are_not_worth_a_word(con: Connection, write) -> None:
    assert told(con, write(USUAL, USUAL.replace("o1", "o2"))) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("o1", "o1"), "1 of 2 order lines (50.0%) stand twice, equal in every mapped column"),
        (("o1", "o1"), "line_id is not mapped"),
        ((", 1, 100", ", -1, -100"), "1 of 2 order lines (50.0%) are returns"),
        (("NULL", "'cancelled'"), "belong to cancelled or failed orders"),
        (("'7'", "NULL"), "name no customer"),
        (("100, 0", "100, -20"), "coupon_discount_cents is negative in 1 of 2"),
    ],
)
def test_odd_lines_are_counted(con: Connection, write, change: tuple[str, str], says: str) -> None:
    assert says in told(con, write(USUAL, USUAL.replace(*change)))


def test_ids_that_differ_by_case_alone_are_told(con: Connection, write) -> None:
    said = told(con, write(USUAL.replace("'7'", "'k7'"), USUAL.replace("'7'", "'K7'")))
    assert "1 customer ids differ from another one by upper and lower case alone" in said


def test_ids_that_were_numbers_and_quantities_that_are_not_there(con: Connection, write) -> None:
    said = told(con, write(USUAL.replace("'7'", "'7.0'").replace(", 1, 100", ", NULL, 100")))
    assert "customer_id ends in '.0' in 1 of 1 order lines (100.0%); was it written as a" in said
    assert "quantity is not mapped" in said


def test_strays_do_not_stretch_the_days(con: Connection, write) -> None:
    lines = [USUAL] * 2000
    folder = write(*lines, USUAL.replace("2018-01-01", "2066-01-01"))
    found = span(con, f"read_parquet('{folder}/transactions.parquet')", "UTC")
    assert (found.first, found.last, found.strays) == (date(2018, 1, 1), date(2018, 1, 1), 1)


def test_few_lines_have_no_strays(con: Connection, write) -> None:
    folder = write(USUAL, USUAL.replace("2018", "2019"))
    found = span(con, f"read_parquet('{folder}/transactions.parquet')", "UTC")
    assert (found.first, found.last, found.strays) == (date(2018, 1, 1), date(2019, 1, 1), 0)


def test_a_few_strays_in_a_small_shop_are_strays(con: Connection, write) -> None:
    lines = (
        [USUAL] * 2000 + [USUAL.replace("2018", "1970")] * 5 + [USUAL.replace("2018", "2099")] * 4
    )
    found = span(con, f"read_parquet('{write(*lines)}/transactions.parquet')", "UTC")
    assert (found.first, found.last, found.strays) == (date(2018, 1, 1), date(2018, 1, 1), 9)


def test_rows_of_nothing_do_not_stand_twice(con: Connection, write) -> None:
    nothing = ", ".join(["NULL"] * 7)
    assert "stand twice" not in told(con, write(USUAL, nothing, nothing))
    assert "1 of 4 order lines (25.0%) stand twice" in told(
        con, write(USUAL, USUAL, nothing, nothing)
    )


def test_words_that_cleaning_would_not_know(con: Connection, write) -> None:
    lines = [USUAL.replace("NULL", word) for word in ("'完了'", "'完了'", "'取消'", "' Completed'")]
    (found,) = unknown_words(con, write(USUAL, *lines))
    assert (found.table, found.column) == (Table.TRANSACTIONS, "status")
    assert (found.rows, found.given, found.words) == (3, 4, ("完了", "取消"))
    assert unknown_words(con, write(USUAL)) == []


def test_order_numbers_that_are_used_again(con: Connection, write) -> None:
    other = USUAL.replace("'7'", "'8'")
    assert "1 of 1 order numbers (100.0%) stand for several customers" in told(
        con, write(USUAL, other)
    )
    later = USUAL.replace("2018-01-01", "2018-05-01")
    assert "e.g. 'o1'; where the shop uses numbers again" in told(con, write(USUAL, later))
    back = later.replace(", 1, 100", ", -1, -100")
    assert "order numbers" not in told(con, write(USUAL, back))
