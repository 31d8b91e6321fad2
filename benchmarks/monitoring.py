"""How often every alarm of monitoring cries wolf, and how soon it sees planted drift.

A panel of 1,500 customers, of whom a tenth is replaced in every period, and who are alike from one
period to the next (correlation 0.7). Three periods are the reference; four more are watched, each
held against it. Eight features (normal, skewed, mostly zero, categories, with missing values), a
model whose probabilities are true, amounts, a trial in every period with a fifth withheld,
decisions, and an attribute of three groups.

On stable worlds: the share of seeds in which the first watched period alarms, with Wilson's 95%
interval. With a step planted at the first watched period: the share that alarms in that very
period, and within four; and the median of the periods until the alarm (1: at once).

Last, how often the estimated interval of AUC, Brier score and log loss holds the realised figure:
with probabilities that are true, and with those of a model whose log-odds are 1.15 times too large
and 0.12 too high in the reference and now; with the correction by the reference, and without. Every
world has draws of its own: with the same ones, their chance error would be that of all worlds.

    python benchmarks/monitoring.py --seeds 150 --planted 15
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.monitoring.alarms import Alarm, Outcome
from mkt_models.monitoring.estimated_performance import estimated_probabilities, realised_figure
from mkt_models.monitoring.fairness_over_time import (
    SCORE,
    SELECTED,
    UNTRUE,
    gap_changes,
    gap_table,
    measured_rows,
)
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring.realised import (
    JUDGED,
    calibration_table,
    figures,
    judged,
    realised_table,
)
from mkt_models.monitoring.rules import of_fairness
from mkt_models.monitoring.watch_campaigns import (
    Batch,
    WatchedCampaigns,
    watch_campaigns,
    watch_decisions,
)
from mkt_models.monitoring.watch_models import How, WatchedModel, watch_drift
from mkt_models.monitoring_params import CampaignLimits, Monitoring, Rule
from mkt_models.release_params import CalibrationLimits

HERE = Path(__file__).resolve().parent
CUSTOMERS, REFERENCE, WATCHED = 1500, 3, 4
ALIKE, REPLACED = 0.7, 0.1
FEATURES = (*(f"x{i}" for i in range(7)), "kind")
STRATEGIES = ("recommendation", "promotion", "content", "no_action")
MIX = np.array([0.4, 0.2, 0.1, 0.3])
# What is planted, and how strongly; the rule that should see it comes first.
CASES: list[tuple[Rule, str, list[float]]] = [
    (Rule.FEATURE_DRIFT, "shift of one feature, in standard deviations", [0.1, 0.25, 0.5, 1.0]),
    (Rule.FEATURE_DRIFT, "missing, in addition", [0.025, 0.05, 0.1]),
    (Rule.FEATURE_DRIFT, "a new category, share of rows", [0.005, 0.02, 0.05]),
    (Rule.SCORE_DRIFT, "shift of all scores, log-odds", [0.25, 0.5, 1.0]),
    (Rule.ESTIMATED_PERFORMANCE, "customers harder to tell, spread lost", [0.15, 0.3, 0.5]),
    (Rule.REALISED_PERFORMANCE, "customers harder to tell, spread lost", [0.15, 0.3, 0.5]),
    (Rule.REALISED_PERFORMANCE, "concept drift, signal lost", [0.2, 0.4, 0.8]),
    (Rule.ESTIMATED_PERFORMANCE, "concept drift, signal lost", [0.4, 0.8]),
    (Rule.CALIBRATION, "outcomes more frequent, log-odds", [0.25, 0.5, 1.0]),
    (Rule.CAMPAIGN_EFFECT, "effect of a contact lost, of 8 points", [0.5, 1.0, 2.0]),
    (Rule.COST, "a contact dearer, as a share", [0.15, 0.3, 0.6]),
    (Rule.CAPS, "customers contacted beyond the cap", [1.0, 10.0]),
    (Rule.STRATEGY_MIX, "no action in addition, share of customers", [0.05, 0.1, 0.2]),
    (Rule.SUPPRESSION, "a suppression in addition, share of customers", [0.05, 0.1, 0.2]),
    (Rule.FAIRNESS, "scores of a group of 300 lowered, log-odds", [0.5, 1.0, 2.0]),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=150, help="stable worlds")
    parser.add_argument("--planted", type=int, default=15, help="worlds per planted strength")
    parser.add_argument("--draws", type=int, default=199)
    parser.add_argument("--covered", type=int, default=400, help="worlds of the coverage")
    parser.add_argument("--only", nargs="*", help="rules to measure, by default all")
    parser.add_argument("--out", type=Path, default=HERE / "monitoring.json")
    a = parser.parse_args()
    how = _how(a.draws)
    found: dict[str, Any] = {"stable": [], "planted": [], "seeds": a.seeds, "draws": a.draws}
    hits: dict[str, list[bool]] = {}
    for seed in range(a.seeds):
        world = World(seed)
        for rule, check in CHECKS.items():
            if a.only and rule.value not in a.only:
                continue
            hits.setdefault(rule.value, []).append(check(world, 1, how))
        if ("drift", 1) in world.kept:
            hits.setdefault("any feature significant", []).append(_significant(world, how))
    for name, alarms in hits.items():
        row = _share("alarms", sum(alarms), len(alarms))
        found["stable"].append({"rule": name, "seeds": len(alarms), **row})
        print(f"{process_time():5.0f} CPU s", found["stable"][-1], flush=True)
    a.out.write_text(json.dumps(found, indent=1) + "\n")
    for rule, what, strengths in CASES:
        if a.only and rule.value not in a.only:
            continue
        for strength in strengths:
            started = process_time()
            delays = [_delay(rule, World(1000 + s, what, strength), how) for s in range(a.planted)]
            row = {"rule": rule.value, "planted": what, "strength": strength}
            row |= _share("at_once", sum(d == 1 for d in delays), len(delays))
            row |= _share("within_four", sum(np.isfinite(d) for d in delays), len(delays))
            middle = float(np.median(delays))
            row |= {"median_delay": middle if np.isfinite(middle) else None, "seeds": len(delays)}
            found["planted"].append(row)
            print(f"{process_time() - started:5.0f} CPU s", row, flush=True)
            a.out.write_text(json.dumps(found, indent=1) + "\n")
    found["coverage"] = _coverage(a.covered, how)
    found["cpu_s"] = round(process_time())
    a.out.write_text(json.dumps(found, indent=1) + "\n")
    print(found["coverage"], found["cpu_s"], "CPU s")


@dataclass(frozen=True)
class World:
    """Seven periods of a panel; something may be planted from the first watched one on."""

    seed: int
    planted: str = ""
    strength: float = 0.0
    kept: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, key: Any, work: Callable[[], Any]) -> Any:
        """Do a piece of work that several rules share only once."""
        if key not in self.kept:
            self.kept[key] = work()
        return self.kept[key]

    def size(self, what: str, period: int) -> float:
        """How strongly something is planted in a period (0 is the last of the reference)."""
        return self.strength if period > 0 and self.planted.startswith(what) else 0.0

    @cached_property
    def panel(self) -> pd.DataFrame:
        """One row per customer and period, -2 to 4: features, score, target, group."""
        rng = np.random.default_rng([self.seed, 11])
        who = np.arange(CUSTOMERS)
        steady = rng.normal(size=(CUSTOMERS, 9))
        group = rng.choice(3, CUSTOMERS, p=[0.5, 0.3, 0.2])
        parts, new = [], CUSTOMERS
        for period in range(1 - REFERENCE, WATCHED + 1):
            gone = rng.random(CUSTOMERS) < REPLACED
            who = np.where(gone, new + np.arange(CUSTOMERS), who)
            new += CUSTOMERS
            steady[gone] = rng.normal(size=(gone.sum(), 9))
            group = np.where(gone, rng.choice(3, CUSTOMERS, p=[0.5, 0.3, 0.2]), group)
            z = np.sqrt(ALIKE) * steady + np.sqrt(1 - ALIKE) * rng.normal(size=steady.shape)
            parts.append(self._rows(period, who, z, group, rng))
        return pd.concat(parts, ignore_index=True)

    def _rows(
        self, period: int, who: Any, z: Any, group: Any, rng: np.random.Generator
    ) -> pd.DataFrame:
        n = len(who)
        margin = -1.6 + 1.3 * z[:, 7] * (1 - self.size("customers harder", period))
        margin += self.size("shift of all scores", period)
        lowered = self.size("scores of a group", period) * (group == 2)
        kept = 1 - self.size("concept drift", period)
        truth = expit(-1.6 + (margin + 1.6) * kept + self.size("outcomes more", period))
        u = norm.cdf(z[:, 8])  # the outcomes of a customer are alike over periods too
        kinds = np.array(["a", "b", "c"])[np.searchsorted([0.5, 0.85], norm.cdf(z[:, 6]))]
        kinds = np.where(rng.random(n) < self.size("a new category", period), "d", kinds)
        columns: dict[str, Any] = {f"x{i}": z[:, i] for i in range(3)}
        columns["x0"] = z[:, 0] + self.size("shift of one feature", period)
        columns |= {"x3": np.exp(z[:, 3]), "x4": np.round(np.exp(2 * z[:, 4])).clip(0, 50)}
        columns["x5"] = np.maximum(np.floor(z[:, 5] - 1), 0)
        columns["x6"] = z[:, 6] + z[:, 0]
        missing = rng.random(n) < 0.05 + self.size("missing", period)
        columns["x2"] = np.where(missing, np.nan, z[:, 2])
        rows = pd.DataFrame(columns | {"kind": kinds})
        rows = rows.assign(customer_id=who, as_of=period, group=group.astype(str))
        return rows.assign(score=expit(margin - lowered), target=(u < truth).astype(float))

    @cached_property
    def old(self) -> pd.DataFrame:
        """Rows of the reference."""
        return self.panel[self.panel["as_of"] <= 0]

    def now(self, period: int) -> pd.DataFrame:
        """Rows of a watched period."""
        return self.panel[self.panel["as_of"] == period]

    def promised(self, how: How) -> dict[str, Figure]:
        """What the model did in the reference."""
        draws = how.settings.n_bootstrap
        args = (self.old, "score", "classification", draws, _level(how), how.seed)
        told: dict[str, Figure] = self.once("promised", lambda: figures(*args))
        return told

    def campaigns(self, period: int) -> WatchedCampaigns:
        """Campaigns and decisions as they are watched in a period."""
        periods = [*range(1 - REFERENCE, 1), period]
        contacts = pd.DataFrame(
            [(c, period, f"2025-03-{1 + 9 * i}") for c in range(400) for i in range(2)],
            columns=["customer_id", "period", "sent_on"],
        )
        extra = int(self.size("customers contacted", period))
        more = contacts.drop_duplicates("customer_id").head(extra)
        contacts = pd.concat([contacts, more.assign(sent_on="2025-03-20")], ignore_index=True)
        trials = pd.concat([self._trial(one) for one in periods], ignore_index=True)
        args = (trials, tuple(periods[:-1]), "ordered", contacts, ((30, 2),), (period,))
        return WatchedCampaigns(*args, self._batch(0), self._batch(period))

    def _trial(self, period: int) -> pd.DataFrame:
        rng = np.random.default_rng([self.seed, 12, period + 10])
        who = self.panel.loc[self.panel["as_of"] == period, "customer_id"].to_numpy()
        treated = (rng.random(len(who)) < 0.8).astype(int)
        effect = 0.08 * (1 - self.size("effect of a contact", period))
        ordered = (rng.random(len(who)) < 0.2 + effect * treated).astype(int)
        price = 1 + self.size("a contact dearer", period)
        cost = treated * price * rng.lognormal(0, 0.5, len(who))
        columns = {"customer_id": who, "period": period, "treated": treated}
        columns |= {"assignment_probability": 0.8, "ordered": ordered, "cost": cost}
        return pd.DataFrame(columns)

    def _batch(self, period: int) -> Batch:
        rng = np.random.default_rng([self.seed, 13, period])
        who = self.panel.loc[self.panel["as_of"] == period, "customer_id"].to_numpy()
        mix = MIX + np.array([-1, 0, 0, 1]) * self.size("no action", period)
        strategy = rng.choice(STRATEGIES, len(who), p=mix)
        shares = {"cap": 0.15, "consent": 0.4, "quiet hours": 0.05}
        shares["cap"] += self.size("a suppression", period)
        fell = {name: int((rng.random(len(who)) < p).sum()) for name, p in shares.items()}
        return Batch(pd.DataFrame({"customer_id": who, "strategy": strategy}), fell)


Check = Callable[[World, int, How], bool]


def _how(draws: int) -> How:
    settings = Monitoring(n_bootstrap=draws, campaign=CampaignLimits())
    return How(settings, CalibrationLimits(), 1, 0.2, 50, ("group",), 5)


def _alarmed(alarms: list[Alarm], rule: Rule) -> bool:
    return any(one.rule is rule and one.outcome is Outcome.ALARM for one in alarms)


def _drift(rule: Rule) -> Check:
    def check(world: World, period: int, how: How) -> bool:
        now = world.panel[world.panel["as_of"] == period]
        model = WatchedModel(
            "toy", "classification", FEATURES, world.old, now, world.old, now, world.old, now
        )
        seen = world.once(("drift", period), lambda: watch_drift(model, how))
        return _alarmed(seen.alarms, rule)

    return check


def _significant(world: World, how: How) -> bool:
    """Whether a feature is significant, whatever the size of its change."""
    table = world.kept["drift", 1].tables["drift"]
    return bool(table.loc[table["what"] == "feature", "significant"].any())


def _estimated(world: World, period: int, how: How) -> bool:
    table = _estimate(world, period, how)
    promised = world.promised(how)
    limits, level = how.settings.performance, _level(how)
    for row in table[table["metric"].isin(JUDGED["classification"])].to_dict("records"):
        ends = (row["estimate_lower"], row["estimate_upper"])
        now = Figure(row["estimate"], *ends, row["n"], level)
        if judged(row["metric"], promised[row["metric"]], now, limits, level)["lost"]:
            return True
    return False


def _realised(world: World, period: int, how: How) -> bool:
    args = (world.now(period), "score", "classification", world.promised(how))
    errors = {"false_alarms": how.false_alarms, **how.drawn}
    table = realised_table(*args, how.settings.performance, **errors)
    return bool(table["lost"].any())


def _calibrated(world: World, period: int, how: How) -> bool:
    errors = {"false_alarms": how.false_alarms, **how.drawn}
    args = (world.now(period), "score", "classification", how.calibration)
    return bool((calibration_table(*args, **errors)["state"] == "broken").any())


def _campaigns(rule: Rule) -> Check:
    def check(world: World, period: int, how: How) -> bool:
        args = (world.campaigns(period), how)
        return _alarmed(
            world.once(("campaigns", period), lambda: watch_campaigns(*args)).alarms, rule
        )

    return check


def _decisions(rule: Rule) -> Check:
    def check(world: World, period: int, how: How) -> bool:
        nobody = pd.DataFrame({"customer_id": []})
        return _alarmed(watch_decisions(world.campaigns(period), nobody, how).alarms, rule)

    return check


def _groups(world: World, period: int, how: How) -> bool:
    gaps = []
    for rows in (world.old, world.now(period)):
        parts = [measured_rows(part, "score", 0.2) for _, part in rows.groupby("as_of")]
        table = gap_table(
            pd.concat(parts),
            [SELECTED, SCORE, UNTRUE],
            ["group"],
            min_group_size=how.min_group_size,
            n_bootstrap=how.settings.n_bootstrap,
            confidence=1 - how.false_alarms,
            seed=how.seed,
        )
        gaps.append(table)
    changes = gap_changes(gaps[0], gaps[1], how.settings.fairness)
    return _alarmed(of_fairness(changes, "toy", str(period)), Rule.FAIRNESS)


CHECKS: dict[Rule, Check] = {
    Rule.FEATURE_DRIFT: _drift(Rule.FEATURE_DRIFT),
    Rule.SCORE_DRIFT: _drift(Rule.SCORE_DRIFT),
    Rule.ESTIMATED_PERFORMANCE: _estimated,
    Rule.REALISED_PERFORMANCE: _realised,
    Rule.CALIBRATION: _calibrated,
    Rule.CAMPAIGN_EFFECT: _campaigns(Rule.CAMPAIGN_EFFECT),
    Rule.COST: _campaigns(Rule.COST),
    Rule.CAPS: _campaigns(Rule.CAPS),
    Rule.STRATEGY_MIX: _decisions(Rule.STRATEGY_MIX),
    Rule.SUPPRESSION: _decisions(Rule.SUPPRESSION),
    Rule.FAIRNESS: _groups,
}


def _level(how: How) -> float:
    return 1 - 2 * how.false_alarms / len(JUDGED["classification"])


def _estimate(world: World, period: int, how: How) -> pd.DataFrame:
    now = world.now(period).drop(columns="target")
    args = {"confidence": _level(how), **how.drawn}
    return estimated_probabilities(now, "score", None, world.old, **args)


def _delay(rule: Rule, world: World, how: How) -> float:
    """Give the watched period that alarms first; infinite when none does."""
    for period in range(1, WATCHED + 1):
        if CHECKS[rule](world, period, how):
            return float(period)
    return float("inf")


def _coverage(worlds: int, how: How) -> list[dict[str, Any]]:
    """Whether the realised figure of a stable period lies in its estimated interval."""
    inside: dict[tuple[str, bool, str], list[bool]] = {}
    for seed in range(5000, 5000 + worlds):
        world = World(seed)
        for scores, (above, steeper) in {"true": (0.0, 1.0), "untrue": (0.12, 1.15)}.items():
            old, now = (
                rows[["customer_id", "score", "target"]].assign(
                    score=expit(above + steeper * logit(rows["score"]))
                )
                for rows in (world.old, world.now(1))
            )
            for corrected in (True, False):
                args = {"confidence": _level(how), **how.drawn, "seed": seed}
                table = estimated_probabilities(
                    now.drop(columns="target"), "score", None, old if corrected else None, **args
                )
                for row in table.to_dict("records"):
                    told = realised_figure(now, "score", row["metric"])
                    within = bool(row["estimate_lower"] <= told <= row["estimate_upper"])
                    inside.setdefault((scores, corrected, row["metric"]), []).append(within)
    return [
        {"scores": scores, "corrected": corrected, "metric": metric, "promised": _level(how)}
        | {"worlds": len(held), **_share("inside", sum(held), len(held))}
        for (scores, corrected, metric), held in inside.items()
    ]


def _share(name: str, count: int, n: int) -> dict[str, float]:
    lower, upper = wilson_interval(count / n, n, 0.95)
    return {name: float(count) / n, f"{name}_lower": lower, f"{name}_upper": upper}


if __name__ == "__main__":
    main()
