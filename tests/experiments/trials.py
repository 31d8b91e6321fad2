"""Experiments with known effects, to be analysed."""

import numpy as np
import pandas as pd

from mkt_models.experiments.assignment import Experiment, assign
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.metrics import Metric

AB = Experiment(name="ab", salt="ab-trial", shares={"control": 0.5, "new": 0.5})
ABC = Experiment(name="abc", salt="abc-trial", shares={"control": 0.5, "a": 0.25, "b": 0.25})
SPEND = Metric(name="spend", name_zh="消费额", kind="mean", role="primary", column="spend")
ORDERS = Metric(
    name="orders", name_zh="下单率", kind="proportion", role="primary", column="ordered"
)
VISITS = Metric(name="visits", name_zh="访问次数", kind="mean", role="guardrail", column="visits")
CLICKS = Metric(
    name="click rate",
    name_zh="点击率",
    kind="ratio",
    role="secondary",
    column="clicks",
    denominator="visits",
)
ALL = [SPEND, ORDERS, CLICKS, VISITS]


def units(n=4000, seed=0, experiment=AB, effects=None, loss=0.0):
    """One row per unit; ``effects`` adds to spend by arm, ``loss`` takes visits from treatments."""
    rng = np.random.default_rng(seed)
    ids = [f"{seed}-{i}" for i in range(n)]
    arms = np.array([assign(experiment, unit).arm for unit in ids])
    before = rng.gamma(4, 5, n)
    added = np.array([(effects or {}).get(arm, 0.0) for arm in arms])
    visits = rng.poisson(np.where(arms == experiment.control, 4, 4 * (1 - loss))) + 1
    return pd.DataFrame(
        {
            "customer_id": ids,
            "arm": arms,
            "before": before,
            "spend": before + rng.normal(0, 5, n) + added,
            "ordered": (rng.random(n) < 0.3).astype(int),
            "visits": visits,
            "clicks": rng.binomial(visits, 0.3),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) * 28 // n, unit="D"),
            "region": rng.choice(["north", "south", "west"], n),
        }
    )


def measured(rows, metric, strata=None):
    """Measure one metric of a table of units."""
    arms = (rows["arm"] == "new").to_numpy(dtype=np.intp)
    codes = np.zeros(len(rows), dtype=np.intp) if strata is None else strata
    return Measured.of(rows, metric, list(AB.shares), arms, codes)
