"""The products of the shop, and which of them whom they please.

A line of an order is drawn in two steps: a topic from the customer's interests, then a product of
the topic. The second step depends on the customer's style and purchasing power only, so there are
``3 styles x 3 powers x topics`` distributions over products, and the expected price of a line is a
sum over topics.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mkt_models.columns import Habit, PurchasingPower
from mkt_models.simulation.goods import COMPLEMENTS, GOODS, TOPICS
from mkt_models.simulation.randomness import Floats, Ints, Purpose, Wheel, generator

STYLES = (Habit.IMPULSE.value, Habit.CAREFUL.value, Habit.RATIONAL.value)
POWERS = (
    PurchasingPower.ORDINARY.value,
    PurchasingPower.MIDDLE_CLASS.value,
    PurchasingPower.AFFLUENT.value,
)
QUALITIES = ("basic", "standard", "premium")

PRICE_OF_QUALITY = (0.65, 1.0, 1.8)  # times the usual price of the product type
# How much a purchasing power (rows) is drawn to a quality (columns).
POWER_LIKES = np.array([[0.60, 0.32, 0.08], [0.25, 0.55, 0.20], [0.08, 0.32, 0.60]])
# How much a style is drawn to the shop's own brand.
STYLE_LIKES_PRIVATE = (0.5, 3.0, 1.0)
PRIVATE_BRAND = "Own brand"
PRIVATE_SHARE = 0.15
PRIVATE_PRICE = 0.85
BRANDS_PER_TOPIC = 8


@dataclass(frozen=True)
class Catalogue:
    """One entry per product, and one per product type.

    Attributes
    ----------
    product_type, quality, brand, private, cents
        Of every product: number of its type, its quality, brand number within the topic, whether
        it is the shop's own brand, and its price.
    popularity
        How often it is drawn, before tastes.
    types
        ``(topic, department, category, name)`` of every product type.

    """

    product_type: Ints
    quality: Ints
    brand: Ints
    private: Ints
    cents: Ints
    popularity: Floats
    types: tuple[tuple[int, str, str, str], ...]

    @property
    def size(self) -> int:
        """How many products there are."""
        return len(self.product_type)

    @cached_property
    def topic(self) -> Ints:
        """Topic of every product."""
        return np.array([topic for topic, *_ in self.types])[self.product_type]

    @cached_property
    def ids(self) -> list[str]:
        """The product ids."""
        return [f"P{number:05d}" for number in range(1, self.size + 1)]

    def type_number(self, name: str) -> int:
        """Number of a product type."""
        return next(i for i, entry in enumerate(self.types) if entry[3] == name)

    @cached_property
    def complements(self) -> tuple[tuple[int, int, float], ...]:
        """Type that is bought, type that is bought with it, and the probability."""
        return tuple((self.type_number(a), self.type_number(b), p) for a, b, p in COMPLEMENTS)

    @cached_property
    def taste(self) -> Floats:
        """Weight of every product (columns) for every style and power (rows: ``3 style + power``).

        Popularity times the liking of quality and of the shop's own brand.
        """
        rows = []
        for style in range(len(STYLES)):
            own = np.where(self.private == 1, STYLE_LIKES_PRIVATE[style], 1.0)
            rows += [self.popularity * likes[self.quality] * own for likes in POWER_LIKES]
        return np.array(rows)

    @cached_property
    def by_topic(self) -> Wheel:
        """Products by style, power and topic; row ``(3 style + power) * topics + topic``."""
        within = [self.topic == topic for topic in range(len(TOPICS))]
        return Wheel(np.array([row * here for row in self.taste for here in within]))

    @cached_property
    def companions(self) -> Wheel:
        """Products of each complement's second type; row ``(3 style + power) * pairs + pair``."""
        within = [self.product_type == b for _, b, _ in self.complements]
        return Wheel(np.array([row * here for row in self.taste for here in within]))

    @cached_property
    def type_shares(self) -> Floats:
        """Share of each product type (columns) among the lines of each row of ``by_topic``."""
        shares = np.zeros((len(self.by_topic.shares), len(self.types)))
        for row, products in enumerate(self.by_topic.shares):
            shares[row] = np.bincount(self.product_type, products, len(self.types))
        return shares

    @cached_property
    def line_cents(self) -> Floats:
        """Expected shelf price of a line and the companions that come with it.

        By row of style and power, and topic; for one piece of each.
        """
        own = self.by_topic.shares @ self.cents
        with_it = np.zeros(len(own))
        beside = self.companions.shares @ self.cents
        pairs = len(self.complements)
        for row in range(len(own)):
            taste = row // len(TOPICS)
            for pair, (first, _, probability) in enumerate(self.complements):
                expected = probability * beside[taste * pairs + pair]
                with_it[row] += self.type_shares[row, first] * expected
        return np.asarray((own + with_it).reshape(-1, len(TOPICS)))


def make_catalogue(seed: int, products: int) -> Catalogue:
    """Make the shop's products: every type has some, and the popular types have more."""
    rng = generator(seed, 0, Purpose.CATALOGUE)
    types = tuple(
        (TOPICS.index(topic), department, category, name)
        for topic, department, category, _, names in GOODS
        for name in names
    )
    usual = np.array([price for _, _, _, price, names in GOODS for _ in names])
    usual = usual * np.exp(rng.normal(0, 0.25, len(types)))
    weight = np.exp(rng.normal(0, 0.5, len(types))) / np.sqrt(usual)
    # at least one product of every quality and type; the rest by weight
    base = np.repeat(np.arange(len(types)), len(QUALITIES))
    more = rng.choice(len(types), max(0, products - len(base)), p=weight / weight.sum())
    of_type = np.sort(np.r_[base, more], kind="stable")
    nth = np.arange(len(of_type)) - np.searchsorted(of_type, of_type)
    quality = nth % len(QUALITIES)
    private = (rng.random(len(of_type)) < PRIVATE_SHARE) & (quality < 2)
    cheaper = np.where(private, PRIVATE_PRICE, 1.0)
    price = usual[of_type] * np.array(PRICE_OF_QUALITY)[quality] * cheaper
    price *= np.exp(rng.normal(0, 0.1, len(of_type)))
    # a Zipf-like tail within each type, in random order
    appeal = np.exp(rng.normal(0, 0.8, len(of_type)))
    in_type = np.bincount(of_type, appeal, len(types))
    return Catalogue(
        product_type=of_type,
        quality=quality,
        brand=rng.integers(0, BRANDS_PER_TOPIC, len(of_type)),
        private=private.astype(np.int64),
        cents=np.maximum(100, np.round(price * 100)).astype(np.int64),
        popularity=appeal / in_type[of_type] * weight[of_type],
        types=types,
    )


def product_columns(catalogue: Catalogue) -> dict[str, list[object]]:
    """The canonical columns of all products."""
    types = [catalogue.types[number] for number in catalogue.product_type]
    brands = [
        PRIVATE_BRAND if own else f"{TOPICS[topic].title()} {chr(65 + brand)}"
        for own, brand, (topic, *_) in zip(catalogue.private, catalogue.brand, types, strict=True)
    ]
    return {
        "product_id": list(catalogue.ids),
        "department": [department for _, department, _, _ in types],
        "category": [category for _, _, category, _ in types],
        "product_type": [name for _, _, _, name in types],
        "brand": list(brands),
        "private_label": [bool(own) for own in catalogue.private],
        "price_cents": [int(cents) for cents in catalogue.cents],
    }
