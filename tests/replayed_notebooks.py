"""nbval on what a run has just executed: a plugin of pytest that spares the second execution.

nbval executes the committed notebooks and compares the outputs of marked cells. ``mkt run`` with
``params/sample.yaml`` executes the same cells with the same parameters. With

    pytest notebooks -p replayed_notebooks --nbval-lax --nbval-replay build/sample/notebooks

nbval asks a kernel that repeats what the run's copies say, so its rules and its comparison hold
unchanged. The copies must come from these notebooks: a cell that differs, is missing or was not
executed, or other parameters, are errors. Without the option nbval executes the notebooks itself.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
import pytest

INJECTED = "injected-parameters"


class ReplayError(Exception):
    """The executed copy is not one of this notebook."""


class ReplayedKernel:
    """Stands for nbval's kernel: answers a cell with the outputs of an executed copy."""

    def __init__(self, notebook: Path, executed: Path) -> None:
        if not executed.is_file():
            raise ReplayError(f"{executed} is missing: run `mkt run params/sample.yaml` first")
        copy = _code_cells(executed)
        injected = [cell.source for cell in copy if INJECTED in cell.metadata.get("tags", [])]
        for cell in _code_cells(notebook):
            if injected and "parameters" in cell.metadata.get("tags", []):
                own, given = _values(cell.source), _values(injected[0])
                if own != given:
                    raise ReplayError(f"{executed} was run with {given}; the notebook has {own}")
        self._name = executed.name
        self._cells = deque(c for c in copy if INJECTED not in c.metadata.get("tags", []))
        self._messages: deque[dict[str, Any]] = deque()
        self._asked = 0

    def execute_cell_input(self, source: str, allow_stdin: bool | None = None) -> str:
        """Queue what the copy's next cell has answered; the number of the question."""
        if not self._cells:
            raise ReplayError(f"{self._name}: the executed copy ends before this cell")
        cell = self._cells.popleft()
        if cell.source != source:
            raise ReplayError(f"{self._name}: the executed copy has another cell:\n{cell.source}")
        if cell.execution_count is None and source.strip():
            raise ReplayError(f"{self._name}: the executed copy has not run this cell")
        self._asked += 1
        self._messages.extend(self._answered(cell.outputs))
        return str(self._asked)

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message, as Jupyter's protocol has it."""
        if not self._messages:
            raise Empty
        return self._messages.popleft()

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """The reply is always there."""

    def await_idle(self, parent_id: str, timeout: float | None = None) -> None:
        """Drop what is left of an answer."""
        self._messages.clear()

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return True

    def interrupt(self) -> None:
        """Nothing runs."""

    def stop(self) -> None:
        """Nothing runs."""

    def _answered(self, outputs: list[Any]) -> Iterator[dict[str, Any]]:
        for output in outputs:
            content = {key: value for key, value in output.items() if key != "output_type"}
            yield self._message(output.output_type, content)
        yield self._message("status", {"execution_state": "idle"})

    def _message(self, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "msg_type": kind,
            "content": content,
            "parent_header": {"msg_id": str(self._asked)},
        }


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the folder of the executed copies."""
    parser.getgroup("nbval").addoption(
        "--nbval-replay",
        type=Path,
        help="do not execute: compare with the executed copies in this folder",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Give nbval's notebooks the replaying kernel."""
    if config.option.nbval_replay is None:
        return
    from nbval import plugin

    def setup(self: Any) -> None:
        self.kernel = ReplayedKernel(self.path, config.option.nbval_replay / self.path.name)
        self.setup_sanitize_files()

    plugin.IPyNbFile.setup = setup


def _code_cells(notebook: Path) -> list[Any]:
    cells = nbformat.read(notebook, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def _values(source: str) -> dict[str, object]:
    """The names that a cell of parameters sets."""
    names: dict[str, object] = {}
    exec(source, {}, names)
    return names
