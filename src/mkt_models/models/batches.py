"""Training and scoring of tables that do not fit into memory, from Parquet in batches.

XGBoost's external memory reads the file a row group at a time, keeps the feature values as bins of
one byte in a cache on disk, and gives the very trees of the in-memory path (a test compares them
bit by bit). It was chosen by measurement over XGBoost's Spark estimator too, which needs a Spark
driver with a JVM in this process and does not work over Spark Connect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost as xgb

from mkt_models.columns import CUSTOMER_ID
from mkt_models.models.boosting import (
    FOLDS,
    Calibration,
    Recipe,
    calibrated_scorer,
    calibration,
    require_both_kinds,
)
from mkt_models.models.scorer import Scorer
from mkt_models.models.scoring import score_table
from mkt_models.models.trainable import RowsError, require_target
from mkt_models.profiles.measures import Measure

BATCH_ROWS = 65_536
CALIBRATION_ROWS = 1_000_000
_HASHES = 2**32

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Batch:
    """Some rows of the file: features as float32, target, and a hash of each row's customer."""

    matrix: npt.NDArray[np.float32]
    target: npt.NDArray[np.float64]
    hashed: npt.NDArray[np.uint64]

    def where(self, rows: Mask) -> "_Batch":
        return _Batch(self.matrix[rows], self.target[rows], self.hashed[rows])

    def folds(self) -> npt.NDArray[np.uint64]:
        """The fold of each row: all rows of a customer have the same."""
        return self.hashed % np.uint64(FOLDS)


def fit_scorer_from_parquet(
    path: Path, features: dict[str, Measure], recipe: Recipe, cache: Path
) -> Scorer:
    """Train trees and calibrate them like ``fit_scorer``, in bounded memory.

    The trees are those of ``fit_scorer`` that start from a constant; amounts have no prediction
    intervals. The folds that calibrate
    probabilities are drawn by a hash of the customer instead of a shuffle, so slope and intercept
    differ a little from it; of more than a million rows those of a sample of customers calibrate.

    Parameters
    ----------
    path
        Parquet file of any grain: ``customer_id``, ``target`` and the features. The target may
        have no missing value.
    features
        The columns to use, with their words.
    recipe
        How to train.
    cache
        Folder for XGBoost's cache, about one byte per value; emptied afterwards. Memory holds a
        few batches, and of each row its target and gradient.

    Raises
    ------
    mkt_models.models.labels.LabelError
        When a class, or spend above zero, has fewer than ten rows, a target is none, or a
        feature is infinite.
    ValueError
        When the trees should start from a regression, which needs all rows in memory.
    KeyError
        When the file lacks a column.

    """
    if recipe.boosting.start != "constant":
        raise ValueError("boosting.start must be 'constant' for training from Parquet")
    rows, positives = _counted(path, recipe)
    require_both_kinds(rows, positives, recipe)
    names = list(features)
    cache.mkdir(parents=True, exist_ok=True)
    calibrated = Calibration(slope=1.0, intercept=0.0)
    if recipe.link == "logistic":
        calibrated = _calibrated(path, names, recipe, rows, cache)
    booster = _train(path, names, recipe, cache)
    return calibrated_scorer(booster, features, recipe, calibrated)


def score_parquet(path: Path, keys: Sequence[str], scorer: Scorer, to: Path, top: int = 3) -> int:
    """Score a Parquet file batch by batch into another, atomically; return the number of rows.

    The rows and columns are those of ``score_table``, in the order of the file, with ``top``
    reasons. Memory holds one batch.

    Raises KeyError when the file lacks a key or a feature.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_suffix(".partial")
    wanted = list(dict.fromkeys([*keys, *scorer.features]))
    source = _opened(path, wanted)
    kinds = [source.schema_arrow.field(key) for key in keys]
    numbers = [pa.field(n, pa.float64()) for n in ("score", "lower", "upper", "confidence")]
    texts = [pa.field("model", pa.string()), pa.field("reasons", pa.string())]
    schema = pa.schema([*kinds, *numbers, *texts])
    rows = 0
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in _batches(path, wanted):
            scored = score_table(batch.to_pandas(), keys, scorer, top)
            writer.write_table(pa.Table.from_pandas(scored, schema, preserve_index=False))
            rows += batch.num_rows
    partial.replace(to)
    return rows


class _Batches(xgb.DataIter):  # type: ignore[misc]
    """The rows of a file for XGBoost, a batch at a time; without those of one fold."""

    def __init__(
        self, path: Path, names: list[str], seed: int, cache: str | None, without: int | None
    ) -> None:
        self._path, self._names, self._seed, self._without = path, names, seed, without
        self._left: Iterator[_Batch] = iter(())
        super().__init__(cache_prefix=cache)

    def reset(self) -> None:
        folds = self._without is not None
        self._left = _read(self._path, self._names, self._seed, hashed=folds)

    def next(self, input_data: Any) -> bool:
        batch = next(self._left, None)
        if batch is None:
            return False
        if self._without is not None:
            batch = batch.where(batch.folds() != self._without)
        input_data(data=batch.matrix, label=batch.target, feature_names=self._names)
        return True


def _train(
    path: Path, names: list[str], recipe: Recipe, cache: Path, without: int | None = None
) -> xgb.Booster:
    with TemporaryDirectory(dir=cache) as folder:
        batches = _Batches(path, names, recipe.seed, str(Path(folder) / "bins"), without)
        data = xgb.ExtMemQuantileDMatrix(batches, nthread=1)
        booster = xgb.train(recipe.settings, data, num_boost_round=recipe.boosting.n_estimators)
        del data, batches  # close the cache before its folder goes
    return booster


def _calibrated(
    path: Path, names: list[str], recipe: Recipe, rows: int, cache: Path
) -> Calibration:
    """Calibrate on margins of trees that have not seen the row's customer."""
    kept = min(1.0, CALIBRATION_ROWS / rows)
    margins, targets = [], []
    for fold in range(FOLDS):
        booster = _train(path, names, recipe, cache, without=fold)
        for batch in _read(path, names, recipe.seed):
            sampled = batch.hashed // np.uint64(FOLDS) % np.uint64(_HASHES) < kept * _HASHES
            held_out = batch.where((batch.folds() == fold) & sampled)
            if len(held_out.target):
                margins.append(booster.inplace_predict(held_out.matrix, predict_type="margin"))
                targets.append(held_out.target)
    return calibration(np.concatenate(margins).astype(np.float64), np.concatenate(targets))


def _read(path: Path, names: list[str], seed: int, *, hashed: bool = True) -> Iterator[_Batch]:
    """Read the file in batches, in order; without ``hashed``, all customers are as one."""
    key = f"{seed % 10**16:016d}"
    wanted = [*names, "target", *([CUSTOMER_ID] if hashed else [])]
    for batch in _batches(path, wanted):
        matrix = np.empty((batch.num_rows, len(names)), dtype=np.float32)
        for number, name in enumerate(names):
            column = batch.column(name).to_numpy(zero_copy_only=False)
            matrix[:, number] = column.astype(np.float32)
            if np.isinf(matrix[:, number]).any():
                raise RowsError(f"{name} is infinite, or too large for a tree: make it missing")
        target = batch.column("target").to_numpy(zero_copy_only=False).astype(np.float64)
        hashes = np.zeros(batch.num_rows, dtype=np.uint64)
        if hashed:
            customers = batch.column(CUSTOMER_ID).to_pandas().astype("str").to_numpy(dtype=object)
            hashes = pd.util.hash_array(customers, hash_key=key)
        yield _Batch(matrix, target, hashes)


def _counted(path: Path, recipe: Recipe) -> tuple[int, int]:
    """Rows of the file, and those with a target above zero."""
    rows = positives = 0
    for batch in _batches(path, ["target"]):
        target = batch.column("target").to_numpy(zero_copy_only=False).astype(np.float64)
        require_target(target, recipe.link, recipe.name.value)
        rows, positives = rows + len(target), positives + int((target > 0).sum())
    return rows, positives


def _batches(path: Path, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    # With threads or buffers, Arrow reads ahead without a bound.
    yield from _opened(path, wanted).iter_batches(BATCH_ROWS, columns=wanted, use_threads=False)


def _opened(path: Path, wanted: Sequence[str]) -> pq.ParquetFile:
    source = pq.ParquetFile(path, pre_buffer=False)
    lacking = [name for name in wanted if name not in source.schema_arrow.names]
    if lacking:
        raise KeyError(f"{path}: no column {', '.join(lacking)}")
    return source
