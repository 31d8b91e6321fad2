"""The facts of a card, from the tables of a training; and what the audit adds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy_models import FEATURES, WORDS, table, toy

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.evaluation.performance import classification_table
from mkt_models.loading import load_params
from mkt_models.models.card import significant
from mkt_models.models.card_writing import card_facts, groups_of, movers_of
from mkt_models.profiles.measures import Measure

PARAMS = load_params(Path(__file__).parents[2] / "params" / "sample.yaml")
MEASURES = {name: Measure(f"sum({name})", "", w["en"], w["zh"]) for name, w in WORDS.items()}


def rows(n: int = 60) -> pd.DataFrame:
    frame = pd.DataFrame(table(n), columns=list(FEATURES))
    dates = pd.to_datetime(np.resize(["2017-09-11", "2017-11-06"], n))
    people = [f"c{i // 2}" for i in range(n)]
    return frame.assign(customer_id=people, as_of=dates, target=np.arange(n) % 3 == 0)


def performance() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    told = rows(300).assign(this_model=rng.random(300), recency=rng.integers(0, 9, 300))
    told["target"] = told["target"].astype(int)
    return classification_table(told, ["this_model", "recency"], 100, 0.9, 1, reference="recency")


def facts(model: Model = Model.CHURN, frame: pd.DataFrame | None = None):
    frame = rows() if frame is None else frame
    return card_facts(toy(model), MEASURES, frame, performance(), PARAMS, "ab12")


def test_rows_and_period_are_counted() -> None:
    trained = facts().trained
    assert (trained.rows, trained.customers, trained.positives) == (60, 30, 20)
    assert (str(trained.first), str(trained.last)) == ("2017-09-11", "2017-11-06")
    assert str(trained.labels_until) == "2018-01-01"  # 56 days on
    assert trained.data_hash == "ab12"
    assert facts(Model.VALUE).trained.positives is None
    assert str(facts(Model.VALUE).trained.labels_until) == "2018-02-04"  # 90 days on


def test_labels_of_campaigns_reach_to_the_day_after_the_last_one_ends() -> None:
    ends = pd.to_datetime("2017-12-10")
    found = facts(Model.PROPENSITY, rows().assign(ends_on=ends))
    assert str(found.trained.labels_until) == "2017-12-11"
    assert found.question.horizon_days is None


def test_the_days_of_the_tests_stand_in_the_card() -> None:
    churn = facts()
    assert list(churn.tested) == PARAMS.churn.tests()
    assert str(churn.tested[-1]) == "2017-11-06"
    assert list(facts(Model.VALUE).tested) == PARAMS.value.tests()
    campaigns = rows().assign(ends_on=pd.to_datetime("2017-12-10"))
    campaigns.loc[0, "as_of"] = pd.Timestamp("2017-09-03")  # the day before the first test
    days = [str(day) for day in facts(Model.PROPENSITY, campaigns).tested]
    assert days == ["2017-09-11", "2017-11-06"]


@pytest.mark.parametrize("model", SCORING_MODELS)
def test_every_model_says_what_it_is_for_in_both_languages(model: Model) -> None:
    found = facts(model, rows().assign(ends_on=pd.to_datetime("2017-12-10")))
    for words in (*found.intended, *found.not_intended, *found.limits):
        assert words.en
        assert words.zh
    assert found.metric == PARAMS.release.metric(model)
    assert found.parameters["seed"] == PARAMS.seed


def test_figures_have_intervals_n_and_kind_and_what_is_missing_is_none() -> None:
    found = {(f.of, f.metric): f for f in facts().figures}
    auc = found["this_model", "auc"]
    assert auc.value is not None
    assert auc.lower is not None
    assert auc.upper is not None
    assert auc.lower < auc.value < auc.upper
    assert (auc.n, auc.n_customers, auc.kind) == (300, 150, "backtested")
    assert auc.value == significant(auc.value)
    assert auc.difference is not None
    assert found["recency", "auc"].difference is None
    assert found["recency", "brier"].value is None  # days are no probability


def test_a_feature_changes_with_its_definition() -> None:
    other = {**MEASURES, "orders_90d": Measure("max(orders_90d)", "", "a", "b")}
    before = {f.name: f.definition for f in facts().features}
    frame, table_ = rows(), performance()
    again = card_facts(toy(), other, frame, table_, PARAMS, "ab12").features
    changed = [f.name for f in again if before[f.name] != f.definition]
    assert changed == ["orders_90d"]


def test_only_groups_that_are_large_enough_are_shown() -> None:
    common = {"attribute": "age_band", "n_customers": 80, "calibration_gap": 0.01}
    common |= {"calibration_gap_lower": -0.02, "calibration_gap_upper": 0.04}
    given = pd.DataFrame(
        [
            {**common, "group": "19-34", "pair": False, "judged": True, "finding": "within"},
            {**common, "group": "35-44", "pair": False, "judged": False, "finding": ""},
            {**common, "group": "19-34 · F", "pair": True, "judged": True, "finding": "within"},
        ]
    )
    assert [one.group for one in groups_of(given)] == ["19-34"]


def test_what_moves_a_model_is_named_in_words() -> None:
    importance = pd.DataFrame({"feature": ["orders_90d"], "share": [0.123456789]})
    (found,) = movers_of(importance, WORDS)
    assert (found.en, found.zh, found.share) == (
        "orders in the last 90 days",
        "近90天订单数",
        0.12345679,
    )
    assert movers_of(None, WORDS) == ()
