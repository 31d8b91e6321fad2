"""Sixteen callers at once, two workers, one PostgreSQL: no cap, no refusal, no budget is passed."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from time import monotonic
from typing import Any

import httpx
import psycopg
import pytest
from toy_snapshot import AS_OF, CUSTOMERS, ITEM, OFFER, PROFILE

from mkt_models.columns import Model
from mkt_models.packaging import Server
from mkt_models.serving.process import running
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Consent, SnapshotMeta

CALLERS = 16
NOW = datetime(2018, 1, 3, 17, tzinfo=UTC)
PUSH = ("email", "mail", "sms")


def store_of(postgres_url: str) -> str:
    return postgres_url.rpartition("/")[0] + "/together"


@pytest.fixture(scope="module")
def busy(
    toy_home: Path, bento: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The toy bento with two workers on a database of its own."""
    with psycopg.connect(postgres_url, autocommit=True) as plain:
        plain.execute("CREATE DATABASE together")
    store = store_of(postgres_url)
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


def publish_with_coupons(address: str, names: list[str], amount: int) -> None:
    """Everybody would get a coupon in the app, and there are fewer than that."""
    row = {"budget": "app_coupons", "resource": "coupons", "amount": amount, "period_days": 7}
    scope: dict[str, list[str]] = {"channels": ["app"], "strategies": [], "offers": []}
    meta = SnapshotMeta(
        as_of=AS_OF,
        verdicts=dict.fromkeys((*Model, "terms"), "pass"),
        snapshot_id=f"coupons-{amount}",
        shadow_prices=({**row, **scope, "price": 0.0, "used": float(amount)},),
    )
    scores = {
        name: {"value": value, "kind": "predicted", "model": f"{name}:1", "reasons": []}
        for name, value in (("churn", 0.6), ("value", 400.0))
    }
    documents = [
        {
            "customer_id": name,
            "as_of": AS_OF,
            "profile": {"customer_id": name, "as_of": AS_OF, **PROFILE},
            "scores": scores,
            "recommendations": [ITEM],
            "offers": [{**OFFER, "probability": 0.9}],
        }
        for name in names
    ]
    yes = [Consent(name, "marketing", "app", "granted", date(2017, 1, 1)) for name in names]
    with LiveStore.open(address) as live:
        assert live.publish(meta, documents, datetime.now(UTC), yes) == len(names)


def test_all_coupons_are_given_out_and_not_one_more(busy: Server, postgres_url: str) -> None:
    names = [f"shopper-{number}" for number in range(2 * CALLERS)]
    publish_with_coupons(store_of(postgres_url), names, amount=10)
    start = Barrier(CALLERS)

    def ask(caller: int) -> list[dict[str, Any]]:
        answers = []
        with httpx.Client(base_url=busy.base_url, trust_env=False, timeout=120) as client:
            start.wait(timeout=60)
            for name in names[caller::CALLERS]:
                context = {"now": NOW.isoformat(), "channel": "app"}
                body = {"customer_id": name, "context": context, "k": 20}
                answers.append(post(client, "/v1/strategies", body))
        return answers

    def coupons(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"decision_id": answer["decision_id"], "strategy": one["strategy"], "channel": "app"}
            for answer in answers
            for one in answer["strategies"]
            if one["content"].get("offer")
        ]

    def asked() -> list[dict[str, Any]]:
        with ThreadPoolExecutor(CALLERS) as pool:
            return [one for some in pool.map(ask, range(CALLERS)) for one in some]

    answers = asked()
    assert len(answers) == len(names)
    given = coupons(answers)
    assert len(given) == 10
    # Who is held out and asks while there are coupons has none for that reason.
    without = [
        one
        for answer in answers
        for one in answer["suppressed"]
        if one["code"] in ("budget_spent", "holdout") and one["offer_id"] == "o-1"
    ]
    assert len({answer["decision_id"] for answer in answers}) == len(names)
    assert len(without) == len(names) - 10
    spent = [one for one in without if one["code"] == "budget_spent"]
    assert spent[0]["en"].startswith("the budget app_coupons is spent: of its 10 before 2018-01-08")
    with httpx.Client(base_url=busy.base_url, trust_env=False, timeout=120) as client:
        for one in given[:3]:
            post(client, "/v1/exposures", {**one, "status": "not_sent"})
        periods = client.get("/v1/budgets").json()["periods"]
        (period,) = [
            one
            for one in periods
            if (one["budget"], one["starts_on"]) == ("app_coupons", "2018-01-01")
        ]
        assert (period["used"], period["left"], period["given_back"]) == (7, 3, 3)
    # Asked again, three others get what was given back; nothing is refilled.
    again = coupons(asked())
    assert len(again) == 10
    with httpx.Client(base_url=busy.base_url, trust_env=False, timeout=120) as client:
        told = client.post("/v1/budgets", json={"on": "2018-01-03"}).json()["periods"]
    # The budget of the bento's own parameters holds beside the one that was published.
    assert [one["budget"] for one in told] == ["app_coupons", "coupons"]
    assert (told[0]["used"], told[0]["left"]) == (10, 0)
    assert told[1]["used"] >= 10
