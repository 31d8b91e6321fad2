"""The shop's clock: what day and hour it was in the shop, in SQL. Time stamps are UTC."""

from mkt_models.engine import local_time


def local_day(zone: str, column: str = "occurred_at") -> str:
    """SQL of the calendar day of a time in the shop."""
    return f"CAST({local_time(column, zone)} AS DATE)"


def local_hour(zone: str, column: str = "occurred_at") -> str:
    """SQL of the hour, 0 to 23, of a time in the shop."""
    return f"CAST(EXTRACT(HOUR FROM {local_time(column, zone)}) AS INTEGER)"


def whole_seconds(column: str) -> str:
    """SQL of the seconds from 1970 to a time, fractions cut off.

    From the time's text, because the engines name the parts of a time below the hour differently.
    """
    text = f"CAST({column} AS VARCHAR)"
    parts = " + ".join(
        f"CAST(substring({text}, {at}, 2) AS BIGINT) * {seconds}"
        for at, seconds in ((12, 3600), (15, 60), (18, 1))
    )
    return f"(DATEDIFF('day', DATE '1970-01-01', CAST({column} AS DATE)) * 86400 + {parts})"
