"""The whole simulation: a world that all share, and one chunk of customers after another."""

from dataclasses import dataclass

from mkt_models.simulation.behaviour import Events, draw_events
from mkt_models.simulation.campaigns import Campaign, plan_campaigns
from mkt_models.simulation.catalogue import Catalogue, make_catalogue
from mkt_models.simulation.clock import ShopClock
from mkt_models.simulation.contacts import Consents, Contacts, contact, draw_consents
from mkt_models.simulation.population import Population, draw_population
from mkt_models.simulation.purchases import (
    Lines,
    Orders,
    Returns,
    base_orders,
    draw_lines,
    draw_returns,
    finish_orders,
)
from mkt_models.simulation.service_requests import Tickets, draw_tickets
from mkt_models.simulation.social import Social, draw_social
from mkt_models.source_params import Simulator


@dataclass(frozen=True)
class World:
    """What all customers share: the choices, the clock, the products and the campaigns."""

    source: Simulator
    seed: int
    clock: ShopClock
    catalogue: Catalogue
    campaigns: tuple[Campaign, ...]

    @property
    def chunks(self) -> int:
        """How many chunks of customers there are."""
        return -(-self.source.customers // self.source.chunk_customers)

    def chunk_size(self, chunk: int) -> int:
        """Customers of a chunk; the last one may have fewer."""
        left = self.source.customers - chunk * self.source.chunk_customers
        return min(self.source.chunk_customers, left)


@dataclass(frozen=True)
class Chunk:
    """Everything that some customers are and do, within the data and in the hidden days after."""

    number: int
    population: Population
    consents: Consents
    contacts: Contacts
    orders: Orders
    lines: Lines
    returns: Returns
    events: Events
    social: Social
    tickets: Tickets


def make_world(source: Simulator, seed: int) -> World:
    """Make what does not depend on the customers."""
    catalogue = make_catalogue(seed, source.products)
    ahead = max(*source.horizons, source.campaigns.days)
    return World(
        source=source,
        seed=seed,
        clock=ShopClock(
            source.first_day, source.days, ahead, source.zone, source.busy_days, source.season
        ),
        catalogue=catalogue,
        campaigns=plan_campaigns(source.campaigns, catalogue, seed, source.days),
    )


def simulate_chunk(world: World, number: int) -> Chunk:
    """Simulate one chunk; it depends on no other."""
    clock, catalogue, campaigns = world.clock, world.catalogue, world.campaigns
    at = (world.seed, number)
    population = draw_population(world.source, clock, *at, world.chunk_size(number))
    consents = draw_consents(population, *at)
    base = base_orders(population, clock, *at)
    contacts, owner, moment = contact(
        population, clock, campaigns, consents, base, *at, world.source.campaigns
    )
    orders = finish_orders(population, clock, campaigns, contacts, owner, moment, *at)
    lines = draw_lines(population, catalogue, campaigns, orders, *at)
    returns = draw_returns(population, clock, orders, lines, *at)
    return Chunk(
        number=number,
        population=population,
        consents=consents,
        contacts=contacts,
        orders=orders,
        lines=lines,
        returns=returns,
        events=draw_events(world.source, population, catalogue, clock, orders, lines, *at),
        social=draw_social(population, clock, *at),
        tickets=draw_tickets(population, clock, orders, lines, returns, *at),
    )
