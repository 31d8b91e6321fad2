"""Known after the fact: does any feature know what came on its cutoff or later?

:func:`changed_by_the_future` computes the features of one cutoff again, from clean tables without
the rows of that day and later, and from clean tables in which those rows are garbled: they all
happen on that very day, to other customers, with other amounts. So a feature that looks one day
too far is seen even in a table that happens to have no row on that day. A feature that looks
strictly before its cutoff cannot change. The rows that are compared are those that the model is
trained on, so that a column that was joined to them from elsewhere is seen too.

What the clean tables themselves know too early is out of reach: a customer merged with another by
a key that came later, and the tables that no day dates (customers, products, offers).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import DuckDB, columns, count, tables
from mkt_models.models.offer_features import offer_choices
from mkt_models.models.propensity import with_features
from mkt_models.profiles.available import DATED
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.features import features_at, prepare_orders

# What a row of a clean table is dated by; a campaign is known on the day it begins.
DAY: Mapping[str, str] = {
    **{table: days[0] for table, days in DATED.items()},
    "controls": "sent_on",
    "consents": "changed_on",
}
BEGINS = {"campaigns": "starts_on"}
# What becomes known of a row on a later day than the row itself.
LATER: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tickets": ("resolved_on", ("resolved_on", "resolved_at", "satisfaction")),
}
# Sums of doubles may differ in their last digits with the order of rows.
TOLERANCE = 1e-9

# Prepares what it needs on the connection and gives the keys and the features of one cutoff.
Compute = Callable[[DuckDB], pd.DataFrame]


def customers_at(as_of: date) -> Compute:
    """How the features of churn and value are computed: customers at a date."""

    def compute(con: DuckDB) -> pd.DataFrame:
        prepare_orders(con)
        return features_at(con, [as_of])

    return compute


def pairs_at(pairs: pd.DataFrame) -> Compute:
    """How the features of propensity are computed, for pairs of customer and campaign."""

    def compute(con: DuckDB) -> pd.DataFrame:
        prepare_orders(con)
        return with_features(con, pairs)

    return compute


def choices_at(pairs: pd.DataFrame, hidden: Exclusions) -> Compute:
    """How the features of the offers of such pairs are computed."""

    def compute(con: DuckDB) -> pd.DataFrame:
        return offer_choices(con, pairs, hidden)

    return compute


class TimeGuardError(ValueError):
    """A feature that knows the future; the message names it and says what to do."""


def changed_by_the_future(
    con: DuckDB,
    rows: pd.DataFrame,
    keys: Sequence[str],
    features: Sequence[str],
    as_of: date,
    compute: Compute,
) -> pd.DataFrame:
    """One row per feature: in how many rows it changes when the future is gone, or garbled.

    Parameters
    ----------
    con
        DuckDB with the clean views. It is left as it is: all is done on a cursor of it, whose
        temporary views stand before the clean ones.
    rows
        What the model is trained on, at any dates; those of ``as_of`` are compared.
    keys
        Columns that name a row, ``as_of`` among them.
    features
        Columns to compare: the features, or a label with the end of its horizon as ``as_of``.
    as_of
        The first day that may not be known.
    compute
        Computes the keys and the features on a connection with the clean views and nothing else,
        such as ``prepare_orders`` and ``features_at``. A table that no row of is dated (customers,
        products, offers) it sees whole: its values are taken as known at all times.

    Returns
    -------
    DataFrame
        feature; n (rows of ``as_of``); without_future, garbled (rows that change); example (of the
        first row that changes: its keys, the value it was trained with and the value without the
        future; else empty)

    Raises
    ------
    ValueError
        When no row is of ``as_of``, or no table has a row on or after it: nothing is shown then.

    """
    trained = rows[rows[AS_OF] == pd.Timestamp(as_of)] if AS_OF in keys else rows
    if trained.empty:
        raise ValueError(f"as_of == {as_of}: no row is of this date; take a cutoff of the rows")
    dated = _dated(con, as_of)
    if not dated:
        raise ValueError(
            f"as_of == {as_of}: not evaluated: no clean table has a row on or after this day; "
            "take an earlier cutoff"
        )
    trained = trained[[*keys, *features]].reset_index(drop=True)
    changed, examples = {}, dict.fromkeys(features, "")
    for name, garbled in (("without_future", False), ("garbled", True)):
        again = _again(con, dated, as_of, compute, garbled=garbled)
        found = _aligned(trained, again, keys, features)
        differs = pd.DataFrame(
            {f: _differs(trained[f], found[f]) for f in features}, index=trained.index
        )
        changed[name] = differs.sum()
        for feature in features:
            if differs[feature].any() and not examples[feature]:
                first = int(np.argmax(differs[feature]))
                who = ", ".join(str(trained[key].iloc[first]) for key in keys if key != AS_OF)
                before, after = (float(t[feature].iloc[first]) for t in (trained, found))
                examples[feature] = f"{who}: {before:g} in training, {after:g} {_HOW[name]}"
    out = pd.DataFrame(changed).rename_axis("feature").reset_index()
    out.insert(1, "n", len(trained))
    return out.assign(example=list(examples.values()))


_HOW = {"without_future": "without the future", "garbled": "with another future"}


def unchanged_in_words(table: pd.DataFrame, windows: pd.DataFrame, as_of: date) -> str:
    """Say in a sentence what the guard and ``label_windows`` found, when both let it pass."""
    return (
        f"None of {len(table)} features changes in {table['n'].iloc[0]:,} rows of {as_of} when all "
        f"that came later is removed or garbled; {windows['days_between'].min()} days lie between "
        "the last label trained on and its test, at least."
    )


def check_unchanged(table: pd.DataFrame, as_of: date) -> None:
    """Raise TimeGuardError, naming every feature of ``changed_by_the_future`` that changes."""
    known = table[(table["without_future"] > 0) | (table["garbled"] > 0)]
    if known.empty:
        return
    lines = [
        f"  {row.feature}: {row.without_future:,} of {row.n:,} rows change without the future, "
        f"{row.garbled:,} with another one ({row.example})"
        for row in known.itertuples()
    ]
    raise TimeGuardError(
        f"{len(known)} of {len(table)} features know what came on or after {as_of}:\n"
        + "\n".join(lines)
        + "\nLet each look strictly before as_of (local_date < as_of), or drop it (features.drop); "
        "no reason can allow it, for no customer of today has a future to look at"
    )


def _dated(con: DuckDB, as_of: date) -> dict[str, str]:
    """The day of every dated table that is there, if any holds a future at all; else nothing."""
    there = tables(con)
    found = {name: day for name, day in {**DAY, **BEGINS}.items() if name in there}
    future = any(
        count(con, name, f"{day} >= DATE '{as_of}'")
        for name, day in found.items()
        if name not in BEGINS
    )
    return found if future else {}


def _again(
    con: DuckDB, dated: Mapping[str, str], as_of: date, compute: Compute, *, garbled: bool
) -> pd.DataFrame:
    """Compute on a cursor in which every dated table ends before the day, or goes on otherwise."""
    with con.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        places = _places(cursor)
        if garbled:
            cursor.execute(
                f"CREATE TEMP TABLE other_customers AS SELECT customer_id, COALESCE("
                f"LEAD(customer_id) OVER (ORDER BY customer_id), min(customer_id) OVER ()) AS other"
                f" FROM (SELECT DISTINCT customer_id FROM {places['transactions']}) AS c"
            )
        for table, day in dated.items():
            # A campaign is announced by the day on which it begins; all else only the day after.
            first = as_of + timedelta(days=1) if table in BEGINS else as_of
            query = _view(cursor, table, places[table], day, first, garbled=garbled)
            cursor.execute(f"CREATE TEMP VIEW {table} AS {query}")
        return compute(cursor)


def _places(con: DuckDB) -> dict[str, str]:
    """The full name of every table that is no temporary one."""
    rows = con.execute(
        "SELECT table_name, table_catalog || '.' || table_schema || '.' || table_name "
        "FROM information_schema.tables WHERE table_type <> 'LOCAL TEMPORARY'"
    ).fetchall()
    return {str(name): str(place) for name, place in rows}


def _view(
    con: duckdb.DuckDBPyConnection, table: str, place: str, day: str, first: date, *, garbled: bool
) -> str:
    kinds = columns(con, place)
    cut = f"DATE '{first}'"
    later, hidden = LATER.get(table, ("", ()))
    unknown = [f"CASE WHEN {later} >= {cut} THEN NULL ELSE {c} END AS {c}" for c in hidden]
    replaced = f" REPLACE ({', '.join(unknown)})" if unknown else ""
    past = f"SELECT *{replaced} FROM {place} WHERE ({day} >= {cut}) IS NOT TRUE"
    if not garbled:
        return past
    moved = f"CAST(f.{day} - {cut} AS INTEGER)"
    other = [f"{sql} AS {c}" for c, kind in kinds.items() if (sql := _garbled(c, kind, moved))]
    ahead = f"f.{day} >= {cut}"
    if not count(con, f"{place} AS f", ahead):
        ahead = f"f.{day} < {cut}"  # a table without a future gets its own past as one
    future = f"SELECT * REPLACE ({', '.join(other)}) FROM {place} AS f WHERE {ahead}"
    return f"{past} UNION ALL {future}"


def _garbled(column: str, kind: str, moved: str) -> str:
    """SQL of another value of the same type, ``moved`` days ago; empty where it may stay."""
    if column == CUSTOMER_ID:
        return (
            "COALESCE((SELECT o.other FROM other_customers AS o "
            "WHERE o.customer_id = f.customer_id), f.customer_id)"
        )
    if column == "local_hour":
        return "(local_hour + 7) % 24"
    if kind == "DATE":
        return f"f.{column} - {moved}"
    if kind == "TIMESTAMP":
        return f"f.{column} - to_days({moved})"
    if kind == "BOOLEAN":
        return f"NOT {column}"
    if kind in ("INTEGER", "BIGINT", "DOUBLE"):
        return f"CAST({column} * 3 + 1 AS {kind})"
    return ""


def _aligned(
    trained: pd.DataFrame, again: pd.DataFrame, keys: Sequence[str], features: Sequence[str]
) -> pd.DataFrame:
    """The values of the same rows, computed again; a row or column that is not there is missing."""
    there = [name for name in features if name in again]
    found = trained[list(keys)].merge(
        again[[*keys, *there]], on=list(keys), how="left", validate="one_to_one"
    )
    return found.reindex(columns=[*keys, *features])


def _differs(before: pd.Series, after: pd.Series) -> pd.Series:
    old, new = (s.to_numpy(dtype=np.float64, na_value=np.nan) for s in (before, after))
    same = np.isclose(old, new, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return pd.Series(~same, index=before.index)
