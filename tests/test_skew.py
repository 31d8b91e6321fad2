"""The comparisons on a toy run in which everything agrees, and then one thing does not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from models.tables import SMALL
from toy_models import FEATURES, WORDS, table, toy, toy_facts

from mkt_models.columns import Model
from mkt_models.decisions.documents import documents
from mkt_models.loading import load_params
from mkt_models.models import registry
from mkt_models.models.boosting import Recipe, fit_scorer
from mkt_models.models.scorer import Scorer
from mkt_models.models.scoring import score_table
from mkt_models.profiles.measures import Measure
from mkt_models.serving.answers import profile_answer, score_answer
from mkt_models.serving.bodies import ScoreRequest
from mkt_models.skew import (
    COLUMNS,
    Scored,
    SkewError,
    batch_skew,
    check_skew,
    online_skew,
    together,
)

PARAMS = load_params(Path(__file__).parents[1] / "params" / "sample.yaml")
KEYS = ("customer_id", "as_of")
N = 60


def of(scorer: Scorer) -> Scored:
    """Everything of a model agrees."""
    features = pd.DataFrame(table(N, seed=1).astype(float), columns=list(FEATURES))
    features.insert(0, "customer_id", [f"c{i:02d}" for i in range(N)])
    features.insert(1, "as_of", pd.Timestamp("2018-01-01"))
    scores = score_table(features, KEYS, scorer).sample(frac=1, random_state=2)
    return Scored(scorer, KEYS, features, scores, features.sample(frac=1, random_state=3))


def held(scored: Scored) -> list[dict[str, Any]]:
    nothing = pd.DataFrame(columns=["customer_id", "rank", "probability"])
    scores = {scored.scorer.name.value: scored.scores}
    profiles = scored.features[list(KEYS)]
    return list(documents(profiles, scored.features, scores, nothing, nothing))


def service(scorer: Scorer, people: list[dict[str, Any]]) -> Callable[..., Mapping[str, Any]]:
    """The answers of the service, by way of JSON, without a socket."""
    by_id = {one["customer_id"]: one for one in people}

    def ask(path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        sent = json.dumps(body)
        if path == "/v1/profile":
            answer = profile_answer(by_id[json.loads(sent)["customer_id"]])
        else:
            request = ScoreRequest.model_validate_json(sent)
            answer = score_answer(request, {scorer.name: scorer}, {}, PARAMS)
        told: Mapping[str, Any] = json.loads(json.dumps(answer))
        return told

    return ask


@pytest.fixture(scope="module", params=[Model.CHURN, Model.VALUE], ids=str)
def scored(request: pytest.FixtureRequest) -> Scored:
    return of(toy(request.param, slope=0.8, intercept=-0.2))


def differing(table: pd.DataFrame) -> set[str]:
    return set(table.loc[table["differ"] > 0, "compared"])


def test_what_agrees_passes_with_its_n(scored: Scored) -> None:
    table = batch_skew(scored, held(scored))
    assert table["compared"].tolist() == [
        "features that were scored",
        "stored scores",
        "stored reasons",
        "features of the snapshot",
        "scores of the snapshot",
        "reasons of the snapshot",
    ]
    assert table["n"].unique().tolist() == [N]
    assert table[["differ", "largest"]].to_numpy().sum() == 0
    check_skew(table)


def test_the_service_says_what_was_stored(scored: Scored) -> None:
    table = online_skew(scored, service(scored.scorer, held(scored)), n=15)
    assert table["compared"].tolist() == [
        "scores over HTTP",
        "reasons over HTTP",
        "scores of profiles",
        "reasons of profiles",
    ]
    assert table["n"].unique().tolist() == [15]
    check_skew(table)


def test_a_feature_that_is_computed_in_another_way_is_named(scored: Scored) -> None:
    other = scored.again.copy()
    place = int(np.argmax(other["customer_id"] == "c07"))
    before = float(scored.features.loc[7, "orders_90d"])
    other.iloc[place, other.columns.get_loc("orders_90d")] = before + 2
    table = batch_skew(replace(scored, again=other), held(scored))
    assert {"features that were scored", "features of the snapshot"} <= differing(table)
    with pytest.raises(SkewError) as error:
        check_skew(table)
    told = str(error.value)
    assert (
        "features that were scored against training code: 1 of 60 rows differ, by up to 2;" in told
    )
    assert f"c07, 2018-01-01 00:00:00: orders_90d {before:g} and {before + 2:g}" in told


def test_a_value_that_is_known_on_one_side_only_differs(scored: Scored) -> None:
    other = scored.features.copy()
    other.loc[3, "discount_share"] = np.nan if other.loc[3, "discount_share"] >= 0 else 0.5
    table = batch_skew(replace(scored, again=other), held(scored))
    row = table.iloc[0]
    assert (row["differ"], np.isnan(row["largest"])) == (1, True)
    with pytest.raises(SkewError, match="nan"):
        check_skew(table)


def test_another_model_than_the_registry_holds_is_found(scored: Scored) -> None:
    shifted = replace(scored, scorer=replace(scored.scorer, intercept=0.4))
    table = batch_skew(shifted, held(scored))
    assert {"stored scores", "scores of the snapshot"} <= differing(table)
    reworded = {name: {**WORDS[name], "en": "other words"} for name in FEATURES}
    table = batch_skew(replace(scored, scorer=replace(scored.scorer, words=reworded)), held(scored))
    assert differing(table) == {"stored reasons", "reasons of the snapshot"}


def test_a_service_with_another_model_is_found(scored: Scored) -> None:
    people = held(scored)
    other = replace(scored.scorer, intercept=0.4)
    table = online_skew(scored, service(other, people))
    assert "scores over HTTP" in differing(table)
    with pytest.raises(SkewError, match="scores over HTTP against stored scores: 20 of 20"):
        check_skew(table)
    with pytest.raises(SkewError, match=r"answers with \w+:v2, the run has trained \w+:unsaved"):
        online_skew(scored, service(scored.scorer.with_version("v2"), people))


def test_a_stale_snapshot_is_found(scored: Scored) -> None:
    people = held(scored)
    people[5]["scores"] = {}
    people[6]["features"]["orders_90d"] += 1
    table = batch_skew(scored, people)
    assert differing(table) == {
        "features of the snapshot",
        "scores of the snapshot",
        "reasons of the snapshot",
    }
    for _, row in table[table["differ"] > 0].iterrows():
        assert row["differ"] == 1
    assert batch_skew(scored, [])["differ"].tolist() == [0, 0, 0, N, N, N]


def test_rows_that_the_training_code_does_not_give_differ(scored: Scored) -> None:
    table = batch_skew(replace(scored, again=scored.again.head(N - 4)), held(scored))
    assert table.iloc[0]["differ"] == 4


def test_nothing_to_compare_is_no_agreement(scored: Scored) -> None:
    empty = replace(scored, features=scored.features.head(0))
    with pytest.raises(SkewError, match="not evaluated: nothing to compare"):
        check_skew(online_skew(empty, service(scored.scorer, [])))


def test_a_trained_scorer_and_the_one_in_the_registry_are_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    names = {name: Measure("", "orders", w["en"], w["zh"]) for name, w in WORDS.items()}
    rows = pd.DataFrame(table(300, seed=5).astype(float), columns=list(FEATURES))
    rows["customer_id"] = [f"c{i:03d}" for i in range(300)]
    rows["target"] = (rng.random(300) < rows["orders_90d"].fillna(0) / 30).astype(float)
    for model, link in ((Model.CHURN, "logistic"), (Model.VALUE, "log")):
        trained = fit_scorer(rows, names, Recipe(model, link, SMALL, seed=1))  # type: ignore[arg-type]
        tag = registry.save(trained, toy_facts(trained), tmp_path)
        loaded = registry.load(tag, tmp_path)
        first, again = (score_table(rows, ["customer_id"], s) for s in (trained, loaded))
        columns = ["customer_id", "score", "reasons"]
        pd.testing.assert_frame_equal(first[columns], again[columns], check_exact=True)


def test_where_nothing_is_compared_nothing_differs() -> None:
    nothing = together([])
    assert list(nothing.columns) == list(COLUMNS)
    check_skew(nothing)
    one = pd.DataFrame([("churn:1", "a", "b", 3, 0, 0.0, "")], columns=list(COLUMNS))
    assert together([one, one])["n"].tolist() == [3, 3]
