"""Rules of the order lines: what is a sale, what a return, what neither, and what is odd."""

from datetime import date

from mkt_models.cleaning.clock import local_day
from mkt_models.cleaning.rule_kinds import MOST_CENTS, impossible_time, orphan, wrong_value
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.sources.canonical import Rule
from mkt_models.sources.vocabularies import unknown_word

# Beyond it sums of pieces overflow, and no shop sells so many in a line.
MOST_PIECES = 10**9

DISCOUNTS = ("loyalty_discount_cents", "coupon_discount_cents", "coupon_match_discount_cents")

# A line that gives something back. A failed one is a refund that did not go through.
IS_RETURN = (
    "(coalesce(status, '') <> 'failed'"
    " AND (quantity < 0 OR amount_cents < 0 OR coalesce(status, '') = 'returned'))"
)
IS_FAILED = f"(status IN ('cancelled', 'failed') AND NOT {IS_RETURN})"
HAS_DISCOUNT = " OR ".join(f"coalesce({c}, 0) BETWEEN 1 AND {MOST_CENTS}" for c in DISCOUNTS)


def line_rules(zone: str, cleaning: Cleaning, last: date) -> list[Rule]:
    """Rules of the order lines, in the order in which they are tried."""
    return [
        *_quarantined(zone, cleaning.first_day, last),
        *_discounts(),
        *_moved(),
        *_others(zone, cleaning),
    ]


def _quarantined(zone: str, first: date, last: date) -> list[Rule]:
    table = Table.TRANSACTIONS
    return [
        Rule(
            "line_quantity_no_number",
            table,
            "normalise",
            "A quantity that is not finite, or beyond a thousand million, is no number of pieces; "
            "it becomes missing",
            when=f"quantity IS NOT NULL AND NOT abs(quantity) <= {MOST_PIECES}",
            sets={"quantity": f"CASE WHEN abs(quantity) <= {MOST_PIECES} THEN quantity END"},
            aspect="validity",
            columns=("quantity",),
        ),
        Rule(
            "key_missing",
            table,
            "quarantine",
            "A line without customer, order, product or time belongs to nobody",
            when="customer_id IS NULL OR order_id IS NULL OR product_id IS NULL"
            " OR occurred_at IS NULL",
            aspect="completeness",
            columns=("customer_id", "order_id", "product_id", "occurred_at"),
        ),
        Rule(
            "amount_missing",
            table,
            "quarantine",
            "A line without an amount, or with one beyond all money, is no purchase",
            when=f"amount_cents IS NULL OR amount_cents > {MOST_CENTS}"
            f" OR amount_cents < -{MOST_CENTS}",
            aspect="completeness",
            columns=("amount_cents",),
        ),
        Rule(
            "status_unknown",
            table,
            "quarantine",
            "Nobody can say whether a line of this status was sold; map the word under the source",
            when=unknown_word(table, "status"),
            aspect="validity",
            columns=("status",),
        ),
        Rule(
            "line_time_impossible",
            table,
            "quarantine",
            f"The line is dated before the shop opened ({first}), or after the last day that the "
            f"parameters allow ({last})",
            when=impossible_time(zone, "occurred_at", first, last),
            aspect="timeliness",
            columns=("occurred_at",),
        ),
        Rule(
            "zero_quantity",
            table,
            "quarantine",
            "A line of quantity 0 without a discount is no purchase, even where it carries money",
            when=f"quantity = 0 AND amount_cents >= 0 AND NOT ({HAS_DISCOUNT})",
            aspect="validity",
            columns=("quantity",),
        ),
    ]


def _discounts() -> list[Rule]:
    table = Table.TRANSACTIONS
    return [
        wrong_value(
            f"{column.removesuffix('_cents')}_impossible",
            table,
            column,
            f"({column} < 0 AND NOT {IS_RETURN}) OR {column} > {MOST_CENTS}"
            f" OR {column} < -{MOST_CENTS}",
            "A discount is an amount taken off, and not below zero or beyond all money",
        )
        for column in DISCOUNTS
    ]


def _moved() -> list[Rule]:
    table = Table.TRANSACTIONS
    unsigned = {c: f"abs({c})" for c in ("quantity", "amount_cents", *DISCOUNTS)}
    return [
        Rule(
            "return_line",
            table,
            "move",
            "A negative quantity or amount, or the status 'returned', gives something back: it is "
            "no sale, and is matched to the sale that it undoes",
            when=IS_RETURN,
            sets=unsigned,
            to="returns",
        ),
        Rule(
            "failed_order",
            table,
            "move",
            "A cancelled order or failed payment sold nothing; it tells of the customer's risk",
            when=IS_FAILED,
            to="failed_orders",
        ),
        Rule(
            "return_without_sale",
            table,
            "flag",
            "No earlier sale line of the customer and product has so much left to give back: it "
            "was bought before the data begins, or by another id",
            aspect="consistency",
        ),
    ]


def _others(zone: str, cleaning: Cleaning) -> list[Rule]:
    table = Table.TRANSACTIONS
    return [
        Rule(
            "utc_to_shop_day",
            table,
            "change",
            f"Time stamps are UTC; days and hours are those of {zone}, so these rows move to "
            "another calendar day",
            when=f"CAST(occurred_at AS DATE) <> {local_day(zone)}",
        ),
        orphan(
            "product_unknown",
            table,
            "product_id",
            Table.PRODUCTS,
            "The product is not in the product table: its money counts, its category is unknown",
        ),
        orphan(
            "customer_unknown",
            table,
            "customer_id",
            Table.CUSTOMERS,
            "The customer is not in the customer table: the purchase counts, nothing else is known",
        ),
        Rule(
            "before_registration",
            table,
            "flag",
            "The purchase is older than the customer's registration: they bought as a guest, or "
            "one of the days is wrong",
            when="EXISTS (SELECT 1 FROM customers AS c WHERE c.customer_id = t.customer_id"
            f" AND c.registered_on > {local_day(zone, 't.occurred_at')})",
            needs=(Table.CUSTOMERS,),
            aspect="timeliness",
            columns=("occurred_at",),
        ),
        Rule(
            "coupon_slip",
            table,
            "flag",
            "A line of quantity 0 with a discount is a coupon that was scanned for the order: its "
            "discount counts, it is no item",
            when=f"quantity = 0 AND ({HAS_DISCOUNT}) AND NOT {IS_RETURN}",
        ),
        Rule(
            "nothing_paid",
            table,
            "flag",
            "Nothing was paid for the line: a gift, a coupon that covers it all, or a missing "
            "price; it is kept as a purchase of amount 0",
            when="amount_cents = 0 AND quantity > 0"
            " AND coalesce(status, 'completed') NOT IN ('cancelled', 'failed', 'returned')",
            aspect="validity",
            columns=("amount_cents",),
        ),
        Rule(
            "quantity_unknown",
            table,
            "flag",
            "How many pieces were sold is not recorded: the money counts, the pieces do not",
            when="quantity IS NULL",
            aspect="completeness",
            columns=("quantity",),
        ),
        Rule(
            "quantity_outlier",
            table,
            "flag",
            f"More than {cleaning.max_quantity:g} pieces in one sale line: a mistake or a "
            "wholesale order; kept, and marked as an outlier",
            aspect="validity",
            columns=("quantity",),
        ),
        Rule(
            "price_outlier",
            table,
            "flag",
            f"The price per piece is over {cleaning.outlier_mads:g} robust standard deviations, "
            f"and {cleaning.outlier_min_factor:g} times, from its product's median; kept, and "
            "marked as an outlier",
            aspect="validity",
            columns=("amount_cents",),
        ),
        Rule(
            "same_line_number_twice",
            table,
            "merge",
            "The same line number of an order stands again with the same product, quantity and "
            "amount, at another time or place: it was recorded twice; the earliest is kept",
            aspect="uniqueness",
        ),
        Rule(
            "submitted_twice",
            table,
            "merge" if cleaning.merge_doubles else "flag",
            "The same customer, product, quantity and amount stand in another order at most "
            f"{cleaning.double_seconds} seconds before: the order was probably submitted twice",
        ),
    ]
