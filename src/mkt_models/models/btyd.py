"""Buy-till-you-die peers: BG/NBD for purchases to come, Gamma-Gamma for their amount.

Fader, Hardie, Lee (2005), "Counting your customers the easy way", Marketing Science 24(2);
Fader, Hardie (2013), "The Gamma-Gamma model of monetary value". A customer is summarised by

``frequency``
    shopping days after the first one
``recency``
    time from the first to the last shopping day
``age``
    time from the first shopping day to ``as_of``, in the same unit as ``recency``
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, hyp2f1

from mkt_models.engine import Connection

Array = npt.NDArray[np.float64]
_NUDGE = 1e-6


class FitError(RuntimeError):
    """The likelihood could not be maximised; the message says of what."""


@dataclass(frozen=True)
class BgNbd:
    """Fitted BG/NBD: purchase rates are Gamma(r, alpha), drop-outs Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def probability_of_none(
        self, frequency: Array, recency: Array, age: Array, horizon: float
    ) -> Array:
        """P(no purchase in the next ``horizon``), per customer.

        Either the customer has dropped out, or is alive and buys nothing in the horizon.
        """
        quiet = ((self.alpha + age) / (self.alpha + age + horizon)) ** (self.r + frequency)
        return np.asarray(1 - self.probability_alive(frequency, recency, age) * (1 - quiet))

    def probability_alive(self, frequency: Array, recency: Array, age: Array) -> Array:
        """P(not yet dropped out); 1 by construction for customers who bought once."""
        x = np.maximum(frequency, 1)
        silence = np.log((self.alpha + age) / (self.alpha + recency))
        log_odds = np.log(self.a / (self.b + x - 1)) + (self.r + frequency) * silence
        return np.asarray(np.where(frequency > 0, expit(-log_odds), 1.0))

    def expected_purchases(
        self, frequency: Array, recency: Array, age: Array, horizon: float
    ) -> Array:
        """Expected shopping days in the next ``horizon``, per customer."""
        r, alpha, x = self.r, self.alpha, frequency
        # the formula divides by a - 1 and a + b - 1, where its limit is finite: keep beside them
        a = self.a if abs(self.a - 1) > _NUDGE else 1 + _NUDGE
        b = self.b if abs(a + self.b - 1) > _NUDGE else 1 - a + _NUDGE
        shrink = ((alpha + age) / (alpha + age + horizon)) ** (r + x)
        series = hyp2f1(r + x, b + x, a + b + x - 1, horizon / (alpha + age + horizon))
        ahead = (a + b + x - 1) / (a - 1) * (1 - shrink * series)
        return np.asarray(ahead * self.probability_alive(frequency, recency, age))


@dataclass(frozen=True)
class GammaGamma:
    """Fitted Gamma-Gamma: amounts per purchase are Gamma(p, nu), nu is Gamma(q, v)."""

    p: float
    q: float
    v: float

    def expected_amount(self, frequency: Array, mean_amount: Array) -> Array:
        """Expected amount of a purchase; without repeat purchases, that of everybody."""
        x, m = frequency, np.where(frequency > 0, mean_amount, 0.0)
        return np.asarray(self.p * (self.v + x * m) / (self.p * x + self.q - 1))


def fit_bg_nbd(frequency: Array, recency: Array, age: Array) -> BgNbd:
    """Fit BG/NBD by maximum likelihood to one row per customer."""
    scale = float(age.max()) / 10  # the likelihood is flat in alpha when times are large
    t_x, t = recency / scale, age / scale
    positive = frequency > 0

    def loss(log_theta: Array) -> float:
        r, alpha, a, b = np.exp(log_theta)
        common = (
            gammaln(r + frequency)
            - gammaln(r)
            + r * np.log(alpha)
            + betaln(a, b + frequency)
            - betaln(a, b)
        )
        alive = -(r + frequency) * np.log(alpha + t)
        gone = np.where(
            positive,
            np.log(a)
            - np.log(b + np.maximum(frequency, 1) - 1)
            - (r + frequency) * np.log(alpha + t_x),
            -np.inf,
        )
        return -float(np.sum(common + np.logaddexp(alive, gone)))

    theta, value = _minimise(loss, 4, "BG/NBD")
    r, alpha, a, b = theta
    # back from scaled time: a density per purchase carries one factor of the scale
    return BgNbd(r, alpha * scale, a, b, -value - float(frequency.sum() * np.log(scale)))


def fit_gamma_gamma(frequency: Array, mean_amount: Array) -> GammaGamma:
    """Fit Gamma-Gamma to customers with repeat purchases and an amount above zero.

    Raises FitError for too few of them, or amounts so unequal (q <= 1) that they have no mean.
    """
    use = (frequency > 0) & (mean_amount > 0)
    x, m = frequency[use], mean_amount[use]
    if len(x) < 10:
        raise FitError(f"Gamma-Gamma: {len(x)} customers with repeat purchases, must be >= 10")

    def loss(log_theta: Array) -> float:
        p, q, v = np.exp(log_theta)
        return -float(
            np.sum(
                gammaln(p * x + q)
                - gammaln(p * x)
                - gammaln(q)
                + q * np.log(v)
                + (p * x - 1) * np.log(m)
                + p * x * np.log(x)
                - (p * x + q) * np.log(x * m + v)
            )
        )

    (p, q, v), _ = _minimise(loss, 3, "Gamma-Gamma")
    if q <= 1:
        raise FitError(f"Gamma-Gamma: q == {q:.3g}, must be > 1 for amounts to have a mean")
    return GammaGamma(p, q, v)


def summaries(con: Connection, as_of: pd.Timestamp) -> pd.DataFrame:
    """Summarise every customer before ``as_of``: one row per customer, times in days.

    ``frequency``, ``recency``, ``age``, and ``mean_amount`` of the repeat shopping days (currency
    units, missing without any). Needs ``features.prepare_orders``.
    """
    day = f"DATE '{as_of.date()}'"
    return con.execute(
        f"""
        WITH days AS (
            SELECT customer_id, local_date, sum(amount_cents) / 100.0 AS amount,
                   min(local_date) OVER (PARTITION BY customer_id) AS first_date
            FROM orders WHERE local_date < {day} GROUP BY customer_id, local_date
        )
        SELECT customer_id, CAST(count(*) - 1 AS DOUBLE) AS frequency,
               CAST(DATEDIFF('day', min(first_date), max(local_date)) AS DOUBLE) AS recency,
               CAST(DATEDIFF('day', min(first_date), {day}) AS DOUBLE) AS age,
               avg(CASE WHEN local_date > first_date THEN amount END) AS mean_amount
        FROM days GROUP BY customer_id ORDER BY customer_id"""
    ).df()


def _minimise(loss: Callable[[Array], float], n: int, name: str) -> tuple[tuple[float, ...], float]:
    best = None
    for start in (0.0, -1.0, 1.0):
        found = minimize(
            loss,
            np.full(n, start),
            method="Nelder-Mead",
            options={"maxiter": 5000, "maxfev": 5000, "xatol": 1e-4, "fatol": 1e-4},
        )
        if np.isfinite(found.fun) and (best is None or found.fun < best.fun):
            best = found
    if best is None or not best.success:
        raise FitError(f"{name}: the likelihood has no maximum that could be found")
    return tuple(float(v) for v in np.exp(best.x)), float(best.fun)
