import numpy as np
import pandas as pd
import pytest

from mkt_models.audit_params import Gate
from mkt_models.columns import Verdict
from mkt_models.evaluation.benefit import benefit_table, benefit_verdict
from mkt_models.evaluation.gate_words import in_english

GATE = Gate(max_calibration_gap=0.1, max_gap_of_rate=0.5, max_gap_of_amount=0.2)
HOW = {
    "outcome": "margin",
    "cost": "cost",
    "min_group_size": 20,
    "n_bootstrap": 200,
    "confidence": 0.95,
    "seed": 1,
}


def contacts(n=4000, effects=(5.0, 5.0), probabilities=(0.5, 0.7)):
    """Two groups with their own effects; those who spend more are contacted more often."""
    rng = np.random.default_rng(3)
    group = np.arange(n) % 2
    heavy = rng.random(n) < 0.5
    p = np.where(heavy, probabilities[1], probabilities[0])
    treated = (rng.random(n) < p).astype(float)
    base = rng.normal(10 + 10 * heavy, 4)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "gender": np.array(["f", "m"])[group],
            "treated": treated,
            "assignment_probability": p,
            "margin": base + treated * np.array(effects)[group],
            "cost": 0.5 * treated,
        }
    )


def test_weighted_means_by_hand():
    rows = pd.DataFrame(
        {
            "customer_id": list("abcdefgh"),
            "gender": ["f"] * 8,
            "treated": [1, 1, 1, 0, 1, 0, 0, 0],
            "assignment_probability": [0.8] * 4 + [0.2] * 4,
            "margin": [10.0, 12, 14, 6, 4, 1, 2, 3],
            "cost": [1.0, 1, 1, 0, 1, 0, 0, 0],
        }
    )
    table = benefit_table(rows, ["gender"], **(HOW | {"min_group_size": 1})).iloc[0]
    # Treated weigh 1.25 and 5, controls 5 and 1.25.
    treated = (1.25 * 36 + 5 * 4) / (3 * 1.25 + 5)
    control = (5 * 6 + 1.25 * 6) / (5 + 3 * 1.25)
    assert table["effect"] == pytest.approx(treated - control)
    assert table["budget"] == pytest.approx(1.0)
    assert table["value_per_cost"] == pytest.approx(treated - control)
    assert table["benefit_gap"] == pytest.approx(0)


def test_unequal_assignment_is_put_right():
    rows = contacts()
    naive = rows.groupby("treated")["margin"].mean().diff().iloc[-1]
    table = benefit_table(rows, ["gender"], **HOW).set_index("group")
    assert naive > 6
    assert (table["effect_lower"] < 5).all()
    assert (table["effect_upper"] > 5).all()
    assert table.loc["f", "value_per_cost"] == pytest.approx(10, abs=1)
    assert table["judged"].all()


@pytest.mark.parametrize(
    ("effects", "says", "why"),
    [
        ((5.0, 5.0), Verdict.PASS, "gender: benefit gap shown within"),
        ((8.0, 1.0), Verdict.FAIL, "gender m (n = 2,000): benefit gap +"),
        ((8.0, -2.0), Verdict.FAIL, "gender m (n = 2,000): a contact is shown to cost"),
        ((0.0, 0.0), Verdict.NOT_EVALUATED, "contacts are not shown to bring anything"),
    ],
)
def test_who_gains(effects, says, why):
    answer, reasons = benefit_verdict(
        benefit_table(contacts(effects=effects), ["gender"], **HOW), GATE, 0.95
    )
    assert answer is says
    assert reasons[0].en.startswith(why)


def test_arms_that_contradict_their_probabilities_are_not_judged():
    rows = contacts()
    rows["assignment_probability"] = 0.4
    table = benefit_table(rows, ["gender"], **HOW)
    assert not table["judged"].any()
    assert "the assignment was not as recorded" in table["note"].iloc[0]
    assert benefit_verdict(table, GATE, 0.95)[0] is Verdict.NOT_EVALUATED


def test_a_group_needs_both_arms():
    rows = contacts()
    rows.loc[rows["gender"] == "m", "treated"] = 1
    table = benefit_table(rows, ["gender"], **HOW).set_index("group")
    assert table.index.tolist() == ["f", "too small: 1 group"]


def test_nothing_to_compare():
    unknown = benefit_table(contacts().assign(gender=None), ["gender"], **HOW)
    assert unknown["group"].tolist() == ["not available"]
    answer, reasons = benefit_verdict(unknown, GATE, 0.95)
    assert answer is Verdict.NOT_EVALUATED
    assert in_english(reasons) == ["gender: no group is large enough to judge, needs 2"]


def test_errors_teach():
    with pytest.raises(ValueError, match="4,000 of 4,000 rows are not strictly between 0 and 1"):
        benefit_table(contacts().assign(assignment_probability=1.0), ["gender"], **HOW)
    with pytest.raises(ValueError, match="treated: must be 0 or 1, with rows of both arms"):
        benefit_table(contacts().assign(treated=1), ["gender"], **HOW)


def test_where_hardly_anybody_of_an_arm_spent_nothing_is_judged():
    rng = np.random.default_rng(5)
    n = 2000
    treated = (rng.random(n) < 0.95).astype(float)
    spent = treated * (rng.random(n) < 0.01) * 40.0
    rows = pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "gender": np.array(["f", "m"])[np.arange(n) % 2],
            "treated": treated,
            "assignment_probability": 0.95,
            "margin": spent,
            "cost": 0.1 * treated,
        }
    )
    table = benefit_table(rows, ["gender"], **HOW)
    assert not table["judged"].any()
    assert table["note"].str.contains("0 of those withheld").all()
    assert np.isnan(table["value_per_cost_all_lower"]).all()
    assert benefit_verdict(table, GATE, 0.95)[0] is Verdict.NOT_EVALUATED
