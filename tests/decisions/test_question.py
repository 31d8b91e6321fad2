from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from mkt_models.columns import Channel
from mkt_models.decisions.consent import without_consent
from mkt_models.decisions.question import (
    Context,
    QuestionError,
    all_customers,
    find_customer,
)
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Consent, Exposure, Outcome, SnapshotMeta
from mkt_models.store.snapshot import Store

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"now": datetime(2018, 1, 6)}, "with its zone"),
        ({"now": "2018-01-06"}, "with its zone"),
        ({"now": datetime(1999, 12, 31, tzinfo=UTC)}, "2000 to 2099"),
        ({"now": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))}, "2000 to 2099"),
        ({"now": NOW, "channel": "ap"}, "did you mean 'app'"),
        ({"now": NOW, "locale": "fr"}, "must be en or zh"),
        ({"now": NOW, "weather": "rian"}, "did you mean 'rain'"),
        ({"now": NOW, "place": "stor"}, "did you mean 'store'"),
        ({"now": NOW, "hour": 24}, "whole number from 0 to 23"),
        ({"now": NOW, "hour": True}, "whole number from 0 to 23"),
        ({"now": NOW, "country": "XX"}, "public holidays are not known"),
        ({"now": NOW, "country": "US", "region": "ZZ"}, "no region of US"),
        ({"now": NOW, "region": "CA"}, "give its country too"),
    ],
)
def test_a_context_out_of_range_is_refused(parts, message):
    with pytest.raises(QuestionError, match=message):
        Context(**parts)


def test_the_same_question_has_the_same_id_and_another_one_another(policy, make_policy):
    here = NOW.astimezone(timezone(timedelta(hours=8)))
    question = policy.decision_id("1", Context(NOW), 3)
    assert question == policy.decision_id("1", Context(here), 3)
    others = {
        policy.decision_id("2", Context(NOW), 3),
        policy.decision_id("1", Context(NOW + timedelta(microseconds=1)), 3),
        policy.decision_id("1", Context(NOW, channel="app"), 3),
        policy.decision_id("1", Context(NOW), 2),
        policy.decision_id("1", Context(NOW, weather="rain"), 3),
        policy.decision_id("1", Context(NOW, place="store"), 3),
        policy.decision_id("1", Context(NOW, hour=0), 3),
        make_policy(snapshot_id="other").decision_id("1", Context(NOW), 3),
        make_policy(holdout_share=0.5).decision_id("1", Context(NOW), 3),
    }
    assert len(others | {question}) == 10


def test_the_scene_is_by_the_shops_clock_unless_the_request_says_otherwise(policy):
    late = datetime(2018, 1, 7, 3, tzinfo=UTC)  # Saturday evening in New York
    scene = policy.scene(Context(late))
    assert (scene.day, scene.hour, scene.country) == (date(2018, 1, 6), 22, "US")
    assert (scene.weather, scene.place) == (None, None)
    said = Context(late, weather="rain", place="home", hour=8, country="CN")
    scene = policy.scene(said)
    assert (scene.day, scene.hour, scene.country) == (date(2018, 1, 6), 8, "CN")
    assert (scene.weather, scene.place) == ("rain", "home")


def test_a_country_without_a_calendar_is_refused(policy):
    with pytest.raises(ValueError, match="public holidays"):
        replace(policy, country="XX")


def test_one_by_one_or_all_at_once_customers_are_the_same(tmp_path, documents, granted):
    consents = [consent for name in "125" for consent in granted(name, "app", "mail")]
    exposures = [
        Exposure(name, "mail", NOW - timedelta(days=days), "s") for name in "14" for days in (1, 40)
    ]
    path = tmp_path / "snapshot.sqlite"
    Store.write_snapshot(path, SnapshotMeta("2018-01-01"), documents, consents, exposures)
    with Store.open(path) as store:
        batch = list(all_customers(store, NOW))
        assert batch == [find_customer(store, one.customer_id, NOW) for one in batch]
        assert [len(one.consents) for one in batch] == [2, 2, 0, 0, 2]
        assert [len(one.exposures) for one in batch] == [1, 0, 0, 1, 0]  # 40 days ago: left out
        assert find_customer(store, "nobody", NOW) is None
        with LiveStore.open(tmp_path / "live.sqlite") as live:
            with live.turn("2", NOW) as turn:
                turn.contacted(Exposure("2", "app", NOW), "c-1")
                turn.outcome(Outcome("o-1", "complaint", NOW))
            (two,) = [one for one in all_customers(store, NOW, live) if one.customer_id == "2"]
            with live.turn("2", NOW) as turn:
                assert two == find_customer(store, "2", NOW, turn)
            assert (len(two.consents), len(two.exposures), two.complaints) == (2, 1, (NOW,))
            live.forget("2", NOW)
            assert [one.customer_id for one in all_customers(store, NOW, live)] == list("1345")
            with live.turn("2", NOW) as turn:
                assert find_customer(store, "2", NOW, turn) is None


def said(status, day, channel="app"):
    return Consent("1", "marketing", channel, status, date(2017, 1, day))


@pytest.fixture
def known(tmp_path, documents):
    """Customer 1 as found with the given consents and contacts of a snapshot and a live store."""

    def find(consents=((), ()), exposures=((), ())):
        path = tmp_path / "snapshot.sqlite"
        meta = SnapshotMeta("2018-01-01")
        Store.write_snapshot(path, meta, documents, consents[0], exposures[0])
        live = LiveStore.open(tmp_path / "live.sqlite")
        with live, Store.open(path) as store:
            with live.turn("1", NOW) as turn:
                for consent in consents[1]:
                    turn.say(consent)
                for number, exposure in enumerate(exposures[1]):
                    turn.contacted(exposure, f"{exposure.sent_at:%d}-{number}")
                found = find_customer(store, "1", NOW, turn)
            assert found == next(all_customers(store, NOW, live))
            return found

    return find


@pytest.mark.parametrize(
    ("snapshot", "live", "code"),
    [
        ([said("refused", 1)], [], "consent_refused"),
        ([], [said("refused", 1)], "consent_refused"),
        ([said("granted", 1)], [said("revoked", 2)], "consent_refused"),
        ([said("revoked", 2)], [said("granted", 1)], "consent_refused"),
        ([said("granted", 1)], [said("refused", 1)], "consent_refused"),
        ([said("refused", 1)], [said("granted", 1)], "consent_refused"),
        ([said("refused", 1)], [said("granted", 2)], None),
        ([said("granted", 1)], [], None),
        ([said("refused", 1)], [said("granted", 2, "mail")], "consent_refused"),
        ([], [], "consent_unknown"),
    ],
)
def test_a_no_in_either_store_binds_until_a_later_yes(known, snapshot, live, code):
    customer = known(consents=(snapshot, live))
    why = without_consent(customer.consents, "marketing", Channel.APP, NOW.date())
    assert (why and why.code.value) == code


def test_contacts_of_both_stores_count_and_one_that_both_know_counts_once(known):
    first, second, third = (Exposure("1", "mail", NOW - timedelta(days=n), "s") for n in (3, 2, 1))
    assert known(exposures=([second], [])).exposures == (second,)
    assert known(exposures=([], [second])).exposures == (second,)  # and the live store keeps it
    customer = known(exposures=([second, third], [first]))
    assert customer.exposures == (first, second, third)
    # Two equal ones in one store are two contacts, as they are without the other store.
    assert known(exposures=([third, third], [third])).exposures == (first, second, third, third)


@pytest.mark.parametrize(
    ("days", "stale"), [(-1, True), (0, False), (35, False), (36, True), (3000, True)]
)
def test_a_profile_is_stale_when_too_old_or_from_the_future(policy, days, stale):
    as_of = date(2018, 1, 1)
    assert policy.stale(as_of, as_of + timedelta(days=days)) is stale
