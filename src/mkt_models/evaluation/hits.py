"""How often the right one is among the first k of a short list: one row per model and k.

Grain: a list is a customer and campaign; its rows are offers. Intervals come from the cluster
bootstrap by customer, and models are compared on the same draws.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID, OFFER_ID
from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval
from mkt_models.evaluation.inputs import TARGET, Floats


def hit_table(
    predictions: pd.DataFrame,
    models: Sequence[str],
    ks: Sequence[int],
    n_bootstrap: int,
    confidence: float,
    seed: int,
    *,
    reference: str,
) -> pd.DataFrame:
    """One row per model and k: the share of lists that have a target among their first k.

    Parameters
    ----------
    predictions
        One row per customer, campaign and offer: ``target`` 0 or 1, and a score per model. Equal
        scores are ordered by the offer's id.
    models
        Columns to compare.
    ks
        Lengths of the head of a list.
    n_bootstrap, confidence, seed
        Draws of customers, level of the percentile intervals, seed of the draws.
    reference
        The model that the others are compared with, on the same draws.

    Returns
    -------
    DataFrame
        model, k, n (lists); ``hit`` with ``_lower`` and ``_upper``; ``hit_difference`` (model minus
        reference), ``hit_difference_lower`` and ``hit_difference_upper``

    Raises
    ------
    ValueError
        When there is no list, or a k is below 1.

    """
    if predictions.empty or min(ks) < 1:
        raise ValueError(f"{len(predictions)} rows, ks == {list(ks)}: needs rows, and k >= 1")
    lists = [CUSTOMER_ID, CAMPAIGN_ID]
    columns = {(m, k): _hits(predictions, m, k, lists) for m in models for k in ks}
    hits = pd.DataFrame(columns)
    customers = hits.index.get_level_values(CUSTOMER_ID).to_series()
    draws = ClusterBootstrap.of(customers, n_bootstrap, seed)
    values = hits.to_numpy(dtype=np.float64)

    def statistic(weights: Floats) -> Floats:
        shares: Floats = weights @ values / weights.sum(axis=1, keepdims=True)
        return shares

    estimate, replicates = draws.estimate(statistic), draws.replicates(statistic)
    places = {key: place for place, key in enumerate(columns)}
    rows = []
    for (model, k), place in places.items():
        other = places[reference, k]
        gap = replicates[:, place] - replicates[:, other]
        low, high = percentile_interval(replicates[:, place], confidence)
        gap_low, gap_high = percentile_interval(gap, confidence)
        rows.append(
            {
                "model": model,
                "k": k,
                "n": len(hits),
                "hit": estimate[place],
                "hit_lower": low,
                "hit_upper": high,
                "hit_difference": estimate[place] - estimate[other],
                "hit_difference_lower": gap_low,
                "hit_difference_upper": gap_high,
            }
        )
    return pd.DataFrame(rows)


def _hits(predictions: pd.DataFrame, model: str, k: int, lists: list[str]) -> pd.Series:
    ordered = predictions.sort_values([model, OFFER_ID], ascending=[False, True], kind="stable")
    first = ordered.groupby(lists, sort=True).head(k)
    found: pd.Series = first.groupby(lists, sort=True)[TARGET].max()
    return found
