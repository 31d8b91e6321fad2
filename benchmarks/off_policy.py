"""Off-policy evaluation held against the truth: of the simulator, and of a second real log.

    .venv/bin/mkt run params/demo.yaml --stages 02_clean \\
        --set run=uplift seed=12 source.customers=20000 source.browsing=0.05
    .venv/bin/pip install --no-deps --target build/obp obp==0.4.1
    .venv/bin/python benchmarks/off_policy.py

Four parts. **Campaigns**: customers and campaigns of the simulator, contacted with the
probabilities that are on record. **Next best action**: each customer is offered one of up to eight
actions by ``decisions.exploration``, or nothing in a holdout; the log holds what the product's
should. In both, customers are drawn anew for every seed, actions by the logged probabilities and
orders by their true ones, and the estimates of other policies are held against their true values.
**Open Bandit**: a week of clicks in a fashion shop under two policies (Saito and others 2021), the
sample that the package obp carries; each log is asked what the other brought. Only data are taken
from it. **Rare rewards**: do the intervals hold where a policy mostly disagrees with the log, and
rewards are rare and heavy? (``off_policy_rare``; ``--only rare`` runs it alone.)
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml
from off_policy_rare import BEFORE, rare
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from uplift import with_truth

from mkt_models.decisions.exploration import Option, choose
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.evaluation.decision_log import read_log
from mkt_models.evaluation.off_policy import estimates, off_policy_table
from mkt_models.evaluation.reward_model import with_expected_rewards
from mkt_models.evaluation.support import support_table
from mkt_models.exploration_params import Exploration

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
OBD = BUILD / "obp" / "obp" / "dataset" / "obd"
PRIOR = BUILD / "obp" / "obp" / "policy" / "conf" / "prior_bts.yaml"
CONFIDENCE, HOLDOUT, NOBODY = 0.95, 0.1, "none"
TREES: dict[str, Any] = {"max_iter": 25, "max_leaf_nodes": 6, "min_samples_leaf": 60}
TREES |= {"learning_rate": 0.15, "early_stopping": False, "random_state": 1}
EPSILON = Exploration(method="epsilon", epsilon=0.3)
THOMPSON = Exploration(method="thompson", epsilon=0.1)
FIRST_RARE = 0  # intervals and needs were chosen on seeds from 100,000 on
NOISE = 150.0  # standard error of the estimated worths, currency units
# Rare clicks and one number per item: strong shrinkage to the mean.
CLICKS = LogisticRegression(C=0.01, max_iter=300)

Floats = npt.NDArray[np.float64]
Tables = tuple[pd.DataFrame, pd.DataFrame]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--rare-seeds", type=int, default=100)
    parser.add_argument("--only", choices=["rare", "open_bandit"], default=None)
    parser.add_argument("--out", type=Path, default=HERE / "off_policy.json")
    arguments = parser.parse_args()
    started, seeds = process_time(), arguments.seeds
    found: dict[str, Any]
    if arguments.only == "open_bandit":
        found = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
        found["open_bandit"] = open_bandit()
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")
        return
    if arguments.only:
        found = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
        found["rare"] = rare(arguments.rare_seeds, FIRST_RARE, CONFIDENCE)
        found["rare"]["cpu_s"] = round(process_time() - started)
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")
        print(pd.DataFrame(found["rare"]["over_all"]).to_string(), found["rare"]["cpu_s"], "CPU s")
        return
    found = {"open_bandit": open_bandit()}
    print(pd.DataFrame(found["open_bandit"]["estimates"]).to_string(), flush=True)
    print(f"{process_time() - started:.0f} CPU s", flush=True)
    campaigns = Campaigns.of_the_simulator()
    shop, other = (Shop.of_the_simulator(how) for how in (EPSILON, THOMPSON))
    chances = HistGradientBoostingClassifier(**TREES)
    amounts = HistGradientBoostingRegressor(**TREES)
    found["simulated"] = []
    for name, draw, truth, model in (
        ("campaigns, order", campaigns.drawn, campaigns.truth, chances),
        ("next best action, order", shop.orders, shop.truth, chances),
        ("next best action by Thompson, order", other.orders, other.truth, chances),
        ("next best action, spend", shop.spend, shop.true_spend, amounts),
    ):
        context = Campaigns.CONTEXT if name.startswith("campaigns") else Shop.CONTEXT
        rows = repeated(draw, truth, context, model, seeds)
        found["simulated"] += [{"setting": name, **row} for row in rows]
        print(pd.DataFrame(rows).to_string(), f"\n{process_time() - started:.0f} CPU s", flush=True)
    found["traps"] = traps(shop, seeds)
    begun = process_time()
    found["rare"] = rare(arguments.rare_seeds, FIRST_RARE, CONFIDENCE)
    found["rare"]["cpu_s"] = round(process_time() - begun)
    found["seeds"], found["cpu_s"] = seeds, round(process_time() - started)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["traps"], indent=1), found["cpu_s"], "CPU s")


@dataclass(frozen=True)
class Campaigns:
    """Two actions, contact or none, for customers in several campaigns; reward 1 is an order."""

    rows: pd.DataFrame
    places: dict[str, npt.NDArray[np.intp]]
    policies: dict[str, Floats]  # probability of a contact, per row

    CONTEXT = ("orders_90d", "days_since_last_order", "tenure_days", "campaign_discount")
    CUSTOMERS = 1000

    @classmethod
    def of_the_simulator(cls) -> "Campaigns":
        rows = with_truth()
        recent = rows["orders_90d"].fillna(0).to_numpy(dtype=np.float64)
        one = np.ones(len(rows))
        policies = {
            "the_logged_one": rows["assignment_probability"].to_numpy(),
            "random": 0.5 * one,
            "everyone": one,
            "nobody": 0 * one,
            "top_by_orders": (recent > np.quantile(recent, 2 / 3)).astype(np.float64),
        }
        return cls(rows, dict(rows.groupby("customer_id").indices), policies)

    @property
    def truth(self) -> dict[str, float]:
        """Orders per customer and campaign under each policy, over everybody."""
        to, no = self.rows["p_order_if_contacted"], self.rows["p_order_if_not"]
        return {name: float((p * to + (1 - p) * no).mean()) for name, p in self.policies.items()}

    def drawn(self, rng: np.random.Generator) -> Tables:
        """Some customers with all their campaigns, arms and orders drawn anew."""
        everyone = list(self.places)
        picks = rng.choice(len(everyone), self.CUSTOMERS)
        place = np.concatenate([self.places[everyone[i]] for i in picks])
        who = np.repeat(np.arange(self.CUSTOMERS), [len(self.places[everyone[i]]) for i in picks])
        some, n = self.rows.iloc[place], len(place)
        p = some["assignment_probability"].to_numpy()
        treated = rng.random(n) < p
        chance = np.where(treated, some["p_order_if_contacted"], some["p_order_if_not"])
        log = pd.DataFrame({"decision_id": np.arange(n), "customer_id": who})
        log["action"] = np.where(treated, "contact", NOBODY)
        log["probability"] = np.where(treated, p, 1 - p)
        log["reward"] = (rng.random(n) < chance).astype(np.float64)
        log[list(self.CONTEXT)] = some[list(self.CONTEXT)].to_numpy()
        actions = pd.DataFrame({"decision_id": np.repeat(np.arange(n), 2)})
        actions["action"] = np.tile(["contact", NOBODY], n)
        actions["logged_probability"] = _both(p)
        for name, of_policy in self.policies.items():
            actions[name] = _both(of_policy[place])
        return log, actions


@dataclass(frozen=True)
class Shop:
    """None or one of eight actions for every customer; arrays are customers x actions.

    ``allowed`` are the candidates that pass the gates: of the eight, those that consents and caps
    leave (seven in ten, at random) and whose estimated worth is above 0. The estimate is the true
    uplift in spend with noise, as a model would have it.
    """

    names: list[str]
    p_order: Floats
    spend_per_order: Floats
    worth: Floats
    score: Floats
    allowed: npt.NDArray[np.bool_]
    logged: Floats
    policies: dict[str, Floats]

    CONTEXT = ("score", "worth")
    CUSTOMERS = 4000

    @classmethod
    def of_the_simulator(cls, how: Exploration) -> "Shop":
        truth = pd.read_parquet(BUILD / "uplift" / "truth" / "actions.parquet")
        names = [NOBODY, *sorted(set(truth["action"]) - {NOBODY})]
        p, cents, uplift = (
            truth.pivot(index="customer_id", columns="action", values=column)[names].to_numpy()
            for column in ("p_order", "expected_cents", "uplift_cents")
        )
        rng = np.random.default_rng(12)
        first, second = (uplift / 100 + rng.normal(0, NOISE, p.shape) for _ in range(2))
        allowed = (rng.random(p.shape) < 0.7) & (first > 0)
        allowed[:, 0] = True  # nothing is always possible
        score = np.log(np.clip(p[:, 0], 0.01, 0.99) / np.clip(1 - p[:, 0], 0.01, 0.99))
        score += rng.normal(0, 0.5, len(p))
        shop = cls(names, p, cents / 100 / np.maximum(p, 1e-9), first, score, allowed, p, {})
        order = np.argsort(-uplift.mean(axis=0))
        policies = {
            "the_logged_one": shop.explored(how),
            "random": shop._served(allowed / np.maximum(shop.n_allowed, 1)[:, None]),
            "everyone_the_same": shop._first(np.argsort(order) * -1.0 + np.zeros(p.shape)),
            "top_by_its_score": shop._first(first),
            "top_by_another_score": shop._first(second),
            "nobody": np.eye(len(names))[np.zeros(len(p), dtype=np.intp)],
        }
        spend = shop.spend_per_order
        return cls(names, p, spend, first, score, allowed, policies["the_logged_one"], policies)

    @property
    def n_allowed(self) -> npt.NDArray[np.intp]:
        """Candidates of every customer beside doing nothing."""
        return np.asarray(self.allowed[:, 1:].sum(axis=1))

    def _served(self, shares: Floats) -> Floats:
        """Shares of the candidates; those without any are left in peace."""
        found = shares.copy()
        found[:, 0] = self.n_allowed == 0
        return found

    def _first(self, score: Floats) -> Floats:
        ranked = np.where(self.allowed, score, -np.inf)
        ranked[:, 0] = -1e300
        return self._served(np.eye(len(self.names))[ranked.argmax(axis=1)])

    def explored(self, how: Exploration) -> Floats:
        """Probability of every action: the holdout's, and those of ``choose`` outside of it."""
        found = np.zeros(self.p_order.shape)
        for i in range(len(found)):
            inside = np.flatnonzero(self.allowed[i, 1:]) + 1
            if len(inside):
                options = [Option(self.names[j], float(self.worth[i, j]), NOISE) for j in inside]
                p = choose(options, str(i), how).probabilities
                found[i, inside] = [(1 - HOLDOUT) * p[self.names[j]] for j in inside]
            found[i, 0] = HOLDOUT if len(inside) else 1.0
        return found

    @property
    def truth(self) -> dict[str, float]:
        """Orders per customer under each policy, over everybody."""
        return {k: float((p * self.p_order).sum(axis=1).mean()) for k, p in self.policies.items()}

    @property
    def true_spend(self) -> dict[str, float]:
        """Spend per customer under each policy, over everybody."""
        expected = self.p_order * self.spend_per_order
        return {k: float((p * expected).sum(axis=1).mean()) for k, p in self.policies.items()}

    def orders(self, rng: np.random.Generator) -> Tables:
        """Some customers; the reward is 1 for an order."""
        return self.drawn(rng, self.logged, self.logged)[:2]

    def spend(self, rng: np.random.Generator) -> Tables:
        """Some customers; the reward is what they spend: mostly nothing, log-normal of an order."""
        log, actions, mean = self.drawn(rng, self.logged, self.logged)
        amount = mean * np.exp(rng.normal(0, 0.8, len(log)) - 0.32)
        return log.assign(reward=log["reward"] * amount), actions

    def drawn(
        self, rng: np.random.Generator, by: Floats, told: Floats
    ) -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
        """Draw customers, actions by ``by`` and orders; the log tells ``told``."""
        n = self.CUSTOMERS
        who = rng.choice(len(self.p_order), n)
        sums = by[who].cumsum(axis=1)
        taken = (rng.random(n)[:, None] * sums[:, -1:] > sums).sum(axis=1)
        names, ids = np.array(self.names), np.arange(n)
        log = pd.DataFrame({"decision_id": ids, "customer_id": ids, "action": names[taken]})
        log["probability"] = told[who, taken]
        log["reward"] = (rng.random(n) < self.p_order[who, taken]).astype(np.float64)
        log["score"] = self.score[who]
        decision, action = np.nonzero(self.allowed[who])
        place = who[decision]
        actions = pd.DataFrame({"decision_id": decision, "action": names[action]})
        actions["worth"] = np.where(action == 0, 0.0, self.worth[place, action])
        actions["logged_probability"] = told[place, action]
        for name, p in self.policies.items():
            actions[name] = p[place, action]
        return log, actions, self.spend_per_order[who, taken]


def repeated(
    draw: Callable[[np.random.Generator], Tables],
    truth: dict[str, float],
    context: tuple[str, ...],
    model: Any,
    seeds: int,
) -> list[dict[str, Any]]:
    """One row per policy and estimator: bias, error, and how often the interval held the truth."""
    tables, names = [], list(truth)
    for seed in range(seeds):
        log, actions = draw(np.random.default_rng(seed))
        actions = with_expected_rewards(log, actions, names, context, model, 3, seed)
        tables.append(off_policy_table(log, actions, names, CONFIDENCE, reference="logged"))
    everything = pd.concat(tables)
    rows = []
    for (policy, estimator), part in everything.groupby(["policy", "estimator"], sort=False):
        true = truth["the_logged_one" if policy == "logged" else policy]
        known = part[part["judged"].astype(bool)]
        error = known["value"] - true
        row: dict[str, Any] = {"policy": policy, "estimator": estimator, "true": true}
        row |= {"n": int(part["n"].mean()), "effective_n": float(part["effective_n"].mean())}
        row |= {"largest_share": float(part["largest_share"].mean())}
        row |= {"evaluated": len(known) / seeds, "bias": float(error.mean())}
        row["bias_error"] = float(error.std() / np.sqrt(len(known)))
        row["rmse"] = float(np.sqrt((error**2).mean()))
        row["width"] = float((known["value_upper"] - known["value_lower"]).mean())
        told = known[known["value_lower"].notna()]
        row["with_interval"] = len(told) / seeds
        if len(told):
            row["held"] = _share(told["value_lower"].le(true) & told["value_upper"].ge(true))
        told = known[known["difference_lower"].notna()]
        if len(told):
            gap = true - truth["the_logged_one"]
            low, high = told["difference_lower"], told["difference_upper"]
            row["difference_held"] = _share(low.le(gap) & high.ge(gap))
        rows.append({key: _plain(value) for key, value in row.items()})
    return rows


def traps(shop: Shop, seeds: int) -> dict[str, Any]:
    """Logs that cannot tell: how often is nothing said, and what would have been said?"""
    certain = shop.explored(Exploration())
    rough = shop.explored(Exploration(method="epsilon", epsilon=0.1))
    kinds = {
        "as logged": (shop.logged, shop.logged),
        "nothing explored": (certain, certain),
        "explored 0.3, logged as 0.1": (shop.logged, rough),
    }
    policy, truth = "top_by_another_score", shop.truth["top_by_another_score"]
    found: dict[str, Any] = {"policy": policy, "true": truth, "seeds": seeds, "logs": {}}
    for name, (by, told) in kinds.items():
        silent, naive, unsupported = 0, [], []
        for seed in range(seeds):
            log, actions, _ = shop.drawn(np.random.default_rng(seed), by, told)
            row = support_table(log, actions, [policy], CONFIDENCE).iloc[0]
            silent += not row["judged"]
            unsupported.append(row["unsupported"])
            of_policy = estimates(read_log(log, actions, [policy]), policy)
            naive.append([of_policy[one].value for one in ("ips", "snips")])
        means = np.mean(naive, axis=0)
        share = [silent / seeds, *wilson_interval(silent / seeds, seeds, CONFIDENCE)]
        found["logs"][name] = {
            "not_evaluated": [round(one, 4) for one in share],
            "unsupported": float(np.mean(unsupported)),
            "ips_would_have_said": float(means[0]),
            "snips_would_have_said": float(means[1]),
        }
    return found


def open_bandit() -> dict[str, Any]:
    """Ask the log of each policy for the value of the other; the other's own log is the answer.

    A row is one item at one of three places of a page, with the probability of the item at that
    place. The place is taken as given (both policies fill all three) and the item as the action,
    and a click is credited to its row: what stands beside an item is held to be without effect.
    Rows of one page, the same timestamp, are one cluster. Candidates from the random log: the
    production's Thompson sampling as the package's prior replicates it, and as it was played that
    week, by the shares of items per place in its own log.
    """
    prior = yaml.safe_load(PRIOR.read_text())
    rows, published = [], np.nan
    for campaign in ("all", "men", "women"):
        logs = {one: _clicks(one, campaign) for one in ("random", "bts")}
        n_items = int(logs["random"]["action"].max()) + 1
        even = np.full((n_items, 3), 1 / n_items)
        replicated = _thompson(
            np.array(prior[campaign]["alpha"]), np.array(prior[campaign]["beta"])
        )
        counts = np.zeros((n_items, 3))
        np.add.at(counts, (logs["bts"]["action"], logs["bts"]["position"] - 1), 1)
        played = counts / counts.sum(axis=0)
        for log_of, candidates, other in (
            ("random", {"bts_by_its_prior": replicated, "bts_as_played": played}, "bts"),
            ("bts", {"random": even}, "random"),
        ):
            log = logs[log_of]
            actions = _items(log, candidates, even if log_of == "random" else None)
            names = list(candidates)
            with_model = with_expected_rewards(log, actions, names, ["position"], CLICKS, 3, 1)
            table = off_policy_table(log, with_model, names, CONFIDENCE, needs=BEFORE)
            support = support_table(log, actions, names, CONFIDENCE).set_index("policy")
            answer = off_policy_table(
                logs[other], _items(logs[other], {"same": even}, None), ["same"], CONFIDENCE
            ).iloc[0]
            if campaign == "all" and log_of == "random":
                of_prior = estimates(read_log(log, actions, names), names[0])
                published = of_prior["ips"].value / log["reward"].mean()
            for row in table[table["policy"] != "logged"].to_dict("records"):
                row["expected_different"] = support.loc[row["policy"], "expected_different"]
                row["told"] = bool(support.loc[row["policy"], "judged"])
                row |= {"campaign": campaign, "log": log_of, "clicks": int(log["reward"].sum())}
                row |= {
                    f"on_policy{end}": answer[f"value{end}"] for end in ("", "_lower", "_upper")
                }
                rows.append({key: _plain(value) for key, value in row.items()})
    return {"published_ratio": 1.198126, "found_ratio": float(published), "estimates": rows}


def _clicks(policy: str, campaign: str) -> pd.DataFrame:
    raw = pd.read_csv(OBD / policy / campaign / f"{campaign}.csv", index_col=0)
    raw = raw.sort_values("timestamp", kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "decision_id": np.arange(len(raw)),
            "customer_id": raw["timestamp"],
            "action": raw["item_id"],
            "probability": raw["propensity_score"],
            "reward": raw["click"].astype("float64"),
            "position": raw["position"],
        }
    )


def _items(log: pd.DataFrame, candidates: dict[str, Floats], logged: Floats | None) -> pd.DataFrame:
    n_items, place = len(next(iter(candidates.values()))), log["position"].to_numpy() - 1
    actions = pd.DataFrame({"decision_id": np.repeat(log["decision_id"].to_numpy(), n_items)})
    actions["action"] = np.tile(np.arange(n_items), len(log))
    for name, p in candidates.items():
        actions[name] = p[:, place].T.ravel()
    if logged is not None:
        actions["logged_probability"] = logged[:, place].T.ravel()
    return actions


def _thompson(alpha: Floats, beta: Floats, draws: int = 100_000) -> Floats:
    """Probability of every item at each place: the three highest of draws from the prior.

    Drawn as obp's BernoulliTS with random_state 12345 draws, so that its published figure results.
    """
    rng = np.random.RandomState(12345)
    counts = np.zeros((len(alpha), 3))
    for _ in range(draws // 10_000):
        top = np.argsort(rng.beta(alpha, beta, (10_000, len(alpha))), axis=1)[:, ::-1][:, :3]
        for place in range(3):
            counts[:, place] += np.bincount(top[:, place], minlength=len(alpha))
    return counts / draws


def _both(p: Floats) -> Floats:
    return np.stack([p, 1 - p], axis=1).ravel()


def _share(held: pd.Series) -> list[float]:
    share, n = float(held.mean()), len(held)
    return [round(one, 4) for one in (share, *wilson_interval(share, n, CONFIDENCE))]


def _plain(value: Any) -> Any:
    """JSON-able; a number that is not known is None."""
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


if __name__ == "__main__":
    main()
