from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from models.test_boosting import CHURN, FEATURES, VALUE, planted

from mkt_models.models import batches
from mkt_models.models.batches import fit_scorer_from_parquet, score_parquet
from mkt_models.models.boosting import fit_scorer
from mkt_models.models.labels import LabelError
from mkt_models.models.scoring import score_table


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Three thousand rows in a file that is read in batches of 700."""
    monkeypatch.setattr(batches, "BATCH_ROWS", 700)
    frame, _ = planted(3000)
    frame.to_parquet(tmp_path / "rows.parquet", index=False, row_group_size=900)
    return frame


@pytest.mark.parametrize("recipe", [CHURN, VALUE], ids=["probability", "amount"])
def test_the_trees_are_those_of_the_path_in_memory(rows: pd.DataFrame, tmp_path: Path, recipe):
    found = fit_scorer_from_parquet(tmp_path / "rows.parquet", FEATURES, recipe, tmp_path / "cache")
    whole = fit_scorer(rows, FEATURES, recipe)
    assert found.booster.save_raw("json") == whole.booster.save_raw("json")
    assert (found.features, found.words, found.link) == (whole.features, whole.words, whole.link)
    assert found.slope == pytest.approx(whole.slope, rel=0.1)
    assert found.intercept == pytest.approx(whole.intercept, abs=0.1)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_size_of_the_batches_does_not_matter(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "rows.parquet"
    one = fit_scorer_from_parquet(path, FEATURES, CHURN, tmp_path)
    monkeypatch.setattr(batches, "BATCH_ROWS", 10_000)
    other = fit_scorer_from_parquet(path, FEATURES, CHURN, tmp_path)
    assert (one.slope, one.intercept) == (other.slope, other.intercept)
    assert one.booster.save_raw("json") == other.booster.save_raw("json")


def test_the_rows_of_a_customer_are_held_out_together(rows: pd.DataFrame, tmp_path: Path):
    seen = {}
    for batch in batches._read(tmp_path / "rows.parquet", list(FEATURES), seed=11):
        for customer, fold in zip(batch.hashed, batch.folds(), strict=True):
            assert seen.setdefault(customer, fold) == fold
    assert len(seen) == 1000
    sizes = np.bincount(list(map(int, seen.values())))
    assert len(sizes) == 4
    assert sizes.min() > 200


def test_a_sample_of_customers_calibrates_a_large_table(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "rows.parquet"
    whole = fit_scorer_from_parquet(path, FEATURES, CHURN, tmp_path)
    asked = []
    monkeypatch.setattr(batches, "CALIBRATION_ROWS", 1500)
    monkeypatch.setattr(
        batches, "calibration", lambda m, t: asked.append(len(m)) or batches.Calibration(1.0, 0.0)
    )
    fit_scorer_from_parquet(path, FEATURES, CHURN, tmp_path)
    assert 1300 < asked[0] < 1700
    assert whole.slope != 1.0


def test_scores_are_those_of_the_path_in_memory(rows: pd.DataFrame, tmp_path: Path):
    scorer = fit_scorer(rows, FEATURES, CHURN)
    path, to = tmp_path / "rows.parquet", tmp_path / "deep" / "scores.parquet"
    assert score_parquet(path, ["customer_id"], scorer, to, top=2) == 3000
    expected = score_table(rows, ["customer_id"], scorer, top=2)
    pd.testing.assert_frame_equal(pd.read_parquet(to), expected, check_exact=True)
    assert [p.name for p in to.parent.iterdir()] == ["scores.parquet"]


def test_without_reasons_the_scores_are_the_same(rows: pd.DataFrame, tmp_path: Path):
    scorer = fit_scorer(rows, FEATURES, CHURN)
    to = tmp_path / "scores.parquet"
    score_parquet(tmp_path / "rows.parquet", ["customer_id"], scorer, to, top=0)
    found = pd.read_parquet(to)
    assert set(found["reasons"]) == {"[]"}
    expected = score_table(rows, ["customer_id"], scorer)["score"]
    pd.testing.assert_series_equal(found["score"], expected, check_exact=True)


def test_a_column_that_lacks_is_named(rows: pd.DataFrame, tmp_path: Path):
    rows.drop(columns="noise").to_parquet(tmp_path / "less.parquet")
    with pytest.raises(KeyError, match=r"less\.parquet: no column noise"):
        fit_scorer_from_parquet(tmp_path / "less.parquet", FEATURES, CHURN, tmp_path)
    scorer = fit_scorer(rows, FEATURES, CHURN)
    with pytest.raises(KeyError, match="no column noise"):
        score_parquet(tmp_path / "less.parquet", ["customer_id"], scorer, tmp_path / "to.parquet")


def test_too_few_of_a_kind_are_refused(rows: pd.DataFrame, tmp_path: Path):
    rows.assign(target=0.0).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(LabelError, match="0 of 3000 training rows have a target above 0"):
        fit_scorer_from_parquet(
            tmp_path / "none.parquet", FEATURES, replace(CHURN, seed=1), tmp_path
        )
