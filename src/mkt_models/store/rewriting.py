"""Taking removed rows out of the files of a database: a DELETE alone leaves their bytes there.

PostgreSQL keeps a removed row until a vacuum, and its bytes until something else is written over
them, in the table and in each index. Only a table that is written anew (``VACUUM FULL``) is rid of
them. That locks the table, so it is done where it is short: for tables of up to ``MOST_BYTES``, and
only when the lock is had within a second. The others are vacuumed, and named.
"""

from collections.abc import Iterable

import sqlalchemy as sa

MOST_BYTES = 64 * 2**20  # of a table with its indexes
_LOCK, _STATEMENT = "1s", "20s"  # others wait for as long, at most


def rewrite(
    engine: sa.Engine, tables: Iterable[sa.Table], most_bytes: int = MOST_BYTES
) -> tuple[str, ...]:
    """Write tables of a PostgreSQL database anew, as far as that can be done at once.

    Nothing is raised for a table that cannot be: it is larger, in use, not of this role, an older
    transaction can still see what was removed, or the database does not answer any more.

    Parameters
    ----------
    engine
        Of the database; its transactions must have ended.
    tables
        From which rows were removed.
    most_bytes
        Larger tables, indexes included, are only vacuumed.

    Returns
    -------
    Names of the tables whose files may still hold removed rows.

    """
    wanted = tuple(tables)
    left = [table.name for table in wanted]
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            try:
                connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK}'")
                connection.exec_driver_sql(f"SET statement_timeout = '{_STATEMENT}'")
                for table in wanted:
                    if _rewritten(connection, table, most_bytes):
                        left.remove(table.name)
            finally:
                connection.invalidate()  # whom it serves next is not to have these limits
    except sa.exc.SQLAlchemyError:
        pass  # what is not done is named
    return tuple(left)


def _rewritten(connection: sa.Connection, table: sa.Table, most_bytes: int) -> bool:
    name = connection.dialect.identifier_preparer.format_table(table)
    try:
        # What a vacuum cannot remove yet, writing anew keeps too: it is counted first, before
        # ANALYZE, which counts otherwise.
        connection.exec_driver_sql(f"VACUUM {name}")
        file, size, dead = _state(connection, name)
        if size > most_bytes:
            return False
        connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {name}")
        # A role without the right is only warned: the file tells.
        return dead == 0 and _state(connection, name)[0] != file
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return False


def _state(connection: sa.Connection, name: str) -> tuple[int, int, int]:
    """A table's file, its bytes with indexes, and its rows that are removed but still seen."""
    query = sa.text(
        "SELECT pg_relation_filenode(t), pg_total_relation_size(t), pg_stat_get_dead_tuples(t) "
        "FROM (SELECT CAST(CAST(:name AS regclass) AS oid) AS t) AS named"
    )
    file, size, dead = connection.execute(query, {"name": name}).one()
    return int(file), int(size), int(dead)
