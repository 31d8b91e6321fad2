"""A bento as a process: how it starts and fails to start, and what it is asked."""

import os
import sys
from pathlib import Path

import pytest
from toy_snapshot import CUSTOMERS

from mkt_models.serving import process
from mkt_models.serving.process import (
    PackagingError,
    Server,
    ask,
    bento_folder,
    bentoml_environment,
    running,
    serve,
    tail,
)


def test_a_start_that_fails_shows_the_log(toy_home: Path, bento: str) -> None:
    broken = {"BENTOML_CONFIG": "/nowhere.yaml"}
    with (
        pytest.raises(PackagingError, match=r"(?s)ended with code .*nowhere\.yaml"),
        running(toy_home, bento, environment=broken),
    ):
        pass


def test_a_bento_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(PackagingError, match="no bento mkt_models:latest"),
        running(tmp_path),
    ):
        pass


def test_an_answer_is_returned_and_a_refusal_raised(server: Server) -> None:
    assert ask(server.base_url, "/v1/profile", {"customer_id": CUSTOMERS[0]})["scores"]
    with pytest.raises(PackagingError, match=r"answered 404: .*unknown_customer"):
        server.ask("/v1/profile", {"customer_id": "nobody"})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with the empty bentos ``a`` and ``b``, of which ``a`` is the latest."""
    place = tmp_path / "bentos" / "mkt_models"
    for version in "ab":
        (place / version).mkdir(parents=True)
        (place / version / "bento.yaml").write_text("")
    (place / "latest").write_text("a\n")
    return tmp_path


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("mkt_models:latest", "a"),
        ("mkt_models:", "a"),
        ("mkt_models", "a"),
        ("mkt_models:b", "b"),
    ],
)
def test_a_tag_leads_to_a_folder(store: Path, tag: str, version: str) -> None:
    assert bento_folder(tag, store) == store.resolve() / "bentos" / "mkt_models" / version


@pytest.mark.parametrize("tag", ["mkt_models:c", "other", "other:a"])
def test_an_unknown_tag_says_what_to_do(store: Path, tag: str) -> None:
    with pytest.raises(PackagingError, match=f"no bento {tag} in .*: build one first"):
        bento_folder(tag, store)


def test_the_store_is_named_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENTOML_HOME", "/somewhere/else")
    monkeypatch.setenv("KEPT", "1")
    found = bentoml_environment(tmp_path / "x" / "..")
    assert found["BENTOML_HOME"] == str(tmp_path.resolve())
    assert found["BENTOML_DO_NOT_TRACK"] == "True"
    assert found["KEPT"] == "1"
    assert os.environ["BENTOML_HOME"] == "/somewhere/else"


def test_the_last_lines_of_a_log() -> None:
    assert tail("\n".join(str(i) for i in range(100)) + "\n\n").split("\n") == [
        str(i) for i in range(60, 100)
    ]
    assert tail("") == ""


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is started in place of BentoML: a program of Python."""
    program = ["pass"]

    def command(bento: Path, host: str, port: int) -> list[str]:
        return [sys.executable, "-c", program[0]]

    monkeypatch.setattr(process, "_serve_command", command)
    return program


def test_a_service_in_the_foreground_gives_its_exit_code(store: Path, stub: list[str]) -> None:
    stub[0] = "import os, sys; sys.exit(7 if os.environ['BENTOML_HOME'] else 0)"
    assert serve(store) == 7


def test_a_service_that_is_not_ready_in_time_is_ended(store: Path, stub: list[str]) -> None:
    stub[0] = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"
    with (
        pytest.raises(
            PackagingError, match=r"(?s)not ready in time: it did nothing .*\npid \d+"
        ) as caught,
        running(store, timeout=1.5),
    ):
        pass
    number = int(str(caught.value).rpartition(" ")[2])
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
