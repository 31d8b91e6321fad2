from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from mkt_models.store.snapshot_tables import exposures_table, schema
from mkt_models.store.values import ID_LENGTH, StoreError, as_json, checked_id

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["", "x" * (ID_LENGTH + 1), None, 1, b"a"])
def test_an_id_that_does_not_fit_is_named(wrong):
    with pytest.raises(StoreError, match=r"offer\.id == .*must be a text of 1 to 64 characters"):
        checked_id(wrong, "offer.id")


def test_an_id_of_any_script_counts_in_characters():
    assert checked_id("户" * ID_LENGTH, "id") == "户" * ID_LENGTH


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
