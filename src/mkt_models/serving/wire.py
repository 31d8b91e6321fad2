"""What is a question: the bodies that the service accepts, and nothing else.

Types are strict (``"3"`` is no number), unknown fields are refused, texts are short and numbers
finite. A fault is one :class:`Fault` that names the field and says what to do.
"""

import json
import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mkt_models.columns import SCORING_MODELS, Channel, ConsentStatus, Model, Place, Weather
from mkt_models.decisions.question import EARLIEST, LATEST, Context, check_calendar, check_zone
from mkt_models.sections import nearest

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_NUMBER = 1e30
MAX_CODE = 8
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


def _iso(value: object) -> object:
    if value is not None and not (isinstance(value, str) and _ISO.match(value)):
        raise ValueError("must be an ISO 8601 time with an offset, as 2018-01-06T10:00:00Z")
    return value


def _sane(value: datetime | None) -> datetime | None:
    if value is not None and not EARLIEST <= value < LATEST:
        raise ValueError("must lie between the years 2000 and 2099 (UTC)")
    return value


Time = Annotated[AwareDatetime, Strict(False), BeforeValidator(_iso), AfterValidator(_sane)]
Day = Annotated[date, Strict(False)]


class RequestContext(Body):
    """The circumstances of a question."""

    now: Time | None = Field(
        default=None, description="ISO 8601 with an offset; left out: the server's clock"
    )
    channel: Channel | None = Field(default=None, description="only this channel")
    locale: Literal["en", "zh"] | None = Field(
        default=None, description="preferred language; texts come in both"
    )

    weather: Weather | None = Field(
        default=None, description="at the customer; left out: not known"
    )
    place: Place | None = Field(
        default=None, description="where the customer is; left out: not known"
    )
    hour: int | None = Field(
        default=None, ge=0, le=23, description="the customer's own; left out: by the shop's clock"
    )
    country: str | None = Field(
        default=None, description="ISO 3166 code, for the public holidays; left out: the shop's"
    )
    region: str | None = Field(default=None, description="of the country, as ISO 3166-2 has it")
    time_zone: Text | None = Field(
        default=None, description="the customer's, as Asia/Shanghai; left out: the shop's"
    )

    def at(self, now: datetime) -> Context:
        """The context of a decision, at the time that was asked or that the clock shows."""
        return Context(now=now, **self.model_dump(exclude={"now"}))

    @field_validator("weather", "place", mode="before")
    @classmethod
    def _is_a_known_word(cls, value: object, info: ValidationInfo) -> object:
        words = [one.value for one in (Weather if info.field_name == "weather" else Place)]
        if value is not None and not (isinstance(value, str) and value in words):
            near = nearest(shortened(value), words) if isinstance(value, str) else ""
            raise ValueError(f"must be one of {', '.join(words)}{near}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        check_zone(value)
        return value

    @field_validator("country", "region")
    @classmethod
    def _has_a_calendar(cls, value: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("country")
        if value is None or (info.field_name == "region" and "country" not in info.data):
            return value  # the country is the fault
        if len(value) > MAX_CODE:
            raise ValueError(f"must be a code of at most {MAX_CODE} letters")
        if info.field_name == "country":
            check_calendar(value, None)
        else:
            check_calendar(country, value)
        return value


class StrategiesRequest(Body):
    """Which strategies fit this customer now?"""

    customer_id: Text
    context: RequestContext = RequestContext()
    k: int | None = Field(default=None, ge=1, le=20, description="strategies at most")


class ExposureReport(Body):
    """What became of a contact: of a decision, or made without one.

    With ``decision_id``: how far the strategy on this channel has come. Without: a contact that
    another system made, with ``customer_id`` and a ``key`` of its own.
    """

    decision_id: Text | None = None
    strategy: Text | None = None
    offer_id: Text | None = None
    customer_id: Text | None = Field(default=None, description="only without a decision")
    key: Text | None = Field(default=None, description="only without a decision: your own name")
    channel: Channel
    status: Literal["sending", "sent", "not_sent"] = Field(
        default="sent", description="sending: asks for leave, 409 when it is withdrawn or over"
    )
    sent_at: Time | None = Field(default=None, description="left out: now")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.decision_id is not None:
            if self.strategy is None:
                raise ValueError("strategy: is required with decision_id")
            if self.customer_id is not None or self.key is not None:
                raise ValueError("customer_id and key are for contacts without a decision")
        elif self.customer_id is None or self.key is None:
            raise ValueError("give decision_id and strategy, or customer_id and key")
        elif self.status != "sent":
            raise ValueError("status: a contact without a decision can only be sent")
        return self


OutcomeKind = Literal["view", "click", "purchase", "redemption", "share", "complaint"]


class OutcomeReport(Body):
    """What a customer did; with the decision that it followed, where one is known."""

    key: Text = Field(description="your own name of this outcome; sent twice, it counts once")
    kind: OutcomeKind
    decision_id: Text | None = None
    strategy: Text | None = None
    customer_id: Text | None = Field(default=None, description="needed without decision_id")
    amount: float | None = Field(default=None, ge=-1e9, le=1e9, description="currency units")
    occurred_at: Time

    @field_validator("amount")
    @classmethod
    def _whole_hundredths(cls, value: float | None) -> float | None:
        if value is not None and abs(value * 100 - round(value * 100)) > 1e-6:
            raise ValueError("must have at most two decimals")
        return value

    @model_validator(mode="after")
    def _about_somebody(self) -> Self:
        if (self.decision_id is None) == (self.customer_id is None):
            raise ValueError("give decision_id or customer_id, one of them")
        return self


class ConsentReport(Body):
    """What a customer said about a purpose and a channel."""

    customer_id: Text
    purpose: Text
    channel: Channel
    status: ConsentStatus
    changed_at: Time | None = Field(default=None, description="left out: now")
    expires_on: Day | None = Field(default=None, description="of a yes: first day without it")
    basis: Annotated[str, Field(min_length=1, max_length=500)] = "said to the app"
    key: Text | None = Field(default=None, description="your own name; sent twice, it counts once")

    @model_validator(mode="after")
    def _only_a_yes_expires(self) -> Self:
        if self.expires_on is not None and self.status is not ConsentStatus.GRANTED:
            raise ValueError("expires_on: only a consent that is granted expires")
        return self


class ExplainRequest(Body):
    """How did this decision come about, and what followed?"""

    decision_id: Text


class BudgetsRequest(Body):
    """What is taken of the budgets?"""

    on: Day | None = Field(
        default=None, description="only the periods in which this day lies; left out: all"
    )


class ForgetRequest(Body):
    """Erase this customer."""

    customer_id: Text


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
        if "\0" in data:
            raise _bad("a text holds the character 0, which no database keeps")
    elif isinstance(data, float) and not (math.isfinite(data) and abs(data) <= MAX_NUMBER):
        raise _bad("a number is too large")


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
