import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mkt_models.budget_params import Budget
from mkt_models.columns import Channel, Model, Strategy
from mkt_models.decisions.budgets import Allowance
from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.decide import decide, decide_all
from mkt_models.decisions.question import Context, Customer, QuestionError, all_customers
from mkt_models.exploration_params import Exploration
from mkt_models.store.records import Consent, Exposure, Purse, SnapshotMeta, Use
from mkt_models.store.snapshot import Store

ZONE = ZoneInfo("America/New_York")
SATURDAY = Context(datetime(2018, 1, 6, 10, tzinfo=ZONE))
MONDAY = Context(datetime(2018, 1, 8, 10, tzinfo=ZONE))
HOLIDAY = Context(datetime(2018, 1, 1, 10, tzinfo=ZONE))
EVERYWHERE = ("app", "mail", "email", "sms")
PUSH = {"mail", "email", "sms"}
EXPLORING = Exploration(method="epsilon", epsilon=0.3)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def names(decision):
    return [one.strategy for one in decision.strategies]


def codes(decision):
    return {one.candidate: one.reasons[0].code.value for one in decision.suppressed}


def test_the_regular_customer_on_a_saturday(regular, policy):
    decision = decide(regular, SATURDAY, policy, 3)
    assert [(one.candidate, one.worth) for one in decision.strategies] == [
        ("personalised_promotion/app/o1", 0.059),
        ("personalised_recommendation/app", 0.0115),
        ("membership_tier/app", 0.009),
    ]
    assert codes(decision) == {
        "content_with_products/app": "worth_not_positive",
        "content_with_products/email": "worth_not_positive",
        "membership_tier/email": "worth_not_positive",
        "no_action": "outranked",
        "open_promotion/app/double_points": "family_served",
        "open_promotion/app/free_delivery": "offer_suits_less",
        "open_promotion/app/second_order": "offer_not_open",
        "open_promotion/app/ten_items": "offer_suits_less",
        "personalised_content/app": "beyond_k",
        "personalised_content/email": "worth_not_positive",
        "personalised_promotion/app/o2": "offer_not_running",
        "personalised_promotion/mail/o1": "worth_not_positive",
        "personalised_promotion/mail/o2": "offer_not_running",
        "personalised_recommendation/email": "family_served",
        "popular_items/app": "default_not_needed",
        "scenario_before_holiday/app": "not_the_occasion",
        "scenario_before_holiday/email": "not_the_occasion",
        "scenario_cold/app": "context_not_given",
        "scenario_dinner/app": "not_available",
        "scenario_heat/app": "context_not_given",
        "scenario_holiday/app": "not_the_occasion",
        "scenario_in_store/app": "context_not_given",
        "scenario_rain/app": "context_not_given",
        "scenario_weekend/app": "beyond_k",
        "scenario_weekend/sms": "worth_not_positive",
        "service_care/app": "not_eligible",
        "service_care/email": "not_eligible",
        "service_recovery/app": "not_available",
        "social_marketing/app": "not_available",
        "social_marketing/email": "not_available",
    }


def test_the_scene_of_the_day(regular, policy):
    assert "scenario_weekend" in names(decide(regular, SATURDAY, policy, 5))
    assert not {"scenario_weekend", "scenario_holiday"} & set(
        names(decide(regular, MONDAY, policy, 5))
    )
    (scene,) = [
        one.document
        for one in decide(regular, HOLIDAY, policy, 5).strategies
        if one.strategy == "scenario_holiday"
    ]
    assert scene["title"] == {"en": "New Year's Day: your list", "zh": "元旦购物清单"}
    assert scene["reasons"][0] == {
        "source": "occasion",
        "en": "today: New Year's Day",
        "zh": "今天：元旦",
    }


def test_without_any_consent_only_what_everybody_sees_is_left(documents, policy):
    decision = decide(Customer.of(documents[0]), SATURDAY, policy, 3)
    assert names(decision) == ["popular_items"]
    no = (Consent("1", "marketing", "app", "refused", date(2017, 1, 1)),)
    decision = decide(Customer.of(documents[0], no), SATURDAY, policy, 3)
    assert names(decision) == ["no_action"]


@pytest.mark.parametrize("verdict", ["fail", "not_evaluated"])
def test_a_model_that_is_not_released_leaves_the_default(
    regular, make_policy, changed, granted, verdict
):
    policy = make_policy(verdicts=dict.fromkeys(Model, verdict) | {"terms": "pass"})
    decision = decide(regular, SATURDAY, policy, 3)
    # What rests on no model is not theirs to hold back.
    assert names(decision) == ["open_promotion", "personalised_content"]
    assert codes(decision)["personalised_recommendation/app"] == "model_not_released"
    unspent = Customer.of(changed("1", profile={"amount_365d": 0.0}), granted("1", "app"))
    assert names(decide(unspent, SATURDAY, policy, 3)) == ["popular_items"]
    nothing = make_policy(verdicts={}, popular_items=())
    decision = decide(unspent, SATURDAY, nothing, 3)
    assert names(decision) == ["no_action"]
    assert codes(decision)["popular_items/app"] == "no_content"


def test_the_holdout_is_left_in_peace_and_says_what_it_would_have_had(regular, make_policy):
    decision = decide(regular, SATURDAY, make_policy(holdout_share=1.0), 3)
    assert names(decision) == ["no_action"]
    assert {key for key, code in codes(decision).items() if code == "holdout"} == {
        "membership_tier/app",
        "open_promotion/app/double_points",
        "personalised_content/app",
        "personalised_promotion/app/o1",
        "personalised_recommendation/app",
        "personalised_recommendation/email",
        "popular_items/app",
        "scenario_weekend/app",
    }
    answer = decision.as_dict()
    assert answer["experiment"]["arm"] == answer["strategies"][0]["arm"] == "holdout"
    assert answer["experiment"]["arm_probability"] == 1.0


def test_a_channel_that_was_not_asked_for_is_not_served(regular, policy):
    decision = decide(regular, replace(SATURDAY, channel=Channel.EMAIL), policy, 3)
    assert {one.channel for one in decision.strategies} == {Channel.EMAIL}
    assert codes(decision)["membership_tier/app"] == "channel_not_asked"


@pytest.mark.parametrize(("day", "age", "stale"), [(6, 5, False), (1, 0, False)])
def test_the_age_of_the_profile(regular, policy, day, age, stale):
    answer = decide(regular, Context(datetime(2018, 1, day, 9, tzinfo=ZONE)), policy, 1).as_dict()
    assert (answer["profile_age_days"], answer["stale"]) == (age, stale)


@pytest.mark.parametrize(
    ("now", "stale"),
    [
        (datetime(2018, 2, 5, 23, tzinfo=ZONE), False),  # 35 days
        (datetime(2018, 2, 6, 0, tzinfo=ZONE), True),
        (datetime(2017, 12, 31, 23, tzinfo=ZONE), True),  # before the profile
    ],
)
def test_a_profile_that_does_not_fit_the_time_is_stale(regular, policy, now, stale):
    decision = decide(regular, Context(now), policy, 1)
    assert decision.as_dict()["stale"] is stale
    # Nothing personalised from a stale profile; what everybody sees stays.
    assert (names(decision) == ["popular_items"]) is stale
    personal = {entry.id for entry in policy.catalogue.strategies if entry.personalised}
    told = [one for one in decision.suppressed if one.reasons[0].code == "profile_stale"]
    if not stale:
        assert not told
    else:
        assert {one.strategy for one in told} >= personal - {"scenario_holiday", "scenario_weekend"}
        assert {one.strategy for one in told} <= personal


def test_a_stale_profile_is_told_with_its_dates(regular, policy):
    decision = decide(regular, Context(datetime(2018, 2, 6, 12, tzinfo=ZONE)), policy, 1)
    (tier,) = [one for one in decision.suppressed if one.candidate == "membership_tier/app"]
    assert tier.as_dict()["en"] == (
        "the profile of 2018-01-01 is stale: not from the 35 days up to 2018-02-06"
    )
    assert "2018-01-01" in tier.as_dict()["zh"]


@pytest.mark.parametrize("k", [0, 21, True, 1.0, "3", None])
def test_k_out_of_range_is_refused(regular, policy, k):
    with pytest.raises(QuestionError, match="whole number from 1 to 20"):
        decide(regular, SATURDAY, policy, k)


def test_a_customer_of_whom_nothing_is_known_is_answered(documents, policy, granted):
    customer = Customer.of(documents[3], granted("4", *EVERYWHERE))
    decision = decide(customer, SATURDAY, policy, 3)
    assert names(decision) == ["popular_items"]
    assert codes(decision)["membership_tier/app"] == "not_available"
    bare = {"customer_id": "x", "as_of": "2018-01-01"}
    assert names(decide(Customer.of(bare), SATURDAY, policy, 3)) == ["popular_items"]


def test_a_null_in_any_one_column_never_raises(changed, granted, policy, documents):
    for column in documents[0]["profile"]:
        document = changed("1", profile={column: None})
        decide(Customer.of(document, granted("1", *EVERYWHERE)), SATURDAY, policy, 3)


def test_two_who_differ_only_in_sensitive_columns_get_the_same(changed, granted, policy):
    answers = [
        decide(
            Customer.of(changed("1", profile=person), granted("1", "app")), SATURDAY, policy, 3
        ).as_dict()
        for person in ({"age_band": "19-24"}, {"age_band": "65+", "income_band": "250K+"})
    ]
    assert answers[0] == answers[1]


contexts = st.builds(
    Context,
    now=st.datetimes(datetime(2017, 12, 20), datetime(2018, 2, 20), timezones=st.just(UTC)),
    channel=st.none() | st.sampled_from(Channel),
)


@st.composite
def histories(draw, customer_id):
    when = st.datetimes(datetime(2017, 11, 20), datetime(2018, 3, 20), timezones=st.just(UTC))
    day = st.dates(date(2017, 1, 1), date(2018, 12, 31))
    consent = st.builds(
        Consent,
        st.just(customer_id),
        st.sampled_from(["marketing", "service"]),
        st.sampled_from(EVERYWHERE),
        st.sampled_from(["granted", "granted", "refused", "revoked"]),
        day,
        st.none() | day,
    )
    exposure = st.builds(
        Exposure,
        st.just(customer_id),
        st.sampled_from([*EVERYWHERE, "store"]),
        when,
        st.none() | st.sampled_from(["membership_tier", "scenario_weekend", "popular_items"]),
    )
    return draw(st.tuples(*(st.lists(kind, max_size=8).map(tuple) for kind in (consent, exposure))))


@quick
@given(st.data())
def test_every_candidate_is_served_or_suppressed_exactly_once(documents, make_policy, data):
    document = data.draw(st.sampled_from(documents))
    consents, exposures = data.draw(histories(document["customer_id"]))
    context, k = data.draw(contexts), data.draw(st.integers(1, 5))
    policy = make_policy(
        holdout_share=data.draw(st.sampled_from([0.0, 0.5])),
        verdicts=data.draw(
            st.dictionaries(
                st.sampled_from(["churn", "value", "propensity", "terms"]),
                st.sampled_from(["pass", "fail"]),
            )
        ),
    )
    customer = Customer.of(document, consents, exposures)
    decision = decide(customer, context, policy, k)
    today = context.now.astimezone(ZONE).date()
    expected = sorted([c.key for c in candidates(customer, policy, today)] + ["no_action"])
    found = [s.candidate for s in decision.strategies] + [s.candidate for s in decision.suppressed]
    assert sorted(found) == expected
    assert 1 <= len(decision.strategies) <= k
    worths = [one.worth for one in decision.strategies]
    assert worths == sorted(worths, reverse=True)
    assert names(decision) == [Strategy.NO_ACTION] or min(worths) > 0
    if policy.stale(customer.as_of, today):
        assert not any(one.document["personalised"] for one in decision.strategies)
    families = [one.document["family"] for one in decision.strategies]
    assert len(set(families)) == len(families)
    # Deterministic, JSON-able, and the same for the same facts in another order.
    text = json.dumps(decision.as_dict(), allow_nan=False)
    again = Customer.of({**document, "offers": document["offers"][::-1]}, consents, exposures[::-1])
    assert json.dumps(decide(again, context, policy, k).as_dict(), allow_nan=False) == text


@pytest.fixture(scope="module")
def pushy(catalogue, make_policy):
    """A policy in which letters, emails and text messages pay, so that they are chosen.

    Profiles stay good for a year, so that the limits are what stops a contact.
    """
    strategies = tuple(
        entry.model_copy(
            update={
                "channels": tuple(
                    use.model_copy(update={"cost": 0.5 if use.channel == "app" else 0.0})
                    for use in entry.channels
                )
            }
        )
        for entry in catalogue.strategies
    )
    contact = catalogue.contact.model_validate(
        {
            "caps": {"per_day": 2, "per_week": 3, "per_month": 5},
            "min_gap_hours": 5,
            "quiet_hours": {"start": "22:00", "end": "08:00"},
            "channels": {
                "app": {"kind": "pull", "caps": {"per_day": 2}},
                "email": {"kind": "push", "caps": {"per_week": 2}},
                "mail": {"kind": "push", "caps": {"per_month": 2}},
                "sms": {"kind": "push", "caps": {"per_month": 3}},
            },
        }
    )
    parts = {"strategies": strategies, "contact": contact, "max_profile_age_days": 365}
    return make_policy(catalogue.model_copy(update=parts))


@quick
@given(st.data())
def test_no_sequence_of_decisions_passes_a_limit(documents, granted, pushy, data):
    # Around the changes of the clocks in 2018, in any order of time.
    start = data.draw(
        st.sampled_from([datetime(2018, 3, 9, tzinfo=UTC), datetime(2018, 11, 2, tzinfo=UTC)])
    )
    minutes = st.integers(0, 40 * 24 * 60).map(lambda m: start + timedelta(minutes=m))
    hours = st.integers(0, 96).map(lambda h: start + timedelta(hours=h))
    times = data.draw(st.lists(minutes | hours, min_size=1, max_size=25))
    offer = {**documents[4]["offers"][0], "ends_on": "2019-12-31"}
    document = {**documents[4], "offers": [offer]}
    said = data.draw(st.sets(st.sampled_from(EVERYWHERE)))
    sent: list[Exposure] = []
    for now in times:
        customer = Customer.of(document, granted("5", *said), tuple(sent))
        sent += decide(customer, Context(now), pushy, 3).exposures(now)

    contact = pushy.catalogue.contact
    push = sorted(one.sent_at for one in sent if one.channel in PUSH)
    assert {one.channel for one in sent if one.strategy != "popular_items"} <= said
    assert all(b - a >= timedelta(hours=5) for a, b in pairwise(push))
    assert all(8 <= at.astimezone(ZONE).hour < 22 for at in push)
    _holds(contact.caps, push)
    for channel, rules in contact.channels.items():
        _holds(rules.caps, [one.sent_at for one in sent if one.channel == channel])
    for entry in pushy.catalogue.strategies:
        _holds(entry.caps, [one.sent_at for one in sent if one.strategy == entry.id])


def _holds(caps, times):
    for days, most in caps.windows():
        for first in times:
            assert sum(first <= at < first + timedelta(days=days) for at in times) <= most


def test_the_customers_own_hour_in_quiet_hours_keeps_contacts_back(documents, granted, pushy):
    offer = {**documents[4]["offers"][0], "ends_on": "2019-12-31"}
    customer = Customer.of({**documents[4], "offers": [offer]}, granted("5", *EVERYWHERE))
    day, night, none = (
        decide(customer, replace(SATURDAY, hour=hour), pushy, 3) for hour in (10, 23, None)
    )
    assert {one.channel for one in day.strategies} & PUSH
    assert not {one.channel for one in night.strategies} & PUSH
    assert "quiet_hours" in codes(night).values()
    assert "quiet_hours" not in codes(day).values()
    assert names(day) == names(none)


def test_the_limits_of_the_property_above_do_bite(documents, granted, pushy):
    offer = {**documents[4]["offers"][0], "ends_on": "2019-12-31"}
    document, sent = {**documents[4], "offers": [offer]}, []
    seen = set()
    for hour in range(24 * 10):
        now = datetime(2018, 3, 9, tzinfo=UTC) + timedelta(hours=hour)
        customer = Customer.of(document, granted("5", *EVERYWHERE), tuple(sent))
        decision = decide(customer, Context(now), pushy, 3)
        sent += decision.exposures(now)
        seen |= set(codes(decision).values())
    assert {"quiet_hours", "min_gap", "cap_customer", "cap_channel", "cap_strategy"} <= seen
    assert {one.channel for one in sent} > {"app", "mail"}


def test_batch_and_online_answers_are_equal_through_the_store(tmp_path, documents, granted, policy):
    consents = [consent for name in "1245" for consent in granted(name, "app", "mail")]
    exposures = [Exposure("5", "mail", SATURDAY.now - timedelta(hours=10), "s")]
    path = tmp_path / "snapshot.sqlite"
    Store.write_snapshot(path, SnapshotMeta("2018-01-01"), documents, consents, exposures)
    with Store.open(path) as store:
        batch = decide_all(all_customers(store, SATURDAY.now), SATURDAY, policy, 3)
        online = (
            decide(
                Customer.of(
                    store.customer(name),
                    store.consents(name),
                    store.exposures(name, SATURDAY.now - timedelta(days=30)),
                ),
                SATURDAY,
                policy,
                3,
            )
            for name in "12345"
        )
        assert [one.as_dict() for one in batch] == [one.as_dict() for one in online]


def exploring(make_policy, **settings):
    return make_policy(exploration=Exploration(method="epsilon", salt="spring", **settings))


def test_a_decision_that_explores_says_so_and_with_which_probability(regular, make_policy):
    policy = exploring(make_policy, epsilon=0.4)
    best = decide(regular, SATURDAY, make_policy(), 3).strategies[0].candidate
    firsts = set()
    for minute in range(40):
        context = Context(SATURDAY.now + timedelta(minutes=minute))
        decision = decide(regular, context, policy, 3)
        told = decision.head["exploration"]
        first = decision.strategies[0]
        probabilities = told["probabilities"]
        assert sum(probabilities.values()) == pytest.approx(1)
        n = len(probabilities)
        assert probabilities[best] == pytest.approx(0.6 + 0.4 / n)
        assert first.document["probability"] == probabilities[first.candidate]
        assert told["explored"] is (first.candidate != best)
        assert all(one.document["probability"] is None for one in decision.strategies[1:])
        assert {one.candidate for one in decision.strategies} <= set(probabilities)
        assert decide(regular, context, policy, 3) == decision  # the same question, the same draw
        firsts.add(first.candidate)
    assert len(firsts) > 1


def test_nothing_is_tried_that_may_not_be_served(make_policy, documents):
    policy = exploring(make_policy, epsilon=0.5)
    silent = Customer.of(documents[0])  # no consent to anything
    for minute in range(20):
        context = Context(SATURDAY.now + timedelta(minutes=minute))
        plain = decide(silent, context, make_policy(), 3)
        tried = decide(silent, context, policy, 3)
        assert {one.candidate for one in tried.strategies} <= {
            one.candidate for one in plain.strategies
        }


def test_exploration_is_part_of_the_question(regular, make_policy):
    plain, policy = make_policy(), exploring(make_policy, epsilon=0.4)
    assert plain.decision_id("1", SATURDAY, 3) != policy.decision_id("1", SATURDAY, 3)


def reaches(decision):
    return {one.channel.value for one in decision.strategies if one.channel} & PUSH


def test_nobody_is_woken_on_a_quiet_day_or_soon_after_a_complaint(regular, make_policy):
    policy = make_policy()
    monday, holiday = (replace(day, channel=Channel.EMAIL) for day in (MONDAY, HOLIDAY))
    assert "quiet_day" in codes(decide(regular, holiday, policy, 3)).values()
    assert not reaches(decide(regular, holiday, policy, 3))
    assert reaches(decide(regular, monday, policy, 3))
    days = policy.catalogue.contact.complaint_days
    for ago, kept in ((days - 1, True), (days + 1, False)):
        angry = replace(regular, complaints=(MONDAY.now - timedelta(days=ago),))
        decision = decide(angry, monday, policy, 3)
        assert ("complaint" in codes(decision).values()) is kept
        assert bool(reaches(decision)) is not kept


def test_quiet_hours_are_those_of_the_customers_own_clock(regular, policy):
    noon_in_new_york = Context(datetime(2018, 1, 9, 12, tzinfo=ZONE), channel=Channel.EMAIL)
    in_shanghai = replace(noon_in_new_york, time_zone="Asia/Shanghai")
    assert "quiet_hours" not in codes(decide(regular, noon_in_new_york, policy, 3)).values()
    assert "quiet_hours" in codes(decide(regular, in_shanghai, policy, 3)).values()
    with pytest.raises(QuestionError, match=r"time_zone == 'Asia/Shangai': unknown; did you mean"):
        replace(noon_in_new_york, time_zone="Asia/Shangai")


def test_no_time_zone_in_a_question_prolongs_a_consent(regular, policy):
    ends = Consent("1", "marketing", "email", "granted", date(2017, 1, 1), date(2018, 1, 9))
    others = tuple(one for one in regular.consents if one.channel != "email")
    last = replace(regular, consents=(*others, ends))
    # At 9 in New York on its last day it holds; the day after it does not, wherever one says to be.
    for day, zones, kept in (
        (8, (None, "Pacific/Honolulu"), True),
        (9, (None, "Pacific/Honolulu", "America/Los_Angeles"), False),
    ):
        for zone in zones:
            now = datetime(2018, 1, day, 0 if day == 9 else 15, 30, tzinfo=ZONE)
            asked = Context(now, channel=Channel.EMAIL, time_zone=zone)
            decision = decide(last, asked, policy, 3)
            assert ("consent_expired" in codes(decision).values()) is not kept
            for one in decision.strategies:
                if kept and one.channel is not None:
                    until = datetime.fromisoformat(one.document["valid_until"])
                    assert until <= datetime(2018, 1, 9, tzinfo=ZONE)


def test_a_quiet_day_of_the_region_counts(regular, make_policy):
    friday = datetime(2018, 1, 19, 12, tzinfo=ZONE)
    for region, quiet in ((None, False), ("TX", True)):
        asked = Context(friday, channel=Channel.EMAIL, country="US", region=region)
        found = codes(decide(regular, asked, make_policy(), 3)).values()
        assert ("quiet_day" in found) is quiet


def test_who_refuses_personalisation_gets_what_everybody_gets(regular, policy):
    no = Consent("1", "personalisation", "app", "refused", date(2018, 1, 2))
    app = replace(SATURDAY, channel=Channel.APP)
    decision = decide(replace(regular, consents=(*regular.consents, no)), app, policy, 3)
    assert names(decision) == ["popular_items"]
    assert not decision.strategies[0].document["personalised"]
    assert codes(decision)["membership_tier/app"] == "consent_refused"


def test_no_time_zone_in_a_question_brings_a_yes_to_personalisation_sooner(regular, policy):
    said = [
        Consent("1", "personalisation", "app", status, date(2018, 1, day))
        for status, day in (("refused", 2), ("granted", 10))
    ]
    changed = replace(regular, consents=(*regular.consents, *said))
    # In Kiritimati the tenth has begun when it is 10:00 on the ninth in New York.
    for day, zone, personal in (
        (9, None, False),
        (9, "Pacific/Kiritimati", False),
        (10, None, True),
    ):
        now = datetime(2018, 1, day, 10, tzinfo=ZONE)
        asked = Context(now, channel=Channel.APP, time_zone=zone)
        served = decide(changed, asked, policy, 3).strategies
        assert any(one.document["personalised"] for one in served) is personal


def counted(policy, left, **parts):
    """The policy with one budget of 9, and what is left of it in the first week of 2018."""
    budget = Budget.model_validate({"id": "some", "amount": 9, **parts})
    used = 9_000_000 - round(left * 1_000_000)
    purse = Purse("some", date(2018, 1, 1), date(2018, 1, 8), 9_000_000, used)
    return replace(policy, allowances=(Allowance(budget, 7),)), (purse,)


def test_what_a_budget_has_too_little_left_for_is_left_out_and_others_are_served(regular, policy):
    spent, purses = counted(policy, 0.5, resource="coupons")
    decision = decide(regular, SATURDAY, spent, 3, purses)
    assert names(decision)[:2] == ["personalised_recommendation", "membership_tier"]
    (told,) = [
        one.reasons
        for one in decision.suppressed
        if one.candidate == "personalised_promotion/app/o1"
    ]
    assert told[0].code == "budget_spent"
    assert told[0].en == (
        "the budget some is spent: of its 9 before 2018-01-08, less is left than the 1 that this "
        "takes"
    )
    assert "“some”" in told[0].zh
    enough, purses = counted(policy, 1, resource="coupons")
    same = decide(regular, SATURDAY, enough, 3, purses)
    assert same.as_dict() == decide(regular, SATURDAY, policy, 3).as_dict()
    assert same.strategies[0].uses == (Use("some", 1_000_000),)
    # A batch counts nothing.
    assert decide(regular, SATURDAY, spent, 3).as_dict() == same.as_dict()


def test_an_answer_for_the_holdout_withholds_nothing_that_was_spent(regular, policy):
    spent, purses = counted(policy, 0.5, resource="coupons")
    held = decide(regular, SATURDAY, replace(spent, holdout_share=1.0), 3, purses)
    assert held.head["exploration"]["withheld"] == {"personalised_recommendation/app": 1.0}
    held = decide(regular, SATURDAY, replace(spent, holdout_share=1.0), 3)
    assert held.head["exploration"]["withheld"] == {"personalised_promotion/app/o1": 1.0}


@quick
@given(st.data())
def test_the_holdout_keeps_back_what_would_have_been_done_and_nothing_else(
    documents, make_policy, data
):
    document = data.draw(st.sampled_from(documents))
    consents, exposures = data.draw(histories(document["customer_id"]))
    yes = tuple(
        Consent(document["customer_id"], "marketing", channel, "granted", date(2016, 1, 1))
        for channel in data.draw(st.sets(st.sampled_from(EVERYWHERE)))
    )
    customer = Customer.of(document, yes + consents, exposures)
    context, k = data.draw(contexts), data.draw(st.integers(1, 3))
    plain, purses = counted(
        make_policy(exploration=data.draw(st.sampled_from([Exploration(), EXPLORING]))),
        data.draw(st.sampled_from([0, 0.5, 1, 9])),
        resource=data.draw(st.sampled_from(["coupons", "contacts"])),
    )
    purses = data.draw(st.sampled_from([purses, ()]))
    free = decide(customer, context, plain, k, purses)
    held = decide(customer, context, replace(plain, holdout_share=1.0), k, purses)
    first = free.strategies[0]
    probabilities = free.head["exploration"]["probabilities"] or {first.candidate: 1.0}
    nothing = first.strategy == Strategy.NO_ACTION
    assert held.head["exploration"]["withheld"] == ({} if nothing else probabilities)
    assert names(held) == [Strategy.NO_ACTION]
    kept_back = {key for key, code in codes(held).items() if code == "holdout"}
    assert {one.candidate for one in free.strategies if one.channel} <= kept_back
    default = plain.catalogue.default
    because = {one.candidate: one.reasons for one in free.suppressed if one.strategy != default}
    for one in held.suppressed:
        if one.candidate not in kept_back and one.strategy != default:
            assert one.reasons == because[one.candidate]


def test_the_strategies_of_one_answer_share_what_is_left(regular, policy):
    two, purses = counted(policy, 2, resource="contacts")
    decision = decide(regular, SATURDAY, two, 3, purses)
    assert names(decision) == ["personalised_promotion", "personalised_recommendation"]
    assert codes(decision)["membership_tier/app"] == "budget_spent"


def test_the_default_falls_under_the_same_rule(documents, policy):
    nothing, purses = counted(policy, 0, resource="contacts")
    decision = decide(Customer.of(documents[0]), SATURDAY, nothing, 3, purses)
    assert names(decision) == ["no_action"]
    assert codes(decision)["popular_items/app"] == "budget_spent"
