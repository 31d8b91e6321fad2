"""Customer ids that are one person: tied by a known key, such as a loyalty card.

Two ids that share a key of a declared kind are one person, and so are ids that are tied through a
third. A person has the smallest of their ids. Nothing is overwritten: the raw tables stay, and
``identity_map`` keeps which id became which, so that a run with other parameters undoes it.
"""

from collections.abc import Sequence

import pandas as pd

from mkt_models.engine import Connection, count, literal

# Each round halves the longest way, so that a chain of a thousand million ids is done.
ROUNDS = 30


class IdentityError(RuntimeError):
    """The ids of one person could not be brought together within the rounds."""


def find_persons(
    con: Connection, identities: str, merge_by: Sequence[str], most: int
) -> pd.DataFrame:
    """Find the person of every customer id that has a known key.

    Makes temporary tables, among them ``shared_keys`` (``kind``, ``value``) of the keys that too
    many ids share; ``persons`` (``source_customer_id``, ``customer_id``, ``merged_by``), one row
    per id in ``identities``; and ``another_ids``, the rows of ``persons`` whose id changes.

    Parameters
    ----------
    con
        An open engine.
    identities
        A relation of ``customer_id``, ``kind`` and ``value``, none of them null.
    merge_by
        The kinds of keys that make two ids one person.
    most
        A key that more ids share makes nobody one person.

    Returns
    -------
    DataFrame
        One row per kind of key; see :class:`mkt_models.cleaning.ledger.CleaningReport`.

    Raises
    ------
    IdentityError
        When the labels still change after :data:`ROUNDS` rounds.

    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE key_sizes AS
        SELECT kind, value, count(DISTINCT customer_id) AS ids FROM {identities} AS i
        GROUP BY kind, value"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE shared_keys AS
        SELECT kind, value FROM key_sizes WHERE ids > {most}"""
    )
    declared = ", ".join(literal(kind) for kind in merge_by) or "NULL"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE ties AS
        SELECT DISTINCT i.customer_id, i.kind, i.value FROM {identities} AS i
        JOIN key_sizes AS k ON k.kind = i.kind AND k.value = i.value
        WHERE k.ids BETWEEN 2 AND {most} AND i.kind IN ({declared})"""
    )
    labels = _spread_labels(con)
    merged_by = " || ".join(
        f"CASE WHEN max(CASE WHEN t.kind = {literal(kind)} THEN 1 ELSE 0 END) = 1 "
        f"THEN {literal('+' + kind)} ELSE '' END"
        for kind in merge_by
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE tied_ids AS
        SELECT l.customer_id AS source_customer_id, l.label AS customer_id,
               {f"substr({merged_by}, 2)" if merge_by else "''"} AS merged_by
        FROM {labels} AS l JOIN ties AS t ON t.customer_id = l.customer_id
        GROUP BY l.customer_id, l.label"""
    )
    con.execute(f"DROP TABLE IF EXISTS {labels}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE persons AS
        SELECT i.customer_id AS source_customer_id,
               coalesce(a.customer_id, i.customer_id) AS customer_id, a.merged_by
        FROM (SELECT DISTINCT customer_id FROM {identities} AS given) AS i
        LEFT JOIN tied_ids AS a ON a.source_customer_id = i.customer_id"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE another_ids AS
        SELECT source_customer_id, customer_id FROM persons
        WHERE source_customer_id <> customer_id"""
    )
    found = con.execute(
        f"""
        SELECT kind, CASE WHEN kind IN ({declared}) THEN TRUE ELSE FALSE END AS declared,
               count(*) AS keys, sum(CASE WHEN ids > 1 THEN 1 ELSE 0 END) AS shared_keys,
               sum(CASE WHEN ids > {most} THEN 1 ELSE 0 END) AS refused_keys
        FROM key_sizes GROUP BY kind ORDER BY kind"""
    ).df()
    return found.astype({"declared": bool, "shared_keys": "int64", "refused_keys": "int64"})


def identity_map_sql(has_customers: bool) -> str:
    """SQL of ``identity_map``: one row per customer id, the person that it is, and why.

    ``merged_by`` names the kinds of keys that tie the id to others, and is null where none does.
    Ids of a customer table (``source_ids``) without a known key are their own person.
    """
    known = "SELECT source_customer_id, customer_id, merged_by FROM persons"
    if has_customers:
        known += """ UNION ALL
            SELECT c.customer_id AS source_customer_id, c.customer_id,
                   CAST(NULL AS VARCHAR) AS merged_by
            FROM source_ids AS c WHERE NOT EXISTS
                (SELECT 1 FROM persons AS p WHERE p.source_customer_id = c.customer_id)"""
    return f"SELECT * FROM ({known}) AS known ORDER BY source_customer_id"


def no_persons(con: Connection) -> None:
    """Make the temporary tables of :func:`find_persons` without a row."""
    empty = "SELECT CAST(NULL AS VARCHAR) AS {} WHERE FALSE"
    text = " , CAST(NULL AS VARCHAR) AS "
    for name, columns in (
        ("shared_keys", ("kind", "value")),
        ("persons", ("source_customer_id", "customer_id", "merged_by")),
        ("another_ids", ("source_customer_id", "customer_id")),
    ):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {empty.format(text.join(columns))}")


def _spread_labels(con: Connection) -> str:
    """Give all ids that are tied, however indirectly, the smallest id among them as ``label``.

    In a round every id takes the smallest label among those that share a key with it, and then
    the label of that label. Returns the name of the table of the last round.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE labels_0 AS "
        "SELECT DISTINCT customer_id, customer_id AS label FROM ties"
    )
    for number in range(ROUNDS):
        labels, after = f"labels_{number}", f"labels_{number + 1}"
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE near_labels AS
            SELECT t.customer_id, min(k.label) AS label
            FROM ties AS t JOIN (
                SELECT x.kind, x.value, min(l.label) AS label
                FROM ties AS x JOIN {labels} AS l ON l.customer_id = x.customer_id
                GROUP BY x.kind, x.value
            ) AS k ON k.kind = t.kind AND k.value = t.value
            GROUP BY t.customer_id"""
        )
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE {after} AS
            SELECT n.customer_id, l.label
            FROM near_labels AS n JOIN near_labels AS l ON l.customer_id = n.label"""
        )
        old = f"JOIN {labels} AS o ON o.customer_id = n.customer_id"
        changed = count(con, f"{after} AS n {old}", "n.label <> o.label")
        con.execute(f"DROP TABLE IF EXISTS {labels}")
        if not changed:
            return after
    raise IdentityError(f"the ids of one person still change after {ROUNDS} rounds")
