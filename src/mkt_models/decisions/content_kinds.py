"""The kinds of content that a strategy may show: one row each.

A new kind is a member of :class:`Needs`, a row of :data:`KINDS`, and one function in
:data:`mkt_models.decisions.candidates.MAKERS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mkt_models.columns import Model
from mkt_models.decisions.words import Words


class Needs(StrEnum):
    """Where the content of a strategy comes from."""

    ITEMS = "items"
    OFFER = "offer"
    OPEN_OFFER = "open_offer"
    TIER = "tier"
    PIECE = "piece"
    LINKED_PIECE = "linked_piece"
    SERVICE = "service"
    SHARE = "share"
    NONE = "none"


class Outcome(StrEnum):
    """What the worth counts: an event with its probability and amount, or an amount.

    ``item_bought``: a shown item is bought. ``redemption``: a coupon is redeemed. ``spend``: the
    customer's expected spend, whatever happens; no probability enters. ``past_spend``: what the
    customer spent in 365 days, observed; for contacts whose outcome nobody has measured or
    predicted, so that only the credited share, assumed with its reason, says what they bring.
    ``fixed``: an assumed amount, the same for everybody; for what is owed to whoever it is for,
    whatever they spend.
    """

    ITEM_BOUGHT = "item_bought"
    REDEMPTION = "redemption"
    SPEND = "spend"
    PAST_SPEND = "past_spend"
    FIXED = "fixed"


MODELS_OF: Mapping[Outcome, tuple[Model, ...]] = {
    Outcome.ITEM_BOUGHT: (Model.RECOMMENDER,),
    Outcome.REDEMPTION: (Model.PROPENSITY,),
    Outcome.SPEND: (Model.VALUE,),
    Outcome.PAST_SPEND: (),
    Outcome.FIXED: (),
}
"""The models whose predictions enter the worth of a personalised strategy."""


ASSUMED = (Outcome.PAST_SPEND, Outcome.FIXED)
"""What nobody has predicted: the worth is of the kind ``assumed``."""


@dataclass(frozen=True)
class Kind:
    """A kind of content.

    Attributes
    ----------
    words
        What a customer lacks for whom there is none.
    placeholders
        The words in braces that it fills.
    outcomes
        What its worth may count.
    option
        The key of a strategy that says which of it is shown; given with this kind, and only then.
    per_channel
        Whether it differs by channel.
    per_offer
        Whether each of a strategy's offers is a candidate of its own.

    """

    words: Words
    placeholders: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ASSUMED
    option: str | None = None
    per_channel: bool = False
    per_offer: bool = False


_PIECE = ("piece", "intro", "topic", "format")

KINDS: Mapping[Needs, Kind] = {
    Needs.ITEMS: Kind(
        ("items", "推荐商品"), ("items", "first_item"), (Outcome.ITEM_BOUGHT,), option="items"
    ),
    Needs.OFFER: Kind(
        ("offer", "优惠"), ("products", "ends_on"), (Outcome.REDEMPTION,), per_offer=True
    ),
    Needs.OPEN_OFFER: Kind(
        ("published offer", "公开优惠"),
        ("offer", "terms", "until"),
        option="offers",
        per_offer=True,
    ),
    Needs.TIER: Kind(
        ("membership tier", "会员等级"),
        ("tier", "benefits", "progress"),
        (Outcome.SPEND, Outcome.PAST_SPEND),
    ),
    Needs.PIECE: Kind(
        ("piece of content about what is liked", "符合兴趣的内容"),
        _PIECE,
        option="pieces",
        per_channel=True,
    ),
    Needs.LINKED_PIECE: Kind(
        ("piece of content with products to link", "可链接商品的内容"),
        (*_PIECE, "items", "first_item"),
        (Outcome.ITEM_BOUGHT,),
        option="pieces",
        per_channel=True,
    ),
    Needs.SERVICE: Kind(("service beyond the usual", "专属服务"), ("services",), option="services"),
    Needs.SHARE: Kind(
        ("social platform with a programme", "可分享的社交平台"),
        ("platform", "invite", "programme", "terms"),
    ),
    Needs.NONE: Kind(("content", "内容"), (), (Outcome.SPEND, Outcome.PAST_SPEND)),
}
