"""Each rule of behaviour at its edge: the last value that stays, and the first that does not."""

from datetime import datetime
from pathlib import Path

import pytest
from cleaning.rows import NEW_YORK, UTC, cleaned, read, row, touched

from mkt_models.columns import Table
from mkt_models.engine import Connection


@pytest.mark.parametrize(
    ("table", "column", "good", "bad", "rule"),
    [
        (Table.EVENTS, "rating", (1.0, 5.0), (0.99, 5.01), "rating_impossible"),
        (Table.EVENTS, "dwell_seconds", (0.0, 86400.0), (-0.5, 86400.5), "dwell_impossible"),
        (Table.SOCIAL, "followers", (0, 10**10), (-1, 10**10 + 1), "followers_impossible"),
    ],
)
def test_a_value_at_the_edge_stays_and_one_beyond_becomes_missing(
    con: Connection, tmp_path: Path, table, column, good, bad, rule
):
    key = {Table.EVENTS: "event_id", Table.SOCIAL: "action_id"}[table]
    values = [*good, None, *bad]
    rows = [row(table, **{key: f"n{n}", column: value}) for n, value in enumerate(values)]
    report = cleaned(con, tmp_path, {table: rows}, UTC)
    found = {one[key]: one[column] for one in read(con, tmp_path / "clean", table.value)}
    assert found == {"n0": good[0], "n1": good[1], "n2": None, "n3": None, "n4": None}
    assert touched(report) == {rule: 2}


@pytest.mark.parametrize(
    ("table", "key", "rule"),
    [
        (Table.EVENTS, "event_id", "event_time_impossible"),
        (Table.SOCIAL, "action_id", "action_time_impossible"),
    ],
)
def test_the_first_day_of_the_shop_begins_where_the_shop_is(
    con: Connection, tmp_path: Path, table, key, rule
):
    # The shop's first day, 1 January 2010, begins in New York at 05:00 in UTC.
    times = {"before": datetime(2010, 1, 1, 4, 59), "after": datetime(2010, 1, 1, 5)}
    rows = [row(table, **{key: name, "occurred_at": at}) for name, at in times.items()]
    report = cleaned(con, tmp_path, {table: rows}, NEW_YORK)
    assert [one[key] for one in read(con, tmp_path / "clean", table.value)] == ["after"]
    assert touched(report) == {rule: 1}
