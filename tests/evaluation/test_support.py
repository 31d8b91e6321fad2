import pytest
from evaluation.logs import drawn, two_actions

from mkt_models.evaluation.support import Needs, support_table, weight_table

LENIENT = Needs(
    0, max_largest_share=1, max_unsupported=1, min_different=0, min_expected_different=0
)


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


def test_weights_are_counted_in_bands() -> None:
    log, actions = two_actions(
        [("A", "x", 0.5, 1.0, 0), ("B", "y", 0.5, 1.0, 0), ("C", "x", 0.05, 0.9, 0)]
    )
    table = weight_table(log, actions, ["new"]).set_index("weights")
    assert table["n"].to_dict() == {
        "0": 1, "to 0.5": 0, "to 1": 0, "to 2": 1, "to 10": 0, "above 10": 1
    }  # fmt: skip
    assert table["weight"].tolist() == pytest.approx([0, 0, 0, 0.1, 0, 0.9])
    assert table["share"].sum() == pytest.approx(1)
