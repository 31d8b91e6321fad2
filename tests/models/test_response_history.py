from math import log

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.assignments import at, market
from models.tables import set_purchases

from mkt_models.models.response_history import RESPONSE_HISTORY, with_response_history
from mkt_models.profiles.features import prepare_orders


def asked(*customers: str, campaign: str = "now", channel: str | None = "app") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": customers,
            "campaign_id": campaign,
            "channel": channel,
            "as_of": pd.Timestamp(at(0)),
        }
    )


def test_orders_in_days_of_contacts_are_held_against_the_other_days() -> None:
    con = market(
        [("a", "past", at(-60), 0.5)],
        [],
        [
            ("a", at(-100), 100, "soup"),
            ("a", at(-55), 100, "soup"),
            ("a", at(-30), 100, "soup"),
            ("a", at(0), 100, "soup"),  # the day itself is not known yet
            ("b", at(-50), 100, "tea"),
        ],
    )
    rows = with_response_history(con, asked("a", "b", "nobody")).set_index("customer_id")
    assert (rows[list(RESPONSE_HISTORY)].dtypes == "float64").all()
    everybody = 3 / (89 + 50)  # orders on days without contacts
    expected = 11 * 3 / (89 + 1 / everybody)
    assert rows.loc["a", "orders_expected_in_contacts"] == pytest.approx(expected)
    assert rows.loc["a", "lift_in_contacts"] == pytest.approx(log(2 / (expected + 1)))
    assert rows.loc["a", "lift_over_channel"] == rows.loc["a", "lift_in_contacts"]
    assert rows.loc[["b", "nobody"], "orders_expected_in_contacts"].tolist() == [0, 0]
    assert rows.loc[["b", "nobody"], "lift_in_contacts"].isna().all()
    other = with_response_history(con, asked("a", channel="email"))
    assert other["lift_over_channel"].isna().all()
    assert other["lift_in_contacts"].notna().all()


def test_a_day_of_two_contacts_counts_once_and_a_running_campaign_tells_nothing_yet() -> None:
    con = market(
        [("a", "first", at(-9), 0.5), ("a", "second", at(-5), 0.5), ("a", "within", at(-8), 0.5)],
        [],
        [
            ("a", at(-20), 100, "soup"),
            ("a", at(-4), 100, "soup"),
            ("a", at(-1), 100, "soup"),
            ("a", at(1), 100, "soup"),
        ],
    )
    con.executemany(
        "INSERT INTO campaigns (campaign_id, channel, starts_on, ends_on) VALUES (?, ?, ?, ?)",
        [
            ("first", "app", at(-9), at(-3)),
            ("second", "mail", at(-5), at(3)),
            ("within", "sms", at(-8), at(-7)),
        ],
    )
    con.execute("UPDATE exposures SET channel = NULL")  # that of the campaign stands for it
    rows = with_response_history(con, asked("a"))
    # 7 days of the first, 2 of the second alone, which runs; 1 order on the 11 other days
    expected = 7 * 2 / (11 + 11)
    assert rows["orders_expected_in_contacts"].tolist() == [pytest.approx(expected)]
    assert rows["lift_in_contacts"].tolist() == [pytest.approx(log(2 / (expected + 1)))]
    assert rows["lift_over_channel"].tolist() == rows["lift_in_contacts"].tolist()
    for channel in ("mail", "sms"):  # one runs; the other's days were the first one's already
        assert (
            with_response_history(con, asked("a", channel=channel))["lift_over_channel"]
            .isna()
            .all()
        )


def test_the_contact_that_is_weighed_does_not_count_itself() -> None:
    days = [("a", at(-100), 100, "soup"), ("a", at(1), 100, "soup"), ("a", at(2), 100, "soup")]
    con = market([("a", "now", at(0), 0.5)], [], days)
    midway = asked("a").assign(as_of=pd.Timestamp(at(5)))
    rows = with_response_history(con, midway)
    assert rows["lift_in_contacts"].isna().all()
    assert rows["orders_expected_in_contacts"].tolist() == [0.0]


def test_without_channels_on_record_the_contacts_count_all_the_same() -> None:
    con = market(
        [("a", "past", at(-60), 0.5)],
        [],
        [("a", at(-100), 100, "soup"), ("a", at(-55), 100, "soup")],
    )
    con.execute("UPDATE exposures SET channel = NULL")
    con.execute("UPDATE campaigns SET channel = NULL")
    rows = with_response_history(con, asked("a", channel=None))
    expected = 11 * 2 / (89 + 89)
    assert rows["lift_in_contacts"].tolist() == [pytest.approx(log(2 / (expected + 1)))]
    assert rows["lift_over_channel"].isna().all()


def test_days_of_contacts_before_the_first_order_are_none() -> None:
    bought = [("a", at(day), 100, "soup") for day in range(-45, 0, 5)]
    con = market([("a", "past", at(-60), 0.5)], [], bought)  # until day -50
    rows = with_response_history(con, asked("a"))
    assert rows["orders_expected_in_contacts"].tolist() == [0.0]
    assert rows["lift_in_contacts"].isna().all()


def test_no_rows_have_no_history() -> None:
    con = market([], [])
    none = with_response_history(con, asked())
    assert none.empty
    assert set(RESPONSE_HISTORY) <= set(none)


def test_a_contact_in_the_middle_of_a_campaign_counts_from_its_day() -> None:
    con = market([("a", "past", at(-52), 0.5)], [], [("a", at(-100), 100, "soup")])
    rows = with_response_history(con, asked("a"))
    assert rows["orders_expected_in_contacts"].tolist() == [pytest.approx(3 * 2 / (97 + 97))]


def test_withdrawals_of_marketing_before_the_day() -> None:
    con = market([("a", "past", at(-60), 0.5)], [])
    assert with_response_history(con, asked("a"))["withdrawals_ever"].tolist() == [0.0]
    con.execute(
        "CREATE TABLE consents (customer_id VARCHAR, purpose VARCHAR, channel VARCHAR, "
        "status VARCHAR, changed_on DATE)"
    )
    con.executemany(
        "INSERT INTO consents VALUES (?, ?, ?, ?, ?)",
        [
            ("a", "marketing", "sms", "revoked", at(-30)),
            ("a", "marketing", "app", "revoked", at(-10)),
            ("a", "marketing", "mail", "revoked", at(0)),
            ("a", "service", "mail", "revoked", at(-5)),
            ("b", "marketing", "mail", "refused", at(-5)),
        ],
    )
    rows = with_response_history(con, asked("a", "b")).set_index("customer_id")
    assert rows["withdrawals_ever"].to_dict() == {"a": 2.0, "b": 0.0}
    assert rows.loc["a", "days_since_withdrawal"] == 10
    assert pd.isna(rows.loc["b", "days_since_withdrawal"])


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(-90, 20)), min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20)), max_size=6),
)
def test_nothing_of_the_day_or_later_is_looked_at(
    bought: list[tuple[str, int]], later: list[tuple[str, int]]
) -> None:
    con = market([("a", "past", at(-60), 0.5), ("b", "now", at(0), 0.5)], [])
    found = []
    for days in (bought, [*bought, *later]):
        set_purchases(con, [(who, at(day), 100, "soup") for who, day in days])
        prepare_orders(con)
        found.append(with_response_history(con, asked("a", "b")))
    pd.testing.assert_frame_equal(*found)
