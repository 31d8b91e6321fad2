"""The bento: what is in it, how it starts and refuses to start, and how it ends."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from toy_models import save_toy, toy
from toy_snapshot import CUSTOMERS

from mkt_models import packaging
from mkt_models.columns import Model, ModelStatus
from mkt_models.models import registry
from mkt_models.models.card import Standing, Words
from mkt_models.packaging import PackagingError, Server, ask, build, describe, running
from mkt_models.serving.process import bento_folder, bentoml_environment
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Consent

ROOT = Path(__file__).parents[1]
QUESTION = {"customer_id": CUSTOMERS[0], "context": {"now": "2018-01-06T17:00:00Z"}, "k": 20}


@pytest.fixture(scope="module")
def later_home(toy_home: Path, bento: str) -> tuple[Path, str]:
    """The store after another churn model has been trained; the bento is older."""
    newer = toy(Model.CHURN, slope=0.5)
    return toy_home, save_toy(newer, toy_home, data_hash="newer")


@pytest.fixture(scope="module")
def keyed(
    later_home: tuple[Path, str], bento: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The older bento with two keys, and a live store in which one has refused the app.

    At its end nothing may be left: no process of the group, nobody who listens.
    """
    live = tmp_path_factory.mktemp("live") / "live.sqlite"
    refused = Consent(CUSTOMERS[0], "marketing", "app", "refused", date(2018, 1, 2))
    with LiveStore.open(live) as store, store.turn(CUSTOMERS[0], datetime.now(UTC)) as turn:
        turn.say(refused)
    environment = {"MKT_API_KEY": "first, second", "MKT_STORE_URL": f"sqlite:///{live}"}
    with running(later_home[0], bento, environment=environment) as server:
        yield server
    assert server.process.poll() is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(server.process.pid, 0)
    with pytest.raises(PackagingError, match="no answer"):
        ask(server.base_url, "/v1/profile", {"customer_id": CUSTOMERS[0]})


def test_requirements_are_those_of_serving_alone(tmp_path: Path) -> None:
    names = {pin.partition("==")[0] for pin in packaging.requirements(ROOT / "requirements.lock")}
    assert {"numpy", "pydantic", "sqlalchemy", "starlette", "xgboost-cpu"} <= names
    assert not names & {"pandas", "duckdb", "scikit-learn", "shap", "jupyterlab", "papermill"}
    short = tmp_path / "requirements.lock"
    short.write_text("numpy==2.4.6  # a note\n")
    with pytest.raises(PackagingError, match=r"lacks a2wsgi, .* run `make lock`"):
        packaging.requirements(short)


def test_a_bento_carries_package_models_and_pins(toy_home: Path, bento: str) -> None:
    told = describe(bento, toy_home)
    names = [tag.partition(":")[0] for tag in told["models"]]
    assert names == ["mkt-churn", "mkt-propensity", "mkt-snapshot", "mkt-value"]
    assert told["requirements"].count("bentoml==1.4.39") == 1
    assert told["bytes"] < 20_000_000
    files = bento_folder(bento, toy_home)
    assert (files / "src" / "mkt_models" / "service.py").is_file()
    assert not list(files.rglob("*.pyc"))
    assert "://" not in (files / "env" / "python" / "requirements.txt").read_text()


def test_a_snapshot_of_other_models_is_not_packed(later_home: tuple[Path, str]) -> None:
    home, tag = later_home
    newer = tag.replace("mkt-", "")
    with pytest.raises(PackagingError, match=f"the latest model is {newer}: make the snapshot"):
        build(ROOT, home)


def test_an_empty_store_says_what_to_train(tmp_path: Path) -> None:
    with pytest.raises(registry.RegistryError, match="mkt-churn:latest: not in the store"):
        build(ROOT, tmp_path)


def test_an_old_bento_keeps_its_models(keyed: Server, later_home: tuple[Path, str]) -> None:
    scores = keyed.ask("/v1/score", {"features": {"orders_90d": 9}})["scores"]
    newer = later_home[1].replace("mkt-", "")
    assert scores["churn"]["model"].startswith("churn:")
    assert scores["churn"]["model"] != newer


def test_with_a_key_everything_but_health_needs_it(keyed: Server) -> None:
    with httpx.Client(base_url=keyed.base_url, trust_env=False) as http:
        for path in ("/livez", "/readyz"):
            assert http.get(path).status_code == 200
        for path in ("/", "/metrics", "/docs.json", "/nowhere"):
            assert http.get(path).status_code == 401
        assert http.post("/v1/strategies", json=QUESTION).status_code == 401
        wrong = http.post("/v1/strategies", json=QUESTION, headers={"X-API-Key": "first, second"})
        assert wrong.json()["error"]["code"] == "unauthorized"
        for headers in ({"X-API-Key": "first"}, {"Authorization": "Bearer second"}):
            assert http.post("/v1/strategies", json=QUESTION, headers=headers).status_code == 200
            assert http.get("/metrics", headers=headers).status_code == 200
    with pytest.raises(PackagingError, match="answered 401"):
        ask(keyed.base_url, "/v1/strategies", QUESTION)


def test_a_no_in_the_live_store_binds_and_the_snapshots_yes_stays(keyed: Server) -> None:
    answer = keyed.ask("/v1/strategies", QUESTION)
    personal = [one for one in answer["strategies"] if one["personalised"]]
    assert {one["channel"] for one in personal} == {"mail"}
    codes = {s["code"] for s in answer["suppressed"] if s["channel"] == "app"}
    assert "consent_refused" in codes


def test_without_a_key_it_does_not_start_beyond_loopback(toy_home: Path, bento: str) -> None:
    folder = bento_folder(bento, toy_home)
    command = [sys.executable, "-m", "bentoml", "serve", str(folder), "--host", "0.0.0.0"]
    environment = bentoml_environment(toy_home)
    environment.pop("MKT_API_KEY", None)
    done = subprocess.run(
        [*command, "--port", "0"], env=environment, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 1
    assert b"refuses to listen on 0.0.0.0" in done.stderr


@pytest.fixture
def copied(toy_home: Path, bento: str, tmp_path: Path) -> Path:
    """A store of its own with the bento and its models."""
    shutil.copytree(toy_home, tmp_path / "home")
    return tmp_path / "home"


def test_what_is_not_released_is_refused_over_http(copied: Path, bento: str) -> None:
    held = [tag for tag in describe(bento, copied)["models"] if tag.startswith("mkt-churn:")]
    refused = Standing(
        status=ModelStatus.REFUSED, reason=Words(en="its audit fails", zh="审计未通过")
    )
    registry.set_standing(held[0], refused, copied)
    with running(copied, bento) as server, httpx.Client(base_url=server.base_url) as http:
        body = {"features": {"orders_90d": 9}}
        scores = http.post("/v1/score", json=body).json()["scores"]
        assert scores["churn"]["status"] == "refused"
        assert "its audit fails" in scores["churn"]["reason"]
        assert scores["value"]["value"] > 0
        alone = http.post("/v1/score", json={**body, "model": "churn"})
        assert (alone.status_code, alone.json()["error"]["code"]) == (409, "model_not_released")
        profile = http.post("/v1/profile", json={"customer_id": CUSTOMERS[2]}).json()
        assert "churn" not in profile["scores"]


def test_it_does_not_start_with_a_changed_byte(copied: Path, bento: str) -> None:
    held = [tag for tag in describe(bento, copied)["models"] if tag.startswith("mkt-value:")]
    path = Path(registry.find(held[0], copied).path_of(registry.TREES))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with (
        pytest.raises(PackagingError, match=f"does not start: {held[0]}: trees.ubj was changed"),
        running(copied, bento),
    ):
        pass
