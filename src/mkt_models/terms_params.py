"""Parameters of the terms guard: which differences between like customers are allowed, and why.

Article 24 of the Personal Information Protection Law of China forbids unreasonable differential
treatment in price and other terms by automated decisions (大数据杀熟).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from mkt_models.sections import Section, nearest

NEW_CUSTOMER_OFFER = "new_customer_offer"
"""The id that an offer open to every new customer has in a catalogue; declared by default."""


class AttributeClass(StrEnum):
    """What may not change the terms of an offer."""

    IDENTITY = "identity"
    TENURE = "tenure"
    LOYALTY = "loyalty"
    DEVICE = "device"
    WILLINGNESS_TO_PAY = "willingness_to_pay"
    SENSITIVE = "sensitive"


class Term(StrEnum):
    """What is offered to a customer, as far as it costs or saves something."""

    SHOWN = "shown"  # whether an offer, tier or service is shown at all: 0 or 1
    PRICE = "price"  # of the same products, currency units
    ITEM_PRICES = "item_prices"  # mean price of the products shown, currency units
    COUPON = "coupon"  # which coupon, open offer or programme of sharing
    COUPON_VALUE = "coupon_value"  # what it takes off, currency units
    DISCOUNT = "discount"  # share of the price
    BENEFITS = "benefits"  # of the membership tier
    SERVICE = "service"  # the service level
    SERVICES = "services"  # how many services beyond the usual


LEADS: Mapping[AttributeClass, str] = {
    AttributeClass.TENURE: "tenure_days",
    AttributeClass.LOYALTY: "orders_365d",
    AttributeClass.WILLINGNESS_TO_PAY: "price_index",
}
"""The column that says who has more of a class. The other classes have no order."""

ORDERED = (Term.SHOWN, Term.PRICE, Term.COUPON_VALUE, Term.DISCOUNT, Term.SERVICES)
"""Terms of which one is better than the other for every customer. Of two coupons, services,
tiers or different products, none is."""


class AllowedDifference(Section):
    """A difference that is right: which, in whose favour, and why."""

    attribute: AttributeClass
    term: Term
    strategy: str = Field(
        min_length=1, description="id of one strategy of the catalogue; a family covers none"
    )
    more_for: Literal["higher", "lower", "any"] = Field(
        description="who may get the better terms: customers with more (higher) or less (lower) of "
        "the attribute, by its lead column; any only where a term has no better and worse"
    )
    reason: str = Field(min_length=20, description="a sentence: why customers may differ in this")

    @model_validator(mode="before")
    @classmethod
    def _says_for_whom(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and "more_for" not in raw:
            raise ValueError(
                "more_for is missing: write 'more_for: higher' if customers with more of the "
                "attribute may get the better terms, 'lower' if those with less of it; 'any' is "
                f"for terms without an order ({', '.join(t for t in Term if t not in ORDERED)})"
            )
        return raw

    @model_validator(mode="after")
    def _fits(self) -> "AllowedDifference":
        told = f"{self.attribute} × {self.term} × {self.strategy}"
        if self.term not in ORDERED and self.more_for != "any":
            raise ValueError(
                f"{told}: of {self.term} none is better than another; write 'more_for: any', and "
                "the reason why no customer is worse off"
            )
        if self.term in ORDERED and self.attribute not in LEADS:
            raise ValueError(
                f"{told}: {self.attribute} has no more and less, so nobody can say who may get the "
                f"better terms; only {', '.join(LEADS)} can be declared for {self.term}"
            )
        if self.term in ORDERED and self.more_for == "any":
            raise ValueError(
                f"{told}: more {LEADS[self.attribute]} may not mean better and worse terms alike; "
                "write 'more_for: higher' or 'more_for: lower'"
            )
        return self


class Ground(Section):
    """What the terms of a strategy may rest on besides, whatever goes with it."""

    strategy: str = Field(min_length=1, description="id of one strategy of the catalogue")
    columns: tuple[str, ...] = Field(
        min_length=1, description="columns of the profile, of no class of attributes"
    )
    reason: str = Field(min_length=20, description="a sentence: why terms may rest on these")


_PUBLISHED = "the benefits of a tier and what reaches it are published, the same for everybody"
_OPEN = "the offer is published and open to every new customer, once, whoever it is"


def _published() -> tuple[AllowedDifference, ...]:
    membership = (
        (AttributeClass.LOYALTY, Term.BENEFITS),
        (AttributeClass.LOYALTY, Term.SHOWN),
        (AttributeClass.TENURE, Term.SHOWN),
    )
    opened = (Term.SHOWN, Term.COUPON, Term.COUPON_VALUE, Term.DISCOUNT)
    return tuple(
        AllowedDifference(
            attribute=one,
            term=term,
            strategy="membership_tier",
            more_for="higher" if term in ORDERED else "any",
            reason=_PUBLISHED,
        )
        for one, term in membership
    ) + tuple(
        AllowedDifference(
            attribute=AttributeClass.TENURE,
            term=term,
            strategy=NEW_CUSTOMER_OFFER,
            more_for="lower" if term in ORDERED else "any",
            reason=_OPEN,
        )
        for term in opened
    )


PUBLISHED = _published()
"""What is declared by default: published membership benefits, open offers to new customers."""


class Terms(Section):
    """How the terms of like customers are compared, and which differences are declared."""

    tolerance: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="share of the customers whose terms a twin may change, and mean gap as a share "
        "of the term's mean, before it counts as a breach",
    )
    customers: int = Field(
        default=80, ge=2, le=10_000, description="customers replayed per strategy, where there are"
    )
    twins: int = Field(
        default=2,
        ge=1,
        le=100,
        description="random twins per customer and attribute class, beside those with the least "
        "and the most of each attribute",
    )
    k: int = Field(
        default=20,
        gt=0,
        le=20,
        description="strategies per replayed answer; that of decisions also counts what an answer "
        "has no room for",
    )
    undecided: Literal["pass", "not_evaluated"] = Field(
        default="not_evaluated",
        description="what becomes of a strategy replayed for too few customers to show that its "
        "terms are alike; pass: only a shown breach withholds it",
    )
    n_bootstrap: int = Field(default=500, ge=50, le=10_000)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    published: bool = Field(
        default=True,
        description="published membership benefits and open offers to new customers are declared",
    )
    allowed: tuple[AllowedDifference, ...] = Field(
        default=(), description="further differences that are right"
    )
    grounds: tuple[Ground, ...] = Field(
        default=(),
        description="columns that a strategy may rest on, though they may go with an attribute",
    )

    @model_validator(mode="after")
    def _once(self) -> "Terms":
        keys = [(one.attribute, one.term, one.strategy) for one in self.allowed]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"allowed: {' × '.join(key)} stands twice")
        named = [one.strategy for one in self.grounds]
        for name in named:
            if named.count(name) > 1:
                raise ValueError(f"grounds: {name} stands twice; put its columns into one")
        return self

    def check(self, strategies: tuple[str, ...]) -> None:
        """Raise ValueError when a declared strategy is not in the catalogue."""
        known = (*strategies, NEW_CUSTOMER_OFFER)
        named = [("allowed", one.strategy) for one in self.allowed]
        for where, name in [*named, *(("grounds", one.strategy) for one in self.grounds)]:
            if name not in known:
                raise ValueError(
                    f"terms.{where}: {name!r} is no strategy of the catalogue (a family "
                    f"covers none: name each strategy){nearest(name, known)}"
                )

    def declared(
        self, attribute: AttributeClass, term: Term, strategy: str
    ) -> AllowedDifference | None:
        """The declaration of a difference, or None; it excuses its own direction alone."""
        for one in (*self.allowed, *(PUBLISHED if self.published else ())):
            if (one.attribute, one.term, one.strategy) == (attribute, term, strategy):
                return one
        return None
