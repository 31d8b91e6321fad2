"""Offers: the coupons of campaigns, and the offers that are open to all who qualify.

Of a customer's coupons each is a candidate: the arbitration picks by expected worth. Of the open
offers one is shown, the first that suits; the terms are the same for everybody, and the others
remain open to the customer.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from mkt_models.columns import Channel, Model
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.content import Case, Content, Found, nothing, number, said
from mkt_models.decisions.eligibility import ineligible
from mkt_models.decisions.naming import distinct, readable
from mkt_models.decisions.programmes import PublishedOffer
from mkt_models.decisions.words import Code, Reason, reason
from mkt_models.profiles.described import PROFILE_COLUMNS

EVERYBODY = ("open to everybody on the same terms", "面向所有客户，条件一致")
QUALIFIES = (
    "open on the same terms to all who qualify, as this customer does",
    "面向所有符合条件的客户，条件一致；该客户符合条件",
)


def make_offers(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """Each coupon of the customer's campaigns, by id."""
    found = {str(o["offer_id"]): o for o in reversed(case.customer.offers) if o.get("offer_id")}
    for offer_id in sorted(found):
        yield offer_id, _coupon(found[offer_id], case.today) or nothing(entry)
    if not found:
        yield None, nothing(entry)


def make_open_offers(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """Each published offer of the strategy: one with content, the others with their reason.

    Of those that are open to the customer, the first whose ``suits`` hold is shown, else the first
    that suits everybody, in the order of the strategy.
    """
    profile = case.customer.profile
    offers = {offer.id: offer for offer in case.policy.catalogue.offers}
    refused: dict[str, Reason] = {}
    fit: list[tuple[int, PublishedOffer]] = []
    for offer in (offers[name] for name in entry.offers):
        if not offer.runs(case.today):
            refused[offer.id] = reason(
                Code.OFFER_NOT_RUNNING,
                starts_on=offer.starts_on or ("the beginning", "即日"),
                ends_on=offer.ends_on or ("further notice", "另行通知"),
                day=case.today,
            )
        elif faults := ineligible(offer.open_to, profile):
            why = ("; ".join(f.en for f in faults), "；".join(f.zh for f in faults))
            refused[offer.id] = reason(Code.OFFER_NOT_OPEN, why=why)
        else:
            suits = not ineligible(offer.suits, profile)
            fit.append((0 if offer.suits and suits else 1 if suits else 2, offer))
    best = min(fit, key=lambda one: one[0])[1] if fit else None
    for name in entry.offers:
        if name in refused:
            yield name, refused[name]
        elif best is not None and name != best.id:
            yield name, reason(Code.OFFER_SUITS_LESS, better=best.name.words)
        elif best is not None:
            yield name, _open(best, profile)


def _open(offer: PublishedOffer, profile: Mapping[str, Any]) -> Content:
    until = (f"until {offer.ends_on}", f"截至 {offer.ends_on}")
    en, zh = QUALIFIES if offer.open_to else EVERYBODY
    reasons = [{"source": "offer", "en": en, "zh": zh}]
    if offer.suits and not ineligible(offer.suits, profile):
        words = [PROFILE_COLUMNS[rule.column].words for rule in offer.suits]
        because = (", ".join(en for en, _ in words), "、".join(zh for _, zh in words))
        reasons.append(
            {
                "source": "habit",
                "en": f"shown first because of habits: {because[0]}",
                "zh": f"根据习惯优先展示：{because[1]}",
            }
        )
    data = {
        "offer_id": offer.id,
        "name": offer.name.model_dump(),
        "terms": offer.terms.model_dump(),
        "open_to": [rule.model_dump(mode="json") for rule in offer.open_to],
        "ends_on": None if offer.ends_on is None else offer.ends_on.isoformat(),
    }
    words_ = {
        "offer": offer.name.words,
        "terms": offer.terms.words,
        "until": until if offer.ends_on else ("until further notice", "长期有效"),
    }
    return Content({"kind": "open_offer", "offer": data}, words_, tuple(reasons))


def _coupon(offer: Mapping[str, Any], today: date) -> Content | Reason | None:
    starts_on, ends_on = offer.get("starts_on"), offer.get("ends_on")
    if not starts_on or not ends_on:
        return None
    if number(offer, "probability") is None or number(offer, "amount") is None:
        return None
    if not str(starts_on) <= today.isoformat() <= str(ends_on):
        return reason(Code.OFFER_NOT_RUNNING, starts_on=starts_on, ends_on=ends_on, day=today)
    names = distinct(readable(name) for name in offer.get("products") or ())
    shown, more = names[:3], len(names) > 3
    products = (
        ", ".join(shown) + (" and more" if more else "") if shown else "selected products",
        "、".join(shown) + ("等" if more else "") if shown else "指定商品",
    )
    own = [{"source": "offer", "en": offer["en"], "zh": offer["zh"]}] if said(offer) else []
    predicted = [
        {"source": f"score:{Model.PROPENSITY.value}", **why} for why in offer.get("reasons") or ()
    ]
    return Content(
        data={"kind": "offer", "offer": {k: v for k, v in offer.items() if k != "reasons"}},
        words={"products": products, "ends_on": (str(ends_on), str(ends_on))},
        reasons=(*own, *predicted),
    )
