"""The membership tier: reached by spend and by orders, its benefits, and the way to the next."""

from collections.abc import Iterator

from mkt_models.columns import Channel
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.content import Case, Content, Found, not_available, number
from mkt_models.decisions.programmes import MembershipTier
from mkt_models.decisions.words import Words, money

SPENT, ORDERED = "amount_365d", "orders_365d"


def make_tier(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """The tier whose two thresholds are both reached, and what is missing to the next in each."""
    profile, currency = case.customer.profile, case.policy.currency
    spent, orders = number(profile, SPENT), number(profile, ORDERED)
    if spent is None or orders is None:
        lacking = [name for name in (SPENT, ORDERED) if number(profile, name) is None]
        yield None, not_available(*lacking)
        return
    tiers = case.policy.catalogue.tiers
    # Spend net of returns may lie below 0: that is the lowest tier.
    at = max(
        n
        for n, tier in enumerate(tiers)
        if n == 0 or (spent >= tier.from_amount and orders >= tier.from_orders)
    )
    tier, above = tiers[at], tiers[at + 1] if at + 1 < len(tiers) else None
    amount_left = None if above is None else _left(above.from_amount, spent)
    orders_left = None if above is None else max(0, above.from_orders - int(orders))
    data = {
        "kind": "tier",
        "tier": {
            "tier": tier.id,
            "name": tier.name.model_dump(),
            "benefits": tier.benefits.model_dump(),
            "next_tier": None if above is None else above.id,
            "amount_to_next": amount_left,
            "orders_to_next": orders_left,
        },
    }
    words = {
        "tier": tier.name.words,
        "benefits": tier.benefits.words,
        "progress": _progress(above, amount_left or 0, orders_left or 0, currency),
    }
    spend, floor = money(spent, currency), money(tier.from_amount, currency)
    times = f"{int(orders)} {'order' if orders == 1 else 'orders'}"
    yield None, Content(data, words, (
        {
            "source": "tier",
            "en": f"spent {spend} in {times} within 365 days; {tier.name.en} starts at {floor} "
            f"and {tier.from_orders} orders",
            "zh": f"365 天内下单 {int(orders)} 次、消费 {spend}；{tier.name.zh}门槛为 {floor} "
            f"且 {tier.from_orders} 单",
        },
    ))  # fmt: skip


def _left(threshold: float, spent: float) -> float:
    """What is missing to a threshold, in cents that are not rounded to nothing."""
    return 0.0 if spent >= threshold else max(0.01, round(threshold - spent, 2))


def _progress(above: MembershipTier | None, amount: float, orders: int, currency: str) -> Words:
    if above is None:
        return "This is the highest tier", "您已是最高等级"
    more, further = money(amount, currency), f"{orders} more {'order' if orders == 1 else 'orders'}"
    if amount and orders:
        return (
            f"{more} and {further} within 365 days reach {above.name.en}",
            f"365 天内再消费 {more}、再下 {orders} 单即可升级为{above.name.zh}",
        )
    if orders:
        return (
            f"{further} within 365 days {'reaches' if orders == 1 else 'reach'} {above.name.en}",
            f"365 天内再下 {orders} 单即可升级为{above.name.zh}",
        )
    return (
        f"{more} more within 365 days reaches {above.name.en}",
        f"365 天内再消费 {more} 即可升级为{above.name.zh}",
    )
