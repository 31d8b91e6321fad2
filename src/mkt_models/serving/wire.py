"""How the service reads a body, and says what is wrong with it.

Types are strict (``"3"`` is no number, and the number 1 is no customer: else one person could be
two), unknown fields are refused, texts are short and numbers finite. A fault is one :class:`Fault`
that names the field and says what to do.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
)

from mkt_models.sections import nearest

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_NUMBER = 1e30
_FIELDS = 20  # of a query, at most
_TIME = "must be an ISO 8601 time with an offset, as 2018-01-06T10:00:00Z"
_DAY = "must be a day, as 2018-01-06"
_WHOLE, _NUMBER = "must be a whole number, without quotes", "must be a number, without quotes"
_TEXT = 'must be a text in quotes ("1", not 1)'
_WORDS = {
    "string_type": _TEXT,
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "float_type": _NUMBER,
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "too_short": "must have at least {min_length} field(s)",
    "too_long": "must have at most {max_length} fields",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "datetime_type": _TIME,
    "datetime_parsing": _TIME + ": {error}",
    "datetime_from_date_parsing": _TIME + ": {error}",
    "timezone_aware": _TIME,
    "date_type": _DAY,
    "date_parsing": _DAY + ": {error}",
    "date_from_datetime_parsing": _DAY + ": {error}",
}
"""How a fault of each kind is told; the parts in braces are pydantic's."""


class Fault(ValueError):
    """Why a request is not answered: status, code, message and, where there is one, the field."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        """Keep what the answer will say."""
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field


class Body(BaseModel):
    """The body of a request: strict, closed, finite."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


def read_json(body: bytes) -> Any:
    """Read a JSON body of sane depth, sane numbers, real characters and no repeated key.

    Raises
    ------
    Fault
        With status 400, when it is something else.

    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(f"the body is not UTF-8: byte {error.start} is wrong") from None
    try:
        data = json.loads(
            text, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        raise _bad(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _bad(f"the body is nested more than {MAX_DEPTH} deep") from None
    _inspect(data, depth=0)
    return data


def read_body(model: type[Body], body: bytes) -> Body:
    """Read a body as ``model``; Fault 400 for what is no JSON, 422 for what is no such body."""
    if not isinstance(read_json(body), dict):
        raise Fault(422, "invalid", "the body must be a JSON object", "body")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _explain(model, error) from None


def read_query(model: type[Body], query: bytes) -> bytes:
    """Read a query as ``model``, whose fields are texts in JSON; returns it as a body.

    Raises
    ------
    Fault
        With status 400 for what is no query, and 422 for what is no such body.

    """
    try:
        pairs = parse_qsl(
            query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except UnicodeDecodeError:
        raise Fault(400, "bad_query", "the query is not UTF-8 in percent-encoding") from None
    except ValueError:
        raise Fault(400, "bad_query", f"the query has more than {_FIELDS} fields") from None
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Fault(400, "bad_query", f"{shortened(twice)!r} stands twice in the query")
    body = json.dumps(dict(pairs)).encode()
    read_body(model, body)
    return body


def shortened(text: str, limit: int = 64) -> str:
    """A text that came from outside, cut to a length that a message may show.

    >>> shortened("abcdef", 3)
    'abc…'
    """
    return text if len(text) <= limit else f"{text[:limit]}…"


def _explain(model: type[Body], error: ValidationError) -> Fault:
    faults = error.errors(include_url=False, include_input=False)
    # A misspelt field is also a missing one: name the one that stands there.
    first = min(faults, key=lambda fault: fault["type"] != "extra_forbidden")
    parts = [str(part) for part in first["loc"] if part != "[key]"]
    field = ".".join(shortened(part) for part in parts) or "body"
    message = _in_json_words(first["type"], first.get("ctx", {}), str(first["msg"]))
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, parts[:-1])
        near = nearest(shortened(parts[-1]), known)
        message = f"unknown field{near}; known: {', '.join(sorted(known))}"
    elif first["type"] == "missing":
        message = "is required"
    elif not parts and (named := _named_in(message, model)):
        field, message = named
    return Fault(422, "invalid", f"{field}: {message[:1].lower()}{message[1:]}", field)


def _named_in(message: str, model: type[BaseModel]) -> tuple[str, str] | None:
    """The field that a fault of the whole body begins with, and the rest of it."""
    field, colon, rest = message.partition(": ")
    return (field, rest) if colon and field in model.model_fields else None


def _in_json_words(kind: str, parts: Mapping[str, Any], message: str) -> str:
    """What is wrong, in words of JSON: who asks need not know how this service reads it."""
    if kind in _WORDS:
        return _WORDS[kind].format_map(parts)
    return message.removeprefix("Value error, ").replace("Input should", "must")


def _fields_at(model: type[BaseModel], path: Iterable[str]) -> list[str]:
    for part in path:
        inner = model.model_fields[part].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)


def _bad(message: str) -> Fault:
    return Fault(400, "bad_json", message)


def _constant(name: str) -> float:
    raise _bad(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > 30:
        raise _bad(f"a number has {len(digits)} digits; at most 30 are read")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _bad(f"the key {shortened(_printable(twice))!r} stands twice")
    return found


def _inspect(data: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _bad(f"the body is nested more than {MAX_DEPTH} deep")
    if isinstance(data, dict):
        for key, value in data.items():
            _inspect(key, depth)
            _inspect(value, depth + 1)
    elif isinstance(data, list):
        for value in data:
            _inspect(value, depth + 1)
    elif isinstance(data, str):
        if _printable(data) != data:
            raise _bad("a text holds half a character (a lone surrogate)")
        if "\0" in data:
            raise _bad("a text holds the character 0, which no database keeps")
    elif isinstance(data, float) and not (math.isfinite(data) and abs(data) <= MAX_NUMBER):
        raise _bad("a number is too large")


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
