"""Uplift held against the truth of the simulator: how well it ranks, and how often it is wrong.

    .venv/bin/mkt run params/demo.yaml --stages 02_clean \\
        --set run=uplift seed=12 source.customers=20000 source.browsing=0.05
    .venv/bin/python benchmarks/uplift.py

Four parts. The learners are trained on the campaigns before the test campaigns, and ranked on
these against the true uplift (the difference of the true probabilities of an order). Trials are
drawn anew: a sample of the customers, arms by their probabilities, orders by their true ones; how
often do the intervals of the effect and of Qini hold the truth? The same where a contact changes
nothing: how often is something claimed? And the whole procedure, training and choice with it, on
small trials in which a contact changes nothing.
"""

import argparse
import json
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from scipy.stats import spearmanr

from mkt_models.engine import connect, register
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.evaluation.inputs import TARGET
from mkt_models.evaluation.metrics import Ranking
from mkt_models.evaluation.qini import qini, qini_table
from mkt_models.evaluation.uplift import effect_table, verdict
from mkt_models.models import contact_features, uplift_trials
from mkt_models.models.propensity import features_of_propensity
from mkt_models.models.uplift import RESPONSE
from mkt_models.models.uplift_backtest import Bootstrap, uplift_backtest
from mkt_models.profiles.features import prepare_orders
from mkt_models.uplift_params import Learner, Trees, Uplift
from mkt_models.workspace import Workspace

HERE = Path(__file__).resolve().parent
OVERRIDES: dict[str, object] = {
    "run": "uplift",
    "seed": 12,
    "source.customers": 20_000,
    "source.browsing": 0.05,
}
FEATURES = [*features_of_propensity(), *contact_features.CONTACT_FEATURES]
CUSTOMERS, N_BOOTSTRAP, CONFIDENCE = 3000, 200, 0.95
LEARNERS = (Learner.T, Learner.DR, Learner.CLASS)  # of an order; of spend see policies.py
# The whole procedure, several hundred times: few customers, and few trees.
SMALL = Uplift(
    response="ordered",
    learners=LEARNERS,
    test_campaigns=3,
    validation_campaigns=3,
    min_arm=50,
    folds=2,
    trees=Trees(n_estimators=20, learning_rate=0.2, min_child_weight=20, reg_lambda=20),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--procedures", type=int, default=200)
    parser.add_argument("--out", type=Path, default=HERE / "uplift.json")
    arguments = parser.parse_args()
    started = process_time()
    rows, settings = with_truth(), Uplift(response="ordered", learners=LEARNERS)
    found: dict[str, Any] = {"rows": len(rows), "customers": int(rows["customer_id"].nunique())}
    trials = ranked(rows, settings, found)
    print(json.dumps(found, indent=1), f"{process_time() - started:.0f} CPU s", flush=True)
    found |= repeated(trials, arguments.draws, nothing=False)
    found |= repeated(trials, arguments.draws, nothing=True)
    print(f"{process_time() - started:.0f} CPU s", flush=True)
    found |= procedures(rows, arguments.procedures)
    found["cpu_s"] = round(process_time() - started)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def with_truth() -> pd.DataFrame:
    """One row per trial: features, what happened, and the true probabilities of an order."""
    ws = Workspace.open(HERE.parent / "params" / "demo.yaml", OVERRIDES)
    con = connect(ws.params.engine, ws.spill)
    register(con, ws.existing("clean", "transactions.parquet").parent)
    prepare_orders(con)
    trials = uplift_trials.trials(con, ws.params.profile.as_of)
    print(trials.in_words())
    truth = ws.read_table("truth", "exposures").drop(columns="arm")
    rows = contact_features.with_contact(con, trials.rows).merge(
        truth, on=["customer_id", "campaign_id"], validate="one_to_one"
    )
    true = rows["p_order_if_contacted"] - rows["p_order_if_not"]
    return rows.assign(true=true, **{TARGET: rows["ordered"].astype("float64")})


def ranked(rows: pd.DataFrame, settings: Uplift, found: dict[str, Any]) -> pd.DataFrame:
    """Hold every learner's ranking of the test campaigns against the truth; give the test rows."""
    how = Bootstrap(1000, CONFIDENCE, 12)
    began = process_time()
    judged = uplift_backtest(rows, FEATURES, settings, how)
    found["backtest_cpu_s"] = round(process_time() - began)
    train, validation, test = uplift_trials.split_by_time(
        rows, settings.validation_campaigns, settings.test_campaigns
    )
    known = pd.concat([train, validation])
    names = [*(one.value for one in settings.learners), RESPONSE]
    # The very best that these features can do: trees that learn the true uplift itself.
    trees = settings.trees
    best = xgb.train(
        {"max_depth": 6, "eta": 0.1, "colsample_bytree": 0.5, "seed": 1, "nthread": 1},
        xgb.DMatrix(known[FEATURES].to_numpy(np.float32), known["true"]),
        num_boost_round=trees.n_estimators,
    )
    truth = test["true"].to_numpy()
    one = np.ones((1, len(truth)))
    oracle = float(qini(one, truth, Ranking.of(truth))[0])
    scores = {name: judged.predictions[name].to_numpy() for name in names}
    scores["attainable"] = best.inplace_predict(test[FEATURES].to_numpy(np.float32))
    shown = judged.test.set_index("model")
    found["chosen"], found["says"] = judged.chosen.value, list(judged.claim.says)
    found["oracle_qini"] = oracle
    for name, score in scores.items():
        true = float(qini(one, truth, Ranking.of(np.asarray(score, dtype=np.float64)))[0])
        row = {"spearman": float(spearmanr(score, truth)[0]), "of_oracle": true / oracle}
        row["true_qini"] = true
        if name in shown.index:
            row |= {k: float(shown.loc[name, k]) for k in ("qini", "qini_lower", "qini_upper")}
            row["qini_normalised"] = float(shown.loc[name, "qini_normalised"])
        found[name] = row
    effect = judged.effects.iloc[0]
    found["effect"] = {k: float(effect[k]) for k in ("effect", "effect_lower", "effect_upper")}
    found["effect"]["true"] = float(rows["true"].mean())
    keys = ["customer_id", "campaign_id"]
    columns = [*keys, "p_order_if_contacted", "p_order_if_not", "true"]
    return judged.predictions.merge(test[columns], on=keys, validate="one_to_one")


def drawn(trials: pd.DataFrame, rng: np.random.Generator, nothing: bool) -> pd.DataFrame:
    """Draw arms by their probabilities, and orders by their true ones; of either arm alike."""
    treated = (rng.random(len(trials)) < trials["assignment_probability"]).astype("float64")
    contacted = trials["p_order_if_not" if nothing else "p_order_if_contacted"]
    chance = np.where(treated == 1, contacted, trials["p_order_if_not"])
    return trials.assign(
        treated=treated, **{TARGET: (rng.random(len(trials)) < chance).astype("float64")}
    )


def repeated(trials: pd.DataFrame, draws: int, nothing: bool) -> dict[str, Any]:
    """Judge many trials of a sample of customers: what is claimed, and is the truth inside?"""
    everyone, truth = trials["customer_id"].unique(), trials["true"].to_numpy()
    one, model = np.ones((1, len(truth))), "dr_learner"
    true_qini = float(qini(one, truth, Ranking.of(trials[model].to_numpy()))[0])
    true_effect, true_area = (0.0, 0.0) if nothing else (float(truth.mean()), true_qini)
    counts = dict.fromkeys(("effect_held", "qini_held", "effect_claimed", "ranking_claimed"), 0)
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        some = pd.Series(rng.choice(everyone, CUSTOMERS, replace=False))
        sample = drawn(trials[trials["customer_id"].isin(some)], rng, nothing)
        how = (N_BOOTSTRAP, CONFIDENCE, draw)
        effects = effect_table(sample, [TARGET], *how)
        areas = qini_table(sample, [model], *how)
        claim = verdict(effects, areas, TARGET, model)
        effect, area = effects.iloc[0], areas.iloc[0]
        counts["effect_held"] += effect["effect_lower"] <= true_effect <= effect["effect_upper"]
        counts["qini_held"] += area["qini_lower"] <= true_area <= area["qini_upper"]
        counts["effect_claimed"] += claim.effect
        counts["ranking_claimed"] += claim.ranking
    name = "nothing" if nothing else "planted"
    found = {which: _share(n, draws) for which, n in counts.items()}
    return {name: {"draws": draws, "customers": CUSTOMERS, **found}}


def procedures(rows: pd.DataFrame, draws: int) -> dict[str, Any]:
    """Train, choose and judge on small trials in which a contact changes nothing."""
    everyone, claimed = rows["customer_id"].unique(), {"effect": 0, "ranking": 0}
    for draw in range(draws):
        rng = np.random.default_rng(10_000 + draw)
        some = pd.Series(rng.choice(everyone, 800, replace=False))
        sample = drawn(rows[rows["customer_id"].isin(some)], rng, nothing=True)
        sample = sample.assign(ordered=sample[TARGET], redeemed=0, spend=0.0)
        claim = uplift_backtest(sample, FEATURES, SMALL, Bootstrap(100, CONFIDENCE, draw)).claim
        claimed["effect"] += claim.effect
        claimed["ranking"] += claim.ranking
    found = {f"{which}_claimed": _share(n, draws) for which, n in claimed.items()}
    return {"whole_procedure_nothing": {"draws": draws, "customers": 800, **found}}


def _share(n: int, of: int) -> list[float]:
    share = n / of
    return [round(one, 4) for one in (share, *wilson_interval(share, of, CONFIDENCE))]


if __name__ == "__main__":
    main()
