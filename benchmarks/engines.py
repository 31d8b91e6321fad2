"""What the engines cost: 44 point-in-time features at 1, 10 and 100 million order lines.

Each way computes the same features of one date from the same Parquet files, in a process of its
own: the package's portable SQL on DuckDB and on a local Spark, SQL written by hand for DuckDB
alone, and pandas. Their results are compared before their costs are.

    python benchmarks/engines.py --lines 1e6 1e7 1e8 --memory-gb 8

The data is Complete Journey repeated: household after household again, under new customer and
order numbers, until there are as many lines as wanted. `benchmarks/engines.json` keeps all
figures, `benchmarks/engines.md` the table, `benchmarks/engines.png` the plot.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from engines_by_hand import by_hand_in_duckdb, by_hand_in_pandas  # noqa: E402
from measuring import measured  # noqa: E402

from mkt_models.cleaning import clean  # noqa: E402
from mkt_models.engine import connect, literal, open_engine, register  # noqa: E402
from mkt_models.loading import load_params  # noqa: E402
from mkt_models.params import Engine  # noqa: E402
from mkt_models.profiles.features import features_at, prepare_orders  # noqa: E402
from mkt_models.sources.read import extract  # noqa: E402
from mkt_models.spark_server import running, spark_home  # noqa: E402

AS_OF = date(2018, 1, 1)
BY_HAND, PORTABLE = "hand-written DuckDB SQL", "portable SQL on DuckDB"
PANDAS, SPARK = "pandas", "portable SQL on Spark"
WAYS = {"hand": BY_HAND, "portable": PORTABLE, "pandas": PANDAS, "spark": SPARK}


def main() -> None:
    arguments = _arguments()
    if arguments.work:
        print(json.dumps(_work(arguments)))
        return
    found = [] if arguments.fresh or not arguments.out.is_file() else _kept(arguments.out)
    for lines in arguments.lines:
        folder = make_data(arguments.data, int(lines), arguments.memory_gb, arguments.threads)
        for way in arguments.ways:
            for _ in range(arguments.repeats):
                run = _in_a_process(way, folder, arguments)
                print(json.dumps(run), flush=True)
                found.append(run)
    table = summary(pd.DataFrame(found))
    kept = {
        "machine": _machine(),
        "runs": found,
        "table": json.loads(table.to_json(orient="records")),
    }
    arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
    arguments.out.with_suffix(".md").write_text(_markdown(table))
    print(table.to_string(index=False))
    plot(table, arguments.out.with_suffix(".png"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", type=float, nargs="+", default=[1e6], help="sizes of the data")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--repeats", type=int, default=3, help="the median by CPU counts")
    parser.add_argument("--memory-gb", type=float, default=8.0, help="bound that is set")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "benchmarks")
    parser.add_argument("--out", type=Path, default=HERE / "engines.json")
    parser.add_argument("--spark", type=Path, default=ROOT / ".venv-spark", help="environment")
    parser.add_argument("--fresh", action="store_true", help="forget the runs that were kept")
    parser.add_argument("--work", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_data(data: Path, lines: int, memory_gb: float, threads: int) -> Path:
    """Make clean tables of about so many order lines, in bounded memory, unless they are there."""
    folder = data / f"{lines}"
    if (folder / "outcomes.parquet").is_file():
        return folder
    engine = Engine(memory_limit_gb=memory_gb, threads=threads)
    params = load_params(ROOT / "params" / "complete_journey.yaml")
    real = data / "complete_journey"
    with connect(engine, data / "spill") as con:
        if not (real / "clean" / "outcomes.parquet").is_file():
            extract(con, params.source, params.seed, real / "raw")
            clean(
                con,
                params.source,
                params.cleaning,
                params.profile.as_of,
                real / "raw",
                real / "clean",
                real / "quarantine",
            )
    folder.mkdir(parents=True, exist_ok=True)
    with connect(engine, data / "spill") as con:
        register(con, real / "clean")
        whole = int(con.execute("SELECT count(*) FROM transactions").fetchall()[0][0])
        # Of every 10,000 households, by a hash of its number and the copy, so many are taken.
        copies, share = -(-lines // whole), lines / whole / -(-lines // whole)
        taken = (
            f"FROM %s AS t, range({copies}) AS copies(copy) "
            f"WHERE hash(t.customer_id || '/' || copy) %% 10000 < {round(share * 10000)}"
        )
        again = "t.customer_id || '-' || copy AS customer_id"
        queries = {
            "transactions": f"SELECT t.* REPLACE ({again}, t.order_id || '-' || copy AS order_id) ",
            "exposures": f"SELECT t.* REPLACE ({again}) ",
            "outcomes": f"SELECT t.* REPLACE ({again}) ",
        }
        con.execute(f"COPY products TO {literal(folder / 'products.parquet')} (FORMAT parquet)")
        for name, query in queries.items():
            path = literal(folder / f"{name}.parquet")
            con.execute(f"COPY ({query}{taken % name}) TO {path} (FORMAT parquet)")
    return folder


def _in_a_process(way: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [
        *(sys.executable, str(Path(__file__).resolve()), "--work", way, "--folder", str(folder)),
        *("--memory-gb", str(arguments.memory_gb), "--threads", str(arguments.threads)),
        *("--spark", str(arguments.spark), "--data", str(arguments.data)),
    ]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | threads
    )
    base = {"way": WAYS[way], "lines": int(folder.name), "memory_gb": arguments.memory_gb}
    if done.returncode:
        return base | {"failed": (done.stderr.strip().splitlines() or ["killed"])[-1]}
    return base | json.loads(done.stdout.splitlines()[-1])


def _work(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compute the features once in this process; say what it cost and what came out."""
    folder, engine = arguments.folder, _engine(arguments)
    spill = arguments.data / "spill"
    compute: Callable[[], object]
    with ExitStack() as opened:
        if arguments.work == "pandas":
            _bound_to_the_machine()

            def compute() -> object:
                return by_hand_in_pandas(folder, AS_OF)

        elif arguments.work == "hand":

            def compute() -> object:
                with connect(engine, spill) as con:
                    return by_hand_in_duckdb(con, folder, AS_OF)

        else:
            if arguments.work == "spark":
                server = opened.enter_context(
                    running(spark_home(arguments.spark), arguments.threads, arguments.memory_gb)
                )
                engine = engine.model_copy(update={"url": server.url})

            def compute() -> object:
                with open_engine(engine, spill) as con:
                    register(con, folder)
                    prepare_orders(con)
                    return features_at(con, [AS_OF])

        result, cost = measured(compute)
    return asdict(cost) | _facts(pd.DataFrame(result), folder)


def _bound_to_the_machine() -> None:
    """Let a way that knows no bound fail by itself, before the machine ends another process."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    resource.setrlimit(resource.RLIMIT_AS, (int(0.85 * machine),) * 2)


def _engine(arguments: argparse.Namespace) -> Engine:
    return Engine(memory_limit_gb=arguments.memory_gb, threads=arguments.threads)


def _facts(frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """What must be equal between the ways: rows, and the sum of every feature to 9 digits."""
    features = frame.drop(columns=["as_of"], errors="ignore").set_index("customer_id")
    with duckdb.connect() as con:
        path = literal(folder / "transactions.parquet")
        lines = con.execute(f"SELECT count(*) FROM read_parquet({path})").fetchall()[0][0]
    sums = {name: f"{float(features[name].sum()):.9g}" for name in sorted(features)}
    return {"actual_lines": int(lines), "customers": len(features), "sums": sums}


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per size and way: the run of median CPU, and its ratio to the one by hand.

    Raises ValueError when two ways of one size have not found the same.
    """
    if "failed" not in runs:
        runs = runs.assign(failed=None)
    good = runs[runs["failed"].isna()]
    for lines, group in good.groupby("lines"):
        pairs = zip(group["sums"], group["way"], strict=True)
        found = {json.dumps(sums, sort_keys=True): way for sums, way in pairs}
        if len(found) > 1:
            one, other = (json.loads(text) for text in list(found)[:2])
            differ = [name for name in one if one[name] != other.get(name)]
            raise ValueError(f"{lines} lines: {list(found.values())} differ in {differ}")
    rows = []
    for (lines, way), group in runs.groupby(["lines", "way"], sort=True):
        done = group[group["failed"].isna()].sort_values("cpu_s")
        if done.empty:
            rows.append({"lines": lines, "way": way, "failed": group["failed"].iloc[0]})
            continue
        middle = done.iloc[(len(done) - 1) // 2]
        kept = ["lines", "way", "wall_s", "cpu_s", "peak_gb", "memory_gb", "actual_lines"]
        rows.append(dict(middle[kept]) | {"runs": len(done), "customers": middle["customers"]})
    table = pd.DataFrame(rows)
    base = table[table["way"] == BY_HAND].set_index("lines")["cpu_s"]
    return table.assign(to_by_hand=table["cpu_s"] / table["lines"].map(base))


def _kept(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["runs"])


def _machine() -> dict[str, object]:
    system, python = platform.system(), platform.python_version()
    return {"system": system, "cores": os.cpu_count(), "python": python}


def _markdown(table: pd.DataFrame) -> str:
    columns = ("lines", "way", "wall s", "CPU s", "peak GB", "CPU to hand-written")
    head = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    rows = []
    for row in table.to_dict("records"):
        if pd.isna(row["cpu_s"]):
            rows.append(f"| {row['lines']:,} | {row['way']} | failed: {row['failed']} | | | |")
            continue
        rows.append(
            f"| {row['lines']:,} | {row['way']} | {row['wall_s']:.1f} | {row['cpu_s']:.1f} "
            f"| {row['peak_gb']:.2f} | {row['to_by_hand']:.2f} |"
        )
    return head + "\n".join(rows) + "\n"


def plot(table: pd.DataFrame, path: Path) -> None:
    """Draw CPU time and memory against size, for those ways that came to an end."""
    import matplotlib.pyplot as plt

    from mkt_models.plots import engine_costs, use_style

    plt.switch_backend("agg")
    use_style()
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(8.5, 7.5), layout="constrained")
    engine_costs(table, upper)
    engine_costs(table, lower, what="peak_gb")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
