"""The terms in an answer: what each strategy offers, as far as it costs or saves something.

Read from the answer alone (``Decision.as_dict()``), so that whatever the customer is shown is
compared, wherever in the decision it came from.
"""

import json
from collections.abc import Mapping
from typing import Any

from mkt_models.columns import Strategy
from mkt_models.decisions.content_kinds import Needs
from mkt_models.terms_params import Term

Value = float | str | tuple[tuple[str, float], ...]
Terms = Mapping[Term, Value]

# Families that offer terms by what they are; of the others, those whose content is an offer.
OFFERING = (Strategy.PROMOTION, Strategy.SERVICE, Strategy.MEMBERSHIP)
_OFFER_KINDS = ("offer", "tier", "service", "share")
OFFER_NEEDS = (Needs.OFFER, Needs.OPEN_OFFER, Needs.TIER, Needs.SERVICE, Needs.SHARE)

MORE_IS_BETTER: Mapping[Term, bool] = {
    Term.SHOWN: True,
    Term.PRICE: False,
    Term.ITEM_PRICES: False,
    Term.COUPON_VALUE: True,
    Term.DISCOUNT: True,
    Term.SERVICES: True,
}
"""Terms that are numbers, and whether more of them is better for the customer."""


def terms_of(answer: Mapping[str, Any]) -> dict[str, dict[Term, Value]]:
    """The terms of every personalised strategy of an answer, by its id.

    A term that the content does not tell is left out. Prices are those of the content's items
    (``price``, else the ``amount`` that a purchase costs).

    >>> answer = {"strategies": [{"strategy": "spring", "family": "personalised_promotion",
    ...     "personalised": True, "content": {"kind": "offer",
    ...     "offer": {"offer_id": "o1", "discount_share": 0.2}}}]}
    >>> {term.value: value for term, value in terms_of(answer)["spring"].items()}
    {'shown': 1.0, 'coupon': 'o1', 'discount': 0.2}
    """
    return {
        one["strategy"]: _terms(one["family"], one["content"])
        for one in answer["strategies"]
        if one["personalised"]
    }


def _terms(family: str, content: Mapping[str, Any]) -> dict[Term, Value]:
    found: dict[Term, Value] = {}
    if family in OFFERING or content.get("kind") in _OFFER_KINDS:
        found[Term.SHOWN] = 1.0
    found |= _of_items(content.get("items") or ())
    offer = content.get("offer") or {}
    if offer:
        found[Term.COUPON] = str(offer.get("offer_id"))
    if programme := content.get("programme"):
        found[Term.COUPON] = str(programme.get("programme"))
    for term, name in ((Term.DISCOUNT, "discount_share"), (Term.COUPON_VALUE, "discount_amount")):
        value = offer.get(name, content.get(name))
        if isinstance(value, int | float):
            found[term] = float(value)
    if tier := content.get("tier"):
        found[Term.BENEFITS] = _text({"tier": tier.get("tier"), "benefits": tier.get("benefits")})
    if family == Strategy.SERVICE or content.get("kind") == "service" or "service" in content:
        found[Term.SERVICE] = _text(content.get("service", content))
        if isinstance(services := content.get("services"), list | tuple):
            found[Term.SERVICES] = float(len(services))
    return found


def _of_items(items: Any) -> dict[Term, Value]:
    prices = {
        str(item.get("product_id")): float(price)
        for item in items
        if isinstance(price := item.get("price", item.get("amount")), int | float)
    }
    if not prices:
        return {}
    mean = sum(prices.values()) / len(prices)
    return {Term.PRICE: tuple(sorted(prices.items())), Term.ITEM_PRICES: mean}


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
