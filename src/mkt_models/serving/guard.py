"""The gate in front of the service: every request passes it, every answer leaves through it.

It stands outside everything of BentoML (metrics, tracing, time limits, its API layer), so that

- an unknown path costs no metric of its own and cannot fill the memory,
- a body is bounded, complete, JSON and valid before anything else reads it,
- an error has one shape, ``{"error": {"code", "message", "field"}}``, wherever it arose,
- a log line names the route, the status and the time, and never what was asked or about whom.
"""

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from starlette.responses import Response

from mkt_models.serving.access import KEY_VARIABLE, Access, is_loopback
from mkt_models.serving.wire import MAX_BYTES, Body, Fault, read_body, read_query

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

logger = logging.getLogger("bentoml.mkt_models")

RETRY_SECONDS = 5
_BODY_SECONDS = 10.0
_DRAINED_BYTES = 1024 * 1024
_READ = ("GET", "HEAD")


@dataclass(frozen=True)
class Route:
    """A path that exists: its methods, the body it wants, and whether it needs no key.

    A path that ends in a slash takes one more part, percent-encoded, which is the only field of its
    body; one that is read by GET and has a body takes its fields from the query. The service is
    asked by POST at ``answered_by``.
    """

    methods: tuple[str, ...] = _READ
    body: type[Body] | None = None
    open: bool = False
    answered_by: str | None = None


def json_response(data: object, status: int = 200, headers: Mapping[str, str] = {}) -> Response:
    """An answer as UTF-8 JSON that no cache keeps; status 503 says when to ask again."""
    content = json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    kept = {"cache-control": "no-store", **headers}
    if status == 503:
        kept.setdefault("retry-after", str(RETRY_SECONDS))
    return Response(content, status_code=status, headers=kept, media_type="application/json")


def error_response(fault: Fault, headers: Mapping[str, str] = {}) -> Response:
    """The one shape of an error."""
    body = {"code": fault.code, "message": fault.message, "field": fault.field}
    return json_response({"error": body}, fault.status, headers)


def log_failure(where: str, error: BaseException) -> None:
    """Log where something broke, without its message: messages quote parameters and persons."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    path = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    logger.error("%s failed: %s at %s", where, type(error).__name__, path)


class Guard:
    """ASGI application around another one."""

    def __init__(
        self, app: App, routes: Mapping[str, Route], access: Access, index: object
    ) -> None:
        """Guard ``app``, which answers ``routes``; ``/`` answers ``index``."""
        self._app, self._routes, self._access, self._index = app, routes, access, index

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        started, status = perf_counter(), 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), *_SAFETY]
            await send(message)

        path, part = self._named(scope)
        known = path if path in self._routes else "(unknown path)"
        try:
            body = await self._admit(scope, path, part, receive)
            if path == "/":
                await json_response(self._index)(scope, receive, counted)
            else:
                asked = _asked(scope, self._routes[path], body)
                await self._forward(asked, _replay(body, receive), counted)
        except Fault as fault:
            await error_response(fault, _headers(fault, self._routes.get(path)))(
                scope, receive, counted
            )
        except _Gone:
            return
        except Exception as error:
            log_failure(known, error)
            if status:
                # The server logs what it is raised, message and all.
                raise BrokenOffError(f"{known}: the answer broke off") from None
            await error_response(INTERNAL)(scope, receive, counted)
        if not (known in self._routes and self._routes[known].open):
            spent = 1000 * (perf_counter() - started)
            logger.info("%s %s %d %.1f ms", scope["method"][:8], known, status, spent)

    def _named(self, scope: Message) -> tuple[str, bytes | None]:
        """The route of a path, and what follows it, as it was sent, where the route takes a part.

        In the decoded path a slash of an id cannot be told from one between parts.
        """
        path: str = scope["path"]
        sent: bytes = scope.get("raw_path") or quote(path).encode()
        for name, route in self._routes.items():
            if route.answered_by and name.endswith("/") and sent.startswith(name.encode()):
                return name, sent[len(name) :]
        return ("(unknown path)" if path.endswith("/") and path != "/" else path), None

    async def _admit(
        self, scope: Message, path: str, part: bytes | None, receive: Receive
    ) -> bytes:
        """Check everything about a request, cheapest first, and return its body."""
        headers = dict(scope["headers"])
        route = self._routes.get(path)
        if self._access.keyless:
            _refuse_strangers(scope, headers)
        elif not (route and route.open) and not self._access.opens(scope["headers"]):
            raise Fault(401, "unauthorized", "send the API key as `Authorization: Bearer <key>`")
        if route is None:
            raise Fault(404, "not_found", "no such path; GET / lists what there is")
        if scope["method"] not in route.methods:
            allowed = ", ".join(route.methods)
            raise Fault(405, "method_not_allowed", f"use {allowed} for {path}")
        if route.body is None:
            return b""
        if part is not None:
            (name,) = route.body.model_fields
            other = f'or POST {{"{name}": …}} to {route.answered_by}'
            body = json.dumps({name: _decoded(part, scope.get("query_string"), other)}).encode()
            read_body(route.body, body)
            return body
        query = scope.get("query_string", b"")
        if scope["method"] == "GET":
            return read_query(route.body, query)
        if query:
            message = f"{path} takes no query: write what you ask or report into the body"
            raise Fault(400, "bad_query", message)
        _refuse_other_types(headers)
        try:
            body = await asyncio.wait_for(_read(headers, receive), _BODY_SECONDS)
        except TimeoutError:
            message = f"the body did not arrive within {_BODY_SECONDS:g} seconds"
            raise Fault(408, "timeout", message) from None
        read_body(route.body, body)
        return body

    async def _forward(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let the service answer; an error of a foreign shape becomes one of ours."""
        start: Message | None = None
        kept = bytearray()

        async def reshaped(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] >= 400:
                start = message
            elif start is None:
                await send(message)
            elif message["type"] == "http.response.body":
                kept.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await _error_answer(start, bytes(kept))(scope, receive, send)

        await self._app(scope, receive, reshaped)


def _asked(scope: Message, route: Route, body: bytes) -> Message:
    """The request as the service knows it: a part of the path becomes a body."""
    if route.answered_by is None:
        return scope
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name.lower() not in (b"content-type", b"content-length", b"transfer-encoding")
    ]
    headers = [
        *kept,
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    return {
        **scope,
        "method": "POST",
        "path": route.answered_by,
        "raw_path": route.answered_by.encode(),
        "query_string": b"",
        "headers": headers,
    }


def _decoded(part: bytes, query: bytes | None, other: str) -> str:
    """The id that a path ends in; a Fault where it can be of another customer than is meant."""
    if query:
        message = f"this path takes no query: write ? in an id as %3F, {other}"
        raise Fault(400, "bad_path", message)
    if not part:
        raise Fault(404, "not_found", f"the path ends before the id: add it, {other}")
    if b"/" in part:
        raise Fault(404, "not_found", f"no such path; write / in an id as %2F, {other}")
    try:
        return unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        message = f"the id is not UTF-8 in percent-encoding: write it so, {other}"
        raise Fault(400, "bad_path", message) from None


class BrokenOffError(RuntimeError):
    """An answer had begun when the service failed; what failed stands in the log before it."""


class _Gone(Exception):
    """The caller hung up."""


_SAFETY = [(b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY")]
INTERNAL = Fault(500, "internal", "the service failed; the fault is not in the request")
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip")
_CODES = {503: "not_ready", 504: "timeout"}


def _headers(fault: Fault, route: Route | None) -> dict[str, str]:
    if fault.status == 401:
        return {"www-authenticate": "Bearer"}
    if fault.status == 405 and route is not None:
        return {"allow": ", ".join(route.methods)}
    return {"connection": "close"} if fault.status in (408, 413) else {}


def _refuse_strangers(scope: Message, headers: Mapping[bytes, bytes]) -> None:
    """Without a key: only over loopback, and only by a local name (no rebound foreign name).

    A reverse proxy on this machine asks over loopback for the whole network; it is known by the
    headers that it adds.
    """
    if any(name.lower() in _FORWARDED for name in headers):
        raise Fault(
            401,
            "unauthorized",
            f"the request came through a proxy: set {KEY_VARIABLE} for the service and send the "
            "key as `Authorization: Bearer <key>`",
        )
    server = scope.get("server")
    if not server or not is_loopback(server[0]):
        raise Fault(403, "loopback_only", "without an API key the service answers locally only")
    host = headers.get(b"host", b"localhost").decode("latin-1")
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if not is_loopback(name):
        raise Fault(403, "loopback_only", "without an API key, ask localhost or 127.0.0.1")


def _refuse_other_types(headers: Mapping[bytes, bytes]) -> None:
    kind, _, options = headers.get(b"content-type", b"").decode("latin-1").partition(";")
    charset = options.lower().replace(" ", "").replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Fault(415, "unsupported_media_type", "send the body as application/json in UTF-8")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Fault(415, "unsupported_media_type", "send the body without a content encoding")


async def _read(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    """Read a body of bounded size; one that is too large is let in a little, so as to be told."""
    body, size, more = bytearray(), 0, True
    if _declared(headers) > _DRAINED_BYTES:
        size, more = MAX_BYTES + 1, False
    while more and size <= _DRAINED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BYTES:
            body.extend(chunk)
        more = message.get("more_body", False)
    if size > MAX_BYTES:
        raise Fault(413, "too_large", f"the body is larger than {MAX_BYTES // 1024} KB")
    return bytes(body)


def _declared(headers: Mapping[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() and len(length) < 19 else 0


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _error_answer(start: Message, body: bytes) -> Response:
    status = start["status"]
    try:
        error = json.loads(body)["error"]
        fault = Fault(status, error["code"], error["message"], error["field"])
    except (ValueError, KeyError, TypeError):
        if status == 500:
            fault = INTERNAL
        else:
            code = _CODES.get(status, "refused")
            fault = Fault(status, code, f"the service answered {status}: {code.replace('_', ' ')}")
    return error_response(fault)
