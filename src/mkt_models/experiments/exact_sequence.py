"""A test that nothing happened, which holds at every look for values however skewed.

A confidence sequence trusts, as Student's t does, that means are nearly normal; early looks at
skewed values or uneven shares break that trust. Beside it stands a bet against chance. Where
nothing happened a unit has its value r in either arm, and is treated with the probability p that it
was assigned with. So of every rate b

    exp(b (treated - p) r) / (p exp(b (1 - p) r) + (1 - p) exp(-b p r))

is 1 on average, its product over all units is a martingale, and the chance that a mixture of such
products *ever* reaches 1 / alpha is at most alpha (Ville 1939; as in Ramdas, Grünwald, Vovk and
Shafer 2023, "Game-theoretic statistics and safe anytime-valid inference"). Nothing is assumed of
the values. The mixture over b is normal, as that of the confidence sequence, so that both come to
nearly the same where means are normal.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from mkt_models.evaluation.inputs import Floats
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.randomisation import pooled

Mask = npt.NDArray[np.bool_]

# Rates of the mixture: this many, as far out as so many standard deviations of it.
RATES, FAR = 121, 4.5
# Units whose products are computed at once.
_BLOCK = 4096


def exact_p_values(
    one: Measured, arm: int, looks: Sequence[Mask], probability: Floats, rho2: float
) -> list[float]:
    """Give at every look the p-value that nothing ever happened; it may rise again.

    Parameters
    ----------
    one, arm
        The metric of all units, and the arm that is compared with the control.
    looks
        Which units were complete at each look; none leaves.
    probability
        Of every unit of the two arms to be in this arm and not in the control.
    rho2
        Of :func:`~mkt_models.experiments.sequential.mixture`, chosen before.

    """
    shape = np.linspace(-FAR, FAR, RATES)
    weights = np.exp(-0.5 * shape**2)
    log_weights = np.log(weights / weights.sum())
    grown, before = np.zeros(RATES), np.zeros(len(one.arms), dtype=bool)
    found = []
    for rows in looks:
        pair = rows & ((one.arms == arm) | (one.arms == 0))
        part = one.take(pair)
        # Values are centred and scaled by those of all units so far, whatever their arm.
        values = pooled(part, arm)[0] if pair.any() else np.zeros(0)
        new = ~before[pair]
        scale = float(np.sqrt((values**2).mean())) if len(values) else 0.0
        if scale > 0:
            p = probability[pair]
            rates = shape * math.sqrt(rho2 / float((p * (1 - p)).mean()))
            r = (values - values.mean())[new] / scale
            grown = grown + _log_growth(r, (part.arms == arm)[new], p[new], rates)
        before = before | pair
        found.append(min(1.0, math.exp(-min(700.0, float(logsumexp(log_weights + grown))))))
    return found


def _log_growth(r: Floats, treated: Mask, p: Floats, rates: Floats) -> Floats:
    total = np.zeros(len(rates))
    for start in range(0, len(r), _BLOCK):
        block = slice(start, start + _BLOCK)
        q, x = p[block, None], r[block, None] * rates
        mean = np.logaddexp(np.log(q) + (1 - q) * x, np.log1p(-q) - q * x)
        total += ((treated[block, None] - q) * x - mean).sum(axis=0)
    return total
