"""What could be done for whom, as arrays, and who gets what when the budgets have prices.

Module of the notebooks, though it needs no more than NumPy.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


class AllocationError(ValueError):
    """A problem that cannot be solved as it stands; the message names what is wrong."""


@dataclass(frozen=True)
class Options:
    """What could be done for whom: one row per option, the options of a customer together.

    Attributes
    ----------
    customer
        Number of the customer, not falling from row to row.
    family
        Number of the family; of a family a customer gets one option at most. Within a customer not
        falling.
    worth
        What the option brings, in currency units; any finite number.
    uses
        One row per way of using the budgets, one column per budget: what it takes of each, 0 or
        more.
    use
        The row of ``uses`` that holds for an option.
    alone
        Whether an option is a fall-back, which a customer gets alone or not at all; None where no
        option is.

    """

    customer: Ints
    family: Ints
    worth: Floats
    uses: Floats
    use: Ints
    alone: Bools | None = None

    def __post_init__(self) -> None:
        """Refuse rows out of order, and numbers that are not finite or take less than nothing."""
        lengths = {len(self.customer), len(self.family), len(self.worth), len(self.use)}
        lengths |= set() if self.alone is None else {len(self.alone)}
        if len(lengths) > 1:
            raise AllocationError(f"options: columns of {sorted(lengths)} rows, must be one length")
        same = self.customer[1:] == self.customer[:-1]
        falls = (self.customer[1:] < self.customer[:-1]) | (
            same & (self.family[1:] < self.family[:-1])
        )
        if falls.any():
            raise AllocationError(
                f"options: row {int(np.argmax(falls)) + 1} is out of order; sort by customer and "
                "family"
            )
        if not np.isfinite(self.worth).all():
            raise AllocationError("options: a worth is not finite")
        if not (np.isfinite(self.uses).all() and (self.uses >= 0).all()):
            raise AllocationError("options: a use must be finite and 0 or more")
        if len(self.use) and not (self.use.min() >= 0 and self.use.max() < len(self.uses)):
            raise AllocationError(f"options: use must be 0 to {len(self.uses) - 1}")

    @property
    def customers(self) -> int:
        """How many customers have an option."""
        return len(self.customer_starts)

    @cached_property
    def group_starts(self) -> Ints:
        """First row of each customer and family."""
        if not len(self.customer):
            return np.zeros(0, dtype=np.intp)
        new = np.diff(self.customer).astype(bool) | np.diff(self.family).astype(bool)
        return np.flatnonzero(np.r_[True, new])

    @cached_property
    def customer_starts(self) -> Ints:
        """First *group* (customer and family) of each customer."""
        first = self.customer[self.group_starts]
        return np.flatnonzero(np.r_[True, np.diff(first).astype(bool)][: len(first)])

    def part(self, chosen: Ints) -> "Options":
        """Take the options of some rows, in their order."""
        return Options(
            self.customer[chosen],
            self.family[chosen],
            self.worth[chosen],
            self.uses,
            self.use[chosen],
            None if self.alone is None else self.alone[chosen],
        )

    def used(self, rows: Ints) -> Floats:
        """What some options take of every budget."""
        counts = np.bincount(self.use[rows], minlength=len(self.uses)).astype(np.float64)
        return np.asarray(counts @ self.uses, dtype=np.float64)

    def best(self, prices: Floats, k: int) -> tuple[Ints, Floats]:
        """Choose what is best at some prices: the rows of every customer, and every row's net.

        A customer gets the fall-back where its net worth is above that of all else together. What
        these rows are worth net, and the budgets at the prices, is the dual of the linear
        programme.
        """
        net = self.worth - (self.uses @ prices)[self.use]
        if self._apart is None:
            return self._best(net, k), net
        usual, last, n = *self._chosen_apart(net, k), self._codes
        gain, instead = (np.bincount(self.customer[one], net[one], n) for one in (usual, last))
        better = instead > gain
        kept = (usual[~better[self.customer[usual]]], last[better[self.customer[last]]])
        return np.sort(np.concatenate(kept)), net

    def decided(self, prices: Floats, k: int) -> tuple[Ints, Floats]:
        """Choose as decisions do: the fall-back only for who gets nothing else."""
        net = self.worth - (self.uses @ prices)[self.use]
        if self._apart is None:
            return self._best(net, k), net
        usual, last = self._chosen_apart(net, k)
        served = np.zeros(self._codes, dtype=bool)
        served[self.customer[usual]] = True
        return np.sort(np.concatenate((usual, last[~served[self.customer[last]]]))), net

    @cached_property
    def _codes(self) -> int:
        """One more than the highest number of a customer."""
        return int(self.customer[-1]) + 1 if len(self.customer) else 0

    @cached_property
    def _apart(self) -> tuple[tuple[Ints, "Options"], tuple[Ints, "Options"]] | None:
        """The rows that are no fall-back, and those that are; None where none is."""
        if self.alone is None or not self.alone.any():
            return None
        usual, last = np.flatnonzero(~self.alone), np.flatnonzero(self.alone)
        one = replace(self.part(last), family=np.zeros(len(last), dtype=np.intp), alone=None)
        return (usual, replace(self.part(usual), alone=None)), (last, one)

    def _chosen_apart(self, net: Floats, k: int) -> tuple[Ints, Ints]:
        assert self._apart is not None
        (usual, some), (last, one) = self._apart
        return usual[some._best(net[usual], k)], last[one._best(net[last], 1)]

    def _best(self, net: Floats, k: int) -> Ints:
        starts = self.group_starts
        if not len(starts):
            return np.zeros(0, dtype=np.intp)
        tops = np.maximum.reduceat(net, starts)
        groups = np.flatnonzero(tops > 0)
        if len(groups) and k < np.diff(np.r_[self.customer_starts, len(starts)]).max():
            groups = _best_of_customers(groups, tops, self.customer[starts], k)
        ends = np.r_[starts[1:], len(net)]
        return _first_best(net, tops, starts, ends, groups) if len(groups) else groups


def _best_of_customers(groups: Ints, tops: Floats, customer: Ints, k: int) -> Ints:
    """Of the groups with a gain, the k best of each customer; among equals the first."""
    order = np.lexsort((groups, -tops[groups], customer[groups]))
    ranked = groups[order]
    who = customer[ranked]
    first = np.flatnonzero(np.r_[True, np.diff(who).astype(bool)])
    place = np.arange(len(who)) - np.repeat(first, np.diff(np.r_[first, len(who)]))
    return np.sort(ranked[place < k])


def _first_best(net: Floats, tops: Floats, starts: Ints, ends: Ints, groups: Ints) -> Ints:
    """The first row of each of some groups that has the group's highest net worth."""
    sizes = ends - starts
    if sizes.min() == sizes.max():
        best = net.reshape(len(starts), -1).argmax(axis=1)
        return np.asarray(starts[groups] + best[groups], dtype=np.intp)
    rows = np.flatnonzero(net == np.repeat(tops, sizes))
    group = np.searchsorted(starts, rows, side="right") - 1
    first = rows[np.r_[True, np.diff(group).astype(bool)]]
    return np.asarray(first[groups], dtype=np.intp)
