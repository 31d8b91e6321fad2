"""The two arms of a trial: who was contacted, with which probability, and whether that can be."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.evaluation.bootstrap import critical
from mkt_models.evaluation.inputs import Floats, numbers

TREATED = "treated"
PROBABILITY = "assignment_probability"

# Below this chance of the arms being as uneven as they are, the records contradict themselves.
UNEVEN = 1e-4

# Customers of an arm whose response differs from the arm's commonest one. With fewer the bootstrap
# knows no spread, or far too little: nothing is judged then.
MIN_DIFFERENT = 10


def read_arms(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Give the arm (1 as contacted) and the probability of being contacted, of every row.

    Raises ValueError when an arm is empty or no arm, or a probability is not strictly between 0
    and 1.
    """
    treated, probability = numbers(rows, TREATED), numbers(rows, PROBABILITY)
    certain = int(((probability <= 0) | (probability >= 1)).sum())
    if certain:
        raise ValueError(
            f"{PROBABILITY}: {certain:,} of {len(rows):,} rows are not strictly between 0 "
            "and 1; nobody like them was in the other arm, so leave them out, and say so"
        )
    other = np.setdiff1d(treated, [0.0, 1.0])
    if other.size or len(np.unique(treated)) < 2:
        raise ValueError(f"{TREATED}: must be 0 or 1, with rows of both arms")
    return treated, probability


def uneven(treated: Floats, probability: Floats, level: float) -> str:
    """Why the arms cannot be what the probabilities say; empty when they can.

    ``level``: confidence of the intervals beside it, so that many groups raise no more alarms.
    """
    p = probability
    z = float((treated - p).sum() / np.sqrt((p * (1 - p)).sum()))
    if abs(z) <= critical(1 - min(UNEVEN, 1 - level) / 2, 1e9):
        return ""
    return (
        f"not judged: {treated.mean():.1%} were treated where the probabilities say {p.mean():.1%} "
        f"(z = {z:.1f}); the assignment was not as recorded"
    )


def rare(
    values: Floats,
    treated: Floats,
    customers: npt.NDArray[np.intp],
    names: tuple[str, str] = ("contacted", "withheld"),
) -> str:
    """Why the responses of an arm are too alike to be judged; empty when they are not.

    Where few of an arm responded, or few did not, an interval is too short by far: with none it has
    no length, and any difference would be a finding. ``names``: what those treated, and the others,
    are called.
    """
    few: dict[str, int] = {}
    for arm, words in zip((1, 0), names, strict=True):
        inside = treated == arm
        found, counts = np.unique(values[inside], return_counts=True)
        other = values[inside] != found[counts.argmax()] if len(found) else inside[inside]
        n = len(np.unique(customers[inside][other]))
        if n < MIN_DIFFERENT:
            few[words] = n
    if not few:
        return ""
    told = " and ".join(f"{n} of those {words}" for words, n in few.items())
    return f"not judged: only {told} responded otherwise than the rest, needs {MIN_DIFFERENT}"


def smaller_arm(treated: Floats, customers: npt.NDArray[np.intp]) -> int:
    """Customers of the smaller arm: what the uncertainty of a difference goes by."""
    return min(len(np.unique(customers[treated == arm])) for arm in (0, 1))
