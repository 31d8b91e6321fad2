"""How near the models come to what can be known: their AUC against those who know the truth.

For a simulated run, on the same customers and outcomes:

- `oracle`: the true probability, given everything that drives a customer and whether they have
  silently dropped out, which nothing in the data says;
- `informed`: the true rates and tastes of every customer, but of the drop-out only what the orders
  show: P(alive | own rates, time since the last order), Schmittlein, Morrison and Colombo (1987);
- the models and peers of the run, which see the data.

Persons with several accounts are left out: the truth is per account. Churn is judged on the day of
the profile, propensity on the campaigns of its backtest.

    mkt run params/demo.yaml --stages 05_churn 07_propensity --set run=oracle source.customers=20000
    python benchmarks/oracle.py --params params/demo.yaml --set run=oracle source.customers=20000
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.simulation.campaigns import Campaign, rate_factor, redemption_probability
from mkt_models.simulation.closed_forms import p_any
from mkt_models.simulation.randomness import Floats
from mkt_models.simulation.records import customer_ids
from mkt_models.simulation.shop import Chunk, World, make_world, simulate_chunk
from mkt_models.stages import Run, parse_overrides

HERE = Path(__file__).resolve().parent
MODEL = "this_model"
DRAWS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--params", default="params/demo.yaml")
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=HERE / "oracle.json")
    arguments = parser.parse_args()
    run = Run.open(arguments.params, parse_overrides(arguments.set))
    known = informed(run)
    found: dict[str, Any] = {
        "customers": int(known[CUSTOMER_ID].nunique()),
        "churn": _table(*churn(run, known)),
        "propensity": _table(*propensity(run, known)),
    }
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    for name in ("churn", "propensity"):
        print(name, f"n = {found[name]['n']:,}")
        print(pd.DataFrame(found[name]["auc"]).T.to_string())


def informed(run: Run) -> pd.DataFrame:
    """One row per customer and moment: what the informed know, and the truth.

    ``moment`` is ``end`` (of the data) or a campaign; ``informed`` and ``oracle`` are P(no order
    in the horizon) at the end, P(redemption | contacted) of a campaign.
    """
    world = make_world(run.workspace.source, run.workspace.params.seed)
    horizon = run.workspace.params.churn.horizon_days
    parts = []
    for number in range(world.chunks):
        chunk = simulate_chunk(world, number)
        parts.append(_silent(world, chunk, horizon))
        parts += [_redeem(world, chunk, campaign) for campaign in world.campaigns]
    return pd.concat(parts, ignore_index=True)


def _silent(world: World, chunk: Chunk, horizon: int) -> pd.DataFrame:
    people, clock = chunk.population, world.clock
    everybody = np.ones(people.size, dtype=bool)
    rate = people.rate * people.completed
    orders = p_any(rate, people.drop_rate, everybody, clock.ahead(horizon))
    truly = people.alive(float(clock.shop_time(clock.days)))
    known = p_alive(world, chunk, clock.days)
    return _rows(chunk, "end", 1 - truly * orders, 1 - known * orders)


def _redeem(world: World, chunk: Chunk, campaign: Campaign) -> pd.DataFrame:
    people, clock = chunk.population, world.clock
    everybody = np.ones(people.size, dtype=bool)
    start, end = (float(clock.shop_time(day)) for day in (campaign.start, campaign.end))
    raised = people.rate * people.completed * rate_factor(people, campaign.action)
    redeeming = raised * redemption_probability(people, campaign.action)
    redeems = p_any(redeeming, people.drop_rate, everybody, end - start)
    known = p_alive(world, chunk, campaign.start)
    return _rows(chunk, campaign.id, people.alive(start) * redeems, known * redeems)


def _rows(chunk: Chunk, moment: str, oracle: Floats, informed: Floats) -> pd.DataFrame:
    people = chunk.population
    return pd.DataFrame(
        {
            CUSTOMER_ID: customer_ids(chunk, np.arange(people.size)),
            "accounts": np.bincount(people.person, minlength=people.size)[people.person],
            "moment": moment,
            "oracle": oracle,
            "informed": informed,
        }
    )


def p_alive(world: World, chunk: Chunk, day: int) -> Floats:
    """P(not dropped out by ``day`` | own rates, last order), one per customer.

    Every order counts as a sign of life, completed or not. Campaigns, which change the rate for
    some days, are left out, so the informed know a little less than they could.
    """
    people, orders, clock = chunk.population, chunk.orders, world.clock
    last: Floats = np.asarray(people.enters, dtype=float).copy()
    before = orders.day < day
    when = clock.shop_time(orders.second[before] / 86_400)
    np.maximum.at(last, orders.owner[before], when)
    silent = np.maximum(float(clock.shop_time(day)) - last, 0)
    both = people.rate + people.drop_rate
    return np.asarray(1 / (1 + people.drop_rate / both * np.expm1(np.minimum(both * silent, 700))))


def churn(run: Run, known: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Customers who were active: P(churn) by each, and whether they ordered in the hidden days."""
    space, chosen = run.workspace, run.workspace.params.churn
    truth = pd.read_parquet(space.path("truth", "customers.parquet"))
    scores = space.read_table("churn", "scores")
    rows = scores.merge(known[known["moment"] == "end"], on=CUSTOMER_ID).merge(
        truth[[CUSTOMER_ID, f"orders_{chosen.horizon_days}d"]], on=CUSTOMER_ID
    )
    rows = rows[rows["accounts"] == 1]
    rows["target"] = (rows.pop(f"orders_{chosen.horizon_days}d") == 0).astype(int)
    return rows.rename(columns={"score": MODEL}), [MODEL]


def propensity(run: Run, known: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Customers and later campaigns: P(redemption) by each, and whether there was one."""
    predicted = run.workspace.read_table("propensity", "predictions")
    peers = [c for c in predicted if c not in (CUSTOMER_ID, "campaign_id", AS_OF, "target")]
    rows = predicted.merge(
        known, left_on=[CUSTOMER_ID, "campaign_id"], right_on=[CUSTOMER_ID, "moment"]
    )
    return rows[rows["accounts"] == 1], peers


def _table(rows: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    """AUC of each, and the share of it in that of the oracle and the informed, with 95% intervals.

    Customers are drawn with all their rows.
    """
    rng = np.random.default_rng(1)
    codes, people = pd.factorize(rows[CUSTOMER_ID])
    target = rows["target"].to_numpy()
    every = ["oracle", "informed", *names]
    scores = rows[every].to_numpy(float)

    def measured(weights: Floats) -> Floats:
        return np.array(
            [roc_auc_score(target, column, sample_weight=weights) for column in scores.T]
        )

    estimate = measured(np.ones(len(rows)))
    draws = np.array(
        [
            measured(
                np.bincount(
                    rng.integers(0, len(people), len(people)), minlength=len(people)
                ).astype(float)[codes]
            )
            for _ in range(DRAWS)
        ]
    )
    found = {}
    for i, name in enumerate(every):
        found[name] = {"auc": round(float(estimate[i]), 4)}
        for j, best in enumerate(("oracle", "informed")):
            share = draws[:, i] / draws[:, j]
            found[name] |= {
                f"of_{best}": round(float(estimate[i] / estimate[j]), 4),
                f"of_{best}_lower": round(float(np.quantile(share, 0.025)), 4),
                f"of_{best}_upper": round(float(np.quantile(share, 0.975)), 4),
            }
    return {"n": len(rows), "mean_target": round(float(target.mean()), 4), "auc": found}


if __name__ == "__main__":
    main()
