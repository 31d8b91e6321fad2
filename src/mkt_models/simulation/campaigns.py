"""The campaigns of the shop: what each does, when it runs, what it offers, and its true effect.

A contact multiplies the customer's purchase rate for the days of the campaign. The factor depends
on who they are, and is below 1 for those whom it annoys. Where coupons are offered, an order in
those days redeems one with a probability that depends on who they are too.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mkt_models.columns import Channel
from mkt_models.simulation.catalogue import Catalogue
from mkt_models.simulation.goods import TOPICS
from mkt_models.simulation.population import Population
from mkt_models.simulation.randomness import Floats, Ints, Purpose, generator
from mkt_models.source_params import CampaignPlan

FIRST_CAMPAIGN = 60  # days of history before the first one
LAST_BEFORE_END = 7  # the last one begins so many days before the end of the data, and is running
STRATUM_DAYS = 60  # strata: no order, 1 or 2, or 3 and more in so many days before the start
STRATA = (0, 1, 3)
# Probability of contact by stratum, over the mean: every second campaign favours the active.
STRATUM_TILT = ((1.0, 1.0, 1.0), (0.6, 1.0, 1.4))
FACTOR_RANGE = (0.2, 4.0)
ABUSER_REDEEMS = 0.95  # of the orders of those who abuse coupons
ABUSER_ORDERS = 0.9  # and by how much more a coupon raises the logarithm of their rate
CONTACT_CENTS = {Channel.APP: 0, Channel.EMAIL: 1, Channel.SMS: 5, Channel.MAIL: 80}


@dataclass(frozen=True)
class Action:
    """One kind of contact and its effect.

    ``log(factor) = base + of_sensitivity * (sensitivity - 1/2) + of_interest * interest in the
    topic``, and ``-annoyance`` for those who dislike contacts. ``logit(redeems per order) =
    redeems + 3 * (sensitivity - 1/2) + 2 * interest``; ``discount`` 0 means no coupons.
    """

    name: str
    campaign_type: str
    channel: Channel
    topic: str
    discount: float
    base: float
    of_sensitivity: float
    of_interest: float
    annoyance: float
    redeems: float = 0.0

    @property
    def topic_number(self) -> int:
        """Number of the topic."""
        return TOPICS.index(self.topic)


ACTIONS = (
    Action("discount_home_app", "discount", Channel.APP, "home", 0.20, 0.15, 1.0, 1.0, 0.4, -0.8),
    Action("arrivals_anime_app", "new_arrivals", Channel.APP, "anime", 0.05, 0.0, 0, 2.5, 0.3, -2),
    Action("discount_food_sms", "discount", Channel.SMS, "gourmet", 0.25, 0.2, 1.2, 1, 1.1, -0.5),
    Action("bundle_baby_email", "bundle", Channel.EMAIL, "parenting", 0.15, 0.0, 0.3, 2, 0.3, -1),
    Action("reminder_sms", "reminder", Channel.SMS, "everyday", 0.0, -0.05, 0.0, 0.3, 1.2),
    Action("bundle_sports_app", "bundle", Channel.APP, "sports", 0.15, 0.1, 0.3, 2.0, 0.3, -1.0),
    Action("discount_beauty_email", "discount", Channel.EMAIL, "beauty", 0.2, 0.1, 1, 1.5, 0.4, -1),
    Action("win_back_mail", "win_back", Channel.MAIL, "outdoors", 0.30, 0.3, 0.8, 0.5, 0.2, -0.3),
)


@dataclass(frozen=True)
class Campaign:
    """One campaign: an action on the days from ``start`` to before ``end``, and its offers.

    ``offers`` holds the product numbers and the discount of each coupon; ``probabilities`` of
    contact are by stratum.
    """

    number: int
    action: Action
    start: int
    end: int
    offers: tuple[tuple[tuple[int, ...], float], ...]
    probabilities: tuple[float, float, float]

    @property
    def id(self) -> str:
        """The campaign's id."""
        return f"K{self.number + 1:03d}"

    def offer_id(self, offer: int) -> str:
        """Id of one of its coupons."""
        return f"{self.id}:{offer + 1}"

    @cached_property
    def coupons(self) -> tuple[Ints, Ints, Floats]:
        """Offer number, product and discount of everything that a coupon may be used for."""
        rows = [(i, p, share) for i, (goods, share) in enumerate(self.offers) for p in goods]
        offers, products, shares = (np.array(column) for column in zip(*rows, strict=True))
        return offers, products, shares


def plan_campaigns(
    plan: CampaignPlan, catalogue: Catalogue, seed: int, days: int
) -> tuple[Campaign, ...]:
    """Plan the campaigns, oldest first; the last one is running when the data ends."""
    rng = generator(seed, 0, Purpose.PLAN)
    starts = range(days - LAST_BEFORE_END, FIRST_CAMPAIGN - 1, -plan.every_days)
    campaigns = []
    for number, start in enumerate(reversed(starts)):
        action = ACTIONS[number % len(ACTIONS)]
        tilt = STRATUM_TILT[number % len(STRATUM_TILT)]
        first, middle, last = (float(np.clip(plan.treated_share * t, 0.05, 0.95)) for t in tilt)
        campaigns.append(
            Campaign(
                number=number,
                action=action,
                start=start,
                end=start + plan.days,
                offers=_offers(rng, catalogue, action),
                probabilities=(first, middle, last),
            )
        )
    return tuple(campaigns)


def rate_factor(population: Population, action: Action) -> Floats:
    """By what a contact multiplies each customer's purchase rate."""
    log = (
        action.base
        + action.of_sensitivity * (population.sensitivity - 0.5)
        + action.of_interest * population.interests[:, action.topic_number]
        - action.annoyance * population.annoyed
        + ABUSER_ORDERS * ((population.fraud == 2) & (action.discount > 0))
    )
    return np.asarray(np.clip(np.exp(log), *FACTOR_RANGE))


def redemption_probability(population: Population, action: Action) -> Floats:
    """Probability that a completed order of a contacted customer redeems a coupon."""
    if action.discount == 0:
        return np.zeros(population.size)
    interest = population.interests[:, action.topic_number]
    logit = action.redeems + 3 * (population.sensitivity - 0.5) + 2 * interest
    return np.where(population.fraud == 2, ABUSER_REDEEMS, 1 / (1 + np.exp(-logit)))


def _offers(
    rng: np.random.Generator, catalogue: Catalogue, action: Action
) -> tuple[tuple[tuple[int, ...], float], ...]:
    """Three coupons, each for several products of the action's topic; none without a discount."""
    if action.discount == 0:
        return ()
    goods = np.flatnonzero(catalogue.topic == action.topic_number)
    weight = catalogue.popularity[goods]
    offers = []
    for more in (0.0, 0.05, 0.10):
        n = min(int(rng.integers(3, 7)), len(goods))
        drawn = rng.choice(goods, n, replace=False, p=weight / weight.sum())
        offers.append((tuple(int(p) for p in np.sort(drawn)), round(action.discount + more, 2)))
    return tuple(offers)
