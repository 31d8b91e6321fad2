"""Parameters of small shops, and how far a sum may lie from what is expected."""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from mkt_models.source_params import Dirt, Simulator

CLEAN = Dirt(**dict.fromkeys(Dirt.model_fields, 0.0))


def shop(**changed: Any) -> Simulator:
    """Parameters of a small shop without dirt."""
    choices: dict[str, Any] = {
        "kind": "simulator",
        "time_zone": "Asia/Shanghai",
        "customers": 3000,
        "chunk_customers": 3000,
        "first_day": date(2024, 1, 1),
        "days": 300,
        "busy_days": ("11-11",),
        "dirt": CLEAN,
    }
    return Simulator(**(choices | changed))


def deviation(residuals: npt.ArrayLike) -> float:
    """Sum of independent residuals of mean 0, in multiples of its own standard error."""
    values = np.asarray(residuals, dtype=float)
    return float(values.sum() / np.sqrt((values**2).sum()))


SIGMAS = 4.5  # one test in 150,000 fails by chance; with fixed seeds it does so always or never
