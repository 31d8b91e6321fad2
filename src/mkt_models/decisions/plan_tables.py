"""A plan of budgets as tables: the shadow prices, and what looser or tighter budgets would bring.

Module of the notebooks: it needs pandas and SciPy, which the service does not carry. All amounts
are worths as decisions count them, in currency units; their kind stands in the tables.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mkt_models.decisions.allocation import allocate
from mkt_models.decisions.options import Ints
from mkt_models.decisions.plan import Plan

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


def price_table(found: Plan) -> pd.DataFrame:
    """One row per budget: amount, used, price per unit, kind, n and the customers on the margin."""
    names = ["budget", "resource", "amount", "period_days", "used", "price", "kind", "n"]
    return pd.DataFrame(found.rows())[[*names, "n_marginal"]]


def budget_curve(found: Plan, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """What all decisions together are worth when one budget is another and the rest stay.

    Returns
    -------
    DataFrame
        One row per budget and share of its amount: budget, share, amount, worth (currency units),
        of_chosen (share of what the budgets as they are bring; missing where that is nothing),
        kind, n (customers).

    """
    amounts = [price.budget.amount for price in found.prices]
    chosen = allocate(found.options, np.array(amounts), found.k).worth
    rows = []
    for column, price in enumerate(found.prices):
        for share in sorted(set(shares)):
            other = np.array(amounts)
            other[column] *= share
            worth = allocate(found.options, other, found.k).worth
            rows.append(
                {
                    "budget": price.budget.id,
                    "share": share,
                    "amount": other[column],
                    "worth": worth,
                    "of_chosen": worth / chosen if chosen > 0 else np.nan,
                    "kind": found.rows()[column]["kind"],
                    "n": found.options.customers,
                }
            )
    return pd.DataFrame(rows)


def who_gains(found: Plan, more: float = 0.1) -> pd.DataFrame:
    """Whom a looser budget would reach: one row per budget and strategy whose number changes.

    Parameters
    ----------
    found
        The plan.
    more
        By which share each budget is raised, one at a time.

    Returns
    -------
    DataFrame
        budget, more (units), worth (what it would bring in all, currency units), by_price (more x
        shadow price: an upper bound of that, up to the customers on the margin), strategy, before
        and after (answers with it), kind.

    """
    amounts = np.array([price.budget.amount for price in found.prices])
    base = allocate(found.options, amounts, found.k)
    before = _strategies(found, base.filled)
    rows = []
    for column, price in enumerate(found.prices):
        looser = amounts.copy()
        looser[column] *= 1 + more
        result = allocate(found.options, looser, found.k)
        after = _strategies(found, result.filled)
        for strategy in sorted(before.keys() | after.keys()):
            if before.get(strategy, 0) != after.get(strategy, 0):
                units = looser[column] - amounts[column]
                rows.append(
                    {
                        "budget": price.budget.id,
                        "more": units,
                        "worth": result.worth - base.worth,
                        "by_price": units * price.price,
                        "strategy": strategy,
                        "before": before.get(strategy, 0),
                        "after": after.get(strategy, 0),
                        "kind": found.rows()[column]["kind"],
                    }
                )
    names = ["budget", "more", "worth", "by_price", "strategy", "before", "after", "kind"]
    return pd.DataFrame(rows, columns=names)


def _strategies(found: Plan, chosen: Ints) -> dict[str, int]:
    names = [
        found.asked[who].scored[which].candidate.entry.id
        for who, which in (found.row_of[row] for row in chosen.tolist())
    ]
    return {name: names.count(name) for name in dict.fromkeys(names)}
