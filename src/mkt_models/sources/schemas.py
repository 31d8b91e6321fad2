"""The columns and types of the canonical tables and of the clean ones, with their grain.

Ids are text, money is whole cents of the shop's currency, days are calendar days of the shop's
time zone, ``*_at`` is UTC without a zone. A table that a source does not have is absent; a column
that it does not have is null in every row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mkt_models.columns import Table


@dataclass(frozen=True)
class Schema:
    """A table: what one row is, the columns that name it, and every column with its type.

    ``key`` is empty where equal rows are possible. ``needed`` columns must be given by a source;
    a row in which one of them is null cannot be used.
    """

    grain: str
    columns: Mapping[str, str]
    key: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


CANONICAL: Mapping[Table, Schema] = {
    Table.CUSTOMERS: Schema(
        "customer",
        {
            "customer_id": "VARCHAR",
            "birth_year": "INTEGER",
            "age_band": "VARCHAR",
            "gender": "VARCHAR",
            "region": "VARCHAR",
            "occupation": "VARCHAR",
            "income_band": "VARCHAR",
            "education": "VARCHAR",
            "marital_status": "VARCHAR",
            "household_size": "VARCHAR",
            "household_composition": "VARCHAR",
            "children": "VARCHAR",
            "home_ownership": "VARCHAR",
            "registered_on": "DATE",
        },
        key=("customer_id",),
        needed=("customer_id",),
    ),
    # What ties two customer ids to one person: a loyalty card, a hashed address. Never shown.
    Table.IDENTITIES: Schema(
        "customer and known key of a person",
        {"customer_id": "VARCHAR", "kind": "VARCHAR", "value": "VARCHAR"},
        key=("customer_id", "kind", "value"),
        needed=("customer_id", "kind", "value"),
    ),
    Table.PRODUCTS: Schema(
        "product",
        {
            "product_id": "VARCHAR",
            "department": "VARCHAR",
            "category": "VARCHAR",
            "product_type": "VARCHAR",
            "brand": "VARCHAR",
            "private_label": "BOOLEAN",
            "package_size": "VARCHAR",
            "price_cents": "BIGINT",
        },
        key=("product_id",),
        needed=("product_id",),
    ),
    # ``amount_cents`` is what the shop received for the line; discounts are amounts taken off.
    # A return has a negative quantity or amount. ``status`` is completed (or null), cancelled, or
    # failed (the payment did not go through). ``returned_order_id`` names the order that a return
    # gives back, where it is known.
    Table.TRANSACTIONS: Schema(
        "order line",
        {
            "order_id": "VARCHAR",
            "line_id": "VARCHAR",
            "customer_id": "VARCHAR",
            "product_id": "VARCHAR",
            "store_id": "VARCHAR",
            "channel": "VARCHAR",
            "payment_method": "VARCHAR",
            "status": "VARCHAR",
            "returned_order_id": "VARCHAR",
            "quantity": "DOUBLE",
            "amount_cents": "BIGINT",
            "loyalty_discount_cents": "BIGINT",
            "coupon_discount_cents": "BIGINT",
            "coupon_match_discount_cents": "BIGINT",
            "occurred_at": "TIMESTAMP",
        },
        needed=("order_id", "customer_id", "product_id", "amount_cents", "occurred_at"),
    ),
    # ``kind``: view, search, click, cart, favourite, share, review.
    Table.EVENTS: Schema(
        "behaviour event",
        {
            "event_id": "VARCHAR",
            "customer_id": "VARCHAR",
            "session_id": "VARCHAR",
            "kind": "VARCHAR",
            "product_id": "VARCHAR",
            "category": "VARCHAR",
            "query": "VARCHAR",
            "dwell_seconds": "DOUBLE",
            "rating": "DOUBLE",
            "device": "VARCHAR",
            "occurred_at": "TIMESTAMP",
        },
        needed=("customer_id", "kind", "occurred_at"),
    ),
    # ``kind``: post, like, comment, repost, follow. ``followers`` of the customer at that time;
    # ``target_customer_id`` is the customer followed, liked or answered, where it is known.
    Table.SOCIAL: Schema(
        "social action",
        {
            "action_id": "VARCHAR",
            "customer_id": "VARCHAR",
            "platform": "VARCHAR",
            "kind": "VARCHAR",
            "topic": "VARCHAR",
            "target_customer_id": "VARCHAR",
            "followers": "BIGINT",
            "occurred_at": "TIMESTAMP",
        },
        needed=("customer_id", "kind", "occurred_at"),
    ),
    # ``satisfaction`` from 1 (bad) to 5 (good), null while nothing was said.
    Table.TICKETS: Schema(
        "service request",
        {
            "ticket_id": "VARCHAR",
            "customer_id": "VARCHAR",
            "order_id": "VARCHAR",
            "topic": "VARCHAR",
            "opened_at": "TIMESTAMP",
            "resolved_at": "TIMESTAMP",
            "satisfaction": "DOUBLE",
        },
        key=("ticket_id",),
        needed=("ticket_id", "customer_id", "opened_at"),
    ),
    Table.CAMPAIGNS: Schema(
        "campaign",
        {
            "campaign_id": "VARCHAR",
            "campaign_type": "VARCHAR",
            "channel": "VARCHAR",
            "starts_on": "DATE",
            "ends_on": "DATE",
        },
        key=("campaign_id",),
        needed=("campaign_id", "starts_on", "ends_on"),
    ),
    Table.OFFERS: Schema(
        "offer and product",
        {
            "offer_id": "VARCHAR",
            "campaign_id": "VARCHAR",
            "product_id": "VARCHAR",
            "kind": "VARCHAR",
            "discount_share": "DOUBLE",
            "cost_cents": "BIGINT",
        },
        needed=("offer_id", "campaign_id"),
    ),
    # ``arm`` control: the customer was eligible and withheld at random; that is no contact.
    Table.EXPOSURES: Schema(
        "contact sent, or withheld at random",
        {
            "customer_id": "VARCHAR",
            "campaign_id": "VARCHAR",
            "offer_id": "VARCHAR",
            "channel": "VARCHAR",
            "sent_on": "DATE",
            "arm": "VARCHAR",
            "assignment_probability": "DOUBLE",
        },
        needed=("customer_id", "campaign_id", "sent_on"),
    ),
    Table.OUTCOMES: Schema(
        "response",
        {
            "customer_id": "VARCHAR",
            "campaign_id": "VARCHAR",
            "offer_id": "VARCHAR",
            "kind": "VARCHAR",
            "amount_cents": "BIGINT",
            "occurred_on": "DATE",
        },
        needed=("customer_id", "campaign_id", "kind", "occurred_on"),
    ),
    Table.CONSENTS: Schema(
        "customer, purpose, channel and change",
        {
            "customer_id": "VARCHAR",
            "purpose": "VARCHAR",
            "channel": "VARCHAR",
            "status": "VARCHAR",
            "changed_on": "DATE",
            "expires_on": "DATE",
            "basis": "VARCHAR",
        },
        needed=("customer_id", "purpose", "channel", "status", "changed_on"),
    ),
}

SCHEMAS: Mapping[Table, Mapping[str, str]] = {
    table: schema.columns for table, schema in CANONICAL.items()
}

REQUIRED = (Table.TRANSACTIONS,)
