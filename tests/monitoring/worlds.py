"""Small panels for the tests of monitoring."""

import numpy as np
import pandas as pd
from scipy.special import expit

from mkt_models.monitoring.watch_models import How
from mkt_models.monitoring_params import Monitoring
from mkt_models.release_params import CalibrationLimits

SMALL = {"min_customers": 20, "n_bootstrap": 199, "seed": 3}


def panel(n=300, periods=(1, 2), seed=0, shift=0.0):
    """Customers alike over periods; from the second period on the margin is shifted."""
    rng = np.random.default_rng(seed)
    steady = rng.normal(size=n)
    parts = []
    for i, period in enumerate(periods):
        x = 0.8 * steady + 0.6 * rng.normal(size=n) + (shift if i else 0.0)
        score = expit(-0.5 + 1.5 * x)
        columns = {"customer_id": np.arange(n), "as_of": pd.Timestamp(2025, period, 1)}
        target = (rng.random(n) < score).astype(int)
        columns |= {"x": x, "zeros": np.floor(np.maximum(x, 0)), "score": score, "target": target}
        columns["kind"] = np.where(rng.random(n) < 0.5, "a", "b")
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def halves(rows):
    """The first period, and all later ones."""
    first = rows["as_of"] == rows["as_of"].min()
    return rows[first], rows[~first]


def how(**settings):
    """How models are watched, with few draws."""
    few = Monitoring(**({"n_bootstrap": 199, "min_customers": 50} | settings))
    return How(few, CalibrationLimits(), 1, 0.2, 30, ("gender",), 3)
