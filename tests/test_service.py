"""The service over real HTTP on loopback: a bento that was built, started and is asked."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_models import FEATURES, table
from toy_snapshot import CUSTOMERS

from mkt_models.columns import SCORING_MODELS, Channel
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.decide import decide_all
from mkt_models.decisions.question import Context, Policy, all_customers
from mkt_models.loading import load_params
from mkt_models.models import registry
from mkt_models.models.scoring import score_table
from mkt_models.packaging import Server
from mkt_models.skew import Scored, check_skew, online_skew
from mkt_models.store import Store

ROOT = Path(__file__).parents[1]
ENDPOINTS = ("/v1/strategies", "/v1/profile", "/v1/score")
NOW = datetime(2018, 1, 6, 17, tzinfo=UTC)
GOOD = {"customer_id": CUSTOMERS[0], "context": {"now": NOW.isoformat()}}


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, trust_env=False, timeout=30) as client:
        yield client


def error_of(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert set(error) == {"code", "message", "field"}
    return error


def test_it_is_alive_ready_and_says_what_it_does(http: httpx.Client) -> None:
    assert http.get("/livez").status_code == 200
    assert http.get("/readyz").status_code == 200
    index = http.get("/")
    assert {f"POST {path}" for path in ENDPOINTS} <= set(index.json()["endpoints"])
    assert "http" not in index.text.replace("HTTP", "")
    assert "bentoml_service_request_total" in http.get("/metrics").text


def test_the_description_names_endpoints_and_fields(http: httpx.Client) -> None:
    described = http.get("/docs.json").json()
    assert set(ENDPOINTS) <= set(described["paths"])
    assert "customer_id" in json.dumps(described["components"]["schemas"])


def test_strategies_are_ranked_and_explained(http: httpx.Client) -> None:
    answer = http.post("/v1/strategies", json={**GOOD, "k": 2}).json()
    assert answer["customer_id"] == CUSTOMERS[0]
    assert [one["rank"] for one in answer["strategies"]] == [1, 2]
    assert all(one["title"]["zh"] for one in answer["strategies"])
    assert answer["suppressed"]
    assert answer == http.post("/v1/strategies", json={**GOOD, "k": 2}).json()


@pytest.mark.parametrize("channel", [None, Channel.APP])
def test_batch_and_online_answers_are_equal(
    http: httpx.Client, toy_home: Path, channel: Channel | None
) -> None:
    params = load_params(ROOT / "params" / "sample.yaml")
    catalogue = load_catalogue(ROOT / "params" / "catalogue.yaml")
    context = Context(now=NOW, channel=channel, locale="zh")
    asked = {"now": NOW.isoformat(), "locale": "zh", **({"channel": channel} if channel else {})}
    with Store.open(toy_home / "snapshot.sqlite", read_only=True) as store:
        policy = Policy.of(params, catalogue, store.meta())
        batch = list(decide_all(all_customers(store, NOW), context, policy, 3))
    assert len(batch) == len(CUSTOMERS)
    for decision in batch:
        body = {"customer_id": decision.customer_id, "context": asked, "k": 3}
        online = http.post("/v1/strategies", json=body).json()
        assert online == json.loads(json.dumps(decision.as_dict()))


def test_without_a_time_the_clock_is_used(http: httpx.Client) -> None:
    before = datetime.now(UTC)
    answer = http.post("/v1/strategies", json={"customer_id": CUSTOMERS[0]}).json()
    assert before <= datetime.fromisoformat(answer["now"]) <= datetime.now(UTC)
    assert answer["stale"] is True


def test_a_profile_has_eight_dimensions_and_scores(http: httpx.Client) -> None:
    answer = http.post("/v1/profile", json={"customer_id": CUSTOMERS[2]}).json()
    assert len(answer["dimensions"]) == 8
    assert answer["dimensions"]["social"] == "not available"
    assert answer["scores"]["churn"]["reasons"][0]["zh"]
    assert answer["verdicts"]["churn"] == "pass"


def test_scores_are_those_of_the_stored_models(http: httpx.Client, toy_home: Path) -> None:
    features = {"orders_90d": 9, "days_since_last_order": 3}
    scores = http.post("/v1/score", json={"features": features}).json()["scores"]
    for name, told in scores.items():
        scorer = registry.load(f"mkt-{told['model']}", toy_home)
        expected = scorer.score_row(features)
        assert told["model"].startswith(f"{name}:")
        assert told["value"] == pytest.approx(expected.value, rel=1e-12)
        assert told["reasons"] == list(expected.reasons)
        assert told["missing"] == ["discount_share"]
        if expected.ends is None:
            assert "confidence" not in told  # a probability is itself a chance
        else:
            assert (told["lower"], told["upper"]) == pytest.approx(expected.ends, rel=1e-12)
            assert told["lower"] < told["value"] < told["upper"]
            assert told["confidence"] == 0.8
    assert "confidence" in scores["value"]


def test_the_service_scores_as_the_batch_did(server: Server, toy_home: Path) -> None:
    rows = pd.DataFrame(table(40, seed=3).astype(float), columns=list(FEATURES))
    rows.insert(0, "customer_id", [f"c{i}" for i in range(40)])
    rows.insert(1, "campaign_id", "k")
    keys = ("customer_id", "campaign_id")
    for model in SCORING_MODELS:
        scorer = registry.load(f"{registry.name_of(model)}:latest", toy_home)
        scores = score_table(rows, keys, scorer)
        found = online_skew(Scored(scorer, keys, rows, scores, rows), server.ask, n=10)
        check_skew(found)
        assert found["n"].tolist() == [10, 10]


@pytest.mark.parametrize("path", ["/v1/strategies", "/v1/profile"])
def test_an_unknown_customer_is_a_404(http: httpx.Client, path: str) -> None:
    for unknown in ("household-1", "' OR 1=1 --", "\x00", "../../etc/passwd", "𝔘"):
        error = error_of(http.post(path, json={"customer_id": unknown}), 404)
        assert (error["code"], error["field"]) == ("unknown_customer", "customer_id")


def test_wrong_fields_are_named(http: httpx.Client) -> None:
    def wrong(path: str, body: object) -> str | None:
        return error_of(http.post(path, json=body), 422)["field"]

    assert wrong("/v1/strategies", {"customer_id": 1}) == "customer_id"
    assert wrong("/v1/strategies", {**GOOD, "k": 0}) == "k"
    assert wrong("/v1/strategies", {**GOOD, "context": {"now": "now"}}) == "context.now"
    assert wrong("/v1/profile", {"customer": "1"}) == "customer"
    assert wrong("/v1/score", {"features": {"orders_9d": 1}}) == "features.orders_9d"
    assert wrong("/v1/score", {"features": {"orders_90d": "many"}}) == "features.orders_90d"


def test_wrong_routes_methods_types_and_sizes(http: httpx.Client) -> None:
    assert error_of(http.get("/nowhere"), 404)["code"] == "not_found"
    assert error_of(http.get("/static_content/swagger-ui.css"), 404)["code"] == "not_found"
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH"):
        error_of(http.request(method, "/v1/score"), 405)
    error_of(http.post("/v1/score", content=b"features=1"), 415)
    json_type = {"content-type": "application/json"}
    error_of(http.post("/v1/score", content=b"", headers=json_type), 400)
    error_of(http.post("/v1/score", content=b" " * 70_000, headers=json_type), 413)
    pickle = {"content-type": "application/vnd.bentoml+pickle"}
    error_of(http.post("/v1/score", content=b"x", headers=pickle), 415)
    error_of(http.get("/", headers={"host": "evil.example"}), 403)


def test_a_body_that_only_claims_its_size_is_refused_at_once(server: Server) -> None:
    port = int(server.base_url.rpartition(":")[2])
    head = (
        "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 5000000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        caller.sendall(head.encode())
        assert b" 413 " in caller.recv(200)


NUMBERS = st.integers() | st.floats(allow_nan=True, allow_infinity=True)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "customer_id": st.sampled_from(CUSTOMERS) | ANYTHING,
        "k": st.integers(-1, 25) | ANYTHING,
        "context": st.fixed_dictionaries(
            {},
            optional={
                "now": st.datetimes().map(lambda t: f"{t.isoformat()}Z") | ANYTHING,
                "channel": st.sampled_from(list(Channel)) | ANYTHING,
                "locale": st.sampled_from(["en", "zh"]) | ANYTHING,
            },
        )
        | ANYTHING,
        "model": st.sampled_from(["churn", "value", "propensity"]) | ANYTHING,
        "features": st.dictionaries(
            st.sampled_from(["orders_90d", "discount_share"]) | st.text(max_size=9),
            NUMBERS | ANYTHING,
        ),
        "surplus": ANYTHING,
    },
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(path=st.sampled_from(ENDPOINTS), body=NEARLY | ANYTHING | st.binary(max_size=60))
def test_nothing_that_is_sent_breaks_it(http: httpx.Client, path: str, body: object) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = http.post(path, content=content, headers={"content-type": "application/json"})
    assert response.status_code in (200, 400, 404, 413, 422)
    if response.status_code != 200:
        error_of(response, response.status_code)


def test_the_log_names_nobody(http: httpx.Client, server: Server) -> None:
    http.post("/v1/strategies", json=GOOD)
    http.post("/v1/profile", json={"customer_id": "household-9999"})
    http.get("/customers/household-9999?id=household-9999")
    http.post("/v1/profile", json={"customer_id": CUSTOMERS[1], "household-9999": "household-9999"})
    log = server.log_file.read_text(encoding="utf-8")
    assert "POST /v1/strategies 200" in log
    assert "(unknown path) 404" in log
    assert "Traceback" not in log
    for name in (*CUSTOMERS, "household"):
        assert name not in log
    assert "household" not in http.get("/metrics").text


HEAVY = ("pandas", "duckdb", "sklearn", "shap", "matplotlib", "pyarrow", "papermill", "nbconvert")
PROGRAM = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None  # importing it fails, as where it is not installed
import mkt_models.service
import mkt_models.packaging
"""


def test_nothing_heavy_is_imported_for_serving() -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
