"""What liking rests on: the points of each kind of signal, the lists, and what they need."""

from collections.abc import Mapping
from dataclasses import dataclass

# What a day with such a signal counts. Money spent says most; a look says little, a favourite is
# said on purpose; on social media, what one writes counts more than what one likes.
POINTS: Mapping[str, int] = {
    "order": 5,
    "favourite": 3,
    "cart": 2,
    "share": 2,
    "review": 2,
    "view": 1,
    "click": 1,
    "search": 1,
    "post": 3,
    "repost": 2,
    "comment": 2,
    "follow": 2,
    "like": 1,
}
LEAST_ORDERS = 3
LEAST_POINTS = 5

LIST_NEEDS: Mapping[str, tuple[str, ...]] = {
    "top_categories": ("products.category",),
    "top_brands": ("products.brand",),
    "top_products": ("products.product_type",),
    "liked_categories": ("events.category", "events.product_id"),
    "followed_topics": ("social.topic",),
    "answered_campaigns": ("outcomes.campaign_id",),
}
LISTS = tuple(LIST_NEEDS)


@dataclass(frozen=True)
class Interest:
    """An interest by name: words in a category or product type, and topics on social media.

    A word is found anywhere and in any case; a topic must be equal, in any case.
    """

    name: str
    words: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
