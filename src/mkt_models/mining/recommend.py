"""What a customer buys next: own favourites first, filled up with what is popular.

The classical recommender for groceries ranks a customer's products by their frequency, decayed
with time, and fills up with popular ones. Here that score is the main input of a logistic
regression which also knows how recent, how usual for the customer and how much in season a product
is. It is fitted on earlier windows, its answer is the probability that the customer buys the
product in the next days, and the products are ranked by it: one number to rank and to show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mkt_models.engine import Connection
from mkt_models.mining.candidates import FEATURES, POPULAR_DAYS, candidates_sql
from mkt_models.params import Mining

BUY_AGAIN = "buy_again"
POPULAR = "popular"

# Windows that the model learns from, one after the other, the last ending at its date.
TRAINING_WINDOWS = 3

# More customers do not change a dozen coefficients; chosen by a hash of their id.
TRAINING_CUSTOMERS = 5000

RECOMMENDATION_COLUMNS = (
    "customer_id",
    "rank",
    "product_id",
    "product_type",
    "category",
    "shelf",
    "score",
    "probability",
    "mean_amount",
    "times_bought_90d",
    "days_since_last",
    "en",
    "zh",
)


@dataclass(frozen=True)
class PurchaseModel:
    """P(the customer buys the product in the next ``horizon_days``), as a logistic regression.

    ``weights`` has one coefficient per entry of ``FEATURES``, on the feature as it is (not
    standardised). ``cutoffs`` are the dates it learned from; the last label window ends at the
    date that it was fitted for.
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


def fit_purchase_model(con: Connection, as_of: date, mining: Mining) -> PurchaseModel:
    """Fit the purchase model on windows of ``backtest_days`` that end on or before ``as_of``.

    Nothing on or after ``as_of`` is looked at.

    Raises
    ------
    ValueError
        When the data before ``as_of`` are too short for one window with as many days of history
        before it, or nothing or everything was bought in these windows.

    """
    days = mining.backtest_days
    first = _first_day(con, as_of)
    cutoffs = tuple(
        cutoff
        for i in range(TRAINING_WINDOWS, 0, -1)
        if (cutoff := as_of - timedelta(days=days * i)) - timedelta(days=days) >= first
    )
    if not cutoffs:
        raise ValueError(
            f"transactions before {as_of} begin on {first}: too short to learn from, needs "
            f"2 x backtest_days == {2 * days} days; lower mining.backtest_days or move as_of"
        )
    columns = ", ".join(FEATURES)
    rows = pd.concat(
        [
            con.execute(
                f"""
                SELECT {columns}, bought FROM ({candidates_sql(cutoff, mining, days)}) AS c
                WHERE customer_id IN (
                    SELECT customer_id FROM (SELECT DISTINCT customer_id FROM transactions) AS t
                    ORDER BY md5(customer_id) LIMIT {TRAINING_CUSTOMERS})
                ORDER BY customer_id, product_id
                """
            ).df()
            for cutoff in cutoffs
        ],
        ignore_index=True,
    )
    if rows["bought"].nunique() < 2:
        raise ValueError(
            f"no candidate, or every candidate, was bought in the windows from {cutoffs[0]} to "
            f"{as_of}: nothing to learn; is there data in these days?"
        )
    scaler = StandardScaler()
    logistic = LogisticRegression(solver="newton-cholesky", max_iter=200)
    make_pipeline(scaler, logistic).fit(rows[list(FEATURES)].to_numpy(float), rows["bought"])
    raw = logistic.coef_[0] / scaler.scale_
    return PurchaseModel(
        intercept=float(logistic.intercept_[0] - raw @ scaler.mean_),
        weights={name: float(w) for name, w in zip(FEATURES, raw, strict=True)},
        horizon_days=days,
        cutoffs=cutoffs,
        n_rows=len(rows),
    )


def recommend(
    con: Connection, as_of: date, mining: Mining, model: PurchaseModel | None = None
) -> pd.DataFrame:
    """Recommend ``n_items`` products to every customer with an order before ``as_of``.

    One row per customer and rank, the most probable first.

    Parameters
    ----------
    con
        with the clean ``transactions`` and ``products``
    as_of
        everything looks strictly before this local day
    mining
        half-life, number of items, horizon of the probability, and what is never recommended
        (besides products without a type)
    model
        fitted for ``as_of`` or earlier; fitted here when not given

    Returns
    -------
    DataFrame
        ``shelf`` is ``buy_again`` for a product that the customer bought before, else
        ``popular``. ``score`` is the customer's own decayed frequency, 0 on the shelf
        ``popular``. ``probability`` is the chance that the customer buys the product in the next
        ``backtest_days`` days, predicted. ``mean_amount`` is in currency units per purchase.
        ``days_since_last`` is null on the shelf ``popular``. ``en`` and ``zh`` say why.
        A customer has fewer rows only where the shop has fewer products to recommend.

    """
    model = model or fit_purchase_model(con, as_of, mining)
    rows = con.execute(
        f"""
        SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY customer_id
                ORDER BY round(probability, 9) DESC, popular_rank NULLS LAST, product_id) AS rank
            FROM (
                SELECT customer_id, product_id, product_type, category, times_bought,
                    times_bought_90d, days_since_last, score, mean_amount_cents / 100.0
                    AS mean_amount, popular_rank, popular_share, {model.sql()} AS probability
                FROM ({candidates_sql(as_of, mining)}) AS c WHERE recommendable) AS scored
            ) AS ranked
        WHERE rank <= {mining.n_items}
        ORDER BY customer_id, rank
        """
    ).df()
    own = rows["times_bought"] > 0
    en, zh = _words(rows, as_of)
    return rows.assign(
        shelf=np.where(own, BUY_AGAIN, POPULAR),
        days_since_last=rows["days_since_last"].astype("Int64"),
        times_bought_90d=rows["times_bought_90d"].astype("int64"),
        rank=rows["rank"].astype("int64"),
        mean_amount=rows["mean_amount"].round(2),
        en=en,
        zh=zh,
    ).loc[:, list(RECOMMENDATION_COLUMNS)]


def _first_day(con: Connection, as_of: date) -> date:
    found = con.execute(
        f"SELECT min(local_date) FROM transactions WHERE local_date < DATE '{as_of.isoformat()}'"
    ).fetchall()[0][0]
    if found is None:
        raise ValueError(f"no transactions before {as_of}; move as_of into the data")
    return date.fromisoformat(str(found)[:10])


def _words(rows: pd.DataFrame, as_of: date) -> tuple[list[str], list[str]]:
    """Say why; the last purchase by its date, for an answer is read days after the profile."""
    en: list[str] = []
    zh: list[str] = []
    for times, lately, days, share in zip(
        rows["times_bought"],
        rows["times_bought_90d"],
        rows["days_since_last"],
        rows["popular_share"],
        strict=True,
    ):
        if times:
            count, within = (lately, True) if lately else (times, False)
            often = "once" if count == 1 else "twice" if count == 2 else f"{count} times"
            last = (as_of - timedelta(days=int(days))).isoformat()
            en.append(f"bought {often}{' in 90 days' if within else ''}, last on {last}")
            zh.append(f"{'近90天' if within else '曾'}购买{count}次，最近一次在{last}")
        else:
            of_100 = "fewer than 1" if share < 0.01 else f"{share * 100:.0f}"
            of_100_zh = "不到1" if share < 0.01 else f"{share * 100:.0f}"
            en.append(f"bought by {of_100} of 100 customers in {POPULAR_DAYS} days")
            zh.append(f"近{POPULAR_DAYS}天每100位顾客中有{of_100_zh}位购买")
    return en, zh
