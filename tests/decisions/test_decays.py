import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.columns import Channel, FatigueState, NumberKind
from mkt_models.decisions.decays import ChannelDecay
from mkt_models.store.records import Exposure

NOW = datetime(2020, 9, 29, 12, tzinfo=UTC)
ROW = {
    "channel": "sms",
    "state": "shown",
    "kind": "observed",
    "decay": 0.4,
    "half_life_days": 7.0,
    "plausible": [{"half_life_days": 7.0, "decay_lower": 0.1, "decay_upper": 0.7}],
    "window_days": 28,
    "n": 1200,
    "customers": 300,
    "responses": 150,
    "feedback_p": 0.4,
    "of": "redemption",
    "en": "responses fall with earlier contacts, and chance is ruled out",
    "zh": "响应随先前触达减少，且可排除偶然",
}
SMS = ChannelDecay.of_row(ROW)


def sent(days: float, channel: str = "sms", until: float | None = None) -> Exposure:
    end = None if until is None else NOW - timedelta(days=until)
    return Exposure("1", channel, NOW - timedelta(days=days), until=end)


def test_the_multiplier_by_hand() -> None:
    found = SMS.fatigue([sent(7), sent(14), sent(7, "mail")], NOW)
    assert found.pressure == pytest.approx(0.5 + 0.25)
    assert found.multiplier == pytest.approx(math.exp(-0.4 * 0.75))
    assert found.interval == pytest.approx((math.exp(-0.7 * 0.75), math.exp(-0.1 * 0.75)))
    assert found.contacts == 2
    assert found.words(0) == (
        "2 contacts over text message in 28 days leave 74% of a response (observed within "
        "customers, interval 59% to 93%, n = 1,200 contacts of 300 customers)"
    )
    assert "响应剩余 74%" in found.words(1)


@pytest.mark.parametrize(
    ("contact", "pressure"),
    [
        (sent(28), 0.5**4),
        (sent(28.1), 0.0),  # before the window
        (sent(-1), 0.0),  # after the question
        (sent(2, until=-1), 1.0),  # leave that still holds: it may be sent right before
        (sent(9, until=7), 0.5),  # leave that ended a week ago
        (sent(0), 1.0),
    ],
)
def test_what_counts_as_an_earlier_contact(contact: Exposure, pressure: float) -> None:
    assert SMS.fatigue([contact], NOW).pressure == pytest.approx(pressure)


def test_the_interval_is_over_all_plausible_half_lives() -> None:
    slow = {"half_life_days": 14.0, "decay_lower": 0.2, "decay_upper": 0.5}
    found = ChannelDecay.of_row({**ROW, "plausible": [*ROW["plausible"], slow]}).fatigue(
        [sent(14)], NOW
    )
    # A pressure of .25 with decays of .1 to .7, or of .5 with .2 to .5.
    assert found.interval == pytest.approx((math.exp(-0.25), math.exp(-0.025)))


@pytest.mark.parametrize("state", ["not_shown", "not_evaluated"])
def test_what_was_not_shown_changes_nothing_and_says_so(state: str) -> None:
    told = ChannelDecay.of_row({**ROW, "state": state, "en": "why not"}).fatigue([sent(1)], NOW)
    found = told.as_dict()
    assert (found["multiplier"], found["multiplier_lower"], found["pressure"]) == (1.0, None, None)
    assert found["state"] == state
    assert found["en"] == "not changed by 1 contacts over text message in 28 days: why not"


def test_what_is_assumed_has_no_interval() -> None:
    row = {**ROW, "state": "assumed", "kind": "assumed", "plausible": []}
    found = ChannelDecay.of_row(row).fatigue([sent(7)], NOW).as_dict()
    assert found["multiplier"] == pytest.approx(math.exp(-0.2), abs=1e-6)
    assert (found["multiplier_lower"], found["kind"]) == (None, "assumed")


@pytest.mark.parametrize(
    "wrong",
    [{"decay": -0.1}, {"decay": None}, {"decay": math.nan}, {"half_life_days": 0.0}],
)
def test_a_decay_that_nobody_has_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="fatigue over sms"):
        ChannelDecay.of_row({**ROW, **wrong})


any_decay = st.builds(
    lambda state, decay, half_life, window: ChannelDecay(
        channel=Channel.SMS,
        state=state,
        window_days=window,
        of="redemption",
        why=("why", "原因"),
        kind=NumberKind.OBSERVED,
        decay=decay,
        half_life_days=half_life,
        plausible=((half_life, decay / 2, decay * 2), (2 * half_life, decay / 3, decay)),
    ),
    st.sampled_from(FatigueState),
    st.floats(0, 5),
    st.floats(0.1, 365),
    st.integers(1, 30),
)
any_contacts = st.lists(
    st.builds(sent, st.floats(-5, 40), st.sampled_from(["sms", "mail", "pigeon"])), max_size=8
)


@settings(max_examples=150, deadline=None)
@given(any_decay, any_contacts, st.floats(0, 40))
def test_never_above_one_and_never_more_after_one_contact_more(
    decay: ChannelDecay, contacts: list[Exposure], days: float
) -> None:
    found = decay.fatigue(contacts, NOW)
    more = decay.fatigue([*contacts, sent(days)], NOW)
    assert 0 < more.multiplier <= found.multiplier <= 1
    if (ends := found.interval) is not None:
        assert 0 <= ends[0] <= found.multiplier <= ends[1] <= 1
    assert decay.fatigue(contacts[::-1], NOW).multiplier == pytest.approx(found.multiplier)
    json.dumps(found.as_dict(), allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 20), min_size=1, max_size=6), st.floats(0, 7))
def test_rest_gives_responses_back(ages: list[float], rest: float) -> None:
    contacts = [sent(age) for age in ages]
    before, after = SMS.fatigue(contacts, NOW), SMS.fatigue(contacts, NOW + timedelta(days=rest))
    assert after.multiplier >= before.multiplier


def test_the_service_needs_no_pandas_for_it() -> None:
    code = (
        "import sys, mkt_models.decisions.fatigue; "
        "assert not {'pandas', 'scipy', 'sklearn', 'duckdb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
