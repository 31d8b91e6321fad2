"""A shop of like customers, and catalogues into which unequal terms are planted."""

from copy import deepcopy
from datetime import date
from typing import Any

import numpy as np

from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.question import Customer

DEVICES = ("android", "ios", "web")


def customers(n: int, seed: int) -> list[Customer]:
    """Customers whose attributes vary freely, all with the same big and small coupon."""
    rng = np.random.default_rng(seed)
    return [_customer(f"c{i}", rng) for i in range(n)]


def with_rules(catalogue: Catalogue, *planted: dict[str, Any]) -> Catalogue:
    """The planted strategies, each a promotion unless it says otherwise, beside the default."""
    raw = catalogue.model_dump(mode="json")
    (promotion,) = [one for one in raw["strategies"] if one["id"] == "personalised_promotion"]
    others = [one for one in raw["strategies"] if one["id"] == raw["default"]]
    new = []
    for one in planted:
        entry = deepcopy(promotion) | one
        entry["eligibility"] = one.get("eligibility", [])
        new.append(entry)
    raw["strategies"] = new + others
    return Catalogue.model_validate(raw)


def _customer(name: str, rng: np.random.Generator) -> Customer:
    tenure = int(rng.integers(1, 1500))
    orders = int(rng.integers(0, 80))
    stages = ["new"] if tenure < 60 else ["active", "dormant"]
    profile = {
        "tenure_days": tenure,
        "lifecycle_stage": str(rng.choice(stages)),
        "orders_365d": orders,
        "amount_365d": round(orders * float(rng.uniform(5, 80)), 2),
        "days_since_last_order": int(rng.integers(0, 90)),
        "price_index": round(float(rng.lognormal(0, 0.3)), 3),
        "discount_share": round(float(rng.uniform(0, 0.6)), 3),
        "preferred_device": str(rng.choice(DEVICES)),
        "age_band": str(rng.choice(["18-24", "25-34", "35-44"])),
        "weekend_share": round(float(rng.uniform(0, 1)), 2),
        "risk_tier": "low",
    }
    offer = {
        "offer_id": "o1",
        "starts_on": "2017-12-28",
        "ends_on": "2018-02-04",
        "probability": round(float(rng.uniform(0.05, 0.3)), 3),
        "amount": 8.0,
        "products": ["SOUP"],
        "discount_share": 0.2,
    }
    item = {
        "product_id": "p1",
        "category": "SOUP",
        "shelf": "buy_again",
        "probability": 0.4,
        "amount": 2.0,
    }
    return Customer(
        customer_id=name,
        as_of=date(2018, 1, 1),
        profile=profile,
        scores={"value": {"value": float(rng.gamma(2, 200))}},
        recommendations=(item,),
        offers=(offer,),
    )
