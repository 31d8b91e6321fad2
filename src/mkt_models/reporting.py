"""Turns executed notebooks and what the stages measured into pages that people read.

Every page stands alone: no script, no font, no style, no picture from anywhere else. Code is
folded away; a reader sees question, tables, figures and conclusion.

A figure's alternative text for readers who do not see it: write ``# alt: what the figure shows``
in the cell that draws it, one line per figure. Without it the heading above the cell serves.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat

from mkt_models.card_pages import render_cards
from mkt_models.columns import NumberKind
from mkt_models.customer_pages import page_name, render_customers
from mkt_models.manifest import manifest
from mkt_models.models.card import ModelCard
from mkt_models.small_cells import hide_in_json, hide_small_cells
from mkt_models.stages import STAGES, Run, Stage
from mkt_models.summary import (
    OUTCOMES,
    Story,
    dates_text,
    figure_text,
    in_language,
    left_out,
    read_json,
    read_story,
    worth_text,
)

TEMPLATES = Path(__file__).parent / "templates"
MEASURING = (
    "mining",
    "churn",
    "value",
    "propensity",
    "audit",
    "release",
    "monitoring",
    "served",
)  # folders with a metrics.json


class ReportError(RuntimeError):
    """A page that would load something from elsewhere."""


def templates() -> list[Path]:
    """The files that every page is made from."""
    return sorted(path for path in TEMPLATES.rglob("*") if path.is_file())


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
    resources = {"mkt": {"css": _css(), **(navigation or {})}}
    html, _ = exporter.from_notebook_node(notebook, resources=resources)
    html = _mark_words(html)
    if outside := outside_links(html):
        raise ReportError(
            f"{executed.name}: the page would lead elsewhere: {', '.join(outside[:5])}; "
            "name the source in words instead"
        )
    return str(html)


def _mark_words(html: str) -> str:
    """Mark the cells that hold an interval (one line), a sentence (some width) or other words."""
    html = re.sub(r"<td>(?=[-−+\d.,%]+ \[[^\]<]*\]</td>)", '<td class="interval">', html)
    html = re.sub(r"<td>(?=[^<]{50,}</td>)", '<td class="words sentence">', html)
    return re.sub(r"<td>(?!\s*[-+−]?[\d.,:%-]*\s*</td>)", '<td class="words">', html)


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


def report_files(run: Run) -> list[Path]:
    """The files that :func:`write_report` makes."""
    return [
        run.workspace.reports / name for name in ("index.html", "metrics.json", "manifest.json")
    ]


def write_page(run: Run, stage: Stage) -> None:
    """Render the page of a stage from its executed notebook."""
    position = STAGES.index(stage)
    around = {
        "run": run.workspace.params.run,
        "previous": f"{STAGES[position - 1].name}.html" if position else None,
        "next": f"{STAGES[position + 1].name}.html" if position + 1 < len(STAGES) else None,
    }
    page = to_html(run.executed(stage), around)
    _write(run.page(stage), hide_small_cells(page, run.workspace.params.privacy.min_cell))


def collect_metrics(run: Run) -> dict[str, Any]:
    """What every stage measured, by the stage's folder; stages that measured nothing are absent."""
    found = {name: read_json(run.workspace.path(name, "metrics.json")) for name in MEASURING}
    return {name: metrics for name, metrics in found.items() if metrics}


# What the numbers of a part of metrics.json are, by stage and part; a row's own kind goes first.
KINDS: Mapping[tuple[str, str], NumberKind] = {
    ("propensity", "uplift"): NumberKind.RANDOMISED,
    ("audit", "benefit"): NumberKind.RANDOMISED,
    ("audit", "proxies"): NumberKind.OBSERVED,
    ("audit", "interactions"): NumberKind.PREDICTED,
    ("mining", "weights"): NumberKind.OBSERVED,
}


def about_numbers(
    measured: Mapping[str, Mapping[str, Any]], confidence: float, min_cell: int
) -> dict[str, Any]:
    """What a program must know of the numbers of metrics.json: the kind of each part.

    ``kinds`` names every part as ``stage.part``: what :data:`KINDS` says, and else *backtested*,
    as all stages that measure judge predictions of past dates. Figures under ``headline`` and rows
    of monitoring carry kinds of their own. Ends named ``_lower`` and ``_upper`` are of intervals
    at ``confidence``.
    """
    kinds = {
        f"{stage}.{part}": KINDS.get((stage, part), NumberKind.BACKTESTED).value
        for stage, parts in measured.items()
        for part, content in parts.items()
        if stage != "monitoring" and part != "headline" and _has_numbers(content)
    }
    return {"kinds": kinds, "confidence": confidence, "min_cell": min_cell}


def _has_numbers(content: Any) -> bool:
    if isinstance(content, Mapping):
        return any(_has_numbers(value) for value in content.values())
    if isinstance(content, list | tuple):
        return any(_has_numbers(value) for value in content)
    return isinstance(content, int | float) and not isinstance(content, bool)


def write_report(run: Run) -> None:
    """Write metrics.json, manifest.json, cards, the showcase customers' pages and the index."""
    index, metrics_file, manifest_file = report_files(run)
    made_of = manifest(run)
    least = run.workspace.params.privacy.min_cell
    measured = hide_in_json(collect_metrics(run), least)
    about = about_numbers(measured, run.workspace.params.audit.confidence, least)
    _write(metrics_file, _json({**measured, **({"about": about} if measured else {})}))
    _write(manifest_file, _json(made_of))
    story = read_story(run.workspace.root, run.workspace.params.run)
    cards = [ModelCard.model_validate(card) for card in story.cards]
    for name, text in render_cards(cards, run.workspace.params.run, _css(), TEMPLATES).items():
        told = hide_small_cells(text, least)
        if name.endswith(".json"):
            told = _json(hide_in_json(json.loads(text), least))
        _write(run.workspace.reports / name, told)
    pages = render_customers(run, story, _css(), TEMPLATES)
    for name, page in pages.items():
        _write(run.workspace.reports / name, page)
    _write(index, hide_small_cells(render_index(run, story, made_of, tuple(pages)), least))


def render_index(
    run: Run, story: Story, made_of: Mapping[str, Any], pages: tuple[str, ...] = ()
) -> str:
    """The page to open first: figures, models, strategies, stages, what the run was made of.

    ``pages`` are the files of the showcase customers that have one.
    """
    import jinja2

    stages = []
    for stage in STAGES:
        if run.executed(stage).is_file():
            told = story_of(nbformat.read(run.executed(stage), as_version=4))
            seconds = made_of["stages"].get(stage.name, {}).get("seconds")
            stages.append({"page": run.page(stage).name, "seconds": seconds, **told})
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        figure=figure_text, dates=dates_text, say=in_language, worth=worth_text, left_out=left_out
    )
    return environment.get_template("index.html.j2").render(
        css=_css(),
        params=run.workspace.params,
        story=story,
        pages=pages,
        page_name=page_name,
        outcomes=OUTCOMES,
        stages=stages,
        made_of=made_of,
        files=data_files_of(made_of["data"]),
        parameters=_json(made_of["parameters"]),
    )


def data_files_of(data: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Every file that the source says it read, by name, with its ``rows`` and ``sha256``.

    A source names its files once, or table by table; of a database no file is named.

    >>> data_files_of({"tables": {"transactions": {"files": {"a.csv": {"rows": 2}}}}})
    [('a.csv (transactions)', {'rows': 2})]
    """
    if not isinstance(data, Mapping):
        return []
    listed = [(str(name), note) for name, note in (data.get("files") or {}).items()]
    for table, told in (data.get("tables") or {}).items():
        listed += [(f"{name} ({table})", note) for name, note in (told.get("files") or {}).items()]
    return listed


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


def _json(data: object) -> str:
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    return text + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@cache
def _css() -> str:
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")
