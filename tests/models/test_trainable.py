"""Degenerate data, end to end: an error or a note that says why, and never a quiet number."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from models.tables import SMALL

from mkt_models.audit_params import Gate
from mkt_models.columns import Model, Verdict
from mkt_models.evaluation.curves import calibration_table, gain_table
from mkt_models.evaluation.fairness import group_table
from mkt_models.evaluation.feature_figures import feature_table
from mkt_models.evaluation.gate import verdict
from mkt_models.evaluation.headline import headline
from mkt_models.evaluation.leakage import LeakageError, check_leakage
from mkt_models.evaluation.performance import (
    backtest_table,
    classification_table,
    regression_table,
)
from mkt_models.guard_params import Guards
from mkt_models.models import peers
from mkt_models.models.backtest import MODEL, backtest, splits
from mkt_models.models.batches import fit_scorer_from_parquet
from mkt_models.models.boosting import Recipe, fit_scorer
from mkt_models.models.labels import LabelError, Origin
from mkt_models.models.scorer import FeatureError
from mkt_models.models.scoring import score_table
from mkt_models.models.trainable import RowsError
from mkt_models.profiles.measures import Measure

CHURN = Recipe(Model.CHURN, "logistic", SMALL, seed=3)
PROPENSITY = Recipe(Model.PROPENSITY, "logistic", SMALL, seed=3)
VALUE = Recipe(Model.VALUE, "log", SMALL, seed=3)
GATE = Gate(max_calibration_gap=0.1, max_gap_of_rate=0.5, max_gap_of_amount=0.2)
MODELS = [CHURN, VALUE, PROPENSITY]
each_model = pytest.mark.parametrize("recipe", MODELS, ids=lambda r: r.name.value)
DAYS = [date(2020, month, 1) for month in (1, 2, 3)]
ORIGINS = [Origin((DAYS[0],), DAYS[1]), Origin((DAYS[0], DAYS[1]), DAYS[2])]
NAMES = ("signal", "hint", "orders_90d")
FEATURES = {name: Measure("", "orders", name, name) for name in NAMES}
Change = Callable[[pd.DataFrame], pd.DataFrame]


def table(recipe: Recipe, n: int = 150) -> pd.DataFrame:
    """Customers at three dates: of campaigns too for propensity; an honest signal, and noise."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(
        {
            "customer_id": [f"c{i:03d}" for i in range(n)] * len(DAYS),
            "as_of": np.repeat(pd.to_datetime(DAYS), n),
            "signal": rng.normal(size=n * len(DAYS)),
            "hint": rng.normal(size=n * len(DAYS)),
            "orders_90d": rng.poisson(4, n * len(DAYS)).astype(float),
        }
    )
    chance = 1 / (1 + np.exp(-2 * rows["signal"]))
    positive = (rng.random(len(rows)) < chance).astype(float)
    amounts = recipe.link == "log"
    rows["target"] = positive * rng.gamma(2, 20, len(rows)) if amounts else positive
    if recipe is PROPENSITY:
        rows.insert(2, "campaign_id", "k" + rows["as_of"].dt.month.astype(str))
    return rows


def keys(recipe: Recipe) -> list[str]:
    return ["customer_id", "as_of", *(["campaign_id"] if recipe is PROPENSITY else [])]


def simple_peers(recipe: Recipe) -> dict[str, peers.Peer]:
    if recipe.link == "log":
        return {"as_is": peers.column("orders_90d"), "log_glm": peers.log_glm(NAMES, 1.5)}
    return {"base_rate": peers.base_rate, "logistic": peers.logit(NAMES)}


def run(rows: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    parts = splits(rows, ORIGINS)
    return backtest(parts, keys(recipe), FEATURES, recipe, simple_peers(recipe))


def measured(tested: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    measure = regression_table if recipe.link == "log" else classification_table
    models = [MODEL, *simple_peers(recipe)]
    return measure(tested, models, 100, 0.95, 0, reference=MODEL).set_index("model")


@each_model
def test_healthy_rows_go_through(recipe: Recipe) -> None:
    rows = table(recipe)
    found = measured(run(rows, recipe), recipe)
    assert (found["note"] == "").all()
    assert list(fit_scorer(rows, FEATURES, recipe).features) == list(NAMES)


@each_model
def test_a_constant_feature_changes_nothing(recipe: Recipe) -> None:
    rows = table(recipe).assign(hint=7.0)
    found = measured(run(rows, recipe), recipe)
    assert (found["note"] == "").all()
    scorer = fit_scorer(rows, FEATURES, recipe)
    assert "hint" not in scorer.booster.get_score()
    missing = fit_scorer(rows.assign(hint=np.nan), FEATURES, recipe)
    matrix = rows[list(NAMES)].to_numpy()
    np.testing.assert_array_equal(scorer.predict(matrix), missing.predict(matrix))


@each_model
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda rows: rows.assign(signal=1.0, hint=np.nan, orders_90d=0.0),
            "none of 3 features varies in 150 rows",
        ),
        (
            lambda rows: rows[rows["customer_id"] < "c010"],
            "10 rows of only 10 customers, needs 20",
        ),
        (lambda rows: rows.assign(target=0.0), "0 of 150 training rows have a target above 0"),
        (lambda rows: rows.assign(target=np.nan), "target of 150 of 150 rows is no finite number"),
        (
            lambda rows: rows.assign(target=rows["target"].where(rows["customer_id"] != "c003")),
            "target of 1 of 150 rows is no finite number",
        ),
        (lambda rows: rows.assign(target="yes"), "target of 150 of 150 rows is no finite number"),
        (lambda rows: rows.assign(target=-1.0), "target (must be 0 or 1, has -1|of 150 .* below)"),
        (
            lambda rows: pd.concat([rows, rows.head(3)]),
            r"3 of 153 rows stand twice \(customer_id, as_of.*the first of them c000, 2020-01-01",
        ),
        (
            lambda rows: rows.assign(hint=rows["hint"].where(rows["customer_id"] > "c001", np.inf)),
            "infinite, or too large for a tree: hint in 2 of 150 rows",
        ),
        (
            lambda rows: rows.assign(signal=-np.inf, hint=1e39),
            "signal in 150, hint in 150 of 150 rows",
        ),
        (lambda rows: rows.assign(hint="much"), "a feature is no number"),
        (lambda rows: rows.drop(columns="hint"), "the rows have no column 'hint'"),
        (lambda rows: rows.drop(columns="target"), "the rows have no column 'target'"),
        (lambda rows: rows.assign(customer_id=None), "customer_id is null in 150 of 150 rows"),
    ],
    ids=[
        "all features constant",
        "ten customers",
        "no positives",
        "no target",
        "one target missing",
        "a text as target",
        "a negative target",
        "rows twice",
        "infinite",
        "too large",
        "a text as feature",
        "no such feature",
        "no target column",
        "no customers",
    ],
)
def test_what_cannot_be_learnt_from_is_an_error(
    recipe: Recipe, change: Change, message: str
) -> None:
    rows = table(recipe)
    first = change(rows[rows["as_of"] == pd.Timestamp(DAYS[0])])
    with pytest.raises(LabelError, match=f"^{recipe.name.value}: .*{message}"):
        fit_scorer(first, FEATURES, recipe)
    rest = rows[rows["as_of"] > pd.Timestamp(DAYS[0])]
    parts = [(first, rest[rest["as_of"] == pd.Timestamp(DAYS[1])])]
    with pytest.raises(LabelError, match=message):
        backtest(parts, keys(recipe), FEATURES, recipe, simple_peers(recipe))


@pytest.mark.parametrize("recipe", [CHURN, PROPENSITY], ids=["churn", "propensity"])
def test_other_classes_are_errors(recipe: Recipe) -> None:
    rows = table(recipe)
    with pytest.raises(LabelError, match="450 of 450 training rows have a target above 0"):
        fit_scorer(rows.assign(target=1.0), FEATURES, recipe)
    for value in (2.0, 0.5):
        with pytest.raises(RowsError, match=f"the target must be 0 or 1, has {value:g}"):
            fit_scorer(rows.assign(target=rows["target"] * value), FEATURES, recipe)


@each_model
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda test: test.head(0), "test: a test cutoff has no rows"),
        (lambda test: pd.concat([test, test.head(1)]), "test: 1 of 151 rows stand twice"),
        (lambda test: test.assign(hint=np.inf), "test: infinite, .*: hint in 150 of 150 rows"),
    ],
    ids=["no rows", "a row twice", "infinite"],
)
def test_what_cannot_be_tested_with_is_an_error(
    recipe: Recipe, change: Change, message: str
) -> None:
    train, test = next(splits(table(recipe), ORIGINS))
    with pytest.raises(RowsError, match=message):
        backtest([(train, change(test))], keys(recipe), FEATURES, recipe, {})


def test_no_tests_at_all_are_an_error() -> None:
    with pytest.raises(RowsError, match="churn: no test cutoffs"):
        backtest([], keys(CHURN), FEATURES, CHURN, {})


def test_a_peer_without_a_number_is_named() -> None:
    rows = table(VALUE).assign(spend=np.nan)
    parts = splits(rows, ORIGINS)
    with pytest.raises(RowsError, match=r"value: last predicts no finite number for 150 of 150"):
        backtest(parts, keys(VALUE), FEATURES, VALUE, {"last": peers.column("spend")})


def test_peers_do_not_pass_over_a_missing_or_single_target() -> None:
    train, test = next(splits(table(CHURN), ORIGINS))
    gap = train.assign(target=train["target"].where(train["customer_id"] != "c003"))
    assert np.isnan(peers.base_rate(gap, test)).all()
    for change in ({"target": np.nan}, {"target": 0.0}, {"signal": np.inf}):
        with pytest.raises(ValueError, match=r"NaN|one class|infinity"):
            peers.logit(NAMES)(train.assign(**change), test)


@pytest.mark.parametrize("recipe", [CHURN, PROPENSITY], ids=["churn", "propensity"])
def test_a_test_cutoff_without_positives_has_notes_and_no_ranking(recipe: Recipe) -> None:
    rows = table(recipe)
    rows.loc[rows["as_of"] == pd.Timestamp(DAYS[2]), "target"] = 0.0
    tested = run(rows, recipe)
    by_cutoff = backtest_table(tested, [MODEL], "classification", 100, 0.95, 0).set_index("as_of")
    healthy, empty = by_cutoff.loc[pd.Timestamp(DAYS[1])], by_cutoff.loc[pd.Timestamp(DAYS[2])]
    assert healthy["note"] == ""
    assert empty[["auc", "auc_lower", "pr_auc"]].isna().all()
    assert empty["note"] == "auc, pr_auc: only 0 positives, needs 5"
    assert empty["brier"] > 0  # how far the probabilities are off is defined all the same
    last = tested[tested["as_of"] == pd.Timestamp(DAYS[2])]
    assert gain_table(last, MODEL)["lift"].isna().all()
    assert gain_table(last, MODEL)["note"].unique().tolist() == [
        "share, lift: the target sums up to nothing"
    ]
    curve = calibration_table(last, MODEL)
    assert (curve["observed"] == 0).all()
    assert (curve["upper"] > 0.1).all()  # nothing was observed, which is no certainty
    halves = last.assign(gender=np.where(last["customer_id"] < "c075", "f", "m"))
    by_group = group_table(halves, MODEL, "gender", "classification", 0.2, 20, 2, 100, 0.95, 0)
    assert by_group["auc"].isna().all()
    assert by_group["note"].str.contains("not judged: fewer than 2 customers with a pos").all()
    assert verdict(by_group, "classification", GATE, 0.95)[0] is Verdict.NOT_EVALUATED
    table_of_last = classification_table(last, [MODEL], 100, 0.95, 0)
    assert np.isnan(headline(table_of_last, "auc", "AUC", model=MODEL)["value"])


@each_model
def test_ten_customers_have_no_metrics_and_no_verdict(recipe: Recipe) -> None:
    tested = run(table(recipe), recipe)
    few = tested[tested["customer_id"] < "c010"]
    found = measured(few, recipe)
    metric = "mae" if recipe.link == "log" else "auc"
    assert found[metric].isna().all()
    assert found["note"].str.contains("only 10 customers, needs 20").all()
    kind = "regression" if recipe.link == "log" else "classification"
    groups = few.assign(gender=np.where(few["customer_id"] < "c005", "f", "m"))
    by_group = group_table(groups, MODEL, "gender", kind, 0.2, 20, 2, 100, 0.95, 0)
    assert not by_group["judged"].any()
    assert by_group["note"].str.contains("not judged: .*20").all()
    assert verdict(by_group, kind, GATE, 0.95)[0] is Verdict.NOT_EVALUATED


@pytest.mark.parametrize("target", [np.nan, 2.0, np.inf])
def test_a_target_that_is_none_is_an_error_in_every_evaluation(target: float) -> None:
    tested = run(table(CHURN), CHURN).assign(gender="f")
    tested.loc[3, "target"] = target
    calls: list[Callable[[], object]] = [
        lambda: classification_table(tested, [MODEL], 100, 0.95, 0),
        lambda: calibration_table(tested, MODEL),
        lambda: group_table(tested, MODEL, "gender", "classification", 0.2, 20, 2, 100, 0.95, 0),
    ]
    if target != 2.0:  # an amount may be 2
        calls.append(lambda: gain_table(tested, MODEL))
    for call in calls:
        with pytest.raises(ValueError, match=r"'target' (must be 0 or 1|has 1 null or infinite)"):
            call()


@each_model
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_column_that_leaked_from_the_label_stops_the_training(
    recipe: Recipe, noise: float
) -> None:
    rows = table(recipe)
    rng = np.random.default_rng(8)
    leak = rows["target"] + noise * rows["target"].std() * rng.normal(size=len(rows))
    leaking = rows.assign(hint=leak)
    kind = "regression" if recipe.link == "log" else "classification"
    today = rows.tail(100).drop(columns="target")
    figures = feature_table(leaking, today, NAMES, kind, 0.95)
    limit = Guards(max_single_gini=0.9)  # half of the amounts are 0, which noise orders anew
    with pytest.raises(LeakageError, match=f"{recipe.name.value}: 1 feature .*\n  hint: "):
        check_leakage(figures, limit, recipe.name)
    honest = feature_table(rows, today, NAMES, kind, 0.95)
    assert check_leakage(honest, limit, recipe.name).empty


def test_an_infinite_feature_of_today_is_not_scored(tmp_path: Path) -> None:
    rows = table(CHURN)
    scorer = fit_scorer(rows, FEATURES, CHURN)
    with pytest.raises(FeatureError, match="hint must be a finite number, or missing"):
        score_table(rows.assign(hint=np.inf), keys(CHURN), scorer, top=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.nan}, "no finite number"),
        ({"target": 2.0}, "must be 0 or 1, has 2"),
        ({"hint": np.inf}, "hint is infinite"),
    ],
)
def test_training_from_a_file_refuses_the_same(
    change: dict[str, float], message: str, tmp_path: Path
) -> None:
    table(CHURN).assign(**change).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(RowsError, match=message):
        fit_scorer_from_parquet(tmp_path / "rows.parquet", FEATURES, CHURN, tmp_path / "cache")
