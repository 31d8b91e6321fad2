"""What a customer may like and has never bought: candidates for the shelf "discover".

Two sources: products that are bought by the same customers as the customer's own favourites
(item to item), and products that are popular. Everything looks strictly before ``as_of``. The
similarity of two products is learned from a bounded number of customers and products, so that the
query grows with the number of customers, and not with its square.
"""

from datetime import date

from mkt_models.mining.candidates import (
    POPULAR_DAYS,
    TREND_DAYS,
    Feature,
    bought_sql,
    decayed,
    demand_sql,
    everybody_sql,
    purchases_sql,
    recommendable_sql,
)
from mkt_models.params import Mining

# Products with the most buyers, and customers, that similarity is learned from.
RANGE = 800
SIMILAR_CUSTOMERS = 5_000
MIN_TOGETHER = 5

# Of each customer the favourites, of each product its neighbours, that candidates come from.
FAVOURITES = 20
NEIGHBOURS = 20
CANDIDATES = 30

FEATURES: dict[str, Feature] = {
    "likeness": Feature("ln(0.02 + similarity)", "bought by those who buy the same products"),
    "popularity": Feature("ln(1.0 + buyers)", "customers who bought it lately"),
    "trend": Feature(
        f"ln((1.0 + trend_buyers) / (1.0 + buyers * {TREND_DAYS}.0 / {POPULAR_DAYS}.0))",
        "recent buyers against the weeks before",
    ),
    "category_taste": Feature(
        "ln((0.05 + category_score) / (0.5 + customer_score))",
        "share of the category in the customer's purchases",
    ),
    "type_taste": Feature(
        "ln((0.02 + type_score) / (0.5 + customer_score))", "the same of the product type"
    ),
    "activity": Feature("ln(0.1 + customer_score)", "decayed purchases of the customer"),
    "repeats": Feature("ln(purchases_per_buyer)", "purchases of the product per buyer"),
}


def discover_sql(
    as_of: date, mining: Mining, horizon_days: int | None = None, customers: int | None = None
) -> str:
    """Write the query of the candidates that are new to their customer, on a date.

    It needs ``transactions`` and ``products``. One row per customer with an order before ``as_of``
    (or some of them, see :func:`mkt_models.mining.candidates.candidates_sql`) and recommendable
    product that the customer never bought:

    ``product_type``, ``category``, ``mean_amount_cents``
        the last per purchase of recent buyers
    ``similarity``
        summed over the customer's favourites: the phi coefficient (over customers) of having
        bought the one and the other, times the root of the favourite's decayed purchases
    ``because``
        the favourite that added most, null if none did
    ``customer_score``, ``category_score``, ``type_score``
        decayed purchases of the customer, all, and those in the product's category and type
    ``buyers``, ``popular_share``, ``popular_rank``
        as in the other query, among recommendable products
    ``bought``
        only with ``horizon_days``: 1 if the customer buys it in [as_of, as_of + horizon_days)

    and a column per entry of ``FEATURES``.
    """
    half = float(mining.half_life_days)
    features = ",\n            ".join(f"{f.sql} AS {name}" for name, f in FEATURES.items())
    label, joined = bought_sql(as_of, horizon_days, "c")
    return f"""
        WITH purchases AS ({purchases_sql(as_of)}),
        everybody AS ({everybody_sql(customers)}),
        own AS (
            SELECT customer_id, product_id, count(*) AS times_bought, {decayed("score", half)}
            FROM purchases GROUP BY customer_id, product_id
        ),
        {demand_sql()},
        goods AS (
            SELECT * FROM (
                SELECT l.product_id, p.product_type, p.category, l.buyers, l.trend_buyers,
                    l.popular_amount_cents AS mean_amount_cents, r.purchases_per_buyer,
                    row_number() OVER (ORDER BY l.buyers DESC, l.product_id) AS popular_rank
                FROM lately AS l JOIN repeats AS r ON l.product_id = r.product_id
                JOIN products AS p ON l.product_id = p.product_id
                WHERE {recommendable_sql(mining)}) AS g
            WHERE popular_rank <= {RANGE}
        ),
        basis AS (
            SELECT o.customer_id, o.product_id FROM own AS o
            JOIN goods AS g ON o.product_id = g.product_id
            WHERE o.customer_id IN (
                SELECT customer_id FROM ({everybody_sql(SIMILAR_CUSTOMERS)}) AS s)
        ),
        sizes AS (
            SELECT product_id, count(*) AS customers FROM basis GROUP BY product_id
        ),
        shared AS (
            SELECT a.product_id AS a, b.product_id AS b, count(*) AS together
            FROM basis AS a JOIN basis AS b ON a.customer_id = b.customer_id
                AND a.product_id <> b.product_id
            GROUP BY a.product_id, b.product_id HAVING count(*) >= {MIN_TOGETHER}
        ),
        near AS (
            SELECT a, b, similarity FROM (
                SELECT a, b, similarity, row_number() OVER (
                    PARTITION BY a ORDER BY round(similarity, 9) DESC, b) AS place
                FROM (
                    SELECT s.a, s.b, (s.together - CAST(x.customers AS DOUBLE) * y.customers / (
                        SELECT count(DISTINCT customer_id) FROM basis))
                        / sqrt(CAST(x.customers AS DOUBLE) * y.customers) AS similarity
                    FROM shared AS s JOIN sizes AS x ON s.a = x.product_id
                    JOIN sizes AS y ON s.b = y.product_id) AS n
                WHERE similarity > 0) AS r
            WHERE place <= {NEIGHBOURS}
        ),
        favourites AS (
            SELECT customer_id, product_id, score FROM (
                SELECT o.customer_id, o.product_id, o.score, row_number() OVER (
                    PARTITION BY o.customer_id ORDER BY round(o.score, 9) DESC, o.product_id
                    ) AS place
                FROM own AS o JOIN everybody AS e ON o.customer_id = e.customer_id
                JOIN goods AS g ON o.product_id = g.product_id) AS f
            WHERE place <= {FAVOURITES}
        ),
        reasons AS (
            SELECT f.customer_id, n.b AS product_id, f.product_id AS because,
                n.similarity * sqrt(f.score) AS similarity,
                row_number() OVER (PARTITION BY f.customer_id, n.b
                    ORDER BY round(n.similarity * sqrt(f.score), 9) DESC, f.product_id) AS place
            FROM favourites AS f JOIN near AS n ON f.product_id = n.a
            LEFT JOIN own AS o ON f.customer_id = o.customer_id AND n.b = o.product_id
            WHERE o.product_id IS NULL
        ),
        reached AS (
            SELECT customer_id, product_id, sum(similarity) AS similarity,
                max(CASE WHEN place = 1 THEN because END) AS because
            FROM reasons GROUP BY customer_id, product_id
        ),
        customers_before AS (
            SELECT o.customer_id, sum(o.score) AS customer_score FROM own AS o
            JOIN everybody AS e ON o.customer_id = e.customer_id GROUP BY o.customer_id
        ),
        chosen AS (
            SELECT customer_id, product_id FROM (
                SELECT customer_id, product_id, row_number() OVER (PARTITION BY customer_id
                    ORDER BY round(similarity, 9) DESC, product_id) AS place FROM reached) AS r
            WHERE place <= {CANDIDATES}
            UNION
            SELECT c.customer_id, g.product_id FROM customers_before AS c
            CROSS JOIN (SELECT product_id FROM goods WHERE popular_rank <= {CANDIDATES}) AS g
            LEFT JOIN own AS o ON c.customer_id = o.customer_id AND g.product_id = o.product_id
            WHERE o.product_id IS NULL
        ),
        tastes AS (
            SELECT o.customer_id, p.category, p.product_type, sum(o.score) AS score
            FROM own AS o JOIN everybody AS e ON o.customer_id = e.customer_id
            JOIN products AS p ON o.product_id = p.product_id
            GROUP BY o.customer_id, p.category, p.product_type
        ),
        category_tastes AS (
            SELECT customer_id, category, sum(score) AS score FROM tastes
            GROUP BY customer_id, category
        ),
        type_tastes AS (
            SELECT customer_id, product_type, sum(score) AS score FROM tastes
            GROUP BY customer_id, product_type
        ),
        known AS (
            SELECT c.customer_id, c.product_id, g.product_type, g.category, g.mean_amount_cents,
                g.buyers, g.trend_buyers, g.purchases_per_buyer, g.popular_rank,
                b.customer_score, coalesce(r.similarity, 0.0) AS similarity, r.because,
                coalesce(ct.score, 0.0) AS category_score, coalesce(tt.score, 0.0) AS type_score,
                {label}
                CAST(g.buyers AS DOUBLE) / NULLIF((SELECT count(DISTINCT customer_id)
                    FROM purchases WHERE age <= {POPULAR_DAYS}), 0) AS popular_share
            FROM chosen AS c JOIN goods AS g ON c.product_id = g.product_id
            JOIN customers_before AS b ON c.customer_id = b.customer_id
            LEFT JOIN reached AS r
                ON c.customer_id = r.customer_id AND c.product_id = r.product_id
            LEFT JOIN category_tastes AS ct
                ON c.customer_id = ct.customer_id AND g.category = ct.category
            LEFT JOIN type_tastes AS tt
                ON c.customer_id = tt.customer_id AND g.product_type = tt.product_type
            {joined}
        )
        SELECT *,
            {features}
        FROM known
        """
