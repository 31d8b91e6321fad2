from datetime import UTC, date, datetime, timedelta

import pytest

from mkt_models.store.records import Consent, Exposure, SnapshotMeta, row_of
from mkt_models.store.snapshot_tables import schema
from mkt_models.store.values import StoreError

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


def test_a_row_has_the_columns_of_its_table():
    consent = Consent("a", "marketing", "app", "granted", date(2018, 1, 1), basis="x" * 100)
    exposure = Exposure("a", "app", NOW)
    for record, table in ((consent, "consents"), (exposure, "exposures")):
        row = row_of(record, table)
        assert set(row) == set(schema.tables[table].columns.keys()) - {"id"}
    assert row_of(consent, "consent")["basis"] == "x" * 100  # a text, and no id
    assert row_of(exposure, "exposure")["offer_id"] is None
