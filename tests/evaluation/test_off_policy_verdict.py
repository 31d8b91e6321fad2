import pytest
from evaluation.logs import drawn, two_actions

from mkt_models.evaluation.off_policy import Estimator, off_policy_table
from mkt_models.evaluation.off_policy_verdict import verdict


def test_support_is_said_first() -> None:
    log, actions = drawn(8000)
    table = off_policy_table(log, actions, ["new"], 0.95, reference="logged")
    said = verdict(table, "new", Estimator.SNIPS, "logged")
    assert (said.evaluated, said.better) == (True, True)
    assert said.en[0].startswith("new: 8,000 decisions of 4,000 customers weigh as much as")
    assert "0.0% of its probability is without support" in said.en[0]
    assert said.en[1].startswith("Its value per decision is 0.4")
    assert said.en[2].startswith("It is shown to be better than logged: +0.")
    assert len(said.en) == len(said.zh) == 3
    assert said.zh[2].startswith("结果显示优于 logged：+0.")


def test_no_difference_is_not_claimed() -> None:
    log, actions = drawn(2000)
    log["reward"] = log.index % 2.0  # whatever is done
    actions["near"] = actions["logged_probability"]
    table = off_policy_table(log, actions, ["near", "even"], 0.95, reference="near")
    said = verdict(table, "even", Estimator.SNIPS, "near")
    assert said.better is None
    assert "not shown to differ from near" in said.en[2]
    assert "未显示与 near 有差异" in said.zh[2]


def test_not_evaluated_says_why() -> None:
    log, actions = two_actions([(f"c{i}", "x", 1.0, 0.0, float(i % 2)) for i in range(300)])
    said = verdict(off_policy_table(log, actions, ["new"], 0.95), "new", Estimator.SNIPS)
    assert (said.evaluated, said.better) == (False, None)
    assert said.en[1].startswith("Not evaluated: 100.0% of its probability is on actions")
    assert said.zh[1].startswith("未评估：其 100.0% 的概率")


def test_an_unknown_row_is_an_error() -> None:
    log, actions = drawn(600)
    table = off_policy_table(log, actions, ["new"], 0.95)
    with pytest.raises(ValueError, match="no row of 'new' by dr; has: logged/observed, new/ips"):
        verdict(table, "new", Estimator.DR)


def test_a_policy_without_any_weight_says_so_and_no_nan() -> None:
    log, actions = two_actions([(f"c{i}", "x", 0.5, 0.0, i % 2.0) for i in range(200)])
    said = verdict(off_policy_table(log, actions, ["new"], 0.95), "new", Estimator.SNIPS)
    assert not said.evaluated
    assert said.en[0].startswith(
        "new: 200 decisions of 200 customers have no weight, as it takes none of their actions, "
    )
    assert said.zh[0].startswith("new：200 位客户的 200 个决策权重全部为零，")
    assert "nan" not in " ".join((*said.en, *said.zh))
