"""What tests of several modules share: a small project with fake notebooks, and a toy service.

What is slow to import is imported by the fixture that needs it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from kernels import Kernel

    from mkt_models.serving.process import Server

ROOT = Path(__file__).parents[1]

# No example has a deadline: a busy machine is no counter-example. In CI the same examples every
# time: a new counter-example is found by people, at their desk.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def _notebook(title: str, *code: str, conclusion: str = "It holds. More follows.") -> str:
    document = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        }
    )
    parameters = nbformat.v4.new_code_cell('params_file = "../params/sample.yaml"\noverrides = {}')
    parameters.metadata["tags"] = ["parameters"]
    document.cells = [
        nbformat.v4.new_markdown_cell(f"# {title}"),
        parameters,
        *(nbformat.v4.new_code_cell(source) for source in code),
        nbformat.v4.new_markdown_cell(f"## Conclusion\n\n{conclusion}"),
    ]
    for number, cell in enumerate(document.cells):
        cell["id"] = f"cell-{number}"
    return str(nbformat.writes(document))


@pytest.fixture(scope="session")
def notebook_text() -> Callable[..., str]:
    """Write a notebook as text: title, parameters cell, code cells, conclusion."""
    return _notebook


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Put the environment and the working folder back after each test: a command changes both."""
    before, here = dict(os.environ), Path.cwd()
    yield
    os.chdir(here)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose twelve notebooks do nothing."""
    from mkt_models.stages import STAGES

    for folder in ("notebooks", "params", "src/mkt_models"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("complete_journey.yaml", "sample.yaml"):
        shutil.copy(ROOT / "params" / name, tmp_path / "params" / name)
    for name in ("catalogue.yaml", "tags.yaml"):
        shutil.copy(ROOT / "params" / name, tmp_path / "params")
    (tmp_path / "src/mkt_models/fake.py").write_text("")
    (tmp_path / "requirements.lock").write_text("doit==0\n")
    for name in ("dodo.py", "bentofile.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    for stage in STAGES:
        number, _, word = stage.name.partition("_")
        text = _notebook(f"{number} · {word.title()}: what does {word} say?", f"'{word}'")
        (tmp_path / "notebooks" / f"{stage.name}.ipynb").write_text(text)
    return tmp_path


@pytest.fixture
def kernel(project: Path, monkeypatch: pytest.MonkeyPatch) -> "Kernel":
    """What stands for papermill in the project, whose ten stages then take no time."""
    from kernels import Kernel

    from mkt_models import reporting, stages

    fake = Kernel(project)
    monkeypatch.setattr(stages, "execute_notebook", fake)
    monkeypatch.setattr(reporting, "to_html", lambda executed, around: executed.name)
    monkeypatch.chdir(project)
    return fake


@pytest.fixture
def run(kernel: "Kernel") -> Callable[..., int]:
    """Run the project's stages as ``mkt run`` does; the exit code."""
    from mkt_models import cli

    def go(*words: str) -> int:
        kernel.executed.clear()
        return cli.main(["run", "params/sample.yaml", *words])

    return go


@pytest.fixture(scope="session")
def spark_url() -> Iterator[str]:
    """Where a Spark Connect server of this test run listens; only for tests marked spark."""
    from mkt_models.spark_server import running, spark_home

    environment = Path(os.environ.get("MKT_SPARK_ENV", ROOT / ".venv-spark"))
    with running(spark_home(environment), brief=True) as found:
        yield found.url


@pytest.fixture(scope="session")
def toy_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BentoML store with three toy models and a snapshot that they scored."""
    from toy_service import fill_store

    home = tmp_path_factory.mktemp("bentoml")
    fill_store(home)
    return home


@pytest.fixture(scope="session")
def bento(toy_home: Path) -> str:
    """The tag of a bento built from the toy models."""
    from mkt_models.packaging import build

    return build(ROOT, toy_home)


@pytest.fixture(scope="session")
def server_home(toy_home: Path, bento: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The BentoML store of the server, where its live store is too.

    A store of its own: BentoML keeps its counts in the store, and another server that starts from
    the same one deletes them.
    """
    home = tmp_path_factory.mktemp("served")
    shutil.copytree(toy_home, home, dirs_exist_ok=True)
    return home


@pytest.fixture(scope="session")
def server(server_home: Path, bento: str) -> "Iterator[Server]":
    """The toy bento, running without a key."""
    from mkt_models.serving.process import running

    store = {"MKT_STORE_URL": f"sqlite:///{server_home / 'live.sqlite'}"}
    with running(server_home, bento, environment=store) as found:
        yield found


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an empty database of a real PostgreSQL, on loopback."""
    from postgres import running

    with running() as url:
        yield url
