"""Rare and heavy rewards: does an interval hold the truth where the policy mostly disagrees?

Made for ``off_policy.py``, which runs it. Customers with some three decisions each, five actions of
which the log takes the first with probability 1 - 4 p and each other with p (the last three stand
as one); a policy that wants
the first of some customers and the second of the others, so that it agrees with the log in 1% to
90% of the decisions. Of the decisions 2% bring an order; rates differ between customers
(gamma), and amounts are lognormal, with a factor of the customer. The second action brings 1.3
times the orders of the first, the others 0.8 times. DR is given what an earlier model expects,
that knows the customer's rate roughly and the actions not at all. Beside them stands SNIPS with
what was there before: the symmetric interval of Student's t, told wherever there are 100 effective
customers, no decision with a twentieth of the weight, and ten customers with a reward.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.evaluation.bootstrap import error_interval, wilson_interval
from mkt_models.evaluation.decision_log import DecisionLog
from mkt_models.evaluation.off_policy import Estimator, estimates, off_policy_estimates
from mkt_models.evaluation.support import NEEDS, Needs, influence_error, supports

ACTIONS = np.array(["first", "second", "others"], dtype=object)
EFFECT = np.array([1.0, 1.3, 0.8])
SIZES = (1000, 5000, 20_000, 50_000)
# Probability of each rare action, and the share of decisions in which the policy agrees.
LOGS = {0.01: (0.01, 0.1, 0.9), 0.06: (0.06, 0.2, 0.7)}
ESTIMATORS = (Estimator.IPS, Estimator.SNIPS, Estimator.DR)
SYMMETRIC = "snips, symmetric"
BEFORE = Needs(min_expected_different=0)


@dataclass(frozen=True)
class Rewards:
    """Share of decisions with an order, and the spread of the log of amounts; 0: each is 1."""

    name: str
    share: float
    spread: float


REWARDS = (
    Rewards("orders, 2%", 0.02, 0.0),
    Rewards("spend, 2%", 0.02, 1.0),
    Rewards("heavy spend, 2%", 0.02, 1.4),
)


def drawn(
    rng: np.random.Generator, n: int, p: float, agreement: float, rewards: Rewards
) -> tuple[DecisionLog, float, float]:
    """Draw a log of about ``n`` decisions, as read; give it, and the true values of both."""
    logged = np.array([1 - 4 * p, p, 3 * p])
    share = (agreement - p) / (logged[0] - p)  # of customers of whom the policy wants the first
    customers = n // 3
    who = np.repeat(np.arange(customers), 1 + rng.poisson(2, customers))
    rate, wants_first = rng.gamma(1.0, 1.0, customers), rng.random(customers) < share
    size = np.exp(rng.normal(0, 0.5, customers) - 0.125)
    n = len(who)
    taken = rng.choice(3, n, p=logged)
    ordered = rng.random(n) < np.minimum(1, rewards.share * rate[who] * EFFECT[taken])
    amount = np.ones(n)
    if rewards.spread:
        noise = rng.normal(0, rewards.spread, n) - rewards.spread**2 / 2
        amount = 100 * size[who] * np.exp(noise)
    unit = 100 if rewards.spread else 1
    guess = unit * rewards.share * rate * np.exp(rng.normal(0, 0.7, customers) - 0.245)
    chances, wanted = np.tile(logged, n), np.where(wants_first[who], 0, 1)
    log = DecisionLog(
        customer=who,
        n_customers=customers,
        reward=ordered * amount,
        probability=logged[taken],
        decision=np.repeat(np.arange(n), 3),
        action=np.tile(ACTIONS, n),
        taken=3 * np.arange(n) + taken,
        logged=chances,
        drawn=np.full(3 * n, np.nan),  # the draw is known to be true: it is not tested, for speed
        expected=np.repeat(guess[who], 3),
        policies={"policy": np.eye(3)[wanted].ravel()},
    )
    level = unit * rewards.share
    return log, level * (share + 1.3 * (1 - share)), float(level * (logged @ EFFECT))


def rare(seeds: int, first: int, confidence: float) -> dict[str, Any]:
    """One row per cell and estimator: how often the truth lay above, below, or nothing was told."""
    cells = []
    for rewards in REWARDS:
        for n in SIZES:
            for p, agreements in LOGS.items():
                for agreement in agreements:
                    cells += cell(n, p, agreement, rewards, seeds, first, confidence)
    return {"seeds": seeds, "first_seed": first, "cells": cells, "over_all": over_all(cells)}


def cell(
    n: int,
    p: float,
    agreement: float,
    rewards: Rewards,
    seeds: int,
    first: int,
    confidence: float,
) -> list[dict[str, Any]]:
    """Ask logs of one kind for the value, and for the difference to what they brought."""
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {
        (one, of): [] for one in (*ESTIMATORS, SYMMETRIC) for of in ("value", "difference")
    }
    about = {"rewards": rewards.name, "n": n, "p": p, "agreement": round(agreement, 3)}
    for seed in range(first, first + seeds):
        rng = np.random.default_rng([seed, n, round(1000 * agreement), REWARDS.index(rewards)])
        log, true, log_true = drawn(rng, n, p, agreement, rewards)
        truths = {"value": true, "difference": true - log_true}
        support = supports(log, confidence, BEFORE)["policy"]
        if not support.judged:
            continue
        for of, ends in symmetric(log, support.effective_customers, confidence).items():
            found[SYMMETRIC, of].append((*ends, truths[of]))
        if support.expected_different < NEEDS.min_expected_different:
            continue
        table = off_policy_estimates(log, confidence, reference="logged")
        for row in table[table["estimator"].isin(ESTIMATORS)].to_dict("records"):
            for of, truth in truths.items():
                ends = (row[f"{of}_lower"], row[f"{of}_upper"])
                if np.isfinite(ends[0]):
                    found[row["estimator"], of].append((*ends, truth))
    rows = []
    for (estimator, of), told in found.items():
        row: dict[str, Any] = about | {"estimator": estimator, "of": of, "evaluated": len(told)}
        if told:
            lower, upper, truth_of = np.array(told).T
            row["below"] = int((upper < truth_of).sum())  # the interval lies below the truth
            row["above"] = int((lower > truth_of).sum())
            row["width"] = round(float(np.median((upper - lower) / true)), 4)
        rows.append(row)
    return rows


def symmetric(
    log: DecisionLog, effective: float, confidence: float
) -> dict[str, tuple[float, float]]:
    """Give the value by SNIPS, and the difference to the log, as Student's t has them."""
    snips, mean = estimates(log, "policy")[Estimator.SNIPS], float(log.reward.mean())
    gap = snips.influence - (log.reward - mean)
    return {
        of: error_interval(value, influence_error(log, influence), confidence, effective)
        for of, value, influence in (
            ("value", snips.value, snips.influence),
            ("difference", snips.value - mean, gap),
        )
    }


def over_all(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the cells up by estimator: shares of the intervals told, and the worst of the cells.

    The worst is of cells in which at least half of the logs were told.
    """
    table, rows = pd.DataFrame(cells), []
    seeds = int(table["evaluated"].max())
    for (estimator, of), part in table.groupby(["estimator", "of"], sort=False):
        told = part[part["evaluated"] > 0]
        n = int(told["evaluated"].sum())
        row: dict[str, Any] = {"estimator": estimator, "of": of, "told": n}
        row["cells"] = len(part)
        row["cells_told"] = int((part["evaluated"] >= seeds / 2).sum())
        for side in ("below", "above"):
            share = float(told[side].sum()) / n
            row[side] = [round(one, 4) for one in (share, *wilson_interval(share, n, 0.95))]
        often = told[told["evaluated"] >= seeds / 2]
        missed = (often["below"] + often["above"]) / often["evaluated"]
        row["worst_held"] = round(float(1 - missed.max()), 4)
        rows.append(row)
    return rows
