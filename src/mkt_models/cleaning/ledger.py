"""What cleaning did, in numbers that must balance."""

from dataclasses import dataclass, field

import pandas as pd


class LedgerError(AssertionError):
    """Rows were lost or made: rows in differ from clean + quarantined + merged."""


class TooMuchSetAsideError(ValueError):
    """So much of a table was set aside that its mapping, and not its rows, must be wrong."""


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did.

    Attributes
    ----------
    ledger
        One row per raw table: ``rows_in``, ``clean``, ``quarantined``, ``merged``.
    targets
        One row per raw table and clean table that received rows of it: ``table``, ``target``,
        ``rows``. Their sum per table is the ledger's ``clean``.
    rules
        One row per rule: ``table``, ``rule``, ``action``, ``rows`` it touched, ``share`` of the
        table's rows, what it ``says``, and ``judged``: false where a table that it looks things
        up in is absent.
    before
        How good the raw tables were; see :class:`mkt_models.cleaning.quality.Measured`. One row
        per table and aspect.
    columns_before
        The same, one row per table and column.
    returns
        One row per way in which a return was matched to its sale: ``matched`` (by the order that
        it names, by the latest earlier sale, not at all), ``lines``, ``amount_cents``.
    identities
        One row per kind of known key: ``kind``, whether it is ``declared`` to make one person,
        ``keys``, ``shared_keys`` (of two ids or more), ``refused_keys`` (of too many ids).
    customers
        ``customer_ids`` known, ``persons`` among them, ``merged_ids`` that became another's.
    absent
        The canonical tables that the source does not have.

    """

    ledger: pd.DataFrame
    targets: pd.DataFrame
    rules: pd.DataFrame
    before: pd.DataFrame
    columns_before: pd.DataFrame
    returns: pd.DataFrame
    identities: pd.DataFrame
    customers: dict[str, int]
    absent: tuple[str, ...] = field(default=())


def check_balance(ledger: pd.DataFrame) -> None:
    """Raise LedgerError, naming the tables, unless rows in = clean + quarantined + merged."""
    rest = ledger["rows_in"] - ledger["clean"] - ledger["quarantined"] - ledger["merged"]
    if rest.any():
        wrong = ", ".join(f"{t}: {n:+d}" for t, n in zip(ledger["table"], rest, strict=True) if n)
        raise LedgerError(f"rows in - clean - quarantined - merged must be 0, is {wrong}")


def too_much_set_aside(
    table: str, rows_in: int, by_rule: dict[str, int], most: float
) -> TooMuchSetAsideError:
    """Give the error that says how much of a table was set aside, by which rule most of it.

    ``by_rule`` has the rows that each rule set aside; ``most`` is the share that is allowed.
    """
    aside = sum(by_rule.values())
    worst = max(sorted(by_rule), key=lambda name: by_rule[name])
    return TooMuchSetAsideError(
        f"{table}: {aside:,} of {rows_in:,} rows ({aside / rows_in:.1%}) would be set aside, "
        f"{by_rule[worst]:,} of them by {worst!r}; the most allowed is "
        f"cleaning.max_quarantined_share == {most}. Put the mapping of the source right, or "
        "raise the share"
    )
