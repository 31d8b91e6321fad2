"""Logs of decisions with known truth, for tests."""

import numpy as np
import pandas as pd


def two_actions(rows: list[tuple[str, str, float, float, float]]) -> tuple[pd.DataFrame, ...]:
    """Log and actions by hand: customer, action x or y, P(x) logged and of policy, reward."""
    log, actions = [], []
    for i, (customer, action, logged, policy, reward) in enumerate(rows):
        p = logged if action == "x" else 1 - logged
        log.append((f"d{i}", customer, action, p, reward))
        actions += [(f"d{i}", "x", logged, policy), (f"d{i}", "y", 1 - logged, 1 - policy)]
    return (
        pd.DataFrame(
            log, columns=["decision_id", "customer_id", "action", "probability", "reward"]
        ),
        pd.DataFrame(actions, columns=["decision_id", "action", "logged_probability", "new"]),
    )


def drawn(n: int = 4000, seed: int = 1, per_customer: int = 2) -> tuple[pd.DataFrame, ...]:
    """Three actions, logged by the customer's ``level``; ``new`` does what is best for them.

    The true value of a decision stands in ``actions['true']``: the probability of reward 1.
    """
    rng = np.random.default_rng(seed)
    customer = np.arange(n) // per_customer
    level = rng.random(n // per_customer + 1)[customer]
    logged = np.stack([0.2 + 0.4 * level, 0.5 - 0.4 * level, np.full(n, 0.3)], axis=1)
    true = np.stack([0.2 + 0.3 * level, 0.5 - 0.3 * level, np.full(n, 0.25)], axis=1)
    best = np.eye(3)[true.argmax(axis=1)]
    taken = (rng.random(n)[:, None] > logged.cumsum(axis=1)).sum(axis=1)
    pick = (np.arange(n), taken)
    names = np.array(["a", "b", "c"])
    log = pd.DataFrame(
        {
            "decision_id": np.arange(n),
            "customer_id": customer,
            "action": names[taken],
            "probability": logged[pick],
            "reward": (rng.random(n) < true[pick]).astype(float),
            "level": level,
        }
    )
    actions = pd.DataFrame(
        {
            "decision_id": np.repeat(np.arange(n), 3),
            "action": np.tile(names, n),
            "logged_probability": logged.ravel(),
            "new": (0.9 * best + 0.1 / 3).ravel(),
            "even": 1 / 3,
            "true": true.ravel(),
        }
    )
    return log, actions
