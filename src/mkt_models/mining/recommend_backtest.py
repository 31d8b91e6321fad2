"""How good the recommendations are: the last days are held out, and peers see the same.

The test window is [as_of - backtest_days, as_of). The purchase model is fitted for its first day,
so it has seen nothing of it. Everybody with an order before the window gets a list of ``n_items``;
lists are judged for those who buy anything in the window, calibration for everybody.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, PRODUCT_ID, NumberKind
from mkt_models.engine import DuckDB
from mkt_models.evaluation.curves import calibration_table
from mkt_models.evaluation.headline import on_dates
from mkt_models.mining.candidates import candidates_sql, recommendable_sql
from mkt_models.mining.list_metrics import judge, list_metrics
from mkt_models.mining.purchase_model import PurchaseModel, fit_purchase_model
from mkt_models.mining.recommend import BUY_AGAIN, POPULAR
from mkt_models.params import Mining

MODEL = "purchase model"
PREDICTION = "purchase_model"
BASELINE = "decayed frequency + popularity"

# How each way ranks a customer's candidates; ties end at the product id.
RANKINGS = {
    "popularity": "popular_rank NULLS LAST",
    "own frequency": "times_bought DESC, days_since_last NULLS LAST",
    BASELINE: "round(score, 9) DESC, popular_rank NULLS LAST",
    MODEL: "round(probability, 9) DESC, popular_rank NULLS LAST",
}

# All products compare with other work; recommendable ones are what customers are shown.
ALL = "all products"
RECOMMENDABLE = "recommendable products"

CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Backtest:
    """The result of a backtest.

    Attributes
    ----------
    ranking
        one row per scope, ranking and metric: ``value`` with ``lower`` and ``upper``, ``gain``
        over the baseline with ``gain_lower`` and ``gain_upper`` (paired), and ``n`` customers
    calibration
        one row per shelf and bin of predicted probability, among the recommended items, as
        :func:`mkt_models.evaluation.curves.calibration_table` gives it
    predictions
        one row per customer with an order before the window and item shown to that customer, for
        the audit: ``customer_id``, ``as_of`` (first day of the window), ``product_id``, ``shelf``,
        ``target`` (1: bought in the window, else 0) and ``purchase_model`` (its probability)
    metrics
        headline figures, ranking and calibration, for metrics.json
    model
        the purchase model that was tested

    """

    ranking: pd.DataFrame
    calibration: pd.DataFrame
    predictions: pd.DataFrame
    metrics: dict[str, Any]
    model: PurchaseModel


def backtest(
    con: DuckDB,
    as_of: date,
    mining: Mining,
    *,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> Backtest:
    """Test the recommender on the ``backtest_days`` before ``as_of``, beside its peers.

    With k = ``n_items``, per customer: **recall** is the share of the products bought in the
    window that the list holds; **NDCG** sums 1 / log2(rank + 1) over the hits and divides by the
    best that a list of k could reach for this customer; **hit rate** counts customers with at
    least one hit. All are means over the customers with an order before the window and a purchase
    in it; intervals are bootstrapped by customer.

    Raises
    ------
    ValueError
        When the data are too short to fit a model before the window, or nobody buys in it.

    """
    start = as_of - timedelta(days=mining.backtest_days)
    model = fit_purchase_model(con, start, mining)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE backtest_candidates AS
        SELECT customer_id, product_id, times_bought, days_since_last, score, popular_rank,
            recommendable, bought, {model.sql()} AS probability
        FROM ({candidates_sql(start, mining, mining.backtest_days)}) AS c"""
    )
    try:
        tables = [
            judge(per_customer, BASELINE, n_bootstrap, confidence, seed).assign(scope=scope)
            for scope, per_customer in _lists(con, mining, start, as_of).items()
        ]
        shown = _shown(con, mining)
    finally:
        con.execute("DROP TABLE backtest_candidates")
    ranking = pd.concat(tables, ignore_index=True)
    calibration, errors = calibrate(shown, confidence)
    metrics = {
        "headline": on_dates(_headline(ranking, mining), [start]),
        "window": {"from": start.isoformat(), "to_before": as_of.isoformat()},
        "learned_from": [f"{c} + {model.horizon_days} days" for c in model.cutoffs],
        "weights": dict(model.weights),
        "ranking": ranking.to_dict(orient="records"),
        "calibration": calibration.to_dict(orient="records"),
        "calibration_error": errors,
    }
    predictions = shown.rename(columns={"probability": PREDICTION}).assign(
        **{AS_OF: pd.Timestamp(start)}
    )
    columns = [CUSTOMER_ID, AS_OF, PRODUCT_ID, "shelf", "target", PREDICTION]
    return Backtest(ranking, calibration, predictions[columns], metrics, model)


def side_by_side(ranking: pd.DataFrame, scope: str = "") -> pd.DataFrame:
    """Turn a backtest's ``ranking`` of one scope, if it has scopes, to one row per model.

    Columns ``model``, each metric with its ``_lower`` and ``_upper``, and ``n_customers``, in the
    order of the ranking.
    """
    rows = ranking if "scope" not in ranking else ranking[ranking["scope"] == scope]
    if rows.empty and scope:
        raise ValueError(f"no scope {scope!r}; has: {', '.join(ranking['scope'].unique())}")
    table = pd.DataFrame({"model": rows["ranking"].unique()})
    for metric, part in rows.groupby("metric", sort=False):
        ends = {"value": f"{metric}", "lower": f"{metric}_lower", "upper": f"{metric}_upper"}
        columns = part[["ranking", *ends]].rename(columns={"ranking": "model", **ends})
        table = table.merge(columns, on="model", validate="one_to_one")
    return table.assign(n_customers=int(rows["n"].max()) if len(rows) else 0)


def calibrate(
    shown: pd.DataFrame, confidence: float
) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """Compare predicted with observed shares, per shelf in bins of equally many items.

    ``shown`` has one row per customer and recommended product: ``customer_id``, ``shelf``,
    ``probability``, ``target`` (1: bought in the window, else 0). Gives the table described in
    :class:`Backtest`, and per shelf the expected calibration error ``ece`` (mean absolute gap of
    the bins, weighted by items), the ``predicted`` and ``observed`` shares and ``n`` items.
    """
    tables, errors = [], {}
    for shelf, items in shown.groupby("shelf", sort=True):
        table = calibration_table(items, "probability", CALIBRATION_BINS, confidence=confidence)
        tables.append(table.assign(shelf=shelf))
        gaps = (table["predicted"] - table["observed"]).abs()
        errors[str(shelf)] = {
            "ece": float((gaps * table["n"]).sum() / table["n"].sum()),
            "predicted": float(items["probability"].mean()),
            "observed": float(items["target"].mean()),
            "n": len(items),
        }
    return pd.concat(tables, ignore_index=True), errors


def _lists(con: DuckDB, mining: Mining, start: date, as_of: date) -> dict[str, pd.DataFrame]:
    # Per scope one row per customer; columns (ranking, metric).
    scopes = {ALL: ("TRUE", "TRUE"), RECOMMENDABLE: (recommendable_sql(mining), "recommendable")}
    out = {}
    for scope, (of_product, of_candidate) in scopes.items():
        wanted = con.execute(
            f"""
            SELECT t.customer_id, count(DISTINCT t.product_id) AS relevant
            FROM transactions AS t LEFT JOIN products AS p ON t.product_id = p.product_id
            WHERE t.local_date >= DATE '{start.isoformat()}'
                AND t.local_date < DATE '{as_of.isoformat()}' AND {of_product}
                AND t.customer_id IN (SELECT customer_id FROM backtest_candidates)
            GROUP BY t.customer_id ORDER BY t.customer_id
            """
        ).df()
        if wanted.empty:
            raise ValueError(
                f"nobody with an earlier order buys in [{start}, {as_of}): nothing to test on; "
                "move as_of into the data"
            )
        wanted = wanted.set_index(CUSTOMER_ID)
        out[scope] = pd.concat(
            {
                name: list_metrics(
                    _hits(con, wanted, order, of_candidate, mining.n_items), mining.n_items
                )
                for name, order in RANKINGS.items()
            },
            axis=1,
        )
    return out


def _hits(con: DuckDB, wanted: pd.DataFrame, order: str, where: str, k: int) -> pd.DataFrame:
    hits = con.execute(
        f"""
        SELECT customer_id, count(*) AS hits, sum(ln(2.0) / ln(place + 1.0)) AS dcg FROM (
            SELECT customer_id, bought, row_number() OVER (
                PARTITION BY customer_id ORDER BY {order}, product_id) AS place
            FROM backtest_candidates WHERE {where}) AS r
        WHERE place <= {k} AND bought = 1 GROUP BY customer_id
        """
    ).df()
    return wanted.join(hits.set_index(CUSTOMER_ID)).fillna(0.0)


def _shown(con: DuckDB, mining: Mining) -> pd.DataFrame:
    return con.execute(
        f"""
        SELECT customer_id, product_id, probability, bought AS target,
            CASE WHEN times_bought > 0 THEN '{BUY_AGAIN}' ELSE '{POPULAR}' END AS shelf
        FROM (SELECT *, row_number() OVER (PARTITION BY customer_id
                ORDER BY {RANKINGS[MODEL]}, product_id) AS place
            FROM backtest_candidates WHERE recommendable) AS r
        WHERE place <= {mining.n_items} ORDER BY customer_id, place
        """
    ).df()


def _headline(ranking: pd.DataFrame, mining: Mining) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for metric, label in (("ndcg", "NDCG"), ("recall", "Recall")):
        rows = ranking[(ranking["scope"] == ALL) & (ranking["metric"] == metric)]
        values = {str(r): float(v) for r, v in zip(rows["ranking"], rows["value"], strict=True)}
        own = rows[rows["ranking"] == MODEL].iloc[0]
        peers = [f"{name} {v:.3f}" for name, v in values.items() if name != MODEL]
        out.append(
            {
                "name": f"Recommender {label}@{mining.n_items}, next {mining.backtest_days} days",
                "value": values[MODEL],
                "lower": float(own["lower"]),
                "upper": float(own["upper"]),
                "n": int(own["n"]),
                "kind": NumberKind.BACKTESTED.value,
                "unit": "",
                "beside": ", ".join(peers),
            }
        )
    return out
