"""A line that is in no row is told, or ends the reading."""

import json
from pathlib import Path

import pytest
from sources.exports import LINES, SALES, extract, refused, rows


def test_a_line_of_the_wrong_length_is_a_row_of_nulls_and_is_listed(con, make, tmp_path) -> None:
    good = LINES.splitlines()[1]
    (tmp_path / "a.csv").write_text(
        LINES + "o2,bob\n" + f"{good}\n" * 2 + "o3,x,p,abc,2018-01-01\n"
    )
    origin = extract(con, make(max_unreadable_share=0.5), tmp_path)
    assert origin["tables"]["transactions"]["files"]["a.csv"]["rows"] == 5
    assert rows(con, tmp_path, "transactions", "count(*), count(order_id)") == [(5, 4)]
    listed = rows(con, tmp_path, "unreadable", 'line, "column", value')
    assert listed == [
        (3, "(whole line)", "the line has too few fields: o2,bob"),
        (6, "amount_cents", "abc"),
    ]


def test_a_line_that_is_no_json_is_listed(con, make, tmp_path) -> None:
    good = json.dumps(
        dict(zip(LINES.splitlines()[0].split(","), ["o", "c", "p", "1", "2018-01-01"], strict=True))
    )
    (tmp_path / "a.jsonl").write_text(f"{good}\n{{not\n{good}\n")
    extract(con, make({"files": "a.jsonl"}, max_unreadable_share=0.5), tmp_path)
    assert rows(con, tmp_path, "transactions", "count(*), count(order_id)") == [(3, 2)]
    assert rows(con, tmp_path, "unreadable", "line, value") == [(2, "the line is no JSON: {not")]


def _with(tmp_path: Path, changed: dict[int, str], n: int = 400) -> None:
    """Order lines of which some are changed, by their number from 0."""
    lines = [f"o{i},c{i % 7},p{i % 5},1.50,2018-01-01 10:00\n" for i in range(n)]
    for i, text in changed.items():
        lines[i] = text
    (tmp_path / "a.csv").write_text(LINES.splitlines()[0] + "\n" + "".join(lines))


def test_a_quotation_mark_that_swallows_lines_is_named(con, make, tmp_path) -> None:
    _with(tmp_path, {1500: 'o1500,c1,"p1,1.50,2018-01-01 10:00\n'}, n=4000)
    told = refused(con, make({"columns": SALES, "delimiter": ","}), tmp_path)
    assert "a.csv: a quotation mark opened in line 1502, 'o1500,c1," in told
    assert "lines; close it, or say quote: ''" in told


def test_every_line_behind_an_open_quotation_mark_counts(con, make, tmp_path) -> None:
    _with(tmp_path, {396: 'o396,c1,"p1,1.50,2018-01-01 10:00\n'})
    extract(con, make({"columns": SALES, "delimiter": ","}), tmp_path)
    assert rows(con, tmp_path, "transactions", "count(*), count(order_id)") == [(400, 396)]
    assert [line for (line,) in rows(con, tmp_path, "unreadable", "line")] == [398, 399, 400, 401]
    _with(tmp_path, {300: 'o300,c1,"p1,1.50,2018-01-01 10:00\n'})
    told = refused(con, make({"columns": SALES, "delimiter": ","}), tmp_path)
    assert "100 of 400 (25.0%) lines cannot be split into fields, e.g. a.csv line 302" in told


def test_a_field_between_two_lone_quotation_marks_is_named(con, make, tmp_path) -> None:
    _with(tmp_path, {100: 'o100,c1,"p1,1.50,2018-01-01 10:00\n', 300: 'o3,c1,p1",1,2018-01-01\n'})
    told = refused(con, make({"columns": SALES, "delimiter": ","}), tmp_path)
    assert (
        "a.csv: a quotation mark near 'o100 c1 p1,1.50,2018-01-01 10:00' swallows at least 200"
        in told
    )


@pytest.mark.parametrize("delimiter", [",", None])
def test_one_odd_quotation_mark_costs_one_line(con, make, tmp_path, delimiter) -> None:
    _with(tmp_path, {200: 'o200,c1,"TV" 32,1.50,2018-01-01 10:00\n'})
    extract(con, make({"columns": SALES, "delimiter": delimiter}), tmp_path)
    assert rows(con, tmp_path, "transactions", "count(*), count(order_id)") == [(400, 399)]
    ((line, value),) = rows(con, tmp_path, "unreadable", "line, value")
    assert line == 202
    assert value.startswith("a quotation mark is not closed: o200,")


def test_a_field_over_two_lines_and_blank_lines_lose_nothing(con, make, tmp_path) -> None:
    _with(tmp_path, {10: 'o10,c1,"p1\nx",1.50,2018-01-01 10:00\n\n\n'})
    extract(con, make({"columns": SALES}), tmp_path)
    assert rows(con, tmp_path, "transactions", "count(*), count(order_id)") == [(400, 400)]
