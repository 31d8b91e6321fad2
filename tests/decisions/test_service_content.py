from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.decide import decide
from mkt_models.decisions.question import Context, Customer
from mkt_models.store.records import Consent

TODAY = date(2018, 1, 6)
NOW = Context(datetime(2018, 1, 6, 10, tzinfo=ZoneInfo("America/New_York")))
TICKETS = ("tickets_365d", "delivery_tickets_365d", "quality_tickets_365d", "open_tickets",
           "ticket_satisfaction")  # fmt: skip
QUIET = {**dict.fromkeys(TICKETS[:4], 0), "ticket_satisfaction": None}


@pytest.fixture
def services(changed, policy):
    """The content of a service strategy in the app, for a profile."""

    def found(strategy="service_recovery", **profile):
        customer = Customer.of(changed("1", profile=profile))
        (one,) = [
            c.content for c in candidates(customer, policy, TODAY) if c.key == f"{strategy}/app"
        ]
        return one

    return found


@pytest.mark.parametrize(
    ("trouble", "given"),
    [
        ({"delivery_tickets_365d": 2}, ["priority_delivery"]),
        ({"quality_tickets_365d": 1}, ["easy_returns"]),
        ({"open_tickets": 1}, ["one_contact"]),
        ({"ticket_satisfaction": 2.0}, ["one_contact"]),
        ({"tickets_365d": 3}, ["one_contact"]),
        (
            {"delivery_tickets_365d": 1, "open_tickets": 1},
            ["priority_delivery", "one_contact"],
        ),
    ],
)
def test_what_went_wrong_decides_what_is_given(services, trouble, given):
    content = services(**QUIET | trouble)
    assert [one["service"] for one in content.data["services"]] == given
    assert len(content.reasons) == len(given)


def test_a_late_parcel_is_named_as_the_reason(services):
    (why,) = services(**QUIET | {"delivery_tickets_365d": 2}).reasons
    assert why == {
        "source": "service",
        "en": "priority delivery: service requests about delivery, last 365 days 2",
        "zh": "优先配送：近365天物流配送类服务请求数 2",
    }


def test_without_tickets_nobody_knows_and_without_trouble_there_is_nothing(services):
    unknown = services(**dict.fromkeys(TICKETS))
    assert unknown.code == "not_available"
    assert services(**QUIET).code == "no_content"
    assert services(**QUIET | {"tickets_365d": 1, "ticket_satisfaction": 5.0}).code == "no_content"


def test_high_value_is_looked_after_and_told_so_without_an_apology(services, catalogue):
    care = services("service_care", amount_365d=2500.0, orders_365d=24)
    assert [one["service"] for one in care.data["services"]] == ["dedicated_agent", "fast_returns"]
    assert services("service_care", amount_365d=2499.0, orders_365d=99).code == "no_content"
    assert "sorry" not in catalogue.strategy("service_care").text.en


def test_an_apology_needs_no_yes_and_heeds_a_no_and_sells_nothing(changed, policy):
    document = changed("1", profile=QUIET | {"tickets_365d": 1, "open_tickets": 1}, offers=[])
    answer = decide(Customer.of(document), NOW, policy, 5).as_dict()
    (service,) = [s for s in answer["strategies"] if s["family"] == "personalised_service"]
    assert service["strategy"] == "service_recovery"
    assert set(service["content"]) == {"kind", "services"}
    assert service["worth_parts"]["terms"][0]["of"] == "amount"
    assert service["worth_parts"]["terms"][0]["value_kind"] == "assumed"
    no = Consent("1", "service", "app", "refused", date(2017, 1, 1))
    answer = decide(Customer.of(document, (no,)), NOW, policy, 5).as_dict()
    assert "personalised_service" not in {s["family"] for s in answer["strategies"]}


def test_care_needs_a_yes_to_service_and_not_to_marketing(changed, policy, granted):
    gold = changed("1", profile={"amount_365d": 2500.0, "orders_365d": 24})
    customer = Customer.of(gold, granted("1", "app"))
    codes = {
        one.candidate: one.reasons[0].code.value
        for one in decide(customer, NOW, policy, 5).suppressed
    }
    assert codes["service_care/app"] == "consent_unknown"
    said = tuple(replace(one, purpose="service") for one in customer.consents)
    names = {
        one.strategy for one in decide(replace(customer, consents=said), NOW, policy, 5).strategies
    }
    assert names == {"service_care"}
