"""End to end: what recent contacts leave of a worth, in the answer and in the record."""

import json
import math
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from decisions.test_decays import ROW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mkt_models.columns import Channel
from mkt_models.decisions.decays import ChannelDecay
from mkt_models.decisions.decide import decide, decide_all
from mkt_models.decisions.log import record_of
from mkt_models.decisions.question import (
    Context,
    Customer,
    Policy,
    all_customers,
    find_customer,
)
from mkt_models.loading import load_params
from mkt_models.store.records import Exposure, SnapshotMeta
from mkt_models.store.snapshot import Store

NOW = datetime(2018, 1, 6, 10, tzinfo=ZoneInfo("America/New_York"))
SATURDAY = Context(NOW)
APP = {**ROW, "channel": "app"}


def contacts(*days: float, channel: str = "app") -> tuple[Exposure, ...]:
    return tuple(Exposure("1", channel, NOW - timedelta(days=age)) for age in days)


def with_contacts(customer: Customer, exposures: tuple[Exposure, ...]) -> Customer:
    return Customer(
        **{
            name: exposures if name == "exposures" else getattr(customer, name)
            for name in Customer.__slots__
        }
    )


def decays(*rows: dict[str, object]) -> dict[Channel, ChannelDecay]:
    return {one.channel: one for one in map(ChannelDecay.of_row, rows)}


def test_a_worth_is_multiplied_and_says_by_what(regular, make_policy) -> None:
    policy = make_policy(decays=decays(APP))
    rested = decide(regular, SATURDAY, policy, 3).strategies[0]
    tired = decide(with_contacts(regular, contacts(7, 14)), SATURDAY, policy, 3).strategies[0]
    assert (rested.candidate, rested.worth) == ("personalised_promotion/app/o1", 0.059)
    # .1 x 8 x .25 x .3 = .06, of which exp(-.4 x .75) is left; the contact costs .001 as before.
    assert tired.worth == pytest.approx(0.06 * math.exp(-0.3) - 0.001, abs=1e-6)
    said = tired.document["worth_parts"]["fatigue"]
    assert said["multiplier"] == pytest.approx(math.exp(-0.3), abs=1e-6)
    assert (said["kind"], said["n"], said["customers"]) == ("observed", 1200, 300)
    assert said["multiplier_lower"] == pytest.approx(math.exp(-0.7 * 0.75), abs=1e-6)
    assert "leave 74% of a response" in said["en"]
    assert rested.document["worth_parts"]["fatigue"]["multiplier"] == 1.0


def test_a_snapshot_that_knows_of_no_fatigue_changes_nothing(regular, policy) -> None:
    tired = decide(with_contacts(regular, contacts(7, 14)), SATURDAY, policy, 3).strategies[0]
    assert tired.worth == 0.059
    assert "fatigue" not in tired.document["worth_parts"]


def test_what_was_not_evaluated_is_said_in_the_answer(regular, make_policy) -> None:
    row = {**APP, "state": "not_evaluated", "kind": None, "en": "too little"}
    policy = make_policy(decays=decays(row))
    said = decide(with_contacts(regular, contacts(7)), SATURDAY, policy, 3).strategies[0]
    assert said.worth == 0.059
    found = said.document["worth_parts"]["fatigue"]
    assert (found["multiplier"], found["state"], found["kind"]) == (1.0, "not_evaluated", None)
    assert found["en"].endswith("too little")


def test_an_assumed_decay_is_named_among_what_is_assumed(regular, make_policy) -> None:
    row = {**APP, "state": "assumed", "kind": "assumed", "plausible": []}
    policy = make_policy(decays=decays(row))
    parts = decide(regular, SATURDAY, policy, 3).strategies[0].document["worth_parts"]
    assert parts["assumed"] == ["margin_rate", "credited_share", "cost", "fatigue"]


def test_what_fatigue_leaves_without_worth_is_not_done_and_says_why(regular, make_policy) -> None:
    policy = make_policy(decays=decays({**APP, "decay": 4.0}))
    asked = Context(NOW, channel=Channel.APP)
    tired = decide(with_contacts(regular, contacts(1, 2, 3)), asked, policy, 3)
    (why,) = [one for one in tired.suppressed if one.candidate == "personalised_promotion/app/o1"]
    assert why.reasons[0].code == "fatigue"
    assert why.reasons[0].en.startswith("3 contacts over the app in the last 28 days leave 0%")
    assert [one.strategy for one in tired.strategies] == ["no_action"]


def test_contacts_on_another_channel_do_not_tire(regular, make_policy) -> None:
    policy = make_policy(decays=decays(APP))
    other = with_contacts(regular, contacts(10, channel="mail"))
    assert decide(other, SATURDAY, policy, 3).strategies[0].worth == 0.059


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.floats(0.1, 27), max_size=6), st.floats(0.1, 27), st.floats(0, 5))
def test_a_contact_more_never_makes_a_worth_larger(
    regular, make_policy, ages, another, decay
) -> None:
    policy = make_policy(decays=decays({**APP, "decay": decay}))

    def worths(*days: float) -> dict[str, float]:
        one = with_contacts(regular, contacts(*days))
        return {s.candidate: s.worth for s in decide(one, SATURDAY, policy, 20).strategies}

    fewer, more = worths(*ages), worths(*ages, another)
    assert all(more[key] <= fewer[key] for key in more.keys() & fewer.keys())


def test_batch_service_and_record_agree(tmp_path: Path, documents, granted, catalogue) -> None:
    """Published with the snapshot, and applied from it, for one customer as for all."""
    params = load_params(
        Path(__file__).parents[2] / "params" / "sample.yaml", {"decisions.holdout_share": 0.0}
    )
    meta = SnapshotMeta(
        as_of="2018-01-01",
        verdicts=dict.fromkeys(("churn", "value", "propensity", "recommender", "terms"), "pass"),
        fatigue=(APP, {**ROW, "state": "not_shown"}),
    )
    assert SnapshotMeta.of_json(meta.as_json()) == meta
    path = tmp_path / "snapshot.sqlite"
    consents = [one for name in "12345" for one in granted(name, "app", "sms")]
    Store.write_snapshot(path, meta, documents, consents, contacts(7, 14))
    with Store.open(path) as store:
        policy = Policy.of(params, catalogue, store.meta())
        batch = {
            one.customer_id: one.as_dict()
            for one in decide_all(all_customers(store, NOW), SATURDAY, policy, 3)
        }
        customer = find_customer(store, "1", NOW)
    assert customer is not None
    online = decide(customer, SATURDAY, policy, 3)
    assert online.as_dict() == batch["1"]
    first = batch["1"]["strategies"][0]["worth_parts"]["fatigue"]
    assert (first["contacts"], first["multiplier"]) == (2, pytest.approx(math.exp(-0.3), abs=1e-6))
    kept = record_of(online, customer, SATURDAY, policy)
    assert json.loads(json.dumps(kept.answer))["strategies"][0]["worth_parts"]["fatigue"] == first
    assert len(kept.inputs["contacts"]) == 2
