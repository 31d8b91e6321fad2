"""How many rewards stand behind the heavy weights of an evaluation, before any is looked at.

A policy that agrees with the log nine times in ten, and does what the log did once in a hundred
the tenth time, has many effective decisions, and yet its value hangs on the few that weigh a
hundred. If the reward is rare these bring mostly nothing, and the interval, made of what was seen,
is far too short. What was seen cannot tell: logs in which no heavy decision was rewarded look best.
So the spread is counted from the **probabilities**: with v the weight of a decision, the variance
of the estimate is made by (sum of v²)² / sum of v⁴ decisions of equal weight, the sums taken over
all actions that could have been drawn. Times the share of all decisions whose reward is not the
commonest one, it says how many rewards may be expected to make up the spread.
"""

import numpy as np

from mkt_models.evaluation.decision_log import LOGGED, DecisionLog
from mkt_models.evaluation.inputs import Floats


def expected_different(log: DecisionLog, policy: str, reference: str, allowed: float) -> float:
    """Count the rewards expected behind the weights of a policy, or of its difference to another.

    Parameters
    ----------
    log
        The log.
    policy
        One of its candidate policies.
    reference
        The policy that is subtracted, or ``logged``; empty for the value of the policy itself.
    allowed
        Share of the probability (or of what differs) that may be left out, the heaviest first, as
        that much may lack support: what is never drawn moves no estimate.

    Returns
    -------
    A count of decisions; of customers, where theirs are fewer, by the weights that were drawn.
    Infinite where the two policies are the same.

    """
    gap = log.policies[policy].copy()
    if reference == LOGGED:
        gap -= np.where(np.isnan(log.logged), 0.0, log.logged)
    elif reference:
        gap -= log.policies[reference]
    drawn = log.weights(policy)
    if reference:
        drawn = drawn - (1.0 if reference == LOGGED else log.weights(reference))
    unknown = log.per_decision(np.isnan(log.logged).astype(np.float64)) > 0
    known = ~unknown[log.decision] & (log.logged > 0)
    chance, gap = log.logged[known], gap[known]
    chance = np.concatenate([chance, np.ones(int(unknown.sum()))])
    ratio = np.concatenate([gap / log.logged[known], drawn[unknown]])
    if max(np.abs(ratio).max(initial=0), np.abs(drawn).max()) < 1e-9:
        return np.inf
    expected = _many(ratio, chance, allowed)
    other = _other(log.reward)
    behind = expected * other.mean()
    # Decisions of one customer are alike: fewer customers than decisions stand behind.
    customers = len(np.unique(log.customer[other])) / log.n_customers
    seen = _many(drawn, np.ones(log.n), 0.0) * other.mean()
    if seen > 0:
        of_customers = _many(log.per_customer(drawn), np.ones(log.n_customers), 0.0) * customers
        behind *= min(1.0, of_customers / seen)
    return float(behind)


def _many(ratio: Floats, chance: Floats, allowed: float) -> float:
    """Give (sum of chance x ratio²)² / sum of chance x ratio⁴ without the heaviest few."""
    size, chance = np.abs(ratio[ratio != 0]), chance[ratio != 0]
    order = np.argsort(-size, kind="stable")
    mass = np.cumsum((size * chance)[order])
    kept = order[mass > allowed * mass[-1]] if len(mass) else order
    squares = size[kept] ** 2
    total, fourth = float(chance[kept] @ squares), float((chance[kept] * squares) @ squares)
    return total**2 / fourth if fourth > 0 else 0.0


def _other(reward: Floats) -> np.ndarray:
    values, counts = np.unique(reward, return_counts=True)
    return np.asarray(reward != values[counts.argmax()])
