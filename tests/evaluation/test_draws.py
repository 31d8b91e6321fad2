import numpy as np
import pandas as pd
import pytest
from evaluation.logs import drawn, two_actions

from mkt_models.evaluation.decision_log import read_log
from mkt_models.evaluation.draws import action_table, group_table, untrue
from mkt_models.evaluation.support import support_table


def test_probabilities_that_are_not_those_of_the_draw_are_found_out() -> None:
    log, actions = drawn(3000)
    assert support_table(log, actions, ["even"], 0.95)["judged"].all()
    wrong = actions.assign(logged_probability=1 / 3)
    row = support_table(log.assign(probability=1 / 3), wrong, ["new"], 0.95).iloc[0]
    assert not row["judged"]
    assert "they are not those of the draw" in row["note"]
    assert "记录的概率并非抽取时的概率" in row["note_zh"]


def test_a_draw_that_holds_for_all_decisions_of_a_customer_is_one_draw() -> None:
    # 40 customers, 28 of them held out once for all: by decision that would be z = 8.
    rows = [(f"c{i}", "x" if i < 28 else "y", 0.5, 0.5, 0.0) for i in range(40) for _ in range(10)]
    log, actions = two_actions(rows)
    assert abs(action_table(log, actions, ["new"])["z"]).max() == pytest.approx(
        80 / np.sqrt(40 * 25)
    )
    assert untrue(read_log(log, actions, ["new"])) is None


def test_moments_that_an_earlier_draw_has_brought_about_are_no_contradiction() -> None:
    """A holdout for good: who is served meets caps, so that x is likelier for who is left alone."""
    rng = np.random.default_rng(5)
    log, actions = [], []
    for i in range(1000):
        held = i % 2 == 0
        p = 0.9 if held else 0.3  # of x, within the arm that is served
        done = "nothing" if held else "x" if rng.random() < p else "y"
        share = {"x": p, "y": 1 - p}
        log.append((str(i), f"c{i}", done, 0.5 if held else 0.5 * share[done], 0.0))
        within = {"x": (1 - held) * p, "y": (1 - held) * (1 - p), "nothing": float(held)}
        both = {"x": 0.5 * p, "y": 0.5 * (1 - p), "nothing": 0.5}
        actions += [(str(i), a, both[a], within[a], 1 / 3) for a in both]
    names = ["decision_id", "customer_id", "action", "probability", "reward"]
    told = ["decision_id", "action", "logged_probability", "drawn_probability", "new"]
    table, of_arm = pd.DataFrame(log, columns=names), pd.DataFrame(actions, columns=told)
    assert untrue(read_log(table, of_arm.drop(columns="drawn_probability"), ["new"])) is not None
    assert untrue(read_log(table, of_arm, ["new"])) is None
    # What is wrong within the arm is found all the same.
    swap = {"x": "y", "y": "x", "nothing": "nothing"}
    wrong = of_arm.assign(action=of_arm["action"].map(swap))
    right = table.assign(
        probability=table.merge(wrong, on=["decision_id", "action"])["logged_probability"]
    )
    assert untrue(read_log(right, wrong, ["new"])) is not None


def test_actions_are_counted_beside_their_probabilities() -> None:
    log, actions = two_actions(
        [("A", "x", 0.5, 1.0, 2.0), ("B", "y", 0.8, 0.5, 1.0), ("C", "x", 0.25, 0.0, 3.0)]
    )
    table = action_table(log, actions, ["new"]).set_index("action")
    assert table.loc["x", ["n", "possible"]].tolist() == [2, 3]
    assert table.loc["x", "expected"] == pytest.approx(1.55)
    # Gaps of the three customers: 0.5, -0.8, 0.75.
    assert table.loc["x", "z"] == pytest.approx(0.45 / np.sqrt(0.25 + 0.64 + 0.5625))
    assert table.loc["x", "mean_reward"] == pytest.approx(2.5)
    assert table["new"].tolist() == pytest.approx([0.5, 0.5])
    unknown = action_table(log, actions.drop(columns="logged_probability"), ["new"])
    assert unknown[["expected", "z"]].isna().all(axis=None)


def swapped(logged, truth, n=4000):
    """Two actions; by turns of decisions the logged and the true probability of x."""
    rng = np.random.default_rng(3)
    rows, turns = [], np.arange(n) % 2
    for i, turn in enumerate(turns):
        x = rng.random() < truth[turn]
        rows.append((f"c{i}", "x" if x else "y", logged[turn], 0.5, 0.0))
    log, actions = two_actions(rows)
    return log.assign(week=np.where(turns == 0, "even", None)), actions


def test_shares_that_even_out_over_all_are_found_out_within_bands_of_probability() -> None:
    log, actions = swapped((0.8, 0.2), (0.2, 0.8))
    assert abs(action_table(log, actions, ["new"])["z"]).max() < 4
    found = untrue(read_log(log, actions, ["new"]))
    assert found is not None
    assert "within a band of its probability" in found[0]
    sound = swapped((0.8, 0.2), (0.8, 0.2))
    assert untrue(read_log(*sound, ["new"])) is None


def test_shares_that_even_out_within_bands_are_found_out_within_groups() -> None:
    log, actions = swapped((0.5, 0.5), (0.2, 0.8))
    assert untrue(read_log(log, actions, ["new"])) is None  # the limit that the page names
    found = group_table(log, actions, ["new"], "week")
    assert found["contradicts"].all()
    assert set(found["group"]) == {"even", "not available"}
    sound = group_table(*swapped((0.5, 0.5), (0.5, 0.5)), ["new"], "week")
    assert not sound["contradicts"].any()
    assert sound["n"].sum() == 4000
    with pytest.raises(ValueError, match="no column 'season'"):
        group_table(log, actions, ["new"], "season")
