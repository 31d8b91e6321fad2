"""Qini: does a ranking put those first whom a contact changes most?

The **Qini curve** (Radcliffe 2007) says what contacting the top share of a ranking brings, beyond
contacting nobody; a random ranking gives the straight line to the effect on everybody. The **Qini
coefficient** is the area between the two. It is estimated here with the known probabilities of
assignment: each row counts ``t/p (y - m) - (1 - t)/(1 - p) (y - m)``, whose mean over any set of
rows that was chosen beforehand is the effect in it, whatever ``m``. With ``m`` the response that
is expected of the row (``expected``, learnt on other campaigns), this is the doubly robust score,
and the area is the rank-weighted average treatment effect with linear weights (Yadlowsky et al.
2025, Journal of the American Statistical Association 120). Written out, it is the covariance of the
row's score with its place in the ranking (0 the last, 1 the first), ties in the middle.

Libraries disagree on the scale, so both are given and named:

``qini``
    unnormalised, in units of the response per customer: what is gained, on average over all
    cut-offs, by contacting the top of the ranking instead of as many at random
``qini_normalised``
    over the area of a *perfect* curve, which ranks contacted responders first and withheld
    responders last, as ``qini_auc_score`` of scikit-uplift has it. No model comes near 1: the
    perfect curve knows each customer's luck. It compares rankings of one trial, not trials

``qini_score`` of causalml, by default, divides the curve by the size of its last value instead, the
effect on everybody; that is not done here, as it has no limit where the effect is near 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation import metrics
from mkt_models.evaluation.arms import PROBABILITY, TREATED, read_arms
from mkt_models.evaluation.bootstrap import ClusterBootstrap, error_interval, standard_error
from mkt_models.evaluation.inputs import TARGET, Floats, numbers, require
from mkt_models.evaluation.metrics import Ranking, ratio
from mkt_models.sections import nearest

EXPECTED = "expected"


def effect_scores(trial: pd.DataFrame) -> Floats:
    """Give each row's score, whose mean over rows chosen beforehand is the effect on them.

    ``trial``: target, treated, assignment_probability and, if known, ``expected`` (the response
    expected of the row; else the mean over all rows).
    """
    treated, p = read_arms(trial)
    target = numbers(trial, TARGET)
    expected = numbers(trial, EXPECTED) if EXPECTED in trial else target.mean()
    return _weights(treated, p) * (target - expected)


def qini_table(
    trial: pd.DataFrame,
    models: Sequence[str],
    n_bootstrap: int,
    confidence: float,
    seed: int,
    reference: str | None = None,
) -> pd.DataFrame:
    """One row per model: how well it ranks those whom a contact changes, with intervals.

    Parameters
    ----------
    trial
        One row per customer and campaign that no model was trained on: customer_id, ``target``,
        ``treated``, ``assignment_probability``, a column per model, and ``expected`` if known.
    models
        Columns to rank by, highest first.
    n_bootstrap, confidence, seed
        Customers are drawn with all their rows, the same draws for every model. The models stay as
        they are: the interval tells of this trial, not of training anew.
    reference
        The model to which paired differences are given.

    Returns
    -------
    DataFrame
        model, n (rows), n_customers, n_treated, qini, qini_normalised and, with a reference,
        difference (of qini, to the reference's), each with ``_lower`` and ``_upper``

    Raises ValueError when a column is missing, an arm is empty, a probability is 0 or 1, no model
    is named, or one twice, or the reference is none of them.

    """
    names = list(models)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"models == {names}, must be at least one, and none twice")
    if reference is not None and reference not in names:
        raise ValueError(
            f"reference == {reference!r}{nearest(reference, names)}; models: {', '.join(names)}"
        )
    require(trial, [CUSTOMER_ID, TARGET, TREATED, PROBABILITY, *names])
    score = effect_scores(trial)
    treated, p = read_arms(trial)
    luck = _weights(treated, p) * numbers(trial, TARGET)
    rankings = [Ranking.of(numbers(trial, name)) for name in names]
    perfect = Ranking.of(luck)

    def statistic(weights: Floats) -> Floats:
        areas = np.stack([qini(weights, score, one) for one in rankings], axis=1)
        best = qini(weights, luck, perfect)[:, None]
        parts = [areas, ratio(areas, best)]
        if reference is not None:
            parts.append(areas - areas[:, [names.index(reference)]])
        return np.stack(parts, axis=2)

    draws = ClusterBootstrap.of(trial[CUSTOMER_ID], n_bootstrap, seed)
    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    measures = ["qini", "qini_normalised", *(["difference"] if reference is not None else [])]
    rows = []
    for i, name in enumerate(names):
        row: dict[str, Any] = {"model": name, "n": len(trial), "n_customers": draws.n_clusters}
        row["n_treated"] = int(treated.sum())
        for j, measure in enumerate(measures):
            row |= _with_ends(
                measure, estimates[i, j], replicates[:, i, j], confidence, draws.n_clusters
            )
        rows.append(row)
    return pd.DataFrame(rows)


def qini(weights: Floats, score: Floats, ranking: Ranking) -> Floats:
    """Area between the Qini curve and the random line, one number per draw."""
    total = weights.sum(axis=1)
    weighted = weights * score
    place = np.einsum("ij,ij->i", weighted, ranking.midranks(weights)) / total
    return ratio(place - weighted.sum(axis=1) / 2, total)


def qini_curve(
    trial: pd.DataFrame,
    model: str,
    n_bootstrap: int,
    confidence: float,
    seed: int,
    points: int = 20,
) -> pd.DataFrame:
    """One row per share of the customers contacted, the highest ranked first.

    Returns
    -------
    DataFrame
        share (0 to 1), ``gain`` (response added per customer of all, by contacting that share),
        with ``_lower`` and ``_upper``; ``random`` (what as many at random would add); n,
        n_customers. Within tied predictions the curve is straight.

    """
    require(trial, [CUSTOMER_ID, TARGET, TREATED, PROBABILITY, model])
    score, ranking = effect_scores(trial), Ranking.of(numbers(trial, model))
    shares = np.linspace(0, 1, points + 1)

    def statistic(weights: Floats) -> Floats:
        total = weights.sum(axis=1, keepdims=True)
        reached, gained = (
            np.cumsum(ranking.sums(part)[:, ::-1], axis=1) / total
            for part in (weights, weights * score)
        )
        start = np.zeros_like(total)
        return np.stack(
            [
                np.interp(shares, x, y)
                for x, y in zip(
                    np.hstack([start, reached]), np.hstack([start, gained]), strict=True
                )
            ]
        )

    draws = ClusterBootstrap.of(trial[CUSTOMER_ID], n_bootstrap, seed)
    gain, replicates = draws.estimate(statistic), draws.replicates(statistic)
    rows = []
    for i, share in enumerate(shares):
        ends = _with_ends("gain", gain[i], replicates[:, i], confidence, draws.n_clusters)
        if i == 0:
            ends |= {"gain_lower": 0.0, "gain_upper": 0.0}
        rows.append({"share": share, **ends, "random": share * gain[-1]})
    return pd.DataFrame(rows).assign(n=len(trial), n_customers=draws.n_clusters)


def uplift_bins(
    trial: pd.DataFrame, model: str, bins: int, n_bootstrap: int, confidence: float, seed: int
) -> pd.DataFrame:
    """One row per bin of predicted uplift, highest first: what was predicted and what came.

    Returns
    -------
    DataFrame
        bin (1: highest), n, n_treated, ``predicted`` (mean), ``observed`` (effect in the bin) with
        ``_lower`` and ``_upper``, in units of the response

    """
    require(trial, [CUSTOMER_ID, TARGET, TREATED, PROBABILITY, model])
    score, guess = effect_scores(trial), numbers(trial, model)
    treated, _ = read_arms(trial)
    place = metrics.equal_count_bins(guess, bins)
    member = np.eye(place.max() + 1)[place]
    draws = ClusterBootstrap.of(trial[CUSTOMER_ID], n_bootstrap, seed)

    def statistic(weights: Floats) -> Floats:
        return ratio(weights @ (member * score[:, None]), weights @ member)

    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    rows: list[dict[str, Any]] = []
    for i in reversed(range(member.shape[1])):
        inside = place == i
        ends = _with_ends("observed", estimates[i], replicates[:, i], confidence, draws.n_clusters)
        row = {"bin": len(rows) + 1, "n": int(inside.sum())}
        row["n_treated"] = int(treated[inside].sum())
        rows.append({**row, "predicted": float(guess[inside].mean()), **ends})
    return pd.DataFrame(rows)


def choose_learner(table: pd.DataFrame, learners: Sequence[str]) -> str:
    """Name the learner with the highest Qini; of equals the first of ``learners``.

    ``table``: a :func:`qini_table` of campaigns that are not reported. What is highest of several
    is too high, so the figure that is shown must come from other campaigns.
    """
    by = table.set_index("model")["qini"].reindex(list(learners))
    if by.isna().all():
        raise ValueError(f"no Qini of {', '.join(learners)}; is anything ranked?")
    return str(by.idxmax())


def _weights(treated: Floats, p: Floats) -> Floats:
    return treated / p - (1 - treated) / (1 - p)


def _with_ends(
    name: str, value: float, replicates: Floats, confidence: float, n: int
) -> dict[str, float]:
    lower, upper = error_interval(float(value), standard_error(replicates), confidence, n)
    return {name: float(value), f"{name}_lower": lower, f"{name}_upper": upper}
