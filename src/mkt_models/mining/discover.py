"""The shelf "discover": products that a customer has never bought and may like."""

from datetime import date

import pandas as pd

from mkt_models.columns import Shelf
from mkt_models.engine import DuckDB
from mkt_models.mining.discover_candidates import discover_sql
from mkt_models.mining.purchase_model import (
    NothingToLearn,
    PurchaseModel,
    fit_discover_model,
)
from mkt_models.mining.recommend import RECOMMENDATION_COLUMNS, popular_words
from mkt_models.mining.selection import Selection
from mkt_models.params import Mining

DISCOVER = Shelf.DISCOVER.value

# How the most probable product comes first; ties end at the product id.
PROBABLE = "round(probability, 9) DESC, popular_rank, product_id"


def discover(
    con: DuckDB,
    as_of: date,
    mining: Mining,
    shown: pd.DataFrame,
    model: PurchaseModel | None = None,
) -> pd.DataFrame:
    """Find ``n_discover`` products for every customer that are new to the customer.

    Parameters
    ----------
    con
        with the clean ``transactions`` and ``products``
    as_of
        everything looks strictly before this local day
    mining
        how many items, of one category at most ``discover_per_category``
    shown
        the customers' other recommendations (:func:`mkt_models.mining.recommend.recommend`):
        nothing on them is found again, and ranks go on after theirs
    model
        fitted for ``as_of`` or earlier; fitted here when not given

    Returns
    -------
    DataFrame
        One row per customer and rank, columns as in the other recommendations; ``shelf`` is
        ``discover``. ``probability`` is the chance that the customer buys the product in the next
        ``backtest_days`` days, predicted. ``score`` is 0: the customer never bought it.
        Fewer rows where the shop has no more to show, and none where everybody has bought
        everything, or nothing can be learned of what is bought for the first time.

    """
    if not mining.n_discover:
        return shown.head(0).reindex(columns=list(RECOMMENDATION_COLUMNS))
    try:
        model = model or fit_discover_model(con, as_of, mining)
    except NothingToLearn:
        return shown.head(0).reindex(columns=list(RECOMMENDATION_COLUMNS))
    con.register("discover_shown", shown[["customer_id", "product_id"]])
    rows = con.execute(
        f"""
        SELECT l.*, b.product_type AS because_type FROM (
            {discover_list_sql(as_of, mining, model, "discover_shown")}) AS l
        LEFT JOIN products AS b ON l.because = b.product_id
        ORDER BY l.customer_id, l.rank
        """
    ).df()
    con.unregister("discover_shown")
    last = shown.groupby("customer_id")["rank"].max()
    because = rows["because_type"].fillna(rows["because"])
    words = [
        _words(str(why), str(own)) if isinstance(why, str) else popular
        for why, own, popular in zip(
            because,
            rows["product_type"],
            zip(*popular_words(rows["popular_share"]), strict=True),
            strict=True,
        )
    ]
    return rows.assign(
        shelf=DISCOVER,
        score=0.0,
        times_bought_90d=0,
        days_since_last=pd.array([pd.NA] * len(rows), dtype="Int64"),
        rank=rows["rank"].astype("int64") + rows["customer_id"].map(last).fillna(0).astype("int64"),
        mean_amount=rows["mean_amount"].round(2),
        en=[en for en, _ in words],
        zh=[zh for _, zh in words],
    ).loc[:, list(RECOMMENDATION_COLUMNS)]


def discover_list_sql(
    as_of: date, mining: Mining, model: PurchaseModel, shown: str | None = None
) -> str:
    """Write the query behind :func:`discover`; ``shown`` is a table of what to leave out."""
    left_out = (
        ""
        if shown is None
        else f"""
        LEFT JOIN {shown} AS s ON c.customer_id = s.customer_id AND c.product_id = s.product_id
        WHERE s.product_id IS NULL"""
    )
    scored = f"""
        SELECT c.customer_id, c.product_id, coalesce(c.product_type, c.product_id) AS product_type,
            c.category, c.mean_amount_cents / 100.0 AS mean_amount, c.popular_rank,
            c.popular_share, c.because, 1 AS is_new, {model.sql()} AS probability
        FROM ({discover_sql(as_of, mining)}) AS c{left_out}
        """
    return Selection.discover(mining).sql(scored, PROBABLE)


def _words(why: str, own: str) -> tuple[str, str]:
    """Say that the customer's favourite ``why`` led to a product of the type ``own``."""
    name = why.lower()
    if why == own:
        return f"new to you; another of the {name} that you buy", f"您尚未买过；同属您常买的{name}"
    return (
        f"new to you; those who buy {name}, as you do, often buy it",
        f"您尚未买过；和您一样常买{name}的顾客也常买",
    )
