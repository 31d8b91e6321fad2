"""Orders as sets of items, at any level of the category tree: what rules are mined from.

An **item** is a value of one column of ``products`` (its **level**): a product, a product type, a
category, a department, a brand. An order holds an item or does not; how often does not matter.
SQL numbers orders and items and brings down two whole numbers per line, no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mkt_models.engine import DuckDB
from mkt_models.profiles.exclusions import Exclusions

LEVELS = ("department", "category", "product_type", "brand", "product_id")
NOTHING = Exclusions()

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Baskets:
    """Orders x items, sparse, a 1 where the order holds the item.

    Attributes
    ----------
    cells
        one row per order with an item, in the order of their customers; one column per item
    items
        name of every item; with several levels "level: name"
    customers
        number of every order's customer, rising
    related
        pairs of items, first < second, that one product carries: a type and its category. They
        are in no rule together, which would say nothing. Empty with one level.
    level
        the level, or "category + product_type"

    """

    cells: sparse.csr_array
    items: npt.NDArray[np.object_]
    customers: Ints
    related: Ints
    level: str

    @property
    def n_orders(self) -> int:
        """Orders that hold any item."""
        return int(self.cells.shape[0])

    @property
    def n_customers(self) -> int:
        """Customers with such an order."""
        return int(self.customers[-1]) + 1 if len(self.customers) else 0


def read_baskets(
    con: DuckDB,
    *,
    as_of: date,
    levels: Sequence[str],
    exclude: Exclusions = NOTHING,
) -> Baskets:
    """Read the orders strictly before ``as_of`` as sets of the items of these levels.

    Needs ``transactions`` and ``products``. A product that is left out (see :func:`left_out`)
    puts nothing into an order, and an order without any item is no order here.

    Raises
    ------
    ValueError
        When ``levels`` is empty or names a level twice, or one that does not exist.

    """
    check_levels(levels)
    names = {level: no for no, level in enumerate(levels)}
    goods = "\nUNION ALL\n".join(
        f"""SELECT p.product_id, {no} AS level_no, CAST(p.{level} AS VARCHAR) AS item
        FROM products AS p WHERE p.{level} IS NOT NULL AND {exclude.allowed_sql()}"""
        for level, no in names.items()
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE basket_goods AS
        SELECT product_id, level_no, item,
            CAST(dense_rank() OVER (ORDER BY level_no, item) - 1 AS INTEGER) AS no
        FROM ({goods}) AS named
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE basket_orders AS
        SELECT order_id, customer_id, CAST(row_number() OVER () - 1 AS INTEGER) AS no
        FROM (SELECT order_id, min(customer_id) AS customer_id FROM transactions
              WHERE local_date < DATE '{as_of.isoformat()}' GROUP BY order_id) AS o
        """
    )
    cells = con.execute(
        f"""
        SELECT o.no AS order_no, g.no AS item_no
        FROM transactions AS t
        JOIN basket_orders AS o ON t.order_id = o.order_id
        JOIN basket_goods AS g ON t.product_id = g.product_id
        WHERE t.local_date < DATE '{as_of.isoformat()}'
        """
    ).fetchnumpy()
    orders = con.execute(
        """
        SELECT o.no, c.no AS customer_no FROM basket_orders AS o JOIN (
            SELECT customer_id, row_number() OVER (ORDER BY customer_id) - 1 AS no
            FROM (SELECT DISTINCT customer_id FROM basket_orders) AS known
        ) AS c ON o.customer_id = c.customer_id
        """
    ).fetchnumpy()
    items = con.execute(
        "SELECT min(level_no) AS level_no, min(item) AS item FROM basket_goods "
        "GROUP BY no ORDER BY no"
    ).df()
    related = np.empty((0, 2), dtype=np.int64)
    if len(levels) > 1:
        related = (
            con.execute(
                """
                SELECT DISTINCT a.no AS a, b.no AS b FROM basket_goods AS a
                JOIN basket_goods AS b ON a.product_id = b.product_id AND a.no < b.no
                """
            )
            .df()
            .to_numpy(np.int64)
        )
        items["item"] = [
            f"{levels[no]}: {name}" for no, name in zip(items.level_no, items.item, strict=True)
        ]
    for table in ("goods", "orders"):
        con.execute(f"DROP TABLE basket_{table}")
    customers_of = np.empty(len(orders["no"]), dtype=np.int64)
    customers_of[orders["no"]] = orders["customer_no"]
    rising = np.argsort(customers_of, kind="stable")
    place = np.empty(len(rising), dtype=np.int32)  # of each order among those of all customers
    place[rising] = np.arange(len(place), dtype=np.int32)
    matrix = sparse.coo_array(
        (
            np.ones(len(cells["order_no"]), dtype=np.int32),
            (place[cells["order_no"]], cells["item_no"]),
        ),
        shape=(len(place), len(items)),
    ).tocsr()  # adds up the lines of an item in an order
    matrix.data[:] = 1
    held = np.flatnonzero(np.diff(matrix.indptr))
    if len(held) < len(place):
        matrix = matrix[held]
    customers = np.unique(customers_of[rising][held], return_inverse=True)[1]
    return Baskets(
        matrix,
        items["item"].to_numpy(object),
        customers.astype(np.int64),
        related,
        " + ".join(levels),
    )


def left_out_sql(as_of: date, level: str, exclude: Exclusions) -> str:
    """Write the query of the order lines, each with the reason why it is left out, or null."""
    return f"""
        SELECT t.order_id, t.product_id,
            CASE WHEN p.{level} IS NULL THEN 'no {level}'
                ELSE {exclude.reason_sql()} END AS left_out
        FROM transactions AS t LEFT JOIN products AS p ON t.product_id = p.product_id
        WHERE t.local_date < DATE '{as_of.isoformat()}'
        """


def check_levels(levels: Sequence[str]) -> None:
    """Refuse what is no level of the products; a ValueError that names those there are."""
    if not levels or len(set(levels)) < len(levels):
        raise ValueError(f"levels == {list(levels)}, must name one or more, each once")
    for level in levels:
        if level not in LEVELS:
            raise ValueError(f"{level!r} is no level of products; known: {', '.join(LEVELS)}")
