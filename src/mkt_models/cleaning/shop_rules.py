"""Rules of customers and their known keys, products, and service requests."""

from datetime import date

from mkt_models.cleaning.rule_kinds import (
    MOST_CENTS,
    impossible_day,
    impossible_time,
    orphan,
    wrong_value,
)
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.sources.canonical import Rule


def shop_rules(zone: str, cleaning: Cleaning, as_of: date, last: date) -> list[Rule]:
    """Rules of these tables, in the order in which they are tried."""
    return [
        *_customers(cleaning, as_of, last),
        *_products(),
        *_tickets(zone, cleaning.first_day, last),
    ]


def _customers(cleaning: Cleaning, as_of: date, last: date) -> list[Rule]:
    oldest, youngest = as_of.year - cleaning.max_age, as_of.year - cleaning.min_age
    return [
        wrong_value(
            "birth_year_impossible",
            Table.CUSTOMERS,
            "birth_year",
            f"birth_year < {oldest} OR birth_year > {youngest}",
            f"A customer is {cleaning.min_age} to {cleaning.max_age} years old; another year of "
            "birth was made up or mistyped",
        ),
        wrong_value(
            "registered_impossible",
            Table.CUSTOMERS,
            "registered_on",
            impossible_day("registered_on", cleaning.first_day, last),
            "Nobody can have registered before the shop opened, or after the data was taken",
        ),
        Rule(
            "demographics_unknown",
            Table.CUSTOMERS,
            "flag",
            "Neither age nor income is known of the customer; they read 'not available'",
            when="age_band IS NULL AND birth_year IS NULL AND income_band IS NULL",
            aspect="completeness",
        ),
        Rule(
            "key_shared_by_too_many",
            Table.IDENTITIES,
            "flag",
            f"More than {cleaning.max_customers_per_key} customer ids share the key, as they do a "
            "shop's own telephone: it makes nobody one person",
            when="EXISTS (SELECT 1 FROM shared_keys AS s"
            " WHERE s.kind = t.kind AND s.value = t.value)",
            aspect="validity",
            columns=("value",),
        ),
    ]


def _products() -> list[Rule]:
    return [
        Rule(
            "category_unknown",
            Table.PRODUCTS,
            "flag",
            "The product has no type or no category: it is left out of what is mined by it",
            when="product_type IS NULL OR category IS NULL",
            aspect="completeness",
            columns=("product_type", "category"),
        ),
        wrong_value(
            "price_impossible",
            Table.PRODUCTS,
            "price_cents",
            f"price_cents < 0 OR price_cents > {MOST_CENTS}",
            "No price is below zero or beyond all money",
        ),
    ]


def _tickets(zone: str, first: date, last: date) -> list[Rule]:
    table = Table.TICKETS
    return [
        Rule(
            "ticket_time_impossible",
            table,
            "quarantine",
            "The request was opened before the shop, or after the data was taken",
            when=impossible_time(zone, "opened_at", first, last),
            aspect="timeliness",
            columns=("opened_at",),
        ),
        Rule(
            "resolved_impossible",
            table,
            "change",
            "A request cannot be resolved before it was opened, or after the data was taken; when "
            "it was resolved becomes missing",
            when=f"resolved_at < opened_at OR {impossible_time(zone, 'resolved_at', first, last)}",
            sets={"resolved_at": "NULL"},
            aspect="timeliness",
            columns=("resolved_at",),
        ),
        wrong_value(
            "satisfaction_impossible",
            table,
            "satisfaction",
            "satisfaction IS NOT NULL AND NOT (satisfaction >= 1 AND satisfaction <= 5)",
            "Satisfaction is told from 1 (bad) to 5 (good)",
        ),
        orphan(
            "customer_of_ticket_unknown",
            table,
            "customer_id",
            Table.CUSTOMERS,
            "The customer of the request is not in the customer table",
        ),
        Rule(
            "order_of_ticket_unknown",
            table,
            "flag",
            "The request is about an order that no order line belongs to",
            when="order_id IS NOT NULL AND "
            + " AND ".join(
                f"NOT EXISTS (SELECT 1 FROM {name} AS o WHERE o.order_id = t.order_id)"
                for name in ("transactions", "returns", "failed_orders")
            ),
            needs=(Table.TRANSACTIONS,),
            aspect="consistency",
            columns=("order_id",),
        ),
    ]
