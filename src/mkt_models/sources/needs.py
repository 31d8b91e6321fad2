"""What each dimension of a profile and each model can be told from: which columns of which tables.

A source has what it has; what then is not available is said here, before anything runs.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from mkt_models.columns import Dimension, Model, Table


@dataclass(frozen=True)
class Need:
    """A part of a dimension or of a model, and the columns of which one is enough.

    A column is written ``table.column``, a whole table ``table``.
    """

    of: str
    part: str
    any_of: tuple[str, ...]


def _needs(of: str, parts: Mapping[str, str]) -> tuple[Need, ...]:
    return tuple(Need(of, part, tuple(columns.split())) for part, columns in parts.items())


CONTACTS = "contacts"

NEEDS: tuple[Need, ...] = (
    *_needs(
        Dimension.BASICS,
        {
            "age": "customers.birth_year customers.age_band",
            "gender": "customers.gender",
            "region": "customers.region",
            "occupation": "customers.occupation",
            "income": "customers.income_band",
            "education": "customers.education",
            "marital status": "customers.marital_status",
        },
    ),
    *_needs(
        Dimension.BEHAVIOUR,
        {
            "browsing, searching, reviews and sharing": "events",
            "channel of purchases": "transactions.channel",
            "store": "transactions.store_id",
        },
    ),
    *_needs(
        Dimension.HABIT,
        {
            "pieces per order": "transactions.quantity",
            "discounts": "transactions.loyalty_discount_cents transactions.coupon_discount_cents "
            "transactions.coupon_match_discount_cents",
            "payment method": "transactions.payment_method",
        },
    ),
    *_needs(
        Dimension.INTERESTS,
        {
            "liked categories": "products.product_type products.category products.department",
            "liked brands": "products.brand",
            "topics": "social.topic",
        },
    ),
    *_needs(Dimension.SOCIAL, {"activity and reach": "social"}),
    *_needs(Dimension.VALUE, {"purchasing power": "products.product_type"}),
    *_needs(
        Dimension.RISK,
        {
            "cancelled and failed orders": "transactions.status",
            "use of coupons": "transactions.coupon_discount_cents",
            "complaints": "tickets",
        },
    ),
    *_needs(
        Model.PROPENSITY,
        {"campaigns": "campaigns", "who was contacted": "exposures", "who responded": "outcomes"},
    ),
    *_needs(
        Model.RECOMMENDER,
        {"what belongs together, by type": "products.product_type"},
    ),
    *_needs(
        "effects of campaigns",
        {"contacts that were drawn at random": "exposures.assignment_probability exposures.arm"},
    ),
    *_needs(CONTACTS, {"consents: without one nobody is contacted": "consents"}),
)


def not_available(given: Mapping[Table, Set[str]]) -> dict[str, list[Need]]:
    """What cannot be told, by dimension or model, from the columns that are given.

    Parameters
    ----------
    given
        The tables that have rows, and their columns that have values.

    >>> lacking = not_available({Table.TRANSACTIONS: {"quantity", "channel"}})
    >>> [need.part for need in lacking["social"]]
    ['activity and reach']

    """
    there = {table.value for table in given}
    there |= {f"{table.value}.{column}" for table, columns in given.items() for column in columns}
    out: dict[str, list[Need]] = {}
    for need in NEEDS:
        if not there & set(need.any_of):
            out.setdefault(str(need.of), []).append(need)
    return out
