"""The house rules that no other tool checks: the lock file, the notebooks, the addresses."""

import re
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line.split(";")[0].strip() for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", n).lower(): v for n, v in (pin.split("==") for pin in pins)}


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for group in (project["dependencies"], *extras) for text in group]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_the_lock_satisfies_the_project(requirement: Requirement) -> None:
    version = locked()[re.sub(r"[-_.]+", "-", requirement.name).lower()]
    assert requirement.specifier.contains(version)


def test_the_lock_pins_everything_and_names_no_host() -> None:
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+( ?;.*)?|#.*|", line), line
        assert "://" not in line


def cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


@each_notebook
def test_a_notebook_is_valid_with_stable_ids(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell["id"] for cell in notebook.cells}) == len(notebook.cells)
    assert "papermill" not in notebook.metadata
    assert not any("execution" in cell.metadata for cell in notebook.cells)


@each_notebook
def test_a_notebook_tells_a_story(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    number, _, _ = path.stem.partition("_")
    assert re.match(rf"# {number} · [^:]+: \S", notebook.cells[0].source)
    tagged = [c for c in cells(path, "code") if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert "params_file = " in tagged[0].source
    assert "overrides = " in tagged[0].source


@each_notebook
def test_a_notebook_gets_the_parameters_of_its_own_stage(path: Path) -> None:
    code = "\n".join(cell.source for cell in cells(path, "code"))
    assert f'Workspace.open(params_file, overrides, stage="{path.stem}")' in code
    assert len(re.findall(r"\b(Workspace\.open|load_params|Run\.open)\(", code)) == 1


@each_notebook
def test_every_figure_that_is_described_is_there(path: Path) -> None:
    for cell in cells(path, "code"):
        if cell.source.startswith("# alt:"):
            shown = [output for output in cell.outputs if "image/png" in output.get("data", {})]
            assert len(shown) == 1, cell.source


@each_notebook
def test_a_notebook_defines_nothing(path: Path) -> None:
    for cell in cells(path, "code"):
        assert not re.search(r"(?m)^\s*(async\s+)?(def|class)\s", cell.source)


@each_notebook
def test_a_notebook_is_committed_executed_without_errors_or_machine_paths(path: Path) -> None:
    for cell in cells(path, "code"):
        assert cell.execution_count is not None or not cell.source.strip()
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.get("text")
            data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
            shown = output.get("text", "") + str(data)
            assert not re.search(r"(?<![\w.])/(home|root|tmp|work|usr|opt|Users|var)/", shown)


@each_notebook
def test_every_figure_is_described(path: Path) -> None:
    for cell in cells(path, "code"):
        figures = sum("image/png" in o.get("data", {}) for o in cell.outputs)
        described = len(re.findall(r"(?m)^# alt: \S", cell.source))
        assert described >= figures, f"{figures} figures, {described} lines '# alt: ...'"


def test_the_notebooks_are_the_stages() -> None:
    from mkt_models.stages import STAGES

    if not NOTEBOOKS:
        pytest.skip("no notebooks yet")
    assert [path.stem for path in NOTEBOOKS] == [stage.name for stage in STAGES]


@pytest.mark.parametrize("name", ["Makefile", ".ci/run", ".pre-commit-config.yaml", "dodo.py"])
def test_no_address_in_the_tooling(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()
