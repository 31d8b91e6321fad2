"""What is bought together: rules "orders with A often hold B too", mined by a self-join in SQL.

An **item** is a value of one column of products, by default the product type; an order holds an
item or does not, how often does not matter. Items in too few orders are dropped *before* the
join, so that the largest order is harmless: with F frequent items an order gives at most
F * (F - 1) / 2 pairs, and F is at most (mean items per order) / min_support, however long the
order is.

What is found is observed, not caused: to place B beside A may or may not sell more B.
"""

from datetime import date
from fractions import Fraction
from math import ceil

import numpy as np
import pandas as pd
from scipy import stats

from mkt_models.engine import Connection
from mkt_models.profiles.exclusions import Exclusions

NOTHING = Exclusions()

RULE_COLUMNS = (
    "antecedent",
    "consequent",
    "orders",
    "antecedent_orders",
    "consequent_orders",
    "n_orders",
    "support",
    "confidence",
    "lift",
    "leverage",
    "conviction",
    "p_value",
    "q_value",
)


def association_rules(
    con: Connection,
    *,
    as_of: date,
    min_support: float,
    min_lift: float,
    level: str = "product_type",
    exclude: Exclusions = NOTHING,
) -> pd.DataFrame:
    """Find the pairs of items that are bought together, in both directions.

    One row per rule, antecedent -> consequent, the highest lift first.

    Parameters
    ----------
    con
        with the clean ``transactions`` and ``products``
    as_of
        orders strictly before this local day count
    min_support
        a rule holds in at least this share of orders; exactly this share is kept
    min_lift
        and its lift is at least this; exactly this lift is kept
    level
        column of products whose values are the items
    exclude
        what is no article (fuel, coupons) or must not be promoted; see :func:`left_out`

    Returns
    -------
    DataFrame
        ``orders`` hold both, ``antecedent_orders`` and ``consequent_orders`` hold each,
        ``n_orders`` hold any item that is not left out. With shares of ``n_orders``:
        ``support`` P(A and B), ``confidence`` P(B | A), ``lift`` P(A and B) / (P(A) P(B)),
        ``leverage`` P(A and B) - P(A) P(B), ``conviction`` P(A) P(not B) / P(A and not B),
        infinite where A never comes without B.

        ``p_value`` is Fisher's exact test, one-sided, that A and B are independent over orders;
        ``q_value`` is Benjamini and Hochberg's (1995), over all pairs with enough support, before
        the cut on lift. Orders of one customer are alike, so both are too small: read them as a
        floor that a rule must pass, and not as the strength of a rule.

    Raises
    ------
    ValueError
        When a threshold is out of range or products has no column ``level``.

    """
    if not 0 < min_support <= 1:
        raise ValueError(f"min_support == {min_support}, must be > 0 and <= 1")
    if not min_lift >= 0:
        raise ValueError(f"min_lift == {min_lift}, must be >= 0")
    lines = _lines(con, as_of, level, exclude)
    items = f"SELECT DISTINCT order_id, item FROM ({lines}) WHERE left_out IS NULL"
    n_orders = int(
        con.execute(f"SELECT count(DISTINCT order_id) FROM ({items}) AS i").fetchall()[0][0]
    )
    min_orders = max(1, ceil(_exact(min_support) * n_orders))
    pairs = con.execute(
        f"""
        WITH items AS ({items}),
        frequent AS (
            SELECT item, count(*) AS orders, row_number() OVER (ORDER BY item) AS no
            FROM items GROUP BY item
            HAVING count(*) >= {min_orders}
        ),
        kept AS (SELECT i.order_id, f.no FROM items AS i JOIN frequent AS f ON i.item = f.item),
        pairs AS (
            SELECT a.no AS a, b.no AS b, count(*) AS orders
            FROM kept AS a JOIN kept AS b ON a.order_id = b.order_id AND a.no < b.no
            GROUP BY a.no, b.no
            HAVING count(*) >= {min_orders}
        )
        SELECT fa.item AS a, fb.item AS b, p.orders, fa.orders AS a_orders, fb.orders AS b_orders
        FROM pairs AS p
        JOIN frequent AS fa ON p.a = fa.no
        JOIN frequent AS fb ON p.b = fb.no
        ORDER BY fa.item, fb.item
        """
    ).df()
    return _both_ways(_tested(pairs, n_orders), n_orders, min_lift)


def left_out(
    con: Connection,
    *,
    as_of: date,
    level: str = "product_type",
    exclude: Exclusions = NOTHING,
) -> pd.DataFrame:
    """Count what :func:`association_rules` sees and what it leaves out.

    One row per reason, most lines first: ``kept``, ``no product_type`` (the level is null or the
    product unknown), ``excluded department``, ``excluded category``, ``excluded word``; with its
    order ``lines``, ``products`` and ``orders``. Lines add up to all lines before ``as_of``; an
    order may stand under several reasons.
    """
    lines = _lines(con, as_of, level, exclude)
    return con.execute(
        f"""
        SELECT coalesce(left_out, 'kept') AS reason, count(*) AS lines,
            count(DISTINCT product_id) AS products, count(DISTINCT order_id) AS orders
        FROM ({lines}) AS l GROUP BY coalesce(left_out, 'kept') ORDER BY lines DESC, reason
        """
    ).df()


def bought_together(rules: pd.DataFrame, recommendations: pd.DataFrame) -> pd.DataFrame:
    """Add to every recommended product what goes with it.

    The recommendations with two columns more: ``goes_with``, the consequent of the rule of highest
    lift from the recommended ``product_type``, and ``goes_with_lift``. (By confidence or leverage
    everything would go with milk; the rules' support keeps a high lift from being chance.) Both
    are null where no rule starts from that type. Rules must be at the level of product types.

    >>> rules = pd.DataFrame({
    ...     "antecedent": ["BUNS", "BUNS"], "consequent": ["MILK", "SAUSAGES"],
    ...     "lift": [1.3, 4.0], "orders": [900, 300],
    ... })
    >>> bought_together(rules, pd.DataFrame({"product_type": ["BUNS", "TEA"]}))
      product_type goes_with  goes_with_lift
    0         BUNS  SAUSAGES             4.0
    1          TEA       NaN             NaN
    """
    best = (
        rules.sort_values(
            ["lift", "orders", "consequent"], ascending=[False, False, True], kind="stable"
        )
        .drop_duplicates("antecedent")
        .loc[:, ["antecedent", "consequent", "lift"]]
        .rename(
            columns={
                "antecedent": "product_type",
                "consequent": "goes_with",
                "lift": "goes_with_lift",
            }
        )
    )
    return recommendations.merge(best, on="product_type", how="left", validate="many_to_one")


def _lines(
    con: Connection,
    as_of: date,
    level: str,
    exclude: Exclusions,
) -> str:
    known: list[str] = [row[0] for row in con.execute("DESCRIBE products").fetchall()]
    if level not in known:
        raise ValueError(f"products has no column {level!r} to use as level; has: {known}")
    return f"""
        SELECT t.order_id, t.product_id, CAST(p.{level} AS VARCHAR) AS item,
            CASE WHEN p.{level} IS NULL THEN 'no {level}'
                ELSE {exclude.reason_sql()} END AS left_out
        FROM transactions AS t LEFT JOIN products AS p ON t.product_id = p.product_id
        WHERE t.local_date < DATE '{as_of.isoformat()}'
        """


def _exact(threshold: float) -> Fraction:
    # The number as it is written in the parameters: 0.002 is 1/500, not the nearest double.
    return Fraction(repr(float(threshold)))


def _tested(pairs: pd.DataFrame, n_orders: int) -> pd.DataFrame:
    both, a, b = (pairs[c].to_numpy(np.int64) for c in ("orders", "a_orders", "b_orders"))
    p = stats.hypergeom.sf(both - 1, n_orders, a, b) if len(pairs) else np.empty(0)
    p = np.clip(p, 0.0, 1.0)
    q = stats.false_discovery_control(p, method="bh") if len(pairs) else p
    return pairs.assign(p_value=p, q_value=q)


def _both_ways(pairs: pd.DataFrame, n: int, min_lift: float) -> pd.DataFrame:
    least = _exact(min_lift)
    lifted = [
        int(both) * n * least.denominator >= least.numerator * int(a) * int(b)
        for both, a, b in zip(pairs.orders, pairs.a_orders, pairs.b_orders, strict=True)
    ]
    there = pairs[np.array(lifted, dtype=bool)].rename(
        columns={
            "a": "antecedent",
            "b": "consequent",
            "a_orders": "antecedent_orders",
            "b_orders": "consequent_orders",
        }
    )
    back = there.rename(
        columns={
            "antecedent": "consequent",
            "consequent": "antecedent",
            "antecedent_orders": "consequent_orders",
            "consequent_orders": "antecedent_orders",
        }
    )
    out = pd.concat([there, back], ignore_index=True)
    both, a, b = (
        out[c].to_numpy(np.float64) for c in ("orders", "antecedent_orders", "consequent_orders")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        out = out.assign(
            n_orders=n,
            support=both / n,
            confidence=both / a,
            lift=both * n / (a * b),
            leverage=both / n - a * b / n**2,
            conviction=np.where(a == both, np.inf, a * (n - b) / (n * (a - both))),
        )
    order = out.sort_values(
        ["lift", "orders", "antecedent", "consequent"],
        ascending=[False, False, True, True],
        kind="stable",
    )
    return order.loc[:, list(RULE_COLUMNS)].reset_index(drop=True)
