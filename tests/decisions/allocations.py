"""Problems of allocation, small enough to be solved by looking."""

from dataclasses import replace

import numpy as np

from mkt_models.decisions.options import Options


def options(*rows: tuple[int, int, float, tuple[float, ...]]) -> Options:
    """Customer, family, worth, and what is taken of each budget."""
    customer, family, worth, uses = zip(*rows, strict=True)
    return Options(
        np.array(customer, dtype=np.intp),
        np.array(family, dtype=np.intp),
        np.array(worth, dtype=np.float64),
        np.array(uses, dtype=np.float64),
        np.arange(len(rows)),
    )


def drawn(seed: int, customers: int, most: int, budgets: int, tied: bool) -> tuple[Options, object]:
    """Draw a problem: customers with 1 to ``most`` options, some worth nothing or alike."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most + 1, customers)
    customer = np.repeat(np.arange(customers), sizes)
    n = len(customer)
    family = rng.integers(0, 3, n)
    order = np.lexsort((family, customer))
    worth = rng.integers(-1, 4, n).astype(float) if tied else rng.lognormal(0, 1, n) - 0.3
    uses = rng.choice([0.0, 0.0, 0.5, 1.0, 2.5], (6, budgets))
    found = Options(customer, family[order], worth, uses, rng.integers(0, 6, n))
    return found, rng.uniform(0, 0.6, budgets) * customers * rng.integers(0, 2, budgets)


def with_fall_backs(some: Options, seed: int, share: float = 0.4) -> Options:
    """Make some of the options fall-backs."""
    alone = np.random.default_rng(seed).random(len(some.worth)) < share
    return replace(some, alone=alone)
