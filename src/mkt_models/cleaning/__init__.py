"""Canonical tables to clean ones: named rules, a quarantine, and a ledger that balances.

Every row that comes in is found again: it is in a clean table, or set aside in the quarantine with
the rule and the reason, or merged into another row. :func:`clean` raises when the sum does not
balance.

``clock``
    the shop's clock: the one place that knows how an engine changes time zones
``rules``
    all rules of a run; those of any source stand in ``line_rules``, ``shop_rules``,
    ``behaviour_rules`` and ``contact_rules``, the traps of one source with it
``identities``
    customer ids that are one person
``duplicates``
    rows of the same key, and orders that were submitted twice
``outliers``
    prices that are far from the usual one of their product
``returns``
    what was given back, matched to its sale
``ledger``
    what cleaning did, in numbers that must balance
``steps``
    SQL of what happens to a table, step by step
``order_lines``
    what is found among the kept order lines
``cleaning_run``, ``written_tables``, ``clean_tables``
    what has been noted so far; what is written; the whole of it, table by table
``quality``
    how complete, valid, unique, consistent and timely the data was, and is
"""

from mkt_models.cleaning.clean_tables import clean
from mkt_models.cleaning.ledger import (
    CleaningReport,
    LedgerError,
    TooMuchSetAsideError,
    check_balance,
)
from mkt_models.cleaning.rules import rules_for
from mkt_models.cleaning.steps import added_columns

__all__ = [
    "CleaningReport",
    "LedgerError",
    "TooMuchSetAsideError",
    "added_columns",
    "check_balance",
    "clean",
    "rules_for",
]
