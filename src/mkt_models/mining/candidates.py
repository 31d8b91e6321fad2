"""What a customer may buy next: candidate products and what is known about each pair.

One portable SQL query makes, for a date, one row per customer and candidate product: the products
that the customer bought most (decayed with time, and undecayed), and the most popular products.
Everything looks strictly before ``as_of``; only the optional label looks at the days after it.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from mkt_models.params import Mining
from mkt_models.profiles.exclusions import Exclusions

POPULAR_DAYS = 90
TREND_DAYS = 28

# Candidates per recommended item: enough that ranking them anew loses nothing worth having.
OWN_PER_ITEM = 6
POPULAR_PER_ITEM = 3


@dataclass(frozen=True)
class Feature:
    """A number per candidate: its SQL over the columns of a candidate, and what it says."""

    sql: str
    en: str


# Chosen by backward elimination on windows before the test window. The half-lives are multiples of
# the one in the parameters, so that a purchase pattern is seen at three time scales.
FEATURES: dict[str, Feature] = {
    "frequency": Feature("ln(score + 0.01)", "decayed purchases of the product"),
    "frequency_recent": Feature("ln(score_recent + 0.001)", "the same, third of the half-life"),
    "frequency_now": Feature("ln(score_now + 0.001)", "the same, ninth of the half-life"),
    "single": Feature("CASE WHEN times_bought = 1 THEN 1.0 ELSE 0.0 END", "bought exactly once"),
    "share": Feature(
        "ln((score + 0.05) / (customer_score + 0.5))", "share of the customer's orders with it"
    ),
    "activity": Feature("ln(0.1 + customer_score)", "decayed orders of the customer"),
    "popularity": Feature("ln(1.0 + buyers)", "customers who bought it lately"),
    "trend": Feature(
        f"ln((1.0 + trend_buyers) / (1.0 + buyers * {TREND_DAYS}.0 / {POPULAR_DAYS}.0))",
        "recent buyers against the weeks before: seasons, novelties, products that end",
    ),
    "repeats": Feature("ln(purchases_per_buyer)", "purchases of the product per buyer"),
}


def candidates_sql(
    as_of: date, mining: Mining, horizon_days: int | None = None, customers: int | None = None
) -> str:
    """Write the query of all candidates on a date; it needs ``transactions`` and ``products``.

    With ``customers`` only for so many of them, chosen by a hash of their id; what is popular is
    still counted over everybody.

    One row per customer with an order before ``as_of`` and candidate product:

    ``product_type``, ``category``, ``recommendable``
        false for products that the parameters exclude, and for those without a type if others
        have one
    ``times_bought``, ``times_bought_90d``, ``days_since_last``
        orders with the product, 0 and null if the customer never bought it
    ``score``
        sum over these orders of 0.5 to the power of (days ago / half-life)
    ``mean_amount_cents``
        per purchase, of this customer; of all recent buyers if the customer never bought it
    ``buyers``, ``popular_share``, ``popular_rank``
        customers who bought it in the last ``POPULAR_DAYS`` days, their share of all customers
        with an order in these days, and its place by them (null: nobody did)
    ``bought``
        only with ``horizon_days``: 1 if the customer buys it in [as_of, as_of + horizon_days)

    and a column per entry of ``FEATURES``.
    """
    half = float(mining.half_life_days)
    own, popular = OWN_PER_ITEM * mining.n_items, POPULAR_PER_ITEM * mining.n_items
    features = ",\n            ".join(f"{f.sql} AS {name}" for name, f in FEATURES.items())
    label, joined = bought_sql(as_of, horizon_days, "p")
    return f"""
        WITH purchases AS ({purchases_sql(as_of)}),
        own AS (
            SELECT customer_id, product_id, count(*) AS times_bought,
                count(CASE WHEN age <= 90 THEN 1 END) AS times_bought_90d,
                min(age) AS days_since_last,
                CAST(sum(amount_cents) AS DOUBLE) / count(*) AS mean_amount_cents,
                {decayed("score", half)}, {decayed("score_recent", half / 3)},
                {decayed("score_now", half / 9)}
            FROM purchases GROUP BY customer_id, product_id
        ),
        everybody AS ({everybody_sql(customers)}),
        customers_before AS (
            SELECT customer_id, {decayed("customer_score", half)}
            FROM (SELECT p.customer_id, p.order_id, min(p.age) AS age FROM purchases AS p
                  JOIN everybody AS e ON p.customer_id = e.customer_id
                  GROUP BY p.customer_id, p.order_id) AS o
            GROUP BY customer_id
        ),
        {demand_sql()},
        goods AS (
            SELECT r.product_id, p.product_type, p.category, r.purchases_per_buyer,
                coalesce(l.buyers, 0) AS buyers, coalesce(l.trend_buyers, 0) AS trend_buyers,
                l.popular_amount_cents,
                {recommendable_sql(mining)} AS recommendable,
                CASE WHEN l.buyers IS NOT NULL THEN row_number() OVER (
                    ORDER BY coalesce(l.buyers, 0) DESC, r.product_id) END AS popular_rank
            FROM repeats AS r LEFT JOIN lately AS l ON r.product_id = l.product_id
            LEFT JOIN products AS p ON r.product_id = p.product_id
        ),
        popular AS (
            SELECT product_id FROM (
                SELECT product_id, popular_rank, recommendable, row_number() OVER (
                    PARTITION BY recommendable ORDER BY popular_rank) AS place
                FROM goods WHERE popular_rank IS NOT NULL) AS g
            WHERE popular_rank <= {popular} OR (recommendable AND place <= {popular})
        ),
        pairs AS (
            SELECT customer_id, product_id FROM (
                SELECT own.customer_id, own.product_id,
                    row_number() OVER (PARTITION BY own.customer_id
                        ORDER BY round(own.score, 9) DESC, own.product_id) AS by_score,
                    row_number() OVER (PARTITION BY own.customer_id
                        ORDER BY own.times_bought DESC, own.days_since_last, own.product_id)
                        AS by_count
                FROM own JOIN everybody AS e ON own.customer_id = e.customer_id) AS o
            WHERE by_score <= {own} OR by_count <= {mining.n_items}
            UNION
            SELECT c.customer_id, q.product_id FROM customers_before AS c CROSS JOIN popular AS q
        ),
        known AS (
            SELECT p.customer_id, p.product_id, g.product_type, g.category, g.recommendable,
                coalesce(o.times_bought, 0) AS times_bought,
                coalesce(o.times_bought_90d, 0) AS times_bought_90d, o.days_since_last,
                coalesce(o.score, 0.0) AS score, coalesce(o.score_recent, 0.0) AS score_recent,
                coalesce(o.score_now, 0.0) AS score_now,
                coalesce(o.mean_amount_cents, g.popular_amount_cents) AS mean_amount_cents,
                c.customer_score, g.buyers, g.trend_buyers,
                g.purchases_per_buyer, g.popular_rank,
                {label}
                CAST(g.buyers AS DOUBLE) / NULLIF((SELECT count(DISTINCT customer_id)
                    FROM purchases WHERE age <= {POPULAR_DAYS}), 0) AS popular_share
            FROM pairs AS p
            JOIN customers_before AS c ON p.customer_id = c.customer_id
            JOIN goods AS g ON p.product_id = g.product_id
            LEFT JOIN own AS o ON p.customer_id = o.customer_id AND p.product_id = o.product_id
            {joined}
        )
        SELECT *,
            {features}
        FROM known
        """


def purchases_sql(as_of: date) -> str:
    """Write the query of purchases before a date: one row per customer, product and order.

    ``amount_cents`` paid, and ``age`` in days.
    """
    day = f"DATE '{as_of.isoformat()}'"
    return f"""
            SELECT customer_id, product_id, order_id, sum(amount_cents) AS amount_cents,
                min(DATEDIFF('day', local_date, {day})) AS age
            FROM transactions WHERE local_date < {day}
            GROUP BY customer_id, product_id, order_id
        """


def demand_sql() -> str:
    """Write the tables ``lately`` and ``repeats`` of a query with ``purchases`` and ``own``.

    Per product: ``buyers`` and ``popular_amount_cents`` per purchase of the last ``POPULAR_DAYS``
    days, ``trend_buyers`` of the last ``TREND_DAYS``; and ``purchases_per_buyer`` of all days.
    """
    return f"""lately AS (
            SELECT product_id, count(DISTINCT customer_id) AS buyers,
                count(DISTINCT CASE WHEN age <= {TREND_DAYS} THEN customer_id END) AS trend_buyers,
                CAST(sum(amount_cents) AS DOUBLE) / count(*) AS popular_amount_cents
            FROM purchases WHERE age <= {POPULAR_DAYS} GROUP BY product_id
        ),
        repeats AS (
            SELECT product_id, CAST(sum(times_bought) AS DOUBLE) / count(*) AS purchases_per_buyer
            FROM own GROUP BY product_id
        )"""


def bought_sql(as_of: date, horizon_days: int | None, alias: str) -> tuple[str, str]:
    """Write the label ``bought`` of candidates (``alias``), and the join that it needs.

    Both are empty without a horizon.
    """
    if horizon_days is None:
        return "", ""
    end = as_of + timedelta(days=horizon_days)
    joined = f"""LEFT JOIN (
                SELECT DISTINCT customer_id, product_id FROM transactions
                WHERE local_date >= DATE '{as_of}' AND local_date < DATE '{end}'
            ) AS n ON n.customer_id = {alias}.customer_id AND n.product_id = {alias}.product_id"""
    return "CASE WHEN n.product_id IS NULL THEN 0 ELSE 1 END AS bought,", joined


def recommendable_sql(mining: Mining) -> str:
    """Write the condition that a product (alias ``p``) has a type and is not excluded.

    In a shop whose products have no types at all, a product needs none.
    """
    typed = "(p.product_type IS NOT NULL OR (SELECT count(product_type) FROM products) = 0)"
    return f"({typed} AND {Exclusions.of(mining).allowed_sql()})"


def everybody_sql(customers: int | None) -> str:
    """Write the query of the customers with ``purchases``, or of some, by a hash of their id."""
    query = "SELECT DISTINCT customer_id FROM purchases"
    if customers is None:
        return query
    return f"""
            SELECT customer_id FROM ({query}) AS c
            ORDER BY md5(customer_id), customer_id LIMIT {customers}
        """


def decayed(name: str, half_life: float) -> str:
    """Write a count of purchases, each halved by every half-life (days) that has passed."""
    return f"sum(pow(0.5, age / {half_life!r})) AS {name}"
