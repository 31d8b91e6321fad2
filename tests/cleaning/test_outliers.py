import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from cleaning.rows import CHOICES, cleaned, line, read, touched
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.columns import Table
from mkt_models.engine import Connection


def sold(prices: list[int], **values: Any) -> list[dict[str, Any]]:
    """A line per price, in orders of their own, on days apart."""
    return [
        line(order_id=f"{values.get('product_id', 'p')}{n}", amount_cents=cents, **values)
        for n, cents in enumerate(prices)
    ]


def odd(con: Connection, folder: Path, rows: list[dict[str, Any]], **choices: Any) -> list[str]:
    """Orders of the lines that are marked as outliers."""
    cleaned(con, folder, {Table.TRANSACTIONS: rows}, double_seconds=0, **choices)
    return sorted(
        r["order_id"] for r in read(con, folder / "clean", "transactions") if r["outlier"]
    )


def test_a_price_far_from_the_median_is_marked_and_kept(con: Connection, tmp_path: Path):
    prices = [*[100] * 6, 299, 301, 34, 33]  # about three times 100, and a third of it
    assert odd(con, tmp_path, sold(prices)) == ["p7", "p9"]
    assert len(read(con, tmp_path / "clean", "transactions")) == 10


def test_prices_that_vary_much_are_far_only_beyond_their_spread(con: Connection, tmp_path: Path):
    # In powers of two: 0, 1, 2, 3, 4 and the one in question. The median is 2.5, the distances
    # are 0.5, 0.5, 1.5, 1.5, 2.5 and a far one, so the MAD is 1.5 and the reach 5 * 1.4826 * 1.5 =
    # 11.1: up to 13.6.
    usual = [100, 200, 400, 800, 1600]
    near, far = round(100 * 2**13.5), round(100 * 2**13.7)
    assert odd(con, tmp_path / "a", sold([*usual, near])) == []
    assert odd(con, tmp_path / "b", sold([*usual, far])) == ["p5"]


def test_a_product_of_few_lines_has_no_usual_price(con: Connection, tmp_path: Path):
    assert odd(con, tmp_path / "a", sold([100, 100, 100, 9999])) == []
    assert odd(con, tmp_path / "b", sold([100, 100, 100, 100, 9999])) == ["p4"]


@pytest.mark.parametrize(
    ("rows", "quantities", "prices"),
    [
        (sold([100] * 5), True, True),
        (sold([100] * 4), True, False),  # no product has lines enough for a usual price
        (sold([100] * 5, quantity=None), False, False),
    ],
)
def test_without_quantities_or_usual_prices_nothing_is_judged(
    con: Connection, tmp_path: Path, rows: list[dict[str, Any]], quantities: bool, prices: bool
):
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: rows}, double_seconds=0)
    judged = report.rules.set_index("rule")["judged"]
    assert judged[["quantity_outlier", "price_outlier"]].tolist() == [quantities, prices]
    assert judged["key_missing"]


def test_the_price_is_that_of_a_piece(con: Connection, tmp_path: Path):
    rows = sold([100] * 5)
    rows += [line(order_id="ten", quantity=10.0, amount_cents=1000)]
    rows += [line(order_id="one", quantity=1.0, amount_cents=1000)]
    assert odd(con, tmp_path, rows) == ["one"]


def test_each_product_has_its_own_price(con: Connection, tmp_path: Path):
    rows = sold([100] * 5, product_id="milk") + sold([9999] * 5, product_id="tv")
    assert odd(con, tmp_path, rows) == []


@pytest.mark.parametrize(("pieces", "marked"), [(1000.0, []), (1001.0, ["many"])])
def test_absurdly_many_pieces_are_marked(
    con: Connection, tmp_path: Path, pieces: float, marked: list[str]
):
    rows = [line(order_id="many", quantity=pieces)]
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: rows})
    assert touched(report).get("quantity_outlier", 0) == len(marked)
    assert odd(con, tmp_path, rows) == marked


def test_gifts_slips_and_returns_have_no_price(con: Connection, tmp_path: Path):
    rows = sold([100] * 5)
    rows += [
        line(order_id="gift", amount_cents=0),
        line(order_id="slip", quantity=0.0, coupon_discount_cents=50),
        line(order_id="unknown", quantity=None, amount_cents=9999),
        line(order_id="back", quantity=-1.0, amount_cents=-9999),
    ]
    assert odd(con, tmp_path, rows) == []


@settings(max_examples=25, deadline=None)
@given(prices=st.lists(st.integers(1, 5000), min_size=5, max_size=25))
def test_the_median_and_its_deviation_are_those_of_the_textbook(
    con: Connection, tmp_path_factory: pytest.TempPathFactory, prices: list[int]
):
    logs = [round(math.log(100 * p), 6) for p in prices]
    median = statistics.median(logs)
    mad = statistics.median(abs(x - median) for x in logs)
    reach = max(CHOICES.outlier_mads * 1.4826 * mad, math.log(CHOICES.outlier_min_factor))
    far = [abs(x - median) - reach for x in logs]
    if any(abs(x) < 1e-4 for x in far):
        return  # on the edge, where rounding decides
    wanted = sorted(f"p{n}" for n, x in enumerate(far) if x > 0)
    assert odd(con, tmp_path_factory.mktemp("prices"), sold(prices)) == wanted
