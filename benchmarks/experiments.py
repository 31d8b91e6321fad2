"""Experiments held against the truth: how often is something claimed where nothing happened?

    .venv/bin/python benchmarks/experiments.py

Simulated experiments of two arms and one metric, many times. **Nothing happens**: how often is an
effect claimed by one look at the planned size, by stopping at the first of many looks that a test
for one look calls significant ("peeking"), and by the confidence sequence at any look? For values
that are normal, skewed as money is, and rare (orders of one unit in fifty). **Something happens**:
does the interval hold the truth as often as it says, and is the effect shown as often as was
planned? **CUPED**: is the variance that is left 1 - rho²? **The whole procedure**: the decision of
the memo, with three arms, two primary metrics, a guardrail and segments, where nothing happens.
**The data look like anything**: the same, two arms, for values as skewed as they come and shares as
uneven, by one look and by a sequence (``--only skewed`` runs these alone). All shares with Wilson's
intervals.
"""

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.evaluation.inputs import Floats
from mkt_models.experiment_params import Experiments
from mkt_models.experiments import cuped
from mkt_models.experiments.analysis import Columns, analyse
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.fixed_horizon import (
    difference,
    linearised,
    mean_of,
    proportions,
    ratio_by_bootstrap,
)
from mkt_models.experiments.group_sequential import boundaries
from mkt_models.experiments.metrics import Metric
from mkt_models.experiments.power import (
    power_of_means,
    units_for_means,
    units_for_proportions,
)
from mkt_models.experiments.sequential import mixture, reach_of

HERE = Path(__file__).resolve().parent
ALPHA, POWER, CONFIDENCE = 0.05, 0.8, 0.95
# Units of each arm, and how often they are looked at: from the first look on, evenly.
PER_ARM, LOOKS, FIRST_LOOK = 5000, 50, 100
KINDS = ("normal", "skewed", "rare")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--procedures", type=int, default=500)
    parser.add_argument("--bootstraps", type=int, default=1000)
    parser.add_argument("--per-cell", type=int, default=200)
    parser.add_argument("--only", choices=["skewed"], default=None)
    parser.add_argument("--out", type=Path, default=HERE / "experiments.json")
    arguments = parser.parse_args()
    started = process_time()
    found: dict[str, Any]
    if arguments.only:
        found = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
        found["skewed"] = skewed(arguments.per_cell) | {"cpu_s": round(process_time() - started)}
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")
        print(json.dumps(found["skewed"], indent=1))
        return
    found = {"draws": arguments.draws, "per_arm": PER_ARM, "looks": LOOKS}
    found["nothing"] = {kind: peeked(kind, 0.0, arguments.draws) for kind in KINDS}
    print(json.dumps(found, indent=1), f"{process_time() - started:.0f} CPU s", flush=True)
    found["planned"] = planned(arguments.draws)
    found["cuped"] = [adjusted(rho, arguments.draws // 10) for rho in (0.3, 0.6, 0.9)]
    found["ratio"] = ratios(arguments.bootstraps)
    print(f"{process_time() - started:.0f} CPU s", flush=True)
    found["procedure"] = {
        method: procedures(method, arguments.procedures) for method in ("fixed", "sequential")
    }
    found["skewed"] = skewed(arguments.per_cell)
    found["cpu_s"] = round(process_time() - started)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def values(kind: str, n: int, rng: np.random.Generator) -> Floats:
    """Draw what units of the control do: mean 0, or 1, or a share of 2%."""
    if kind == "normal":
        return rng.normal(size=n)
    if kind == "skewed":
        return rng.lognormal(0, 1, n)
    return (rng.random(n) < 0.02).astype(np.float64)


def peeked(kind: str, effect: float, draws: int) -> dict[str, Any]:
    """Look many times at experiments; count who claims an effect, and who leaves the truth out."""
    sizes = np.unique(np.linspace(FIRST_LOOK, PER_ARM, LOOKS).astype(int))
    rho2 = mixture(2 * PER_ARM, ALPHA)
    reach = np.array([reach_of(2 * n, rho2, ALPHA) for n in sizes])
    bounds = np.array(boundaries([0.2, 0.4, 0.6, 0.8, 1.0], ALPHA))
    planned_looks = np.searchsorted(sizes, [PER_ARM * k // 5 for k in range(1, 6)])
    counts: Counter[str] = Counter()
    lengths = []
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        control, treated = values(kind, PER_ARM, rng), values(kind, PER_ARM, rng) + effect
        estimate = _means(treated, sizes) - _means(control, sizes)
        error = np.sqrt(_variances(treated, sizes) / sizes + _variances(control, sizes) / sizes)
        with np.errstate(divide="ignore", invalid="ignore"):
            z, off = estimate / error, np.abs(estimate - effect) / error
        # One look, by the test that the analysis uses.
        if kind == "rare":
            last = proportions(
                (int(treated.sum()), PER_ARM), (int(control.sum()), PER_ARM), CONFIDENCE
            )
        else:
            last = difference(mean_of(treated), mean_of(control), CONFIDENCE)
        counts["single_look"] += bool(last.lower > 0 or last.upper < 0)
        counts["peeking"] += bool((np.abs(z) > 1.96).any())
        counts["peeking_at_five"] += bool((np.abs(z[planned_looks]) > 1.96).any())
        counts["group_sequential"] += bool((np.abs(z[planned_looks]) > bounds).any())
        beyond = np.abs(z) > reach
        counts["sequence_at_any_look"] += bool(beyond.any())
        counts["sequence_leaves_truth"] += bool((off > reach).any())
        lengths.append(float(sizes[beyond.argmax()]) if beyond.any() else float(PER_ARM))
    found: dict[str, Any] = {name: _share(counts[name], draws) for name in sorted(counts)}
    if effect:
        found["median_units_per_arm_until_shown"] = float(np.median(lengths))
    return found


def planned(draws: int) -> dict[str, Any]:
    """Plan experiments, run them at the planned size, and count what is shown and what is held."""
    found: dict[str, Any] = {}
    for name, effect in (("means", 0.1), ("proportions", 0.02)):
        if name == "means":
            need = units_for_means(effect, 1.0, ALPHA, POWER)
        else:
            need = units_for_proportions(0.1, effect, ALPHA, POWER)
        shown = held = 0
        for draw in range(draws):
            rng, n = np.random.default_rng(10**6 + draw), need.per_arm
            if name == "means":
                arms = rng.normal(effect, 1, n), rng.normal(0, 1, n)
                one = difference(mean_of(arms[0]), mean_of(arms[1]), CONFIDENCE)
            else:
                hits = int(rng.binomial(n, 0.1 + effect)), int(rng.binomial(n, 0.1))
                one = proportions((hits[0], n), (hits[1], n), CONFIDENCE)
            shown += one.lower > 0
            held += one.lower <= effect <= one.upper
        found[name] = {"effect": effect, "per_arm": need.per_arm, "planned_power": POWER}
        found[name] |= {"shown": _share(shown, draws), "truth_held": _share(held, draws)}
    # The price of looking: the same size and effect, by the sequence.
    size = 0.08
    sequence = peeked("normal", size, draws // 2)
    found["sequence_of_means"] = {"effect": size, "per_arm": PER_ARM, **sequence}
    power = power_of_means(PER_ARM, PER_ARM, size, 1.0, ALPHA)
    return found | {"power_of_a_single_look_there": power}


def adjusted(rho: float, draws: int) -> dict[str, Any]:
    """Hold the variance that CUPED leaves against 1 - rho², and the interval against the truth."""
    left, held = [], 0
    for draw in range(draws):
        rng, n = np.random.default_rng(2 * 10**6 + draw), 1000
        arms = np.repeat([0, 1], n)
        before = rng.normal(size=2 * n)
        after = rho * before + math.sqrt(1 - rho**2) * rng.normal(size=2 * n) + 0.1 * arms
        plain = difference(mean_of(after[arms == 1]), mean_of(after[arms == 0]), CONFIDENCE)
        less, lost = cuped.adjusted(after, before[:, None], arms, np.zeros_like(arms))
        one = difference(mean_of(less[arms == 1], lost), mean_of(less[arms == 0], lost), CONFIDENCE)
        left.append((one.error / plain.error) ** 2)
        held += one.lower <= 0.1 <= one.upper
    return {
        "rho": rho,
        "draws": draws,
        "variance_left": round(float(np.mean(left)), 4),
        "variance_left_error": round(float(np.std(left, ddof=1) / math.sqrt(draws)), 5),
        "expected": round(1 - rho**2, 4),
        "truth_held": _share(held, draws),
    }


def ratios(draws: int) -> dict[str, Any]:
    """Compare clicks per visit where nothing happens: by units, by the bootstrap, by visits."""
    counts: Counter[str] = Counter()
    for draw in range(draws):
        rng, n = np.random.default_rng(3 * 10**6 + draw), 500
        arm = np.repeat([1.0, 0.0], n)
        visits = (rng.geometric(0.2, 2 * n)).astype(np.float64)
        clicks = rng.binomial(visits.astype(int), rng.beta(1, 4, 2 * n)).astype(np.float64)
        parts = [mean_of(linearised(clicks[arm == a], visits[arm == a])) for a in (1, 0)]
        delta = difference(*parts, CONFIDENCE)
        rows = pd.DataFrame({"unit": np.arange(2 * n)})
        drawn = ratio_by_bootstrap(rows, "unit", arm, clicks, visits, 300, CONFIDENCE, draw)
        hits = [(int(clicks[arm == a].sum()), int(visits[arm == a].sum())) for a in (1, 0)]
        naive = proportions(hits[0], hits[1], CONFIDENCE)
        for name, one in (("delta", delta), ("bootstrap", drawn), ("visits_as_units", naive)):
            counts[name] += bool(one.lower > 0 or one.upper < 0)
    return {"draws": draws, **{name: _share(n, draws) for name, n in counts.items()}}


def procedures(method: str, draws: int) -> dict[str, Any]:
    """Judge whole experiments in which nothing happens, as a team would; count the decisions."""
    trial = Experiment(
        name="nothing", salt="nothing-happens", shares={"control": 0.5, "a": 0.25, "b": 0.25}
    )
    metrics = [
        Metric(name="spend", kind="mean", role="primary", column="spend", covariates=("before",)),
        Metric(name="orders", kind="proportion", role="primary", column="ordered"),
        Metric(
            name="clicks", kind="ratio", role="secondary", column="clicks", denominator="visits"
        ),
        Metric(name="visits", kind="mean", role="guardrail", column="visits", margin=0.2),
    ]
    settings = Experiments(method="sequential" if method == "sequential" else "fixed")
    counts: Counter[str] = Counter()
    n = 3000
    for draw in range(draws):
        rng = np.random.default_rng(4 * 10**6 + draw)
        before, visits = rng.gamma(2, 10, n), rng.poisson(4, n) + 1
        rows = pd.DataFrame(
            {
                "customer_id": np.arange(n),
                "arm": rng.choice(list(trial.shares), n, p=list(trial.shares.values())),
                "before": before,
                "spend": before + rng.gamma(2, 5, n),
                "ordered": (rng.random(n) < 0.3).astype(int),
                "visits": visits,
                "clicks": rng.binomial(visits, 0.3),
                "region": rng.choice(list("nsw"), n),
                "day": np.arange(n) * 14 // n,
            }
        )
        result = analyse(
            rows,
            trial,
            metrics,
            settings,
            columns=Columns(ready="day"),
            planned_units=n,
            declared=["region"],
        )
        primary = result.effects[result.effects["role"] == "primary"]
        counts["ships"] += result.memo.decision == "ship"
        counts["claims_any_primary_effect"] += bool(primary["shown"].any())
        secondary = result.effects[result.effects["role"] == "secondary"]
        counts["claims_any_secondary_effect"] += bool(secondary["shown"].any())
        counts["claims_any_segment"] += bool(result.segments["differs"].any())
        counts["calls_it_invalid"] += result.memo.decision == "invalid"
    return {"draws": draws, "units": n, **{k: _share(v, draws) for k, v in counts.items()}}


SHAPES = ("lognormal", "heavy_tail", "spend", "counts", "rare", "ratio", "with_covariate")
# Units, and the share of them that is treated.
DESIGNS = ((60, 0.5), (500, 0.5), (2000, 0.1), (4000, 0.05), (4000, 0.95))


def skewed(draws: int) -> dict[str, Any]:
    """Judge experiments in which nothing happens, whatever the data look like; count the claims.

    One look: ``up`` and ``down`` are intervals that leave out 0 on that side, of experiments run,
    judged or not; nominal 2.5% each. A sequence of 14 looks: ``ever`` is any claim at any look;
    nominal 5%. ``t`` is what a t test at the planned size claims on the same data. Guardrails
    (nobody may lose 10%) and two segments are asked as well.
    """
    cells = []
    for shape in SHAPES:
        for n, share in DESIGNS:
            for method in ("fixed", "sequential"):
                counts: Counter[str] = Counter()
                for draw in range(draws):
                    seed = [5 * 10**6, draw, n, int(1000 * share), SHAPES.index(shape)]
                    counts += _claims(shape, n, share, method, np.random.default_rng(seed))
                cells.append({"shape": shape, "n": n, "treated": share, "method": method} | counts)
            print(shape, n, share, cells[-2:], f"{process_time():.0f} CPU s", flush=True)
    table = pd.DataFrame(cells).fillna(0)
    names = [name for name in table if name not in ("shape", "n", "treated", "method")]
    found: dict[str, Any] = {"draws_per_cell": draws, "cells": table.to_dict("records")}
    for method, part in table.groupby("method"):
        of = draws * len(part)
        found[str(method)] = {name: _share(int(part[name].sum()), of) for name in names}
        for name in ("up", "down", "ever", "t_up", "t_down"):
            worst = part.loc[part[name].idxmax()]
            where = f"{worst['shape']}, n = {worst['n']}, {worst['treated']:.0%} treated"
            found[str(method)][f"worst_{name}"] = [where, *_share(int(worst[name]), draws)]
    return found


def _claims(
    shape: str, n: int, share: float, method: str, rng: np.random.Generator
) -> "Counter[str]":
    """Run one experiment in which nothing happens, and count what it claims."""
    trial = Experiment(name="nothing", salt=shape * 4, shares={"c": 1 - share, "t": share})
    rows = pd.DataFrame({"customer_id": np.arange(n), "day": np.arange(n) * 14 // n})
    rows["arm"] = np.where(rng.random(n) < share, "t", "c")
    rows["value"], rows["visits"], rows["before"] = _shaped(shape, n, rng)
    rows["region"] = rng.choice(list("nsw"), n)
    kind: Any = {"rare": "proportion", "ratio": "ratio"}.get(shape, "mean")
    about = {"kind": kind, "column": "value"}
    about |= {"denominator": "visits"} if kind == "ratio" else {}
    about |= {"covariates": ("before",)} if shape == "with_covariate" else {}
    metrics = [
        Metric.model_validate(about | {"name": "m", "role": "primary"}),
        Metric.model_validate(about | {"name": "g", "role": "guardrail", "margin": 0.1}),
    ]
    settings = Experiments.model_validate(
        {"method": method, "n_permutations": 800, "min_units": 20 if n < 100 else 100}
    )
    result = analyse(
        rows,
        trial,
        metrics,
        settings,
        columns=Columns(ready="day"),
        planned_units=n,
        declared=["region"],
    )
    row, found = result.effects.iloc[0], Counter[str]()
    found["judged"] += row["note"] == ""
    found["up"] += bool(row["effect_lower"] > 0)
    found["down"] += bool(row["effect_upper"] < 0)
    found["ever"] += bool(row["shown"])
    found["ships"] += result.memo.decision == "ship"
    found["guardrail_broken"] += result.guardrails["verdict"].iloc[0] == "fail"
    found["segments_differ"] += bool(result.segments["differs"].any())
    if kind == "mean" and row["note"] == "":
        arms = [mean_of(rows.loc[rows["arm"] == arm, "value"].to_numpy(float)) for arm in "tc"]
        by_t = difference(*arms, CONFIDENCE)
        found["t_up"] += bool(by_t.lower > 0)
        found["t_down"] += bool(by_t.upper < 0)
    return found


def _shaped(shape: str, n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Draw values of a shape, visits and what was known before."""
    before, visits = rng.lognormal(0, 1, n), rng.geometric(0.2, n).astype(np.float64)
    if shape == "lognormal":
        drawn = rng.lognormal(0, 1.5, n)  # skewness 33
    elif shape == "heavy_tail":
        drawn = rng.pareto(1.8, n)  # the variance is infinite
    elif shape == "spend":  # one customer in seven buys at all
        drawn = np.where(rng.random(n) < 0.15, rng.lognormal(2, 1.2, n), 0.0)
    elif shape == "counts":
        drawn = rng.negative_binomial(0.3, 0.05, n).astype(np.float64)
    elif shape == "rare":
        drawn = (rng.random(n) < 0.008).astype(np.float64)
    elif shape == "ratio":
        drawn = visits * rng.lognormal(0, 1.2, n)
    else:
        drawn = before * rng.lognormal(0, 1, n)
    return drawn, visits, before


def _means(x: Floats, sizes: np.ndarray[Any, Any]) -> Floats:
    return np.cumsum(x)[sizes - 1] / sizes


def _variances(x: Floats, sizes: np.ndarray[Any, Any]) -> Floats:
    squares = np.cumsum(x * x)[sizes - 1] - sizes * _means(x, sizes) ** 2
    return squares / (sizes - 1)


def _share(n: int, of: int) -> list[float]:
    share = n / of
    return [round(one, 4) for one in (share, *wilson_interval(share, of, CONFIDENCE))]


if __name__ == "__main__":
    main()
