"""How probable it is that a customer buys a candidate product in the next days.

A logistic regression over what is known of the pair, fitted on earlier windows: one number to
rank by and to show. There is one for the products of the usual list, and one for those that are
new to the customer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mkt_models.engine import DuckDB
from mkt_models.mining import candidates, discover_candidates
from mkt_models.mining.candidates import Feature
from mkt_models.params import Mining

# Windows that a model learns from, one after the other, the last ending at its date.
TRAINING_WINDOWS = 3
DISCOVER_WINDOWS = 2

# More customers do not change a dozen coefficients; chosen by a hash of their id.
TRAINING_CUSTOMERS = 5000

Query = Callable[[date, Mining, int | None, int | None], str]


class NothingToLearn(ValueError):
    """The data before a date do not tell what is bought next."""


@dataclass(frozen=True)
class PurchaseModel:
    """P(the customer buys the product in the next ``horizon_days``), as a logistic regression.

    ``weights`` has one coefficient per entry of the candidates' ``FEATURES``, on the feature as it
    is (not standardised). ``cutoffs`` are the dates it learned from; the last label window ends
    at the date that it was fitted for.
    """

    intercept: float
    weights: Mapping[str, float]
    horizon_days: int
    cutoffs: tuple[date, ...]
    n_rows: int

    def sql(self) -> str:
        """Write the probability as SQL over the features of a candidate."""
        terms = " ".join(f"+ ({weight!r}) * {name}" for name, weight in self.weights.items())
        return f"1.0 / (1.0 + exp(-(({self.intercept!r}) {terms})))"


def fit_purchase_model(con: DuckDB, as_of: date, mining: Mining) -> PurchaseModel:
    """Fit the model of the usual list on windows of ``backtest_days`` that end by ``as_of``.

    Nothing on or after ``as_of`` is looked at.

    Raises
    ------
    NothingToLearn
        A ValueError: when the data before ``as_of`` are too short for one window with as many
        days of history before it, or nothing or everything was bought in these windows.

    """
    return _fit(
        con, as_of, mining, candidates.FEATURES, candidates.candidates_sql, TRAINING_WINDOWS
    )


def fit_discover_model(con: DuckDB, as_of: date, mining: Mining) -> PurchaseModel:
    """Fit the model of what is new to the customer, as :func:`fit_purchase_model` does."""
    return _fit(
        con,
        as_of,
        mining,
        discover_candidates.FEATURES,
        discover_candidates.discover_sql,
        DISCOVER_WINDOWS,
    )


def _fit(
    con: DuckDB,
    as_of: date,
    mining: Mining,
    features: Mapping[str, Feature],
    query: Query,
    windows: int,
) -> PurchaseModel:
    days = mining.backtest_days
    first = _first_day(con, as_of)
    cutoffs = tuple(
        cutoff
        for i in range(windows, 0, -1)
        if (cutoff := as_of - timedelta(days=days * i)) - timedelta(days=days) >= first
    )
    if not cutoffs:
        raise NothingToLearn(
            f"transactions before {as_of} begin on {first}: too short to learn from, needs "
            f"2 x backtest_days == {2 * days} days; lower mining.backtest_days or move as_of"
        )
    columns = ", ".join(features)
    rows = pd.concat(
        [
            con.execute(
                f"""
                SELECT {columns}, bought
                FROM ({query(cutoff, mining, days, TRAINING_CUSTOMERS)}) AS c
                ORDER BY customer_id, product_id
                """
            ).df()
            for cutoff in cutoffs
        ],
        ignore_index=True,
    )
    if rows["bought"].nunique() < 2:
        raise NothingToLearn(
            f"no candidate, or every candidate, was bought in the windows from {cutoffs[0]} to "
            f"{as_of}: nothing to learn; is there data in these days?"
        )
    scaler = StandardScaler()
    logistic = LogisticRegression(solver="newton-cholesky", max_iter=200)
    make_pipeline(scaler, logistic).fit(rows[list(features)].to_numpy(float), rows["bought"])
    raw = logistic.coef_[0] / scaler.scale_
    return PurchaseModel(
        intercept=float(logistic.intercept_[0] - raw @ scaler.mean_),
        weights={name: float(w) for name, w in zip(features, raw, strict=True)},
        horizon_days=days,
        cutoffs=cutoffs,
        n_rows=len(rows),
    )


def _first_day(con: DuckDB, as_of: date) -> date:
    found = con.execute(
        f"SELECT min(local_date) FROM transactions WHERE local_date < DATE '{as_of.isoformat()}'"
    ).fetchall()[0][0]
    if found is None:
        raise ValueError(f"no transactions before {as_of}; move as_of into the data")
    return date.fromisoformat(str(found)[:10])
