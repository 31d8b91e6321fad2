"""What is a question: everything else is refused with a status, a field and a message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.serving.bodies import ProfileRequest, ScoreRequest, StrategiesRequest
from mkt_models.serving.wire import MAX_DEPTH, Fault, read_body, read_json


def fault_of(model: type, body: bytes) -> Fault:
    with pytest.raises(Fault) as caught:
        read_body(model, body)
    return caught.value


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
