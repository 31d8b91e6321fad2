import numpy as np
import pandas as pd
import pytest

from mkt_models.models.labels import LabelError
from mkt_models.models.uplift import fit_uplift, predicted
from mkt_models.uplift_params import Learner, Trees, Uplift

QUICK = Uplift(
    min_arm=50,
    folds=2,
    trees=Trees(
        max_depth=2, n_estimators=40, learning_rate=0.2, min_child_weight=20, reg_lambda=10
    ),
)


def trial(n: int = 3000, seed: int = 1, amount: bool = False) -> pd.DataFrame:
    """Contacts help those with a large ``gain`` and harm the others; ``base`` drives the rest.

    Those with a large ``base`` are contacted more often.
    """
    rng = np.random.default_rng(seed)
    gain, base = rng.random(n), rng.random(n)
    p = np.where(base > 0.5, 0.7, 0.4)
    treated = (rng.random(n) < p).astype(float)
    uplift = 0.5 * (gain - 0.3)
    chance = 0.2 + 0.35 * base + treated * uplift
    target = (rng.random(n) < chance).astype(float)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "target": target * 10 if amount else target,
            "treated": treated,
            "assignment_probability": p,
            "gain": gain,
            "base": base,
            "uplift": uplift * (10 if amount else 1),
        }
    )


@pytest.mark.parametrize("learner", list(Learner))
@pytest.mark.parametrize("amount", [False, True])
def test_every_learner_finds_who_gains(learner: Learner, amount: bool) -> None:
    model = fit_uplift(learner, trial(8000, amount=amount), ["gain", "base"], QUICK, 1)
    test = trial(2000, seed=2, amount=amount)
    found = model.uplift(test)
    assert np.corrcoef(found, test["uplift"])[0, 1] > 0.75
    # In units of the response, and true on average though the arms are unequal.
    assert found.mean() == pytest.approx(test["uplift"].mean(), abs=0.4 if amount else 0.04)


@pytest.mark.parametrize("learner", list(Learner))
def test_the_same_seed_gives_the_same_model(learner: Learner) -> None:
    rows = trial(1000)
    one, two = (fit_uplift(learner, rows, ["gain"], QUICK, 3).uplift(rows) for _ in range(2))
    assert (one == two).all()


def test_predictions_stand_beside_the_trial() -> None:
    train, test = trial(2000), trial(500, seed=2)
    found, models = predicted(train, test, ["gain", "base"], QUICK, 1)
    assert list(models) == list(Learner)
    assert {*(one.value for one in Learner), "response"} <= set(found)
    assert len(found) == len(test)
    # What takes noise out is what is expected of the row, as p of its like are contacted.
    chance = 0.2 + 0.35 * test["base"] + (1 - test["assignment_probability"]) * test["uplift"]
    assert np.corrcoef(found["expected"], chance)[0, 1] > 0.8


def test_what_happens_in_the_test_moves_no_prediction() -> None:
    train, test = trial(1000), trial(200, seed=2)
    one = predicted(train, test, ["gain"], QUICK, 1)[0]
    other = predicted(train, test.assign(target=0, treated=1 - test["treated"]), ["gain"], QUICK, 1)
    columns = [*(one.value for one in Learner), "response", "expected"]
    assert (one[columns] == other[0][columns]).all(axis=None)


def test_nuisances_are_fitted_though_the_t_learner_is_not_tried() -> None:
    only = QUICK.model_copy(update={"learners": (Learner.CLASS,)})
    found, models = predicted(trial(1000), trial(200, seed=2), ["gain"], only, 1)
    assert list(models) == [Learner.CLASS]
    assert "expected" in found


def test_errors_teach() -> None:
    rows = trial(400)
    with pytest.raises(ValueError, match="gender is sensitive and must be no feature"):
        fit_uplift(Learner.T, rows.assign(gender=1.0), ["gain", "gender"], QUICK, 1)
    with pytest.raises(LabelError, match="must lie strictly between 0 and 1"):
        fit_uplift(Learner.T, rows.assign(assignment_probability=1.0), ["gain"], QUICK, 1)
    with pytest.raises(LabelError, match="treated must be 0 or 1"):
        fit_uplift(Learner.T, rows.assign(treated=float("nan")), ["gain"], QUICK, 1)
    with pytest.raises(LabelError, match="0 customers were withheld, needs 50"):
        fit_uplift(Learner.DR, rows.assign(treated=1.0), ["gain"], QUICK, 1)
    with pytest.raises(LabelError, match="all who were contacted have the same response"):
        fit_uplift(Learner.CLASS, rows.assign(target=0.0), ["gain"], QUICK, 1)


def test_what_is_known_after_the_contact_is_no_feature() -> None:
    rows = trial(500)
    for known_after in ("target", "treated", "assignment_probability"):
        with pytest.raises(ValueError, match=f"uplift: {known_after} can be no feature"):
            fit_uplift(Learner.T, rows, ["gain", known_after], QUICK, 1)
    with pytest.raises(ValueError, match="nothing can be no feature"):
        fit_uplift(Learner.T, rows, [], QUICK, 1)
    with pytest.raises(ValueError, match="'nope' is not a valid Learner"):
        fit_uplift("nope", rows, ["gain"], QUICK, 1)  # type: ignore[arg-type]
