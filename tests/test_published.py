"""What a run on the sample publishes: no customer is named, no small group is counted out.

Asks the reports of ``mkt run params/sample.yaml``, which ``make test`` makes first.
"""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from subtraction import found_by_subtraction

from mkt_models.loading import load_params
from mkt_models.small_cells import COUNTS, PARTS
from mkt_models.story import read_story
from mkt_models.summary import summary

ROOT = Path(__file__).parents[1]
REPORTS, BUILD = ROOT / "reports" / "sample", ROOT / "build" / "sample"
K = load_params(ROOT / "params" / "sample.yaml").privacy.min_cell
SHOWN = load_params(ROOT / "params" / "sample.yaml").privacy.show_customers
PAGES_OF_CUSTOMERS = re.compile(r"customer_\d+|index")
SINGLE = {"reasons", "customer", "risk"}  # headings over rows of single customers
AMOUNT = re.compile(r"\d[\d,]*\.\d{2}(?!\d)")
NAMING = re.compile(r"customer(_id)?|household(_id)?|客户(编号)?|顾客", re.IGNORECASE)


class Tables(HTMLParser):
    """The tables of a page: rows of cells, a heading marked, spanned headings repeated."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell &= tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.tables[-1][-1][-1] += data.strip()


def named(page: str, ids: set[str]) -> list[str]:
    """Ids that a page shows as such: in a column of customers, or behind the word."""
    told = Tables(page)
    found = [
        f"{head}: {cell}"
        for rows in told.tables
        for position, head in headings(rows)
        if NAMING.fullmatch(head)
        for row in rows[1:]
        if position < len(row) and (cell := row[position]) in ids
    ]
    behind = re.findall(
        r"(?:customer(?:_id)?|客户|顾客)[\"']?[ :=：]+[\"']?([\w-]+)", told.text, re.IGNORECASE
    )
    numbers = {str(n) for n in range(1, 20)}  # the showcase customers go by number
    return found + [one for one in behind if one in ids - numbers]


def small(page: str, k: int) -> list[str]:
    """Counts of customers from 1 to k - 1 that a page tells."""
    found = []
    for rows in Tables(page).tables:
        heads = [head.casefold() for head in rows[0]] if rows else []
        for row in rows[1:]:
            cells = row[len(row) - len(heads) :] if len(row) >= len(heads) else row
            for head, cell in zip(heads[len(heads) - len(cells) :], cells, strict=True):
                count = cell.replace(",", "").removesuffix(".0")
                if head in COUNTS | PARTS and count.isdigit() and 0 < int(count) < k:
                    found.append(f"{head}: {cell}")
    return found


def of_one(page: str, figures: dict[str, set[str]]) -> list[str]:
    """Customers of whom one table of a page tells three figures or more, and tables of single ones.

    ``figures`` are the amounts of each customer as they are written, so unlike each other's that
    three of one in a table are that customer's row.
    """
    found = []
    for rows in Tables(page).tables:
        heads = {cell.casefold() for _, cell in headings(rows)}
        if SINGLE & heads or any("n = 1 each" in head for head in heads):
            found.append(f"a table of single customers: {', '.join(sorted(heads))}")
        cells = {word for row in rows for cell in row for word in AMOUNT.findall(cell)}
        found += [one for one, own in figures.items() if len(own & cells) >= 3]
    return found


def headings(rows: list[list[str]]) -> Iterator[tuple[int, str]]:
    """Column headings, and the names of the index that pandas puts on a second row."""
    for row in rows[:2]:
        yield from enumerate(row)


def test_the_search_finds_what_is_planted():
    table = pd.DataFrame({"score": [0.5]}, index=pd.Index(["555"], name="customer_id")).to_html()
    assert named(table, {"555", "7"}) == ["customer_id: 555"]
    assert named("<p>Customer 555, profile of today</p>", {"555"}) == ["555"]
    assert named("<p>555 customers; customer 1</p>", {"555", "1"}) == []
    counts = pd.DataFrame({"x": ["a"], "customers": [3], "m": [1.5]}).set_index("x").to_html()
    assert small(counts, 5) == ["customers: 3"]
    assert small(counts, 3) == []
    assert named("<h3>客户 555，画像日期</h3>", {"555"}) == ["555"]
    amounts = {"555": {"17.25", "1,974.57", "29.17"}}
    row = pd.DataFrame({"value": ["1,974.57 USD", "17.25 USD in 3 orders", "29.17"]})
    assert of_one(row.to_html(), amounts) == ["555"]
    assert of_one(row.head(2).to_html(), amounts) == []  # medians of a group may be hers
    ranked = pd.DataFrame({"reasons": ["x"]}, index=pd.Index([1], name="rank")).to_html()
    assert of_one(ranked, {}) == ["a table of single customers: , rank, reasons"]


def test_subtraction_finds_what_a_table_gives_away_of_another():
    grid = pd.DataFrame(
        {"high": ["97", "…", "0"], "low": ["324", "< 5", "…"], "middle": [0, 38, 0]},
        index=pd.Index(["active", "lost", "new"], name="stage"),
    ).rename_axis(columns="observed; customers by value tier")
    one_way = pd.DataFrame(
        {"customers": [421, "…", "< 5"]},
        index=pd.Index(["active_customer", "lost_customer", "new_customer"], name="tag"),
    ).rename_axis(columns="observed; n = 470 customers")

    def told(*tables: pd.DataFrame) -> list[str]:
        return found_by_subtraction(Tables(" ".join(one.to_html() for one in tables)).tables, 5)

    assert told(one_way) == []  # 49 are lost or new
    assert told(grid, one_way) == []  # 43 to 47 of them are lost
    shown = grid.assign(high=["97", "3", "0"], low=["324", "7", "< 5"])  # 48 are lost
    assert "('table 1 customers', 'new_customer') is 1" in told(shown, one_way)
    later = one_way.replace({"…": 40, "< 5": 9})
    assert told(later, later.replace(40, 39)) == [
        "lost_customer: table 0 customers and table 1 customers tell 1 apart"
    ]


@pytest.fixture(scope="module")
def ids() -> set[str]:
    raw = BUILD / "raw" / "customers.parquet"
    if not raw.is_file() or not (REPORTS / "index.html").is_file():
        pytest.skip("needs the reports of the sample: `make sample`")
    return set(pd.read_parquet(raw)["customer_id"].astype(str))


def test_the_terminal_names_nobody(ids: set[str]):
    told = summary(read_story(ROOT, "sample"))
    assert "Customer 1, profile of" in told
    assert not named(told, ids)
    one = max(ids, key=len)
    assert named(told.replace("Customer 1,", f"Customer {one},"), ids) == [one]


def test_no_page_but_the_customers_own_names_one(ids: set[str]):
    pages = [page for page in sorted(REPORTS.glob("*.html")) if "customer_" not in page.name]
    assert len(pages) > 10
    assert {page.name: named(page.read_text(encoding="utf-8"), ids) for page in pages} == {
        page.name: [] for page in pages
    }


@pytest.fixture(scope="module")
def figures(ids: set[str]) -> dict[str, set[str]]:
    profiles = pd.read_parquet(BUILD / "profile" / "profiles.parquet").set_index("customer_id")
    amounts = profiles[[name for name in profiles if "amount" in name]].round(2)
    return {
        str(one): {f"{x:,.2f}" for x in row if x > 10 and x % 1 > 0}
        for one, row in zip(amounts.index, amounts.to_numpy(dtype=float), strict=True)
    }


@pytest.mark.skipif(SHOWN, reason="the parameters let single customers be shown")
def test_no_page_but_the_customers_own_shows_one_without_the_id(figures: dict[str, set[str]]):
    pages = [p for p in sorted(REPORTS.glob("*.html")) if not PAGES_OF_CUSTOMERS.match(p.stem)]
    assert len(pages) > 10
    for page in pages:
        assert not of_one(page.read_text(encoding="utf-8"), figures), page.name
    own = Tables((REPORTS / "customer_1.html").read_text(encoding="utf-8")).text
    told = set(AMOUNT.findall(own))  # such a page does tell that many of the amounts
    assert any(len(amounts & told) >= 3 for amounts in figures.values())


@pytest.mark.skipif(SHOWN, reason="the parameters let single customers be shown")
def test_no_committed_notebook_shows_a_customer_without_the_id(figures: dict[str, set[str]]):
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                page = str(output.get("data", {}).get("text/html", ""))
                assert not of_one(page, figures), (path.name, cell.id)


def test_no_page_tells_a_small_group_by_subtraction(ids: set[str]):
    for page in sorted(REPORTS.glob("*.html")):
        tables = Tables(page.read_text(encoding="utf-8")).tables
        assert not found_by_subtraction(tables, K), page.name


def test_no_page_counts_out_a_small_group(ids: set[str]):
    pages = sorted(REPORTS.glob("*.html"))
    assert {page.name: small(page.read_text(encoding="utf-8"), K) for page in pages} == {
        page.name: [] for page in pages
    }


@pytest.mark.parametrize("folder", [BUILD / "notebooks", ROOT / "notebooks"], ids=["run", "kept"])
def test_no_output_of_a_notebook_names_a_customer_or_counts_a_small_group(
    ids: set[str], folder: Path
):
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                page = str(output.get("data", {}).get("text/html", ""))
                text = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain"))
                assert not named(page or text, ids), (path.name, cell.id)
                assert not small(page, K), (path.name, cell.id)


def test_no_document_names_a_customer_or_tells_of_a_small_group(ids: set[str]):
    for path in sorted(REPORTS.glob("*.json")):
        for row in rows_of(json.loads(path.read_text(encoding="utf-8"))):
            assert "customer_id" not in row, path.name
            for name in (COUNTS | PARTS) & row.keys():
                value = row[name]
                assert not isinstance(value, int | float) or not 0 < value < K, (path.name, row)


def test_every_part_of_the_metrics_has_a_kind(ids: set[str]):
    metrics = json.loads((REPORTS / "metrics.json").read_text(encoding="utf-8"))
    about = metrics.pop("about")
    assert 0.5 < about["confidence"] < 1
    for stage, parts in metrics.items():
        for figure in parts.get("headline", []):
            assert {"kind", "n", "lower", "upper"} <= figure.keys(), (stage, figure["name"])
        for part, content in parts.items():
            if part != "headline" and list(rows_of(content)):
                told = any(isinstance(v, int | float) for r in rows_of(content) for v in r.values())
                name = f"{stage}.{part}"
                named = any(f"{one}.".startswith(f"{name}.") for one in about["kinds"])
                assert named or not told, name
    if metrics.get("served", {}).get("simulated"):
        of_service = {v for k, v in about["kinds"].items() if k.startswith("served.")}
        assert of_service == {"simulated"}


def rows_of(data: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a JSON document, however deep."""
    if isinstance(data, dict):
        yield data
        for value in data.values():
            yield from rows_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from rows_of(value)
