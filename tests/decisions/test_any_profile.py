"""Whatever is missing in a profile, and whatever the scene, there is an answer."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mkt_models.columns import NOT_AVAILABLE, Place, Weather
from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.decide import decide
from mkt_models.decisions.eligibility import GUARDED
from mkt_models.decisions.question import Context, Customer
from mkt_models.profiles.described import PROFILE_COLUMNS

NUMBERS = st.integers(-5, 10_000) | st.floats(-1e6, 1e6) | st.just(float("nan"))
MISSING = st.none() | st.just(NOT_AVAILABLE)
TEXTS = st.sampled_from(["weibo", "microblog", "evening", "x", ""])
LISTS = st.lists(st.sampled_from(["SOUP", "pets", "COFFEE", "gourmet", "", "汤"]), max_size=4)


def column(name):
    known = PROFILE_COLUMNS[name]
    if known.kind == "number":
        return NUMBERS | MISSING
    if known.kind == "list":
        return LISTS | MISSING
    return (st.sampled_from(known.values) if known.values else TEXTS) | MISSING


PROFILES = st.fixed_dictionaries({}, optional={name: column(name) for name in PROFILE_COLUMNS})
CONTEXTS = st.builds(
    Context,
    now=st.datetimes(datetime(2017, 12, 20), datetime(2018, 2, 1), timezones=st.just(UTC)),
    weather=st.none() | st.sampled_from(Weather),
    place=st.none() | st.sampled_from(Place),
    hour=st.none() | st.integers(0, 23),
    country=st.sampled_from([None, "US", "CN"]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(profile=PROFILES, context=CONTEXTS, items=st.integers(0, 6))
def test_any_profile_in_any_scene_has_an_answer(
    documents, policy, granted, profile, context, items
):
    document = {
        **documents[0],
        "profile": profile,
        "recommendations": documents[0]["recommendations"][:items],
    }
    said = granted("1", "app", "mail", "email", "sms")
    service = tuple(replace(consent, purpose="service") for consent in said)
    customer = Customer.of(document, (*said, *service))
    decision = decide(customer, context, policy, 8)
    scene = policy.scene(context)
    keys = [c.key for c in candidates(customer, policy, scene.day, scene)]
    found = [one.candidate for one in (*decision.strategies, *decision.suppressed)]
    assert sorted({*found, "no_action"}) == sorted([*keys, "no_action"])
    assert len(found) == len(set(found))
    assert all(one.reasons for one in decision.suppressed)
    assert json.dumps(decision.as_dict(), allow_nan=False)
    for one in decision.strategies:
        text = one.document["title"]["zh"] + one.document["text"]["en"]
        assert not set("{}") & set(text)


@pytest.mark.parametrize("name", PROFILE_COLUMNS)
def test_a_profile_of_one_column_has_an_answer(documents, policy, granted, name):
    value = documents[0]["profile"].get(name, 1)
    customer = Customer.of({**documents[0], "profile": {name: value}}, granted("1", "app"))
    context = Context(datetime(2018, 1, 6, 15, tzinfo=UTC), weather="rain", place="store")
    assert decide(customer, context, policy, 3).strategies


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    profile=PROFILES,
    other=st.fixed_dictionaries(
        {}, optional={name: column(name) for name in GUARDED if name in PROFILE_COLUMNS}
    ),
)
def test_what_is_guarded_changes_nothing_that_is_said(documents, policy, granted, profile, other):
    context = Context(datetime(2018, 1, 6, 15, tzinfo=UTC), weather="rain", place="store")
    plain = {name: value for name, value in profile.items() if name not in GUARDED}
    answers = [
        json.dumps(
            decide(
                Customer.of({**documents[0], "profile": one}, granted("1", "app")),
                context,
                policy,
                5,
            ).as_dict()
        )
        for one in (plain, {**plain, **other})
    ]
    assert answers[0] == answers[1]
