"""Which arm a unit is in: a hash of its id and the experiment's salt, and nothing else.

The same unit always gets the same arm, on every machine and without a store; another salt shuffles
everybody anew, so that experiments with different salts are independent of each other. Experiments
that must not meet share a **layer**: it cuts the units into slots, and an experiment takes those of
its own slot (Tang et al. 2010, "Overlapping experiment infrastructure"). The probability of the arm
goes with every assignment; an analysis needs it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from mkt_models.sections import Section, Share, nearest

# A colon parts salt and id in what is hashed: without one in the salt no two pairs are alike.
Salt = Annotated[str, Field(min_length=4, pattern=r"^[^:]+$")]
Shares = dict[str, Annotated[float, Field(gt=0, lt=1)]]

# Shares may miss 1 by so much: thirds are written with a few digits.
ROUNDING = 1e-6


def fraction(unit_id: str, salt: str) -> float:
    """Give a number from 0 until before 1 that is always the same for an id and a salt.

    Over units it is uniform, and independent of that of another salt.

    >>> round(fraction("1", "spring"), 4), round(fraction("1", "autumn"), 4)
    (0.462, 0.8127)
    """
    digest = hashlib.sha256(f"{salt}:{unit_id}".encode()).digest()
    # 53 bits: all that a float holds, so that the largest does not become 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


class Slot(Section):
    """The part of a layer that an experiment has; slots of a layer must not overlap."""

    layer: Salt = Field(description="salt of the layer, the same for all of its experiments")
    start: Share
    end: Share

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"start == {self.start:g} must be before end == {self.end:g}")
        return self

    def holds(self, unit_id: str) -> bool:
        """Whether the unit is in this slot."""
        return self.start <= fraction(unit_id, self.layer) < self.end


class Experiment(Section):
    """Arms and their shares; the first arm is the control that all others are compared with.

    Attributes
    ----------
    name
        what people call it
    salt
        changes who is in which arm; never used twice
    shares
        arm to share of the units, adding up to 1
    strata
        stratum to shares of its own, with the same arms; strata not named have ``shares``
    slot
        part of a layer; None takes every unit

    """

    name: str = Field(min_length=1)
    salt: Salt
    shares: Shares = Field(min_length=2)
    strata: dict[str, Shares] = Field(default_factory=dict)
    slot: Slot | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for where, shares in (("shares", self.shares), *self.strata.items()):
            total = sum(shares.values())
            if abs(total - 1) > ROUNDING:
                raise ValueError(f"{where}: {shares} add up to {total:g}, must be 1")
            if list(shares) != list(self.shares):
                raise ValueError(
                    f"{where}: has the arms {list(shares)}, must have {list(self.shares)}"
                )
        if self.slot is not None and self.slot.layer == self.salt:
            raise ValueError(
                f"salt == {self.salt!r} is that of the layer, so that the slot decides the arm; "
                "give the experiment its own"
            )
        return self

    @property
    def control(self) -> str:
        """The arm that all others are compared with."""
        return next(iter(self.shares))

    @property
    def treatments(self) -> tuple[str, ...]:
        """All arms but the control."""
        return tuple(self.shares)[1:]

    def shares_of(self, stratum: str | None) -> Shares:
        """Shares of the arms in a stratum."""
        return self.shares if stratum is None else self.strata.get(stratum, self.shares)


@dataclass(frozen=True)
class Assignment:
    """The arm of one unit.

    Attributes
    ----------
    arm
        a key of the experiment's shares
    probability
        with which a unit like it, taking part, gets this arm
    stratum
        as it was given

    """

    arm: str
    probability: float
    stratum: str | None = None


def assign(experiment: Experiment, unit_id: str, stratum: str | None = None) -> Assignment | None:
    """Give the arm of a unit; None when it lies outside the experiment's slot.

    ``stratum`` must be known before the experiment and stay: who changes it, may change the arm
    where shares differ.

    >>> trial = Experiment(name="coupon", salt="coupon-2026", shares={"control": 0.5, "new": 0.5})
    >>> assign(trial, "42")
    Assignment(arm='new', probability=0.5, stratum=None)
    """
    _named(unit_id)
    if experiment.slot is not None and not experiment.slot.holds(unit_id):
        return None
    return _cut(experiment.shares_of(stratum), fraction(unit_id, experiment.salt), stratum)


def assign_evenly(experiment: Experiment, strata: Mapping[str, str]) -> dict[str, Assignment]:
    """Assign a known list of units so that every stratum is split as evenly as can be.

    In each stratum of n units, those of an arm are n times its share, rounded up or down; every
    unit has exactly its share as probability all the same. The arm of a unit depends on the list,
    so keep the answer: it cannot be computed again for one unit alone.

    Parameters
    ----------
    experiment
        Arms and shares; units outside its slot are left out.
    strata
        Unit id to stratum, of all units at once.

    """
    members: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for unit_id, stratum in strata.items():
        _named(unit_id)
        if experiment.slot is None or experiment.slot.holds(unit_id):
            members[stratum].append((fraction(unit_id, experiment.salt), unit_id))
    found: dict[str, Assignment] = {}
    for stratum, units in members.items():
        # Systematic sampling: evenly spaced points from a random start, in a random order of units.
        start = fraction(stratum, f"{experiment.salt}/start")
        for rank, (_, unit_id) in enumerate(sorted(units)):
            point = (rank + start) / len(units)
            found[unit_id] = _cut(experiment.shares_of(stratum), point, stratum)
    return {unit_id: found[unit_id] for unit_id in strata if unit_id in found}


def check_together(experiments: Iterable[Experiment], taken: Iterable[str] = ()) -> None:
    """Raise ValueError when experiments that run at the same time get in each other's way.

    A salt that is used twice gives both experiments the same arms; slots that overlap share units.
    ``taken``: salts in use elsewhere, such as that of the holdout.
    """
    salts = dict.fromkeys(taken, "another use")
    slots: list[tuple[Slot, str]] = []
    listed = list(experiments)
    for one in listed:
        if one.salt in salts:
            raise ValueError(
                f"{one.name}: salt {one.salt!r} is that of {salts[one.salt]}; the arms of both "
                "would be alike, so take a new salt"
            )
        salts[one.salt] = one.name
    for one in listed:
        if one.slot is None:
            continue
        if one.slot.layer in salts:
            raise ValueError(
                f"{one.name}: layer {one.slot.layer!r} is the salt of {salts[one.slot.layer]}; "
                "take another name for the layer"
            )
        for slot, name in slots:
            if slot.layer == one.slot.layer and (
                slot.start < one.slot.end and one.slot.start < slot.end
            ):
                raise ValueError(
                    f"{one.name} and {name} overlap in layer {slot.layer!r}: "
                    f"[{one.slot.start:g}, {one.slot.end:g}) and [{slot.start:g}, {slot.end:g})"
                )
        slots.append((one.slot, one.name))


def probability_of(experiment: Experiment, arm: str, stratum: str | None = None) -> float:
    """Give the probability of an arm in a stratum; ValueError for an unknown arm."""
    shares = experiment.shares_of(stratum)
    if arm not in shares:
        raise ValueError(f"{experiment.name}: no arm {arm!r}{nearest(arm, shares)}")
    return shares[arm]


def _cut(shares: Shares, point: float, stratum: str | None) -> Assignment:
    reached = 0.0
    for arm, share in shares.items():
        reached += share
        if point < reached:
            return Assignment(arm, share, stratum)
    arm = list(shares)[-1]
    return Assignment(arm, shares[arm], stratum)


def _named(unit_id: str) -> None:
    if not isinstance(unit_id, str):
        raise ValueError(
            f"unit_id == {unit_id!r} is no text; write every id in one way, such as str(17), or "
            "one unit has two arms"
        )
    if not unit_id:
        raise ValueError("unit_id is empty: every unit needs its own id, or all share an arm")
