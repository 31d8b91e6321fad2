"""Pages from executed notebooks: they stand alone, fold code away, and tell the story."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from mkt_models.notebook_pages import ReportError, css, outside_links, story_of, to_html

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5E"
    "rkJggg=="
)


@pytest.fixture
def executed(tmp_path: Path, notebook_text: Callable[..., str]) -> Callable[..., Path]:
    def write(*cells: nbformat.NotebookNode) -> Path:
        document = nbformat.reads(notebook_text("05 · Churn: who leaves?"), as_version=4)
        document.cells[2:2] = cells
        path = tmp_path / "05_churn.ipynb"
        nbformat.write(document, path)
        return path

    return write


def shows(data: dict[str, str], source: str = "draw()") -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("display_data", data=data)
    return nbformat.v4.new_code_cell(source, outputs=[output])


def test_a_page_loads_and_links_nothing_from_elsewhere(executed: Callable[..., Path]) -> None:
    page = to_html(executed(shows({"text/html": "<table><tr><td>3</td></tr></table>"})))
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert outside_links(page) == []
    assert len(page) < 50_000


def test_cells_of_tables_are_laid_out_by_what_they_hold(executed: Callable[..., Path]) -> None:
    why = "more for who has more: a published benefit, reached by the same spend"
    cells = ("3", "0.5 [0.4, 0.6]", "app", why, "scenario_in_store")
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    page = to_html(executed(shows({"text/html": f"<table><tr>{row}</tr></table>"})))
    assert (
        '<td>3</td><td class="interval">0.5 <span class="range">[0.4, 0.6]</span></td>'
        f'<td class="words">app</td><td class="words sentence">{why}</td>'
        '<td class="words">scenario_<wbr>in_<wbr>store</td>'
    ) in page
    assert "table.dataframe .range { white-space: nowrap; }" in css()


def test_a_table_that_is_too_wide_says_so_at_its_edge() -> None:
    (box,) = re.findall(r"\.jp-RenderedHTMLCommon, \.scroll {[^}]*}", css())
    assert "overflow-x: auto" in box
    assert "scroll no-repeat" in box


def test_code_is_folded_and_results_are_not(executed: Callable[..., Path]) -> None:
    page = to_html(executed(shows({"text/plain": "AUC .857"}, source="secret_call()")))
    folded = page[page.index("<details") : page.rindex("</details>")]
    assert "secret_call" in folded
    assert "AUC .857" not in folded
    assert "AUC .857" in page


def test_a_figure_is_described_by_its_cell_or_by_the_heading_above(
    executed: Callable[..., Path],
) -> None:
    heading = nbformat.v4.new_markdown_cell("## Weekly *sales*")
    own = shows({"image/png": PIXEL}, source='# alt: sales "rise"\nplot()')
    page = to_html(executed(heading, own, shows({"image/png": PIXEL})))
    alts = re.findall(r"""<img alt=(?:"([^"]*)"|'([^']*)')""", page)
    assert alts == [("", 'sales "rise"'), ("Figure: Weekly sales", "")]
    assert page.count("<img ") == 2


def test_a_page_shows_the_parameters_of_its_run_only(executed: Callable[..., Path]) -> None:
    injected = nbformat.v4.new_code_cell("params_file = '../params/mine.yaml'")
    injected.metadata["tags"] = ["injected-parameters"]
    page = to_html(executed(injected))
    assert "mine.yaml" in page
    assert "sample.yaml" not in page


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://example.org/a.png">',
        '<a href="http://example.org">there</a>',
        '<link rel="stylesheet" href="//example.org/a.css">',
        "<style>@import 'https://example.org/a.css';</style>",
        "<style>p { background: url(https://example.org/a.png) }</style>",
        '<p style="background: url(//example.org/a.png)">p</p>',
    ],
)
def test_what_leads_elsewhere_is_refused(executed: Callable[..., Path], html: str) -> None:
    assert len(outside_links(html)) == 1
    with pytest.raises(ReportError, match="would lead elsewhere"):
        to_html(executed(shows({"text/html": html})))


def test_links_inside_the_report_are_fine() -> None:
    assert outside_links('<a href="index.html">i</a><img src="data:image/png;base64,aa">') == []


@pytest.mark.parametrize(
    ("conclusion", "finding"),
    [
        ("The model has an AUC of .857. It holds.", "The model has an AUC of .857."),
        ("- **Churn** is `rare` (8.8%)\n- more", "Churn is rare (8.8%) - more"),
        ("流失率为8.8%。其余留存。", "流失率为8.8%。"),
    ],
)
def test_the_finding_is_the_first_sentence_of_the_conclusion(
    notebook_text: Callable[..., str], conclusion: str, finding: str
) -> None:
    text = notebook_text("05 · Churn: who leaves?", conclusion=conclusion)
    story = story_of(nbformat.reads(text, as_version=4))
    assert story == {"title": "05 · Churn", "question": "who leaves?", "finding": finding}


def test_a_computed_conclusion_counts_when_it_comes_last(executed: Callable[..., Path]) -> None:
    notebook = nbformat.read(executed(), as_version=4)
    notebook.cells.append(shows({"text/markdown": "## Conclusion\n\nAUC is .861. And more."}))
    assert story_of(notebook)["finding"] == "AUC is .861."
