"""Scores of today's customers by a trained model, with the reasons in words."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.models.scorer import Scorer


def score_table(
    rows: pd.DataFrame, keys: Sequence[str], scorer: Scorer, top: int = 3
) -> pd.DataFrame:
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
        Reasons per row; 0 gives none, which takes a fraction of the time.

    Returns
    -------
    pandas.DataFrame
        The keys, ``score`` (probability, or currency units), ``lower``, ``upper`` and
        ``confidence`` (of its prediction interval; missing for a scorer without), ``model`` (tag)
        and ``reasons`` (JSON text: a list of feature, value, contribution, en, zh), in the order
        of ``rows``.

    """
    matrix = rows[list(scorer.features)].to_numpy(dtype="float32")
    if top:
        reasons = [json.dumps(r, ensure_ascii=False) for r in scorer.reasons(matrix, top)]
    else:
        reasons = ["[]"] * len(rows)
    lower, upper = scorer.interval(matrix) or (math.nan, math.nan)
    return rows[list(keys)].assign(
        score=scorer.predict(matrix),
        lower=lower,
        upper=upper,
        confidence=math.nan if scorer.intervals is None else scorer.intervals.confidence,
        model=scorer.tag,
        reasons=reasons,
    )


def highest(scores: pd.DataFrame, n: int) -> pd.DataFrame:
    """The ``n`` highest scores of a :func:`score_table`, with their reasons in English words.

    For reports, so by rank: ids of customers stay in the table of scores.
    """
    top = scores.sort_values("score", ascending=False).head(n)
    top = top.drop(columns=[CUSTOMER_ID, "as_of", "model", "confidence"], errors="ignore")
    if top["lower"].isna().all():
        top = top.drop(columns=["lower", "upper"])
    texts = ["; ".join(reason["en"] for reason in json.loads(cell)) for cell in top["reasons"]]
    ranks = pd.RangeIndex(1, len(top) + 1, name="rank")
    return top.assign(reasons=texts).set_index(ranks)


def common_reasons(
    scores: pd.DataFrame, words: Mapping[str, Mapping[str, str]], share: float = 0.1, top: int = 8
) -> pd.DataFrame:
    """What most raises the highest scores of a :func:`score_table`: nobody's own reasons.

    Parameters
    ----------
    scores
        Rows of :func:`score_table`; where a customer has several, the highest counts.
    words
        What each feature is called, by language (``Scorer.words``).
    share
        Of the customers, from the top of the list.
    top
        Rows at most.

    Returns
    -------
    pandas.DataFrame
        One row per feature and whether it ``raises`` or ``lowers`` the score, the most frequent
        first: ``reason`` and ``原因`` in words, ``moves``, ``customers`` among whose reasons it
        is, and ``of`` how many. Predicted. Small groups are for ``small_cells.cover`` to hide.

    """
    first = scores.sort_values("score", ascending=False).drop_duplicates(CUSTOMER_ID)
    first = first.head(max(1, round(share * len(first)))) if len(first) else first
    said = [
        (one["feature"], "raises" if one["contribution"] > 0 else "lowers")
        for cell in first["reasons"]
        for one in json.loads(cell)
    ]
    rows = [
        (*(words.get(name, {}).get(side, name) for side in ("en", "zh")), moves, n, len(first))
        for (name, moves), n in Counter(said).most_common(top)
    ]
    return pd.DataFrame(rows, columns=["reason", "原因", "moves", "customers", "of"])
