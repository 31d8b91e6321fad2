"""How good lists of products are: recall, NDCG and hit rate, with intervals over customers."""

import numpy as np
import pandas as pd

from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval
from mkt_models.evaluation.inputs import Floats


def list_metrics(hits: pd.DataFrame, k: int) -> pd.DataFrame:
    """Turn hits into metrics, one row per customer.

    ``hits`` has per customer ``relevant`` (products bought in the window, > 0), ``hits`` among
    them in the list of ``k``, and ``dcg``, the sum of 1 / log2(rank + 1) over the hits.

    >>> hits = pd.DataFrame({"relevant": [4, 1], "hits": [1, 0], "dcg": [1.0, 0.0]})
    >>> list_metrics(hits, k=2).round(3)
       recall   ndcg  hit_rate
    0    0.25  0.613       1.0
    1    0.00  0.000       0.0
    """
    best = np.cumsum(1 / np.log2(np.arange(2, k + 2)))
    relevant = hits["relevant"].to_numpy(np.int64)
    return pd.DataFrame(
        {
            "recall": hits["hits"].to_numpy(np.float64) / relevant,
            "ndcg": hits["dcg"].to_numpy(np.float64) / best[np.minimum(relevant, k) - 1],
            "hit_rate": (hits["hits"].to_numpy() > 0).astype(np.float64),
        },
        index=hits.index,
    )


def judge(
    per_customer: pd.DataFrame, baseline: str, n_bootstrap: int, confidence: float, seed: int
) -> pd.DataFrame:
    """Take means over customers, with intervals and with gains over a baseline.

    Parameters
    ----------
    per_customer
        one row per customer; columns (ranking, metric)
    baseline
        the ranking that the others are compared with
    n_bootstrap, confidence, seed
        draws of customers, level of the intervals, and seed of the draws

    Returns
    -------
    DataFrame
        One row per ranking and metric: ``value`` with ``lower`` and ``upper``, ``gain`` over the
        baseline with ``gain_lower`` and ``gain_upper`` (paired: the same draws of customers), and
        ``n`` customers.

    """
    values = per_customer.to_numpy(np.float64)

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ values / weights.sum(axis=1, keepdims=True))

    draws = ClusterBootstrap.of(per_customer.index.to_series(), n_bootstrap, seed)
    estimate, replicates = draws.estimate(mean), draws.replicates(mean)
    names, metrics = (per_customer.columns.get_level_values(i) for i in (0, 1))
    keys = list(zip(names.tolist(), metrics.tolist(), strict=True))
    rows = []
    for i, (name, metric) in enumerate(keys):
        j = keys.index((baseline, metric))
        lower, upper = percentile_interval(replicates[:, i], confidence)
        low, high = percentile_interval(replicates[:, i] - replicates[:, j], confidence)
        rows.append(
            {
                "ranking": name,
                "metric": metric,
                "value": float(estimate[i]),
                "lower": lower,
                "upper": upper,
                "gain": float(estimate[i] - estimate[j]),
                "gain_lower": low,
                "gain_upper": high,
                "n": len(per_customer),
            }
        )
    return pd.DataFrame(rows)
