from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from mkt_models.store import Consent, Exposure, SnapshotMeta, StoreError
from mkt_models.store_tables import (
    ID_LENGTH,
    as_json,
    checked_id,
    exposures_table,
    row_of,
    schema,
)

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)
DAY = date(2017, 1, 1)


def test_a_time_without_a_zone_and_an_id_that_is_too_long_are_refused():
    with pytest.raises(StoreError, match="with its zone"):
        Exposure("b", "app", datetime(2018, 1, 6))
    with pytest.raises(StoreError, match="with its zone"):
        Consent("b", "marketing", "app", "granted", DAY, changed_at=datetime(2018, 1, 6))
    with pytest.raises(StoreError, match="must not be before sent_at"):
        Exposure("b", "app", NOW, until=NOW - timedelta(seconds=1))
    with pytest.raises(StoreError, match=r"exposure\.customer_id == .* 1 to 64 characters"):
        row_of(Exposure("b" * 65, "app", NOW), "exposure")
    with pytest.raises(StoreError, match=r"consent\.purpose"):
        row_of(Consent("b", "", "app", "granted", DAY), "consent")


def test_contacts_are_as_far_apart_as_they_may_come():
    sent = Exposure("a", "app", NOW)
    planned = Exposure("a", "app", NOW - timedelta(hours=9), until=NOW - timedelta(hours=2))
    later = Exposure("a", "app", NOW + timedelta(hours=5), until=NOW + timedelta(hours=6))
    over = Exposure("a", "app", NOW - timedelta(hours=1), until=NOW + timedelta(hours=1))
    apart = [(sent, planned, 2), (sent, later, 5), (sent, over, 0), (planned, later, 7)]
    for one, other, hours in [*apart, (planned, over, 1), (sent, sent, 0)]:
        assert one.apart(other) == other.apart(one) == timedelta(hours=hours)


def test_what_a_snapshot_was_made_from_is_read_again():
    meta = SnapshotMeta("2018-01-01", {"churn": "c:1"}, {}, ({"product_id": "p"},), "s")
    assert SnapshotMeta.of_json(meta.as_json()) == meta


@pytest.mark.parametrize("wrong", ["", "x" * (ID_LENGTH + 1), None, 1, b"a"])
def test_an_id_that_does_not_fit_is_named(wrong):
    with pytest.raises(StoreError, match=r"offer\.id == .*must be a text of 1 to 64 characters"):
        checked_id(wrong, "offer.id")


def test_an_id_of_any_script_counts_in_characters():
    assert checked_id("户" * ID_LENGTH, "id") == "户" * ID_LENGTH


def test_a_row_has_the_columns_of_its_table():
    consent = Consent("a", "marketing", "app", "granted", date(2018, 1, 1), basis="x" * 100)
    exposure = Exposure("a", "app", NOW)
    for record, table in ((consent, "consents"), (exposure, "exposures")):
        row = row_of(record, table)
        assert set(row) == set(schema.tables[table].columns.keys()) - {"id"}
    assert row_of(consent, "consent")["basis"] == "x" * 100  # a text, and no id
    assert row_of(exposure, "exposure")["offer_id"] is None


def test_a_time_is_stored_in_utc_and_comes_back_aware():
    engine = sa.create_engine("sqlite://")
    schema.create_all(engine)
    shanghai = datetime(2018, 1, 6, 23, tzinfo=ZoneInfo("Asia/Shanghai"))
    with engine.connect() as connection:
        connection.execute(
            exposures_table.insert(), {"customer_id": "a", "channel": "app", "sent_at": shanghai}
        )
        stored = connection.exec_driver_sql("SELECT sent_at FROM exposures").scalar()
        found = connection.execute(sa.select(exposures_table.c.sent_at)).scalar()
    engine.dispose()
    assert stored.startswith("2018-01-06 15:00:00")
    assert found == NOW
    assert found.tzinfo is UTC


def test_json_is_the_same_text_for_the_same_data():
    assert as_json({"zh": "银卡", "n": [1, 0.5, None]}, "d") == '{"zh":"银卡","n":[1,0.5,null]}'
    assert as_json({"day": date(2018, 1, 1)}, "d", default=str) == '{"day":"2018-01-01"}'


@pytest.mark.parametrize("wrong", [float("nan"), float("-inf"), {1, 2}, object()])
def test_what_is_no_json_is_refused(wrong):
    with pytest.raises(StoreError, match="customer 'b': cannot be written as JSON: "):
        as_json({"n": wrong}, "customer 'b'")
