"""What training beyond memory costs: the same trees from memory, from bins in memory, from disk.

Each way trains a churn-like model on the same Parquet file of drawn features, in a process of its
own: `memory` as the stages do, `bins` with XGBoost's quantised matrix filled in batches, `disk`
with its external memory, as `models/batches.py` does. Without calibration, so that only the trees
are compared; their hashes must be equal.

    python benchmarks/training.py --rows 2e6 --trees 10
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost as xgb

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from measuring import measured  # noqa: E402

from mkt_models.columns import Model  # noqa: E402
from mkt_models.loading import load_params  # noqa: E402
from mkt_models.models import batches, boosting  # noqa: E402
from mkt_models.models.boosting import Recipe  # noqa: E402

FEATURES = [f"feature_{number}" for number in range(44)]
WAYS = ("memory", "bins", "disk")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=float, default=2e6)
    parser.add_argument("--trees", type=int, default=10)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "benchmarks")
    parser.add_argument("--out", type=Path, default=HERE / "training.json")
    parser.add_argument("--work", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    path = make_data(arguments.data, int(arguments.rows))
    if arguments.work:
        print(json.dumps(_work(arguments.work, path, arguments.trees, arguments.data)))
        return
    found = [_in_a_process(way, arguments) for way in arguments.ways]
    if len({run["trees_sha256"] for run in found}) > 1:
        raise SystemExit(f"the trees differ: {found}")
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(pd.DataFrame(found).drop(columns="trees_sha256").to_string(index=False))


def make_data(data: Path, rows: int) -> Path:
    """Draw a table of so many rows, a row group at a time, unless it is there."""
    path = data / f"training_{rows}.parquet"
    if path.is_file():
        return path
    data.mkdir(parents=True, exist_ok=True)
    rng, partial = np.random.default_rng(0), path.with_suffix(".partial")
    writer: pq.ParquetWriter | None = None
    for start in range(0, rows, batches.BATCH_ROWS):
        n = min(batches.BATCH_ROWS, rows - start)
        matrix = rng.normal(size=(n, len(FEATURES)))
        matrix[:, ::3] = np.round(np.abs(matrix[:, ::3]) * 5)  # counts, and amounts beside them
        matrix[rng.random(matrix.shape) < 0.03] = np.nan
        known = np.nan_to_num(matrix)
        odds = 0.3 * known[:, 0] - known[:, 1] + 0.5 * known[:, 2] * known[:, 4]
        target = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
        columns = {name: matrix[:, number] for number, name in enumerate(FEATURES)}
        customers = [str(start + number) for number in range(n)]
        table = pa.table({"customer_id": customers, "target": target, **columns})
        writer = writer or pq.ParquetWriter(partial, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    partial.replace(path)
    return path


def _in_a_process(way: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).resolve()), "--work", way]
    command += ["--rows", str(arguments.rows), "--trees", str(arguments.trees)]
    command += ["--data", str(arguments.data)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | threads
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _work(way: str, path: Path, trees: int, data: Path) -> dict[str, Any]:
    params = load_params(ROOT / "params" / "complete_journey.yaml")
    settings = params.churn.boosting.model_copy(update={"n_estimators": trees})
    recipe = Recipe(Model.CHURN, "logistic", settings, seed=params.seed)

    def train() -> xgb.Booster:
        if way == "memory":
            rows = pd.read_parquet(path, columns=[*FEATURES, "target"])
            matrix = rows[FEATURES].to_numpy(dtype=np.float32)
            return boosting._train(matrix, rows["target"].to_numpy(), FEATURES, recipe)
        with TemporaryDirectory(dir=data) as cache:
            if way == "disk":
                return batches._train(path, FEATURES, recipe, Path(cache))
            rows_of = batches._Batches(path, FEATURES, recipe.seed, None, None)
            binned = xgb.QuantileDMatrix(rows_of, nthread=1)
            return xgb.train(recipe.settings, binned, num_boost_round=trees)

    booster, cost = measured(train)
    assert isinstance(booster, xgb.Booster)
    digest = hashlib.sha256(booster.save_raw("json")).hexdigest()
    rows = pq.ParquetFile(path).metadata.num_rows
    return {"way": way, "rows": rows, "trees": trees, **asdict(cost), "trees_sha256": digest}


if __name__ == "__main__":
    main()
