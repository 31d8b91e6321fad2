import json
from dataclasses import replace

import duckdb
import numpy as np
import pytest
from models.test_contact_pressure import at, market
from models.test_fatigue import contacts

from mkt_models.columns import Channel
from mkt_models.fatigue_params import AssumedDecay, Fatigue
from mkt_models.models.contact_pressure import Contacts
from mkt_models.models.fatigue_by_channel import (
    declared,
    fatigue_by_channel,
    fatigue_table,
    of_channel,
)

ONE = Fatigue(half_lives=(7.0,))
ASSUMED = AssumedDecay(decay=0.4, half_life_days=5, why="what a shop like ours has published")


def stream(n: int, decay: float, seed: int = 7) -> Contacts:
    """Customers with a rate of their own, contacted in half of eight campaigns, by a known coin."""
    rng = np.random.default_rng(seed)
    campaigns = 8
    made = rng.random((campaigns, n)) < 0.5
    rate = 0.3 * np.exp(rng.normal(0, 0.5, n))
    before = np.vstack([np.zeros(n), made[:-1]])
    after = np.vstack([made[1:], np.zeros(n)])
    answered = rng.random((campaigns, n)) < np.minimum(1, rate * np.exp(-decay * before))
    campaign, customer = np.nonzero(made)
    return contacts(
        np.unique(customer, return_inverse=True)[1],
        campaign,
        answered[campaign, customer],
        before[campaign, customer],
        lead=after[campaign, customer][:, None],
        probability=np.full(len(campaign), 0.5),
        expected=np.where(campaign > 0, 0.5, 0.0)[:, None],
        random=campaign > 0,
    )


def unassigned(seen: Contacts) -> Contacts:
    return replace(
        seen,
        probability=np.full(len(seen), np.nan),
        expected=seen.pressure,
        random=np.zeros(len(seen), dtype=bool),
    )


def test_a_draw_tells_first() -> None:
    row = of_channel(Channel.SMS, stream(600, 0.9), ONE, 1)
    assert (row["state"], row["kind"], row["feedback_p"]) == ("shown", "randomised", None)
    assert 0 < row["decay_lower"] < 0.9 < row["decay_upper"]
    assert row["half_life_days"] == 7.0
    assert json.loads(json.dumps(row)) == row


def test_without_a_draw_each_customer_is_compared_with_themselves() -> None:
    row = of_channel(Channel.SMS, unassigned(stream(600, 0.9)), ONE, 1)
    assert (row["state"], row["kind"]) == ("shown", "observed")
    assert row["decay_lower"] < 0.9 < row["decay_upper"]
    assert row["feedback_p"] > 0.1
    assert row["customers"] <= 600


@pytest.mark.parametrize("known", [True, False])
def test_where_nothing_is_planted_nothing_is_claimed(known: bool) -> None:
    seen = stream(600, 0.0)
    row = of_channel(Channel.SMS, seen if known else unassigned(seen), ONE, 1)
    assert row["state"] == "not_shown"
    assert row["decay_lower"] < 0 < row["decay_upper"]
    assert row["en"] == "no fatigue is shown: the interval of the decay holds 0"


def test_a_response_that_rises_is_no_reason_for_more_contacts() -> None:
    row = of_channel(Channel.SMS, stream(600, -0.9), ONE, 1)
    assert row["state"] == "not_shown"
    assert row["decay_upper"] < 0
    assert "no reason for more" in row["en"]


def test_too_little_is_not_evaluated_and_says_how_much_is_needed() -> None:
    row = of_channel(Channel.SMS, unassigned(stream(60, 0.9)), ONE, 1)
    assert (row["state"], row["kind"], row["decay"]) == ("not_evaluated", None, None)
    assert row["en"].startswith(f"too little: {row['customers']} customers tell of it (100 are")


def test_where_contacts_follow_from_responses_nothing_is_evaluated() -> None:
    seen = unassigned(stream(600, 0.9))
    # Every second response is followed by a contact.
    followed = seen.response * (np.arange(len(seen)) % 2)
    lead = np.maximum(seen.lead, followed[:, None])
    row = of_channel(Channel.SMS, replace(seen, lead=lead), ONE, 1)
    assert (row["state"], row["decay"]) == ("not_evaluated", None)
    assert row["feedback_p"] < 0.001
    assert "may be the shop's doing" in row["en"]


def test_an_assumption_stands_in_only_for_what_could_not_be_evaluated() -> None:
    settings = ONE.model_copy(update={"assumed": {Channel.SMS: ASSUMED}})
    few = of_channel(Channel.SMS, unassigned(stream(60, 0.9)), settings, 1)
    assert (few["state"], few["kind"], few["decay"]) == ("assumed", "assumed", 0.4)
    assert few["decay_lower"] is None
    assert "what a shop like ours has published; too little" in few["en"]
    assert of_channel(Channel.SMS, stream(600, 0.0), settings, 1)["state"] == "not_shown"
    assert of_channel(Channel.APP, unassigned(stream(60, 0.9)), settings, 1)["decay"] is None


def test_every_channel_has_a_row_whatever_the_source_records() -> None:
    nothing = fatigue_by_channel(duckdb.connect(), at(30), Fatigue(), 1)
    assert [row["channel"] for row in nothing] == list(Channel)
    assert {row["state"] for row in nothing} == {"not_evaluated"}
    off = fatigue_by_channel(duckdb.connect(), at(30), Fatigue(enabled=False), 1)
    assert {row["en"] for row in off} == {"switched off (fatigue.enabled)"}
    con = market([("a", "one", "app", at(0), None)], [("a", "one", "c", "redemption", at(8))])
    said = {row["channel"]: row["en"] for row in fatigue_by_channel(con, at(30), Fatigue(), 1)}
    assert said["app"].startswith("too little: 0 customers")
    assert said["sms"] == "no contact over it that could be answered is on record"


def test_what_a_contact_the_day_before_leaves() -> None:
    measured = of_channel(Channel.SMS, stream(600, 0.9), ONE, 1)
    table = fatigue_table([*declared(Fatigue())[:1], measured]).set_index("channel")
    weight = 0.5 ** (1 / 7)
    assert table.loc["sms", "left"] == pytest.approx(np.exp(-measured["decay"] * weight))
    assert table.loc["sms", "left_lower"] == pytest.approx(
        np.exp(-measured["decay_upper"] * weight)
    )
    slower = {"half_life_days": 14.0, "decay_lower": 0.1, "decay_upper": 2.0}
    wider = fatigue_table([{**measured, "plausible": [*measured["plausible"], slower]}])
    assert wider["left_lower"][0] == pytest.approx(np.exp(-2 * 0.5 ** (1 / 14)))
    assert wider["left_upper"][0] == pytest.approx(np.exp(-0.1 * 0.5 ** (1 / 14)))
    assert table["applied"].to_dict() == {"app": False, "sms": True}
    assert np.isnan(table.loc["app", "left"])
