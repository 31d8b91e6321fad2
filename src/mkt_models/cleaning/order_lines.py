"""What is found among the kept order lines: doubled orders, usual prices, the sales of returns."""

from mkt_models.cleaning import duplicates, outliers, returns
from mkt_models.cleaning.cleaning_run import Run
from mkt_models.cleaning.written_tables import write_merged
from mkt_models.columns import Table
from mkt_models.engine import Connection, count, literal
from mkt_models.sources.schemas import SCHEMAS


def find_in_lines(run: Run, kept: str, merges: dict[str, int]) -> tuple[str, int]:
    """Find doubled orders, usual prices and the sales of returns among the kept lines.

    Returns the relation of lines that remain and the rows merged that no longer stand in it.
    """
    con, apart = run.con, 0
    merged: list[tuple[str, str]] = []  # relation of lines, and the rule that merged them
    merges["same_line_number_twice"] = duplicates.find_repeated_lines(con, kept)
    if merges["same_line_number_twice"]:
        kept, more = _without(con, kept, "repeated_lines", "numbered_lines")
        apart += more
        merged.append(("repeated_lines", "same_line_number_twice"))
    merges["submitted_twice"] = duplicates.find_submitted_twice(
        con, kept, run.cleaning.double_seconds
    )
    if run.cleaning.merge_doubles and merges["submitted_twice"]:
        kept, more = _without(con, kept, "double_lines", "single_lines")
        apart += more
        merged.append(("double_lines", "submitted_twice"))
    if merged:
        names = ", ".join((*SCHEMAS[Table.TRANSACTIONS], "copies", "first_order AS kept"))
        parts = [f"SELECT {names}, {literal(rule)} AS rule FROM {one}" for one, rule in merged]
        write_merged(run, Table.TRANSACTIONS, " UNION ALL ".join(parts))
    outliers.find_usual_prices(con, kept, run.cleaning)
    returns.match_returns(con, kept)
    merges["return_without_sale"] = count(con, "matched_returns", "sale_order_id IS NULL")
    return kept, apart


def _without(con: Connection, kept: str, doubles: str, name: str) -> tuple[str, int]:
    """Make the table ``name`` of the lines that are not in ``doubles``.

    Returns it, and the raw rows that those in ``doubles`` stand for; ``kept`` is dropped.
    """
    query = duplicates.without_sql(kept, doubles)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    con.execute(f"DROP TABLE IF EXISTS {kept}")
    return name, totals(con, doubles)[0]


def totals(con: Connection, kept: str) -> tuple[int, int]:
    """Count the raw rows that a relation stands for, and its rows."""
    found = con.execute(f"SELECT coalesce(sum(copies), 0), count(*) FROM {kept} AS k").fetchall()
    return int(found[0][0]), int(found[0][1])
