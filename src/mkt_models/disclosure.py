"""What a reader can reckon of a hidden count from the sums that stand beside it.

A hidden count is known to lie between two ends: one that reads "< 5" from 1 to 4. Every total that
is told, in the same table or in another of the report, may narrow that. How far is a linear
programme per hidden count (the attacker's problem; Fischetti and Salazar 2000, Models and
algorithms for optimizing cell suppression in tabular data with linear constraints).
"""

from collections.abc import Hashable, Mapping, Sequence
from math import ceil, floor, inf

import numpy as np
from scipy.optimize import linprog

Ends = tuple[float, float]
"""The least and the most that a hidden count can be; the most may be infinite."""

Sum = tuple[Hashable, Sequence[Hashable]]
"""A whole and the parts that add up to it, each the name of a count."""


class Contradiction(ValueError):
    """No counts fulfil all the sums: one of them is not of the same customers."""


def reckoned(
    told: Mapping[Hashable, float],
    hidden: Mapping[Hashable, Ends],
    sums: Sequence[Sum],
    asked: Sequence[Hashable] | None = None,
) -> dict[Hashable, Ends]:
    """The least and the most that each hidden count can be, given all sums.

    Parameters
    ----------
    told
        Counts that are shown, by name.
    hidden
        Counts that are not, by name, with the ends that are known of them.
    sums
        Which counts add up to which; a name that is neither told nor hidden is an error.
    asked
        The hidden counts to reckon; all when not given.

    Returns
    -------
    dict
        Whole numbers from and to, per count asked for.

    Raises
    ------
    Contradiction
        When the sums cannot all hold.

    >>> reckoned({"all": 8, "c": 0}, {"a": (1, 4), "b": (1, 4)}, [("all", ["a", "b", "c"])])
    {'a': (4, 4), 'b': (4, 4)}
    """
    names = list(hidden)
    place = {name: i for i, name in enumerate(names)}
    left = np.zeros((len(sums), len(names)))
    right = np.zeros(len(sums))
    for row, (whole, parts) in enumerate(sums):
        for name, sign in [(whole, -1.0), *((part, 1.0) for part in parts)]:
            if name in place:
                left[row, place[name]] += sign
            else:
                right[row] -= sign * told[name]
    bounds = [(low, None if high == inf else high) for low, high in hidden.values()]
    found = {}
    for name in names if asked is None else asked:
        ends = []
        for sign in (1.0, -1.0):
            goal = np.zeros(len(names))
            goal[place[name]] = sign
            answer = linprog(goal, A_eq=left, b_eq=right, bounds=bounds, method="highs")
            if answer.status == 2:
                raise Contradiction(f"no counts fulfil all {len(sums)} sums")
            ends.append(sign * answer.fun if answer.status == 0 else sign * -inf)
        low, high = ends
        found[name] = (
            low if abs(low) == inf else ceil(low - 1e-6),
            high if abs(high) == inf else floor(high + 1e-6),
        )
    return found


def settled(hidden: Mapping[Hashable, Ends], found: Mapping[Hashable, Ends]) -> list[Hashable]:
    """Names of the counts that the sums give away: one number is left of several.

    >>> settled({"a": (1, 4), "b": (1, 4)}, {"a": (3, 4), "b": (2, 2)})
    ['b']
    """
    return [n for n, (low, high) in found.items() if low == high and hidden[n][0] < hidden[n][1]]
