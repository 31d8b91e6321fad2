"""What the counts alone tell of a service, of planted contacts and answers, and how it is said."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from mkt_models.decisions.catalogue import Catalogue, load_catalogue
from mkt_models.decisions.served_tables import ServedTables, served_tables
from mkt_models.monitoring.alarms import Alarm, Outcome
from mkt_models.params import Params
from mkt_models.served_compared import compared
from mkt_models.served_judged import Seen, counted
from mkt_models.served_params import ServedRule
from mkt_models.workspace import Workspace

UNTIL = datetime(2018, 4, 10, tzinfo=UTC)  # no public holiday in the weeks before
PEOPLE = pd.DataFrame({"customer_id": [], "age_band": []})


@pytest.fixture(scope="module")
def params() -> Params:
    return Workspace.open("params/sample.yaml", {"privacy.min_cell": 5}).params


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue("params/catalogue.yaml")


def decision(customer: str, days_ago: float, *codes: str, strategy: str = "membership_tier"):
    at = UNTIL - timedelta(days=days_ago)
    answer = {"strategies": [], "suppressed": [{"code": code} for code in codes]}
    row = {"decision_id": f"{customer}/{days_ago}", "customer_id": customer, "answer": answer}
    row |= {"asked_for": at.isoformat(), "arm": "treatment", "arm_probability": 0.9}
    return row | {"strategy": strategy, "channel": "app", "offer_id": None, "probability": 1.0}


def contact(customer: str, days_ago: float, status: str, channel: str = "email"):
    at = UNTIL - timedelta(days=days_ago)
    row = {"customer_id": customer, "decision_id": "d", "strategy": "membership_tier"}
    row |= {"channel": channel, "offer_id": None, "status": status, "sent_at": at}
    until = None if status == "sent" else at + timedelta(hours=12)
    return row | {"within_policy": True if status == "sent" else None, "until": until}


def judged(
    tables: ServedTables, params: Params, catalogue: Catalogue, rule: ServedRule
) -> list[Alarm]:
    seen = Seen(tables, params, catalogue, UNTIL)
    alarms = counted(seen)[1] + compared(seen, PEOPLE)[1]
    return [one for one in alarms if one.rule is rule]


def test_reports_are_a_share_of_contacts_clustered_by_customer(
    params: Params, catalogue: Catalogue
) -> None:
    """The last contact of each of 150 customers is reported; the three before it of 60 are not."""
    names = [f"c{number:03d}" for number in range(150)]
    made = [contact(name, 1, "sent") for name in names]
    made += [contact(name, ago, "planned") for name, ago in product(names[:60], (7, 8, 9))]
    made += [contact(name, ago, "not_sent") for name, ago in product(names[60:], (7, 8, 9))]
    made += [contact(name, 0.1, "planned") for name in names]  # may still be sent: not due
    asked = [decision(name, 1) for name in names]
    tables = served_tables(asked, made, [], catalogue, ZoneInfo("UTC"))
    alarm, recent = judged(tables, params, catalogue, ServedRule.REPORTS)
    assert (alarm.outcome, recent.outcome) == (Outcome.ALARM, Outcome.ALARM)
    assert (recent.figure.n, recent.figure.value) == (300, pytest.approx(0.2))  # the last week
    figure = alarm.figure
    assert (figure.value, figure.n) == (pytest.approx(0.3), 600)
    # By hand: 3 - 4 * 0.3 = 1.8 of 60 customers and -1.2 of 90; of 600 alone it were 0.037.
    variance = 150 / 149 * (60 * 1.8**2 + 90 * 1.2**2) / 600**2
    assert (figure.upper - figure.lower) / 2 == pytest.approx(2.241 * variance**0.5, rel=0.02)


def test_chinese_texts_are_chinese_and_small_cells_are_not_told(
    params: Params, catalogue: Catalogue
) -> None:
    names = [f"c{number:03d}" for number in range(300)]
    asked = [decision(name, 9) for name in names]
    asked += [decision(name, 1, "consent_expired", strategy="no_action") for name in names]
    made = [contact(names[0], 2 - hours / 24, "sent", "sms") for hours in range(9)]
    tables = served_tables(asked, made, [], catalogue, ZoneInfo("UTC"))
    seen = Seen(tables, params, catalogue, UNTIL)
    alarms = counted(seen)[1] + compared(seen, PEOPLE)[1]
    raised = [one for one in alarms if one.outcome is Outcome.ALARM]
    told = {one.rule for one in raised}
    assert told == {ServedRule.CAPS, ServedRule.STRATEGY_MIX, ServedRule.SUPPRESSION}
    for one in alarms:
        assert not re.search("[A-Za-z]{2,}", one.what_zh.replace("served.limits.cost", "")), one
    caps = [one for one in raised if one.rule is ServedRule.CAPS]
    assert any(one.what_zh.startswith("渠道“短信”：不足 5 位客户") for one in caps)
    assert all("fewer than 5 of fewer than 5 customers" in one.what for one in caps)
    few = [one for one in alarms if one.rule in (ServedRule.REPORTS, ServedRule.COMPLAINTS)]
    assert all("fewer than 5 customers, 100 are needed" in one.what for one in few)
