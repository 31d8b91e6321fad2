import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluation.logs import drawn, two_actions
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.evaluation.decision_log import read_log
from mkt_models.evaluation.off_policy import Estimator, estimates, off_policy_table
from mkt_models.evaluation.support import Needs

LENIENT = Needs(
    0, max_largest_share=1, max_unsupported=1, min_different=0, min_expected_different=0
)
BY_HAND = [
    ("A", "x", 0.5, 1.0, 4.0),  # weight 2
    ("A", "y", 0.8, 0.9, 1.0),  # 0.5
    ("B", "x", 0.25, 0.0, 3.0),  # 0
    ("C", "x", 0.2, 0.3, 2.0),  # 1.5
]


def values(rows: list[tuple[str, str, float, float, float]], clip: float = 10) -> dict[str, float]:
    log, actions = two_actions(rows)
    found = estimates(read_log(log, actions, ["new"]), "new", clip)
    return {name.value: one.value for name, one in found.items()}


def test_by_hand() -> None:
    found = values(BY_HAND, clip=1.5)
    assert found["ips"] == pytest.approx((8 + 0.5 + 0 + 3) / 4)
    assert found["clipped_ips"] == pytest.approx((6 + 0.5 + 0 + 3) / 4)
    assert found["snips"] == pytest.approx(11.5 / 4)  # the weights sum to 4
    assert "dm" not in found


def test_direct_and_doubly_robust_by_hand() -> None:
    log, actions = two_actions(BY_HAND)
    actions["expected_reward"] = np.where(actions["action"] == "x", 3.0, 1.0)
    found = estimates(read_log(log, actions, ["new"]), "new")
    # P(x) = 1, 0.9, 0, 0.3: the model expects 3, 2.8, 1, 1.6
    assert found[Estimator.DM].value == pytest.approx(8.4 / 4)
    # what it missed, weighted: 2(4-3) + 0.5(1-1) + 0 + 1.5(2-3)
    assert found[Estimator.DR].value == pytest.approx((8.4 + 0.5) / 4)


def test_intervals_are_those_of_the_customers_sums() -> None:
    log, actions = two_actions(BY_HAND)
    table = off_policy_table(log, actions, ["new"], 0.95, needs=LENIENT).set_index("estimator")
    row = table.loc["ips"]
    # w r - mean: A 5.125 - 2.375, B -2.875, C 0.125; error² = 3/2 * sum of squares / 4²
    error = np.sqrt(1.5 * (2.75**2 + 2.875**2 + 0.125**2)) / 4
    sums, squares = np.array([2.75, -2.875, 0.125]), 2.75**2 + 2.875**2 + 0.125**2
    skew = (sums**3).sum() / squares**1.5
    # 2 / (sum of fourth powers / squares² - 1/3) = 12 degrees: t = 2.1788
    for end, quantile in (("value_lower", 2.1788), ("value_upper", -2.1788)):
        u = (row["value"] - row[end]) / error
        hall = u + skew * u**2 / 3 + skew**2 * u**3 / 27 + skew / 6
        assert hall == pytest.approx(quantile, rel=1e-3)
    assert row["kind"] == "off_policy"
    assert table.loc["observed", "value"] == pytest.approx(2.5)
    assert table.loc["observed", "kind"] == "observed"


probabilities = st.sampled_from([0.1, 0.25, 0.5, 0.8])


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(probabilities, st.floats(0, 1), st.tuples(probabilities, probabilities)),
        min_size=1,
        max_size=2,
    )
)
def test_ips_and_dr_are_right_on_average_over_every_log_that_could_be(
    world: list[tuple[float, float, tuple[float, float]]],
) -> None:
    """Every decision has two actions and a reward of 0 or 1: all logs, by their probability."""
    truth = np.mean([p * rx + (1 - p) * ry for _, p, (rx, ry) in world])
    total, expected = 0.0, {Estimator.IPS: 0.0, Estimator.DR: 0.0}
    outcomes = itertools.product("xy", (0.0, 1.0))
    for log_of in itertools.product(outcomes, repeat=len(world)):
        chance, rows = 1.0, []
        for i, ((logged, p, rates), (action, reward)) in enumerate(zip(world, log_of, strict=True)):
            rate = rates[action == "y"]
            chance *= (logged if action == "x" else 1 - logged) * abs(1 - reward - rate)
            rows.append((f"c{i}", action, logged, p, reward))
        log, actions = two_actions(rows)
        actions["expected_reward"] = np.where(actions["action"] == "x", 0.7, 0.2)  # a wrong model
        found = estimates(read_log(log, actions, ["new"]), "new")
        total += chance
        for name in expected:
            expected[name] += chance * found[name].value
    assert total == pytest.approx(1)
    assert list(expected.values()) == pytest.approx([truth, truth])


some_rows = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from("xy"),
        probabilities,
        st.floats(0.05, 0.95),
        st.floats(-5, 5),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(some_rows, st.floats(-10, 10))
def test_snips_moves_with_a_constant_and_stays_among_the_rewards(
    rows: list[tuple[str, str, float, float, float]], constant: float
) -> None:
    moved = [(*row[:4], row[4] + constant) for row in rows]
    before, after = values(rows)["snips"], values(moved)["snips"]
    assert after == pytest.approx(before + constant, abs=1e-9)
    rewards = [row[4] for row in rows]
    assert min(rewards) - 1e-9 <= before <= max(rewards) + 1e-9


@settings(max_examples=40, deadline=None)
@given(some_rows)
def test_of_the_logged_policy_every_estimate_is_the_mean(
    rows: list[tuple[str, str, float, float, float]],
) -> None:
    same = [(c, a, p, p, r) for c, a, p, _, r in rows]
    mean = np.mean([row[4] for row in rows])
    assert list(values(same).values()) == pytest.approx([mean] * 3)


def test_estimates_lie_by_the_truth_and_a_model_narrows_them() -> None:
    log, actions = drawn(8000)
    truth = float((actions["new"] * actions["true"]).sum() / 8000)
    actions["expected_reward"] = actions["true"]
    table = off_policy_table(log, actions, ["new"], 0.99).set_index("estimator")
    for name in ("ips", "snips", "dr"):
        assert table.loc[name, "value_lower"] < truth < table.loc[name, "value_upper"]
    width = table["value_upper"] - table["value_lower"]
    assert width["dr"] < width["snips"] < width["ips"]
    assert table.loc["dm", "value"] == pytest.approx(truth)
    assert np.isnan(table.loc["dm", "value_lower"])
    assert table.loc["dm", "note"].startswith("no interval")


def test_a_policy_is_compared_on_the_same_decisions() -> None:
    log, actions = drawn(8000)
    actions["twin"] = actions["new"]
    table = off_policy_table(log, actions, ["new", "twin", "even"], 0.95, reference="new")
    by = table.set_index(["policy", "estimator"])
    assert by.loc[("twin", "snips"), "difference"] == 0
    row = by.loc[("even", "snips")]
    gap = by.loc[("even", "snips"), "value"] - by.loc[("new", "snips"), "value"]
    assert row["difference"] == pytest.approx(gap)
    assert row["difference_upper"] < 0
    assert np.isnan(by.loc[("new", "snips"), "difference"])


def test_against_the_log_itself() -> None:
    log, actions = drawn(8000)
    table = off_policy_table(log, actions, ["new"], 0.95, reference="logged")
    by = table.set_index(["policy", "estimator"])
    gap = by.loc[("new", "ips"), "value"] - log["reward"].mean()
    assert by.loc[("new", "ips"), "difference"] == pytest.approx(gap)
    assert by.loc[("new", "ips"), "difference_lower"] > 0


def test_without_support_there_is_no_number() -> None:
    log, actions = two_actions(
        [(f"c{i}", "x", 1.0, float(i % 2), float(i % 3 == 0)) for i in range(600)]
    )
    actions["same"] = (actions["action"] == "x").astype(float)
    table = off_policy_table(log, actions, ["new", "same"], 0.95, reference="new")
    new, same = (table[table["policy"] == name] for name in ("new", "same"))
    numbers = ["value", "value_lower", "value_upper", "cut", "difference"]
    assert new[numbers].isna().all(axis=None)
    assert not new["judged"].any()
    assert new["note"].str.contains("50.0% of its probability").all()
    assert same["value"].tolist() == pytest.approx([1 / 3] * 3)
    assert same["note"].tolist() == ["not compared: the reference is not evaluated"] * 3


def test_what_clipping_cuts_is_said() -> None:
    log, actions = two_actions(BY_HAND)
    table = off_policy_table(log, actions, ["new"], 0.95, clip=1.5, needs=LENIENT)
    row = table.set_index("estimator").loc["clipped_ips"]
    assert row["cut"] == pytest.approx(0.5 / 4)
    assert np.isfinite(row["value_lower"])  # the needs allow for all
    strict = replace(LENIENT, max_unsupported=0.1)
    table = off_policy_table(
        log, actions, ["new"], 0.95, clip=1.5, needs=strict, reference="logged"
    )
    row = table.set_index("estimator").loc["clipped_ips"]
    assert row["value"] == pytest.approx(9.5 / 4)
    assert row[["value_lower", "value_upper", "difference_lower"]].isna().all()
    assert row["note"].startswith("no interval: clipping took 12.5% of the weight")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"clip": 0.5}, "clip == 0.5, must be >= 1"),
        ({"reference": "old"}, "'logged' or one of: new"),
    ],
)
def test_errors_teach(how: dict[str, object], says: str) -> None:
    log, actions = drawn(600)
    with pytest.raises(ValueError, match=says):
        off_policy_table(log, actions, ["new"], 0.95, **how)  # type: ignore[arg-type]


def test_the_tables_are_left_as_they_were() -> None:
    log, actions = drawn(600)
    before = log.copy(), actions.copy()
    off_policy_table(log, actions, ["new"], 0.95)
    pd.testing.assert_frame_equal(log, before[0])
    pd.testing.assert_frame_equal(actions, before[1])
