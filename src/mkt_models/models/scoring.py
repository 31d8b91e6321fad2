"""Scores of today's customers by a trained model, with the reasons in words."""

import json

import pandas as pd

from mkt_models.models.scorer import Scorer


def score_table(rows: pd.DataFrame, keys: list[str], scorer: Scorer, top: int = 3) -> pd.DataFrame:
    """Score every row and say what moved each score most.

    Parameters
    ----------
    rows
        Any grain: the keys and the scorer's features.
    keys
        Columns to keep beside the score.
    scorer
        A trained model.
    top
        Reasons per row.

    Returns
    -------
    pandas.DataFrame
        The keys, ``score`` (probability, or currency units), ``model`` (tag) and ``reasons`` (JSON
        text: a list of feature, value, contribution, en, zh), in the order of ``rows``.

    """
    matrix = rows[list(scorer.features)].to_numpy(dtype="float32")
    reasons = [json.dumps(r, ensure_ascii=False) for r in scorer.reasons(matrix, top)]
    return rows[keys].assign(score=scorer.predict(matrix), model=scorer.tag, reasons=reasons)
