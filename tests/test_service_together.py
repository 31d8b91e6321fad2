"""Sixteen callers at once, two workers, one PostgreSQL: no cap and no refusal is passed."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from time import monotonic
from typing import Any

import httpx
import psycopg
import pytest
from toy_snapshot import CUSTOMERS

from mkt_models.packaging import Server
from mkt_models.serving.process import running

CALLERS = 16
NOW = datetime(2018, 1, 3, 17, tzinfo=UTC)
PUSH = ("email", "mail", "sms")


@pytest.fixture(scope="module")
def busy(
    toy_home: Path, bento: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The toy bento with two workers on a database of its own."""
    with psycopg.connect(postgres_url, autocommit=True) as plain:
        plain.execute("CREATE DATABASE together")
    store = postgres_url.rpartition("/")[0] + "/together"
    home = tmp_path_factory.mktemp("together")
    shutil.copytree(toy_home, home, dirs_exist_ok=True)
    environment = {"MKT_STORE_URL": store, "MKT_WORKERS": "2"}
    with running(home, bento, environment=environment, timeout=180) as server:
        yield server
        log = server.log_file.read_text(encoding="utf-8")
        assert all(f"[:{worker}] Service mkt_models initialized" in log for worker in (1, 2))
    with psycopg.connect(postgres_url, autocommit=True) as plain:
        plain.execute("DROP DATABASE together WITH (FORCE)")


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_whoever_asks_first_gets_the_only_leave(busy: Server) -> None:
    consents = [
        {"purpose": "marketing", "channel": channel, "status": "granted"} for channel in PUSH
    ]
    at = {"changed_at": "2017-06-01T12:00:00Z"}
    with httpx.Client(base_url=busy.base_url, trust_env=False, timeout=120) as client:
        for consent in consents:
            post(client, "/v1/consents", {**consent, **at, "customer_id": CUSTOMERS[0]})
    start = Barrier(CALLERS)

    def ask(caller: int) -> list[dict[str, Any]]:
        answers = []
        with httpx.Client(base_url=busy.base_url, trust_env=False, timeout=120) as client:
            start.wait(timeout=60)
            for number in range(4):
                now = NOW + timedelta(seconds=caller * 10 + number)
                body = {
                    "customer_id": CUSTOMERS[0],
                    "context": {"now": now.isoformat(), "channel": PUSH[number % 3]},
                }
                answers.append(post(client, "/v1/strategies", body))
        return answers

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = [one for some in pool.map(ask, range(CALLERS)) for one in some]
    given = [
        served["channel"]
        for answer in answers
        for served in answer["strategies"]
        if served["channel"] in PUSH
    ]
    assert len(answers) == 64
    assert len(given) == 1


def test_after_a_no_nobody_is_given_leave(busy: Server) -> None:
    start = Barrier(CALLERS)
    said: list[float] = []

    def ask(caller: int) -> list[tuple[float, bool]]:
        found = []
        with httpx.Client(base_url=busy.base_url, trust_env=False, timeout=120) as client:
            start.wait(timeout=60)
            for number in range(6):
                if caller == 0 and number == 2:
                    post(
                        client,
                        "/v1/consents",
                        {
                            "customer_id": CUSTOMERS[1],
                            "purpose": "marketing",
                            "channel": "app",
                            "status": "refused",
                        },
                    )
                    said.append(monotonic())
                now = NOW + timedelta(seconds=caller * 10 + number)
                context = {"now": now.isoformat(), "channel": "app"}
                begun = monotonic()
                body = {"customer_id": CUSTOMERS[1], "context": context, "k": 1}
                answer = post(client, "/v1/strategies", body)
                found.append((begun, answer["strategies"][0]["channel"] is not None))
        return found

    with ThreadPoolExecutor(CALLERS) as pool:
        asked = [one for some in pool.map(ask, range(CALLERS)) for one in some]
    (refused_at,) = said
    later = [given for begun, given in asked if begun > refused_at]
    assert len(later) >= 4
    assert not any(later)
    assert any(given for begun, given in asked if begun <= refused_at)
