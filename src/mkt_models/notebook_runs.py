"""Runs notebooks: a stage's copy with the run's parameters, or the committed one with its defaults.

A run never touches the committed notebook: papermill writes a copy, which takes its place among
the run's files only when every cell has succeeded. A copy that failed stays beside it, under the
name ``<notebook>.failed.ipynb``, and the last good copy stays as it was.
"""

import logging
import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat

from mkt_models.workspace import NotAvailableError

CELL_TIMEOUT = 3600  # seconds; a cell that takes longer hangs, and should fail rather than wait
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_KERNEL: dict[str, Any] = {
    "kernel_name": "python3",
    "extra_arguments": ["--HistoryManager.enabled=False", "--IPKernelApp.log_level=50"],
}


class StageNotAvailable(Exception):
    """A notebook found that the source cannot give what it needs; the message is its reason."""


class StageError(RuntimeError):
    """A notebook failed; the message names the notebook, the cell, the error and the kept copy."""


def execute_notebook(notebook: Path, out_dir: Path, parameters: Mapping[str, object]) -> Path:
    """Run a notebook in its own folder and keep the executed copy.

    Parameters
    ----------
    notebook
        The notebook; the cell tagged ``parameters`` holds its defaults.
    out_dir
        Where the executed copy goes, under the notebook's name; made if need be.
    parameters
        New values for names of the parameters cell; plain values, as JSON knows them.

    Returns
    -------
    Path of the executed copy. A copy of an earlier run is replaced at the very end.

    Raises
    ------
    StageNotAvailable
        When a cell raises :class:`mkt_models.workspace.NotAvailableError`. The copy is kept up to
        that cell, with the reason as its conclusion.
    StageError
        When a cell fails, the kernel dies or stalls, or a cell leaves the notebook early.

    """
    import papermill
    from traitlets.config import Config

    logging.getLogger("papermill").setLevel(logging.ERROR)
    out_dir.mkdir(parents=True, exist_ok=True)
    done = out_dir / notebook.name
    partial, failed = done.with_suffix(".partial.ipynb"), done.with_suffix(".failed.ipynb")
    try:
        papermill.execute_notebook(
            str(notebook.resolve()),
            str(partial.resolve()),
            parameters=dict(parameters),
            progress_bar=False,
            coalesce_streams=True,
            execution_timeout=CELL_TIMEOUT,
            # the kernel's folder; papermill's own `cwd` changes that of this process, which two
            # stages running at a time would do to each other
            resources={"metadata": {"path": str(notebook.resolve().parent)}},
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            **_KERNEL,
        )
        _refuse_early_end(partial)
    except Exception as error:
        if getattr(error, "ename", None) == NotAvailableError.__name__:
            why = str(getattr(error, "evalue", ""))
            _end_with(partial, why)
            failed.unlink(missing_ok=True)
            partial.replace(done)
            raise StageNotAvailable(why) from None
        kept = None
        if partial.exists():
            kept = partial.replace(failed)
        raise StageError(_explain(notebook, error, kept)) from error
    failed.unlink(missing_ok=True)
    return partial.replace(done)


def timing(executed: Path) -> dict[str, Any]:
    """When an executed copy ran: ``started``, ``ended`` (ISO 8601, UTC) and ``seconds``."""
    recorded = nbformat.read(executed, as_version=4).metadata.get("papermill", {})
    started, ended = recorded.get("start_time"), recorded.get("end_time")
    seconds = None
    if started and ended:
        delta = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
        seconds = round(delta.total_seconds(), 1)
    return {"started": started, "ended": ended, "seconds": seconds}


def refresh(notebook: Path) -> None:
    """Run a notebook with its defaults and write the outputs back into it, normalised.

    Raises
    ------
    StageError
        When a cell fails; the notebook is left as it was.

    """
    from nbclient import NotebookClient
    from traitlets.config import Config

    document = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        document,
        timeout=CELL_TIMEOUT,
        coalesce_streams=True,
        resources={"metadata": {"path": str(notebook.resolve().parent)}},
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        **_KERNEL,
    )
    try:
        client.execute()
    except Exception as error:
        raise StageError(_explain(notebook, error, None)) from error
    partial = notebook.with_suffix(".partial")
    nbformat.write(normalised(document), partial)
    partial.replace(notebook)


def normalised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs between two equal runs: times, versions, papermill's notes, lost ids.

    Cell ids are kept where they exist and are given by position where they do not, so that a
    diff of two runs shows changed results and nothing else.
    """
    out = nbformat.from_dict(notebook)
    out.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    out.nbformat, out.nbformat_minor = 4, 5
    seen: set[str] = set()
    for position, cell in enumerate(out.cells, start=1):
        if not cell.get("id") or cell["id"] in seen:
            cell["id"] = f"cell-{position:02d}"
        seen.add(cell["id"])
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = nbformat.from_dict({})
    return out


def _end_with(executed: Path, why: str) -> None:
    """Cut an executed copy off at the cell that found nothing to work on, and say why."""
    document = nbformat.read(executed, as_version=4)
    cells = []
    for cell in document.cells:
        if any(o.get("output_type") == "error" for o in cell.get("outputs", [])):
            break
        if not {"papermill-error-cell-tag"} & set(cell.metadata.get("tags", [])):
            cells.append(cell)
    text = f"## Not available\n\n{why}"
    document.cells = [*cells, nbformat.v4.new_markdown_cell(text, id="not-available")]
    nbformat.write(document, executed)


def _refuse_early_end(executed: Path) -> None:
    """papermill counts ``sys.exit(0)`` in a cell as success; a stage that ends early is none."""
    for number, cell in _code_cells(executed):
        if any(output.get("ename") == "SystemExit" for output in cell.outputs):
            raise RuntimeError(f"code cell {number} left the notebook early (SystemExit)")


def _explain(notebook: Path, error: Exception, kept: Path | None) -> str:
    """Notebook, cell and the error's last lines; then where the failed copy lies."""
    number = getattr(error, "exec_count", None)
    if number is None and kept is not None:
        # a dead or stalled kernel: the last cell that papermill had started
        begun = [
            n for n, c in _code_cells(kept) if c.metadata.get("papermill", {}).get("start_time")
        ]
        number = begun[-1] if begun else None
    if hasattr(error, "ename"):
        text = f"{error.ename}: {without_data(error.ename, str(getattr(error, 'evalue', '')))}"
    else:
        text = f"{type(error).__name__}: {without_data(type(error).__name__, str(error))}"
    tail = [line for line in _ANSI.sub("", text).strip().splitlines() if line.strip()][-6:]
    where = f"{notebook.name}, " + (f"code cell {number}" if number else "before its first cell")
    source = (getattr(error, "source", None) or "").strip().splitlines()
    lines = [where, *(f"  > {line}" for line in source[:1]), *(f"  {line}" for line in tail)]
    if kept is not None:
        lines.append(f"failed copy: {os.path.relpath(kept)}")
    return "\n".join(lines)


def without_data(name: str, message: str) -> str:
    """A message for a log: of an error that quotes the data, what it quotes becomes an ellipsis.

    Logs are sent about; what was quoted stands in the failed copy, which is kept with the data.

    >>> print(without_data("ConversionException", "Could not convert string 'Anna Li' to INT32"))
    Could not convert string '…' to INT32
    >>> without_data("KeyError", "'orders_90d'"), without_data("KeyError", "'4711'")
    ("'orders_90d'", "'…'")
    >>> without_data("ParamsError", "run: 'no such' is unknown")
    "run: 'no such' is unknown"
    """
    if name not in _QUOTES_DATA:
        return message
    first, *more = message.splitlines() or [""]
    told = _QUOTED.sub(lambda found: found[0] if _COLUMN.fullmatch(found[2]) else "'…'", first)
    return told if not more else f"{told}\n…"


# Errors of the engines and of look-ups: their messages quote values of the data.
_QUOTES_DATA = frozenset(
    {
        "ArrowInvalid",
        "ConstraintException",
        "ConversionException",
        "DataError",
        "IntegrityError",
        "InvalidInputException",
        "KeyError",
        "OutOfRangeException",
        "UnicodeDecodeError",
    }
)
_QUOTED = re.compile(r"""(['"])(.*?)\1""")
_COLUMN = re.compile(r"[a-z]+(_[a-z0-9]+)+")


def _code_cells(notebook: Path) -> list[tuple[int, Any]]:
    cells = nbformat.read(notebook, as_version=4).cells
    return list(enumerate((cell for cell in cells if cell.cell_type == "code"), start=1))
