"""Running notebooks, with a real kernel."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from mkt_models.notebook_runs import (
    StageError,
    StageNotAvailable,
    execute_notebook,
    normalised,
    refresh,
    timing,
)


@pytest.fixture
def write(tmp_path: Path, notebook_text: Callable[..., str]) -> Callable[..., Path]:
    def write(*code: str) -> Path:
        path = tmp_path / "notebooks" / "05_churn.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(notebook_text("05 · Churn: who leaves?", *code))
        return path

    return write


def test_the_copy_has_the_parameters_and_the_notebook_is_untouched(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    notebook = write(
        "import os\nprint(params_file, overrides['seed'], os.path.basename(os.getcwd()))"
    )
    before = notebook.read_bytes()
    given = {"params_file": "../params/other.yaml", "overrides": {"seed": 3}}
    executed = execute_notebook(notebook, tmp_path / "out", given)
    cells = nbformat.read(executed, as_version=4).cells
    assert cells[3].outputs[0].text == "../params/other.yaml 3 notebooks\n"
    assert notebook.read_bytes() == before
    assert [path.name for path in executed.parent.iterdir()] == ["05_churn.ipynb"]
    assert timing(executed)["seconds"] > 0


@pytest.mark.parametrize(
    ("code", "number", "words"),
    [
        ("horizon = 0\nraise ValueError('horizon_days == 0, must be > 0')", 3, "must be > 0"),
        ("import os\nos.kill(os.getpid(), 9)", 3, "Kernel died"),
        ("import sys\nsys.exit(0)", 3, "SystemExit"),
    ],
)
def test_a_failure_names_the_cell_and_keeps_both_copies(
    tmp_path: Path, write: Callable[..., Path], code: str, number: int, words: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "05_churn.ipynb").write_text("the last good copy")
    with pytest.raises(StageError, match=rf"05_churn\.ipynb, code cell {number}\n") as caught:
        execute_notebook(write(code, "'never reached'"), out, {"overrides": {}})
    assert words in str(caught.value)
    assert "05_churn.failed.ipynb" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert (out / "05_churn.ipynb").read_text() == "the last good copy"
    assert sorted(p.name for p in out.iterdir()) == ["05_churn.failed.ipynb", "05_churn.ipynb"]


def test_refreshing_twice_changes_nothing(write: Callable[..., Path]) -> None:
    notebook = write("print('n = 3')\n1 + 1")
    refresh(notebook)
    once = notebook.read_bytes()
    refresh(notebook)
    assert notebook.read_bytes() == once
    cell = json.loads(once)["cells"][2]
    assert cell["outputs"][0]["text"] == ["n = 3\n"]
    assert cell["id"] == "cell-2"


def test_normalising_drops_what_differs_between_equal_runs() -> None:
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["parameters"], "papermill": {"a": 1}})
    cell.metadata["execution"] = {"iopub.status.busy": "2026-01-01"}
    notebook = nbformat.v4.new_notebook(metadata={"papermill": {"x": 1}})
    notebook.cells = [cell, nbformat.from_dict(cell)]
    out = normalised(notebook)
    assert out.metadata.language_info == {"name": "python"}
    assert "papermill" not in out.metadata
    assert out.cells[0].metadata == {"tags": ["parameters"]}
    assert out.cells[1]["id"] == "cell-02"  # the first keeps the id that both had
    assert notebook.metadata.papermill == {"x": 1}


def test_a_notebook_without_its_data_ends_with_the_reason(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    raising = (
        "from mkt_models.workspace import NotAvailableError\n"
        "raise NotAvailableError('the source has no campaigns')"
    )
    out = tmp_path / "out"
    with pytest.raises(StageNotAvailable, match="the source has no campaigns"):
        execute_notebook(write("1 + 1", raising, "'never reached'"), out, {"overrides": {}})
    assert [path.name for path in out.iterdir()] == ["05_churn.ipynb"]
    cells = nbformat.read(out / "05_churn.ipynb", as_version=4).cells
    assert [cell.source for cell in cells[3:]] == [
        "1 + 1",
        "## Not available\n\nthe source has no campaigns",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import duckdb; duckdb.sql(\"SELECT CAST('Anna' || ' Li 4711' AS INT)\").fetchall()",
        "{}['Anna' + ' Li 4711']",
    ],
    ids=["engine", "look-up"],
)
def test_the_log_of_a_failure_quotes_no_data(
    tmp_path: Path, write: Callable[..., Path], code: str
) -> None:
    """The failed copy has it all, and stays with the data."""
    with pytest.raises(StageError) as caught:
        execute_notebook(write(code), tmp_path / "out", {"overrides": {}})
    assert "Anna Li 4711" not in str(caught.value)
    assert "'…'" in str(caught.value)
    assert "Anna Li 4711" in (tmp_path / "out" / "05_churn.failed.ipynb").read_text()
