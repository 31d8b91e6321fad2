"""Rules of behaviour: what customers looked at, searched for and reviewed, and social actions."""

from datetime import date

from mkt_models.cleaning.rule_kinds import (
    impossible_moment,
    impossible_time,
    odd_word,
    orphan,
    wrong_value,
)
from mkt_models.columns import Table
from mkt_models.sources.canonical import Rule


def behaviour_rules(zone: str, first: date, last: date) -> list[Rule]:
    """Rules of events and social actions, in the order in which they are tried."""
    return [*_events(zone, first, last), *_social(zone, first, last)]


def _events(zone: str, first: date, last: date) -> list[Rule]:
    table = Table.EVENTS
    return [
        impossible_moment(
            "event_time_impossible",
            table,
            "occurred_at",
            impossible_time(zone, "occurred_at", first, last),
            "An event",
        ),
        odd_word(
            "event_kind_unknown", table, "kind", "No measure counts an event of this kind; it stays"
        ),
        wrong_value(
            "rating_impossible",
            table,
            "rating",
            "rating IS NOT NULL AND NOT (rating >= 1 AND rating <= 5)",
            "A rating is 1 to 5",
        ),
        wrong_value(
            "dwell_impossible",
            table,
            "dwell_seconds",
            "dwell_seconds IS NOT NULL AND NOT (dwell_seconds >= 0 AND dwell_seconds <= 86400)",
            "Nobody looks for less than no time, or for more than a day",
        ),
        orphan(
            "product_of_event_unknown",
            table,
            "product_id",
            Table.PRODUCTS,
            "The event's product is not in the product table",
        ),
        orphan(
            "customer_of_event_unknown",
            table,
            "customer_id",
            Table.CUSTOMERS,
            "The event's customer is not in the customer table",
        ),
    ]


def _social(zone: str, first: date, last: date) -> list[Rule]:
    table = Table.SOCIAL
    return [
        impossible_moment(
            "action_time_impossible",
            table,
            "occurred_at",
            impossible_time(zone, "occurred_at", first, last),
            "A social action",
        ),
        odd_word(
            "action_kind_unknown",
            table,
            "kind",
            "No measure counts an action of this kind; it stays",
        ),
        wrong_value(
            "followers_impossible",
            table,
            "followers",
            f"followers < 0 OR followers > {10**10}",
            "Nobody has less than no followers, or more than there are people",
        ),
        orphan(
            "customer_of_action_unknown",
            table,
            "customer_id",
            Table.CUSTOMERS,
            "The customer of the action is not in the customer table",
        ),
    ]
