"""The guard around an application that misbehaves."""

import asyncio
import json
import logging
import traceback
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from mkt_models.serving import guard as module
from mkt_models.serving.access import Access
from mkt_models.serving.bodies import BudgetsRequest, ProfileRequest
from mkt_models.serving.guard import Guard, Route
from mkt_models.serving.wire import MAX_BYTES

ROUTES = {
    "/": Route(),
    "/readyz": Route(open=True),
    "/v1/profile": Route(("POST",), ProfileRequest),
    "/v1/budgets": Route(("GET", "POST"), BudgetsRequest, answered_by="/v1/budgets"),
}
BODY = b'{"customer_id": "household-1"}'


async def call(
    app: Any,
    path: str = "/v1/profile",
    method: str = "POST",
    chunks: tuple[bytes, ...] = (BODY,),
    headers: dict[str, str] | None = None,
    key: str = "",
    server: object = ("127.0.0.1", 3000),
    query: bytes = b"",
) -> tuple[int, dict[str, str], Any]:
    sent: list[dict[str, Any]] = []
    given = {"host": "127.0.0.1:3000", "content-type": "application/json", **(headers or {})}
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1}
        for i, chunk in enumerate(chunks)
    ]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "server": server,
        "query_string": query,
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in given.items()],
    }
    access = Access.from_environment({"MKT_API_KEY": key})
    await Guard(app, ROUTES, access, {"endpoints": []})(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], found, json.loads(body or "null")


def ask(app: Any = None, **options: Any) -> tuple[int, dict[str, str], Any]:
    return asyncio.run(call(app or echo, **options))


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await JSONResponse({"got": message["body"].decode()})(scope, receive, send)


def test_a_good_request_arrives_whole() -> None:
    status, headers, body = ask(chunks=(BODY[:5], BODY[5:]))
    assert (status, body) == (200, {"got": BODY.decode()})
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"path": "/nowhere"}, 404, "not_found"),
        ({"path": "/v1/profile/"}, 404, "not_found"),
        ({"method": "GET"}, 405, "method_not_allowed"),
        ({"path": "/", "method": "POST"}, 405, "method_not_allowed"),
        ({"headers": {"content-type": "text/plain"}}, 415, "unsupported_media_type"),
        ({"headers": {"content-type": ""}}, 415, "unsupported_media_type"),
        (
            {"headers": {"content-type": "application/vnd.bentoml+pickle"}},
            415,
            "unsupported_media_type",
        ),
        (
            {"headers": {"content-type": "application/json; charset=utf-16"}},
            415,
            "unsupported_media_type",
        ),
        ({"headers": {"content-encoding": "gzip"}}, 415, "unsupported_media_type"),
        ({"chunks": (b"{",)}, 400, "bad_json"),
        ({"chunks": (b"{}",)}, 422, "invalid"),
        ({"chunks": (b" " * (MAX_BYTES + 1),)}, 413, "too_large"),
        ({"chunks": (b" " * 60_000,) * 40}, 413, "too_large"),
        ({"headers": {"content-length": "50000000"}}, 413, "too_large"),
        ({"key": "secret"}, 401, "unauthorized"),
        ({"key": "secret", "path": "/nowhere"}, 401, "unauthorized"),
        ({"key": "secret", "headers": {"x-api-key": "guess"}}, 401, "unauthorized"),
        ({"headers": {"x-forwarded-for": "203.0.113.9"}}, 401, "unauthorized"),
        ({"headers": {"X-Real-IP": "203.0.113.9"}}, 401, "unauthorized"),
        ({"headers": {"forwarded": "for=203.0.113.9"}}, 401, "unauthorized"),
        ({"headers": {"x-real-ip": ""}, "path": "/readyz", "method": "GET"}, 401, "unauthorized"),
        ({"server": ("10.0.0.7", 3000)}, 403, "loopback_only"),
        ({"server": None}, 403, "loopback_only"),
        ({"server": ("10.0.0.7", 3000), "path": "/readyz", "method": "GET"}, 403, "loopback_only"),
        ({"headers": {"host": "evil.example:3000"}}, 403, "loopback_only"),
    ],
)
def test_a_refusal_has_one_shape(options: dict[str, Any], status: int, code: str) -> None:
    found, headers, body = ask(**options)
    assert (found, body["error"]["code"]) == (status, code)
    assert set(body["error"]) == {"code", "message", "field"}
    assert headers["content-type"].startswith("application/json")
    if status == 401:
        assert headers["www-authenticate"] == "Bearer"
    if status == 405:
        assert headers["allow"] in ("POST", "GET, HEAD")


@pytest.mark.parametrize(
    "kind", ["application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"']
)
def test_json_may_name_its_character_set(kind: str) -> None:
    assert ask(headers={"content-type": kind})[0] == 200


@pytest.mark.parametrize("host", ["localhost:3000", "[::1]:3000", "[::1]", "127.0.0.1"])
def test_local_names_are_answered_without_a_key(host: str) -> None:
    assert ask(headers={"host": host})[0] == 200


def test_a_key_opens_beyond_loopback() -> None:
    strange = {"host": "shop.example", "x-api-key": "secret"}
    assert ask(key="secret", server=("10.0.0.7", 80), headers=strange)[0] == 200


def test_a_proxy_is_told_to_set_a_key_and_passes_with_one() -> None:
    proxied = {"x-forwarded-for": "203.0.113.9"}
    assert "set MKT_API_KEY" in ask(headers=proxied)[2]["error"]["message"]
    assert ask(key="secret", headers={**proxied, "x-api-key": "secret"})[0] == 200


def test_who_asks_too_early_is_told_when_to_ask_again() -> None:
    error = {"code": "store_unavailable", "message": "m", "field": None}
    for response in (JSONResponse({"error": error}, 503), PlainTextResponse("Not ready", 503)):
        status, headers, body = ask(response)
        assert (status, set(body["error"])) == (503, set(error))
        assert int(headers["retry-after"]) > 0
    assert "retry-after" not in ask(PlainTextResponse("no", 500))[1]


def test_a_query_is_read_or_refused_and_never_ignored() -> None:
    of_a_day = {"path": "/v1/budgets", "method": "GET"}
    assert ask(**of_a_day)[2] == {"got": "{}"}
    assert ask(**of_a_day, query=b"on=2018-01-06")[2] == {"got": '{"on": "2018-01-06"}'}
    status, _, body = ask(**of_a_day, query=b"at=2018-01-06")
    assert (status, body["error"]["field"]) == (422, "at")
    for path in ("/v1/budgets", "/v1/profile"):
        status, _, body = ask(path=path, query=b"customer_id=1")
        assert (status, body["error"]["code"]) == (400, "bad_query")
        assert "into the body" in body["error"]["message"]


def test_health_needs_no_key() -> None:
    async def healthy(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({})(scope, receive, send)

    assert ask(healthy, key="secret", path="/readyz", method="GET")[0] == 200
    assert ask(healthy, key="secret", path="/", method="GET")[0] == 401


def test_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BODY_SECONDS", 0.05)

    async def run() -> Any:
        return await call(echo, chunks=())

    status, _, body = asyncio.run(run())
    assert (status, body["error"]["code"]) == (408, "timeout")


@pytest.mark.parametrize(
    ("response", "status", "code"),
    [
        (PlainTextResponse("Not ready because ...", 503), 503, "not_ready"),
        (JSONResponse({"error": "An unexpected error"}, 500), 500, "internal"),
        (JSONResponse([{"error": "x"}], 400), 400, "refused"),
        (JSONResponse({"error": "Not able to process"}, 504), 504, "timeout"),
        (
            JSONResponse({"error": {"code": "mine", "message": "m", "field": None}}, 404),
            404,
            "mine",
        ),
    ],
)
def test_foreign_errors_get_the_shape(response: Any, status: int, code: str) -> None:
    found, _, body = ask(response)
    assert (found, body["error"]["code"]) == (status, code)


def test_a_failure_is_logged_without_what_it_quotes(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("household-1")

    logger = logging.getLogger("bentoml.mkt_models")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        status, _, body = ask(broken)
        ask(path="/customers/household-1")
    finally:
        logger.removeHandler(caplog.handler)
    assert (status, body["error"]["code"]) == (500, "internal")
    assert "/v1/profile failed: KeyError at" in caplog.text
    assert "POST /v1/profile 500" in caplog.text
    assert "POST (unknown path) 404" in caplog.text
    assert "household" not in caplog.text


def test_an_answer_that_breaks_off_gives_the_server_nothing_to_quote(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("household-1")

    with pytest.raises(module.BrokenOffError) as caught:
        ask(broken)
    told = "".join(traceback.format_exception(caught.value))
    assert "/v1/profile: the answer broke off" in told
    assert "KeyError" in caplog.text
    for text in (told, caplog.text):
        assert "household" not in text


def test_other_protocols_are_closed() -> None:
    sent: list[Any] = []

    async def run() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        await Guard(echo, ROUTES, Access(), {})({"type": "websocket"}, None, send)

    asyncio.run(run())
    assert sent == [{"type": "websocket.close", "code": 1008}]
