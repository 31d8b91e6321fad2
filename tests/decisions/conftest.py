"""Five customers whose answers can be worked out by hand."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mkt_models.columns import Model
from mkt_models.decisions.catalogue import Catalogue, load_catalogue
from mkt_models.decisions.question import Customer, Policy
from mkt_models.loading import load_params
from mkt_models.store.records import Consent, SnapshotMeta

ROOT = Path(__file__).parents[2]
AS_OF = "2018-01-01"

REGULAR: dict[str, Any] = {
    "customer_id": "1",
    "as_of": AS_OF,
    "profile": {
        "customer_id": "1",
        "as_of": AS_OF,
        "age_band": "35-44",
        "tenure_days": 360,
        "days_since_last_order": 3,
        "orders_28d": 5,
        "orders_90d": 14,
        "orders_365d": 60,
        "amount_28d": 160.0,
        "amount_90d": 510.5,
        "amount_365d": 2400.0,
        "weekend_share": 0.4,
        "top_categories": ["TROPICAL FRUIT", "SOUP"],
        "lifecycle_stage": "active",
        "value_tier": "high",
        "risk_tier": "low",
        "social": "not available",
    },
    "scores": {
        "churn": {
            "value": 0.1,
            "kind": "predicted",
            "model": "churn:1",
            "reasons": [
                {
                    "feature": "days_since_last_order",
                    "value": 3,
                    "contribution": -0.8,
                    "en": "last order 3 days ago: lowers the churn risk",
                    "zh": "最近一次下单在 3 天前：降低流失风险",
                }
            ],
        },
        "value": {
            "value": 400.0,
            "kind": "predicted",
            "model": "value:1",
            "reasons": [
                {
                    "feature": "amount_90d",
                    "value": 510.5,
                    "contribution": 0.4,
                    "en": "spent $510.50 in 90 days: raises the expected spend",
                    "zh": "90 天内消费 $510.50：提高预期消费",
                }
            ],
        },
    },
    "recommendations": [
        {
            "product_id": f"p{rank}",
            "product_type": name,
            "category": category,
            "shelf": "buy_again" if rank < 6 else "popular",
            "probability": probability,
            "amount": amount,
            "en": f"bought {10 - rank} times in 90 days",
            "zh": f"90 天内购买 {10 - rank} 次",
        }
        for rank, (category, name, probability, amount) in enumerate(
            [
                ("TROPICAL FRUIT", "BANANAS", 0.5, 2.0),
                ("FLUID MILK PRODUCTS", "FLUID MILK WHITE ONLY", 0.4, 3.0),
                ("SOUP", "CONDENSED SOUP", 0.2, 1.5),
                ("CHEESE", "SHREDDED CHEESE", 0.2, 3.0),
                ("BAKED BREAD/BUNS/ROLLS", "MAINSTREAM WHITE BREAD", 0.1, 2.0),
                ("EGGS", "EGGS - LARGE", 0.1, 2.0),
            ],
            start=1,
        )
    ],
    "offers": [
        {
            "offer_id": "o1",
            "campaign_id": "23",
            "campaign_type": "Type B",
            "starts_on": "2017-12-28",
            "ends_on": "2018-02-04",
            "probability": 0.1,
            "amount": 8.0,
            "amount_n": 323,
            "products": ["SOUP", "CRACKERS"],
            "en": "redeemed 3 coupons like this one",
            "zh": "曾使用 3 张类似的优惠券",
            "reasons": [
                {
                    "feature": "affinity_lines",
                    "value": 3,
                    "contribution": 0.6,
                    "en": "its products were bought 3 times: raises the predicted chance",
                    "zh": "购买活动商品 3 次：提高预测的核销概率",
                }
            ],
        },
        {
            "offer_id": "o2",
            "campaign_id": "22",
            "campaign_type": "Type A",
            "starts_on": "2017-11-01",
            "ends_on": "2017-12-31",
            "probability": 0.3,
            "amount": 9.0,
            "amount_n": 323,
            "products": [],
            "en": "x",
            "zh": "x",
        },
    ],
}


def change(customer_id: str, **parts: Any) -> dict[str, Any]:
    document = deepcopy(REGULAR)
    document["customer_id"] = document["profile"]["customer_id"] = customer_id
    for name, part in parts.items():
        if isinstance(part, Mapping) and part:
            document[name].update(part)
        else:
            document[name] = part
    return document


LOST = change("2", profile={"lifecycle_stage": "lost", "amount_365d": 15.0, "orders_28d": 0})
UNSCORED = change("3", scores={}, offers=[])
EMPTY = {
    "customer_id": "4",
    "as_of": AS_OF,
    "profile": dict.fromkeys(REGULAR["profile"]),
    "scores": {"churn": {"value": None}, "value": None},
    "recommendations": [],
    "offers": [],
}
GENEROUS = change(
    "5",
    profile={"amount_365d": 9000.0},
    offers=[{**REGULAR["offers"][0], "probability": 0.9, "amount": 60.0}],
)
DOCUMENTS = [REGULAR, LOST, UNSCORED, EMPTY, GENEROUS]
POPULAR = tuple(
    {**item, "shelf": "popular", "probability": 0.1} for item in REGULAR["recommendations"][:4]
)


def grant(customer_id: str, *channels: str) -> tuple[Consent, ...]:
    return tuple(
        Consent(customer_id, "marketing", channel, "granted", date(2017, 1, 1))
        for channel in channels
    )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "params" / "catalogue.yaml")


@pytest.fixture(scope="session")
def make_policy(catalogue: Catalogue) -> Callable[..., Policy]:
    """A policy over the shipped catalogue without holdout; parts may be changed."""
    params = load_params(ROOT / "params" / "sample.yaml", {"decisions.holdout_share": 0.0})

    def make(catalogue: Catalogue = catalogue, **parts: Any) -> Policy:
        meta = SnapshotMeta(
            as_of=AS_OF,
            models={"churn": "churn:1", "value": "value:1", "propensity": "propensity:1"},
            verdicts=parts.pop("verdicts", dict.fromkeys((*Model, "terms"), "pass")),
            popular_items=parts.pop("popular_items", POPULAR),
            snapshot_id="snap",
        )
        policy = Policy.of(params, catalogue, meta)
        return replace(policy, **parts)

    return make


@pytest.fixture(scope="session")
def policy(make_policy: Callable[..., Policy]) -> Policy:
    return make_policy()


@pytest.fixture
def regular() -> Customer:
    """The regular customer, who said yes to the app, letters, email and text messages."""
    return Customer.of(REGULAR, grant("1", "app", "mail", "email", "sms"))


@pytest.fixture(scope="session")
def documents() -> list[dict[str, Any]]:
    """Regular, lost, unscored, empty (all null) and generous: customers 1 to 5."""
    return deepcopy(DOCUMENTS)


@pytest.fixture(scope="session")
def changed() -> Callable[..., dict[str, Any]]:
    """The regular customer's document with some parts changed."""
    return change


@pytest.fixture(scope="session")
def granted() -> Callable[..., tuple[Consent, ...]]:
    """Consents to marketing since 2017 over the named channels."""
    return grant
