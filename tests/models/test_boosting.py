from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from models.tables import SMALL

from mkt_models.columns import Model
from mkt_models.models.boosting import MIN_CLASS, Recipe, calibration, fit_scorer
from mkt_models.models.labels import LabelError
from mkt_models.profiles.measures import Measure
from mkt_models.workspace import NotAvailableError

FEATURES = {
    "signal": Measure("", "days", "days of silence", "沉默天数"),
    "noise": Measure("", "orders", "orders of a stranger", "他人订单数"),
    "kind": Measure("", "yes_no", "campaign of type A", "A类活动"),
}
CHURN = Recipe(Model.CHURN, "logistic", SMALL, seed=11)
VALUE = Recipe(Model.VALUE, "log", SMALL, seed=11)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def planted(n: int = 1500, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of n / 3 customers, three each, and their true probabilities."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "customer_id": (np.arange(n) // 3).astype(str),
            "signal": rng.normal(size=n),
            "noise": rng.normal(size=n),
            "kind": rng.integers(0, 2, n).astype(float),
        }
    )
    rows.loc[rng.random(n) < 0.05, "noise"] = np.nan
    truth = sigmoid(-1 + 2 * rows["signal"].to_numpy())
    return rows.assign(target=(rng.random(n) < truth).astype(float)), truth


def matrix(rows: pd.DataFrame) -> np.ndarray:
    return rows[list(FEATURES)].to_numpy()


def test_a_planted_signal_is_learnt_and_calibrated() -> None:
    rows, _ = planted(6000)
    scorer = fit_scorer(rows, FEATURES, CHURN)
    unseen, truth = planted(6000, seed=2)
    predicted = scorer.predict(matrix(unseen))
    assert np.corrcoef(predicted, truth)[0, 1] > 0.95
    assert predicted.mean() == pytest.approx(truth.mean(), abs=0.03)
    for low, high in ((0, 0.15), (0.15, 0.35), (0.35, 0.65), (0.65, 1)):
        group = (predicted >= low) & (predicted < high)
        assert predicted[group].mean() == pytest.approx(truth[group].mean(), abs=0.05)


def test_trees_that_remember_are_pulled_back_towards_what_they_know() -> None:
    # deep trees on noisy labels are far too sure of themselves: only held-out margins show it
    rows, truth = planted()
    deep = SMALL.model_copy(update={"max_depth": 10, "min_child_weight": 0, "reg_lambda": 0})
    scorer = fit_scorer(rows, FEATURES, replace(CHURN, boosting=deep))
    assert 0 < scorer.slope < 0.6
    unseen, truth = planted(seed=2)
    tamed, sure = (
        ((s.predict(matrix(unseen)) - truth) ** 2).mean()
        for s in (scorer, replace(scorer, slope=1.0, intercept=0.0))
    )
    assert tamed < 0.7 * sure


def test_the_rows_of_a_customer_are_never_on_both_sides_of_a_fold() -> None:
    # all rows of a customer are equal: whoever has seen one of them knows the others' target
    rng = np.random.default_rng(4)
    n = 200
    face = rng.normal(size=n)
    coin = (rng.random(n) < sigmoid(1.5 * face)).astype(float)
    rows = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), 6).astype(str),
            "signal": np.repeat(face, 6),
            "noise": 0.0,
            "kind": 0.0,
            "target": np.repeat(coin, 6),
        }
    )
    deep = SMALL.model_copy(update={"max_depth": 10, "reg_lambda": 0})
    recipe = replace(CHURN, boosting=deep)
    strangers = rows.assign(customer_id=np.arange(len(rows)).astype(str))
    assert fit_scorer(strangers, FEATURES, recipe).slope > 2  # every row a customer of its own
    assert 0 < fit_scorer(rows, FEATURES, recipe).slope < 0.5


def test_only_the_named_features_are_used() -> None:
    rows, _ = planted()
    features = {name: FEATURES[name] for name in ("noise", "signal")}
    scorer = fit_scorer(rows.assign(secret=rows["target"]), features, CHURN)
    assert scorer.features == ("noise", "signal")
    plain = fit_scorer(rows[["customer_id", "target", "signal", "noise"]], features, CHURN)
    assert scorer.booster.save_raw() == plain.booster.save_raw()


def test_reasons_have_the_words_and_units_of_the_measures() -> None:
    spend = {"spend": Measure("", "currency", "spend so far", "累计消费金额")}
    rows = planted(300)[0].assign(spend=1.0)
    scorer = fit_scorer(rows, FEATURES | spend, replace(CHURN, currency="USD"))
    assert scorer.words["signal"] == {"en": "days of silence", "zh": "沉默天数", "unit": "days"}
    units = [scorer.words[name]["unit"] for name in ("noise", "kind", "spend")]
    assert units == ["", "yes_no", "USD"]


def test_the_same_seed_gives_the_same_model_and_another_one_another() -> None:
    rows, _ = planted(600)
    first, again, other = (
        fit_scorer(rows.copy(), FEATURES, replace(CHURN, seed=seed)) for seed in (11, 11, 12)
    )
    assert first.booster.save_raw() == again.booster.save_raw()
    assert (first.slope, first.intercept) == (again.slope, again.intercept)
    assert first.booster.save_raw() != other.booster.save_raw()


def test_training_leaves_its_rows_as_they_were() -> None:
    rows, _ = planted(300)
    before = rows.copy()
    fit_scorer(rows, FEATURES, CHURN)
    pd.testing.assert_frame_equal(rows, before)


def test_amounts_are_learnt_on_their_own_scale_and_left_uncalibrated() -> None:
    rows, _ = planted()
    rng = np.random.default_rng(5)
    mean = np.exp(2 + rows["signal"].to_numpy() * 0.7)
    amounts = rng.gamma(2.0, mean / 2.0) * (rng.random(len(rows)) < 0.8)
    scorer = fit_scorer(rows.assign(target=amounts), FEATURES, VALUE)
    assert (scorer.slope, scorer.intercept, scorer.link) == (1.0, 0.0, "log")
    predicted = scorer.predict(matrix(rows))
    assert predicted.min() > 0
    assert predicted.mean() == pytest.approx(amounts.mean(), rel=0.05)
    assert np.corrcoef(np.log(predicted), np.log(mean))[0, 1] > 0.9


def test_intervals_of_amounts_hold_for_customers_of_another_draw() -> None:
    rows, _ = planted(3000)
    rng = np.random.default_rng(6)
    mean = np.exp(2 + rows["signal"].to_numpy() * 0.7)
    rows = rows.assign(target=rng.gamma(2.0, mean / 2.0) * (rng.random(len(rows)) < 0.8))
    known, later = rows[:1500], rows[1500:]
    scorer = fit_scorer(known, FEATURES, replace(VALUE, interval=0.7))
    lower, upper = scorer.interval(matrix(later))
    assert later["target"].between(lower, upper).mean() == pytest.approx(0.7, abs=0.05)
    assert fit_scorer(known, FEATURES, replace(VALUE, interval=0.999)).intervals is None


@pytest.mark.parametrize("kind", ["positives", "negatives"])
def test_too_few_of_either_class_is_an_error(kind: str) -> None:
    rows, _ = planted(300)
    rare = 1.0 if kind == "positives" else 0.0
    order = np.argsort(rows["signal"].to_numpy() * (1 if rare else -1))  # the last ones are rare

    def with_rare(n: int) -> pd.DataFrame:
        target = np.full(len(rows), 1 - rare)
        target[order[len(rows) - n :]] = rare
        return rows.assign(target=target)

    few = MIN_CLASS - 1 if rare else 300 - MIN_CLASS + 1
    with pytest.raises(LabelError, match=f"churn: {few} of 300 training rows.*at least 10 of each"):
        fit_scorer(with_rare(MIN_CLASS - 1), FEATURES, CHURN)
    assert fit_scorer(with_rare(MIN_CLASS), FEATURES, CHURN).slope > 0


def test_amounts_need_some_above_zero_and_none_at_zero() -> None:
    rows, _ = planted(60)
    spent = rows.assign(target=5.0)
    assert fit_scorer(spent, FEATURES, VALUE).predict(matrix(spent)) == pytest.approx(5.0, rel=0.1)
    nine = spent.assign(target=np.where(np.arange(60) < 9, 5.0, 0.0))
    with pytest.raises(LabelError, match="value: 9 of 60 training rows"):
        fit_scorer(nine, FEATURES, VALUE)


def test_no_rows_are_too_few() -> None:
    with pytest.raises(LabelError, match="0 of 0"):
        fit_scorer(planted()[0].head(0), FEATURES, CHURN)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.4, -1.5), (2.5, 0.7)])
def test_planted_calibration_is_recovered(slope: float, intercept: float) -> None:
    rng = np.random.default_rng(6)
    margin = rng.normal(size=20_000)
    target = (rng.random(20_000) < sigmoid(intercept + slope * margin)).astype(float)
    found = calibration(margin, target)
    assert found.slope == pytest.approx(slope, abs=0.1)
    assert found.intercept == pytest.approx(intercept, abs=0.1)
    # the score equations of maximum likelihood: true on average, and along the margin
    error = sigmoid(found.intercept + found.slope * margin) - target
    assert error.mean() == pytest.approx(0, abs=1e-4)
    assert (error * margin).mean() == pytest.approx(0, abs=1e-4)


def test_margins_that_rank_the_wrong_way_round_are_refused() -> None:
    margin = np.linspace(-2, 2, 400)
    target = (np.random.default_rng(7).random(400) < sigmoid(-margin)).astype(float)
    with pytest.raises(NotAvailableError, match=r"rank .* rows no better than chance"):
        calibration(margin, target)


STARTED = SMALL.model_copy(update={"start": "regression"})


@pytest.mark.parametrize("recipe", [CHURN, VALUE])
def test_trees_on_a_regression_add_up_to_what_they_predict(recipe: Recipe) -> None:
    rows, _ = planted()
    rows["target"] *= 1 if recipe.link == "logistic" else 20
    scorer = fit_scorer(rows, FEATURES, replace(recipe, boosting=STARTED))
    assert scorer.linear is not None
    predicted, parts = scorer.predict(matrix(rows)), scorer.contributions(matrix(rows))
    margin = parts.sum(axis=1)
    answer = sigmoid(margin) if recipe.link == "logistic" else np.exp(margin)
    np.testing.assert_allclose(predicted, answer, rtol=1e-4)
    assert predicted.mean() == pytest.approx(rows["target"].mean(), rel=0.05)


def test_where_the_regression_says_all_the_trees_on_it_do_better_than_alone() -> None:
    # amounts over four orders of magnitude, few rows: steps are a poor picture of a slope
    rng = np.random.default_rng(8)

    def shop(n: int) -> pd.DataFrame:
        spent = np.exp(rng.normal(4, 2, n))
        rows = {"signal": spent, "noise": rng.random(n), "kind": np.zeros(n)}
        customer = np.arange(n).astype(str)
        return pd.DataFrame(rows).assign(
            customer_id=customer, target=spent * rng.gamma(9, 1 / 9, n)
        )

    train, unseen = shop(400), shop(4000)
    alone, started = (
        fit_scorer(train, FEATURES, replace(VALUE, boosting=boosting)).predict(matrix(unseen))
        for boosting in (SMALL, STARTED)
    )
    expected = unseen["signal"].to_numpy()
    error = [np.abs(np.log(p) - np.log(expected)).mean() for p in (alone, started)]
    assert error[1] < 0.95 * error[0]
