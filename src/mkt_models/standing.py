"""Whether what the stages of a run left still stands: what ``mkt run`` would run again, and why.

doit decides it, by the same graph and the same notes as a run does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mkt_models.stages import STAGES, Stage

State = Literal["current", "stale", "not run"]


@dataclass(frozen=True)
class Standing:
    """What a stage left: whether it is of the parameters, code and data of now, and why not."""

    stage: str
    state: State
    why: str = ""


def standings(graph: Mapping[str, Any]) -> list[Standing]:
    """How every stage stands, in their order; the report, ``report``, comes last.

    Parameters
    ----------
    graph
        The names of ``dodo.py``: its tasks and ``RUN``.

    Returns
    -------
    One entry per stage. A stage that needs a stale one is stale itself: nobody knows yet whether
    the new outputs will be the old ones.

    """
    looked = _look(graph)
    found: dict[str, Standing] = {}
    for stage in STAGES:
        waits = [name for name in stage.needs if found[name].state != "current"]
        found[stage.name] = _standing(graph["RUN"], stage, looked[stage.name], waits)
    report = Standing("report", "current")
    if looked["report"] or any(one.state != "current" for one in found.values()):
        report = Standing("report", "stale", "not made of these stages")
    return [*found.values(), report]


def _standing(run: Any, stage: Stage, reasons: Mapping[str, Any], waits: list[str]) -> Standing:
    if not run.marker(stage).is_file():
        return Standing(stage.name, "not run")
    why = _why(run, reasons)
    if waits:
        why.append(f"it needs {', '.join(waits)}")
    return Standing(stage.name, "stale" if why else "current", ", and ".join(why))


def _why(run: Any, reasons: Mapping[str, Any]) -> list[str]:
    """doit's reasons in words, the plainest first."""
    from doit.tools import config_changed

    why = []
    checks = [check for check, _, _ in reasons.get("uptodate_false", [])]
    if any(isinstance(check, config_changed) for check in checks):
        why.append("made with other parameters, or of other data")
    if any(not isinstance(check, config_changed) for check in checks):
        why.append("its outputs have been changed or lost")
    files = {
        Path(name)
        for reason in ("changed_file_dep", "added_file_dep", "removed_file_dep")
        for name in reasons.get(reason, [])
    }
    markers = {run.marker(stage): stage.name for stage in STAGES}
    if newer := sorted(markers[path] for path in files & set(markers)):
        why.append(f"{', '.join(newer)} made something else since")
    if others := sorted(path.name for path in files - set(markers)):
        more = f" and {len(others) - 2} more" if len(others) > 2 else ""
        why.append(f"{', '.join(others[:2])}{more} changed since")
    if not why and reasons:
        why.append("it did not finish")
    return why


def _look(graph: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """doit's reasons to run each task; none where it is up to date."""
    from doit.cmd_base import DoitCmdBase, ModuleTaskLoader

    reasons: dict[str, Mapping[str, Any]] = {}

    class Look(DoitCmdBase):  # type: ignore[misc]
        doc_purpose, doc_usage, doc_description = "look at every task", "", None
        cmd_options = ()

        def _execute(self) -> int:
            tasks = {task.name: task for task in self.task_list}
            for name, task in tasks.items():
                status = self.dep_manager.get_status(task, tasks, get_log=True)
                reasons[name] = {} if status.status == "up-to-date" else dict(status.reasons)
                if status.status == "error":
                    reasons[name] = {"missing_file_dep": [status.error_reason]}
            return 0

    Look(task_loader=ModuleTaskLoader(dict(graph))).parse_execute([])
    return reasons
