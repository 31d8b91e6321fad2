"""CUPED: less variance by what was known of a unit before the experiment (Deng et al. 2013).

The part of a metric that a covariate from before foretells is taken off: y - theta (x - mean of x).
The assignment cannot have moved x, so the difference of the arms keeps its meaning, and of the
variance 1 - rho² is left, with rho the correlation within the arms. A covariate that the treatment
*can* have moved would take part of the effect off with it; so covariates are tested for balance.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import f_oneway

from mkt_models.evaluation.inputs import Floats

Codes = npt.NDArray[np.intp]


def adjusted(values: Floats, covariates: Floats, arms: Codes, strata: Codes) -> tuple[Floats, int]:
    """Take off what the covariates foretell; give the values and the coefficients fitted.

    Parameters
    ----------
    values
        The metric, per unit.
    covariates
        Units x covariates, from before the experiment. NaN is "not known", as of a new customer:
        it counts as the mean, and whether it is known is a covariate of its own.
    arms, strata
        Codes from 0; coefficients are fitted within their cells, so that no effect enters them,
        and covariates are centred within strata.

    """
    x = filled(covariates)
    cells = arms * (int(strata.max(initial=0)) + 1) + strata
    theta, *_ = np.linalg.lstsq(_centred(x, cells), _centred(values[:, None], cells), rcond=None)
    return values - (_centred(x, strata) @ theta)[:, 0], x.shape[1]


def filled(covariates: Floats) -> Floats:
    """Give covariates without gaps: the mean in place of each, and a column that says where."""
    unknown = np.isnan(covariates)
    if unknown.all(axis=0).any():
        raise ValueError("covariates: one is known of no unit; leave it out")
    means = np.nanmean(covariates, axis=0)
    told = unknown[:, unknown.any(axis=0)].astype(np.float64)
    return np.hstack([np.where(unknown, means, covariates), told])


def left_over(values: Floats, after: Floats, cells: Codes) -> float:
    """Share of the variance within cells (arms, or arms by strata) that is left after adjusting."""
    before = float((_centred(values[:, None], cells) ** 2).sum())
    return float((_centred(after[:, None], cells) ** 2).sum()) / before if before > 0 else np.nan


def balance(covariates: Floats, arms: Codes, strata: Codes) -> float:
    """Give the p-value that the arms had the same covariates, corrected for their number.

    A small one says that what is called "before" was moved by the treatment, or that the
    assignment failed. Analysis of variance over the arms, of values centred within strata.
    """
    x = _centred(filled(covariates), strata)
    groups = [x[arms == arm] for arm in np.unique(arms)]
    varies = np.flatnonzero(x.std(axis=0) > 1e-12)
    if not len(varies) or len(groups) < 2:
        return 1.0
    p = [float(f_oneway(*(group[:, j] for group in groups)).pvalue) for j in varies]
    return min(1.0, len(p) * float(np.nanmin(p)))


def _centred(x: Floats, cells: Codes) -> Floats:
    _, codes = np.unique(cells, return_inverse=True)
    sizes = np.bincount(codes).astype(np.float64)
    means = np.stack(
        [np.bincount(codes, weights=x[:, j]) / sizes for j in range(x.shape[1])], axis=1
    )
    return np.asarray(x - means[codes], dtype=np.float64)
