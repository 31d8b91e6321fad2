"""The registry: what is saved comes back, in the store that was named and in no other."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from mkt_models.columns import SCORING_MODELS
from mkt_models.models import registry
from mkt_models.models.conformal import PredictionIntervals
from mkt_models.models.scorer import Scorer

ORIGIN = {
    "params": {"seed": 1, "first": date(2017, 4, 10), "households": None, "dates": [None, 2]},
    "data_hash": "ab12",
    "metrics": {"auc": np.float64(0.857), "brier": float("nan")},
}


def test_a_scorer_comes_back_as_it_was(tmp_path: Path, churn: Scorer) -> None:
    tag = registry.save(churn, home=tmp_path, **ORIGIN)
    again = registry.load(tag, tmp_path)
    assert tag == f"mkt-churn:{again.version}"
    assert again.tag == f"churn:{again.version}"
    assert again.words == {feature: dict(words) for feature, words in churn.words.items()}
    rows = np.array([[80, 1, np.nan], [2, 25, 0.5]], dtype=np.float32)
    np.testing.assert_array_equal(again.predict(rows), churn.predict(rows))
    assert again.reasons(rows) == churn.reasons(rows)


def test_intervals_come_back_as_they_were(tmp_path: Path, value: Scorer) -> None:
    intervals = PredictionIntervals((40.0,), (0.1, 0.5), (3.0, 2.0), 0.8, 500)
    saved = replace(value, intervals=intervals)
    tag = registry.save(saved, home=tmp_path, **ORIGIN)
    assert registry.load(tag, tmp_path).intervals == intervals
    assert registry.save(value, home=tmp_path, **ORIGIN) != tag  # other contents, another model


def test_the_origin_is_kept(tmp_path: Path, churn: Scorer) -> None:
    model = registry.find(registry.save(churn, home=tmp_path, **ORIGIN), tmp_path)
    kept = model.info.metadata
    assert kept["params"] == {"seed": 1, "first": "2017-04-10", "dates": ["not available", 2]}
    assert kept["metrics"] == {"auc": 0.857}
    assert kept["data_hash"] == "ab12"
    assert kept["features"] == list(churn.features)
    assert not list(Path(model.path).rglob("*.pkl"))


def test_equal_contents_are_one_model_and_the_last_saved_is_latest(
    tmp_path: Path, churn: Scorer
) -> None:
    first = registry.save(churn, home=tmp_path, **ORIGIN)
    second = registry.save(churn, home=tmp_path, **{**ORIGIN, "data_hash": "cd34"})
    assert first != second
    assert registry.load("mkt-churn:latest", tmp_path).version == second.split(":")[1]
    assert registry.save(churn, home=tmp_path, **ORIGIN) == first
    assert registry.load("mkt-churn:latest", tmp_path).version == first.split(":")[1]
    assert len(list((tmp_path / "models" / "mkt-churn").glob("*/"))) == 2


def test_only_the_named_store_is_touched(
    tmp_path: Path, churn: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "elsewhere"))
    registry.save(churn, home=tmp_path / "here", **ORIGIN)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(registry.RegistryError, match="mkt-churn:latest: not in the store"):
        registry.load("mkt-churn:latest", tmp_path / "other")


def test_a_broken_model_says_so(tmp_path: Path, churn: Scorer) -> None:
    tag = registry.save(churn, home=tmp_path, **ORIGIN)
    folder = Path(registry.find(tag, tmp_path).path)
    (folder / registry.TREES).write_bytes(b"")
    with pytest.raises(registry.RegistryError, match=f"{tag}: not readable"):
        registry.load(tag, tmp_path)
    (folder / registry.SCORER).write_text("{}")
    with pytest.raises(registry.RegistryError, match=f"{tag}: not readable"):
        registry.load(tag, tmp_path)


def test_names_of_all_models_that_score() -> None:
    names = [registry.name_of(model) for model in SCORING_MODELS]
    assert names == ["mkt-churn", "mkt-value", "mkt-propensity"]


def test_a_snapshot_holds_its_files(tmp_path: Path) -> None:
    database, catalogue = tmp_path / "a.sqlite", tmp_path / "b.yaml"
    database.write_bytes(b"rows")
    catalogue.write_text("strategies: []")
    tag = registry.save_snapshot(database, catalogue, params={"k": 3}, home=tmp_path)
    model = registry.find(tag, tmp_path)
    assert model.tag.name == "mkt-snapshot"
    files = {p.name for p in Path(model.path).iterdir()} - {"model.yaml"}
    assert files == set(registry.SNAPSHOT_FILES)
    assert Path(model.path_of("snapshot.sqlite")).read_bytes() == b"rows"
    assert json.loads(Path(model.path_of("params.json")).read_text()) == {"k": 3}


def test_a_model_that_a_run_does_not_have_is_a_statement(tmp_path: Path, churn: Scorer) -> None:
    registry.save(churn, home=tmp_path, **ORIGIN)
    registry.save_absence(churn.name, "the source has no campaigns", tmp_path)
    latest = registry.find("mkt-churn:latest", tmp_path)
    assert registry.absence(latest) == "the source has no campaigns"
    with pytest.raises(registry.RegistryError, match="not readable as a scorer"):
        registry.load("mkt-churn:latest", tmp_path)
    registry.save(churn, home=tmp_path, **ORIGIN)
    assert registry.absence(registry.find("mkt-churn:latest", tmp_path)) is None
