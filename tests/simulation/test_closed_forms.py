"""The formulas against answers worked by hand, numerical integration, and what was simulated."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from simulation.shops import SIGMAS, deviation, shop

from mkt_models.simulation.closed_forms import (
    expected_count,
    expected_order_cents,
    p_any,
    p_together,
)
from mkt_models.simulation.records import line_cents_per_order
from mkt_models.simulation.shop import Chunk, World, make_world, simulate_chunk
from mkt_models.simulation.truth import customer_truth

YES = np.array([True])


def test_known_answers():
    one = np.array([1.0])
    assert p_any(one, one, YES, 1e9) == pytest.approx([0.5])  # a race of two equal clocks
    assert p_any(one, 1e-12 * one, YES, 2.0) == pytest.approx([1 - np.exp(-2)])
    assert expected_count(2 * one, one / 2, YES, 1e9) == pytest.approx([4.0])
    assert p_any(one, one, ~YES, 5.0) == [0.0]
    assert expected_count(one, one, ~YES, 5.0) == [0.0]


def test_formulas_are_the_integrals_that_they_stand_for():
    rate, drop, ahead = 0.2, 0.03, 40.0
    first = quad(lambda t: rate * np.exp(-(rate + drop) * t), 0, ahead)[0]
    count = quad(lambda t: rate * np.exp(-drop * t), 0, ahead)[0]
    args = (np.array([rate]), np.array([drop]), YES, ahead)
    assert p_any(*args) == pytest.approx([first])
    assert expected_count(*args) == pytest.approx([count])


@pytest.mark.parametrize("days", [28, 56, 90])
def test_the_hidden_days_are_as_foretold(world: World, chunk: Chunk, days: int):
    told = customer_truth(world, chunk)
    none = np.asarray(told[f"orders_{days}d"]) == 0
    p = np.asarray(told[f"p_no_order_{days}d"])
    assert abs(deviation(none - p)) < SIGMAS
    alive = np.asarray(told["alive"])
    assert none[~alive].all()
    edges = np.quantile(p[alive], [0, 0.25, 0.5, 0.75, 1])
    for low, high in pairwise(edges):  # calibrated in every quarter
        here = alive & (p >= low) & (p <= high)
        error = np.sqrt(np.sum(p[here] * (1 - p[here])))
        assert abs(np.sum(none[here] - p[here])) < SIGMAS * error
    orders = np.asarray(told[f"orders_{days}d"]) - told[f"expected_orders_{days}d"]
    assert abs(deviation(orders)) < SIGMAS
    cents = np.asarray(told[f"cents_{days}d"]) - told[f"expected_cents_{days}d"]
    assert abs(deviation(cents)) < SIGMAS


def test_an_order_costs_what_is_expected(world: World, chunk: Chunk):
    expected = expected_order_cents(chunk.population, world.catalogue)
    coupons = np.bincount(
        chunk.lines.order, chunk.lines.amount * (chunk.lines.offer >= 0), chunk.orders.size
    )
    found = line_cents_per_order(chunk) - coupons
    by_customer = np.bincount(
        chunk.orders.owner, found - expected[chunk.orders.owner], chunk.population.size
    )
    assert abs(deviation(by_customer)) < SIGMAS
    # and not only on average over everybody: price follows purchasing power
    for power in range(3):
        here = chunk.population.power == power
        assert abs(deviation(by_customer[here])) < SIGMAS


def test_loyalty_discounts_of_a_fifth_are_taken_off(world: World, chunk: Chunk):
    people = chunk.population
    never = replace(people, discounts=np.zeros(people.size))
    ratio = expected_order_cents(people, world.catalogue) / expected_order_cents(
        never, world.catalogue
    )
    assert ratio == pytest.approx(1 - 0.2 * people.discounts)


def test_complements_are_bought_together_as_often_as_told(world: World, chunk: Chunk):
    own = chunk.lines.offer < 0
    kind = world.catalogue.product_type[chunk.lines.product]
    expected = p_together(chunk.population, world.catalogue)[:, :, chunk.orders.owner]
    for pair, (first, second, probability) in enumerate(world.catalogue.complements):
        has = [
            np.bincount(chunk.lines.order[own & (kind == n)], minlength=chunk.orders.size) > 0
            for n in (first, second)
        ]
        for found, p in zip((*has, has[0] & has[1]), expected[:, pair], strict=True):
            error = np.sqrt(np.sum(p * (1 - p)))
            assert abs(np.sum(found - p)) < SIGMAS * error
        assert (has[0] & has[1]).sum() > probability * 0.8 * has[0].sum()


def test_orders_of_a_year_follow_the_rates():
    """Without campaigns' effects: orders of old customers against the Pareto/NBD mean."""
    shop_of_old = shop(new_share=0, days=364, customers=2000, chunk_customers=2000)
    world = make_world(shop_of_old, seed=3)
    chunk = simulate_chunk(world, 0)
    people, orders = chunk.population, chunk.orders
    before = orders.day < world.campaigns[0].start  # no campaign has run yet
    stretch = float(world.clock.shop_time(world.campaigns[0].start))
    expected = expected_count(people.rate, people.drop_rate, np.ones(2000, bool), stretch)
    found = np.bincount(orders.owner[before], minlength=2000)
    assert abs(deviation(found - expected)) < SIGMAS
