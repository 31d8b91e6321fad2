"""How often the gate catches a planted bias, and how often it cries wolf.

Toy shops of 4,000 customers with five attributes as in the demo (22 groups, a quarter unknown), one
row per customer and cutoff, outcomes of a customer alike over the cutoffs. Of churn-like outcomes a
logistic model learns on three earlier cutoffs, from what tells of the outcome and, a little, of the
group; the audit judges three later ones. Spend-like amounts are skewed, and their predictions true.

Bias is planted in one group: in the labels (positives that are not recorded, at training and at
testing), in the scores (lowered), in the amounts (predictions lowered), or nowhere. Small shops of
200 to 2,000 customers have one attribute of two groups, known of everybody, or of four.

    python benchmarks/gate.py --seeds 200
    python benchmarks/gate.py --run params/demo.yaml

The second plants in the churn predictions of a finished run: in each group in turn, the scores are
lowered by the limit of the gate, or positives are not recorded, and the audit judges again.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from mkt_models import plots
from mkt_models.columns import Verdict
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.evaluation.fairness import group_table
from mkt_models.evaluation.gate import limits, verdict
from mkt_models.evaluation.groups import in_bands
from mkt_models.evaluation.inputs import Kind
from mkt_models.loading import load_params
from mkt_models.models.backtest import MODEL
from mkt_models.workspace import Workspace

HERE = Path(__file__).resolve().parent
CLASSES: Kind = "classification"
TRAIN, TEST, RATE = 3, 3, 0.26
ALIKE = 0.7  # correlation of the latent outcome of a customer over cutoffs, whose horizons overlap
# The demo's groups, and their shares of the customers whose attributes are known.
GROUPS = {
    "gender": [0.53, 0.47],
    "age_band": [0.11, 0.26, 0.28, 0.19, 0.12, 0.04],
    "income_band": [0.20, 0.31, 0.28, 0.14, 0.07],
    "marital_status": [0.67, 0.33],
    "region": [0.32, 0.16, 0.14, 0.13, 0.11, 0.08, 0.06],
}
# Where bias is planted: attribute and group, of 47, 28 and 6 in 100 customers.
PLANTED = {"gender": 1, "age_band": 2, "region": 6}


@dataclass(frozen=True)
class Shop:
    """Customers, the share of them whose attributes are known, the groups and where bias goes."""

    name: str
    customers: int
    known: float
    groups: Mapping[str, list[float]]
    planted: Mapping[str, int]


DEMO = Shop("demo", 4000, 0.75, GROUPS, PLANTED)
TWO, FOUR = {"group": [0.55, 0.45]}, {"group": [0.3, 0.28, 0.24, 0.18]}
# Kind, attribute, strengths (the gap in points, or over the mean amount), how many times the seeds.
CASES: list[tuple[str, str, list[float], int]] = [
    ("scores", "", [0.0], 2),
    ("amounts", "", [0.0], 2),
    ("scores", "gender", [0.03, 0.05, 0.075, 0.1], 1),
    ("scores", "age_band", [0.05, 0.075, 0.1, 0.15], 1),
    ("scores", "region", [0.1, 0.15, 0.2, 0.25], 1),
    ("labels", "gender", [0.1, 0.2], 1),
    ("labels", "age_band", [0.1, 0.2], 1),
    ("amounts", "age_band", [0.1, 0.2, 0.3], 1),
]
# Groups, and the one that is planted in: of 45 and of 24 in 100 customers.
SMALL: list[tuple[str, Mapping[str, list[float]], int]] = [("two", TWO, 1), ("four", FOUR, 2)]
SIZES = [200, 400, 1000, 2000]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--out", type=Path, default=HERE / "gate.json")
    parser.add_argument("--draw", action="store_true", help="only draw what was found")
    parser.add_argument("--run", type=Path, help="plant in this run's churn predictions instead")
    arguments = parser.parse_args()
    if arguments.run:
        print(planted_in(Workspace.open(arguments.run)).to_string(index=False))
        return
    if not arguments.draw:
        measure(arguments.seeds, arguments.out)
    found = pd.DataFrame(json.loads(arguments.out.read_text()))
    print(found.round(3).to_string(index=False))
    found = found[found["shop"] == DEMO.name]
    plots.style.figure_of(plots.detection(found)).savefig(arguments.out.with_suffix(".png"))


def measure(seeds: int, out: Path) -> None:
    """Write one row per kind, planted group and strength: what became of the model over seeds.

    Rows that ``out`` has already, of as many seeds or more, are kept: delete it to begin anew.
    """
    audit = load_params(HERE.parent / "params" / "demo.yaml").audit
    rows = json.loads(out.read_text()) if out.is_file() else []
    names = ("shop", "shop_customers", "kind", "attribute", "strength")
    done = {tuple(row[name] for name in names): row["seeds"] for row in rows}
    started = perf_counter()
    small = [
        (Shop(name, size, 1.0, groups, {"group": biased}), "scores", attribute, strength, seeds)
        for name, groups, biased in SMALL
        for size in SIZES
        for attribute, strength in (("", 0.0), ("group", 0.1), ("group", 0.15))
    ]
    cases = [(DEMO, k, a, s, seeds * more) for k, a, many, more in CASES for s in many]
    for shop, kind, attribute, strength, n in [*small, *cases]:
        case = (shop.name, shop.customers, kind, attribute, strength)
        if done.get(case, 0) >= n:
            continue
        runs = [one(seed, kind, attribute, strength, audit, shop) for seed in range(n)]
        row: dict[str, Any] = dict(zip(names, case, strict=True))
        row |= {"customers": int(np.mean([run["customers"] for run in runs])), "seeds": n}
        row["gap"] = float(np.mean([run["gap"] for run in runs]))
        for name in ("withheld", "failed", "before"):
            share = float(np.mean([run[name] for run in runs]))
            lower, upper = wilson_interval(share, n, 0.95)
            row |= {name: share, f"{name}_lower": lower, f"{name}_upper": upper}
        rows.append(row)
        out.write_text(json.dumps(rows, indent=1) + "\n")
        print(f"{perf_counter() - started:5.0f} s", row, flush=True)


def planted_in(workspace: Workspace) -> pd.DataFrame:
    """One row per group of a run's churn model: the gap planted in it, and what the gate says."""
    audit, seed = workspace.params.audit, workspace.params.seed
    people = in_bands(workspace.read_table("profile", "profiles"), audit.bands)
    rows = workspace.read_table("churn", "predictions").merge(
        people[["customer_id", *audit.attributes]], on="customer_id", how="left"
    )
    table = _judged(rows, list(audit.attributes), audit, seed, MODEL)
    limit = limits(table, "classification", audit.gate)[0].allowed
    found = []
    for _, group in table[table["judged"] & ~table["pair"]].iterrows():
        mine = (rows[group["attribute"]].astype(str) == group["group"]).to_numpy()
        lowered, unrecorded = rows.copy(), rows.copy()
        lowered.loc[mine, MODEL] = _lowered(rows.loc[mine, MODEL].to_numpy(), limit)
        lost = limit / rows.loc[mine, "target"].mean()
        gone = mine & (np.random.default_rng(seed).random(len(rows)) < lost)
        unrecorded.loc[gone, "target"] = 0
        row = {key: group[key] for key in ("attribute", "group", "n_customers")}
        for kind, planted in (("scores", lowered), ("labels", unrecorded)):
            again = _judged(planted, list(audit.attributes), audit, seed, MODEL)
            row[kind] = verdict(again, "classification", audit.gate, audit.confidence)[0].value
        found.append({**row, "planted": limit})
    return pd.DataFrame(found)


def one(
    seed: int, kind: str, attribute: str, strength: float, audit: Any, shop: Shop = DEMO
) -> dict[str, Any]:
    """Judge one toy shop: withheld (not passed), failed, and what the former rule said."""
    rng, n = np.random.default_rng([seed, 7]), shop.customers
    people = {name: rng.choice(len(s), n, p=_even(s)) for name, s in shop.groups.items()}
    planted = people[attribute] == shop.planted[attribute] if attribute else np.zeros(n, dtype=bool)
    test = _amounts(rng, n) if kind == "amounts" else _outcomes(rng, kind, planted, strength)
    mine = np.tile(planted, TEST)
    scale = float(test["target"].mean()) if kind == "amounts" else 1.0
    if kind == "scores" and attribute:
        test.loc[mine, "p"] = _lowered(test.loc[mine, "p"].to_numpy(), strength)
    elif kind == "amounts" and attribute:
        test.loc[mine, "p"] *= 1 - strength * scale / test.loc[mine, "p"].mean()
    known = np.tile(rng.random(n) < shop.known, TEST)
    for name, groups in people.items():
        test[name] = np.where(known, np.tile(groups, TEST).astype(str), None)
    of: Kind = "regression" if kind == "amounts" else "classification"
    table = _judged(test, list(shop.groups), audit, seed, "p", of)
    said, _ = verdict(table, of, audit.gate, audit.confidence)
    gap = float((test["target"] - test["p"])[mine & known].mean()) / scale if attribute else 0.0
    return {
        "customers": int((mine & known).sum() / TEST),
        "gap": gap,
        "withheld": said is not Verdict.PASS,
        "failed": said is Verdict.FAIL,
        "before": _former(table),
    }


def _judged(
    rows: pd.DataFrame, names: list[str], audit: Any, seed: int, model: str, kind: Kind = CLASSES
) -> pd.DataFrame:
    return group_table(
        rows,
        model,
        names,
        kind,
        audit.selected_share,
        audit.min_group_size,
        audit.min_group_positives,
        100,
        audit.confidence,
        seed,
        pairs=True,
        measures=["calibration_gap"],
    )


def _outcomes(rng: np.random.Generator, kind: str, planted: Any, strength: float) -> pd.DataFrame:
    """Rows of the later cutoffs, with the probabilities of a model of the earlier ones."""
    # Three things that tell of the outcome; one that tells of the group, with an AUC of .76.
    customers = len(planted)
    told = rng.normal(size=(customers, 3))
    proxy = planted + rng.normal(size=customers)
    latent = rng.normal(size=customers)
    parts = []
    for cutoff in range(TRAIN + TEST):
        now = told + 0.5 * rng.normal(size=told.shape)
        p = expit(-1.45 + now @ np.array([0.9, 0.6, -0.4]))
        noise = rng.normal(size=customers)
        happens = norm.cdf(np.sqrt(ALIKE) * latent + np.sqrt(1 - ALIKE) * noise) < p
        if kind == "labels":
            happens &= ~(planted & (rng.random(customers) < strength / RATE))
        columns = {f"x{i}": now[:, i] for i in range(3)} | {"x3": proxy, "target": happens}
        parts.append(pd.DataFrame(columns).assign(cutoff=cutoff, customer_id=np.arange(customers)))
    rows = pd.concat(parts, ignore_index=True).astype({"target": int})
    train, test = rows[rows["cutoff"] < TRAIN], rows[rows["cutoff"] >= TRAIN]
    features = ["x0", "x1", "x2", "x3"]
    model = LogisticRegression(C=np.inf).fit(train[features].to_numpy(), train["target"])
    scores = model.predict_proba(test[features].to_numpy())[:, 1]
    return test[["customer_id", "target"]].assign(p=scores).reset_index(drop=True)


def _amounts(rng: np.random.Generator, customers: int) -> pd.DataFrame:
    """Rows of the later cutoffs: lognormal amounts around their true means."""
    mean, latent = rng.normal(7, 0.6, customers), rng.normal(size=customers)
    parts = []
    for _ in range(TEST):
        z = np.sqrt(ALIKE) * latent + np.sqrt(1 - ALIKE) * rng.normal(size=customers)
        amounts = np.exp(mean + 0.7 * z - 0.7**2 / 2)
        columns = {"customer_id": np.arange(customers), "target": amounts, "p": np.exp(mean)}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _even(shares: list[float]) -> Any:
    return np.array(shares) / sum(shares)


def _lowered(score: Any, by: float) -> Any:
    """Scores shifted on their log-odds so that their mean falls by so much."""
    goal = max(float(score.mean()) - by, 0.005)
    shift = brentq(lambda s: expit(logit(score) + s).mean() - goal, -12, 12)
    return expit(logit(score) + shift)


def _former(table: pd.DataFrame) -> bool:
    """Whether a group's interval lies wholly beyond .1: all that withheld a model before."""
    single = table[table["judged"] & ~table["pair"]]
    reach = norm.ppf(1 - 0.025 / len(single)) * single["calibration_gap_error"]
    return bool((single["calibration_gap"].abs() - reach > 0.1).any())


if __name__ == "__main__":
    main()
