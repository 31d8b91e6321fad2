"""A shop that says nothing about its products still has products."""

from collections.abc import Collection

from mkt_models.columns import Table
from mkt_models.engine import DuckDB
from mkt_models.params import Mining
from mkt_models.sources.schemas import SCHEMAS


def ensure_products(con: DuckDB, tables: Collection[str]) -> bool:
    """Make ``products`` from the transactions when it is not among ``tables``.

    One row per product that was sold, every column but its id null. Returns whether the source
    has a table of products.
    """
    if Table.PRODUCTS.value in tables:
        return True
    unknown = ", ".join(
        f"CAST(NULL AS {kind}) AS {name}"
        for name, kind in SCHEMAS[Table.PRODUCTS].items()
        if name != "product_id"
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE products AS
        SELECT product_id, {unknown} FROM (SELECT DISTINCT product_id FROM transactions) AS t"""
    )
    return False


def known_levels(con: DuckDB, mining: Mining) -> Mining:
    """Leave out the levels of rules that no product has a value for.

    Where none remains, rules are mined between products. The parameters as they are otherwise.
    """
    names = [name for at in mining.rule_levels for name in at.levels]
    counted = ", ".join(f"count({name}) AS {name}" for name in dict.fromkeys(names))
    (counts,) = con.execute(f"SELECT {counted} FROM products").df().to_dict("records")
    known = tuple(at for at in mining.rule_levels if all(counts[name] for name in at.levels))
    if known == mining.rule_levels:
        return mining
    products = mining.rule_levels[0].model_copy(update={"levels": ("product_id",)})
    return mining.model_copy(update={"rule_levels": known or (products,)})
