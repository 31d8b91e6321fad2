"""What is a question: everything else is refused with a status, a field and a message."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.columns import SCORING_MODELS, Channel, Model
from mkt_models.decisions.question import Context
from mkt_models.serving.bodies import (
    BudgetsRequest,
    ExposureReport,
    ScoreRequest,
    StrategiesRequest,
)
from mkt_models.serving.wire import Body, Fault, read_body


def fault_of(model: type, body: bytes) -> Fault:
    with pytest.raises(Fault) as caught:
        read_body(model, body)
    return caught.value


def test_a_whole_question_is_read() -> None:
    body = {
        "customer_id": "家庭-1",
        "context": {"now": "2018-01-06T12:00:00-05:00", "channel": "app", "locale": "zh"},
        "k": 2,
    }
    asked = read_body(StrategiesRequest, json.dumps(body).encode())
    assert asked.customer_id == "家庭-1"
    assert asked.context.now.isoformat() == "2018-01-06T12:00:00-05:00"
    assert asked.context.channel is Channel.APP
    assert asked.k == 2


def test_a_scene_is_read_and_put_into_the_context_of_a_decision() -> None:
    said = {"weather": "rain", "place": "store", "hour": 8, "country": "US", "region": "MA"}
    body = {"customer_id": "1", "context": {**said, "locale": "en"}}
    asked = read_body(StrategiesRequest, json.dumps(body).encode())
    now = datetime(2018, 1, 6, 12, tzinfo=UTC)
    assert asked.context.at(now) == Context(now, locale="en", **said)
    nothing = read_body(StrategiesRequest, b'{"customer_id": "1"}')
    assert nothing.context.at(now) == Context(now)


@pytest.mark.parametrize(
    ("context", "field", "message"),
    [
        ({"weather": "rian"}, "context.weather", "did you mean 'rain'"),
        ({"weather": ["rain"]}, "context.weather", "must be one of clear, cloudy, rain"),
        ({"place": "shop"}, "context.place", "must be one of home, work, store, travelling"),
        ({"hour": 24}, "context.hour", "at most 23"),
        ({"hour": "8"}, "context.hour", "whole number"),
        ({"country": "XX"}, "context.country", "public holidays are not known"),
        ({"country": "C" * 9}, "context.country", "at most 8 letters"),
        ({"country": "US", "region": "ZZ"}, "context.region", "no region of US"),
        ({"region": "CA"}, "context.region", "give its country too"),
        ({"country": "XX", "region": "CA"}, "context.country", "not known"),
        ({"wether": "rain"}, "context.wether", "did you mean 'weather'"),
    ],
)
def test_a_scene_that_is_not_known_is_a_422_with_the_field(
    context: dict[str, object], field: str, message: str
) -> None:
    body = json.dumps({"customer_id": "1", "context": context}).encode()
    fault = fault_of(StrategiesRequest, body)
    assert (fault.status, fault.field) == (422, field)
    assert message in fault.message


ANYTHING = st.none() | st.booleans() | st.integers(-1, 25) | st.text(max_size=12) | st.just(1.5)


@given(
    context=st.fixed_dictionaries(
        {},
        optional={
            "weather": st.sampled_from(["rain", "heat"]) | ANYTHING,
            "place": st.sampled_from(["store"]) | ANYTHING,
            "hour": ANYTHING,
            "country": st.sampled_from(["US", "CN"]) | ANYTHING,
            "region": st.sampled_from(["MA"]) | ANYTHING,
        },
    )
)
def test_any_scene_is_a_fault_or_a_context(context: dict[str, object]) -> None:
    body = json.dumps({"customer_id": "1", "context": context}).encode("utf-8")
    try:
        asked = read_body(StrategiesRequest, body)
    except Fault:
        return
    assert asked.context.at(datetime(2018, 1, 6, tzinfo=UTC)).weather == context.get("weather")


def test_scores_take_missing_values() -> None:
    asked = read_body(ScoreRequest, b'{"features": {"a": 1, "b": null, "c": -2.5}}')
    assert asked.features == {"a": 1.0, "b": None, "c": -2.5}


@pytest.mark.parametrize("model", SCORING_MODELS)
def test_each_model_that_has_a_scorer_may_be_asked(model: Model) -> None:
    body = f'{{"model": "{model.value}", "features": {{"a": 1}}}}'.encode()
    assert read_body(ScoreRequest, body).model is model


@pytest.mark.parametrize(
    "now",
    [
        1515252525,
        "1515252525",
        "tomorrow",
        "2018-01-06",
        "2018-01-06T10:00:00",
        "2018-13-06T10:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2018-01-06T10:00:00+99:00",
        "2000-01-01T00:00:00+14:00",  # still 1999 in UTC
        "2099-12-31T23:59:59-12:00",  # already 2100 in UTC
    ],
)
def test_now_is_an_iso_time_with_an_offset_in_this_century(now: object) -> None:
    body = json.dumps({"customer_id": "1", "context": {"now": now}}).encode()
    assert fault_of(StrategiesRequest, body).field == "context.now"


@pytest.mark.parametrize("time", ["25:00:00", "24:00:00", "10:60:00"])
def test_a_time_of_day_that_is_none_is_said(time: str) -> None:
    body = {"customer_id": "1", "context": {"now": f"2018-01-06T{time}Z"}}
    with pytest.raises(Fault) as caught:
        read_body(StrategiesRequest, json.dumps(body).encode())
    assert caught.value.message == "context.now: must have a time of day from 00:00 to 23:59"


def test_a_fault_of_the_whole_body_names_the_field_that_it_is_about() -> None:
    for more, field in (({}, "strategy"), ({"strategy": "s", "status": "sending"}, "key")):
        body = {"decision_id": "d", "channel": "app", **more}
        with pytest.raises(Fault) as caught:
            read_body(ExposureReport, json.dumps(body).encode())
        assert caught.value.field == field
        assert caught.value.message.startswith(f"{field}: is required with ")


@pytest.mark.parametrize("offset", ["+25:00", "-24:00", "+0860", "+99", "+14:75"])
def test_an_offset_that_is_none_is_said(offset: str) -> None:
    body = {"customer_id": "1", "context": {"now": f"2018-01-06T10:00:00{offset}"}}
    fault = fault_of(StrategiesRequest, json.dumps(body).encode())
    assert (fault.status, fault.field) == (422, "context.now")
    assert fault.message == ("context.now: must have an offset from -23:59 to +23:59, as +08:00")


@pytest.mark.parametrize(
    "offset", ["Z", "z", "+14:00", "-12:00", "+0530", "+23:59", ".5Z", ".25-03:00"]
)
def test_an_offset_that_is_one_is_read(offset: str) -> None:
    body = {"customer_id": "1", "context": {"now": f"2018-01-06T10:00:00{offset}"}}
    asked = read_body(StrategiesRequest, json.dumps(body).encode())
    assert asked.context.now is not None
    assert asked.context.now.utcoffset() is not None


@pytest.mark.parametrize("on", [86400, 0, "2018-01-06T00:00:00", "2018-1-6", "06.01.2018", True])
def test_a_day_is_written_as_a_day(on: object) -> None:
    fault = fault_of(BudgetsRequest, json.dumps({"on": on}).encode())
    assert fault.message == "on: must be a day, as 2018-01-06"


@pytest.mark.parametrize("on", ["9999-12-31", "2100-01-01", "1999-12-31", "0001-01-01"])
def test_a_day_of_budgets_lies_in_this_century(on: str) -> None:
    fault = fault_of(BudgetsRequest, json.dumps({"on": on}).encode())
    assert (fault.status, fault.field) == (422, "on")
    assert "must lie between the years 2000 and 2099" in fault.message
    for last in ("2000-01-01", "2099-12-31"):
        BudgetsRequest.model_validate_json(json.dumps({"on": last}))


def _all(model: type[Body]) -> list[type[Body]]:
    return [model, *(deeper for one in model.__subclasses__() for deeper in _all(one))]


@pytest.mark.parametrize("model", sorted(_all(Body)[1:], key=lambda one: one.__name__))
def test_a_refusal_says_what_is_wrong_and_not_what_was_sent(model: type[Body]) -> None:
    """Names of fields are said; values are not, but for a time zone, which is of nobody."""
    sent = "household-9999"
    for name in set(model.model_fields) - {"time_zone"}:
        for value in (sent, [sent], {"known": sent}, {name: {name: sent}}, sent * 99, -99994444.5):
            said = _refusal(model, json.dumps({name: value}).encode())
            assert sent not in said
            assert "99994444" not in said


def _refusal(model: type[Body], body: bytes) -> str:
    try:
        read_body(model, body)
    except Fault as fault:
        return f"{fault.message} {fault.field}"
    return ""
