"""Orders and lines, one ingredient at a time: lines, pieces, discounts, prices, returns."""

import numpy as np
import pytest
from simulation.shops import SIGMAS, deviation

from mkt_models.simulation.clock import SECONDS
from mkt_models.simulation.closed_forms import MORE_PIECES
from mkt_models.simulation.population import DAY_PARTS, STYLE_MORE_LINES
from mkt_models.simulation.purchases import order_places
from mkt_models.simulation.randomness import positions
from mkt_models.simulation.shop import Chunk, World


def own_lines(world: World, chunk: Chunk) -> np.ndarray:
    """Lines that are neither a coupon's nor certainly brought by another one."""
    brought = {second for _, second, _ in world.catalogue.complements}
    kind = world.catalogue.product_type[chunk.lines.product]
    return (chunk.lines.offer < 0) & ~np.isin(kind, list(brought))


def test_orders_stand_by_customer_and_time(chunk: Chunk):
    orders = chunk.orders
    later = np.diff(orders.second) >= 0
    assert (later | (np.diff(orders.owner) > 0)).all()
    assert (orders.day == orders.second // SECONDS).all()
    assert (orders.day >= chunk.population.registered[orders.owner]).all()


def test_nobody_orders_after_dropping_out(world: World, chunk: Chunk):
    last = np.floor(world.clock.day_of(chunk.population.leaves))
    assert (chunk.orders.day <= last[chunk.orders.owner]).all()


def test_hours_are_those_of_the_day_parts(chunk: Chunk):
    hour = chunk.orders.second % SECONDS // 3600
    known = {h for begins, ends in DAY_PARTS for h in range(begins, ends)}
    assert set(hour.tolist()) == known
    night = chunk.population.day_parts[chunk.orders.owner, 4]
    assert abs(deviation((hour < 3) - night)) < SIGMAS


def test_statuses_follow_the_customers_probabilities(chunk: Chunk):
    people, orders = chunk.population, chunk.orders
    for number, share in ((1, people.cancelled), (2, people.failed)):
        assert abs(deviation((orders.status == number) - share[orders.owner])) < SIGMAS


def test_styles_differ_in_the_number_of_lines(world: World, chunk: Chunk):
    """One line and Poisson(b) more; companions are counted apart, by what brings them."""
    kind = world.catalogue.product_type[chunk.lines.product]
    brings = np.zeros(len(world.catalogue.types))
    for first, _, probability in world.catalogue.complements:
        brings[first] = probability
    own = chunk.lines.offer < 0
    lines = np.bincount(chunk.lines.order[own], minlength=chunk.orders.size)
    brought = np.bincount(chunk.lines.order[own], brings[kind[own]], chunk.orders.size)
    more = np.array(STYLE_MORE_LINES)[chunk.population.style[chunk.orders.owner]]
    assert abs(deviation(lines - brought - 1 - more)) < SIGMAS


def test_pieces_and_discounts_have_their_means(world: World, chunk: Chunk):
    own, lines = own_lines(world, chunk), chunk.lines
    assert abs(deviation(lines.pieces[own] - 1 - MORE_PIECES)) < SIGMAS
    owner = chunk.orders.owner[lines.order[own]]
    shelf = world.catalogue.cents[lines.product[own]] * lines.pieces[own]
    saved = lines.loyalty[own] / shelf
    # cents are rounded, so a share is exact to a thousandth at the least
    assert set(np.round(saved, 2)) == {0.0, 0.1, 0.2, 0.3}
    assert abs(deviation(saved - 0.2 * chunk.population.discounts[owner])) < SIGMAS


def test_lines_follow_interests_and_purchasing_power(world: World, chunk: Chunk):
    own, catalogue = own_lines(world, chunk), world.catalogue
    owner = chunk.orders.owner[chunk.lines.order[own]]
    product = chunk.lines.product[own]
    kinds = np.arange(len(catalogue.types))
    kept = ~np.isin(kinds, [second for _, second, _ in catalogue.complements])
    # a topic's share of the lines that no complement can have brought
    within = (catalogue.type_shares * kept).reshape(9, -1, len(kinds)).sum(axis=2)
    weights = chunk.population.interests * within[chunk.population.taste]
    shares = weights / weights.sum(axis=1, keepdims=True)
    for topic, share in enumerate(shares.T):
        assert abs(deviation((catalogue.topic[product] == topic) - share[owner])) < SIGMAS
    premium = [
        np.mean(catalogue.quality[product[chunk.population.power[owner] == p]] == 2)
        for p in range(3)
    ]
    assert premium[0] < premium[1] < premium[2]


def test_a_coupon_line_has_its_discount_and_no_other(world: World, chunk: Chunk):
    lines, orders = chunk.lines, chunk.orders
    used = np.flatnonzero(lines.offer >= 0)
    assert len(used) == (orders.campaign >= 0).sum() > 0
    assert (lines.loyalty[used] == 0).all()
    for row in used:
        campaign = world.campaigns[orders.campaign[lines.order[row]]]
        goods, share = campaign.offers[lines.offer[row]]
        price = world.catalogue.cents[lines.product[row]]
        assert lines.product[row] in goods
        assert lines.coupon[row] == pytest.approx(price * share, abs=0.51)
        assert lines.amount[row] == price - lines.coupon[row]


def test_every_order_has_a_first_line(chunk: Chunk):
    assert np.bincount(chunk.lines.order, minlength=chunk.orders.size).min() >= 1
    assert (order_places(chunk.lines) == positions(chunk.lines.order) + 1).all()


def test_returns_follow_the_customers_probabilities(world: World, chunk: Chunk):
    lines, orders = chunk.lines, chunk.orders
    # of orders early enough that every return lies in the data
    could = orders.completed[lines.order] & (orders.day[lines.order] < world.clock.days - 31)
    came = np.zeros(lines.size, dtype=bool)
    came[chunk.returns.line] = True
    share = chunk.population.returned[orders.owner[lines.order]]
    assert abs(deviation(came[could] - share[could])) < SIGMAS
    assert len(set(chunk.returns.line.tolist())) == len(chunk.returns.line)
    later = chunk.returns.second // SECONDS - orders.day[lines.order[chunk.returns.line]]
    assert later.min() >= 1
    assert later.max() <= 30
