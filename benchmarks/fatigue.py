"""Fatigue held against known truth: is the decay found, and is none claimed where there is none?

    .venv/bin/python benchmarks/fatigue.py

Many small worlds whose decay is known are judged by what a run of the workflow calls for a channel
(``models.fatigue_by_channel.of_channel``, with the default parameters). In all of them the shop
contacts more whom it likes more; in some contacts depend on responses, which no estimate within
customers survives, and in some they are assigned at random. Beside it stands the naive estimate
between customers: the same regression with campaign effects, without those of customers. Then the
shop of the simulator, with fatigue planted; there the decay of a redemption's probability is no
constant, so the truth is what the estimator finds when it is given the true probabilities.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import Channel, FatigueState
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.fatigue_params import Fatigue
from mkt_models.models.contact_pressure import Contacts, with_pressure
from mkt_models.models.fatigue import comparable, randomised, within_customers
from mkt_models.models.fatigue_by_channel import fatigue_table, of_channel
from mkt_models.simulation.shop import World, make_world, simulate_chunk
from mkt_models.source_params import CampaignPlan, Simulator

HERE = Path(__file__).resolve().parent
SETTINGS = Fatigue()
CONFIDENCE = SETTINGS.confidence
DAY_BEFORE = 1.0  # days; what a contact then leaves of a response is what is compared


@dataclass(frozen=True)
class Small:
    """A small world of contacts over one channel.

    ``liking`` is by how much the log-odds of a contact rise with the log of a customer's rate of
    response; ``feedback`` by how much they rise after a response to the last contact. Where
    ``assigned`` is true, contacts are drawn with known probabilities, higher for those liked.
    """

    decay: float = 0.0
    half_life: float = 7.0
    customers: int = 500
    campaigns: int = 24
    every_days: int = 4
    liking: float = 1.2
    feedback: float = 0.0
    assigned: bool = False


WORLDS: Mapping[str, Small] = {
    "targeted, no fatigue": Small(),
    "targeted, decay 0.3": Small(decay=0.3),
    "targeted, decay 0.3, half-life 10 (not tried)": Small(decay=0.3, half_life=10.0),
    "responders contacted more (0.3), no fatigue": Small(feedback=0.3),
    "responders contacted more (1.0), no fatigue": Small(feedback=1.0),
    "the same (1.0), 12 campaigns": Small(feedback=1.0, campaigns=12, every_days=10),
    "assigned at random, no fatigue": Small(assigned=True),
    "assigned at random, decay 0.3": Small(assigned=True, decay=0.3),
    "60 customers, no fatigue": Small(customers=60),
}


def small_world(world: Small, rng: np.random.Generator) -> Contacts:
    """Draw a world: who is contacted by each campaign in turn, and who responds."""
    n, campaigns = world.customers, world.campaigns
    rate = rng.normal(0, 0.8, n)
    appeal = rng.normal(0, 0.4, campaigns)
    days = world.every_days * np.arange(campaigns)
    made, chance, answered = (np.zeros((campaigns, n)) for _ in range(3))
    last = np.zeros(n)
    for c in range(campaigns):
        if world.assigned:
            chance[c] = np.where(rate > 0.4, 0.55, 0.35)
        else:
            logit = -0.62 + world.liking * rate + world.feedback * last
            chance[c] = 1 / (1 + np.exp(-logit))
        made[c] = rng.random(n) < chance[c]
        pressure = weights(days, c, world.half_life) @ made
        expected = np.exp(0.6 * rate + appeal[c] - world.decay * pressure - 2.23)
        answered[c] = made[c] * (rng.random(n) < expected)
        last = np.where(made[c] > 0, answered[c], last)
    campaign, customer = np.nonzero(made)

    def at(what: np.ndarray, ahead: bool = False) -> np.ndarray:
        columns = [
            np.stack([weights(days, c, half_life, ahead) @ what for c in range(campaigns)])
            for half_life in SETTINGS.half_lives
        ]
        return np.stack(columns, axis=-1)[campaign, customer]

    known = chance if world.assigned else np.full(made.shape, np.nan)
    return Contacts(
        customer=np.unique(customer, return_inverse=True)[1],
        campaign=campaign,
        response=answered[campaign, customer],
        probability=known[campaign, customer],
        pressure=at(made),
        expected=at(chance if world.assigned else made),
        random=np.full(len(customer), world.assigned) & (campaign > 0),
        lead=at(made, ahead=True),
    )


def weights(days: np.ndarray, now: int, half_life: float, ahead: bool = False) -> np.ndarray:
    """What each campaign presses on one of the window after it, or before it."""
    age = (days - days[now]) if ahead else (days[now] - days)
    within = (age > 0) & (age <= SETTINGS.window_days)
    return np.where(within, 0.5 ** (np.abs(age) / half_life), 0.0)


def naive(contacts: Contacts, which: int) -> tuple[float, float]:
    """The decay between customers, and its error: campaigns are held alike, customers are not."""
    swapped = replace(
        contacts,
        customer=contacts.campaign,
        campaign=np.zeros_like(contacts.campaign),
        pressure=contacts.pressure[:, [which]],
    )
    found = within_customers(swapped, CONFIDENCE, 0)
    return float(found.decay[0]), float(found.error[0])


def judged(world: Small, seeds: int) -> dict[str, Any]:
    """How often a world's decay is claimed and covered, over many draws."""
    truth = np.exp(-world.decay * 0.5 ** (DAY_BEFORE / world.half_life))
    true_place = [i for i, h in enumerate(SETTINGS.half_lives) if h == world.half_life]
    rows = []
    for seed in range(seeds):
        drawn = small_world(world, np.random.default_rng(seed))
        row = of_channel(Channel.APP, drawn, SETTINGS, seed)
        evaluated = row["decay"] is not None
        left = upper = lower = np.nan
        if evaluated:
            told = fatigue_table([row]).iloc[0]
            left, lower, upper = told["left"], told["left_lower"], told["left_upper"]
        between, _ = naive(drawn, true_place[0] if true_place else 1)
        one = {
            "claimed": row["state"] == FatigueState.SHOWN,
            "not_evaluated": not evaluated,
            "left": left,
            "covered": bool(lower <= truth <= upper) if evaluated else None,
            "naive": between,
        }
        if true_place and not one["not_evaluated"]:
            # At the true half-life, with an interval for that one alone.
            at_truth = replace(
                drawn,
                **{k: getattr(drawn, k)[:, true_place] for k in ("pressure", "expected", "lead")},
            )
            found = (
                randomised(at_truth, CONFIDENCE, seed)
                if world.assigned
                else within_customers(comparable(at_truth), CONFIDENCE, seed)
            )
            ends = found.interval(0)
            one |= {
                "decay": float(found.decay[0]),
                "decay_covered": bool(ends[0] <= world.decay <= ends[1]),
            }
        rows.append(one | {"n": len(drawn), "responses": int(drawn.response.sum())})
    table = pd.DataFrame(rows)
    return {
        "decay": world.decay,
        "worlds": seeds,
        "contacts": round(float(table["n"].mean())),
        "responses": round(float(table["responses"].mean())),
        "claimed": share(table["claimed"]),
        "not_evaluated": share(table["not_evaluated"]),
        "left_true": round(float(truth), 4),
        "left_mean": mean(table["left"]),
        "left_covered": share(table["covered"].dropna()),
        "decay_mean": mean(table.get("decay", pd.Series(dtype=float))),
        "decay_covered": share(table.get("decay_covered", pd.Series(dtype=object)).dropna()),
        "naive_mean": mean(table["naive"]),
    }


def share(flags: pd.Series) -> dict[str, float] | None:
    """A share with its Wilson interval; None of nothing."""
    if flags.empty:
        return None
    lower, upper = wilson_interval(float(flags.astype(bool).mean()), len(flags), 0.95)
    return {
        "share": round(float(flags.astype(bool).mean()), 4),
        "lower": round(float(lower), 4),
        "upper": round(float(upper), 4),
        "n": len(flags),
    }


def mean(values: pd.Series) -> float | None:
    """A mean of what is there."""
    known = values.dropna()
    return None if known.empty else round(float(known.mean()), 4)


def shop(seed: int, decay: float, customers: int) -> World:
    """A busy shop with a campaign every five days and fatigue over its channels."""
    source = Simulator(
        kind="simulator",
        customers=customers,
        chunk_customers=customers,
        first_day=date(2023, 1, 1),
        days=420,
        days_between_orders=10,
        browsing=0,
        time_zone="Asia/Shanghai",
        country="CN",
        currency="CNY",
        campaigns=CampaignPlan(every_days=5, days=5, fatigue=decay),
    )
    return make_world(source, seed)


def of_shop(seed: int, decay: float, customers: int) -> dict[str, Any]:
    """The decay over the app in a shop, by both estimators, beside what the truth gives them."""
    world = shop(seed, decay, customers)
    chunk = simulate_chunk(world, 0)
    sent, orders = chunk.contacts, chunk.orders
    own = [c.action.channel is Channel.APP for c in world.campaigns]
    coupons = [c.action.discount > 0 and c.end <= world.clock.days for c in world.campaigns]
    start = np.array([c.start for c in world.campaigns])
    redeemed = np.zeros(sent.contacted.shape, dtype=bool)
    with_coupon = orders.campaign >= 0
    redeemed[orders.campaign[with_coupon], orders.owner[with_coupon]] = True
    everything = pd.DataFrame(
        {
            "customer_id": sent.owner,
            "campaign_id": sent.campaign,
            "sent_on": np.datetime64("2023-01-01") + start[sent.campaign].astype("timedelta64[D]"),
            "made": sent.treated.astype(int),
            "assignment_probability": sent.probability,
            "response": redeemed[sent.campaign, sent.owner].astype(int),
            "true": sent.redeem_if,
        }
    )[np.array(own)[sent.campaign]]
    kept = everything[(everything["made"] == 1) & np.array(coupons)[everything["campaign_id"]]]
    history = everything[["customer_id", "sent_on", "made", "assignment_probability"]]
    half_lives = (world.source.campaigns.fatigue_half_life_days,)
    weighed = with_pressure(kept, history, half_lives, SETTINGS.window_days)
    exact = replace(weighed, response=kept["true"].to_numpy())
    found: dict[str, Any] = {"planted": decay, "contacts": len(weighed)}
    observed, truth = comparable(weighed), comparable(exact)
    pairs = {
        "within": (
            within_customers(observed, CONFIDENCE, seed),
            within_customers(truth, CONFIDENCE, 0),
        ),
        "randomised": (
            randomised(weighed, CONFIDENCE, seed),
            randomised(exact, CONFIDENCE, 0),
        ),
    }
    for name, (estimate, known) in pairs.items():
        lower, upper = estimate.interval(0)
        found[name] = {
            "decay": round(float(estimate.decay[0]), 4),
            "lower": round(lower, 4),
            "upper": round(upper, 4),
            "truth": round(float(known.decay[0]), 4),
            "covered": bool(lower <= known.decay[0] <= upper),
        }
    found["naive"] = round(naive(weighed, 0)[0], 4)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--shops", type=int, default=5)
    parser.add_argument("--customers", type=int, default=6000, help="of a simulated shop")
    parser.add_argument("--out", type=Path, default=HERE / "fatigue.json")
    asked = parser.parse_args()
    began = process_time()
    small = {}
    for name, world in WORLDS.items():
        small[name] = judged(world, asked.seeds)
        print(name, json.dumps(small[name]), flush=True)
    cpu_small = process_time() - began
    shops = []
    for decay in (0.0, 0.5):
        for seed in range(asked.shops):
            shops.append(of_shop(seed, decay, asked.customers))
            print(json.dumps(shops[-1]), flush=True)
    found = {
        "small": small,
        "shops": shops,
        "cpu_s": {"small": round(cpu_small, 1), "shops": round(process_time() - began - cpu_small)},
    }
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
