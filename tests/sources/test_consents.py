"""Consents that the parameters declare."""

from datetime import date

import duckdb
import pytest

from mkt_models.source_params import Source
from mkt_models.sources.consents import assumed_consents_sql

CUSTOMERS = "SELECT * FROM (VALUES ('anna'), ('bob')) AS v(customer_id)"
EXPOSED = "SELECT 'bob'"
REASON = "every customer is a member of the club"


def declared(*consents: dict[str, str]) -> list[tuple[object, ...]]:
    source = Source(kind="files", time_zone="UTC", assumed_consents=consents)
    query = assumed_consents_sql(source, CUSTOMERS, EXPOSED, since=date(2017, 1, 1))
    return duckdb.connect().execute(query).fetchall()


def test_without_a_declaration_there_is_no_consent() -> None:
    assert declared() == []


@pytest.mark.parametrize(("who", "names"), [("all", ["anna", "bob"]), ("exposed", ["bob"])])
def test_a_declaration_holds_for_whom_it_names(who: str, names: list[str]) -> None:
    rows = declared({"purpose": "marketing", "channel": "sms", "customers": who, "reason": REASON})
    assert [row[0] for row in rows] == names
    assert {row[1:5] for row in rows} == {("marketing", "sms", "granted", date(2017, 1, 1))}
    assert {row[6] for row in rows} == {f"assumed: {REASON}"}
