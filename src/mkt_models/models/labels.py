"""What is predicted, for whom and from when: cohorts, labels and rolling origins.

A label looks in ``[as_of, as_of + horizon)``, a feature strictly before ``as_of``. A model that is
tested at a date has been trained only on cutoffs whose whole horizon had passed by then.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection
from mkt_models.params import Cutoffs
from mkt_models.profiles.features import features_at


class LabelError(ValueError):
    """Labels cannot be known, or tell nothing; the message says why."""


@dataclass(frozen=True)
class Origin:
    """One test of a backtest: the cutoffs to train on, and the cutoff to predict."""

    train: tuple[date, ...]
    test: date


def rolling_origins(cutoffs: Cutoffs) -> list[Origin]:
    """One origin per test cutoff, oldest first; training horizons end by the test cutoff."""
    days, horizon = cutoffs.dates(), timedelta(days=cutoffs.horizon_days)
    return [Origin(tuple(d for d in days if d + horizon <= test), test) for test in cutoffs.tests()]


def labels_at(con: Connection, cutoffs: Cutoffs) -> pd.DataFrame:
    """Label the cohort of every cutoff.

    The cohort of a cutoff is every customer with an order in the ``active_days`` before it.

    Returns
    -------
    pandas.DataFrame
        One row per customer and ``as_of``: ``churned`` (1 when there is no order in the horizon,
        else 0) and ``spend`` (in the horizon, currency units).

    Raises
    ------
    LabelError
        When a horizon reaches beyond the data.

    """
    first, last = con.execute("SELECT min(local_date), max(local_date) FROM orders").fetchall()[0]
    end = cutoffs.last + timedelta(days=cutoffs.horizon_days)
    if last is None or end > last + timedelta(days=1):
        raise LabelError(
            f"the horizon of cutoff {cutoffs.last} ends on {end}, but the data ends on {last}; "
            "move `last` back or shorten `horizon_days`"
        )
    if cutoffs.first <= first:
        raise LabelError(
            f"the first cutoff is {cutoffs.first}, but the data only begins on {first}; "
            "move `first` ahead"
        )
    values = ", ".join(f"(DATE '{day}')" for day in cutoffs.dates())
    frame = con.execute(
        f"""
        WITH dates AS (SELECT * FROM (VALUES {values}) AS v(as_of)), cohort AS (
            SELECT DISTINCT o.customer_id, d.as_of
            FROM orders AS o JOIN dates AS d ON o.local_date < d.as_of
             AND DATEDIFF('day', o.local_date, d.as_of) <= {cutoffs.active_days}
        ), ahead AS (
            SELECT o.customer_id, d.as_of, count(*) AS n, sum(o.amount_cents) AS cents
            FROM orders AS o JOIN dates AS d ON o.local_date >= d.as_of
             AND DATEDIFF('day', d.as_of, o.local_date) < {cutoffs.horizon_days}
            GROUP BY o.customer_id, d.as_of
        )
        SELECT c.customer_id, c.as_of,
               CASE WHEN a.n IS NULL THEN 1 ELSE 0 END AS churned,
               COALESCE(a.cents, 0) / 100.0 AS spend
        FROM cohort AS c
        LEFT JOIN ahead AS a ON a.customer_id = c.customer_id AND a.as_of = c.as_of
        ORDER BY c.as_of, c.customer_id"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def dataset(con: Connection, cutoffs: Cutoffs, label: str) -> pd.DataFrame:
    """Features and label of every cohort: one row per customer and ``as_of``.

    ``label`` is ``churned`` or ``spend``; it comes back as ``target``. Needs the clean views and
    ``features.prepare_orders``.
    """
    labels = labels_at(con, cutoffs)[[CUSTOMER_ID, AS_OF, label]].rename(columns={label: "target"})
    features = features_at(con, cutoffs.dates())
    return labels.merge(features, on=[CUSTOMER_ID, AS_OF], validate="one_to_one")
