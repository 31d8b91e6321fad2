from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from models.tables import shop

from mkt_models.models.contact_pressure import answerable, assigned, with_pressure

D = date(2020, 9, 1)


def at(days: int) -> date:
    return D + timedelta(days=days)


CAMPAIGNS = [
    ("one", "A", at(0), at(9), False, False),
    ("two", "A", at(7), at(16), False, False),
    ("silent", "A", at(8), at(9), False, False),  # nobody answers it
    ("cut", "A", at(-9), at(0), True, False),
    ("open", "A", at(20), at(40), False, False),
]


def market(exposures, outcomes=(), controls=()):
    con = shop([("z", at(-50), 100)], campaigns=CAMPAIGNS, outcomes=outcomes)
    for table, rows in (("exposures", exposures), ("controls", controls)):
        con.execute(
            f"CREATE OR REPLACE TABLE {table} (customer_id VARCHAR, campaign_id VARCHAR, "
            "channel VARCHAR, sent_on DATE, assignment_probability DOUBLE)"
        )
        if rows:
            con.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", rows)
    return con


def test_a_response_lies_between_the_contact_and_the_end_of_the_campaign() -> None:
    con = market(
        [
            ("early", "one", "app", at(2), None),
            ("late", "one", "app", at(0), None),
            ("in", "one", "app", at(0), 0.5),
            ("in", "one", "app", at(3), 0.5),  # a reminder
            ("opened", "one", "app", at(0), 0.5),
            ("both", "one", "app", at(0), 0.5),
            ("both", "one", "sms", at(0), 0.5),  # which of the two was answered?
            ("in", "silent", "app", at(8), 0.5),
            ("in", "cut", "app", at(-9), 0.5),
            ("in", "open", "app", at(20), 0.5),
        ],
        [
            ("early", "one", "c", "redemption", at(1)),
            ("late", "one", "c", "redemption", at(10)),
            ("in", "one", "c", "redemption", at(9)),
            ("both", "one", "c", "redemption", at(9)),
            ("opened", "one", "c", "open", at(1)),
        ],
    )
    found = answerable(con, at(30)).set_index("customer_id")
    assert found["response"].to_dict() == {"early": 0, "in": 1, "late": 0, "opened": 0}
    assert found.loc["in", "sent_on"] == pd.Timestamp(at(0))
    assert found.loc["in", "assignment_probability"] == 0.5
    assert np.isnan(found.loc["late", "assignment_probability"])
    assert answerable(con, at(9)).empty  # the campaign was not over


def test_pressure_by_hand() -> None:
    con = market(
        [
            ("a", "one", "app", at(0), 0.5),
            ("a", "two", "app", at(7), 0.5),
            ("a", "two", "sms", at(6), 0.5),
            ("b", "two", "app", at(7), 0.5),
            ("c", "one", "app", at(0), None),
            ("c", "two", "app", at(7), 0.5),
        ],
        [("b", "two", "c", "redemption", at(8)), ("a", "one", "c", "redemption", at(8))],
        [("b", "one", "app", at(0), 0.25)],
    )
    contacts = answerable(con, at(30))
    history = assigned(con).query("channel == 'app'")
    found = with_pressure(contacts, history, (7.0, 3.5), 28)
    rows = {
        (contacts["customer_id"][i], contacts["campaign_id"][i]): i for i in range(len(contacts))
    }
    # a's second campaign went over two channels, so it is not judged; it presses all the same.
    assert set(rows) == {("a", "one"), ("b", "two"), ("c", "one"), ("c", "two")}
    assert found.pressure[rows["a", "one"]].tolist() == [0, 0]
    assert found.lead[rows["a", "one"]].tolist() == [0.5, 0.25]  # 0.5 ** (7 / 7), ** (7 / 3.5)
    assert found.pressure[rows["c", "two"]].tolist() == [0.5, 0.25]
    # b was withheld from the first with probability .75: none, and .25 contacts on average.
    assert found.pressure[rows["b", "two"]].tolist() == [0, 0]
    assert found.expected[rows["b", "two"]].tolist() == [0.125, 0.0625]
    assert found.random[rows["b", "two"]]
    # How c was chosen is not known: the contact is taken as it was.
    assert found.expected[rows["c", "two"]].tolist() == [0.5, 0.25]
    assert not found.random[rows["c", "two"]]


@pytest.mark.parametrize(("window", "pressure"), [(7, 0.5), (6, 0.0)])
def test_what_lies_before_the_window_does_not_press(window: int, pressure: float) -> None:
    con = market(
        [("a", "one", "app", at(0), 0.5), ("a", "two", "app", at(7), 0.5)],
        [("a", "two", "c", "redemption", at(8))],
    )
    found = with_pressure(answerable(con, at(30)), assigned(con), (7.0,), window)
    assert found.pressure.ravel().tolist() == [pressure]


def test_what_is_sent_on_the_same_day_has_no_order() -> None:
    con = market(
        [("a", "one", "app", at(7), 0.5), ("a", "two", "app", at(7), 0.5)],
        [("a", "two", "c", "redemption", at(8)), ("a", "one", "c", "redemption", at(8))],
    )
    found = with_pressure(answerable(con, at(30)), assigned(con), (7.0,), 28)
    assert not found.pressure.any()
    assert not found.lead.any()
