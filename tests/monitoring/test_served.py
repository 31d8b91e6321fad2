"""What a service did, counted by hand."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from mkt_models.monitoring import served

DAY = pd.Timestamp("2018-01-02")
UNTIL = datetime(2018, 1, 9, tzinfo=UTC)
AT = pd.Timestamp("2018-01-02 10:00", tz="UTC")


def decisions(*rows: tuple[str, int, str, tuple[str, ...]]) -> pd.DataFrame:
    """Rows: customer, day, strategy, reasons; the default is called ``popular``."""
    return pd.DataFrame(
        [
            {
                "customer_id": customer,
                "at": AT + pd.Timedelta(days=day),
                "day": DAY + pd.Timedelta(days=day),
                "arm": "holdout" if customer == "h" else "treatment",
                "strategy": strategy,
                "channel": None if strategy == "no_action" else "app",
                "is_default": strategy == "popular",
                "explored": False,
                "stale": customer == "old",
                "with_offer": strategy == "coupon",
                "reasons": reasons,
            }
            for customer, day, strategy, reasons in rows
        ]
    )


ASKED = decisions(
    ("a", 0, "coupon", ("outranked",)),
    ("a", 1, "no_action", ("cap_customer", "outranked")),
    ("h", 0, "no_action", ("holdout",)),
    ("old", 0, "popular", ()),
)


def contact(customer: str, status: str, hours: float = 0, **parts: object) -> dict[str, object]:
    sent = AT + pd.Timedelta(hours=hours)
    row = {
        "customer_id": customer,
        "decision_id": "d",
        "strategy": "coupon",
        "channel": "email",
        "push": True,
        "status": status,
        "within_policy": True if status == "sent" else pd.NA,
        "sent_on": sent,
        "until": pd.NaT if status == "sent" else sent + pd.Timedelta(hours=24),
        "day": sent.tz_localize(None).normalize(),
        "cost": 0.5,
    }
    return {**row, **parts}


def contacts(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype({"within_policy": "boolean", "push": "bool"})


def test_every_decision_of_a_day_is_a_strategy_a_default_or_no_action() -> None:
    table = served.decisions_by_day(ASKED).set_index("day")
    names = ["decisions", "customers", "strategies", "defaults", "no_action", "held_out", "stale"]
    assert table.loc[DAY, names].tolist() == [3, 3, 1, 1, 1, 1, 1]
    assert table.loc[DAY + pd.Timedelta(days=1), names].tolist() == [1, 1, 0, 0, 1, 0, 0]


def test_shares_are_of_customers_by_their_last_answer() -> None:
    table = served.decisions_by_strategy(ASKED, 0.95).set_index("strategy")
    assert table["decisions"].to_dict() == {"no_action": 2, "coupon": 1, "popular": 1}
    assert table.loc["no_action", ["customers", "n"]].tolist() == [2, 3]
    assert table["share"].to_dict() == pytest.approx(
        {"no_action": 2 / 3, "coupon": 0, "popular": 1 / 3}
    )
    # Wilson's interval of 2 of 3
    assert table.loc["no_action", "share_lower"] == pytest.approx(0.2077, abs=1e-4)
    reasons = served.suppressions(ASKED, 0.95).set_index("reason")
    assert reasons["decisions"].to_dict() == {"outranked": 2, "cap_customer": 1, "holdout": 1}
    assert reasons["customers"].to_dict() == {"outranked": 1, "cap_customer": 1, "holdout": 1}
    assert served.reason_counts(ASKED) == ({"cap_customer": 1, "outranked": 1, "holdout": 1}, 3)
    assert served.strategy_counts(ASKED) == ({"no_action": 2, "popular": 1}, 3)


def test_what_nobody_reports_on_is_open_until_its_time_is_over() -> None:
    table = contacts(
        contact("a", "sent"),
        contact("b", "sent", within_policy=False),
        contact("c", "not_sent"),
        contact("d", "withdrawn"),
        contact("d", "recalled"),
        contact("e", "planned"),
        contact("f", "sending", hours=24 * 6 + 1),
        contact("g", "sent", decision_id=None, strategy=None, cost=None),
    )
    states = served.contact_states(table, UNTIL).tolist()
    assert states == [
        "sent",
        "sent",
        "not_sent",
        "withdrawn",
        "withdrawn",
        "unreported",
        "open",
        "sent",
    ]
    told = served.contacts_by(table, UNTIL, ["strategy", "channel"]).set_index("strategy")
    names = ["planned", "sent", "not_sent", "withdrawn", "unreported", "open", "beyond_policy"]
    assert told.loc["coupon", names].tolist() == [7, 2, 1, 2, 1, 1, 1]
    assert told.loc["coupon", "cost"] == 1.0
    assert told.loc["other", [*names, "unpriced"]].tolist() == [1, 1, 0, 0, 0, 0, 0, 1]


def test_a_young_service_has_no_contacts_and_no_outcomes() -> None:
    none = contacts(contact("a", "sent")).iloc[:0]
    told = served.contacts_by(none, UNTIL, ["day"])
    full = served.contacts_by(contacts(contact("a", "planned")), UNTIL, ["day"])
    assert told.empty
    assert list(told.columns) == list(full.columns)
    nothing = pd.DataFrame(columns=["customer_id", "kind", "amount"])
    assert served.outcomes_by_kind(nothing).empty
    assert served.without_small_cells(told, 5).empty


def test_windows_of_caps_are_in_elapsed_time() -> None:
    table = contacts(
        contact("a", "sent"),
        contact("a", "sent", hours=23),  # the next day, and within 24 hours
        contact("b", "sent"),
        contact("b", "sent", hours=24),
        contact("c", "sent", channel="app", push=False),
    )
    caps = [("push", None, 1, 1), ("channel", "app", 1, 3), ("strategy", "none", 7, 1)]
    told = served.cap_uses(table, caps).set_index("cap")
    names = ["contacts", "customers", "at_cap", "beyond", "highest"]
    assert told.loc["all push channels", names].tolist() == [4, 2, 1, 1, 2]
    assert told.loc["channel app", names].tolist() == [1, 1, 0, 0, 1]
    assert told.loc["strategy none", names].tolist() == [0, 0, 0, 0, 0]


def test_who_is_reached_is_counted_by_customer() -> None:
    made = contacts(contact("a", "sent"), contact("h", "planned"), contact("z", "sent"))
    rows = served.reach_rows(ASKED, made).set_index("customer_id")
    assert rows["contacted"].to_dict() == {"a": 1.0, "h": 0.0, "old": 0.0}
    assert rows["offered"].to_dict() == {"a": 1.0, "h": 0.0, "old": 0.0}


def test_outcomes_and_budgets_are_summed() -> None:
    rows = [("a", "purchase", 5.0), ("a", "purchase", 2.5), ("b", "click", None)]
    told = served.outcomes_by_kind(pd.DataFrame(rows, columns=["customer_id", "kind", "amount"]))
    assert told.set_index("outcome")[["outcomes", "customers", "amount"]].values.tolist() == [
        [2, 1, 7.5],
        [1, 1, 0.0],
    ]
    row = {"budget": "coupons", "starts_on": "2018-01-01", "ends_on": "2018-01-08", "amount": 30.0}
    row |= {"used": 15.0, "sent": 14.0, "reserved": 1.0, "sent_without_leave": 0.0, "left": 15.0}
    row |= {"contacts": {"sent": 14, "reserved": 1, "given_back": 3}}
    assert served.budget_table([row])["contacts"].tolist() == [15]
    assert served.budget_table([row])["share"].tolist() == [0.5]
    assert served.budget_table([{**row, "amount": 0.0}])["share"].isna().all()
    assert served.budget_table([]).empty


def test_figures_of_few_customers_are_hidden() -> None:
    table = pd.DataFrame(
        {
            "reason": ["many", "few", "none"],
            "customers": [80, 4, 0],
            "decisions": [90, 9, 0],
            "share": [0.02, 0.04, 0.0],
            "n": 100,
        }
    )
    told = served.without_small_cells(table, 5)
    assert told["customers"].tolist() == [80, pd.NA, 0]
    assert told["decisions"].tolist() == [90, pd.NA, 0]
    assert told["share"].isna().tolist() == [True, True, False]  # 2 of 100 are few themselves
    assert told["n"].tolist() == [100] * 3
    pd.testing.assert_frame_equal(served.without_small_cells(table, 1), table)
    names = [
        f"{part}{end}" for part in ("before", "now", "change") for end in ("", "_lower", "_upper")
    ]
    changes = pd.DataFrame({name: [0.5, 0.5] for name in names})
    changes.loc[1, "before"] = 0.02
    hidden = served.without_small_shares(changes.assign(n=100, n_before=100), 5)
    assert hidden[names].isna().all(axis=1).tolist() == [False, True]


def test_the_last_answer_is_the_latest() -> None:
    shuffled = ASKED.iloc[[1, 0, 2, 3]]
    last = served.last_answers(shuffled).set_index("customer_id")
    assert last.loc["a", "strategy"] == "no_action"
    assert timedelta(days=1) == last.loc["a", "at"] - AT
