"""Dirt: a known number of rows of each kind that are wrong, as real systems deliver them.

A row is hit by at most one kind, and only rows that could have a kind count for its share, so the
table of what was planted can be compared with what cleaning found, number by number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mkt_models.columns import Table
from mkt_models.simulation.randomness import Bools, Ints
from mkt_models.source_params import Dirt

Rows = Any  # an Arrow table
Rng = np.random.Generator
FAR_FUTURE = 40 * 365 * 86_400 * 1_000_000  # microseconds
DAY = 86_400 * 1_000_000


@dataclass(frozen=True)
class Kind:
    """One kind of dirt.

    Attributes
    ----------
    name
        Snake-case name, as the table of dirt shows it.
    table
        The canonical table that it is planted in.
    share
        The parameter that says how much.
    spoil
        Makes the wrong rows from good ones.
    adds
        Whether the wrong rows come on top of the good ones, or in their place.
    could
        Which rows could have it; all, when it is None.

    """

    name: str
    table: Table
    share: str
    spoil: Callable[[Rng, Rows], Rows]
    adds: bool = False
    could: Callable[[Rows], Any] | None = None


def plant(
    rows: Rows, table: Table, dirt: Dirt, rng: Rng
) -> tuple[Rows, dict[tuple[str, str], int]]:
    """Plant all kinds of a table; return the rows, and the number of each ``(kind, table)``."""
    kinds = [kind for kind in KINDS if kind.table is table]
    taken = np.zeros(rows.num_rows, dtype=bool)
    replaced = np.zeros(rows.num_rows, dtype=bool)
    wrong: list[Rows] = []
    counts: dict[tuple[str, str], int] = {}
    for kind in kinds:
        could = _mask(rows, kind)
        n = round(getattr(dirt, kind.share) * int(could.sum()))
        free = np.flatnonzero(could & ~taken)
        hit = np.sort(rng.choice(free, min(n, len(free)), replace=False))
        taken[hit] = True
        counts[kind.name, table.value] = len(hit)
        if len(hit):
            replaced[hit] = not kind.adds
            wrong.append(kind.spoil(rng, rows.take(pa.array(hit))).cast(rows.schema))
    if not wrong:
        return rows, counts
    return pa.concat_tables([rows.filter(pa.array(~replaced)), *wrong]), counts


def _mask(rows: Rows, kind: Kind) -> Bools:
    if kind.could is None:
        return np.ones(rows.num_rows, dtype=bool)
    mask = pc.fill_null(kind.could(rows), False)
    return np.asarray(mask.to_numpy(zero_copy_only=False) if hasattr(mask, "to_numpy") else mask)


def _set(rows: Rows, column: str, values: Any) -> Rows:
    place = rows.schema.get_field_index(column)
    return rows.set_column(place, rows.schema.field(place), _as(values, rows.schema.field(place)))


def _as(values: Any, field: Any) -> Any:
    if isinstance(values, pa.ChunkedArray | pa.Array):
        return values.cast(field.type)
    if pa.types.is_timestamp(field.type):
        return pa.array(values, pa.int64()).cast(field.type)
    return pa.array(values, field.type)


def _micros(rows: Rows, column: str) -> Ints:
    return np.asarray(rows[column].cast(pa.int64()).to_numpy())


def _same(rng: Rng, rows: Rows) -> Rows:
    return rows


def _nulls(*columns: str) -> Callable[[Rng, Rows], Rows]:
    """Leave out one of the columns per row, in turn."""

    def spoil(rng: Rng, rows: Rows) -> Rows:
        turn = np.arange(rows.num_rows) % len(columns)
        for i, column in enumerate(columns):
            out = pa.array(turn == i)
            kept = pc.if_else(out, pa.scalar(None, rows.schema.field(column).type), rows[column])
            rows = _set(rows, column, kept)
        return rows

    return spoil


def _unknown(column: str) -> Callable[[Rng, Rows], Rows]:
    """Name something that is in no table."""

    def spoil(rng: Rng, rows: Rows) -> Rows:
        numbers = rng.integers(0, 100_000, rows.num_rows)
        return _set(rows, column, [f"X{number:06d}" for number in numbers])

    return spoil


def _constant(column: str, value: float) -> Callable[[Rng, Rows], Rows]:
    def spoil(rng: Rng, rows: Rows) -> Rows:
        return _set(rows, column, [value] * rows.num_rows)

    return spoil


def _negated(column: str) -> Callable[[Rng, Rows], Rows]:
    def spoil(rng: Rng, rows: Rows) -> Rows:
        return _set(rows, column, pc.negate(rows[column]))

    return spoil


def _shifted(column: str, low: int, high: int) -> Callable[[Rng, Rows], Rows]:
    """Move a time by whole seconds from ``low`` to below ``high``."""

    def spoil(rng: Rng, rows: Rows) -> Rows:
        by = rng.integers(low, high, rows.num_rows) * 1_000_000
        return _set(rows, column, _micros(rows, column) + by)

    return spoil


def _far_ahead(column: str) -> Callable[[Rng, Rows], Rows]:
    def spoil(rng: Rng, rows: Rows) -> Rows:
        by = FAR_FUTURE + rng.integers(0, 365, rows.num_rows) * DAY
        return _set(rows, column, _micros(rows, column) + by)

    return spoil


def _mistyped(column: str) -> Callable[[Rng, Rows], Rows]:
    """Write a label in capitals, or with blanks around it, in turn."""

    def spoil(rng: Rng, rows: Rows) -> Rows:
        capitals = pa.array(np.arange(rows.num_rows) % 2 == 0)
        padded = pc.binary_join_element_wise(pa.scalar(" "), rows[column], pa.scalar("  "), "")
        return _set(rows, column, pc.if_else(capitals, pc.utf8_upper(rows[column]), padded))

    return spoil


def _ordered_again(rng: Rng, rows: Rows) -> Rows:
    """Write an order once more, as another order, some seconds later."""
    again = _set(rows, "order_id", pc.utf8_replace_slice(rows["order_id"], 0, 1, "D"))
    return _shifted("occurred_at", 1, 60)(rng, again)


def _too_early(rng: Rng, rows: Rows) -> Rows:
    """Move an order line to 1 to 20 days before its customer registered."""
    days = rng.integers(1, 21, rows.num_rows)
    return _set(rows, "occurred_at", np.asarray(rows["registered_at"].to_numpy()) - days * DAY)


def _before_it_opened(rng: Rng, rows: Rows) -> Rows:
    hours = rng.integers(1, 200, rows.num_rows) * 3600 * 1_000_000
    return _set(rows, "resolved_at", _micros(rows, "opened_at") - hours)


def _sale(rows: Rows) -> Any:
    """Completed sale lines of some amount: the only ones that are spoilt."""
    sold = pc.and_(pc.greater(rows["quantity"], 0), pc.greater(rows["amount_cents"], 0))
    return pc.and_(sold, pc.equal(rows["status"], "completed"))


def _sale_of_new(rows: Rows) -> Any:
    """Sales of customers who registered long enough after the first recorded sale."""
    first = pc.min(rows["occurred_at"].cast(pa.int64()))
    late = pc.greater(pc.subtract(rows["registered_at"], pc.add(first, 30 * DAY)), 0)
    return pc.and_(_sale(rows), late)


def _only_line(rows: Rows) -> Any:
    """Sales that are the only line of their order."""
    order = rows["order_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    return pc.and_(_sale(rows), pa.array(np.bincount(order)[order] == 1))


def _known(column: str) -> Callable[[Rows], Any]:
    return lambda rows: pc.is_valid(rows[column])


_T = Table.TRANSACTIONS
_SECOND_COPY = tuple(
    Kind("exact_duplicate", table, "exact_duplicates", _same, adds=True)
    for table in Table
    if table not in (Table.TRANSACTIONS, Table.CAMPAIGNS)
)
KINDS: tuple[Kind, ...] = (
    Kind("exact_duplicate", _T, "exact_duplicates", _same, adds=True, could=_sale),
    Kind("near_duplicate", _T, "near_duplicates", _shifted("occurred_at", 1, 60), True, _sale),
    Kind("double_order", _T, "near_duplicates", _ordered_again, adds=True, could=_only_line),
    Kind(
        "missing_key",
        _T,
        "missing_keys",
        _nulls("customer_id", "order_id", "product_id", "occurred_at"),
        could=_sale,
    ),
    Kind("missing_amount", _T, "missing_amounts", _nulls("amount_cents"), could=_sale),
    Kind("negative_amount", _T, "negative_amounts", _negated("amount_cents"), could=_sale),
    Kind("orphan_product", _T, "orphans", _unknown("product_id"), could=_sale),
    Kind("orphan_customer", _T, "orphans", _unknown("customer_id"), could=_sale),
    Kind("future_time", _T, "impossible_times", _far_ahead("occurred_at"), could=_sale),
    Kind("before_registration", _T, "impossible_times", _too_early, could=_sale_of_new),
    Kind("absurd_quantity", _T, "absurd_values", _constant("quantity", 99_999), could=_sale),
    *_SECOND_COPY,
    Kind("missing_key", Table.CUSTOMERS, "missing_keys", _nulls("customer_id"), adds=True),
    Kind(
        "impossible_birth_year",
        Table.CUSTOMERS,
        "absurd_values",
        _constant("birth_year", 1825),
        could=_known("birth_year"),
    ),
    Kind(
        "broken_label",
        Table.CUSTOMERS,
        "broken_labels",
        _mistyped("gender"),
        could=_known("gender"),
    ),
    Kind("missing_key", Table.IDENTITIES, "missing_keys", _nulls("value"), adds=True),
    Kind("broken_label", Table.PRODUCTS, "broken_labels", _mistyped("category")),
    Kind("missing_label", Table.PRODUCTS, "broken_labels", _nulls("category", "product_type")),
    Kind("absurd_price", Table.PRODUCTS, "absurd_values", _negated("price_cents")),
    Kind("orphan_product", Table.OFFERS, "orphans", _unknown("product_id"), adds=True),
    Kind("missing_key", Table.EVENTS, "missing_keys", _nulls("customer_id", "kind", "occurred_at")),
    Kind("orphan_customer", Table.EVENTS, "orphans", _unknown("customer_id")),
    Kind(
        "orphan_product",
        Table.EVENTS,
        "orphans",
        _unknown("product_id"),
        could=_known("product_id"),
    ),
    Kind("future_time", Table.EVENTS, "impossible_times", _far_ahead("occurred_at")),
    Kind(
        "negative_dwell",
        Table.EVENTS,
        "absurd_values",
        _constant("dwell_seconds", -1),
        could=_known("dwell_seconds"),
    ),
    Kind(
        "rating_out_of_range",
        Table.EVENTS,
        "absurd_values",
        _constant("rating", 11),
        could=_known("rating"),
    ),
    Kind("broken_label", Table.EVENTS, "broken_labels", _mistyped("kind")),
    Kind("missing_key", Table.SOCIAL, "missing_keys", _nulls("customer_id", "kind")),
    Kind("future_time", Table.SOCIAL, "impossible_times", _far_ahead("occurred_at")),
    Kind("negative_followers", Table.SOCIAL, "absurd_values", _constant("followers", -5)),
    Kind("broken_label", Table.SOCIAL, "broken_labels", _mistyped("topic")),
    Kind("orphan_order", Table.TICKETS, "orphans", _unknown("order_id")),
    Kind(
        "resolved_before_opened",
        Table.TICKETS,
        "impossible_times",
        _before_it_opened,
        could=_known("resolved_at"),
    ),
    Kind(
        "satisfaction_out_of_range",
        Table.TICKETS,
        "absurd_values",
        _constant("satisfaction", 9),
        could=_known("satisfaction"),
    ),
    Kind("outcome_without_exposure", Table.OUTCOMES, "orphans", _unknown("customer_id"), adds=True),
    Kind("broken_label", Table.CONSENTS, "broken_labels", _mistyped("status")),
)
