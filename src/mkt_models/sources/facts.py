"""What a folder of canonical tables holds: rows, customers, days, gaps; for a look before a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mkt_models.columns import Table
from mkt_models.engine import DuckDB, literal
from mkt_models.sources.schemas import CANONICAL
from mkt_models.sources.vocabularies import VOCABULARIES, spelling, unknown_word

STRAY_DAYS = 90
_WORDS_SHOWN = 4
_FEW = 0.02  # so many may be dirt: wrong times, a customer of two accounts
_ORDER_DAYS = 2  # no order has lines further apart
_IDS = ("customer_id", "order_id", "product_id")
_DISCOUNTS = ("loyalty_discount_cents", "coupon_discount_cents", "coupon_match_discount_cents")


@dataclass(frozen=True)
class TableFacts:
    """What a canonical table holds.

    Attributes
    ----------
    table
        The table.
    rows
        Its rows.
    customers
        Distinct customers in it; None where it has no customers.
    first, last
        The first and last day, on the shop's calendar; None where it has no days.
    missing
        Of each column, in how many rows it is null.

    """

    table: Table
    rows: int
    customers: int | None
    first: date | None
    last: date | None
    missing: Mapping[str, int]

    @property
    def given(self) -> set[str]:
        """The columns that have a value somewhere."""
        return {column for column, n in self.missing.items() if n < self.rows}


def facts(con: DuckDB, folder: Path, time_zone: str) -> list[TableFacts]:
    """Count what every canonical table of a folder holds, in the order of the tables."""
    return [
        _facts(con, table, folder / f"{table.value}.parquet", time_zone)
        for table in Table
        if (folder / f"{table.value}.parquet").is_file()
    ]


def _facts(con: DuckDB, table: Table, path: Path, time_zone: str) -> TableFacts:
    columns = CANONICAL[table].columns
    who = "count(DISTINCT customer_id)" if "customer_id" in columns else "NULL"
    when = day_of(table, time_zone)
    ends = f"min({when}), max({when})" if when else "NULL, NULL"
    gaps = ", ".join(f"count(*) - count({column})" for column in columns)
    row = con.execute(
        f"SELECT count(*), {who}, {ends}, {gaps} FROM read_parquet({literal(path)})"
    ).fetchall()[0]
    missing = dict(zip(columns, map(int, row[4:]), strict=True))
    return TableFacts(table, int(row[0]), row[1], row[2], row[3], missing)


def day_of(table: Table, time_zone: str) -> str | None:
    """SQL of the day that a row of a table belongs to, on the shop's calendar; None without one."""
    kinds = CANONICAL[table].columns
    for column in ("occurred_at", "opened_at", "occurred_on", "sent_on", "starts_on", "changed_on"):
        if kinds.get(column) == "TIMESTAMP":
            return f"CAST(timezone({literal(time_zone)}, timezone('UTC', {column})) AS DATE)"
        if column in kinds:
            return column
    return None


@dataclass(frozen=True)
class Span:
    """First and last day of the order lines, and how many are dated far away from all others."""

    first: date | None
    last: date | None
    strays: int


def span(con: DuckDB, transactions: str, time_zone: str) -> Span:
    """Find the days that the order lines reach over; impossible dates do not stretch it.

    A line is a stray when it is dated more than :data:`STRAY_DAYS` days before the first half
    percent of all lines, or after the last. ``transactions`` is SQL of a relation.
    """
    day = day_of(Table.TRANSACTIONS, time_zone)
    row = con.execute(
        f"""
        WITH days AS (SELECT {day} AS day FROM {transactions} AS lines), ends AS (
            SELECT quantile_disc(day, 0.005) - {STRAY_DAYS} AS low,
                   quantile_disc(day, 0.995) + {STRAY_DAYS} AS high
            FROM days
        )
        SELECT min(CASE WHEN day BETWEEN low AND high THEN day END),
               max(CASE WHEN day BETWEEN low AND high THEN day END),
               sum(CASE WHEN day < low OR day > high THEN 1 ELSE 0 END)
        FROM days, ends"""
    ).fetchall()[0]
    return Span(row[0], row[1], int(row[2] or 0))


def oddities(con: DuckDB, folder: Path, mapped: Sequence[str]) -> list[str]:
    """What is worth knowing of the order lines before they are cleaned, in sentences.

    ``mapped`` are the columns of the transactions that the source fills; equal rows are counted
    over them.
    """
    lines = f"read_parquet({literal(folder / 'transactions.parquet')})"
    equal = ", ".join(f"COALESCE(CAST({column} AS VARCHAR), '')" for column in mapped)
    conditions = {
        "returns": "quantity < 0 OR amount_cents < 0",
        "undone": "status IN ('cancelled', 'failed')",
        "nobody": "customer_id IS NULL",
        "pieces": "quantity IS NOT NULL",
        "numbered": "line_id IS NOT NULL",
        **{f"{name} point": f"{name} LIKE '%.0'" for name in _IDS},
        **{f"{name} -": f"{name} < 0" for name in _DISCOUNTS},
        **{f"{name} +": f"{name} > 0" for name in _DISCOUNTS},
    }
    counted = ", ".join(f"sum(CASE WHEN {one} THEN 1 ELSE 0 END)" for one in conditions.values())
    full = f"CASE WHEN COALESCE({', '.join(f'CAST({c} AS VARCHAR)' for c in mapped)}) IS NOT NULL"
    row = con.execute(
        f"SELECT count(*), count({full} THEN 1 END) - count(DISTINCT {full} THEN hash({equal}) END)"
        ", count(DISTINCT customer_id)"
        f" - count(DISTINCT lower(customer_id)), {counted} FROM {lines}"
    ).fetchall()[0]
    n, twice, by_case = int(row[0]), int(row[1]), int(row[2])
    of = {name: int(value or 0) for name, value in zip(conditions, row[3:], strict=True)}
    told = []
    if again := _numbers_used_again(con, lines):
        told.append(again)
    if by_case:
        told.append(
            f"{by_case:,} customer ids differ from another one by upper and lower case alone; if "
            "they are the same customers, write them alike in the export, or map both to one key "
            "under identities and name its kind in cleaning.merge_by"
        )
    if twice:
        told.append(
            f"{_of(twice, n)} stand twice, equal in every mapped column (exports that overlap?); "
            "cleaning counts them once"
        )
        if not of["numbered"]:
            told.append(
                "line_id is not mapped: two equal lines of one order cannot be told from one line "
                "that was exported twice"
            )
    if of["returns"]:
        told.append(f"{_of(of['returns'], n)} are returns: a negative quantity or amount")
    if of["undone"]:
        told.append(f"{_of(of['undone'], n)} belong to cancelled or failed orders")
    if of["nobody"]:
        told.append(f"{_of(of['nobody'], n)} name no customer; cleaning sets them aside")
    if n and not of["pieces"]:
        told.append("quantity is not mapped; where every line is one piece, quantity: {value: 1}")
    told += [
        f"{name} ends in '.0' in {_of(of[f'{name} point'], n)}"
        "; was it written as a number? whole_number: true"
        for name in _IDS
        if of[f"{name} point"] > n / 2
    ]
    told += [
        f"{name} is negative in {_of(of[f'{name} -'], n)}; it is the amount taken off, so "
        "negate: true"
        for name in _DISCOUNTS
        if of[f"{name} -"] > of[f"{name} +"]
    ]
    return told


def _numbers_used_again(con: DuckDB, lines: str) -> str:
    """Say which order numbers stand for several orders; empty when hardly any does."""
    n, orders, example = con.execute(
        f"""
        SELECT count(CASE WHEN again THEN 1 END), count(*), min(CASE WHEN again THEN order_id END)
        FROM (
            SELECT order_id, count(DISTINCT customer_id) > 1
                OR DATEDIFF('day', min(occurred_at), max(occurred_at)) > {_ORDER_DAYS} AS again
            FROM {lines}
            WHERE order_id IS NOT NULL AND COALESCE(quantity, 0) >= 0
              AND COALESCE(amount_cents, 0) >= 0
            GROUP BY order_id
        ) AS numbers"""
    ).fetchall()[0]
    if n <= _FEW * orders:
        return ""
    return (
        f"{n:,} of {orders:,} order numbers ({n / orders:.1%}) stand for several customers, or for "
        f"days more than {_ORDER_DAYS} apart, e.g. {example!r}; where the shop uses numbers again, "
        "make them whole: order_id: {from: [store, date, number]}"
    )


@dataclass(frozen=True)
class UnknownWords:
    """Words of a column that are none of those it may hold.

    Attributes
    ----------
    table, column
        Where they stand.
    rows, given
        How many rows hold such a word, and any word.
    words
        The commonest.

    """

    table: Table
    column: str
    rows: int
    given: int
    words: tuple[str, ...]

    @property
    def share(self) -> float:
        """The part of the rows with a word whose word is unknown."""
        return self.rows / self.given


def unknown_words(con: DuckDB, folder: Path) -> list[UnknownWords]:
    """Find the words of statuses, kinds and channels that cleaning would not know."""
    found = []
    for table, columns in VOCABULARIES.items():
        path = folder / f"{table.value}.parquet"
        for column, words in columns.items() if path.is_file() else ():
            if not words.known:
                continue
            spelled = f"(SELECT {column} AS word, {spelling(column, words)} AS {column}"
            spelled += f" FROM read_parquet({literal(path)})) AS spelled"
            strange = f"FROM {spelled} WHERE {unknown_word(table, column)}"
            rows = con.execute(
                f"SELECT word, count(*) AS n {strange} GROUP BY word ORDER BY n DESC, word"
            ).fetchall()
            if rows:
                given = con.execute(f"SELECT count({column}) FROM {spelled}").fetchall()[0][0]
                most = tuple(str(word) for word, _ in rows[:_WORDS_SHOWN])
                found.append(UnknownWords(table, column, sum(n for _, n in rows), int(given), most))
    return found


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} order lines ({part / whole:.1%})"
