"""What the shop's systems have on record of a chunk: the columns of the canonical tables."""

from collections.abc import Callable, Iterator

import numpy as np

from mkt_models.columns import ConsentStatus, Table
from mkt_models.simulation import behaviour, service_requests, social
from mkt_models.simulation.attributes import attribute_labels
from mkt_models.simulation.campaigns import CONTACT_CENTS
from mkt_models.simulation.catalogue import product_columns
from mkt_models.simulation.contacts import CONTACT_CHANNELS
from mkt_models.simulation.goods import TOPICS
from mkt_models.simulation.population import CHANNELS, PAYMENTS
from mkt_models.simulation.purchases import STATUSES, order_places
from mkt_models.simulation.randomness import Bools, Floats, Ints, Purpose, generator
from mkt_models.simulation.shop import Chunk, World
from mkt_models.simulation.writing import Columns, ids, joined, labels, measures, whole

CHUNK_IDS = 1_000_000_000  # ids of orders, sessions and the like begin here in every chunk
KNOWN_PHONE = 0.9
LOYALTY_CARD = 0.4
OPENS, CLICKS, RESPONSE_DAYS = 0.35, 0.3, 3
REGISTERED_AT = "registered_at"  # beside the columns of order lines, for planting dirt


def shop_tables(world: World) -> dict[Table, Columns]:
    """Products, campaigns and offers: what does not depend on the customers."""
    catalogue, clock = world.catalogue, world.clock
    coupons = [
        (campaign.offer_id(i), campaign, product, share)
        for campaign in world.campaigns
        for i, (goods, share) in enumerate(campaign.offers)
        for product in goods
    ]
    return {
        Table.PRODUCTS: product_columns(catalogue),
        Table.CAMPAIGNS: {
            "campaign_id": [c.id for c in world.campaigns],
            "campaign_type": [c.action.campaign_type for c in world.campaigns],
            "channel": [c.action.channel.value for c in world.campaigns],
            "starts_on": clock.date_number(np.array([c.start for c in world.campaigns])),
            "ends_on": clock.date_number(np.array([c.end - 1 for c in world.campaigns])),
        },
        Table.OFFERS: {
            "offer_id": [offer for offer, *_ in coupons],
            "campaign_id": [campaign.id for _, campaign, _, _ in coupons],
            "product_id": [catalogue.ids[product] for _, _, product, _ in coupons],
            "kind": ["coupon"] * len(coupons),
            "discount_share": [share for *_, share in coupons],
            "cost_cents": [CONTACT_CENTS[c.action.channel] for _, c, _, _ in coupons],
        },
    }


def chunk_tables(world: World, chunk: Chunk) -> Iterator[tuple[Table, Columns]]:
    """All tables of a chunk's customers, within the days of the data, one after the other."""
    makers: dict[Table, Callable[[World, Chunk], Columns]] = {
        Table.CUSTOMERS: _customers,
        Table.IDENTITIES: _identities,
        Table.TRANSACTIONS: _transactions,
        Table.EVENTS: _events,
        Table.SOCIAL: _social,
        Table.TICKETS: _tickets,
        Table.EXPOSURES: _exposures,
        Table.OUTCOMES: _outcomes,
        Table.CONSENTS: _consents,
    }
    for table, make in makers.items():
        yield table, make(world, chunk)


def customer_ids(chunk: Chunk, owner: Ints) -> object:
    """Ids of customers by their place in the chunk; -1 is null."""
    return ids("C", np.where(owner < 0, -1, chunk.population.number[owner]), 8)


def _numbers(chunk: Chunk, places: Ints) -> Ints:
    """Numbers of things that are the chunk's own; -1 stays."""
    return np.where(places < 0, -1, chunk.number * CHUNK_IDS + places)


def _customers(world: World, chunk: Chunk) -> Columns:
    population = chunk.population
    told = population.told
    columns: dict[str, object] = {
        "customer_id": customer_ids(chunk, np.arange(population.size)),
        "birth_year": whole(population.attributes.birth_year, told),
        "registered_on": world.clock.date_number(population.registered),
    }
    for name, (names, numbers) in attribute_labels(population.attributes).items():
        columns[name] = labels(names, np.where(told, numbers, -1))
    return columns


def _identities(world: World, chunk: Chunk) -> Columns:
    """Phone numbers, which the accounts of one person share, and cards, which are one account's."""
    rng = generator(world.seed, chunk.number, Purpose.IDENTITIES)
    population = chunk.population
    several = np.bincount(population.person, minlength=population.size)[population.person] > 1
    phone = np.flatnonzero((rng.random(population.size) < KNOWN_PHONE) | several)
    card = np.flatnonzero(rng.random(population.size) < LOYALTY_CARD)
    owner = np.r_[phone, card]
    value = np.r_[population.number[population.person[phone]], population.number[card]]
    kind = np.r_[np.zeros_like(phone), np.ones_like(card)]
    # a hash, so that a value tells no customer number: a bijection of whole numbers
    scrambled = (value * 2_654_435_761 + kind * 97) % (1 << 40)
    return {
        "customer_id": customer_ids(chunk, owner),
        "kind": labels(["phone", "loyalty_card"], kind),
        "value": ids("H", scrambled, 13),
    }


def _transactions(world: World, chunk: Chunk) -> Columns:
    orders, lines, returns = chunk.orders, chunk.lines, chunk.returns
    clock, population = world.clock, chunk.population
    sold = np.flatnonzero(orders.day[lines.order] < clock.days)
    back = returns.line
    line = np.r_[sold, back]
    order = lines.order[line]
    n, m = len(sold), len(back)
    is_sale = np.arange(n + m) < n
    own_id = np.r_[_numbers(chunk, lines.order[sold]), _numbers(chunk, np.arange(m))]
    named = np.r_[np.full(n, -1), np.where(returns.named, lines.order[back], -1)]
    sign = np.where(is_sale, 1, -1)
    online = orders.channel[order] != 2
    return {
        "order_id": _either(is_sale, "O", "R", own_id),
        "line_id": ids("", order_places(lines)[line], 1),
        "customer_id": customer_ids(chunk, orders.owner[order]),
        "product_id": labels(world.catalogue.ids, lines.product[line]),
        "store_id": ids("S", np.where(online, -1, orders.store[order] + 1), 2),
        "channel": labels(CHANNELS, orders.channel[order]),
        "payment_method": labels(PAYMENTS, orders.payment[order]),
        "status": labels(STATUSES, np.where(is_sale, orders.status[order], 0)),
        "returned_order_id": ids("O", _numbers(chunk, named), 12),
        "quantity": (sign * lines.pieces[line]).astype(np.float64),
        "amount_cents": sign * lines.amount[line],
        "loyalty_discount_cents": np.where(is_sale, lines.loyalty[line], 0),
        "coupon_discount_cents": np.where(is_sale, lines.coupon[line], 0),
        "coupon_match_discount_cents": np.zeros(n + m, dtype=np.int64),
        "occurred_at": clock.utc(np.r_[orders.second[lines.order[sold]], returns.second]),
        REGISTERED_AT: clock.utc(population.registered[orders.owner[order]] * 86_400),
    }


def _either(first: Bools, a: str, b: str, n: Ints) -> object:
    """Ids of prefix ``a`` where ``first`` holds (they come first), and of ``b`` below."""
    cut = int(first.sum())
    return joined(ids(a, n[:cut], 12), ids(b, n[cut:], 12))


def _events(world: World, chunk: Chunk) -> Columns:
    events, catalogue = chunk.events, world.catalogue
    types = [name for *_, name in catalogue.types]
    categories = [category for _, _, category, _ in catalogue.types]
    kind_of = np.where(events.product < 0, events.query, catalogue.product_type[events.product])
    return {
        "event_id": ids("E", _numbers(chunk, np.arange(len(events.owner))), 12),
        "customer_id": customer_ids(chunk, events.owner),
        "session_id": ids("V", _numbers(chunk, events.session), 12),
        "kind": labels(behaviour.KINDS, events.kind),
        "product_id": labels(catalogue.ids, events.product),
        "category": labels(categories, kind_of),
        "query": labels([name.lower() for name in types], events.query),
        "dwell_seconds": measures(events.dwell),
        "rating": measures(events.rating),
        "device": labels(behaviour.DEVICES, events.device),
        "occurred_at": world.clock.utc(events.second),
    }


def _social(world: World, chunk: Chunk) -> Columns:
    acts = chunk.social
    return {
        "action_id": ids("A", _numbers(chunk, np.arange(len(acts.owner))), 12),
        "customer_id": customer_ids(chunk, acts.owner),
        "platform": labels(social.PLATFORMS, acts.platform),
        "kind": labels(social.KINDS, acts.kind),
        "topic": labels(TOPICS, acts.topic),
        "target_customer_id": customer_ids(chunk, acts.target),
        "followers": acts.followers,
        "occurred_at": world.clock.utc(acts.second),
    }


def _tickets(world: World, chunk: Chunk) -> Columns:
    tickets, clock = chunk.tickets, world.clock
    return {
        "ticket_id": ids("T", _numbers(chunk, np.arange(len(tickets.owner))), 12),
        "customer_id": customer_ids(chunk, tickets.owner),
        "order_id": ids("O", _numbers(chunk, tickets.order), 12),
        "topic": labels(service_requests.TOPICS, tickets.topic),
        "opened_at": clock.utc(tickets.opened),
        "resolved_at": whole(clock.utc(tickets.resolved), tickets.resolved >= 0),
        "satisfaction": measures(tickets.satisfaction),
    }


def _exposures(world: World, chunk: Chunk) -> Columns:
    contacts, campaigns = chunk.contacts, world.campaigns
    starts = np.array([campaign.start for campaign in campaigns])
    channels = [campaign.action.channel.value for campaign in campaigns]
    return {
        "customer_id": customer_ids(chunk, contacts.owner),
        "campaign_id": labels([campaign.id for campaign in campaigns], contacts.campaign),
        "channel": labels(channels, contacts.campaign),
        "sent_on": world.clock.date_number(starts[contacts.campaign]),
        "arm": labels(["control", "treatment"], contacts.treated.astype(np.int64)),
        "assignment_probability": contacts.probability,
    }


def _outcomes(world: World, chunk: Chunk) -> Columns:
    """Redemptions of coupons, and opens, clicks and unsubscribing of those who were contacted."""
    rng = generator(world.seed, chunk.number, Purpose.OUTCOMES)
    orders, lines, contacts = chunk.orders, chunk.lines, chunk.contacts
    campaigns, clock = world.campaigns, world.clock
    used = np.flatnonzero(lines.offer >= 0)
    order = lines.order[used]
    starts = np.array([campaign.start for campaign in campaigns])
    sent = np.flatnonzero(contacts.treated)
    opened = sent[rng.random(len(sent)) < OPENS]
    opened_on = starts[contacts.campaign[opened]] + rng.integers(0, RESPONSE_DAYS, len(opened))
    clicked = rng.random(len(opened)) < CLICKS
    left_campaign, left, left_on = contacts.unsubscribed
    parts = (
        (orders.owner[order], orders.campaign[order], lines.offer[used], 0, orders.day[order]),
        (contacts.owner[opened], contacts.campaign[opened], None, 1, opened_on),
        (contacts.owner[opened][clicked], contacts.campaign[opened][clicked], None, 2,
         opened_on[clicked]),
        (left, left_campaign, None, 3, left_on),
    )  # fmt: skip
    owner = np.concatenate([part[0] for part in parts])
    campaign = np.concatenate([part[1] for part in parts])
    offer = np.concatenate([np.full(len(p[0]), -1) if p[2] is None else p[2] for p in parts])
    kind = np.concatenate([np.full(len(part[0]), part[3]) for part in parts])
    day = np.concatenate([part[4] for part in parts])
    amount = np.concatenate([lines.amount[used], np.zeros(len(owner) - len(used), dtype=np.int64)])
    rows = np.flatnonzero(day < clock.days)
    offers = [c.offer_id(i) for c in campaigns for i in range(max(1, len(c.offers)))]
    before = np.cumsum([0] + [max(1, len(c.offers)) for c in campaigns])
    number = np.where(offer < 0, -1, before[campaign] + offer)
    return {
        "customer_id": customer_ids(chunk, owner[rows]),
        "campaign_id": labels([c.id for c in campaigns], campaign[rows]),
        "offer_id": labels(offers, number[rows]),
        "kind": labels(["redemption", "open", "click", "unsubscribe"], kind[rows]),
        "amount_cents": whole(amount[rows], kind[rows] == 0),
        "occurred_on": clock.date_number(day[rows]),
    }


def _consents(world: World, chunk: Chunk) -> Columns:
    """What was said at registration, and what was revoked after a contact."""
    population, clock, campaigns = chunk.population, world.clock, world.campaigns
    owner, channel = np.nonzero(chunk.consents.recorded)
    granted = chunk.consents.granted[owner, channel]
    left_campaign, left, left_on = chunk.contacts.unsubscribed
    seen = left_on < clock.days
    channel_of = np.array([CONTACT_CHANNELS.index(c.action.channel) for c in campaigns])
    status = np.r_[np.where(granted, 0, 1), np.full(int(seen.sum()), 2)]
    statuses = [ConsentStatus.GRANTED, ConsentStatus.REFUSED, ConsentStatus.REVOKED]
    return {
        "customer_id": customer_ids(chunk, np.r_[owner, left[seen]]),
        "purpose": labels(["marketing"], np.zeros(len(status), dtype=np.int64)),
        "channel": labels(
            [channel.value for channel in CONTACT_CHANNELS],
            np.r_[channel, channel_of[left_campaign[seen]]],
        ),
        "status": labels([one.value for one in statuses], status),
        "changed_on": clock.date_number(np.r_[population.registered[owner], left_on[seen]]),
        "basis": labels(["registration", "unsubscribed"], (status == 2).astype(np.int64)),
    }


def line_cents_per_order(chunk: Chunk) -> Floats:
    """Amount of every order, cents."""
    cents = chunk.lines.amount.astype(np.float64)
    return np.asarray(np.bincount(chunk.lines.order, cents, chunk.orders.size))
