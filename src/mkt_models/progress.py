"""Tells a run's progress: one line when a stage starts, one when it is done, skipped or failed."""

import sys
import time
from typing import Any, TextIO


class ProgressReporter:
    """doit's reporter for stages; what doit calls and when is doit's own protocol.

    Tasks whose name begins with an underscore are helpers and are told of only when they fail.
    """

    desc = "one line per stage, in words, with the elapsed time"

    def __init__(self, outstream: TextIO, options: dict[str, Any]) -> None:
        """Called by doit; it binds its stream when it is imported, so the current one is taken."""
        self._out = sys.stdout
        self._run_began = time.monotonic()
        self._began: dict[str, float] = {}
        self._told: set[str] = set()
        self._stages: dict[str, Any] = {}
        self._failed: list[str] = []
        self._errors: list[str] = []

    def initialize(self, tasks: dict[str, Any], selected_tasks: list[str]) -> None:
        """Called once, before anything runs."""
        self._stages = {name: task for name, task in tasks.items() if not _hidden(task)}

    def get_status(self, task: Any) -> None:
        """Called when a task is looked at."""

    def execute_task(self, task: Any) -> None:
        """Called when a task starts; from the thread that runs it."""
        self._began[task.name] = time.monotonic()
        if not _hidden(task):
            self._line(task, f"{task.doc} …")

    def add_success(self, task: Any) -> None:
        """Called when a task has succeeded."""
        if not _hidden(task):
            why = (task.values or {}).get("not_available")
            self._line(task, f"not available: {why}" if why else f"done in {self._seconds(task)}")

    def skip_uptodate(self, task: Any) -> None:
        """Called when nothing that a task depends on has changed."""
        if not _hidden(task):
            self._line(task, "unchanged, skipped")

    def skip_ignore(self, task: Any) -> None:
        """Called when doit was told to ignore a task."""
        self._line(task, "ignored")

    def add_failure(self, task: Any, fail: Any) -> None:
        """Called when a task has failed, or could not be started."""
        self._told.add(task.name)
        if not getattr(fail, "report", True):
            return
        self._failed.append(task.name)
        after = f" after {self._seconds(task)}" if task.name in self._began else ""
        self._line(task, f"FAILED{after}")
        text = fail.message + "".join(["\n", *fail.traceback] if fail.traceback else [])
        self._write("".join(f"         {line}\n" for line in text.splitlines()))

    def cleanup_error(self, exception: Any) -> None:
        """Called when cleaning fails."""
        self._write(f"{exception.get_msg()}\n")

    def runtime_error(self, msg: str) -> None:
        """Called when doit itself cannot go on."""
        self._errors.append(msg)

    def teardown_task(self, task: Any) -> None:
        """Called when a task is torn down."""

    def complete_run(self) -> None:
        """Called at the very end."""
        for error in self._errors:
            self._write(f"{error}\n")
        left = [name for name in self._stages if name not in self._told]
        if self._failed and left:
            self._write(f"         not run, because of that: {', '.join(left)}\n")

    def _seconds(self, task: Any) -> str:
        return f"{time.monotonic() - self._began[task.name]:.1f} s"

    def _line(self, task: Any, text: str) -> None:
        if not text.endswith("…"):
            self._told.add(task.name)
        elapsed = int(time.monotonic() - self._run_began)
        self._write(f"  {elapsed // 60:02d}:{elapsed % 60:02d}  {task.name:<14} {text}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _hidden(task: Any) -> bool:
    return bool(task.name.startswith("_")) or not task.actions
