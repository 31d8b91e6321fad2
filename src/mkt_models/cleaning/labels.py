"""Labels in several spellings: 'Female', 'FEMALE' and 'female ' are one group, not three.

Which spelling is right nobody says, so the one that most rows have is taken.
"""

from mkt_models.columns import PROFILE_DIMENSIONS, Dimension, Table
from mkt_models.engine import Connection, literal

# Columns whose texts name groups: of people, of goods, of topics.
LABELS: dict[Table, tuple[str, ...]] = {
    Table.CUSTOMERS: PROFILE_DIMENSIONS[Dimension.BASICS],
    Table.PRODUCTS: ("department", "category", "product_type", "brand"),
    Table.SOCIAL: ("topic",),
    Table.TICKETS: ("topic",),
    Table.CAMPAIGNS: ("campaign_type",),
}
USUAL = "usual_labels"


def find_usual_labels(con: Connection, table: Table) -> None:
    """Make the temporary table ``usual_labels``: every rare spelling of a label, and the usual one.

    One row per column (``name``) and text (``spelt``, without blanks around it) that differs from
    the text of most rows (``usual``, the first in the alphabet among equals) by case alone. Empty
    for a table without labels.
    """
    texts = " UNION ALL ".join(
        f"SELECT {literal(column)} AS name, trim({column}) AS spelt FROM {table.value}"
        for column in LABELS.get(table, ())
    )
    if not texts:
        texts = "SELECT '' AS name, '' AS spelt"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {USUAL} AS
        SELECT name, spelt, usual FROM (
            SELECT name, spelt, place, max(CASE WHEN place = 1 THEN spelt END) OVER (
                PARTITION BY name, lower(spelt)) AS usual
            FROM (
                SELECT name, spelt, row_number() OVER (
                    PARTITION BY name, lower(spelt) ORDER BY n DESC, spelt) AS place
                FROM (
                    SELECT name, spelt, count(*) AS n FROM ({texts}) AS t
                    WHERE spelt IS NOT NULL AND spelt <> '' GROUP BY name, spelt
                ) AS counted
            ) AS placed
        ) AS spellings
        WHERE place > 1"""
    )


def with_usual_labels(table: Table) -> str:
    """SQL of a raw table as ``t``, each row with the usual spellings of its labels.

    A spelling has one usual one at most, so that no row is doubled. Joins, because DuckDB took half
    a second to plan a correlated subquery for each label of the customers.
    """
    joins = "".join(
        f" LEFT JOIN {USUAL} AS u_{column} "
        f"ON u_{column}.name = {literal(column)} AND u_{column}.spelt = trim(t.{column})"
        for column in LABELS.get(table, ())
    )
    return f"{table.value} AS t{joins}"


def is_rare(column: str) -> str:
    """SQL condition on a row of :func:`with_usual_labels`: it has not the usual spelling."""
    return f"u_{column}.usual IS NOT NULL"


def usual(column: str) -> str:
    """SQL of the usual spelling of a label of such a row; blank text is null."""
    return f"coalesce(u_{column}.usual, NULLIF(trim(t.{column}), ''))"
