"""The stage graph for doit: `make run` runs it, `.venv/bin/doit list` tells it in words.

MKT_PARAMS and MKT_SET choose another parameter file and override single keys; `make run` and
`mkt run` set them from PARAMS and SET. What a stage is, and by what it is stale: mkt_models.stages.
"""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

from doit.exceptions import TaskFailed
from doit.tools import config_changed

from mkt_models import reporting
from mkt_models.loading import ParamsError
from mkt_models.notebook_runs import StageError
from mkt_models.progress import ProgressReporter
from mkt_models.stages import STAGES, Run, Stage, parse_overrides

try:
    RUN = Run.open(
        os.environ.get("MKT_PARAMS", "params/complete_journey.yaml"),
        parse_overrides([os.environ.get("MKT_SET", "")]),
    )
except ParamsError as error:
    raise SystemExit(str(error)) from None

RUN.workspace.build.mkdir(parents=True, exist_ok=True)
DOIT_CONFIG = {
    "dep_file": str(RUN.workspace.build / ".doit.json"),
    "backend": "json",
    "num_process": 2,
    "par_type": "thread",
    "reporter": ProgressReporter,
    "verbosity": 2,
}


def _execute(stage: Stage) -> TaskFailed | dict[str, str | None]:
    try:
        return {"not_available": RUN.execute(stage)}
    except StageError as error:
        return TaskFailed(str(error))


def _intact(task: object, values: object, stage: Stage) -> bool:
    return RUN.outputs_intact(stage)


def task_stage() -> Iterator[dict[str, Any]]:
    """One task per notebook."""
    for stage in STAGES:
        yield {
            "basename": stage.name,
            "doc": stage.words,
            "actions": [partial(_execute, stage)],
            "file_dep": RUN.inputs(stage),
            "targets": [RUN.marker(stage), RUN.executed(stage)],
            "uptodate": [config_changed(RUN.settings(stage)), (_intact, [stage])],
            "io": {"capture": False},
        }


def task_page() -> Iterator[dict[str, Any]]:
    """One hidden task per page, so that a page is made anew without its notebook."""
    for stage in STAGES:
        yield {
            "basename": f"_page_{stage.name}",
            "actions": [partial(reporting.write_page, RUN, stage)],
            "file_dep": [RUN.executed(stage), *reporting.templates()],
            "targets": [RUN.page(stage)],
            "io": {"capture": False},
        }


def task_report() -> dict[str, Any]:
    """Gather figures, strategies and the manifest on one page."""
    return {
        "doc": "gather figures, strategies and the manifest on one page",
        "actions": [partial(reporting.write_report, RUN)],
        "file_dep": [
            *(RUN.marker(stage) for stage in STAGES),
            *(RUN.executed(stage) for stage in STAGES),
            *reporting.templates(),
        ],
        "task_dep": [f"_page_{stage.name}" for stage in STAGES],
        "targets": reporting.report_files(RUN),
        "io": {"capture": False},
    }
