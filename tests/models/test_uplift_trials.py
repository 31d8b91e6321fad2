import numpy as np
import pandas as pd
import pytest
from models.assignments import D, at, market

from mkt_models.models.contact_features import with_contact
from mkt_models.models.uplift_trials import (
    reachable,
    split_by_time,
    trials,
)
from mkt_models.workspace import NotAvailableError


def test_responses_by_hand() -> None:
    con = market(
        [("a", "now", at(0), 0.4), ("b", "now", at(0), 0.4)],
        [("c", "now", at(0), 0.4), ("d", "now", at(0), 0.7)],
        [
            ("a", at(-1), 900, "soup"),  # the day before
            ("a", at(0), 1000, "soup"),
            ("a", at(9), 500, "tea"),
            ("a", at(10), 700, "tea"),  # the day after
            ("c", at(5), 300, "tea"),
        ],
    )
    con.execute("UPDATE transactions SET coupon_discount_cents = 200 WHERE amount_cents = 1000")
    rows = trials(con, at(30)).rows.set_index("customer_id")
    assert rows["treated"].to_dict() == {"a": 1, "b": 1, "c": 0, "d": 0}
    assert rows["assignment_probability"].to_dict() == {"a": 0.4, "b": 0.4, "c": 0.4, "d": 0.7}
    assert rows["ordered"].to_dict() == {"a": 1, "b": 0, "c": 1, "d": 0}
    assert rows["redeemed"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 0}
    assert rows["orders"].to_dict() == {"a": 2, "b": 0, "c": 1, "d": 0}
    assert rows["spend"].to_dict() == {"a": 15.0, "b": 0.0, "c": 3.0, "d": 0.0}
    # The coupon counts as paid in the value and as given away in the cost; each contact cost 0.05.
    assert rows["value"].to_dict() == {"a": 17.0, "b": 0.0, "c": 3.0, "d": 0.0}
    assert rows["cost"].to_dict() == pytest.approx({"a": 2.05, "b": 0.05, "c": 0.0, "d": 0.0})
    assert set(rows["as_of"]) == {pd.Timestamp(D)}
    assert set(rows["ends_on"]) == {pd.Timestamp(at(9))}


def test_what_is_no_trial_is_counted_under_its_reason() -> None:
    con = market(
        [
            ("a", "now", at(0), 0.5),
            ("a", "now", at(2), 0.5),  # a reminder of the same contact
            ("null", "now", at(0), None),
            ("sure", "now", at(0), 1.0),
            ("torn", "now", at(0), 0.5),
            ("two", "now", at(0), 0.5),
            ("two", "now", at(0), 0.6),
            ("twin", "now", at(0), 0.5),
            ("a", "open", at(25), 0.5),
            ("a", "cut", at(-90), 0.5),
        ],
        [("b", "now", at(0), 0.5), ("torn", "now", at(0), 0.5), ("never", "now", at(0), 0.0)],
    )
    con.execute(
        "CREATE TABLE identity_map AS SELECT * FROM (VALUES ('twin', 'twin'), ('t2', 'twin'), "
        "('a', 'a')) AS v(source_customer_id, customer_id)"
    )
    found = trials(con, at(30))
    assert found.rows["customer_id"].tolist() == ["a", "b"]
    assert found.left_out == {
        "campaign_open": 2,
        "several_accounts": 1,
        "both_arms": 1,
        "unknown_probability": 1,
        "several_probabilities": 1,
        "certain": 2,
    }
    assert found.in_words().startswith(
        "1 campaigns were assigned at random: 1 contacts and 1 withheld, of 2 customers. Left "
        "out: 2: the campaign does not lie wholly in the data"
    )


def test_nobody_assigned_at_random() -> None:
    unknown = trials(market([("a", "now", at(0), None)], []), at(30))
    assert unknown.rows.empty
    assert unknown.in_words() == (
        "What a contact changes is not available: nobody was assigned at random. Left out: 1: the "
        "probability of being contacted is not known."
    )
    con = market([("a", "now", at(0), 0.5)], [])
    assert trials(con, at(30)).rows.empty  # nobody was withheld
    con.execute("DROP TABLE controls")
    none = trials(con, at(30))
    assert none.rows.empty
    assert none.in_words() == (
        "What a contact changes is not available: nobody was assigned at random."
    )


def test_everybody_is_reachable_by_what_runs() -> None:
    con = market([], [], [("a", at(-1), 100, "soup"), ("late", at(26), 100, "soup")])
    pairs = reachable(con, at(26))
    assert pairs[["customer_id", "campaign_id"]].values.tolist() == [["a", "open"]]
    assert with_contact(con, pairs)["channel_app"].tolist() == [1.0]


def campaigns(*starts: int, days: int = 5) -> pd.DataFrame:
    first = pd.to_datetime([at(day) for day in starts])
    return pd.DataFrame(
        {
            "customer_id": "a",
            "campaign_id": [f"k{i}" for i in range(len(starts))],
            "as_of": first,
            "ends_on": first + pd.Timedelta(days=days),
        }
    )


def test_the_split_follows_time() -> None:
    parts = split_by_time(campaigns(0, 10, 20, 30, 40, 50), 2, 1)
    assert [part["campaign_id"].tolist() for part in parts] == [
        ["k0", "k1", "k2"],
        ["k3", "k4"],
        ["k5"],
    ]


def test_a_campaign_that_runs_into_the_next_part_teaches_nothing() -> None:
    train, chosen_on, tested_on = split_by_time(campaigns(0, 10, 16, 20, 29, 30, days=5), 2, 1)
    assert train["campaign_id"].tolist() == ["k0", "k1"]
    assert chosen_on["campaign_id"].tolist() == ["k3"]
    assert tested_on["campaign_id"].tolist() == ["k5"]


def test_too_few_campaigns_say_so() -> None:
    with pytest.raises(NotAvailableError, match="3 campaigns were assigned at random, and 4 are"):
        split_by_time(campaigns(0, 10, 20), 2, 1)
    with pytest.raises(NotAvailableError, match="no campaign was over when"):
        split_by_time(campaigns(0, 1, 2, 3, days=np.int64(50)), 2, 1)
