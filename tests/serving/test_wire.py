"""What is a question: everything else is refused with a status, a field and a message."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.serving.bodies import (
    BudgetsRequest,
    ConsentReport,
    ExplainRequest,
    ExposureReport,
    ForgetRequest,
    OutcomeReport,
    ProfileRequest,
    RequestContext,
    ScoreRequest,
    StrategiesRequest,
)
from mkt_models.serving.wire import MAX_DEPTH, Body, Fault, read_body, read_json, read_query


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
        (
            ProfileRequest,
            b'{"customer_id": 1}',
            "customer_id",
            'must be a text in quotes ("1", not 1)',
        ),
        (ProfileRequest, b'{"customerid": "1"}', "customerid", "did you mean 'customer_id'?"),
        (ProfileRequest, b'{"customer_id": ""}', "customer_id", "must have at least 1 character"),
        (
            ProfileRequest,
            b'{"customer_id": "' + b"x" * 65 + b'"}',
            "customer_id",
            "must have at most 64 char",
        ),
        (
            ProfileRequest,
            b'{"customer_id": "1", "custmer": 1}',
            "custmer",
            "did you mean 'customer_id'?",
        ),
        (StrategiesRequest, b'{"customer_id": "1", "k": 0}', "k", "must be at least 1"),
        (StrategiesRequest, b'{"customer_id": "1", "k": 21}', "k", "must be at most 20"),
        (StrategiesRequest, b'{"customer_id": "1", "k": "3"}', "k", "whole number"),
        (StrategiesRequest, b'{"customer_id": "1", "k": true}', "k", "whole number"),
        (StrategiesRequest, b'{"customer_id": "1", "k": 3.0}', "k", "whole number"),
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
        (
            StrategiesRequest,
            b'{"customer_id": "1", "context": []}',
            "context",
            "must be a JSON object",
        ),
        (ScoreRequest, b'{"features": {}}', "features", "must have at least 1 field"),
        (ScoreRequest, b'{"features": {"a": "1"}}', "features.a", "must be a number"),
        (ScoreRequest, b'{"features": {"a": true}}', "features.a", "must be a number"),
        (ScoreRequest, b'{"features": {"a": [1]}}', "features.a", "must be a number"),
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


GOOD = {
    ProfileRequest: {"customer_id": "1"},
    StrategiesRequest: {"customer_id": "1", "k": 3, "context": {}},
    ScoreRequest: {"features": {"a": 1}},
    ExposureReport: {"customer_id": "1", "key": "k", "channel": "app"},
    OutcomeReport: {
        "key": "k",
        "kind": "click",
        "customer_id": "1",
        "occurred_at": "2018-01-06T10:00:00Z",
    },
    ConsentReport: {
        "customer_id": "1",
        "purpose": "marketing",
        "channel": "app",
        "status": "granted",
    },
    ExplainRequest: {"decision_id": "d"},
    ForgetRequest: {"customer_id": "1"},
    BudgetsRequest: {},
}
WRONG = (
    *(None, True, 0, -1, 10**20, 86400, 1.5, "", "x", "x" * 600, [], [1], {}, {"a": []}),
    *({str(number): 1 for number in range(501)}, {"a": "1"}, {"": 1}, "2018-02-30", "2018-01-06"),
    *("2018-02-30T10:00:00Z", "2018-01-06T10:00:00", "2018-01-06T10:00:00+25:00", "9", "-1"),
)
OF_PYTHON = re.compile(
    r"dict|none\b|nonetype|\bint\b|\bstr\b|string|float|bool|\blist\b|tuple|instance|input |enum"
    r"|datetime|integer|parsing|pydantic|validation|value error|literal|timezone\b|tzinfo|isoformat"
)


@pytest.mark.parametrize("model", GOOD, ids=lambda model: model.__name__)
def test_a_fault_speaks_of_json_and_not_of_python(model: type[Body]) -> None:
    read_body(model, json.dumps(GOOD[model]).encode())
    names = [(name,) for name in model.model_fields]
    if model is StrategiesRequest:
        names += [("context", name) for name in RequestContext.model_fields]
    faults = []
    for name in names:
        for wrong in WRONG:
            value = {name[-1]: wrong} if len(name) == 2 else wrong
            try:
                read_body(model, json.dumps({**GOOD[model], name[0]: value}).encode())
            except Fault as fault:
                faults.append(fault)
    assert len(faults) >= 10 * len(names)
    for one in faults:
        field, _, told = one.message.partition(": ")
        assert field == one.field
        assert not OF_PYTHON.search(told.lower()), one.message


def test_a_customer_is_a_text_and_no_number_becomes_another_one() -> None:
    for wrong in (b"1", b"1.0", b"true", b"null"):
        fault = fault_of(ProfileRequest, b'{"customer_id": ' + wrong + b"}")
        assert fault.message == 'customer_id: must be a text in quotes ("1", not 1)'
    names = {
        read_body(ProfileRequest, json.dumps({"customer_id": name}).encode()).customer_id
        for name in ("1", "01", "1 ", "1.0")
    }
    assert len(names) == 4  # nothing is trimmed or counted as equal


@pytest.mark.parametrize("query", [b"", b"on=2018-01-06", b"on=2018-01-0%36"])
def test_a_query_is_read_as_a_body(query: bytes) -> None:
    body = read_query(BudgetsRequest, query)
    assert json.loads(body) == ({"on": "2018-01-06"} if query else {})


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        (b"on=soon", 422, "on: must be a day, as 2018-01-06"),
        (b"on=", 422, "on: must be a day"),
        (b"on", 422, "on: must be a day"),
        (b"On=2018-01-06", 422, "On: unknown field; did you mean 'on'?; known: on"),
        (b"day=2018-01-06", 422, "day: unknown field; known: on"),
        (b"on=2018-01-06&k=1", 422, "k: unknown field"),
        (b"on=2018-01-06&on=2018-01-07", 400, "'on' stands twice"),
        (b"on=%FF", 400, "not UTF-8"),
        (b"on=\xff", 400, "not UTF-8"),
        (b"on=%00", 400, "character 0"),
        (b"&".join(b"a=1" for _ in range(21)), 400, "more than 20 fields"),
    ],
)
def test_what_is_no_such_query_is_refused(query: bytes, status: int, message: str) -> None:
    with pytest.raises(Fault) as caught:
        read_query(BudgetsRequest, query)
    assert caught.value.status == status
    assert message in caught.value.message


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        data, status = read_json(body), 200
    except Fault as fault:
        data, status = None, fault.status
    assert status in (200, 400)
    json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
