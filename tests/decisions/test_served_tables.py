"""Rows of a live store as tables, by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from mkt_models.decisions.served_tables import CONTACTS, OUTCOMES, last_days, served_tables

NOW = datetime(2018, 1, 6, 3, tzinfo=UTC)  # in New York still the fifth
ZONE = ZoneInfo("America/New_York")


def decision(**parts):
    offer = {"content": {"offer": {"id": "o"}}}
    answer = {
        "strategies": [{"content": {"kind": "none"}}, offer],
        "suppressed": [{"code": "outranked"}, {"code": "cap_customer"}, {"code": "outranked"}],
        "exploration": {"explored": True},
        "stale": False,
    }
    row = {"decision_id": "d", "customer_id": "1", "asked_for": NOW.isoformat()}
    row |= {"arm": "treatment", "arm_probability": 0.95, "strategy": "popular_items"}
    row |= {"channel": "app", "offer_id": None, "probability": 0.5, "answer": answer}
    return {**row, **parts}


def contact(**parts):
    row = {"customer_id": "1", "decision_id": "d", "strategy": "personalised_promotion"}
    row |= {"channel": "mail", "offer_id": "o", "status": "sent", "within_policy": True}
    return {**row, "sent_at": NOW, "until": None, **parts}


def test_a_decision_is_told_in_the_shops_days(catalogue):
    told = served_tables([decision()], [], [], catalogue, ZONE)
    [row] = told.decisions.to_dict("records")
    assert row["day"] == pd.Timestamp("2018-01-05")
    assert row["at"] == pd.Timestamp(NOW)
    assert row["reasons"] == ("cap_customer", "outranked")
    assert (row["is_default"], row["with_offer"], row["explored"]) == (True, True, True)
    assert list(told.contacts.columns) == list(CONTACTS)
    assert list(told.outcomes.columns) == list(OUTCOMES)


def test_a_contact_has_the_cost_of_the_catalogue(catalogue):
    rows = [
        contact(),
        contact(channel="app"),
        contact(strategy=None, decision_id=None),
        contact(channel="pigeon", status="planned", within_policy=None, until=NOW),
    ]
    told = served_tables([], rows, [], catalogue, ZONE).contacts
    assert told["cost"].tolist()[:2] == [0.45, 0.001]
    assert told["cost"].isna().tolist() == [False, False, True, True]
    assert told["push"].tolist() == [True, False, True, True]  # an unknown channel is push
    assert told["within_policy"].isna().tolist() == [False, False, False, True]
    assert told["until"].notna().tolist() == [False, False, False, True]


def test_outcomes_and_the_last_days(catalogue):
    row = {"customer_id": "1", "decision_id": None, "strategy": None, "kind": "purchase"}
    rows = [
        {**row, "amount": amount, "occurred_at": (NOW - timedelta(days=days)).isoformat()}
        for amount, days in ((2.5, 8), (None, 7), (1.0, 0))
    ]
    told = served_tables([], [], rows, catalogue, ZONE).outcomes
    assert told["amount"].sum() == pytest.approx(3.5)
    assert last_days(told, NOW, 7).tolist() == [False, True, True]
