"""What is a question: the bodies that the service accepts, and nothing else.

Types are strict (``"3"`` is no number), unknown fields are refused, texts are short and numbers
finite. A fault is one :class:`Fault` that names the field and says what to do.
"""

import json
import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    field_validator,
)

from mkt_models.columns import SCORING_MODELS, Channel, Model
from mkt_models.decisions.question import EARLIEST, LATEST
from mkt_models.sections import nearest

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_NUMBER = 1e30
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")

Text = Annotated[str, Field(min_length=1, max_length=64)]


class Fault(ValueError):
    """Why a request is not answered: status, code, message and, where there is one, the field."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        """Keep what the answer will say."""
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field


class Body(BaseModel):
    """The body of a request: strict, closed, finite."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class RequestContext(Body):
    """The circumstances of a question."""

    now: Annotated[AwareDatetime, Strict(False)] | None = Field(
        default=None, description="ISO 8601 with an offset; left out: the server's clock"
    )
    channel: Channel | None = Field(default=None, description="only this channel")
    locale: Literal["en", "zh"] | None = Field(
        default=None, description="preferred language; texts come in both"
    )

    @field_validator("now", mode="before")
    @classmethod
    def _iso(cls, value: object) -> object:
        if value is not None and not (isinstance(value, str) and _ISO.match(value)):
            raise ValueError("must be an ISO 8601 time with an offset, as 2018-01-06T10:00:00Z")
        return value

    @field_validator("now")
    @classmethod
    def _sane(cls, value: datetime | None) -> datetime | None:
        if value is not None and not EARLIEST <= value < LATEST:
            raise ValueError("must lie between the years 2000 and 2099 (UTC)")
        return value


class StrategiesRequest(Body):
    """Which strategies fit this customer now?"""

    customer_id: Text
    context: RequestContext = RequestContext()
    k: int | None = Field(default=None, ge=1, le=20, description="strategies at most")


class ProfileRequest(Body):
    """What is known about this customer?"""

    customer_id: Text


class ScoreRequest(Body):
    """What would the models say of a customer with these features?"""

    model: Model | None = Field(default=None, description="left out: churn and value")
    features: dict[Text, float | None] = Field(
        min_length=1, max_length=500, description="name to number; null or left out: missing"
    )

    @field_validator("model", mode="before")
    @classmethod
    def _has_a_scorer(cls, value: object) -> object:
        if value is not None and value not in SCORING_MODELS:
            names = ", ".join(repr(model.value) for model in SCORING_MODELS)
            raise ValueError(f"must be one of {names}")
        return value


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
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, parts[:-1])
        near = nearest(shortened(parts[-1]), known)
        message = f"unknown field{near}; known: {', '.join(sorted(known))}"
    elif first["type"] == "missing":
        message = "is required"
    return Fault(422, "invalid", f"{field}: {message[:1].lower()}{message[1:]}", field)


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
    elif isinstance(data, float) and not (math.isfinite(data) and abs(data) <= MAX_NUMBER):
        raise _bad("a number is too large")


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
