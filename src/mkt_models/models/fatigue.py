"""How much a response falls with the pressure of earlier contacts: two estimators of one decay.

Both hold that ``P(response) = what the customer and the campaign bring * exp(-decay * pressure)``.
A shop contacts more whom it likes more, so customers who were contacted often are not compared with
those who were not:

*within customers* - the fixed-effects Poisson regression, with an effect of every campaign. What a
customer brings cancels, whatever it is and however contacts depend on it, as only the place of each
customer's responses among their own contacts is asked (Hausman, Hall, Griliches 1984,
doi:10.2307/1911191). It is consistent for responses of 0 and 1 as well, and whatever their serial
dependence, if the mean is as above (Wooldridge 1999, doi:10.1016/S0304-4076(98)00033-5). It is not
if contacts depend on earlier *responses*; then later contacts tell of the response before them,
which is tested (Wooldridge 2010, Econometric Analysis of Cross Section and Panel Data, 18.7).

*randomised* - where earlier contacts were assigned at random with known probabilities, the decay is
that at which the response freed from it, ``response * exp(decay * pressure)``, does not depend on
whether a contact was drawn: g-estimation of a multiplicative structural nested mean model (Robins
1994, doi:10.1080/03610929408831393; Vansteelandt, Joffe 2014, doi:10.1214/14-STS493). Nothing is
held of customers; contacts count with the inverse of their own probability.

Errors are clustered by customer. Several half-lives are tried, and the interval of each is widened
so that all hold together, however one is chosen (the single-step method of Hothorn, Bretz, Westfall
2008, doi:10.1002/bimj.200810425). What a half-life that fits about as well would say belongs to the
uncertainty too: :attr:`Decay.plausible`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from mkt_models.models.contact_pressure import Contacts, Floats

FAR = 8.0
"""A decay that lies further from 0 is none: the responses do not bound it."""
RIDGE = 1e-6  # on the effects of campaigns only, so that one without comparison does no harm
IDENTIFIED = 1e-6  # least share of a pressure's variation that campaigns leave within customers
DRAWS = 20_000


@dataclass(frozen=True)
class Decay:
    """A decay by half-life; arrays have an entry for each.

    Attributes
    ----------
    decay, error
        Per unit of pressure, and its standard error, clustered by customer; NaN where the
        responses do not bound it.
    fit
        By what the half-life is chosen, on the scale of twice a log-likelihood: the more the
        better.
    confidence
        Of the intervals.
    critical
        How many errors the interval reaches to either side.

    """

    decay: Floats
    error: Floats
    fit: Floats
    confidence: float
    critical: float

    @property
    def plausible(self) -> tuple[int, ...]:
        """Places of the half-lives that fit not clearly worse than the best (likelihood ratio)."""
        if self.best is None:
            return ()
        least = self.fit[self.best] - chi2.ppf(self.confidence, 1)
        return tuple(int(i) for i in np.flatnonzero(np.isfinite(self.decay) & (self.fit >= least)))

    @property
    def best(self) -> int | None:
        """Place of the half-life that fits best; None where no decay is bounded."""
        if not np.isfinite(self.decay).any():
            return None
        return int(np.nanargmax(np.where(np.isfinite(self.decay), self.fit, np.nan)))

    def interval(self, which: int) -> tuple[float, float]:
        """Ends of the interval of one half-life."""
        half = self.critical * self.error[which]
        return float(self.decay[which] - half), float(self.decay[which] + half)


def within_customers(contacts: Contacts, confidence: float, seed: int) -> Decay:
    """The decay within customers, for contacts that :func:`comparable` has kept."""
    dummies = _dummies(contacts.campaign)
    fits = [
        _conditional_poisson(contacts, sparse.hstack([_column(pressure), dummies], format="csr"))
        for pressure in contacts.pressure.T
    ]
    decays = np.array([np.nan if one is None else -one.coefficient[0] for one in fits])
    fit = np.array([np.nan if one is None else 2 * one.likelihood for one in fits])
    influence = [None if one is None else -one.influence for one in fits]
    return _together(decays, fit, influence, confidence, seed)


def feedback(contacts: Contacts, which: int) -> float:
    """p-value of the hypothesis that contacts do not depend on the responses before them.

    The pressure of the contacts after is put beside that of those before, for the half-life of
    the number ``which``; 1 where nobody was contacted after, NaN where it cannot be told.
    """
    lead = contacts.lead[:, which]
    if not lead.any():
        return 1.0
    columns = [_column(lead), _column(contacts.pressure[:, which]), _dummies(contacts.campaign)]
    found = _conditional_poisson(contacts, sparse.hstack(columns, format="csr"))
    if found is None:
        return float("nan")
    return float(2 * norm.sf(abs(found.coefficient[0]) / np.sqrt(np.sum(found.influence**2))))


def comparable(contacts: Contacts) -> Contacts:
    """Only what tells anything within customers.

    Customers with a response and several contacts, of campaigns that one of them answered.
    """
    rows = np.ones(len(contacts), dtype=bool)
    while True:
        customer, campaign = contacts.customer[rows], contacts.campaign[rows]
        response = contacts.response[rows]
        keep = (
            (np.bincount(customer, response)[customer] > 0)
            & (np.bincount(customer)[customer] > 1)
            & (np.bincount(campaign, response)[campaign] > 0)
        )
        if keep.all():
            return contacts.where(rows)
        rows[np.flatnonzero(rows)[~keep]] = False


def randomised(contacts: Contacts, confidence: float, seed: int) -> Decay:
    """The decay by g-estimation, for contacts with a known probability of their own.

    ``fit`` is the square of the decay over its error.
    """
    weight = 1 / contacts.probability
    size = np.bincount(contacts.campaign, weight)
    decays: list[float] = []
    influences: list[Floats | None] = []
    for pressure, expected in zip(contacts.pressure.T, contacts.expected.T, strict=True):
        drawn = weight * (pressure - expected)
        # Taking off a campaign's mean changes no expectation, and much of the noise.
        mean_drawn = (np.bincount(contacts.campaign, drawn) / size)[contacts.campaign]
        score = _g_score(contacts.response, pressure, drawn - weight * mean_drawn)
        found = _root(score)
        decays.append(found)
        if not np.isfinite(found):
            influences.append(None)
            continue
        freed = contacts.response * np.exp(found * pressure)
        mean = np.bincount(contacts.campaign, weight * freed) / size
        moment = drawn * (freed - mean[contacts.campaign])
        slope = np.sum((drawn - weight * mean_drawn) * freed * pressure)
        influences.append(-np.bincount(contacts.customer, moment) / slope)
    decay = np.array(decays)
    errors = [np.nan if one is None else np.sqrt(np.sum(one**2)) for one in influences]
    return _together(decay, (decay / np.array(errors)) ** 2, influences, confidence, seed)


def _g_score(response: Floats, pressure: Floats, drawn: Floats) -> Callable[[float], float]:
    answered = response > 0
    pressure, drawn = pressure[answered], (response * drawn)[answered]
    return lambda decay: float(np.sum(drawn * np.exp(decay * pressure)))


def _root(score: Callable[[float], float]) -> float:
    """The root next to 0, NaN where there is none within reach."""
    grid = np.linspace(-FAR, FAR, 65)
    values = np.array([score(decay) for decay in grid])
    changes = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    if not len(changes):
        return float("nan")
    nearest = changes[np.argmin(np.abs(grid[changes] + grid[changes + 1]))]
    return float(brentq(score, grid[nearest], grid[nearest + 1]))


@dataclass(frozen=True)
class _Fit:
    """Coefficients, the influence of each customer on the first, and the log-likelihood."""

    coefficient: Floats
    influence: Floats
    likelihood: float


def _conditional_poisson(contacts: Contacts, x: sparse.csr_matrix) -> _Fit | None:
    """Maximise the likelihood of the places of each customer's responses among their contacts.

    The first column of ``x`` is what is asked; None where the responses do not bound it.
    """
    y, customer = contacts.response, contacts.customer
    n = np.bincount(customer, y)
    people = sparse.csr_matrix((np.ones(len(y)), (customer, np.arange(len(y)))))
    penalty = np.full(x.shape[1], RIDGE)
    penalty[0] = 0.0
    b = np.zeros(x.shape[1])

    def shares(b: Floats) -> tuple[Floats, float]:
        eta = x @ b
        top = np.full(len(n), -np.inf)
        np.maximum.at(top, customer, eta)
        part = np.exp(eta - top[customer])
        total = np.bincount(customer, part)
        logs = eta - top[customer] - np.log(total)[customer]
        return part / total[customer], float(y @ logs - 0.5 * penalty @ b**2)

    p, value = shares(b)
    for _ in range(60):
        expected = n[customer] * p
        gradient = x.T @ (y - expected) - penalty * b
        means = people @ x.multiply(p[:, None]).tocsr()
        information = (
            x.T @ x.multiply(expected[:, None]) - means.T @ means.multiply(n[:, None])
        ).toarray()
        information[np.diag_indices_from(information)] += penalty
        if not _identified(information):
            return None
        step = np.linalg.solve(information, gradient)
        if step @ gradient < 1e-9:
            break
        size = min(1.0, 5 / np.abs(step).max())
        while True:
            p_new, new = shares(b + size * step)
            if new >= value - 1e-12 or size < 1e-6:
                break
            size /= 2
        b, p, value = b + size * step, p_new, new
        if abs(b[0]) > FAR:
            return None
    scores = sparse.csr_matrix(x.multiply((y - n[customer] * p)[:, None]))
    to_first = np.linalg.solve(information, np.eye(x.shape[1])[:, 0])
    return _Fit(b, np.asarray(people @ (scores @ to_first)).ravel(), value)


def _identified(information: Floats) -> bool:
    """Whether the first column varies beyond what the others explain."""
    own = information[0, 0]
    if own <= 0:
        return False
    if len(information) == 1:
        return True
    beside = information[1:, 0]
    left = own - beside @ np.linalg.solve(information[1:, 1:], beside)
    return bool(left / own > IDENTIFIED)


def _together(
    decay: Floats,
    fit: Floats,
    influence: list[Floats | None],
    confidence: float,
    seed: int,
) -> Decay:
    """Errors, and how many of them reach so far that all intervals hold together."""
    bounded = [one for one in influence if one is not None]
    clusters = len(bounded[0]) if bounded else 0
    widen = np.sqrt(clusters / (clusters - 1)) if clusters > 1 else np.nan
    error = np.array(
        [np.nan if one is None else widen * np.sqrt(np.sum(one**2)) for one in influence]
    )
    return Decay(decay, error, fit, confidence, _critical(bounded, confidence, seed))


def _critical(influence: list[NDArray[np.float64]], confidence: float, seed: int) -> float:
    if len(influence) < 2:
        return float(norm.ppf((1 + confidence) / 2))
    spread = np.array(influence)
    alike = spread @ spread.T
    scale = np.sqrt(np.diag(alike))
    root = np.linalg.svd(alike / np.outer(scale, scale), hermitian=True)
    factor = root[0] * np.sqrt(root[1])
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, len(spread))) @ factor.T
    return float(np.quantile(np.abs(drawn).max(axis=1), confidence))


def _column(values: Floats) -> sparse.csr_matrix:
    return sparse.csr_matrix(values[:, None])


def _dummies(campaign: NDArray[np.int64]) -> sparse.csr_matrix:
    """A column per campaign but the commonest."""
    n = np.bincount(campaign)
    columns = sparse.csr_matrix(
        (np.ones(len(campaign)), (np.arange(len(campaign)), campaign)),
        shape=(len(campaign), len(n)),
    )
    return columns[:, np.flatnonzero(np.arange(len(n)) != n.argmax())]
