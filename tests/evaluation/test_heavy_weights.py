import numpy as np
import pytest
from evaluation.logs import drawn, two_actions

from mkt_models.evaluation.decision_log import read_log
from mkt_models.evaluation.heavy_weights import expected_different
from mkt_models.evaluation.off_policy import Estimator, off_policy_table
from mkt_models.evaluation.off_policy_verdict import verdict


def test_by_hand() -> None:
    log, actions = two_actions(
        [
            ("A", "x", 0.5, 1.0, 1.0),  # v 2 with chance 0.5, else 0
            ("B", "y", 0.5, 0.5, 0.0),  # v 1 for sure
            ("C", "x", 0.8, 0.8, 0.0),  # v 1 for sure
            ("D", "x", 0.5, 0.5, 0.0),  # v 1 for sure
        ]
    )
    read = read_log(log, actions, ["new"])
    # expected: squares 2 + 3, fourth powers 8 + 3; as drawn: 4 + 3, 16 + 3; one reward in four
    assert 25 / 11 < 49 / 19
    assert expected_different(read, "new", "", 0.0) == pytest.approx(25 / 11 / 4)
    # of the difference to the log: 1 or -1 for A, nothing of the others
    assert expected_different(read, "new", "logged", 0.0) == pytest.approx(1 / 4)


def test_what_was_drawn_is_taken_where_the_rest_is_not_on_record() -> None:
    log, actions = two_actions([("A", "x", 0.5, 1.0, 1.0), ("B", "y", 0.5, 0.5, 0.0)])
    read = read_log(log, actions.drop(columns="logged_probability"), ["new"])
    # weights 2 and 1: 25 / 17 decisions
    assert expected_different(read, "new", "", 0.0) == pytest.approx(25 / 17 / 2)


def test_the_same_policy_differs_in_nothing() -> None:
    log, actions = drawn(600)
    actions["logged_too"], actions["twin"] = actions["logged_probability"], actions["new"]
    read = read_log(log, actions, ["new", "twin", "logged_too"])
    assert expected_different(read, "logged_too", "logged", 0.01) == np.inf
    assert expected_different(read, "twin", "new", 0.01) == np.inf


def rarely_otherwise(otherwise: int, n: int = 6000) -> tuple:  # type: ignore[type-arg]
    """A log that does y once in a hundred, and a policy that wants it of every so many."""
    rng = np.random.default_rng(3)
    took = np.where(rng.random(n) < 0.99, "x", "y")
    bought = rng.random(n) < 0.05
    return two_actions(
        [
            (f"c{i}", took[i], 0.99, 0.0 if i % otherwise == 0 else 1.0, float(bought[i]))
            for i in range(n)
        ]
    )


def test_many_effective_decisions_do_not_hide_the_few_heavy_ones() -> None:
    log, actions = rarely_otherwise(12)  # 500 want y, which some five got: weight 100
    table = off_policy_table(log, actions, ["new"], 0.95)
    row = table[table["estimator"] == "snips"].iloc[0]
    assert row["effective_customers"] > 100
    assert row["largest_share"] < 0.05
    assert not row["judged"]
    assert "behind its heavy weights only 0." in row["note"]
    assert "(needs 10)" in row["note"]
    assert "至少需要 10" in row["note_zh"]
    # One in a thousand is left out, as so much may lack support.
    log, actions = rarely_otherwise(1000)
    assert off_policy_table(log, actions, ["new"], 0.95)["judged"].all()


def test_a_value_may_be_told_where_a_difference_cannot() -> None:
    log, actions = rarely_otherwise(1000)
    table = off_policy_table(log, actions, ["new"], 0.95, reference="logged")
    row = table[table["estimator"] == "snips"].iloc[0]
    assert row["value_lower"] < row["value"] < row["value_upper"]
    assert np.isnan(row[["difference", "difference_lower", "difference_upper"]].astype(float)).all()
    said = verdict(table, "new", Estimator.SNIPS, "logged")
    assert said.better is None
    assert said.en[-1].startswith("Not compared: behind what it does otherwise than the reference")
    assert said.zh[-1].startswith("未比较：")
