"""Turns executed notebooks and what the stages measured into the report that people read.

A page per stage (``notebook_pages``), per model and per showcase customer, an index, and what was
measured as JSON; small groups are hidden in all of them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from mkt_models.card_pages import render_cards
from mkt_models.columns import NumberKind
from mkt_models.customer_pages import page_name, render_customers
from mkt_models.manifest import manifest
from mkt_models.models.card import ModelCard
from mkt_models.notebook_pages import TEMPLATES, css, story_of, to_html
from mkt_models.small_cells import hide_in_json, hide_small_cells
from mkt_models.stages import STAGES, Run, Stage
from mkt_models.story import (
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


def templates() -> list[Path]:
    """The files that every page is made from."""
    return sorted(path for path in TEMPLATES.rglob("*") if path.is_file())


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


# What the numbers of a part of metrics.json are: by stage, part and, where a part mixes kinds, what
# is in it. Rows that carry a kind of their own go first.
KINDS: Mapping[str, NumberKind] = dict.fromkeys(
    (
        "mining.ranking",
        "mining.calibration",
        "mining.calibration_error",
        "mining.variety.ranking",
        "mining.variety.calibration",
        "mining.variety.variety",
        "mining.discover.ranking",
        "mining.discover.calibration",
        "mining.discover.variety",
        "churn.performance",
        "churn.over_time",
        "churn.calibration",
        "churn.gain",
        "value.performance",
        "value.over_time",
        "value.calibration",
        "value.coverage",
        "value.gain",
        "propensity.performance",
        "propensity.calibration",
        "propensity.gain",
        "propensity.offers",
        "propensity.offer_hits",
        "propensity.actions",
        "propensity.calibration_of_actions",
        "audit.fairness",
        "audit.mitigation",
        "release.decisions",
        "release.ledger",
    ),
    NumberKind.BACKTESTED,
) | {
    "mining.weights": NumberKind.OBSERVED,
    "mining.variety.weights": NumberKind.OBSERVED,
    "mining.discover.weights": NumberKind.OBSERVED,
    "propensity.uplift": NumberKind.RANDOMISED,
    "audit.benefit": NumberKind.RANDOMISED,
    "audit.proxies": NumberKind.OBSERVED,
    "audit.interactions": NumberKind.PREDICTED,
    "served.totals": NumberKind.OBSERVED,
}
BY_ROW = "by_row"  # rows of several kinds, each of which carries its own
# An exit code is no measurement; figures under headline each carry a kind.
_NOT_MEASURED = ("headline", "exit_code")


def about_numbers(
    measured: Mapping[str, Mapping[str, Any]], confidence: float, min_cell: int
) -> dict[str, Any]:
    """What a program must know of the numbers of metrics.json: the kind of each part.

    ``kinds`` names every part as ``stage.part``, and ``stage.part.part`` where a part mixes kinds:
    the kind of its rows where they carry one (``by_row`` where they differ), and else what
    :data:`KINDS` says. All of what a rehearsal left under ``served`` is *simulated*. Figures under
    ``headline`` carry kinds of their own; an exit code has none. Ends named ``_lower`` and
    ``_upper`` are of intervals at ``confidence``.

    Raises KeyError for numbers whose kind nobody has said: nothing is guessed.
    """
    kinds: dict[str, str] = {}
    for stage, parts in measured.items():
        simulated = parts.get("simulated") is True
        for part, content in parts.items():
            if part not in _NOT_MEASURED:
                kinds |= _kinds(f"{stage}.{part}", content, simulated=simulated)
    return {"kinds": kinds, "confidence": confidence, "min_cell": min_cell}


def _kinds(name: str, content: Any, *, simulated: bool) -> dict[str, str]:
    if not _has_numbers(content):
        return {}
    if simulated:
        return {name: NumberKind.SIMULATED.value}
    if own := _kinds_of_rows(content):
        return {name: own.pop() if len(own) == 1 else BY_ROW}
    if name in KINDS:
        return {name: KINDS[name].value}
    if isinstance(content, Mapping):
        inside = (_kinds(f"{name}.{key}", one, simulated=False) for key, one in content.items())
        return {part: kind for found in inside for part, kind in found.items()}
    raise KeyError(f"metrics.json: {name} has numbers of no known kind; say it in reporting.KINDS")


def _kinds_of_rows(content: Any) -> set[str]:
    """The kinds that rows carry; empty unless every row carries one."""
    rows = content if isinstance(content, list | tuple) else [content]
    found = {str(row.get("kind")) if isinstance(row, Mapping) else "" for row in rows}
    return found if found <= {kind.value for kind in NumberKind} else set()


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
    for name, text in render_cards(cards, run.workspace.params.run, css(), TEMPLATES).items():
        told = hide_small_cells(text, least)
        if name.endswith(".json"):
            told = _json(hide_in_json(json.loads(text), least))
        _write(run.workspace.reports / name, told)
    pages = render_customers(run, story, css(), TEMPLATES)
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
        css=css(),
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


def _json(data: object) -> str:
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    return text + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
