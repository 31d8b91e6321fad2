"""Behaviour, social activity and requests show what drives the customers."""

import numpy as np
from simulation.shops import SIGMAS, deviation

from mkt_models.simulation import behaviour, service_requests
from mkt_models.simulation.behaviour import STYLE_DECIDES
from mkt_models.simulation.clock import SECONDS
from mkt_models.simulation.shop import Chunk, World


def test_events_stand_in_time_within_the_data(world: World, chunk: Chunk):
    day = chunk.events.second // SECONDS
    assert (np.diff(chunk.events.second) >= 0).all()
    assert day.min() >= 0
    assert day.max() == world.clock.days - 1
    assert (day >= chunk.population.registered[chunk.events.owner]).all()


def test_only_views_dwell_only_reviews_rate_and_only_searches_ask(chunk: Chunk):
    events = chunk.events
    assert ((events.kind == 0) == ~np.isnan(events.dwell)).all()
    assert ((events.kind == 6) == ~np.isnan(events.rating)).all()
    assert ((events.kind == 1) == (events.query >= 0)).all()
    assert ((events.kind == 1) == (events.product < 0)).all()
    assert {behaviour.KINDS[number] for number in set(events.kind.tolist())} == set(behaviour.KINDS)


def test_the_share_of_orders_that_are_compared_first_is_that_of_the_style(world, chunk: Chunk):
    orders, events = chunk.orders, chunk.events
    # late enough that the earlier visit lies in the data and after the registration
    since = np.maximum(chunk.population.registered[orders.owner], 0)
    could = (orders.channel != 2) & (orders.day > since + 45) & (orders.day < world.clock.days)
    compared = np.zeros(2 * orders.size, dtype=bool)
    compared[events.session[(events.session >= 0) & (events.session < 2 * orders.size)]] = True
    found = compared[orders.size :]
    share = np.array(STYLE_DECIDES)[chunk.population.style[orders.owner]]
    assert abs(deviation((found - share)[could])) < SIGMAS


def test_careful_and_rational_customers_view_more_before_they_buy(chunk: Chunk):
    style = chunk.population.style[chunk.events.owner]
    views = [np.sum((style == s) & (chunk.events.kind == 0)) for s in range(3)]
    carts = [np.sum((style == s) & (chunk.events.kind == 3)) for s in range(3)]
    impulse, careful, rational = (v / c for v, c in zip(views, carts, strict=True))
    assert impulse < careful < rational


def test_views_and_social_topics_follow_interests(world: World, chunk: Chunk):
    liked = chunk.population.interests[:, 1:] / chunk.population.interests[:, 1:].sum(
        axis=1, keepdims=True
    )
    acts = chunk.social
    for topic in range(1, 9):
        assert abs(deviation((acts.topic == topic) - liked[acts.owner, topic - 1])) < SIGMAS
    viewed = world.catalogue.topic[chunk.events.product[chunk.events.kind == 4]]
    owner = chunk.events.owner[chunk.events.kind == 4]
    everyday = chunk.population.interests[owner, 0]
    assert abs(deviation((viewed == 0) - everyday)) < SIGMAS


def test_social_actions_go_to_others_with_reach(chunk: Chunk):
    acts, people = chunk.social, chunk.population
    aimed = acts.target >= 0
    assert (acts.target[aimed] != acts.owner[aimed]).all()
    assert (people.followers[acts.target[aimed]] >= 20).all()
    assert not aimed[acts.kind == 0].any()
    assert (people.social_rate[acts.owner] > 0).all()


def test_requests_follow_the_probability_of_trouble(world: World, chunk: Chunk):
    tickets, orders = chunk.tickets, chunk.orders
    of_order = np.isin(tickets.topic, [0, 1, 2])
    asked = np.zeros(orders.size, dtype=bool)
    asked[tickets.order[of_order]] = True
    could = orders.completed & (orders.day < world.clock.days - 30)
    trouble = chunk.population.trouble[orders.owner]
    assert abs(deviation((asked - trouble)[could])) < SIGMAS
    failed = tickets.topic == service_requests.TOPICS.index("payment")
    assert (orders.status[tickets.order[failed]] == 2).all()


def test_who_has_trouble_rates_lower(chunk: Chunk):
    rated = ~np.isnan(chunk.events.rating)
    trouble = chunk.population.trouble[chunk.events.owner[rated]]
    rating = chunk.events.rating[rated]
    assert np.corrcoef(trouble, rating)[0, 1] < -0.15
