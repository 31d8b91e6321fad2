"""What the rules of several tables have in common: orphans, impossible values, times and words."""

from datetime import date

from mkt_models.cleaning.clock import local_day
from mkt_models.columns import Table
from mkt_models.sources.canonical import Rule
from mkt_models.sources.vocabularies import unknown_word

# Beyond it sums of cents overflow, and no shop takes so much.
MOST_CENTS = 10**13


def impossible_time(zone: str, column: str, first: date, last: date) -> str:
    """SQL condition: a time is before the shop's first local day or after the last possible."""
    day = local_day(zone, column)
    return f"({day} < DATE '{first}' OR {day} > DATE '{last}')"


def impossible_day(column: str, first: date, last: date) -> str:
    """SQL condition: a day is before the shop's first or after the last possible."""
    return f"({column} < DATE '{first}' OR {column} > DATE '{last}')"


def unknown_in(column: str, table: Table) -> str:
    """SQL condition: an id is there, and the table that lists such ids does not have it."""
    listed = f"SELECT {column} FROM {table.value} WHERE {column} IS NOT NULL"
    return f"{column} NOT IN ({listed})"


def orphan(name: str, table: Table, column: str, listed_in: Table, says: str) -> Rule:
    """Give the rule that flags ids which the table that lists them does not have."""
    return Rule(
        name,
        table,
        "flag",
        says,
        when=unknown_in(column, listed_in),
        needs=(listed_in,),
        aspect="consistency",
        columns=(column,),
    )


def wrong_value(name: str, table: Table, column: str, when: str, says: str) -> Rule:
    """Give the rule that makes a value which cannot be true a missing one."""
    return Rule(
        name,
        table,
        "change",
        f"{says}; it becomes missing",
        when=when,
        sets={column: "NULL"},
        aspect="validity",
        columns=(column,),
    )


def impossible_moment(name: str, table: Table, column: str, when: str, what: str) -> Rule:
    """Give the rule that sets rows of an impossible time aside; ``what`` begins its sentence."""
    return Rule(
        name,
        table,
        "quarantine",
        f"{what} before the shop opened, or after the data was taken, cannot have been",
        when=when,
        aspect="timeliness",
        columns=(column,),
    )


def odd_word(name: str, table: Table, column: str, says: str) -> Rule:
    """Give the rule that flags a word that no vocabulary has; the row stays."""
    return Rule(
        name,
        table,
        "flag",
        says,
        when=unknown_word(table, column),
        aspect="validity",
        columns=(column,),
    )
