"""SQL of the steps that a table passes while it is cleaned."""

from collections.abc import Iterable, Sequence

from mkt_models.cleaning.clock import local_day, local_hour
from mkt_models.cleaning.contact_rules import FIRST_DAY, LAST_DAY
from mkt_models.cleaning.labels import with_usual_labels
from mkt_models.cleaning.rules import CUSTOMER_COLUMNS
from mkt_models.columns import Table
from mkt_models.engine import literal
from mkt_models.source_params import Source
from mkt_models.sources.canonical import Rule
from mkt_models.sources.schemas import SCHEMAS


def added_columns(source: Source) -> dict[Table, dict[str, tuple[str, str]]]:
    """Columns that clean tables have beyond the canonical ones: name to (type, SQL).

    Columns that are found later, from other rows (``outlier``, and the sale of a return), are not
    among them.
    """
    zone = source.time_zone
    shop_time = {
        "local_date": ("DATE", local_day(zone)),
        "local_hour": ("INTEGER", local_hour(zone)),
    }
    return {
        Table.TRANSACTIONS: shop_time,
        Table.EVENTS: shop_time,
        Table.SOCIAL: shop_time,
        Table.TICKETS: {
            "opened_on": ("DATE", local_day(zone, "opened_at")),
            "resolved_on": ("DATE", local_day(zone, "resolved_at")),
        },
        Table.CAMPAIGNS: {
            "left_censored": ("BOOLEAN", f"starts_on < {FIRST_DAY}"),
            "right_censored": ("BOOLEAN", f"ends_on > {LAST_DAY}"),
        },
    }


def tidy_sql(table: Table, rules: Sequence[Rule], *, persons: bool) -> str:
    """SQL of a raw table in its one spelling, with customer ids of persons.

    The canonical columns, each of them again as it came (``raw_<name>``), for each normalising
    rule whether it touched the row (``hit_<name>``), and ``another_id``: 1 where the customer id
    was another one of the person.
    """
    normal = [rule for rule in rules if rule.action == "normalise"]
    forms = {column: column for column in SCHEMAS[table]}
    for rule in normal:
        forms |= rule.sets
    spelled = ", ".join(
        [
            *(f"CAST({form} AS {SCHEMAS[table][c]}) AS {c}" for c, form in forms.items()),
            *(f"{c} AS raw_{c}" for c in forms),
            *(f"CASE WHEN {r.when} THEN 1 ELSE 0 END AS hit_{r.name}" for r in normal),
        ]
    )
    inner = f"SELECT {spelled} FROM {with_usual_labels(table)}"
    theirs = [c for c in CUSTOMER_COLUMNS if c in forms] if persons else []
    if not theirs:
        return f"SELECT s.*, 0 AS another_id FROM ({inner}) AS s"
    others = ", ".join(f"s.{c}" for c in forms if c not in theirs)
    raw = ", ".join(f"s.raw_{c}" for c in forms)
    hits = "".join(f", s.hit_{r.name}" for r in normal)
    ids = ", ".join(f"coalesce(p_{c}.customer_id, s.{c}) AS {c}" for c in theirs)
    changed = " OR ".join(f"p_{c}.customer_id IS NOT NULL" for c in theirs)
    joins = " ".join(
        f"LEFT JOIN another_ids AS p_{c} ON p_{c}.source_customer_id = s.{c}" for c in theirs
    )
    return (
        f"SELECT {ids}, {others}, {raw}{hits}, CASE WHEN {changed} THEN 1 ELSE 0 END AS another_id "
        f"FROM ({inner}) AS s {joins}"
    )


def kept_sql(table: Table, rules: Sequence[Rule], source: Source, tidy: str, sold: bool) -> str:
    """SQL of the rows that break no rule: equal ones merged, changed, and told where they go.

    One row per different row, with ``copies``, how many raw rows it stands for, and ``goes_to``,
    the clean table that receives it. ``tidy`` is the relation of :func:`tidy_sql`; without
    ``sold``, a table of transactions, nobody knows which campaigns reach beyond the data.
    """
    columns = list(SCHEMAS[table])
    broken = first_broken(rules)
    names = ", ".join(columns)
    changing = [rule for rule in rules if rule.action in ("change", "move") and rule.sets]
    values = {c: case([(r.when, r.sets[c]) for r in changing if c in r.sets], c) for c in columns}
    exprs = [f"CAST({values[c]} AS {kind}) AS {c}" for c, kind in SCHEMAS[table].items()]
    changed = ", ".join([*exprs, "copies", "goes_to"])
    moves = [(rule.when, literal(rule.to)) for rule in rules if rule.action == "move"]
    added = [
        f", CAST({sql if sold or table is not Table.CAMPAIGNS else 'NULL'} AS {kind}) AS {name}"
        for name, (kind, sql) in added_columns(source).get(table, {}).items()
    ]
    return (
        f"SELECT t.*{''.join(added)} FROM (SELECT {changed} FROM ("
        f"SELECT t.*, {case(moves, literal(table.value))} AS goes_to FROM ("
        f"SELECT {names}, count(*) AS copies FROM {tidy} AS t WHERE {broken} IS NULL "
        f"GROUP BY {names}) AS t) AS t) AS t"
    )


def first_broken(rules: Iterable[Rule]) -> str:
    """SQL of the name of the first quarantine rule that a row breaks; null when it breaks none."""
    return case([(r.when, literal(r.name)) for r in rules if r.action == "quarantine"])


def case(branches: list[tuple[str, str]], otherwise: str = "CAST(NULL AS VARCHAR)") -> str:
    """SQL of the first branch whose condition holds."""
    if not branches:
        return otherwise
    whens = " ".join(f"WHEN {when} THEN {then}" for when, then in branches)
    return f"CASE {whens} ELSE {otherwise} END"
