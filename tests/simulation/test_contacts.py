"""Assignment is random with the probabilities on record, and effects are as the truth says."""

from itertools import pairwise

import numpy as np
import pytest
from simulation.shops import SIGMAS, deviation, shop

from mkt_models.columns import Channel
from mkt_models.simulation.campaigns import (
    ACTIONS,
    plan_campaigns,
    rate_factor,
    redemption_probability,
)
from mkt_models.simulation.catalogue import make_catalogue
from mkt_models.simulation.closed_forms import expected_count, expected_order_cents
from mkt_models.simulation.contacts import CONTACT_CHANNELS, worn_factor
from mkt_models.simulation.population import Population
from mkt_models.simulation.shop import Chunk, World, make_world, simulate_chunk
from mkt_models.simulation.truth import action_truth, latest_of_each_action
from mkt_models.source_params import CampaignPlan


@pytest.fixture(scope="module")
def larger() -> tuple[World, Chunk]:
    """A busier shop, so that effects stand out of the noise."""
    source = shop(
        customers=6000, chunk_customers=6000, days=330, days_between_orders=10, browsing=0
    )
    world = make_world(source, seed=21)
    return world, simulate_chunk(world, 0)


def ordered(world: World, chunk: Chunk) -> np.ndarray:
    """Campaigns by customers: a completed order within the days of the campaign."""
    out = np.zeros((len(world.campaigns), chunk.population.size), dtype=bool)
    for campaign in world.campaigns:
        day = chunk.orders.day
        within = (day >= campaign.start) & (day < min(campaign.end, world.clock.days))
        out[campaign.number, chunk.orders.owner[within & chunk.orders.completed]] = True
    return out


def test_campaigns_end_with_one_that_is_running():
    plan = plan_campaigns(CampaignPlan(), make_catalogue(1, 500), 1, days=300)
    assert [campaign.start for campaign in plan][-1] == 293
    assert plan[0].start >= 60
    assert all(a.end <= b.start for a, b in pairwise(plan))


def test_offers_are_for_products_of_the_topic():
    catalogue = make_catalogue(1, 500)
    for campaign in plan_campaigns(CampaignPlan(), catalogue, 1, days=500):
        assert bool(campaign.offers) == (campaign.action.discount > 0)
        for goods, share in campaign.offers:
            assert (catalogue.topic[list(goods)] == campaign.action.topic_number).all()
            assert campaign.action.discount <= share <= campaign.action.discount + 0.1


def test_treated_are_as_many_as_their_probabilities_say(larger: tuple[World, Chunk]):
    world, chunk = larger
    contacts = chunk.contacts
    for p in np.unique(contacts.probability):
        here = contacts.probability == p
        assert abs(deviation(contacts.treated[here] - p)) < SIGMAS
    for campaign in world.campaigns:
        of_it = contacts.campaign == campaign.number
        assert set(contacts.probability[of_it]) <= set(campaign.probabilities)


def test_given_its_probability_treatment_tells_nothing_of_the_customer(larger):
    _, chunk = larger
    contacts, people = chunk.contacts, chunk.population
    for latent in (people.rate, people.sensitivity, people.annoyed, people.leaves):
        value = latent[contacts.owner].astype(float)
        for p in np.unique(contacts.probability):
            here = contacts.probability == p
            centred = value[here] - value[here].mean()
            assert abs(deviation(centred * (contacts.treated[here] - p))) < SIGMAS


def test_only_those_who_agreed_and_did_not_revoke_are_in_a_campaign(larger):
    world, chunk = larger
    contacts = chunk.contacts
    channel = np.array([CONTACT_CHANNELS.index(c.action.channel) for c in world.campaigns])
    column = channel[contacts.campaign]
    assert chunk.consents.granted[contacts.owner, column].all()
    starts = np.array([c.start for c in world.campaigns])
    assert (chunk.population.registered[contacts.owner] < starts[contacts.campaign]).all()
    for campaign, owner, _ in zip(*contacts.unsubscribed, strict=True):
        later = (contacts.owner == owner) & (contacts.campaign > campaign)
        assert not (column[later] == channel[campaign]).any()


def test_orders_follow_the_true_probabilities_in_both_arms(larger):
    world, chunk = larger
    contacts = chunk.contacts
    found = ordered(world, chunk)[contacts.campaign, contacts.owner]
    for arm, told in ((True, contacts.order_if), (False, contacts.order_if_not)):
        here = contacts.treated == arm
        assert abs(deviation(found[here] - told[here])) < SIGMAS
        annoyed = here & chunk.population.annoyed[contacts.owner]
        assert abs(deviation(found[annoyed] - told[annoyed])) < SIGMAS


def test_redemptions_follow_the_true_probabilities(larger):
    world, chunk = larger
    contacts, orders = chunk.contacts, chunk.orders
    redeemed = np.zeros((len(world.campaigns), chunk.population.size), dtype=bool)
    used = orders.campaign >= 0
    redeemed[orders.campaign[used], orders.owner[used]] = True
    found = redeemed[contacts.campaign, contacts.owner]
    assert abs(deviation((found - contacts.redeem_if)[contacts.treated])) < SIGMAS
    assert not found[~contacts.treated].any()


def test_weighting_by_the_probabilities_finds_the_effect_and_the_plain_difference_does_not(larger):
    world, chunk = larger
    contacts = chunk.contacts
    tilted = np.array([len(set(c.probabilities)) > 1 for c in world.campaigns])
    here = tilted[contacts.campaign]
    y = ordered(world, chunk)[contacts.campaign, contacts.owner][here].astype(float)
    treated, p = contacts.treated[here], contacts.probability[here]
    effect = float((contacts.order_if - contacts.order_if_not)[here].mean())
    weighted = y * np.where(treated, 1 / p, -1 / (1 - p))
    error = weighted.std() / np.sqrt(len(y))
    assert abs(weighted.mean() - effect) < SIGMAS * error
    assert y[treated].mean() - y[~treated].mean() > effect + 3 * error


def test_fatigue_wears_good_effects_off_by_the_contacts_before(larger: tuple[World, Chunk]):
    plan = CampaignPlan(every_days=7, days=7, fatigue=0.5, fatigue_half_life_days=14)
    source = shop(customers=300, chunk_customers=300, days=200, browsing=0, campaigns=plan)
    world = make_world(source, seed=4)
    contacts = simulate_chunk(world, 0).contacts
    app = [c for c in world.campaigns if c.action.channel is Channel.APP]
    first, second, third = (campaign.number for campaign in app[:3])
    assert (contacts.left[first] == 1).all()
    ages = [app[2].start - campaign.start for campaign in app[:2]]
    pressure = sum(
        0.5 ** (age / 14) * contacts.contacted[number]
        for age, number in zip(ages, (first, second), strict=True)
    )
    assert contacts.left[third] == pytest.approx(np.exp(-0.5 * pressure))
    assert np.unique(pressure).size == 4  # contacted before by none, either, or both
    # A harm stays as it is, a gain is nearer to none.
    factor, left = np.array([0.5, 1.0, 3.0]), np.array([0.5, 0.5, 0.5])
    assert worn_factor(factor, left).tolist() == [0.5, 1.0, 2.0]
    # By default nothing is planted.
    assert (larger[1].contacts.left == 1).all()


def test_less_is_redeemed_as_the_truth_of_a_tired_contact_says():
    plan = CampaignPlan(every_days=4, days=4, fatigue=1.5, fatigue_half_life_days=14)
    source = shop(
        customers=3000,
        chunk_customers=3000,
        days=330,
        days_between_orders=10,
        browsing=0,
        campaigns=plan,
    )
    world = make_world(source, seed=5)
    chunk = simulate_chunk(world, 0)
    contacts, orders = chunk.contacts, chunk.orders
    redeemed = np.zeros(contacts.contacted.shape, dtype=bool)
    with_coupon = np.flatnonzero(orders.campaign >= 0)
    redeemed[orders.campaign[with_coupon], orders.owner[with_coupon]] = True
    whole = np.array([c.end <= world.clock.days for c in world.campaigns])
    sent = contacts.treated & whole[contacts.campaign]
    tired = sent & (contacts.left[contacts.campaign, contacts.owner] < 0.6)
    assert tired.sum() > 1000
    for rows in (tired, sent & ~tired):
        y = redeemed[contacts.campaign[rows], contacts.owner[rows]]
        assert abs(deviation(y - contacts.redeem_if[rows])) < SIGMAS


def test_effects_differ_and_some_are_negative(chunk: Chunk):
    for action in ACTIONS:
        factor = rate_factor(chunk.population, action)
        assert factor.std() > 0.02
        assert factor.min() > 0
    reminder = rate_factor(chunk.population, ACTIONS[4])
    annoyed = chunk.population.annoyed
    assert reminder[annoyed].max() < 1
    assert reminder.mean() < 1
    app = rate_factor(chunk.population, ACTIONS[0])
    assert app[~annoyed].mean() > 1.2


def test_the_truth_tells_of_every_action_and_of_none(world: World, chunk: Chunk):
    tables = action_truth(world, chunk)
    used = latest_of_each_action(world.campaigns)
    assert [t["action"][0] for t in tables] == ["none"] + [c.action.name for c in used]
    none = tables[0]
    for table in tables[1:]:
        assert table["uplift_p_order"] == pytest.approx(table["p_order"] - none["p_order"])
        gone = none["p_order"] == 0
        assert (table["p_order"][gone] == 0).all()
        assert (table["p_redemption"] <= table["p_order"] + 1e-12).all()


def test_what_an_action_would_bring_is_what_playing_it_out_brings(larger):
    """Each action sent 300 times to 400 customers: the truth against an independent play."""
    world, chunk = larger
    people, clock = chunk.population, world.clock
    abuser = np.flatnonzero((people.fraud == 2) & people.alive(float(clock.shop_time(330))))
    who = np.r_[abuser[:40], np.arange(360)]
    rng = np.random.default_rng(5)
    stretch = float(clock.shop_time(330 + world.source.campaigns.days) - clock.shop_time(330))
    per_order = expected_order_cents(people, world.catalogue)[who]
    alive = people.alive(float(clock.shop_time(330)))[who]
    lives = rng.exponential(1 / people.drop_rate[who], (300, len(who)))
    length = np.minimum(lives, stretch) * alive
    tables = {str(t["action"][0]): t for t in action_truth(world, chunk)}
    for campaign in latest_of_each_action(world.campaigns):
        action = campaign.action
        rate = (people.rate * people.completed * rate_factor(people, action))[who]
        orders = rng.poisson(rate * length)
        redeeming = rng.binomial(orders, redemption_probability(people, action)[who])
        coupons = np.where(people.fraud[who] == 2, redeeming, np.minimum(redeeming, 1))
        line = 0.0
        if campaign.offers:
            _, goods, shares = campaign.coupons
            line = float(np.mean(world.catalogue.cents[goods] * (1 - shares)))
        told = {
            name: np.asarray(tables[action.name][name])[who]
            for name in ("p_order", "p_redemption", "expected_cents")
        }
        of_orders = expected_count(rate, people.drop_rate[who], alive, stretch) * per_order
        for found, expected in (
            (orders > 0, told["p_order"]),
            (redeeming > 0, told["p_redemption"]),
            (coupons * line, told["expected_cents"] - of_orders),
        ):
            for some in (slice(None), slice(40)):  # everybody, and the abusers of coupons
                gap = (found - expected)[:, some].mean(axis=0)
                assert gap.any() == expected[some].any()
                assert not gap.any() or abs(deviation(gap)) < SIGMAS, action.name


def test_those_who_abuse_coupons_redeem_again_and_again(larger):
    _, chunk = larger
    people: Population = chunk.population
    orders = chunk.orders
    used = orders.campaign >= 0
    key = orders.owner[used] * 1000 + orders.campaign[used]
    values, times = np.unique(key, return_counts=True)
    abuser = people.fraud[values // 1000] == 2
    assert times[~abuser].max() == 1
    assert times[abuser].max() > 1
