"""What variety costs, and how good the shelf "discover" is: both on the days held out.

The same window as in :mod:`mkt_models.mining.recommend_backtest`, [as_of - backtest_days, as_of),
and the same rule: what a list is made by has seen nothing of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.engine import DuckDB
from mkt_models.evaluation.curves import calibration_table
from mkt_models.mining.candidates import candidates_sql, recommendable_sql
from mkt_models.mining.discover import PROBABLE as MOST_PROBABLE_NEW
from mkt_models.mining.discover_candidates import discover_sql
from mkt_models.mining.list_metrics import judge, list_metrics
from mkt_models.mining.purchase_model import (
    NothingToLearn,
    PurchaseModel,
    fit_discover_model,
)
from mkt_models.mining.recommend import PROBABLE
from mkt_models.mining.selection import Selection
from mkt_models.params import Mining

FREE = "no limit"
POPULARITY = "popularity"
ITEM_TO_ITEM = "item to item"
DISCOVER_MODEL = "discover model"

NEW_SHARES = (0.1, 0.2, 0.3)
CATEGORY_LIMITS = (3, 2, 1)

CALIBRATION_BINS = 10


@dataclass(frozen=True)
class VarietyTest:
    """Lists judged on the days held out.

    Attributes
    ----------
    ranking
        one row per ranking and metric, as :func:`mkt_models.mining.list_metrics.judge` gives it
    variety
        one row per ranking, over everybody who gets a list: ``products`` (different ones shown to
        anybody), ``products_share`` (of the recommendable products bought in the 90 days before),
        ``categories`` (different ones per list, mean), ``new_items`` (per list, mean), and
        ``n_lists``
    calibration
        one row per bin of the model's probability among the items of its list, over everybody, as
        :func:`mkt_models.evaluation.curves.calibration_table` gives it
    metrics
        the same for metrics.json, under a name of its own
    model
        the model that made the lists; null where there was nothing to learn
    not_available
        empty, or why nothing could be tested: the tables are empty then

    """

    ranking: pd.DataFrame
    variety: pd.DataFrame
    calibration: pd.DataFrame
    metrics: dict[str, Any]
    model: PurchaseModel | None
    not_available: str = ""

    def headline(self, ranking: str, metric: str) -> str:
        """Say a figure with its gain, interval and n, or why there is none."""
        if self.not_available:
            return f"not available: {self.not_available}"
        rows = self.ranking
        row = rows[(rows["ranking"] == ranking) & (rows["metric"] == metric)].iloc[0]
        return (
            f"{row['value']:.3f}, {row['gain']:+.3f} "
            f"[{row['gain_lower']:+.3f}, {row['gain_upper']:+.3f}] against the most popular "
            f"(n = {row['n']:,.0f})"
        )


def price_of_variety(
    con: DuckDB,
    as_of: date,
    mining: Mining,
    model: PurchaseModel,
    *,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> VarietyTest:
    """Judge the usual list with more new items, and with fewer items per category.

    ``model`` is the purchase model that was fitted for the first day of the window. Gains are over
    the list without limits; they are what the limit costs. Judged on recommendable products.
    """
    start = as_of - timedelta(days=mining.backtest_days)
    _refuse_later(model, start)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE variety_candidates AS
        SELECT customer_id, product_id, category, popular_rank, bought,
            CASE WHEN times_bought > 0 THEN 0 ELSE 1 END AS is_new, {model.sql()} AS probability
        FROM ({candidates_sql(start, mining, mining.backtest_days)}) AS c WHERE recommendable"""
    )
    selections = {FREE: Selection(mining.n_items)}
    for share in NEW_SHARES:
        selections[f"at least {share:.0%} new"] = Selection(mining.n_items, share)
    for limit in CATEGORY_LIMITS:
        selections[f"at most {limit} per category"] = Selection(mining.n_items, 0.0, limit)
    lists = {
        name: selection.sql("SELECT * FROM variety_candidates", PROBABLE)
        for name, selection in selections.items()
    }
    wanted = _wanted(con, mining, start, as_of, new=False)
    draws = {"n_bootstrap": n_bootstrap, "confidence": confidence, "seed": seed}
    return _test(con, mining, start, lists, wanted, (FREE, FREE, "variety"), model, draws)


def backtest_discover(
    con: DuckDB,
    as_of: date,
    mining: Mining,
    *,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> VarietyTest:
    """Judge the shelf discover beside simple peers, on products that are new to the customer.

    Lists of ``n_items``. Relevant are the recommendable products that a customer buys in the
    window and never bought before; customers with none are left out. Gains are over the most
    popular products that are new to the customer.

    In a shop where everybody has bought everything, or nobody buys anything new in the window,
    the tables are empty and ``not_available`` says why.
    """
    start = as_of - timedelta(days=mining.backtest_days)
    try:
        model = fit_discover_model(con, start, mining)
        wanted = _wanted(con, mining, start, as_of, new=True)
    except NothingToLearn as error:
        document = {"discover": {"not_available": str(error)}}
        return VarietyTest(*_empty(), document, None, str(error))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE variety_candidates AS
        SELECT customer_id, product_id, category, popular_rank, similarity, bought, 1 AS is_new,
            {model.sql()} AS probability
        FROM ({discover_sql(start, mining, mining.backtest_days)}) AS c"""
    )
    everything = "SELECT * FROM variety_candidates"
    free = Selection(mining.n_items)
    lists = {
        POPULARITY: free.sql(everything, "popular_rank, product_id"),
        ITEM_TO_ITEM: free.sql(everything, "round(similarity, 9) DESC, popular_rank, product_id"),
        DISCOVER_MODEL: free.sql(everything, MOST_PROBABLE_NEW),
    }
    for limit in CATEGORY_LIMITS[1:]:
        varied = Selection(mining.n_items, 0.0, limit)
        lists[f"{DISCOVER_MODEL}, at most {limit} per category"] = varied.sql(
            everything, MOST_PROBABLE_NEW
        )
    draws = {"n_bootstrap": n_bootstrap, "confidence": confidence, "seed": seed}
    names = (POPULARITY, DISCOVER_MODEL, "discover")
    return _test(con, mining, start, lists, wanted, names, model, draws)


def _test(
    con: DuckDB,
    mining: Mining,
    start: date,
    lists: Mapping[str, str],
    wanted: pd.DataFrame,
    names: tuple[str, str, str],
    model: PurchaseModel,
    draws: Mapping[str, Any],
) -> VarietyTest:
    on_sale = int(
        con.execute(
            f"""
            SELECT count(DISTINCT t.product_id) FROM transactions AS t
            JOIN products AS p ON t.product_id = p.product_id
            WHERE t.local_date < DATE '{start.isoformat()}' AND {recommendable_sql(mining)}
                AND DATEDIFF('day', t.local_date, DATE '{start.isoformat()}') <= 90
            """
        ).fetchall()[0][0]
    )
    baseline, of_model, key = names
    metrics, variety, calibration = {}, [], pd.DataFrame()
    for name, query in lists.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE variety_list AS {query}")
        hits = con.execute(
            """
            SELECT customer_id, count(*) AS hits, sum(ln(2.0) / ln(rank + 1.0)) AS dcg
            FROM variety_list WHERE bought = 1 GROUP BY customer_id
            """
        ).df()
        per_list = con.execute(
            """
            SELECT count(*) AS n_lists, avg(categories) AS categories, avg(new_items) AS new_items
            FROM (SELECT customer_id, count(DISTINCT category) AS categories,
                    sum(is_new) AS new_items
                  FROM variety_list GROUP BY customer_id) AS l
            """
        ).df()
        products = int(
            con.execute("SELECT count(DISTINCT product_id) FROM variety_list").fetchall()[0][0]
        )
        if name == of_model:
            shown = con.execute(
                """
                SELECT customer_id, product_id, probability, bought AS target FROM variety_list
                ORDER BY customer_id, rank
                """
            ).df()
            calibration = calibration_table(
                shown, "probability", CALIBRATION_BINS, confidence=draws["confidence"]
            )
        metrics[name] = list_metrics(
            wanted.join(hits.set_index(CUSTOMER_ID)).fillna(0.0), mining.n_items
        )
        variety.append(
            {
                "ranking": name,
                "products": products,
                "products_share": products / on_sale if on_sale else float("nan"),
                "categories": float(per_list["categories"].iloc[0]),
                "new_items": float(per_list["new_items"].iloc[0]),
                "n_lists": int(per_list["n_lists"].iloc[0]),
            }
        )
    con.execute("DROP TABLE variety_list")
    con.execute("DROP TABLE variety_candidates")
    ranking = judge(pd.concat(metrics, axis=1), baseline, **draws)
    table = pd.DataFrame(variety)
    document = {
        key: {
            "ranking": ranking.to_dict(orient="records"),
            "variety": table.to_dict(orient="records"),
            "calibration": calibration.to_dict(orient="records"),
            "weights": dict(model.weights),
        }
    }
    return VarietyTest(ranking, table, calibration, document, model)


def _wanted(con: DuckDB, mining: Mining, start: date, as_of: date, *, new: bool) -> pd.DataFrame:
    """Per customer with an earlier order: recommendable products bought in the window."""
    unseen = "AND o.product_id IS NULL" if new else ""
    wanted = con.execute(
        f"""
        SELECT w.customer_id, count(*) AS relevant
        FROM (SELECT DISTINCT t.customer_id, t.product_id FROM transactions AS t
              JOIN products AS p ON t.product_id = p.product_id
              WHERE t.local_date >= DATE '{start.isoformat()}'
                AND t.local_date < DATE '{as_of.isoformat()}' AND {recommendable_sql(mining)}) AS w
        JOIN (SELECT DISTINCT customer_id FROM transactions
              WHERE local_date < DATE '{start.isoformat()}') AS e ON w.customer_id = e.customer_id
        LEFT JOIN (SELECT DISTINCT customer_id, product_id FROM transactions
                   WHERE local_date < DATE '{start.isoformat()}') AS o
            ON w.customer_id = o.customer_id AND w.product_id = o.product_id
        WHERE TRUE {unseen}
        GROUP BY w.customer_id ORDER BY w.customer_id
        """
    ).df()
    if wanted.empty:
        raise NothingToLearn(
            f"nobody with an earlier order buys {'anything new ' if new else ''}in "
            f"[{start}, {as_of}): nothing to test on; move as_of into the data"
        )
    return wanted.set_index(CUSTOMER_ID)


def _empty() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    numbers = ("value", "lower", "upper", "gain", "gain_lower", "gain_upper", "n")
    return (
        pd.DataFrame(columns=["ranking", "metric", *numbers]),
        pd.DataFrame(columns=["ranking", "products", "products_share", "categories", "new_items"]),
        pd.DataFrame(columns=["bin", "n", "predicted", "observed", "lower", "upper"]),
    )


def _refuse_later(model: PurchaseModel, start: date) -> None:
    """Refuse a model that has seen the window."""
    if model.cutoffs and model.cutoffs[-1] + timedelta(days=model.horizon_days) > start:
        raise ValueError(f"the model learned from days after {start}: fit it for that day")
