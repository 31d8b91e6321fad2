"""What cleaning writes: clean tables and those split from them, rows set aside, rows merged."""

from mkt_models.cleaning import outliers
from mkt_models.cleaning.cleaning_run import Run
from mkt_models.cleaning.ledger import too_much_set_aside
from mkt_models.cleaning.steps import added_columns, case, first_broken
from mkt_models.columns import Table
from mkt_models.engine import literal, write_parquet
from mkt_models.sources.schemas import SCHEMAS

# The clean tables that a raw one is split into, besides its own.
SPLIT: dict[Table, tuple[str, ...]] = {
    Table.TRANSACTIONS: ("returns", "failed_orders"),
    Table.EXPOSURES: ("controls",),
}
# By what a clean table is sorted; all its columns break ties.
_SORTED_BY: dict[Table, tuple[str, ...]] = {
    Table.TRANSACTIONS: ("occurred_at", "order_id"),
    Table.EVENTS: ("occurred_at", "customer_id"),
    Table.SOCIAL: ("occurred_at", "customer_id"),
}


def set_aside(run: Run, table: Table, tidy: str, rows_in: int) -> int:
    """Write the rows that break a rule, as they came; return how many."""
    rules = [r for r in run.rules_of(table) if r.action == "quarantine"]
    raw = ", ".join(f"raw_{c} AS {c}" for c in SCHEMAS[table])
    names = ", ".join(SCHEMAS[table])
    judged = (
        f"(SELECT * FROM (SELECT {raw}, {first_broken(rules)} AS rule FROM {tidy} AS t) AS j "
        "WHERE rule IS NOT NULL)"
    )
    reason = case([(f"rule = {literal(r.name)}", literal(r.says)) for r in rules])
    path = run.quarantine_to / f"{table.value}.parquet"
    query = f"SELECT {names}, rule, {reason} AS reason FROM {judged} AS j ORDER BY rule, {names}"
    aside = write_parquet(run.con, query, path)
    most = run.cleaning.max_quarantined_share
    if aside > most * rows_in:
        counted = f"SELECT rule, count(*) AS n FROM {judged} AS j GROUP BY rule"
        by_rule = {str(rule): int(n) for rule, n in run.con.execute(counted).fetchall()}
        raise too_much_set_aside(table.value, rows_in, by_rule, most)
    return aside


def write_target(run: Run, table: Table, kept: str, target: str) -> int:
    """Write a clean table: those of the kept rows that go there, sorted."""
    columns = [*SCHEMAS[table], *added_columns(run.source).get(table, {})]
    listed = ", ".join(f"k.{c}" for c in columns)
    order = ", ".join(dict.fromkeys((*_SORTED_BY.get(table, ()), *SCHEMAS[table])))
    path = run.clean_to / f"{target}.parquet"
    if target == "returns":
        query = f"SELECT {listed}, k.sale_order_id, k.sale_date FROM matched_returns AS k"
    elif target == Table.TRANSACTIONS.value:
        query = (
            f"SELECT {listed}, CASE WHEN {outliers.quantity_outlier(run.cleaning)} OR "
            f"coalesce({outliers.price_outlier()}, FALSE) THEN TRUE ELSE FALSE END AS outlier "
            f"FROM {kept} AS k LEFT JOIN usual_prices AS u ON u.product_id = k.product_id "
            f"WHERE k.goes_to = {literal(target)}"
        )
    else:
        query = f"SELECT {listed} FROM {kept} AS k WHERE k.goes_to = {literal(target)}"
    return write_parquet(run.con, f"SELECT * FROM ({query}) AS k ORDER BY {order}", path)


def write_merged(run: Run, table: Table, rows: str) -> None:
    """Write the rows that were merged into another from which they differ, each with its rule."""
    names = ", ".join(SCHEMAS[table])
    write_parquet(
        run.con,
        f"SELECT {names}, copies, rule, kept FROM ({rows}) AS m ORDER BY kept, {names}, rule",
        run.quarantine_to / "merged" / f"{table.value}.parquet",
    )
