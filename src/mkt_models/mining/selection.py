"""Which of a customer's candidates make the list: the best, with limits for variety."""

from dataclasses import dataclass
from math import ceil
from typing import Self

from mkt_models.params import Mining


@dataclass(frozen=True)
class Selection:
    """How long a list is, and how varied at least.

    Attributes
    ----------
    n_items
        items on the list
    new_share
        at least this share of them is new to the customer, as far as there are candidates
    max_per_category
        at most so many are of one category; products without one are not limited

    """

    n_items: int
    new_share: float = 0.0
    max_per_category: int | None = None

    @classmethod
    def of(cls, mining: Mining) -> Self:
        """Take what the parameters say of the usual list."""
        return cls(mining.n_items, mining.new_share, mining.max_per_category)

    @classmethod
    def discover(cls, mining: Mining) -> Self:
        """Take what the parameters say of the shelf discover."""
        return cls(mining.n_discover, 0.0, mining.discover_per_category)

    def sql(self, candidates: str, order: str) -> str:
        """Write the query of the lists: the candidates on them, with their ``rank`` from 1.

        ``candidates`` is a query with ``customer_id``, ``product_id``, ``category``, ``is_new``
        (1 or 0) and whatever ``order`` names. ``order`` decides without ties. Places for new
        items are filled first, by the best of them; the list is then in ``order``.
        """
        n_new = ceil(round(self.new_share * self.n_items, 9))
        query = f"SELECT *, 1 AS chosen FROM ({candidates}) AS c"
        if n_new:
            query = f"SELECT *, 1 AS fits FROM ({candidates}) AS c"
            if self.max_per_category is not None:
                query = f"""
        SELECT *, CASE WHEN category IS NULL OR in_new_category <= {self.max_per_category}
            THEN 1 ELSE 0 END AS fits
        FROM (SELECT *, row_number() OVER (PARTITION BY customer_id, is_new, category
                ORDER BY {order}) AS in_new_category FROM ({candidates}) AS c) AS n"""
            query = f"""
        SELECT *, CASE WHEN is_new = 1 AND fits = 1 AND among_new <= {n_new} THEN 0 ELSE 1 END
            AS chosen
        FROM (SELECT *, row_number() OVER (PARTITION BY customer_id, is_new, fits
                ORDER BY {order}) AS among_new FROM ({query}) AS f) AS a"""
        if self.max_per_category is not None:
            query = f"""
        SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY customer_id, category
                ORDER BY chosen, {order}) AS in_category FROM ({query}) AS s) AS g
        WHERE category IS NULL OR in_category <= {self.max_per_category}"""
        return f"""
        SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY {order}) AS rank FROM (
            SELECT *, row_number() OVER (PARTITION BY customer_id
                ORDER BY chosen, {order}) AS place FROM ({query}) AS p) AS placed
        WHERE place <= {self.n_items}
        """
