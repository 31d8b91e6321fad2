import numpy as np
import pytest
from evaluation.logs import drawn, two_actions

from mkt_models.evaluation.support import Needs, action_table, support_table

LENIENT = Needs(min_effective=0, max_largest_share=1, max_unsupported=1, min_different=0)


def test_effective_size_and_largest_share_by_hand() -> None:
    log, actions = two_actions(
        [
            ("A", "x", 0.5, 1.0, 0.0),  # weight 2
            ("A", "y", 0.5, 0.5, 1.0),  # 1
            ("B", "x", 0.25, 0.25, 1.0),  # 1
            ("B", "y", 0.5, 1.0, 0.0),  # 0
        ]
    )
    row = support_table(log, actions, ["new"], 0.95, LENIENT).iloc[0]
    assert row["effective_n"] == pytest.approx(16 / 6)
    assert row["effective_customers"] == pytest.approx(16 / 10)  # sums of weights 3 and 1
    assert row["largest_share"] == pytest.approx(0.5)
    assert row["mean_weight"] == pytest.approx(1.0)
    assert (row["unsupported"], row["recorded"]) == (0.0, 1.0)
    assert row["judged"]


def test_equal_weights_count_in_full() -> None:
    log, actions = drawn(600)
    actions["logged_too"] = actions["logged_probability"]
    row = support_table(log, actions, ["logged_too"], 0.95).iloc[0]
    assert row["effective_n"] == pytest.approx(600)
    assert row["judged"]


@pytest.mark.parametrize("on_record", [True, False])
def test_a_log_without_chance_supports_nothing_else(on_record: bool) -> None:
    log, actions = two_actions(
        [(f"c{i}", "x", 1.0, 1.0 if i % 4 else 0.0, float(i % 3 == 0)) for i in range(800)]
    )
    if not on_record:
        actions = actions.drop(columns="logged_probability")
    row = support_table(log, actions, ["new"], 0.95).iloc[0]
    assert row["unsupported"] == pytest.approx(0.25)
    assert not row["judged"]
    assert "25.0% of its probability is on actions that the log could not take" in row["note"]
    assert "25.0% 的概率落在日志不可能采取的动作上" in row["note_zh"]


def test_missing_support_shows_in_the_mean_weight_where_nothing_else_is_on_record() -> None:
    # The log takes y never, but with P(x) = 0.5 on record: half of the probability is elsewhere.
    log, actions = two_actions([(f"c{i}", "x", 0.5, 0.2, float(i % 2)) for i in range(400)])
    actions = actions.drop(columns="logged_probability")
    row = support_table(log, actions, ["new"], 0.95).iloc[0]
    assert row["recorded"] == 0.0
    assert row["mean_weight"] == pytest.approx(0.4)
    # All weights are alike: no spread, so no error; the log is not judged for another reason then.
    log2, actions2 = drawn(3000)
    keep = log2["action"] != "c"
    log2 = log2[keep]
    actions2 = actions2[actions2["decision_id"].isin(log2["decision_id"])]
    found = support_table(log2, actions2.drop(columns="logged_probability"), ["even"], 0.95).iloc[0]
    assert not found["judged"]
    assert "instead of 1.000" in found["note"]


def test_probabilities_that_are_not_those_of_the_draw_are_found_out() -> None:
    log, actions = drawn(3000)
    assert support_table(log, actions, ["even"], 0.95)["judged"].all()
    wrong = actions.assign(logged_probability=1 / 3)
    row = support_table(log.assign(probability=1 / 3), wrong, ["new"], 0.95).iloc[0]
    assert not row["judged"]
    assert "they are not those of the draw" in row["note"]
    assert "记录的概率并非抽取时的概率" in row["note_zh"]


def test_a_heavy_decision_and_few_customers_are_not_judged() -> None:
    rows = [(f"c{i}", "y", 0.5, 0.5, float(i % 2)) for i in range(150)]
    log, actions = two_actions([*rows, ("h", "x", 0.01, 1.0, 1.0)])  # weight 100 beside 150 of 1
    row = support_table(log, actions, ["new"], 0.95).iloc[0]
    assert row["largest_share"] == pytest.approx(100 / 250)
    assert "a single decision carries 40.0% of all weight" in row["note"]
    assert "weigh as much as 6.2" in row["note"]  # 250² / (150 + 100²)


def test_rewards_that_are_all_alike_are_not_judged() -> None:
    log, actions = drawn(600)
    row = support_table(log.assign(reward=0.0), actions, ["new"], 0.95).iloc[0]
    assert (
        row["note"] == "only 0 customers of any weight had another reward than the rest (needs 10)"
    )


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
