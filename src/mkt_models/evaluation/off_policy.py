"""What another policy would have brought, from the log of the one that was served.

A decision whose action the other policy takes ``w`` times as often counts ``w`` times. Values are
means of the reward per decision, in its unit:

``ips``
    mean of w × reward (Horvitz and Thompson 1952); right on average, unsteady
``clipped_ips``
    the same with weights of at most ``clip``; steadier, and too low where rewards are positive
    (Ionides 2008)
``snips``
    sum of w × reward over the sum of w (Hájek 1971; Swaminathan and Joachims 2015)
``dm``
    mean of what a model expects of the policy's actions: the direct method, as wrong as the model
``dr``
    dm plus the mean of w × (reward − what the model expected); right on average when either the
    probabilities or the model are (Dudík, Langford and Li 2011)

Intervals are those of the estimator's influence function summed by customer, with its skewness
taken into account (``skewed_interval``): they reach further where the large ones lie. ``dm`` has
none, as the error of its model is not in the log, nor has ``clipped_ips`` where clipping took away
more weight than may lack support.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.evaluation.decision_log import LOGGED, DecisionLog, read_log
from mkt_models.evaluation.heavy_weights import expected_different
from mkt_models.evaluation.inputs import Floats
from mkt_models.evaluation.skewed_interval import skewed_interval
from mkt_models.evaluation.support import NEEDS, Needs, Support, supports, too_few_behind

CLIP = 10.0
DM_NOTE = (
    "no interval: the error of the model is not in the log",
    "无区间：模型误差无法由日志得知",
)
NOT_COMPARED = ("not compared: the reference is not evaluated", "未比较：基准策略未评估")


class Estimator(StrEnum):
    """How a value is estimated; ``observed`` is the mean of the log itself."""

    OBSERVED = "observed"
    IPS = "ips"
    CLIPPED_IPS = "clipped_ips"
    SNIPS = "snips"
    DM = "dm"
    DR = "dr"


@dataclass(frozen=True)
class Estimate:
    """A value, and what every decision adds to it beyond its share (the influence function)."""

    value: float
    influence: Floats


def estimates(log: DecisionLog, policy: str, clip: float = CLIP) -> dict[Estimator, Estimate]:
    """Estimate the value of one policy in every way that the log allows; nothing is judged here.

    ``dm`` and ``dr`` need expected rewards.
    """
    if not clip >= 1:
        raise ValueError(f"clip == {clip}, must be >= 1: weights average 1")
    weights, reward = log.weights(policy), log.reward
    found = {
        Estimator.IPS: _mean(weights * reward),
        Estimator.CLIPPED_IPS: _mean(np.minimum(weights, clip) * reward),
    }
    if weights.any():
        value = float((weights @ reward) / weights.sum())
        influence = weights * (reward - value) / weights.mean()
        found[Estimator.SNIPS] = Estimate(value, influence)
    if log.expected is not None:
        direct = log.per_decision(log.policies[policy] * log.expected)
        found[Estimator.DM] = _mean(direct)
        found[Estimator.DR] = _mean(direct + weights * (reward - log.expected[log.taken]))
    return found


def off_policy_table(
    log: pd.DataFrame,
    actions: pd.DataFrame,
    policies: Sequence[str],
    confidence: float,
    *,
    clip: float = CLIP,
    needs: Needs = NEEDS,
    reference: str | None = None,
) -> pd.DataFrame:
    """One row per policy and estimator; the first row is what the log itself brought.

    Parameters
    ----------
    log, actions, policies
        As in :func:`mkt_models.evaluation.decision_log.read_log`.
    confidence
        Level of the intervals, by customer; each is for itself.
    clip
        Largest weight of ``clipped_ips``.
    needs
        What the log must have before an estimate is given.
    reference
        A policy, or ``logged``: every value is compared with that of this policy by the same
        estimator, on the same decisions (paired).

    Returns
    -------
    DataFrame
        policy, estimator; first the support: n, n_customers, ``effective_n``,
        ``effective_customers``, ``largest_share``, ``unsupported``; then ``value`` with
        ``_lower`` and ``_upper``, ``cut`` (share of the weight that clipping took away),
        ``difference`` to the reference with ends; ``kind`` of the number; ``judged``, ``note``
        and ``note_zh``. All numbers of a policy that is not judged are NaN, and the note says why;
        so is a difference that hangs on too few rewards, though the values do not.

    """
    read = read_log(log, actions, policies)
    return off_policy_estimates(read, confidence, clip=clip, needs=needs, reference=reference)


def off_policy_estimates(
    read: DecisionLog,
    confidence: float,
    *,
    clip: float = CLIP,
    needs: Needs = NEEDS,
    reference: str | None = None,
) -> pd.DataFrame:
    """Give the :func:`off_policy_table` of a log that was read already."""
    if reference is not None and reference not in (LOGGED, *read.policies):
        raise ValueError(
            f"reference == {reference!r}, must be {LOGGED!r} or one of: {', '.join(read.policies)}"
        )
    known = supports(read, confidence, needs)
    observed = _mean(read.reward)
    found = {
        name: estimates(read, name, clip) if known[name].judged else {} for name in read.policies
    }
    rows = [_observed_row(read, observed, confidence)]
    for name, of_policy in found.items():
        about = known[name]
        names = [one for one in Estimator if one is not Estimator.OBSERVED]
        if read.expected is None:
            names = [one for one in names if one not in (Estimator.DM, Estimator.DR)]
        for estimator in names:
            row = _row(about, estimator, of_policy.get(estimator), read, confidence)
            if estimator is Estimator.CLIPPED_IPS and about.judged:
                _say_cut(row, read.weights(name), clip, needs)
            rows.append(row)
    if reference is not None:
        faults = _faults(read, reference, known, needs)
        others = dict.fromkeys(Estimator, observed) if reference == LOGGED else found[reference]
        for row in rows:
            row |= dict.fromkeys(("difference", "difference_lower", "difference_upper"), np.nan)
            if row["policy"] in faults:
                mine = found[row["policy"]][Estimator(row["estimator"])]
                other = others.get(Estimator(row["estimator"]))
                _compare(row, mine, other, faults[row["policy"]], read, confidence)
    return pd.DataFrame(rows)


def _mean(values: Floats) -> Estimate:
    value = float(values.mean())
    return Estimate(value, values - value)


def _observed_row(log: DecisionLog, observed: Estimate, confidence: float) -> dict[str, Any]:
    ends = _interval(observed.value, observed.influence, log, confidence)
    return {
        "policy": LOGGED,
        "estimator": Estimator.OBSERVED.value,
        "n": log.n,
        "n_customers": log.n_customers,
        "effective_n": float(log.n),
        "effective_customers": _effective_customers(log),
        "largest_share": 1 / log.n,
        "unsupported": 0.0,
        "value": observed.value,
        "value_lower": ends[0],
        "value_upper": ends[1],
        "cut": np.nan,
        "kind": NumberKind.OBSERVED.value,
        "judged": True,
        "note": "",
        "note_zh": "",
    }


def _interval(
    value: float, influence: Floats, log: DecisionLog, confidence: float
) -> tuple[float, float]:
    return skewed_interval(value, log.per_customer(influence), log.n, confidence)


def _effective_customers(log: DecisionLog) -> float:
    counts = log.per_customer(np.ones(log.n))
    return float(counts.sum() ** 2 / (counts**2).sum())


def _row(
    about: Support,
    estimator: Estimator,
    estimate: Estimate | None,
    log: DecisionLog,
    confidence: float,
) -> dict[str, Any]:
    row: dict[str, Any] = {"policy": about.policy, "estimator": estimator.value}
    for name in ("n", "n_customers", "effective_n", "effective_customers", "largest_share"):
        row[name] = getattr(about, name)
    row["unsupported"] = about.unsupported
    value, ends = np.nan, (np.nan, np.nan)
    note, note_zh = about.note, about.note_zh
    if estimate is not None:
        value = estimate.value
        if estimator is Estimator.DM:
            note, note_zh = DM_NOTE
        else:
            ends = _interval(value, estimate.influence, log, confidence)
    row |= {"value": value, "value_lower": ends[0], "value_upper": ends[1], "cut": np.nan}
    row |= {"kind": NumberKind.OFF_POLICY.value, "judged": about.judged}
    return row | {"note": note, "note_zh": note_zh}


def _say_cut(row: dict[str, Any], weights: Floats, clip: float, needs: Needs) -> None:
    """Add to a row, in place, how much weight was cut; where it is too much, take its ends away."""
    row["cut"] = cut = float(1 - np.minimum(weights, clip).sum() / weights.sum())
    if cut > needs.max_unsupported:
        row["value_lower"] = row["value_upper"] = np.nan
        row["note"] = f"no interval: clipping took {cut:.1%} of the weight, which biases the value"
        row["note_zh"] = f"无区间：截断去掉了 {cut:.1%} 的权重，价值估计有偏"


def _faults(
    log: DecisionLog, reference: str, known: Mapping[str, Support], needs: Needs
) -> dict[str, tuple[str, str] | None]:
    """Say by policy that is compared why it cannot be, in English and Chinese; None if it can."""
    faults: dict[str, tuple[str, str] | None] = {}
    for name, about in known.items():
        if not about.judged or name == reference:
            continue
        faults[name] = None
        if reference != LOGGED and not known[reference].judged:
            faults[name] = NOT_COMPARED
            continue
        behind = expected_different(log, name, reference, needs.max_unsupported)
        if behind < needs.min_expected_different:
            what = ("what it does otherwise than the reference", "其与基准策略不同之处")
            fault = too_few_behind(*what, behind, needs)
            faults[name] = (f"not compared: {fault[0]}", f"未比较：{fault[1]}")
    return faults


def _compare(
    row: dict[str, Any],
    mine: Estimate,
    other: Estimate | None,
    fault: tuple[str, str] | None,
    log: DecisionLog,
    confidence: float,
) -> None:
    """Add the paired difference to the reference to a row, in place: the row is being made."""
    if fault or other is None:
        en, zh = fault or NOT_COMPARED
        row["note"] = "; ".join(filter(None, (row["note"], en)))
        row["note_zh"] = "；".join(filter(None, (row["note_zh"], zh)))
        return
    row["difference"] = mine.value - other.value
    if not np.isnan(row["value_lower"]):
        ends = _interval(row["difference"], mine.influence - other.influence, log, confidence)
        row["difference_lower"], row["difference_upper"] = ends
