"""nbval on executed copies: it finds what differs, and no copy of something else is compared."""

import os
import subprocess
import sys
from pathlib import Path
from queue import Empty

import nbformat
import pytest
from replayed_notebooks import INJECTED, ReplayedKernel, ReplayError

ROOT = Path(__file__).parents[1]
MARKED = "# NBVAL_CHECK_OUTPUT\n'what it says'"


def write(path: Path, *cells: tuple[str, str], parameters: str = "n = 1", tag: str = "") -> Path:
    """A notebook: parameters, perhaps injected ones, and cells with the text that each answered."""
    head = [nbformat.v4.new_code_cell(parameters, execution_count=1)]
    head[0].metadata["tags"] = ["parameters"]
    if tag:
        head.append(nbformat.v4.new_code_cell(tag, execution_count=2))
        head[1].metadata["tags"] = [INJECTED]
    told = [
        nbformat.v4.new_code_cell(
            source,
            execution_count=3,
            outputs=[nbformat.v4.new_output("execute_result", {"text/plain": said})],
        )
        for source, said in cells
    ]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[*head, *told]), path)
    return path


def test_the_kernel_repeats_what_the_copy_says(tmp_path: Path) -> None:
    own = write(tmp_path / "a.ipynb", ("1 + 1", "2"))
    kernel = ReplayedKernel(own, write(tmp_path / "out" / "a.ipynb", ("1 + 1", "2"), tag="n=1"))
    kernel.execute_cell_input("n = 1")
    assert kernel.get_message("iopub")["content"] == {"execution_state": "idle"}
    asked = kernel.execute_cell_input("1 + 1")
    said, idle = kernel.get_message("iopub"), kernel.get_message("iopub")
    assert said["msg_type"] == "execute_result"
    assert said["content"]["data"] == {"text/plain": "2"}
    assert said["parent_header"] == idle["parent_header"] == {"msg_id": asked}
    with pytest.raises(Empty):
        kernel.get_message("iopub")
    with pytest.raises(ReplayError, match="ends before this cell"):
        kernel.execute_cell_input("1 + 1")


def test_a_copy_of_something_else_is_refused(tmp_path: Path) -> None:
    own = write(tmp_path / "a.ipynb", ("1 + 1", "2"))
    with pytest.raises(ReplayError, match=r"is missing: run `mkt run params/sample\.yaml`"):
        ReplayedKernel(own, tmp_path / "out" / "a.ipynb")
    copy = write(tmp_path / "out" / "a.ipynb", ("1 + 1", "2"), tag="n = 2")
    with pytest.raises(ReplayError, match=r"was run with \{'n': 2\}; the notebook has \{'n': 1\}"):
        ReplayedKernel(own, copy)
    kernel = ReplayedKernel(own, write(copy, ("1 + 2", "3")))
    kernel.execute_cell_input("n = 1")
    with pytest.raises(ReplayError, match=r"has another cell:\n1 \+ 2"):
        kernel.execute_cell_input("1 + 1")


def test_nbval_finds_what_differs_in_a_marked_cell(tmp_path: Path) -> None:
    copies, notebooks = tmp_path / "executed", tmp_path / "notebooks"
    for name, now in (("good", "'yes'"), ("bad", "'no'")):
        write(notebooks / f"{name}.ipynb", ("'free'", "'then'"), (MARKED, "'yes'"))
        write(copies / f"{name}.ipynb", ("'free'", "'now'"), (MARKED, now), tag="n = 1")
    command = "-m pytest -q -p replayed_notebooks -p no:cacheprovider --nbval-lax --nbval-replay"
    done = subprocess.run(
        [sys.executable, *command.split(), str(copies), str(notebooks)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 5 passed" in done.stdout
    assert "bad.ipynb::Cell 2" in done.stdout
