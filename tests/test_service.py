"""The service over real HTTP on loopback: a bento that was built, started and is asked."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_models import FEATURES, table
from toy_snapshot import CUSTOMERS

from mkt_models.columns import SCORING_MODELS, Channel, Place, Weather
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.decide import decide_all
from mkt_models.decisions.question import Context, Policy, find_customer
from mkt_models.loading import load_params
from mkt_models.models import registry
from mkt_models.models.scoring import score_table
from mkt_models.packaging import Server
from mkt_models.skew import Scored, check_skew, online_skew
from mkt_models.store.live import LiveStore
from mkt_models.store.snapshot import Store

ROOT = Path(__file__).parents[1]
ASKING = ("/v1/strategies", "/v1/profile", "/v1/score")
REPORTING = ("/v1/exposures", "/v1/outcomes", "/v1/consents")
ENDPOINTS = (*ASKING, *REPORTING)
NOW = datetime(2018, 1, 6, 17, tzinfo=UTC)
GOOD = {"customer_id": CUSTOMERS[0], "context": {"now": NOW.isoformat()}}


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def live(server_home: Path) -> Iterator[LiveStore]:
    """The live store of the server."""
    with LiveStore.open(server_home / "live.sqlite") as store:
        yield store


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


def test_strategies_are_ranked_and_explained(http: httpx.Client, live: LiveStore) -> None:
    answer = http.post("/v1/strategies", json={**GOOD, "k": 2}).json()
    assert answer["customer_id"] == CUSTOMERS[0]
    assert [one["rank"] for one in answer["strategies"]] == [1, 2]
    assert all(one["title"]["zh"] for one in answer["strategies"])
    assert answer["suppressed"]
    assert answer == http.post("/v1/strategies", json={**GOOD, "k": 2}).json()


@pytest.mark.parametrize("channel", [None, Channel.APP])
def test_batch_and_online_answers_are_equal(
    http: httpx.Client, toy_home: Path, live: LiveStore, channel: Channel | None
) -> None:
    params = load_params(ROOT / "params" / "sample.yaml")
    catalogue = load_catalogue(ROOT / "params" / "catalogue.yaml")
    context = Context(now=NOW, channel=channel, locale="zh")
    asked = {"now": NOW.isoformat(), "locale": "zh", **({"channel": channel} if channel else {})}
    with Store.open(toy_home / "snapshot.sqlite") as store:
        policy = Policy.of(params, catalogue, store.meta())
        for name in CUSTOMERS:
            question = policy.decision_id(name, context, 3)
            with live.turn(name, NOW) as turn:  # what other tests have asked counts for both
                customer = find_customer(store, name, NOW, turn, question)
            assert customer is not None
            (decision,) = decide_all([customer], context, policy, 3)
            body = {"customer_id": name, "context": asked, "k": 3}
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
    for unknown in ("household-1", "' OR 1=1 --", "../../etc/passwd", "𝔘"):
        error = error_of(http.post(path, json={"customer_id": unknown}), 404)
        assert (error["code"], error["field"]) == ("unknown_customer", "customer_id")


def test_a_text_that_no_database_keeps_is_a_400(http: httpx.Client) -> None:
    error = error_of(http.post("/v1/strategies", json={"customer_id": "a\x00"}), 400)
    assert (error["code"], "character 0" in error["message"]) == ("bad_json", True)


def test_wrong_fields_are_named(http: httpx.Client) -> None:
    def wrong(path: str, body: object) -> str | None:
        return error_of(http.post(path, json=body), 422)["field"]

    assert wrong("/v1/strategies", {"customer_id": 1}) == "customer_id"
    assert wrong("/v1/strategies", {**GOOD, "k": 0}) == "k"
    assert wrong("/v1/strategies", {**GOOD, "context": {"now": "now"}}) == "context.now"
    assert wrong("/v1/strategies", {**GOOD, "context": {"weather": "rian"}}) == "context.weather"
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


def asked(
    http: httpx.Client, live: LiveStore, customer_id: str, **context: object
) -> dict[str, Any]:
    """A question that no other test asks, of a customer whom nobody has contacted."""
    live.purge(datetime(2100, 1, 1, tzinfo=UTC))
    now = datetime(2018, 1, 5, 17, tzinfo=UTC) + timedelta(seconds=next(COUNTER))
    body = {"customer_id": customer_id, "context": {"now": now.isoformat(), **context}, "k": 1}
    response = http.post("/v1/strategies", json=body)
    assert response.status_code == 200, response.text
    return response.json()


COUNTER = iter(range(1, 1000))


def test_a_contact_is_reported_once_and_explained(http: httpx.Client, live: LiveStore) -> None:
    answer = asked(http, live, CUSTOMERS[0], channel="app")
    (first,) = answer["strategies"]
    report = {
        "decision_id": answer["decision_id"],
        "strategy": first["strategy"],
        "channel": first["channel"],
        "status": "sent",
        "sent_at": answer["now"],
    }
    if (offer := first["content"].get("offer")) is not None:
        report["offer_id"] = offer["offer_id"]
    told = [http.post("/v1/exposures", json=report).json() for _ in range(2)]
    assert told == [
        {"recorded": True, "within_policy": True},
        {"recorded": False, "within_policy": True},
    ]
    outcome = {
        "key": "order-1",
        "kind": "purchase",
        "decision_id": answer["decision_id"],
        "strategy": first["strategy"],
        "amount": 19.99,
        "occurred_at": answer["now"],
    }
    assert http.post("/v1/outcomes", json=outcome).json() == {"recorded": True}
    assert http.post("/v1/outcomes", json=outcome).json() == {"recorded": False}
    changed = http.post("/v1/outcomes", json={**outcome, "amount": 20})
    assert error_of(changed, 409)["code"] == "key_taken"
    found = http.get(f"/v1/explain/{answer['decision_id']}").json()
    assert found["revisions"][0]["answer"] == answer
    assert [one["status"] for one in found["exposures"]] == ["sent"]
    assert [one["amount"] for one in found["outcomes"]] == [19.99]
    same = http.post("/v1/explain", json={"decision_id": answer["decision_id"]})
    assert same.json() == found


def test_the_budgets_are_told_to_whoever_may_ask(http: httpx.Client) -> None:
    told = http.get("/v1/budgets").json()["periods"]
    assert {one["budget"] for one in told} == {"coupons"}
    assert all(one["used"] + one["left"] == one["amount"] == 30 for one in told)
    of_a_day = http.post("/v1/budgets", json={"on": "2018-01-06"}).json()["periods"]
    assert [one["starts_on"] for one in of_a_day] == ["2018-01-01"]
    assert error_of(http.post("/v1/budgets", json={"on": "soon"}), 422)["field"] == "on"
    assert http.get("/v1/budgets", params={"on": "2018-01-06"}).json()["periods"] == of_a_day
    assert error_of(http.get("/v1/budgets", params={"on": "soon"}), 422)["field"] == "on"
    assert error_of(http.get("/v1/budgets", params={"day": "x"}), 422)["field"] == "day"
    asked = http.post("/v1/strategies", params={"k": 1}, json=GOOD)
    assert error_of(asked, 400)["code"] == "bad_query"
    error_of(http.delete("/v1/budgets"), 405)


def test_a_no_takes_back_the_leave_to_send(http: httpx.Client, live: LiveStore) -> None:
    say = {"customer_id": CUSTOMERS[1], "purpose": "marketing", "channel": "app"}
    yes, no = ({**say, "status": status} for status in ("granted", "refused"))
    assert http.post("/v1/consents", json=yes).json()["recorded"]
    answer = asked(http, live, CUSTOMERS[1], channel="app")
    (first,) = answer["strategies"]
    told = http.post("/v1/consents", json=no).json()
    assert told["recorded"]
    assert told["contacts_withdrawn"] >= 1
    report = {
        "decision_id": answer["decision_id"],
        "strategy": first["strategy"],
        "channel": "app",
        "status": "sending",
        "key": "job",
        "sent_at": answer["now"],
    }
    refused = http.post("/v1/exposures", json=report)
    assert error_of(refused, 409)["code"] == "contact_withdrawn"
    sent = http.post("/v1/exposures", json={**report, "status": "sent"}).json()
    assert sent == {"recorded": True, "within_policy": False}
    later = asked(http, live, CUSTOMERS[1], channel="app")
    assert [one["strategy"] for one in later["strategies"]] == ["no_action"]


ODD_IDS = (
    "a/b",
    "a%2Fb",
    "/",
    "..",
    "../../x",
    "zwei Wörter",
    "客户 1",
    "a?b=c#d",
    "+1%",
    "a\n",
    "🛒",
)


@pytest.mark.parametrize("name", ODD_IDS)
def test_an_odd_id_is_erased_by_its_path_and_no_other_is(
    http: httpx.Client, live: LiveStore, name: str
) -> None:
    others = (f"{name}.", "a", "b")
    for one in (name, *others):
        body = {"customer_id": one, "purpose": "marketing", "channel": "app", "status": "granted"}
        assert http.post("/v1/consents", json=body).status_code == 200
    encoded = quote(name, safe="").replace(".", "%2E")
    assert http.delete(f"/v1/customers/{encoded}").json()["rows_removed"]["consents"] == 1
    assert live.is_erased(name)
    assert not any(live.is_erased(one) for one in others)


def test_a_path_that_may_mean_another_customer_names_another_way(http: httpx.Client) -> None:
    for path, status in (("a/b", 404), ("", 404), ("a?b", 400), ("%FF", 400)):
        error = error_of(http.delete(f"/v1/customers/{path}"), status)
        assert 'POST {"customer_id": …} to /v1/forget' in error["message"]
    assert error_of(http.delete("/v1/customers/a%00"), 400)["code"] == "bad_json"
    erased = http.post("/v1/forget", json={"customer_id": "in/a body?"}).json()
    assert erased["erased"]


def test_reports_that_cannot_be_are_refused(http: httpx.Client) -> None:
    unknown = {"decision_id": "0" * 64, "strategy": "s", "channel": "app"}
    assert error_of(http.post("/v1/exposures", json=unknown), 404)["code"] == "unknown_decision"
    assert error_of(http.get("/v1/explain/nothing"), 404)["code"] == "unknown_decision"
    assert error_of(http.get("/v1/explain/"), 404)["code"] == "not_found"
    assert error_of(http.get("/v1/explain/a/b"), 404)["code"] == "not_found"
    error_of(http.post("/v1/explain/a"), 405)
    error_of(http.get("/v1/customers/a"), 405)
    assert error_of(http.delete(f"/v1/customers/{'x' * 65}"), 422)["field"] == "customer_id"

    def wrong(path: str, **body: object) -> str:
        return error_of(http.post(path, json=body), 422)["message"]

    a_time = "2018-01-01T10:00:00Z"
    assert "give decision_id and strategy" in wrong("/v1/exposures", channel="app")
    assert "strategy: is required" in wrong("/v1/exposures", channel="app", decision_id="d")
    begun = {"channel": "app", "decision_id": "d", "strategy": "s", "status": "sending"}
    assert wrong("/v1/exposures", **begun).startswith("key: is required with sending")
    assert "can only be sent" in wrong(
        "/v1/exposures", channel="app", customer_id="c", key="k", status="sending"
    )
    outcome = {"key": "k", "kind": "click", "customer_id": "c"}
    assert "occurred_at: is required" in wrong("/v1/outcomes", **outcome)
    assert "two decimals" in wrong("/v1/outcomes", **outcome, occurred_at=a_time, amount=0.001)
    future = "2099-01-01T10:00:00Z"
    assert "the future" in wrong("/v1/outcomes", **outcome, occurred_at=future)
    consent = {"customer_id": "c", "channel": "app", "purpose": "marketing", "status": "granted"}
    assert "the future" in wrong("/v1/consents", **consent, changed_at=future)
    assert "the purposes are" in wrong("/v1/consents", **{**consent, "purpose": "spying"})
    assert "only a consent that is granted expires" in wrong(
        "/v1/consents", **{**consent, "status": "refused"}, expires_on="2020-01-01"
    )


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
                "weather": st.sampled_from(list(Weather)) | ANYTHING,
                "place": st.sampled_from(list(Place)) | ANYTHING,
                "hour": st.integers(-1, 24) | ANYTHING,
                "country": st.sampled_from(["US", "CN", "XX"]) | ANYTHING,
                "region": st.sampled_from(["MA", "BJ"]) | ANYTHING,
            },
        )
        | ANYTHING,
        "decision_id": st.just("0" * 64) | ANYTHING,
        "strategy": st.sampled_from(["membership_tier"]) | ANYTHING,
        "channel": st.sampled_from(list(Channel)) | ANYTHING,
        "kind": st.sampled_from(["click", "purchase"]) | ANYTHING,
        "key": st.text(max_size=3) | ANYTHING,
        "purpose": st.just("marketing") | ANYTHING,
        "status": st.sampled_from(["sent", "granted"]) | ANYTHING,
        "occurred_at": st.just("2018-01-01T10:00:00Z") | ANYTHING,
        "amount": NUMBERS | ANYTHING,
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
    assert response.status_code in (200, 400, 404, 409, 413, 422)
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
