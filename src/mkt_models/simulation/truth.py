"""The planted truth, as tables beside the data: who customers are, and what they will do.

No source and no stage reads these tables. They are for judging what was found without them.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mkt_models.simulation.campaigns import (
    Action,
    Campaign,
    rate_factor,
    redemption_probability,
)
from mkt_models.simulation.catalogue import POWERS, QUALITIES, STYLES
from mkt_models.simulation.clock import EPOCH
from mkt_models.simulation.closed_forms import (
    expected_count,
    expected_order_cents,
    p_any,
    p_together,
)
from mkt_models.simulation.contacts import left_after, worn_factor
from mkt_models.simulation.goods import TOPICS
from mkt_models.simulation.population import CHANNELS, FRAUDS
from mkt_models.simulation.randomness import Floats
from mkt_models.simulation.records import customer_ids, line_cents_per_order
from mkt_models.simulation.shop import Chunk, World
from mkt_models.simulation.writing import Columns, labels, whole

NO_ACTION = "none"


def truth_schemas(horizons: Sequence[int]) -> dict[str, dict[str, str]]:
    """Columns and types of the tables of the truth."""
    ahead = {
        f"{name}_{days}d": kind
        for days in horizons
        for name, kind in {
            "p_no_order": "DOUBLE",
            "expected_orders": "DOUBLE",
            "expected_cents": "DOUBLE",
            "orders": "BIGINT",
            "cents": "BIGINT",
        }.items()
    }
    return {
        "customers": {
            "customer_id": "VARCHAR",
            "person_id": "VARCHAR",
            "style": "VARCHAR",
            "power": "VARCHAR",
            "top_interest": "VARCHAR",
            **{f"interest_{topic}": "DOUBLE" for topic in TOPICS},
            **{f"channel_{channel}": "DOUBLE" for channel in CHANNELS},
            "price_sensitivity": "DOUBLE",
            "annoyed_by_contact": "BOOLEAN",
            "fraud": "VARCHAR",
            "p_trouble": "DOUBLE",
            "p_failed": "DOUBLE",
            "p_cancelled": "DOUBLE",
            "p_returned": "DOUBLE",
            "followers": "BIGINT",
            "orders_per_day": "DOUBLE",
            "drop_outs_per_day": "DOUBLE",
            "alive": "BOOLEAN",
            "dropped_out_on": "DATE",
            "expected_order_cents": "DOUBLE",
            **ahead,
        },
        "actions": {
            "customer_id": "VARCHAR",
            "action": "VARCHAR",
            "p_order": "DOUBLE",
            "p_redemption": "DOUBLE",
            "expected_cents": "DOUBLE",
            "uplift_p_order": "DOUBLE",
            "uplift_cents": "DOUBLE",
        },
        "exposures": {
            "customer_id": "VARCHAR",
            "campaign_id": "VARCHAR",
            "arm": "VARCHAR",
            "p_order_if_contacted": "DOUBLE",
            "p_order_if_not": "DOUBLE",
            "p_redemption_if_contacted": "DOUBLE",
        },
        "campaigns": {
            "campaign_id": "VARCHAR",
            "action": "VARCHAR",
            "topic": "VARCHAR",
            "starts_on": "DATE",
            "ends_on": "DATE",
            "probability_without_orders": "DOUBLE",
            "probability_with_1_or_2": "DOUBLE",
            "probability_with_3_and_more": "DOUBLE",
        },
        "products": {"product_id": "VARCHAR", "topic": "VARCHAR", "quality": "VARCHAR"},
        "complements": {
            "product_type": "VARCHAR",
            "brings": "VARCHAR",
            "probability": "DOUBLE",
            "orders": "BIGINT",
            "support": "DOUBLE",
            "confidence": "DOUBLE",
            "lift": "DOUBLE",
        },
        "dirt": {"kind": "VARCHAR", "table": "VARCHAR", "rows": "BIGINT"},
    }


def customer_truth(world: World, chunk: Chunk) -> Columns:
    """One row per customer: what drives them, and what they will do if nothing more is sent.

    ``p_no_order``, ``expected_orders`` and ``expected_cents`` are known given the latents at the
    end of the data; ``orders`` and ``cents`` are what the hidden days brought. Cents are those of
    completed orders, before returns.
    """
    population, clock = chunk.population, world.clock
    alive = population.alive(float(clock.shop_time(clock.days)))
    rate, drop = population.rate * population.completed, population.drop_rate
    per_order = expected_order_cents(population, world.catalogue)
    left = np.floor(clock.day_of(np.minimum(population.leaves, clock.shop_time(clock.days))))
    day = left.astype(np.int64) + (clock.first_day - EPOCH).days
    columns: dict[str, object] = {
        "customer_id": customer_ids(chunk, np.arange(population.size)),
        "person_id": customer_ids(chunk, population.person),
        "style": labels(STYLES, population.style),
        "power": labels(POWERS, population.power),
        "top_interest": labels(TOPICS[1:], population.interests[:, 1:].argmax(axis=1)),
        **{f"interest_{t}": population.interests[:, i] for i, t in enumerate(TOPICS)},
        **{f"channel_{c}": population.channels[:, i] for i, c in enumerate(CHANNELS)},
        "price_sensitivity": population.sensitivity,
        "annoyed_by_contact": population.annoyed,
        "fraud": labels(FRAUDS, population.fraud),
        "p_trouble": population.trouble,
        "p_failed": population.failed,
        "p_cancelled": population.cancelled,
        "p_returned": population.returned,
        "followers": np.maximum(population.followers, 0),
        "orders_per_day": rate,
        "drop_outs_per_day": drop,
        "alive": alive,
        "dropped_out_on": whole(day, ~alive),
        "expected_order_cents": per_order,
    }
    ahead = chunk.orders.completed & (chunk.orders.day >= clock.days)
    cents = line_cents_per_order(chunk)
    for days in world.source.horizons:
        stretch = clock.ahead(days)
        rows = np.flatnonzero(ahead & (chunk.orders.day < clock.days + days))
        owner = chunk.orders.owner[rows]
        expected = expected_count(rate, drop, alive, stretch)
        columns |= {
            f"p_no_order_{days}d": 1 - p_any(rate, drop, alive, stretch),
            f"expected_orders_{days}d": expected,
            f"expected_cents_{days}d": expected * per_order,
            f"orders_{days}d": np.bincount(owner, minlength=population.size),
            f"cents_{days}d": np.bincount(owner, cents[rows], population.size).astype(np.int64),
        }
    return columns


def action_truth(world: World, chunk: Chunk) -> list[Columns]:
    """One row per customer and action, as if it were sent on the day after the data.

    Over the days of a campaign from then on. ``none`` is among the actions; the uplifts are
    differences to it.
    """
    population, clock = chunk.population, world.clock
    alive = population.alive(float(clock.shop_time(clock.days)))
    stretch = clock.ahead(world.source.campaigns.days)
    rate, drop = population.rate * population.completed, population.drop_rate
    per_order = expected_order_cents(population, world.catalogue)
    base = p_any(rate, drop, alive, stretch)
    base_cents = expected_count(rate, drop, alive, stretch) * per_order
    who = customer_ids(chunk, np.arange(population.size))
    zero = np.zeros(population.size)
    tables: list[Columns] = [
        _action_columns(who, NO_ACTION, base, zero, base_cents, base, base_cents)
    ]
    for campaign in latest_of_each_action(world.campaigns):
        action = campaign.action
        left = left_after(
            chunk.contacts.contacted,
            world.campaigns,
            action.channel,
            clock.days,
            world.source.campaigns,
        )
        raised = rate * worn_factor(rate_factor(population, action), left)
        redeeming = raised * redemption_probability(population, action) * left
        redeems = p_any(redeeming, drop, alive, stretch)
        abuser = population.fraud == 2
        coupons = np.where(abuser, expected_count(redeeming, drop, alive, stretch), redeems)
        cents = expected_count(raised, drop, alive, stretch) * per_order
        cents += coupons * _coupon_line_cents(world, campaign)
        orders = p_any(raised, drop, alive, stretch)
        tables.append(_action_columns(who, action.name, orders, redeems, cents, base, base_cents))
    return tables


def exposure_truth(world: World, chunk: Chunk) -> Columns:
    """One row per customer and campaign: the true probabilities within its days."""
    contacts = chunk.contacts
    return {
        "customer_id": customer_ids(chunk, contacts.owner),
        "campaign_id": labels([c.id for c in world.campaigns], contacts.campaign),
        "arm": labels(["control", "treatment"], contacts.treated.astype(np.int64)),
        "p_order_if_contacted": contacts.order_if,
        "p_order_if_not": contacts.order_if_not,
        "p_redemption_if_contacted": contacts.redeem_if,
    }


def shop_truth(world: World) -> dict[str, Columns]:
    """Campaigns and products: what does not depend on the customers."""
    clock, catalogue, campaigns = world.clock, world.catalogue, world.campaigns
    chances = np.array([campaign.probabilities for campaign in campaigns])
    return {
        "campaigns": {
            "campaign_id": [c.id for c in campaigns],
            "action": [c.action.name for c in campaigns],
            "topic": [c.action.topic for c in campaigns],
            "starts_on": clock.date_number(np.array([c.start for c in campaigns])),
            "ends_on": clock.date_number(np.array([c.end - 1 for c in campaigns])),
            "probability_without_orders": chances[:, 0],
            "probability_with_1_or_2": chances[:, 1],
            "probability_with_3_and_more": chances[:, 2],
        },
        "products": {
            "product_id": catalogue.ids,
            "topic": labels(TOPICS, catalogue.topic),
            "quality": labels(QUALITIES, catalogue.quality),
        },
    }


def together(world: World, chunk: Chunk) -> tuple[int, Floats]:
    """Orders of the chunk, and how many are expected to hold a complement's types.

    The second is of shape ``(3, pairs)``: the first type, the second, both. Completed orders
    within the data count, without the lines that coupons added.
    """
    orders = chunk.orders
    rows = np.flatnonzero(orders.completed & (orders.day < world.clock.days))
    n = np.bincount(orders.owner[rows], minlength=chunk.population.size)
    return len(rows), p_together(chunk.population, world.catalogue) @ n.astype(np.float64)


def complement_truth(world: World, orders: int, held: Floats) -> Columns:
    """One row per planted pair of product types, over all chunks."""
    types, pairs = world.catalogue.types, world.catalogue.complements
    first, second, both = held / max(orders, 1)
    return {
        "product_type": [types[a][3] for a, _, _ in pairs],
        "brings": [types[b][3] for _, b, _ in pairs],
        "probability": [p for _, _, p in pairs],
        "orders": [orders] * len(pairs),
        "support": both,
        "confidence": both / first,
        "lift": both / (first * second),
    }


def dirt_truth(counts: Mapping[tuple[str, str], int]) -> Columns:
    """One row per kind of dirt and table: how many rows were planted."""
    return {
        "kind": [kind for kind, _ in counts],
        "table": [table for _, table in counts],
        "rows": list(counts.values()),
    }


def latest_of_each_action(campaigns: Sequence[Campaign]) -> list[Campaign]:
    """The last campaign of every action that the shop has used."""
    latest: dict[Action, Campaign] = {campaign.action: campaign for campaign in campaigns}
    return sorted(latest.values(), key=lambda campaign: campaign.action.name)


def _action_columns(
    who: object,
    action: str,
    p_order: Floats,
    p_redemption: Floats,
    cents: Floats,
    base: Floats,
    base_cents: Floats,
) -> Columns:
    return {
        "customer_id": who,
        "action": [action] * len(p_order),
        "p_order": p_order,
        "p_redemption": p_redemption,
        "expected_cents": cents,
        "uplift_p_order": p_order - base,
        "uplift_cents": cents - base_cents,
    }


def _coupon_line_cents(world: World, campaign: Campaign) -> float:
    """Mean amount of the line that a redeemed coupon adds."""
    if not campaign.offers:
        return 0.0
    _, products, shares = campaign.coupons
    return float(np.mean(world.catalogue.cents[products] * (1 - shares)))
