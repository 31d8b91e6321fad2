"""What a customer will do, given what drives them: formulas that nothing is fitted to.

A customer who is alive orders at rate ``rate`` and drops out at rate ``drop_rate``, both per day
of shop time. Over a stretch ``ahead`` of shop time:

- the first completed order comes before the drop-out and before the end with probability
  ``rate / (rate + drop_rate) * (1 - exp(-(rate + drop_rate) * ahead))``;
- the expected number of orders is ``rate * (1 - exp(-drop_rate * ahead)) / drop_rate``.

Whoever has dropped out orders nothing. Thinned processes (orders that are completed, that redeem
a coupon) have their rate times the probability; see Schmittlein, Morrison, Colombo (1987).
"""

import numpy as np

from mkt_models.simulation.catalogue import Catalogue
from mkt_models.simulation.population import STYLE_MORE_LINES, Population
from mkt_models.simulation.randomness import Bools, Floats

MORE_PIECES = 0.25  # mean pieces of a line beyond the first
LOYALTY_DISCOUNTS = (0.10, 0.20, 0.30)


def p_any(rate: Floats, drop_rate: Floats, alive: Bools, ahead: float) -> Floats:
    """Probability of at least one event of the rate.

    >>> p_any(np.array([0.0, 5.0, 5.0]), np.full(3, 1e-9), np.array([1, 1, 0]) > 0, 10.0).round(3)
    array([0., 1., 0.])
    """
    both = rate + drop_rate
    return np.where(alive, rate / both * -np.expm1(-both * ahead), 0.0)


def expected_count(rate: Floats, drop_rate: Floats, alive: Bools, ahead: float) -> Floats:
    """Expected events of the rate before the drop-out.

    >>> expected_count(np.array([2.0]), np.array([1e-9]), np.array([True]), 10.0).round(3)
    array([20.])
    """
    return np.where(alive, rate * -np.expm1(-drop_rate * ahead) / drop_rate, 0.0)


def expected_order_cents(population: Population, catalogue: Catalogue) -> Floats:
    """Expected amount of a completed order without a coupon: lines x pieces x price - discount."""
    lines = 1 + np.array(STYLE_MORE_LINES)[population.style]
    shelf = (population.interests * catalogue.line_cents[population.taste]).sum(axis=1)
    saved = population.discounts * float(np.mean(LOYALTY_DISCOUNTS))
    return np.asarray(lines * (1 + MORE_PIECES) * shelf * (1 - saved))


def p_types(population: Population, catalogue: Catalogue) -> Floats:
    """Probability that one line of the customer is of each of the complements' two types.

    Shape ``(2, pairs, customers)``: the type that is bought, and the one that comes with it.
    """
    shares = catalogue.type_shares.reshape(9, -1, len(catalogue.types))
    taste = population.taste
    out = np.zeros((2, len(catalogue.complements), population.size))
    for pair, (first, second, _) in enumerate(catalogue.complements):
        for which, number in enumerate((first, second)):
            topic = catalogue.types[number][0]
            out[which, pair] = population.interests[:, topic] * shares[taste, topic, number]
    return out


def p_together(population: Population, catalogue: Catalogue) -> Floats:
    """Probability that an order holds the first type, the second, and both, per complement.

    Shape ``(3, pairs, customers)``. An order has one line and Poisson(b) more; each is of the
    first type with probability a, of the second with probability c, and a line of the first brings
    the second with probability p. ``P(no line of kind x) = (1 - x) exp(-b x)`` for a kind of line
    of probability x.
    """
    more = np.array(STYLE_MORE_LINES)[population.style]
    first, second = p_types(population, catalogue)
    brings = np.array([p for _, _, p in catalogue.complements])[:, None]

    def none(x: Floats) -> Floats:
        return (1 - x) * np.exp(-more * x)

    no_first, no_second = none(first), none(second + brings * first)
    neither = none(first + second)
    return np.array([1 - no_first, 1 - no_second, 1 - no_first - no_second + neither])
