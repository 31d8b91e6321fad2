"""An executed notebook as one page that stands alone, and what it asks and finds.

No script, no font, no style, no picture from anywhere else. Code is folded away; a reader sees
question, tables, figures and conclusion.

A figure's alternative text for readers who do not see it: write ``# alt: what the figure shows``
in the cell that draws it, one line per figure. Without it the heading above the cell serves.
"""

import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat

TEMPLATES = Path(__file__).parent / "templates"


class ReportError(RuntimeError):
    """A page that would load something from elsewhere."""


@cache
def css() -> str:
    """The style that every page carries."""
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")


def to_html(executed: Path, navigation: Mapping[str, Any] | None = None) -> str:
    """Render an executed notebook as one self-contained page.

    Parameters
    ----------
    executed
        The executed notebook.
    navigation
        ``run`` (its name), ``previous`` and ``next`` (file names, or None), for the page's head.

    Raises
    ------
    ReportError
        When the page would load or link to something elsewhere.

    """
    import nbconvert

    notebook = nbformat.read(executed, as_version=4)
    notebook.metadata["title"] = story_of(notebook)["title"]
    _describe_figures(notebook)
    _drop_overruled_parameters(notebook)
    exporter = nbconvert.HTMLExporter(
        template_name="report", extra_template_basedirs=[str(TEMPLATES)]
    )
    resources = {"mkt": {"css": css(), **(navigation or {})}}
    html, _ = exporter.from_notebook_node(notebook, resources=resources)
    html = _mark_words(html)
    if outside := outside_links(html):
        raise ReportError(
            f"{executed.name}: the page would lead elsewhere: {', '.join(outside[:5])}; "
            "name the source in words instead"
        )
    return str(html)


def _mark_words(html: str) -> str:
    """Mark the cells that hold an interval, a sentence (some width) or other words.

    So that wide tables fit a page: an interval may stand below its estimate, and a code may be
    broken after its underscores.
    """
    html = re.sub(
        r"<td>([-−+\d.,%]+) (\[[^\]<]*\])</td>",
        r'<td class="interval">\1 <span class="range">\2</span></td>',
        html,
    )
    html = re.sub(r"<td>(?=[^<]{50,}</td>)", '<td class="words sentence">', html)
    html = re.sub(r"<td>(?!\s*[-+−]?[\d.,:%-]*\s*</td>)", '<td class="words">', html)
    return re.sub(r"(?<=>)[^<>]*\w_\w[^<>]*(?=</t[dh]>)", _breakable, html)


def _breakable(text: re.Match[str]) -> str:
    return re.sub(r"(?<=\w)_(?=\w)", "_<wbr>", text.group())


def story_of(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """What a notebook asks and finds, in plain text.

    The title and the question stand in the first heading, ``# 01 · Explore: what is in it?``. The
    finding is the first sentence of the conclusion: the last text of the notebook, be it a
    Markdown cell or Markdown that the last cells have displayed.
    """
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("# "):
            heading = _plain(cell.source.strip().splitlines()[0])
            break
    title, _, question = heading.partition(": ")
    finding = ""
    for cell in reversed(notebook.cells):
        texts = [o.data["text/markdown"] for o in cell.get("outputs", []) if _is_markdown(o)]
        if cell.cell_type == "markdown":
            texts.append(cell.source)
        if texts and (sentence := _first_sentence(texts[-1])):
            finding = sentence
            break
    return {"title": title or "Notebook", "question": question, "finding": finding}


def outside_links(html: str) -> list[str]:
    """Every address in a page that a browser would load or follow outside the report."""
    finder = _Links()
    finder.feed(html)
    return finder.outside


class _Links(HTMLParser):
    """Collects addresses that lead out of a page."""

    _CARRIERS = frozenset({"src", "href", "srcset", "poster", "data", "action", "xlink:href"})

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes that carry addresses, and at styles."""
        for name, value in attrs:
            text = (value or "").strip()
            if name in self._CARRIERS and re.match(r"(?i)(https?:|ftp:|//)", text):
                self.outside.append(text)
            if name == "style":
                self.handle_data(text)

    def handle_data(self, data: str) -> None:
        """Look at styles: ``url(...)`` and ``@import`` load as well."""
        if self.lasttag in {"style", None} or "url(" in data:
            self.outside += re.findall(r"""(?i)url\(\s*['"]?((?:https?:)?//[^)'"]+)""", data)
            self.outside += re.findall(r"""(?i)@import\s+['"]([^'"]+)""", data)


def _describe_figures(notebook: nbformat.NotebookNode) -> None:
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = [line for line in cell.source.splitlines() if line.startswith("#")]
            heading = _plain(titles[-1]) if titles else heading
            continue
        alts = re.findall(r"(?m)^# alt:\s*(.+?)\s*$", cell.source)
        figures = [o for o in cell.get("outputs", []) if _is_figure(o)]
        for number, output in enumerate(figures):
            fallback = f"Figure: {heading}" if heading else "Figure"
            output.metadata["alt"] = alts[min(number, len(alts) - 1)] if alts else fallback


def _drop_overruled_parameters(notebook: nbformat.NotebookNode) -> None:
    """A page shows the parameters of its run, and not the defaults that they overrule."""
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    if any("injected-parameters" in tag for tag in tags):
        cells = zip(notebook.cells, tags, strict=True)
        notebook.cells = [cell for cell, tag in cells if "parameters" not in tag]


def _is_figure(output: Any) -> bool:
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def _is_markdown(output: Any) -> bool:
    return "text/markdown" in output.get("data", {})


def _plain(markdown: str) -> str:
    """Markdown's words without its signs."""
    text = re.sub(r"^#+\s*", "", markdown.strip())
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(\*\*|__|`|(?<!\w)\*|\*(?!\w))", "", text).strip()


def _first_sentence(markdown: str) -> str:
    lines = [line.strip() for line in markdown.strip().splitlines()]
    words = [line for line in lines if line and not line.startswith(("#", "|", "<", "```"))]
    text = _plain(re.sub(r"^([-*]|\d+\.)\s+", "", " ".join(words)))
    found = re.match(r".+?(?:[.!?](?=\s+[^a-z]|$)|[。！？])", text)
    return found.group() if found else text
