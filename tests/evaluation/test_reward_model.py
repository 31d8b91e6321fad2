import numpy as np
import pytest
from evaluation.logs import drawn, two_actions
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier

from mkt_models.evaluation.reward_model import with_expected_rewards


def test_a_model_learns_what_actions_bring() -> None:
    log, actions = drawn(6000)
    model = DecisionTreeClassifier(min_samples_leaf=150, random_state=1)
    found = with_expected_rewards(log, actions, ["new"], ["level"], model, 3, 1)
    assert found["expected_reward"].between(0, 1).all()
    means = found.groupby("action")["expected_reward"].mean()
    assert means.to_numpy() == pytest.approx(found.groupby("action")["true"].mean(), abs=0.04)


def test_no_customer_is_predicted_by_its_own_rewards() -> None:
    # Every customer has a level of its own, by which a nearest neighbour would know it again.
    log, actions = two_actions(
        [(f"c{i // 2}", "xy"[i % 2], 0.5, 0.5, 100.0 * (i // 2)) for i in range(40)]
    )
    log["level"] = np.arange(40) // 2
    nearest = KNeighborsRegressor(n_neighbors=1)
    found = with_expected_rewards(log, actions, ["new"], ["level"], nearest, 5, 1)
    own = 100.0 * (np.repeat(np.arange(40), 2) // 2)
    assert (found["expected_reward"].to_numpy() != own).all()


def test_the_context_may_differ_by_action() -> None:
    log, actions = two_actions([(f"c{i}", "xy"[i % 2], 0.5, 0.5, float(i)) for i in range(30)])
    actions["worth"] = np.where(actions["action"] == "x", 1.0, 0.0) * 5 + np.arange(60) // 2
    found = with_expected_rewards(log, actions, ["new"], ["worth"], LinearRegression(), 3, 1)
    assert found["expected_reward"].to_numpy() == pytest.approx(np.arange(60) // 2, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"folds": 1}, "folds == 1, must be from 2 to the 300 customers"),
        ({"context": ["levels"]}, "'levels' is in neither table; did you mean 'level'"),
        ({"context": ["action"]}, "'action' is in both tables"),
        ({"scale": 2.0}, "a classifier needs rewards of 0 and 1"),
    ],
)
def test_errors_teach(change: dict[str, object], says: str) -> None:
    log, actions = drawn(600)
    scale = float(change.pop("scale", 1.0))  # type: ignore[arg-type]
    how = {"context": ["level"], "folds": 3} | change
    with pytest.raises(ValueError, match=says):
        with_expected_rewards(
            log.assign(reward=log["reward"] * scale),
            actions,
            ["new"],
            model=LogisticRegression(),
            seed=1,
            **how,  # type: ignore[arg-type]
        )
