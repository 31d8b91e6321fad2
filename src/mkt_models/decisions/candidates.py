"""What could be said to a customer: strategy x channel x content, with its words.

``no_action`` is a candidate too; :mod:`mkt_models.decisions.decide` adds it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mkt_models.columns import Model
from mkt_models.decisions.catalogue import Catalogue, ChannelUse, ItemChoice, Needs, StrategyEntry
from mkt_models.decisions.eligibility import missing
from mkt_models.decisions.naming import distinct, full_name, item_name, readable
from mkt_models.decisions.question import Customer, Policy
from mkt_models.decisions.words import Code, Reason, Words, money, reason

CONTENT_WORDS: Mapping[Needs, Words] = {
    Needs.ITEMS: ("items", "推荐商品"),
    Needs.OFFER: ("offer", "优惠"),
    Needs.TIER: ("membership tier", "会员等级"),
    Needs.NONE: ("content", "内容"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a strategy shows, the words for its text, and why it was chosen."""

    data: Mapping[str, Any]
    words: Mapping[str, Words]
    reasons: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy over a channel, with its content or the reason why there is none."""

    entry: StrategyEntry
    use: ChannelUse
    content: Content | Reason
    offer_id: str | None = None

    @property
    def key(self) -> str:
        """The candidate's name: unique for a customer, and the order among equals."""
        offer = "" if self.offer_id is None else f"/{self.offer_id}"
        return f"{self.entry.id}/{self.use.channel.value}{offer}"


def candidates(customer: Customer, policy: Policy, today: date) -> Iterator[Candidate]:
    """Every candidate of a customer, each once, in the order of the catalogue.

    A strategy without content is still a candidate, so that the answer says why it is not served.
    """
    for entry in policy.catalogue.strategies:
        for offer_id, content in _contents(entry, customer, policy, today):
            for use in entry.channels:
                yield Candidate(entry, use, content, offer_id)


def filled(template: str, words: Mapping[str, Words], side: int) -> str:
    """Fill a text of the catalogue in one language: side 0 English, 1 Chinese."""
    return template.format_map({name: both[side] for name, both in words.items()})


def _contents(
    entry: StrategyEntry, customer: Customer, policy: Policy, today: date
) -> Iterator[tuple[str | None, Content | Reason]]:
    nothing = reason(Code.NO_CONTENT, content=CONTENT_WORDS[entry.needs])
    if entry.needs is Needs.NONE:
        yield None, Content({"kind": "none"}, {})
    elif entry.items is not None:
        source = customer.recommendations if entry.personalised else policy.popular_items
        yield None, _items(entry.items, source) or nothing
    elif entry.needs is Needs.TIER:
        yield None, _tier(policy.catalogue, customer, policy.currency) or nothing
    else:
        offers = {str(o["offer_id"]): o for o in reversed(customer.offers) if o.get("offer_id")}
        for offer_id in sorted(offers):
            yield offer_id, _offer(offers[offer_id], today) or nothing
        if not offers:
            yield None, nothing


def _items(choice: ItemChoice, source: Sequence[Mapping[str, Any]]) -> Content | None:
    fit = [
        item
        for item in source
        if item.get("shelf") in choice.shelves and _numbers(item, "probability", "amount")
    ]
    shown = fit[choice.skip : choice.skip + choice.most]
    if not shown:
        return None
    names = distinct(item_name(item) for item in shown)
    return Content(
        data={"kind": "items", "items": [dict(item) for item in shown]},
        words={
            "items": (", ".join(names), "、".join(names)),
            "first_item": (names[0], names[0]),
        },
        reasons=tuple(
            {
                "source": "item",
                "en": f"{full_name(item)}: {item['en']}",
                "zh": f"{full_name(item)}：{item['zh']}",
            }
            for item in shown
            if _said(item)
        ),
    )


def _offer(offer: Mapping[str, Any], today: date) -> Content | Reason | None:
    starts_on, ends_on = offer.get("starts_on"), offer.get("ends_on")
    if not starts_on or not ends_on or not _numbers(offer, "probability", "amount"):
        return None
    if not str(starts_on) <= today.isoformat() <= str(ends_on):
        return reason(Code.OFFER_NOT_RUNNING, starts_on=starts_on, ends_on=ends_on, day=today)
    names = distinct(readable(name) for name in offer.get("products") or ())
    shown, more = names[:3], len(names) > 3
    products = (
        ", ".join(shown) + (" and more" if more else "") if shown else "selected products",
        "、".join(shown) + ("等" if more else "") if shown else "指定商品",
    )
    own = [{"source": "offer", "en": offer["en"], "zh": offer["zh"]}] if _said(offer) else []
    predicted = [
        {"source": f"score:{Model.PROPENSITY.value}", **why} for why in offer.get("reasons") or ()
    ]
    return Content(
        data={"kind": "offer", "offer": {k: v for k, v in offer.items() if k != "reasons"}},
        words={
            "products": products,
            "ends_on": (str(ends_on), str(ends_on)),
        },
        reasons=(*own, *predicted),
    )


def _tier(catalogue: Catalogue, customer: Customer, currency: str) -> Content | None:
    spent = customer.profile.get("amount_365d")
    if not _numbers(customer.profile, "amount_365d") or spent is None:
        return None
    reached = [tier for tier in catalogue.tiers if spent >= tier.from_amount]
    if not reached:
        return None
    tier = reached[-1]
    above = catalogue.tiers[len(reached) :]
    missing_amount = max(0.01, round(above[0].from_amount - spent, 2)) if above else None
    if above and missing_amount is not None:
        left = money(missing_amount, currency)
        progress = (
            f"{left} more within 365 days reaches {above[0].name.en}",
            f"365 天内再消费 {left} 即可升级为{above[0].name.zh}",
        )
    else:
        progress = ("This is the highest tier", "您已是最高等级")
    spend = money(spent, currency)
    return Content(
        data={
            "kind": "tier",
            "tier": {
                "tier": tier.id,
                "name": tier.name.model_dump(),
                "benefits": tier.benefits.model_dump(),
                "next_tier": above[0].id if above else None,
                "amount_to_next": missing_amount,
            },
        },
        words={
            "tier": (tier.name.en, tier.name.zh),
            "benefits": (tier.benefits.en, tier.benefits.zh),
            "progress": progress,
        },
        reasons=(
            {
                "source": "tier",
                "en": f"spent {spend} in 365 days; {tier.name.en} starts at "
                f"{money(tier.from_amount, currency)}",
                "zh": f"365 天内消费 {spend}；{tier.name.zh}门槛为 "
                f"{money(tier.from_amount, currency)}",
            },
        ),
    )


def _said(data: Mapping[str, Any]) -> bool:
    return bool(data.get("en") and data.get("zh"))


def _numbers(data: Mapping[str, Any], *names: str) -> bool:
    return all(
        isinstance(data.get(name), int | float) and not missing(data[name]) for name in names
    )
