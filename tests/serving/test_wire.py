"""What is a question: everything else is refused with a status, a field and a message."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.columns import SCORING_MODELS, Channel, Model
from mkt_models.decisions.question import Context
from mkt_models.serving.wire import (
    MAX_DEPTH,
    Fault,
    ProfileRequest,
    ScoreRequest,
    StrategiesRequest,
    read_body,
    read_json,
)


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
        ({"hour": 24}, "context.hour", "less than or equal to 23"),
        ({"hour": "8"}, "context.hour", "integer"),
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
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "byte 0"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"customer_id": NaN}', "NaN is no JSON number"),
        (b'{"k": -Infinity}', "-Infinity"),
        (b'{"k": 1e999}', "too large"),
        (b'{"k": 1e31}', "too large"),
        (b'{"k": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b"[" * 50_000, f"more than {MAX_DEPTH} deep"),
        (b"[" * 20 + b"]" * 20, f"more than {MAX_DEPTH} deep"),
        (b'{"customer_id": "\\ud800"}', "lone surrogate"),
        (b'{"\\udfff": 1}', "lone surrogate"),
        (b'{"k": 1, "k": 2}', "'k' stands twice"),
    ],
)
def test_what_is_no_json_is_a_400(body: bytes, message: str) -> None:
    fault = fault_of(StrategiesRequest, body)
    assert (fault.status, fault.code) == (400, "bad_json")
    assert message in fault.message


@pytest.mark.parametrize(
    ("model", "body", "field", "message"),
    [
        (
            ScoreRequest,
            b'{"model": "recommender", "features": {"a": 1}}',
            "model",
            "must be one of 'churn', 'value', 'propensity'",
        ),
        (ProfileRequest, b"[]", "body", "JSON object"),
        (ProfileRequest, b"null", "body", "JSON object"),
        (ProfileRequest, b"{}", "customer_id", "required"),
        (ProfileRequest, b'{"customer_id": 1}', "customer_id", "valid string"),
        (ProfileRequest, b'{"customerid": "1"}', "customerid", "did you mean 'customer_id'?"),
        (ProfileRequest, b'{"customer_id": ""}', "customer_id", "at least 1"),
        (ProfileRequest, b'{"customer_id": "' + b"x" * 65 + b'"}', "customer_id", "at most 64"),
        (
            ProfileRequest,
            b'{"customer_id": "1", "custmer": 1}',
            "custmer",
            "did you mean 'customer_id'?",
        ),
        (StrategiesRequest, b'{"customer_id": "1", "k": 0}', "k", "greater than or equal to 1"),
        (StrategiesRequest, b'{"customer_id": "1", "k": 21}', "k", "less than or equal to 20"),
        (StrategiesRequest, b'{"customer_id": "1", "k": "3"}', "k", "valid integer"),
        (StrategiesRequest, b'{"customer_id": "1", "k": true}', "k", "valid integer"),
        (StrategiesRequest, b'{"customer_id": "1", "k": 3.0}', "k", "valid integer"),
        (
            StrategiesRequest,
            b'{"customer_id": "1", "context": {"chanel": "app"}}',
            "context.chanel",
            "did you mean 'channel'?",
        ),
        (
            StrategiesRequest,
            b'{"customer_id": "1", "context": {"channel": "fax"}}',
            "context.channel",
            "'app'",
        ),
        (StrategiesRequest, b'{"customer_id": "1", "context": []}', "context", "object"),
        (ScoreRequest, b'{"features": {}}', "features", "at least 1"),
        (ScoreRequest, b'{"features": {"a": "1"}}', "features.a", "valid number"),
        (ScoreRequest, b'{"features": {"a": true}}', "features.a", "valid number"),
        (ScoreRequest, b'{"features": {"a": [1]}}', "features.a", "valid number"),
        (ScoreRequest, b'{"features": {"a": 1}, "model": "lifetime"}', "model", "'churn'"),
        (ScoreRequest, b'{"features": {"a": 1}, "model": ["value"]}', "model", "'churn'"),
    ],
)
def test_what_is_no_such_body_is_a_422(model: type, body: bytes, field: str, message: str) -> None:
    fault = fault_of(model, body)
    assert (fault.status, fault.field) == (422, field)
    assert message in fault.message


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


def test_a_long_unknown_field_is_not_repeated_whole() -> None:
    fault = fault_of(ProfileRequest, b'{"customer_id": "1", "' + b"x" * 5000 + b'": 1}')
    assert len(fault.message) < 250
    assert len(fault.field) < 100


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        data, status = read_json(body), 200
    except Fault as fault:
        data, status = None, fault.status
    assert status in (200, 400)
    json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
