"""Decisions as tables, and whom to show."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.decisions.outcome_tables import (
    best_strategies,
    chosen_table,
    showcase,
    suppression_table,
)


def answer(customer: str, *chosen: tuple[str, float], lost: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "strategies": [
            {
                "rank": rank,
                "strategy": strategy,
                "channel": None if strategy == "no_action" else "app",
                "worth": worth,
                "worth_kind": "propensity_weighted",
                "arm": "treatment",
                "title": {"en": strategy.title(), "zh": "标题"},
            }
            for rank, (strategy, worth) in enumerate(chosen, start=1)
        ],
        "suppressed": [
            {"candidate": f"x{i}", "code": code, "en": f"{code} {i}"} for i, code in enumerate(lost)
        ],
    }


QUIET = ("no_action", 0.0)
ANSWERS = [
    answer("1", ("tier", 4.0), ("coupon", 2.0), ("items", 1.0), lost=("beyond_k",)),
    answer("2", ("tier", 9.0), ("coupon", 2.0), ("items", 1.0), lost=("beyond_k", "beyond_k")),
    answer("3", ("tier", 5.0), ("items", 1.0), ("coupon", 0.5), lost=("not_eligible",)),
    answer("4", ("tier", 5.0), lost=("not_eligible", "beyond_k")),
    answer("5", ("coupon", 3.0), ("items", 1.0)),
    answer("6", ("popular", 0.1)),
    answer("7", QUIET, lost=("holdout",)),
    answer("8", QUIET, lost=("holdout", "holdout")),
]


def test_one_row_per_customer_and_rank() -> None:
    table = chosen_table(ANSWERS)
    assert len(table) == 3 + 3 + 3 + 1 + 2 + 1 + 1 + 1
    assert table.iloc[1].to_dict() == {
        "customer_id": "1",
        "rank": 2,
        "strategy": "coupon",
        "channel": "app",
        "worth": 2.0,
        "worth_kind": "propensity_weighted",
        "arm": "treatment",
        "title": "Coupon",
    }


def test_best_strategies_count_first_ranks() -> None:
    table = best_strategies(ANSWERS).set_index("strategy")
    assert table["customers"].to_dict() == {"tier": 4, "no_action": 2, "coupon": 1, "popular": 1}
    assert table.index[0] == "tier"
    assert table.loc["tier", "mean_worth"] == pytest.approx(5.75)


def test_each_candidate_that_lost_is_counted_under_its_reason() -> None:
    rows = suppression_table(ANSWERS).to_dict("records")
    assert sorted((r["reason"], r["candidates"], r["customers"], r["example"]) for r in rows) == [
        ("beyond_k", 4, 3, "beyond_k 0"),
        ("holdout", 3, 2, "holdout 0"),
        ("not_eligible", 2, 2, "not_eligible 0"),
    ]
    assert suppression_table([answer("1", QUIET)]).empty


def test_rich_answers_with_different_first_choices_are_shown_first() -> None:
    # Three of the tier's customers have three strategies; the middling worth of these is 5.
    assert showcase(ANSWERS, 3) == ["3", "5", "6"]
    # Then the tier's turn again (4 is nearer to 5 than 9 is), and the quiet ones at the end.
    assert showcase(ANSWERS, 8) == ["3", "5", "6", "1", "2", "4", "7", "8"]
    assert showcase(ANSWERS[6:], 3) == ["7", "8"]


@given(st.integers(0, 10), st.randoms())
def test_whom_to_show_does_not_depend_on_the_order(n: int, rng: random.Random) -> None:
    mixed = list(ANSWERS)
    rng.shuffle(mixed)
    assert showcase(mixed, n) == showcase(ANSWERS, n)
    assert len(set(showcase(mixed, n))) == min(n, len(ANSWERS))
