"""Consents and contacts that the data records, as the store keeps them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import duckdb

from mkt_models.decisions.records import recorded_consents, recorded_contacts
from mkt_models.store.records import Consent, Exposure

BERLIN = ZoneInfo("Europe/Berlin")


def test_consents_keep_all_their_columns() -> None:
    con = duckdb.connect()
    con.execute(
        """CREATE TABLE consents AS SELECT 'anna' AS customer_id, 'marketing' AS purpose,
        'sms' AS channel, 'revoked' AS status, DATE '2017-03-01' AS changed_on,
        CAST(NULL AS DATE) AS expires_on, 'form' AS basis"""
    )
    assert list(recorded_consents(con)) == [
        Consent("anna", "marketing", "sms", "revoked", date(2017, 3, 1), None, "form")
    ]


def test_a_contact_is_at_noon_of_its_day_on_the_shops_clock() -> None:
    con = duckdb.connect()
    con.execute(
        """CREATE TABLE exposures AS SELECT 'anna' AS customer_id, 'sms' AS channel,
        DATE '2017-07-01' AS sent_on, 'spring' AS campaign_id"""
    )
    noon = datetime(2017, 7, 1, 12, tzinfo=BERLIN)
    assert list(recorded_contacts(con, ["exposures"], BERLIN)) == [
        Exposure("anna", "sms", noon, campaign_id="spring")
    ]


def test_a_source_that_records_no_contacts_has_none() -> None:
    assert list(recorded_contacts(duckdb.connect(), ["transactions"], BERLIN)) == []
