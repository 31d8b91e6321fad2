"""What tables on a service give away of few customers, by hand: hidden in all of them."""

import pandas as pd
import pytest
from subtraction import found_by_subtraction
from test_published import Tables

from mkt_models.budget_params import Budget
from mkt_models.monitoring.served import without_small_cells
from mkt_models.served_hidden import hide, readable

SENT = {"recommended": 280, "tier": 181, "open_promotion": 19, "own_promotion": 3, "holiday": 15}
COUPONS = Budget(id="coupons", resource="coupons", amount=30.0)


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    """Contacts of one channel; own_promotion has 3, and is all that else draws on coupons."""
    contacts = pd.DataFrame({"strategy": list(SENT), "channel": "app"})
    for name in ("planned", "customers", "sent"):
        contacts[name] = list(SENT.values())
    rows = [("channel app", 498, 170), *((f"strategy {one}", n, n) for one, n in SENT.items())]
    caps = pd.DataFrame(rows, columns=["cap", "contacts", "customers"])
    caps = caps.assign(days=7, most=2, at_cap=[2, 9, 0, 0, 0, 0], beyond=0)
    budgets = pd.DataFrame({"budget": "coupons", "starts_on": ["15", "08", "01"], "amount": 30.0})
    budgets["contacts"] = [1, 10, 11]
    for name in ("used", "sent"):
        budgets[name] = [1.0, 10.0, 11.0]
    budgets = budgets.assign(reserved=0.0, sent_without_leave=0.0, share=budgets["used"] / 30)
    return {"contacts": contacts, "caps": caps, "budgets": budgets}


@pytest.fixture
def log() -> pd.DataFrame:
    rows = [
        (one, "app", 1 if one.endswith("promotion") else None) for one, n in SENT.items() if n > 0
    ]
    return pd.DataFrame(rows, columns=["strategy", "channel", "offer_id"])


def found(tables: dict[str, pd.DataFrame]) -> list[str]:
    keys = {"contacts": ["strategy", "channel"], "caps": ["cap", "days", "most"]}
    keys |= {"budgets": ["budget", "starts_on"]}
    page = " ".join(
        readable(tables[name], 5).set_index(key).to_html() for name, key in keys.items()
    )
    return found_by_subtraction(Tables(page).tables, 5)


def test_the_page_as_it_was_tells_three_customers(tables: dict[str, pd.DataFrame]) -> None:
    bare = tables | {name: without_small_cells(tables[name], 5) for name in ("contacts", "caps")}
    first, second = found(bare)
    assert first.startswith("channel app leaves 3 for what is hidden of recommended")
    assert second == "coupons leaves 3 for what is hidden of open_promotion, own_promotion"


def test_what_a_channel_or_a_budget_would_leave_is_hidden_in_all_tables(
    tables: dict[str, pd.DataFrame], log: pd.DataFrame
) -> None:
    out = hide(tables, log, [COUPONS], 5)
    assert found(out) == []
    contacts = readable(out["contacts"], 5).set_index("strategy")["sent"]
    # The channel would be closed by the next smallest, of 15; coupons by the other that draws.
    assert contacts.to_dict() == {
        "recommended": 280,
        "tier": 181,
        "open_promotion": "…",
        "own_promotion": "…",
        "holiday": "…",
    }
    customers = readable(out["contacts"], 5).set_index("strategy")["customers"]
    assert customers["own_promotion"] == "< 5"
    assert customers["open_promotion"] == "…"
    at_cap = readable(out["caps"], 5).set_index("cap")["at_cap"]
    assert [at_cap["channel app"], at_cap["strategy recommended"]] == ["< 5", 9]
    caps = readable(out["caps"], 5).set_index("cap")["contacts"]
    assert caps["channel app"] == 498
    gone = ("own_promotion", "open_promotion", "holiday")
    assert {caps[f"strategy {one}"] for one in gone} == {"…"}
    assert readable(out["budgets"], 5)["used"].tolist() == ["…", "…", 11.0]
    assert readable(out["budgets"], 5)["contacts"].tolist() == ["< 5", "…", 11]
    assert readable(out["budgets"], 5)["amount"].tolist() == [30.0] * 3


def test_a_budget_that_only_one_hidden_strategy_draws_on_is_hidden(
    tables: dict[str, pd.DataFrame], log: pd.DataFrame
) -> None:
    mine = COUPONS.model_copy(update={"strategies": ("own_promotion",)})
    assert readable(hide(tables, log, [mine], 5)["budgets"], 5)["used"].tolist() == ["…"] * 3


def test_without_few_customers_all_is_told(
    tables: dict[str, pd.DataFrame], log: pd.DataFrame
) -> None:
    out = hide(tables, log, [COUPONS], 1)
    assert all("hidden" not in table for table in out.values())
    assert out["contacts"]["sent"].tolist() == list(SENT.values())


def test_shares_that_add_up_to_all_customers_leave_no_single_one_out() -> None:
    shares = pd.DataFrame(
        {
            "strategy": list("abc"),
            "customers": [80, 40, 30],
            "decisions": [90, 50, 40],
            "share": [0.7, 0.27, 0.03],
            "share_lower": 0.0,
            "share_upper": 1.0,
            "n": 100,
        }
    )
    empty = pd.DataFrame(columns=["strategy", "channel", "customers", "cap"])
    tables = {"strategies": shares, "contacts": empty, "caps": empty}
    out = hide(tables, pd.DataFrame(columns=["strategy", "channel", "offer_id"]), [], 5)
    assert out["strategies"]["share"].isna().tolist() == [False, True, True]
    assert out["strategies"]["decisions"].tolist() == [90, 50, 40]
