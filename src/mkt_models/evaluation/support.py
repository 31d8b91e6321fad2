"""Can a log tell what another policy would have brought? Looked at before any estimate.

An estimate weighs each decision by how much more often the other policy would have done what was
done. Where a few weights carry everything, or the other policy does what the log never did, the
estimate is a number without ground. So three things stand first: the **effective sample size**
(sum of weights)² / sum of squared weights (Kish 1965), in how many decisions of equal weight it
amounts to; the share of the largest weight; and how much of the policy's probability is **without
support**, on actions that the log could not have taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.evaluation.arms import MIN_DIFFERENT, UNEVEN
from mkt_models.evaluation.bootstrap import critical, error_interval
from mkt_models.evaluation.decision_log import DecisionLog, read_log
from mkt_models.evaluation.draws import untrue
from mkt_models.evaluation.heavy_weights import expected_different
from mkt_models.evaluation.inputs import Floats

# Bands of weights that are shown: 0, and up to each of these.
BANDS = (0.0, 0.5, 1.0, 2.0, 10.0)
_BAND_WORDS = ("0", "to 0.5", "to 1", "to 2", "to 10", "above 10")


@dataclass(frozen=True)
class Needs:
    """What a log must have before an estimate is given.

    Attributes
    ----------
    min_effective
        effective number of customers
    max_largest_share
        of the weight of the heaviest decision in all weight
    max_unsupported
        of the policy's probability on actions that the log could not take
    min_different
        customers that weigh something and whose reward is not the commonest one: with fewer an
        interval is too short
    min_expected_different
        the same, of those on whom the spread of the weights rests, as it was to be expected from
        the probabilities: the heavy weights may have seen too little even where there are many

    """

    min_effective: float = 100.0
    max_largest_share: float = 0.05
    max_unsupported: float = 0.01
    min_different: int = MIN_DIFFERENT
    min_expected_different: float = 10.0


NEEDS = Needs()


@dataclass(frozen=True)
class Support:
    """What the weights of one policy are like, and why it cannot be evaluated, if so."""

    policy: str
    n: int
    n_customers: int
    effective_n: float
    effective_customers: float
    largest_weight: float
    largest_share: float
    mean_weight: float
    mean_weight_lower: float
    mean_weight_upper: float
    unsupported: float
    recorded: float
    expected_different: float
    judged: bool
    note: str
    note_zh: str


def support_table(
    log: pd.DataFrame,
    actions: pd.DataFrame,
    policies: Sequence[str],
    confidence: float,
    needs: Needs = NEEDS,
) -> pd.DataFrame:
    """One row per policy: is there enough in the log to evaluate it?

    Parameters
    ----------
    log, actions, policies
        As in :func:`mkt_models.evaluation.decision_log.read_log`.
    confidence
        Level of the interval of the mean weight, by customer.
    needs
        What is asked of the log.

    Returns
    -------
    DataFrame
        policy, n (decisions), n_customers; ``effective_n``, ``effective_customers`` (the same of
        the customers' sums of weights), largest_weight, ``largest_share`` (in the sum of
        weights); ``mean_weight`` with ends (1, less what is without support, if the probabilities
        are right); ``unsupported`` (share of the policy's probability), ``recorded`` (share of
        the decisions of which all probabilities are on record: of the others only a mean weight
        below 1 tells what is without support), ``expected_different`` (rewards other than the
        commonest, expected where the spread of the weights lies: see ``heavy_weights``); judged,
        note and note_zh (why not; empty if judged)

    """
    found = supports(read_log(log, actions, policies), confidence, needs)
    return pd.DataFrame([vars(one) for one in found.values()])


def supports(log: DecisionLog, confidence: float, needs: Needs = NEEDS) -> dict[str, Support]:
    """Look at the weights of every policy of a log; see :func:`support_table`."""
    fault = untrue(log)
    return {name: _support(log, name, confidence, needs, fault) for name in log.policies}


def _support(
    log: DecisionLog, policy: str, confidence: float, needs: Needs, fault: tuple[str, str] | None
) -> Support:
    weights = log.weights(policy)
    total, of_customers = weights.sum(), log.per_customer(weights)
    effective = _effective(of_customers)
    mean = float(weights.mean())
    error = influence_error(log, weights - mean)
    ends = error_interval(mean, error, confidence, max(2.0, effective))
    lost = log.policies[policy] * (log.logged == 0)
    unsupported = float(log.per_decision(lost).mean())
    unknown = log.per_decision(np.isnan(log.logged).astype(np.float64)) > 0
    expected = 1 - unsupported
    off = abs(mean - expected) / error if error > 0 else 0.0
    reasons = []
    if unsupported > needs.max_unsupported:
        reasons.append(
            (
                f"{unsupported:.1%} of its probability is on actions that the log could not take "
                f"(at most {needs.max_unsupported:.1%})",
                f"其 {unsupported:.1%} 的概率落在日志不可能采取的动作上"
                f"（上限 {needs.max_unsupported:.1%}）",
            )
        )
    if effective < needs.min_effective:
        reasons.append(
            (
                f"{log.n_customers:,} customers weigh as much as {effective:,.1f} "
                f"(needs {needs.min_effective:,.0f})",
                f"{log.n_customers:,} 位客户仅相当于 {effective:,.1f} 位有效客户"
                f"（至少需要 {needs.min_effective:,.0f}）",
            )
        )
    largest = float(weights.max() / total) if total > 0 else np.nan
    if largest > needs.max_largest_share:
        reasons.append(
            (
                f"a single decision carries {largest:.1%} of all weight "
                f"(at most {needs.max_largest_share:.1%})",
                f"单个决策占全部权重的 {largest:.1%}（上限 {needs.max_largest_share:.1%}）",
            )
        )
    if off > critical(1 - UNEVEN / 2, max(2.0, effective)):
        reasons.append(
            (
                f"the weights average {mean:.3f} [{ends[0]:.3f}, {ends[1]:.3f}] instead of "
                f"{expected:.3f}: the actions were not drawn by the logged probabilities, or the "
                "log lacks actions of this policy",
                f"权重均值为 {mean:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]，应为 {expected:.3f}："
                "动作并非按记录的概率抽取，或日志缺少该策略的动作",
            )
        )
    if fault:
        reasons.append(fault)
    different = _different(log, weights)
    if different < needs.min_different:
        reasons.append(
            (
                f"only {different} customers of any weight had another reward than the rest "
                f"(needs {needs.min_different})",
                f"有权重的客户中仅 {different} 位的回报与其余不同"
                f"（至少需要 {needs.min_different}）",
            )
        )
    behind = expected_different(log, policy, "", needs.max_unsupported)
    if different >= needs.min_different and behind < needs.min_expected_different:
        reasons.append(too_few_behind("its heavy weights", "其较大的权重", behind, needs))
    return Support(
        policy=policy,
        n=log.n,
        n_customers=log.n_customers,
        effective_n=_effective(weights),
        effective_customers=effective,
        largest_weight=float(weights.max()),
        largest_share=largest,
        mean_weight=mean,
        mean_weight_lower=ends[0],
        mean_weight_upper=ends[1],
        unsupported=unsupported,
        recorded=float(1 - unknown.mean()),
        expected_different=behind,
        judged=not reasons,
        note="; ".join(en for en, _ in reasons),
        note_zh="；".join(zh for _, zh in reasons),
    )


def too_few_behind(what: str, what_zh: str, found: float, needs: Needs) -> tuple[str, str]:
    """Say that too few rewards may be expected behind the weights, in English and Chinese."""
    return (
        f"behind {what} only {found:.1f} rewards that differ from the rest are to be expected "
        f"(needs {needs.min_expected_different:.0f})",
        f"{what_zh}背后预期仅有 {found:.1f} 个与其余不同的回报"
        f"（至少需要 {needs.min_expected_different:.0f}）",
    )


def weight_table(log: pd.DataFrame, actions: pd.DataFrame, policies: Sequence[str]) -> pd.DataFrame:
    """One row per policy and band of weights: where the weight of an evaluation lies.

    Returns
    -------
    DataFrame
        policy, weights (the band, in words: above its lower end, up to its upper), n (decisions),
        share (of the decisions), ``weight`` (share of all weight; NaN when there is none)

    """
    read = read_log(log, actions, policies)
    rows = []
    for name in policies:
        weights = read.weights(name)
        band = np.searchsorted(BANDS, weights, side="left")
        total = weights.sum()
        for i, words in enumerate(_BAND_WORDS):
            inside = band == i
            row: dict[str, Any] = {"policy": name, "weights": words, "n": int(inside.sum())}
            row["share"] = float(inside.mean())
            row["weight"] = float(weights[inside].sum() / total) if total > 0 else np.nan
            rows.append(row)
    return pd.DataFrame(rows)


def influence_error(log: DecisionLog, influence: Floats) -> float:
    """Give the standard error of a mean over decisions, by customer.

    ``influence`` is what each decision adds to the estimate beyond its share, summing to about 0:
    decisions of one customer are summed first (Liang and Zeger 1986). NaN without any spread.
    """
    sums = log.per_customer(influence)
    n = log.n_customers
    if n < 2:
        return np.nan
    error = float(np.sqrt(n / (n - 1) * (sums**2).sum())) / log.n
    return error if error >= 1e-12 else np.nan


def _effective(weights: Floats) -> float:
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def _different(log: DecisionLog, weights: Floats) -> int:
    inside = weights > 0
    values, counts = np.unique(log.reward[inside], return_counts=True)
    if len(values) < 2:
        return 0
    other = log.reward[inside] != values[counts.argmax()]
    return len(np.unique(log.customer[inside][other]))
