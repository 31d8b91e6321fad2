"""What a customer buys next: own favourites first, filled up with what is popular.

The classical recommender for groceries ranks a customer's products by their frequency, decayed
with time, and fills up with popular ones. Here that score is the main input of a logistic
regression which also knows how recent, how usual for the customer and how much in season a product
is. It is fitted on earlier windows, its answer is the probability that the customer buys the
product in the next days, and the products are ranked by it: one number to rank and to show.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd

from mkt_models.columns import Shelf
from mkt_models.engine import DuckDB
from mkt_models.mining.candidates import POPULAR_DAYS, candidates_sql
from mkt_models.mining.purchase_model import PurchaseModel, fit_purchase_model
from mkt_models.mining.selection import Selection
from mkt_models.params import Mining

BUY_AGAIN = Shelf.BUY_AGAIN.value
POPULAR = Shelf.POPULAR.value

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


def recommend(
    con: DuckDB, as_of: date, mining: Mining, model: PurchaseModel | None = None
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
        half-life, number of items, how many of them new or of one category, horizon of the
        probability, and what is never recommended (besides products without a type, if others
        have one)
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
        ``product_type`` is the product's id in a shop without product types. A customer has fewer
        rows only where the shop has fewer products to recommend, or ``max_per_category`` leaves
        fewer.

    """
    model = model or fit_purchase_model(con, as_of, mining)
    rows = con.execute(f"{recommend_sql(as_of, mining, model)} ORDER BY customer_id, rank").df()
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


def recommend_sql(as_of: date, mining: Mining, model: PurchaseModel) -> str:
    """Write the query behind :func:`recommend`, for a shop too large for a table in memory.

    One row per customer and ``rank``; its columns without ``shelf`` and words.
    """
    scored = f"""
        SELECT customer_id, product_id, coalesce(product_type, product_id) AS product_type,
            category, times_bought, times_bought_90d, days_since_last, score,
            mean_amount_cents / 100.0 AS mean_amount, popular_rank, popular_share,
            CASE WHEN times_bought > 0 THEN 0 ELSE 1 END AS is_new,
            {model.sql()} AS probability
        FROM ({candidates_sql(as_of, mining)}) AS c WHERE recommendable
        """
    return Selection.of(mining).sql(scored, PROBABLE)


# How the most probable product comes first; ties end at the product id.
PROBABLE = "round(probability, 9) DESC, popular_rank NULLS LAST, product_id"


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
            words = popular_words([share])
            en.append(words[0][0])
            zh.append(words[1][0])
    return en, zh


def popular_words(shares: Iterable[float]) -> tuple[list[str], list[str]]:
    """Say which share of customers bought a product lately, in English and Chinese."""
    en: list[str] = []
    zh: list[str] = []
    for share in shares:
        few = share < 0.01
        of_100, of_100_zh = ("fewer than 1", "不到1") if few else (f"{share * 100:.0f}",) * 2
        en.append(f"bought by {of_100} of 100 customers in {POPULAR_DAYS} days")
        zh.append(f"近{POPULAR_DAYS}天每100位顾客中有{of_100_zh}位购买")
    return en, zh
