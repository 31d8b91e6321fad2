"""Which of the candidates comes first when a decision may explore, and with which probability.

A log in which the best candidate always comes first says nothing of the others. Exploration gives
each of those that passed every gate a known probability to come first; these probabilities are
logged, and an off-policy evaluation divides by them (Horvitz and Thompson 1952).

The probabilities are computed first, and the choice is drawn by them: what is logged is the
probability of the draw itself, not an estimate of it. The draw is a salted hash of the decision's
id, so that the same request has the same answer.

This module needs no numpy: the service decides with it.
"""

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mkt_models.exploration_params import Exploration, Method

# Nodes and weights of the Gauss-Legendre rule of 8 points on [-1, 1]; both signs of each node.
_RULE = (
    (0.1834346424956498, 0.3626837833783620),
    (0.5255324099163290, 0.3137066458778873),
    (0.7966664774136267, 0.2223810344533745),
    (0.9602898564975363, 0.1012285362903763),
)
# The normal distributions are integrated piece by piece, between these many standard errors.
_CUTS = (-7.0, -4.0, -2.0, 0.0, 2.0, 4.0, 7.0)
# A standard error below this part of the worths is none: they are shown with six digits.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Option:
    """A candidate that passed every gate: its name, its worth, and the standard error of that.

    Worth and error in currency units; the error is None where nobody has measured it.
    """

    key: str
    worth: float
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which option comes first.

    Attributes
    ----------
    key
        the option that comes first
    probability
        with which it was chosen
    probabilities
        of every option to come first; they sum to 1
    explored
        whether it is another than the one of highest worth

    """

    key: str
    probability: float
    probabilities: Mapping[str, float]
    explored: bool


def choose(options: Sequence[Option], decision_id: str, settings: Exploration) -> Choice:
    """Choose which option comes first.

    Parameters
    ----------
    options
        The candidates of one decision that passed every gate, in any order: each could be served
        alone, and is worth more than doing nothing. Nothing else is ever chosen.
    decision_id
        Names the question: the same id, options and settings have the same choice.
    settings
        Method, epsilon, salt. Of the method ``none``, or with epsilon 0, the choice is the option
        of highest worth (among equals the first by name) with probability 1.

    Raises
    ------
    ValueError
        Without options, when a name is there twice, when a worth is not above 0, or when Thompson
        sampling lacks the standard error of a worth.

    >>> two = [Option("a", 2.0), Option("b", 1.0)]
    >>> choose(two, "d1", Exploration(method="epsilon", epsilon=0.2)).probabilities
    {'a': 0.9, 'b': 0.1}
    """
    _check(options)
    ranked = sorted(options, key=lambda one: (-one.worth, one.key))
    best = ranked[0].worth
    tried = [one for one in ranked if one.worth >= settings.min_worth_share * best]
    if settings.method is Method.THOMPSON:
        shares = thompson(tried)
    else:
        shares = [1.0] + [0.0] * (len(tried) - 1)
    epsilon = settings.epsilon
    mixed = [(1 - epsilon) * share + epsilon / len(tried) for share in shares]
    found = {one.key: p for one, p in zip(tried, mixed, strict=True)}
    key = _drawn(found, _uniform(settings.salt, decision_id))
    probabilities = {one.key: found.get(one.key, 0.0) for one in ranked}
    return Choice(key, found[key], probabilities, key != ranked[0].key)


def thompson(options: Sequence[Option]) -> list[float]:
    """Give the probability of every option that its worth is the highest.

    Each worth is normal around its estimate with its standard error, apart from the others
    (Thompson 1933); the probability is the integral of the density of one times the distribution
    of the others. An error of 0 is a worth that is known; of several such only the highest, the
    first among equals, can be the best.
    """
    for one in options:
        if one.error is None:
            raise ValueError(
                f"option {one.key!r}: its worth has no standard error, and Thompson sampling draws "
                "from it; give the error of every option, or set method: epsilon"
            )
    scale = max(abs(one.worth) for one in options)
    errors = [one.error or 0.0 for one in options]
    unsure = [i for i, error in enumerate(errors) if error > _NOTHING * scale]
    sure = [i for i in range(len(options)) if i not in set(unsure)]
    found = [0.0] * len(options)
    least = -math.inf
    if sure:
        top = min(sure, key=lambda i: (-options[i].worth, options[i].key))
        least = options[top].worth
        found[top] = math.prod(_below(least, options[i].worth, errors[i]) for i in unsure)
    if unsure:
        means, spread = [options[i].worth for i in unsure], [errors[i] for i in unsure]
        for i, share in zip(unsure, _highest(means, spread, least), strict=True):
            found[i] = share
    total = math.fsum(found)
    return [share / total for share in found]


def _highest(means: Sequence[float], errors: Sequence[float], least: float) -> list[float]:
    """Give the probability of each normal to be the highest of all, and above ``least``."""
    reach = max(abs(_CUTS[0]), _CUTS[-1])
    # Below this, one of them is nearly surely higher; above the last cut there is nobody.
    low = max(least, max(m - reach * s for m, s in zip(means, errors, strict=True)))
    cuts = {m + cut * s for m, s in zip(means, errors, strict=True) for cut in _CUTS}
    edges = [low, *sorted(cut for cut in cuts if cut > low)]
    found = [0.0] * len(means)
    for left, right in itertools.pairwise(edges):
        half = (right - left) / 2
        for node, weight in _RULE:
            for x in (left + half * (1 - node), left + half * (1 + node)):
                below = [_below(x, m, s) for m, s in zip(means, errors, strict=True)]
                others = _without_each(below)
                for i, (m, s) in enumerate(zip(means, errors, strict=True)):
                    z = (x - m) / s
                    density = math.exp(-z * z / 2) / (s * math.sqrt(2 * math.pi))
                    found[i] += half * weight * density * others[i]
    return found


def _without_each(factors: Sequence[float]) -> list[float]:
    """Give, for every factor, the product of all the others."""
    before, after = [1.0], [1.0]
    for factor in factors[:-1]:
        before.append(before[-1] * factor)
    for factor in reversed(factors[1:]):
        after.append(after[-1] * factor)
    return [left * right for left, right in zip(before, reversed(after), strict=True)]


def _below(x: float, mean: float, error: float) -> float:
    return math.erfc((mean - x) / (error * math.sqrt(2))) / 2


def _uniform(salt: str, decision_id: str) -> float:
    """A number from 0 to below 1, the same for the same salt and id."""
    digest = hashlib.sha256(f"{salt}:{decision_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def _drawn(probabilities: Mapping[str, float], uniform: float) -> str:
    reached, last = 0.0, ""
    for key, p in probabilities.items():
        if p <= 0:
            continue
        reached, last = reached + p, key
        if uniform < reached:
            return key
    return last  # the sum is a rounding error below 1


def _check(options: Sequence[Option]) -> None:
    if not options:
        raise ValueError("no options: when nothing passed the gates there is nothing to choose")
    seen: set[str] = set()
    for one in options:
        if one.key in seen:
            raise ValueError(f"option {one.key!r} stands twice; one candidate, one option")
        seen.add(one.key)
        if not (math.isfinite(one.worth) and one.worth > 0):
            raise ValueError(
                f"option {one.key!r}: worth == {one.worth}, must be > 0; what is not worth more "
                "than doing nothing is not tried either"
            )
        if one.error is not None and not (math.isfinite(one.error) and one.error >= 0):
            raise ValueError(f"option {one.key!r}: error == {one.error}, must be >= 0")
