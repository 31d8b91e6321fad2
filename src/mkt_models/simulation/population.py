"""The customers: what drives them, which nobody sees, and the attributes that they tell.

All latents are drawn per customer of a chunk. What each is, and how strong its ties are:
``docs/simulator.md``.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc

from mkt_models.simulation.attributes import Attributes, draw_attributes, interest_shifts
from mkt_models.simulation.clock import ShopClock
from mkt_models.simulation.randomness import (
    Bools,
    Floats,
    Ints,
    Purpose,
    choose,
    generator,
)
from mkt_models.source_params import Simulator

STYLE_SHARES = (0.25, 0.30, 0.45)
STYLE_RATE = (1.70, 0.80, 0.335 / 0.45)  # times the purchase rate; the mean over styles is 1
STYLE_SENSITIVITY = ((2.0, 6.0), (6.0, 2.0), (4.0, 4.0))  # beta of the price sensitivity
STYLE_MORE_LINES = (1.0, 2.6, 1.8)  # mean lines of an order beyond the first
FRAUDS = ("none", "returns", "coupons", "payments")
CHANNELS = ("app", "web", "store")
PAYMENTS = ("alipay", "wechat_pay", "card", "cash_on_delivery")
DAY_PARTS = ((6, 11), (11, 14), (14, 18), (18, 23), (0, 3))  # hours, from and before
INTEREST_SHAPE = 0.45  # of the Dirichlet of interests: small is one-sided
ANNOYED_SHARE = 0.25


@dataclass(frozen=True)
class Population:
    """One entry per customer of a chunk.

    Attributes
    ----------
    number
        Number of the customer in the shop, from 0.
    person
        Place in the chunk of the customer whose person this is; the own place for most.
    attributes
        Age, gender and the like, as they are.
    told
        Whether the customer told them.
    style, power
        Numbers in ``STYLES`` and ``POWERS``.
    interests
        Shares of the topics, which sum to 1.
    rate, drop_rate
        Orders, and drop-outs, per day of shop time.
    registered
        Day of registration; before 0 for those who were there before the data.
    enters, leaves
        Shop time at which the customer can first buy, and at which they drop out.
    sensitivity
        Price sensitivity, from 0 to 1.
    discounts
        Probability that a line is bought at a loyalty discount.
    annoyed
        Whether contacts put them off.
    fraud
        Number in ``FRAUDS``.
    trouble
        Probability that an order leads to a service request.
    channels, payments, day_parts
        Shares of the customer's habits.
    failed, cancelled, returned
        Probabilities that an order fails, that it is cancelled, and that a line comes back.
    followers, social_rate
        Followers (-1 without an account) and social actions per day.

    """

    number: Ints
    person: Ints
    attributes: Attributes
    told: Bools
    style: Ints
    power: Ints
    interests: Floats
    rate: Floats
    drop_rate: Floats
    registered: Ints
    enters: Floats
    leaves: Floats
    sensitivity: Floats
    discounts: Floats
    annoyed: Bools
    fraud: Ints
    trouble: Floats
    channels: Floats
    payments: Floats
    day_parts: Floats
    failed: Floats
    cancelled: Floats
    returned: Floats
    followers: Ints
    social_rate: Floats

    @property
    def size(self) -> int:
        """How many customers there are."""
        return len(self.number)

    @property
    def taste(self) -> Ints:
        """Row of style and power in the catalogue's tastes."""
        return self.style * 3 + self.power

    @property
    def completed(self) -> Floats:
        """Probability that an order is completed."""
        return 1 - self.failed - self.cancelled

    def alive(self, shop_time: float) -> Bools:
        """Who has not dropped out at a moment of shop time."""
        return np.asarray(self.leaves > shop_time)


def draw_population(
    source: Simulator, clock: ShopClock, seed: int, chunk: int, size: int
) -> Population:
    """Draw the customers of one chunk."""
    rng = generator(seed, chunk, Purpose.POPULATION)
    attributes = draw_attributes(rng, size, clock.first_day.year, source.attribute_strength)
    style = choose(rng, list(STYLE_SHARES), size)
    interests = _interests(rng, attributes, source.attribute_strength)
    fraud = np.where(rng.random(size) < source.fraud_share, rng.integers(1, 4, size), 0)
    person = _persons(rng, size, fraud, source.shared_accounts)
    # a further account is the same person: what drives them is theirs, their account is new
    attributes = attributes.of(person)
    style, interests, fraud = style[person], interests[person], fraud[person]

    rate = rng.gamma(source.rate_shape, 1 / source.rate_shape, size) / source.days_between_orders
    rate *= np.array(STYLE_RATE)[style]
    scale = 1 / (source.lifetime_shape * source.lifetime_days)
    drop_rate = np.maximum(rng.gamma(source.lifetime_shape, scale, size), 1e-9)
    new = rng.random(size) < source.new_share
    registered = np.where(
        new, rng.integers(0, source.days, size), -rng.integers(1, 720, size)
    ).astype(np.int64)
    enters = clock.shop_time(np.maximum(registered, 0))
    leaves = enters + rng.exponential(1, size) / drop_rate

    a, b = np.array(STYLE_SENSITIVITY).T[:, style]
    sensitivity = rng.beta(a, b)[person]
    unlucky = gammainc(source.lifetime_shape, drop_rate / scale)  # rank of the drop-out rate
    night = np.where(style == 0, 2.0, 1.0)
    older = attributes.age >= 50
    followers = np.floor(20 * (1 - rng.random(size)) ** (-1 / 1.16)).astype(np.int64)
    social = rng.random(size) < np.where(older, 0.35, 0.70)
    social_rate = np.where(social, np.exp(rng.normal(-3.0, 0.9, size)), 0.0)
    return Population(
        number=np.arange(size) + chunk * source.chunk_customers,
        person=person,
        attributes=attributes,
        told=(rng.random(size) >= source.unknown_attributes)[person],
        style=style,
        power=attributes.power,
        interests=interests,
        rate=rate,
        drop_rate=drop_rate,
        registered=registered,
        enters=enters,
        leaves=leaves,
        sensitivity=sensitivity,
        discounts=0.03 + 0.8 * sensitivity**2,
        annoyed=(rng.random(size) < ANNOYED_SHARE)[person],
        fraud=fraud,
        trouble=0.02 + 0.18 * unlucky**2,
        channels=_habit(rng, np.c_[np.full(size, 3.0), np.ones(size), np.where(older, 3.0, 0.8)]),
        payments=_habit(rng, np.tile([2.0, 2.0, 0.7, 0.3], (size, 1))),
        day_parts=_habit(rng, np.c_[np.tile([1.2, 1.0, 1.2, 2.2], (size, 1)), 0.4 * night]),
        failed=np.where(fraud == 3, 0.30, 0.008),
        cancelled=np.where(fraud == 3, 0.15, np.where(style == 0, 0.03, 0.01)),
        returned=np.where(fraud == 1, 0.40, np.where(style == 0, 0.06, 0.03)),
        followers=np.where(social, np.minimum(followers, 50_000_000), -1),
        social_rate=social_rate,
    )


def _interests(rng: np.random.Generator, attributes: Attributes, strength: float) -> Floats:
    """Shares of the topics: what everybody needs, and a Dirichlet over the others."""
    size = len(attributes.age)
    shape = INTEREST_SHAPE * np.exp(interest_shifts(attributes, strength))
    liking = rng.standard_gamma(shape) + 1e-12
    liking /= liking.sum(axis=1, keepdims=True)
    everyday = rng.beta(6, 8, size)[:, None]
    return np.asarray(np.c_[everyday, (1 - everyday) * liking])


def _persons(rng: np.random.Generator, size: int, fraud: Ints, share: float) -> Ints:
    """Place of the customer that each one is: the own place, or that of an earlier account.

    Those who abuse coupons have more accounts: they are eight times as likely to have another.
    """
    person = np.arange(size)
    further = np.sort(rng.choice(size, round(share * size), replace=False))
    first = np.setdiff1d(person, further)
    weight = np.where(fraud[first] == 2, 8.0, 1.0)
    person[further] = first[choose(rng, weight / weight.sum(), len(further))]
    return person


def _habit(rng: np.random.Generator, shape: Floats) -> Floats:
    """One Dirichlet draw per row."""
    draws = rng.standard_gamma(shape) + 1e-9
    return np.asarray(draws / draws.sum(axis=1, keepdims=True))
