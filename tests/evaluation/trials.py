"""Trials with a planted effect, for tests."""

import numpy as np
import pandas as pd


def trial(
    n: int = 2000, seed: int = 1, effect: float = 0.1, spread: float = 0.3, rows: int = 1
) -> pd.DataFrame:
    """Customers with ``rows`` campaigns; those who respond more are contacted more often.

    A contact adds ``effect`` to the probability of a response on average, more for a large
    ``gain`` (uniform from 0 to 1) by ``spread``; ``true`` is what it adds for the row.
    """
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), rows)
    gain, heavy = rng.random(n)[who], (rng.random(n) < 0.5)[who]
    p = np.where(heavy, 0.7, 0.3)
    treated = (rng.random(len(who)) < p).astype(float)
    true = effect + spread * (gain - 0.5)
    base = np.where(heavy, 0.55, 0.25)
    target = (rng.random(len(who)) < base + treated * true).astype(float)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in who],
            "treated": treated,
            "assignment_probability": p,
            "target": target,
            "expected": base,
            "true": true,
            "gain": gain,
            "noise": rng.random(len(who)),
            "kind": np.where(gain > 0.5, "high", "low"),
        }
    )
