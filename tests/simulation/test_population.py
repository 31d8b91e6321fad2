"""Latents have the moments of their distributions; attributes tell as much as they should."""

import numpy as np
import pytest
from simulation.shops import SIGMAS, deviation, shop

from mkt_models.simulation.attributes import POWER_CORRELATION, POWER_SHARES
from mkt_models.simulation.clock import ShopClock
from mkt_models.simulation.goods import TOPICS
from mkt_models.simulation.population import (
    STYLE_RATE,
    STYLE_SHARES,
    Population,
    draw_population,
)

N = 20_000
SPORTS = TOPICS.index("sports")


def population(**changed: object) -> Population:
    source = shop(customers=N, chunk_customers=N, shared_accounts=0, **changed)
    clock = ShopClock(source.first_day, source.days, 90, source.zone, ())
    return draw_population(source, clock, seed=5, chunk=0, size=N)


@pytest.fixture(scope="module")
def many() -> Population:
    return population()


def test_purchase_rates_are_gamma_within_a_style(many: Population):
    shape, mean = 1.2, 1 / 14
    for style, times in enumerate(STYLE_RATE):
        rate = many.rate[many.style == style] / times
        assert abs(deviation(rate - mean)) < SIGMAS
        assert abs(deviation((rate - mean) ** 2 - mean**2 / shape)) < SIGMAS
    assert STYLE_RATE @ np.array(STYLE_SHARES) == pytest.approx(1)


def test_drop_out_rates_are_gamma_and_lifetimes_follow_them(many: Population):
    shape, mean = 0.8, 1 / 400
    assert abs(deviation(many.drop_rate - mean)) < SIGMAS
    assert abs(deviation((many.drop_rate - mean) ** 2 - mean**2 / shape)) < SIGMAS
    # P(alive after t) of a gamma mixture of exponentials: (b / (b + t)) ** s
    after, b = 100.0, shape / mean
    assert abs(deviation((many.leaves - many.enters) * many.drop_rate - 1)) < SIGMAS
    alive = many.leaves - many.enters > after
    assert abs(deviation(alive - (b / (b + after)) ** shape)) < SIGMAS


def test_styles_and_powers_have_their_shares(many: Population):
    for numbers, shares in ((many.style, STYLE_SHARES), (many.power, POWER_SHARES)):
        for number, share in enumerate(shares):
            assert np.mean(numbers == number) == pytest.approx(share, abs=0.02)


def test_interests_are_shares(many: Population):
    assert many.interests.sum(axis=1) == pytest.approx(np.ones(N))
    assert many.interests.min() >= 0
    assert abs(deviation(many.interests[:, 0] - 6 / 14)) < SIGMAS  # beta(6, 8)


def test_income_tells_of_purchasing_power_as_strongly_as_told(many: Population):
    scores = np.corrcoef(many.attributes.income_score, many.attributes.power_score)
    assert scores[0, 1] == pytest.approx(POWER_CORRELATION, abs=0.02)


def test_without_strength_attributes_tell_nothing():
    blind = population(attribute_strength=0)
    scores = np.corrcoef(blind.attributes.income_score, blind.attributes.power_score)
    assert abs(scores[0, 1]) < SIGMAS / np.sqrt(N)
    tie = np.corrcoef(blind.attributes.gender, blind.interests[:, SPORTS])[0, 1]
    assert abs(tie) < SIGMAS / np.sqrt(N)


def test_with_strength_gender_is_a_proxy_of_sports(many: Population):
    tie = np.corrcoef(many.attributes.gender, many.interests[:, SPORTS])[0, 1]
    assert tie > 0.08


def test_followers_have_a_heavy_tail(many: Population):
    followers = many.followers[many.followers >= 0]
    assert followers.min() >= 20
    # Pareto of exponent 1.16: the share above x is (20 / x) ** 1.16
    for above in (100, 1000):
        assert abs(deviation((followers >= above) - (20 / above) ** 1.16)) < SIGMAS


def test_a_further_account_is_the_same_person():
    source = shop(customers=2000, chunk_customers=2000, shared_accounts=0.1)
    clock = ShopClock(source.first_day, source.days, 90, source.zone, ())
    one = draw_population(source, clock, seed=5, chunk=0, size=2000)
    further = np.flatnonzero(one.person != np.arange(2000))
    first = one.person[further]
    assert len(further) == 200
    assert (one.person[first] == first).all()
    for same in (one.attributes.birth_year, one.style, one.interests, one.fraud, one.sensitivity):
        assert (same[further] == same[first]).all()
    assert (one.rate[further] != one.rate[first]).all()


def test_those_who_abuse_coupons_have_more_accounts():
    source = shop(customers=N, chunk_customers=N, shared_accounts=0.1, fraud_share=0.3)
    clock = ShopClock(source.first_day, source.days, 90, source.zone, ())
    one = draw_population(source, clock, seed=5, chunk=0, size=N)
    further = one.person != np.arange(N)
    assert further[one.fraud == 2].mean() > 3 * further[one.fraud != 2].mean()


def test_trouble_and_drop_out_go_together(many: Population):
    quick = many.drop_rate > np.quantile(many.drop_rate, 0.9)
    assert many.trouble[quick].mean() > 0.15
    assert many.trouble[~quick].mean() < 0.09
