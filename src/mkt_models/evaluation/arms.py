"""The two arms of a trial: who was contacted, with which probability, and whether that can be."""

import numpy as np
import pandas as pd

from mkt_models.evaluation.bootstrap import critical
from mkt_models.evaluation.inputs import Floats, numbers

TREATED = "treated"
PROBABILITY = "assignment_probability"

# Below this chance of the arms being as uneven as they are, the records contradict themselves.
UNEVEN = 1e-4


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
