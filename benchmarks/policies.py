"""What decisions are truly worth under budgets, held against the truth of the simulator.

    .venv/bin/mkt run params/demo.yaml --stages 02_clean \\
        --set run=uplift seed=12 source.customers=20000 source.browsing=0.05
    .venv/bin/python benchmarks/policies.py

On the day after the data each customer may get one of the shop's eight actions, over a channel that
they agreed to. Contacts per channel are limited to a share of the customers. The worth of a
decision is what it truly changes within 14 days: margin rate x the true uplift of spend, less the
contact. All policies have the same customers, consents, costs and budgets:

oracle                 the true worth, allocated
product                spend that a contact adds, predicted from the shop's trials by the learner
                       that their validation campaigns choose; allocated by price alone, as online
DR-learner, of orders  the same by a DR-learner of an order, worth the customer's mean order: the
                       product before
DR-learner, of spend   the same by a DR-learner of spend
propensity-weighted    P(order | contact) x mean order x margin rate, less the contact, allocated
top propensity         highest P(order | contact) first
everyone the same      on each channel the action that raised spend most in the trials, by lot
rules only             the rules of a marketer by recency, category affinity and spend, by lot
random                 a random action, by lot
attainable             trees that learn the true worth itself from the same features, of the other
                       half of the customers: what these features allow

The learner is chosen by its Qini of spend on the trials, as ``uplift_backtest`` does, and the truth
is not looked at. Intervals: customers are drawn again (percentiles of 1,000 draws), with the
decisions as they are.
"""

import argparse
import json
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from uplift import FEATURES, HERE, OVERRIDES, with_truth

from mkt_models.decisions.allocation import allocate
from mkt_models.decisions.options import Floats, Ints, Options
from mkt_models.engine import connect, register
from mkt_models.evaluation.inputs import TARGET
from mkt_models.evaluation.qini import choose_learner, qini_table
from mkt_models.evaluation.uplift import effect_table
from mkt_models.models import contact_features, uplift_trials
from mkt_models.models.uplift import Responses, fit_uplift
from mkt_models.models.uplift import predicted as models_of_uplift
from mkt_models.profiles.features import prepare_orders
from mkt_models.uplift_params import Learner, Uplift
from mkt_models.workspace import Workspace

CHANNELS = ("app", "email", "sms", "mail")
COST = {"app": 0.0, "email": 0.01, "sms": 0.05, "mail": 0.8}  # as in the simulated shop
SHARES = {"tight": (0.15, 0.10, 0.05, 0.03), "loose": (0.30, 0.20, 0.10, 0.10)}
MARGIN, LOTS, DRAWS, SEED = 0.25, 20, 1000, 12
KEYS = ["customer_id", "action"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "policies.json")
    parser.add_argument("--predictions", type=Path, help="keep them here, or read them from here")
    arguments = parser.parse_args()
    started, kept = process_time(), arguments.predictions
    ws = Workspace.open(HERE.parent / "params" / "demo.yaml", OVERRIDES)
    table = pd.read_parquet(kept) if kept and kept.exists() else predicted(ws)
    if kept:
        table.to_parquet(kept, index=False)
    table = eligible(ws, table)
    found: dict[str, Any] = {
        "customers": int(table["customer_id"].nunique()),
        "options": len(table),
        "margin_rate": MARGIN,
        "learner": table["learner"].iloc[0],
    }
    everyone, best_told = same(ws, table), attainable(table)
    for name, shares in SHARES.items():
        found[name] = compared(table, shares, everyone, best_told)
    found["cpu_s"] = round(process_time() - started)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    for name in SHARES:
        print(name, pd.DataFrame(found[name]["policies"]).T.to_string(), sep="\n")


def predicted(ws: Workspace) -> pd.DataFrame:
    """One row per customer and action: features on the day after the data, and predictions."""
    rows, pairs = with_truth(), on_the_day_after(ws)
    return pairs.assign(**of_product(rows, pairs), **of_others(rows, pairs))


def on_the_day_after(ws: Workspace) -> pd.DataFrame:
    """One row per customer who ordered before, and action: features on the day after the data."""
    con = connect(ws.params.engine, ws.spill)
    register(con, ws.existing("clean", "transactions.parquet").parent)
    prepare_orders(con)
    as_of = ws.params.profile.as_of
    con.register("latest", latest(ws))
    pairs = con.execute(
        f"""
        SELECT k.customer_id, c.campaign_id, c.campaign_type, DATE '{as_of}' AS as_of, c.ends_on
        FROM (SELECT DISTINCT customer_id FROM orders WHERE local_date < DATE '{as_of}') AS k
        CROSS JOIN campaigns AS c JOIN latest AS l ON l.campaign_id = c.campaign_id
        ORDER BY c.campaign_id, k.customer_id"""
    ).df()
    pairs = pairs.assign(**{name: pd.to_datetime(pairs[name]) for name in ("as_of", "ends_on")})
    return contact_features.with_contact(con, pairs)


def of_product(rows: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, Any]:
    """What the product predicts, and by which learner: chosen on trials, trained on all of them."""
    settings = Uplift()
    labelled = labelled_by(rows, settings.response)
    train, chosen_on, _ = uplift_trials.split_by_time(
        labelled, settings.validation_campaigns, settings.test_campaigns
    )
    names = [one.value for one in settings.learners]
    compared, _ = models_of_uplift(train, chosen_on, FEATURES, settings, SEED)
    table = qini_table(compared, names, 200, 0.95, SEED)
    print(table.to_string())
    chosen = Learner(choose_learner(table, names))
    model = fit_uplift(chosen, labelled, FEATURES, settings, SEED)
    return {"product": model.uplift(pairs), "learner": chosen.value}


def of_others(rows: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, Any]:
    """What the learners of other policies predict."""
    settings = Uplift()
    ordered, spend = (labelled_by(rows, name) for name in ("ordered", "spend"))
    arms = fit_uplift(Learner.T, ordered, FEATURES, settings, SEED)
    assert isinstance(arms, Responses)
    return {
        "t_m1": arms.both(pairs)[0],
        "dr_ordered": fit_uplift(Learner.DR, ordered, FEATURES, settings, SEED).uplift(pairs),
        "dr_spend": fit_uplift(Learner.DR, spend, FEATURES, settings, SEED).uplift(pairs),
    }


def labelled_by(rows: pd.DataFrame, response: str) -> pd.DataFrame:
    """The trials with a response as what is learnt."""
    return rows.assign(**{TARGET: rows[response].astype("float64")})


def latest(ws: Workspace) -> pd.DataFrame:
    """The last campaign of each action: ``campaign_id``, ``action``."""
    campaigns = ws.read_table("truth", "campaigns").sort_values("starts_on")
    return campaigns.groupby("action").tail(1)[["campaign_id", "action"]]


def eligible(ws: Workspace, table: pd.DataFrame) -> pd.DataFrame:
    """Customers with one account, over channels that they agreed to, with the true worth."""
    people = ws.read_table("truth", "customers")[["customer_id", "person_id"]]
    single = people[people.groupby("person_id")["customer_id"].transform("size") == 1]
    said = ws.read_table("clean", "consents").sort_values("changed_on", kind="stable")
    said = said[said["purpose"] == "marketing"].groupby(["customer_id", "channel"]).tail(1)
    said = said[said["status"] == "granted"][["customer_id", "channel"]]
    truth = ws.read_table("truth", "actions")[[*KEYS, "uplift_cents"]]
    rows = table.merge(latest(ws), on="campaign_id").merge(truth, on=KEYS, validate="one_to_one")
    rows = rows[rows["customer_id"].isin(single["customer_id"])].merge(
        said, on=["customer_id", "channel"]
    )
    cost = rows["channel"].map(COST).astype("float64")
    rows = rows.assign(cost=cost, true=MARGIN * rows["uplift_cents"] / 100 - cost)
    return rows.sort_values(KEYS, ignore_index=True)


def compared(
    table: pd.DataFrame, shares: tuple[float, ...], everyone: np.ndarray, best_told: pd.Series
) -> dict[str, Any]:
    """Let every policy decide within the same budgets, and add up what that is truly worth."""
    customer = pd.factorize(table["customer_id"])[0].astype(np.intp)
    n, true = int(customer[-1]) + 1, table["true"].to_numpy()
    amounts = np.floor(np.array(shares) * n)
    order_amount = table["mean_order_amount"].fillna(0.0)
    cost = table["cost"]

    def by_worth(worth: pd.Series) -> tuple[list[Ints], float]:
        options = Options(
            customer=customer,
            family=np.zeros(len(table), dtype=np.intp),
            worth=worth.to_numpy(dtype=np.float64),
            uses=np.eye(len(CHANNELS)),
            use=table["channel"].map(CHANNELS.index).to_numpy(dtype=np.intp),
        )
        result = allocate(options, amounts)
        return [result.by_price], result.worth_by_price / result.bound

    oracle, near = by_worth(table["true"])
    chosen: dict[str, list[Ints]] = {
        "oracle": oracle,
        "product": by_worth(MARGIN * table["product"] - cost)[0],
        "DR-learner, of orders": by_worth(MARGIN * table["dr_ordered"] * order_amount - cost)[0],
        "DR-learner, of spend": by_worth(MARGIN * table["dr_spend"] - cost)[0],
        "propensity-weighted": by_worth(MARGIN * table["t_m1"] * order_amount - cost)[0],
        "top propensity": by_worth(table["t_m1"])[0],
        "everyone the same": by_lot(table, customer, amounts, everyone),
        "rules only": by_lot(table, customer, amounts, ruled(table)),
        "random": by_lot(table, customer, amounts, np.ones(len(table), dtype=bool)),
        "attainable": by_worth(best_told)[0],
    }
    best = np.bincount(customer[oracle[0]], true[oracle[0]], n)
    weights = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), DRAWS)
    below = weights @ best
    rows = {}
    for name, lots in chosen.items():
        mine = np.mean([np.bincount(customer[one], true[one], n) for one in lots], axis=0)
        share = (weights @ mine) / below
        lower, upper = np.quantile(share, [0.025, 0.975])
        rows[name] = {
            "worth": float(mine.sum()),
            "of_oracle": float(mine.sum() / best.sum()),
            "lower": float(lower),
            "upper": float(upper),
            "contacts": float(np.mean([len(one) for one in lots])),
            "lots": len(lots),
        }
    limits = dict(zip(CHANNELS, amounts.tolist(), strict=True))
    return {"budgets": limits, "oracle_of_its_bound": near, "n": n, "policies": rows}


def same(ws: Workspace, table: pd.DataFrame) -> np.ndarray:
    """Per channel the action that raised spend most in the trials, arms weighted."""
    con = connect(ws.params.engine, ws.spill)
    register(con, ws.existing("clean", "transactions.parquet").parent)
    prepare_orders(con)
    rows = uplift_trials.trials(con, ws.params.profile.as_of).rows.merge(
        ws.read_table("truth", "campaigns")[["campaign_id", "action"]], on="campaign_id"
    )
    effects = effect_table(rows, ["spend"], 20, 0.95, SEED, by="action")
    effects = effects.set_index("group")["effect"]
    channel = table.drop_duplicates("action").set_index("action")["channel"]
    best = effects.groupby(channel.reindex(effects.index)).idxmax()
    return np.asarray(table["action"].isin(best))


def by_lot(table: pd.DataFrame, customer: Ints, amounts: Floats, wanted: np.ndarray) -> list[Ints]:
    """Give wanted options out in a random order, one for a customer, while the budgets last."""
    place = table["channel"].map(CHANNELS.index).to_numpy()
    rows = np.flatnonzero(wanted)
    lots = []
    for lot in range(LOTS):
        order = np.random.default_rng(lot).permutation(rows)
        left, served, chosen = amounts.copy(), set(), []
        for row in order.tolist():
            who, channel = int(customer[row]), int(place[row])
            if who not in served and left[channel] >= 1:
                left[channel] -= 1
                served.add(who)
                chosen.append(row)
        lots.append(np.array(chosen, dtype=np.intp))
    return lots


def ruled(table: pd.DataFrame) -> np.ndarray:
    """Win back who is silent; bundles and news for who likes the goods; discounts for the rest."""
    silent = table["days_since_last_order"].to_numpy() > 60
    likes = table["category_affinity"].fillna(0.0).to_numpy() > 0.1
    kind = table["campaign_type"]
    discount = (kind == "discount") & (table["orders_90d"] >= 1)
    return np.asarray(
        ((kind == "win_back") & silent)
        | (kind.isin(["bundle", "new_arrivals"]) & likes & ~silent)
        | (discount & ~silent)
        | ((kind == "reminder") & (table["days_since_last_order"].between(30, 60)))
    )


def attainable(table: pd.DataFrame) -> pd.Series:
    """Trees that learn the true worth from the features, each half told by the other."""
    customer = pd.factorize(table["customer_id"])[0]
    half = np.random.default_rng(SEED).random(int(customer[-1]) + 1) < 0.5
    inside, matrix = half[customer], table[FEATURES].to_numpy(np.float32)
    settings = {"max_depth": 6, "eta": 0.1, "colsample_bytree": 0.5, "min_child_weight": 20}
    told = np.empty(len(table))
    for learn, rest in ((inside, ~inside), (~inside, inside)):
        data = xgb.DMatrix(matrix[learn], table.loc[learn, "true"])
        trees = xgb.train(settings | {"seed": 1, "nthread": 1}, data, num_boost_round=200)
        told[rest] = trees.inplace_predict(matrix[rest])
    return pd.Series(told, index=table.index)


if __name__ == "__main__":
    main()
