"""What may be asked and reported: the bodies of the service's requests.

How a body is read, and what a fault says, stands in :mod:`mkt_models.serving.wire`.
"""

import re
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mkt_models.columns import SCORING_MODELS, Channel, ConsentStatus, Model, Place, Weather
from mkt_models.decisions.question import EARLIEST, LATEST, Context, check_calendar, check_zone
from mkt_models.sections import nearest
from mkt_models.serving.wire import Body, shortened

MAX_CODE = 8
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ](?P<hour>\d\d):(?P<minute>\d\d)"
    r"[^+-]*([+-](?P<hours>\d\d)(:?(?P<minutes>\d\d))?)?"
)
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Text = Annotated[str, Field(min_length=1, max_length=64)]


def _iso(value: object) -> object:
    if value is None:
        return value
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be an ISO 8601 time with an offset, as 2018-01-06T10:00:00Z")
    if int(found["hour"]) > 23 or int(found["minute"]) > 59:
        raise ValueError("must have a time of day from 00:00 to 23:59")
    if found["hours"] and (int(found["hours"]) > 23 or int(found["minutes"] or 0) > 59):
        raise ValueError("must have an offset from -23:59 to +23:59, as +08:00")
    return value


def _day(value: object) -> object:
    if value is not None and not (isinstance(value, str) and _ISO_DAY.fullmatch(value)):
        raise ValueError("must be a day, as 2018-01-06")
    return value


def _sane(value: datetime | None) -> datetime | None:
    if value is not None and not EARLIEST <= value < LATEST:
        raise ValueError("must lie between the years 2000 and 2099 (UTC)")
    return value


def _sane_day(value: date) -> date:
    if not EARLIEST.date() <= value < LATEST.date():
        raise ValueError("must lie between the years 2000 and 2099")
    return value


Time = Annotated[AwareDatetime, Strict(False), BeforeValidator(_iso), AfterValidator(_sane)]
Day = Annotated[date, Strict(False), BeforeValidator(_day)]
SaneDay = Annotated[Day, AfterValidator(_sane_day)]


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
    key: Text | None = Field(
        default=None,
        description="your own name of this contact, needed without a decision; of a decision's: of "
        "this attempt to send it, needed with sending, and with sent and not_sent of what was begun"
        " with it: so a report sent again is told from another sender's",
    )
    channel: Channel
    status: Literal["sending", "sent", "not_sent"] = Field(
        default="sent",
        description="sending: asks for leave; 409 when it is withdrawn or over, or when another "
        "sender has it: one whose key is another",
    )
    sent_at: Time | None = Field(default=None, description="left out: now")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.decision_id is not None:
            if self.strategy is None:
                raise ValueError("strategy: is required with decision_id")
            if self.customer_id is not None:
                raise ValueError("customer_id is for contacts without a decision")
            if self.status == "sending" and self.key is None:
                raise ValueError("key: is required with sending: your own name of this attempt")
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

    on: SaneDay | None = Field(
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
