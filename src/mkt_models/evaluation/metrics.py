"""Metrics of predictions under weights: one number per draw of a bootstrap.

``weights`` is always draws x rows and says how often a row counts. A metric gives one number per
draw, NaN where it is undefined in that draw (a class is missing, nothing varies). Ties count half,
so the order of rows never matters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mkt_models.evaluation.inputs import Floats

Ints = npt.NDArray[np.intp]

# Probabilities are kept this far from 0 and 1 before the logarithm of the log loss.
CLIP = 1e-15


@dataclass(frozen=True)
class Ranking:
    """The ascending order of some values, sorted once and used for every draw.

    Attributes
    ----------
    order
        rows, lowest value first
    starts
        where in ``order`` each distinct value begins
    group
        which distinct value a row has, counted from the lowest

    """

    order: Ints
    starts: Ints
    group: Ints

    @classmethod
    def of(cls, values: Floats) -> "Ranking":
        """Rank the values of all rows."""
        order = np.argsort(values, kind="stable")
        _, group = np.unique(values, return_inverse=True)
        starts = np.searchsorted(group[order], np.arange(group.max() + 1))
        return cls(order, starts, group)

    def sums(self, weights: Floats) -> Floats:
        """Weight of each distinct value, lowest first: draws x distinct values."""
        return self._merge(np.take(weights, self.order, axis=1))

    def sums_by_class(self, weights: Floats, target: Floats) -> tuple[Floats, Floats]:
        """Weight of positives and of negatives at each distinct value, lowest first."""
        ordered = np.take(weights, self.order, axis=1)
        positive = ordered * target[self.order]
        return self._merge(positive), self._merge(ordered - positive)

    def midranks(self, weights: Floats) -> Floats:
        """Rank of every row among the weighted rows, ties in the middle: draws x rows."""
        of_value = self.sums(weights)
        middle = np.cumsum(of_value, axis=1)
        middle -= of_value / 2
        return np.take(middle, self.group, axis=1)

    def _merge(self, ordered: Floats) -> Floats:
        if len(self.starts) == len(self.order):
            return ordered
        merged: Floats = np.add.reduceat(ordered, self.starts, axis=1)
        return merged


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; NaN where the denominator is 0."""
    out: Floats = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def weighted_mean(weights: Floats, values: Floats) -> Floats:
    """Mean of the rows' values in every draw."""
    return ratio(weights @ values, weights.sum(axis=1))


def auc(weights: Floats, target: Floats, ranking: Ranking) -> Floats:
    """P(a positive scores above a negative), ties one half; area under the ROC curve."""
    positive, negative = ranking.sums_by_class(weights, target)
    below = np.cumsum(negative, axis=1)
    total = below[:, -1].copy()
    below -= negative / 2
    return ratio((positive * below).sum(axis=1), positive.sum(axis=1) * total)


def pr_auc(weights: Floats, target: Floats, ranking: Ranking) -> Floats:
    """Average precision: precision at each distinct score, weighted by the recall it adds."""
    positive, negative = (part[:, ::-1] for part in ranking.sums_by_class(weights, target))
    found = np.cumsum(positive, axis=1)
    looked_at = found + np.cumsum(negative, axis=1)
    precision = np.divide(found, looked_at, out=np.zeros_like(found), where=looked_at > 0)
    return ratio((precision * positive).sum(axis=1), found[:, -1])


def log_loss(target: Floats, probability: Floats) -> Floats:
    """Minus the log-likelihood of each row's target, in nats; one number per row."""
    p = np.clip(probability, CLIP, 1 - CLIP)
    return np.where(target == 1, -np.log(p), -np.log1p(-p))


def ece(weights: Floats, target: Floats, probability: Floats, bins: Ints) -> Floats:
    """Expected calibration error: mean over bins of |observed - predicted|, by bin weight.

    Resampling adds noise to every bin and absolute values do not cancel, so replicates lie
    somewhat above the estimate, and so does their interval.
    """
    member = np.eye(bins.max() + 1)[bins]
    gaps = weights @ (member * (target - probability)[:, None])
    return ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


def spearman_and_gini(weights: Floats, truth: Ranking, target: Floats, guess: Ranking) -> Floats:
    """Spearman's rank correlation, and the normalised Gini: draws x 2.

    The Gini is the concentration of the target along the predicted order, divided by that along
    its own order: cov(target, rank of prediction) / cov(target, rank of target); 1 is a perfect
    order, 0 a random one.
    """
    total = weights.sum(axis=1, keepdims=True)
    # A weighted mean of midranks is always half the weight, whatever the ties.
    by_target = truth.midranks(weights) - total / 2
    by_guess = guess.midranks(weights) - total / 2
    weighted = weights * by_guess
    joint = np.einsum("ij,ij->i", weighted, by_target)
    variance_guess = np.einsum("ij,ij->i", weighted, by_guess)
    gini_guess = weighted @ target
    weighted = weights * by_target
    variance_target = np.einsum("ij,ij->i", weighted, by_target)
    gini_target = weighted @ target
    spearman = ratio(joint, np.sqrt(variance_guess * variance_target))
    return np.stack([spearman, ratio(gini_guess, gini_target)], axis=1)


def equal_count_bins(values: Floats, bins: int) -> Ints:
    """Bin of every row, 0 for the lowest values; bins of equal counts, ties kept together.

    Numbered without gaps; ties may make bins uneven, or fewer than asked for.

    >>> equal_count_bins(np.array([0.1, 0.2, 0.2, 0.9]), 2)
    array([0, 0, 0, 1])
    """
    if bins < 1:
        raise ValueError(f"bins == {bins}, must be >= 1")
    middle = Ranking.of(values).midranks(np.ones((1, len(values))))[0]
    # The middle of a tie may sit exactly on an edge: it then belongs to the lower bin.
    raw = np.ceil(middle * bins / len(values)).astype(np.intp) - 1
    return np.unique(raw, return_inverse=True)[1]
