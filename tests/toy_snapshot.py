"""A small snapshot: three customers, their consents and one recorded contact."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mkt_models.columns import Model
from mkt_models.models.scorer import Scorer
from mkt_models.store.records import Consent, Exposure, SnapshotMeta
from mkt_models.store.snapshot import Store

CUSTOMERS = ("household-7731", "household-7732", "家庭-7733")
AS_OF = "2018-01-01"
ITEM = {
    "product_id": "1082185",
    "product_type": "BANANAS",
    "category": "TROPICAL FRUIT",
    "shelf": "buy_again",
    "probability": 0.41,
    "amount": 2.99,
    "en": "bought 9 times in 90 days",
    "zh": "90天内购买9次",
}
OFFER = {
    "offer_id": "o-1",
    "campaign_id": "23",
    "campaign_type": "Type B",
    "starts_on": "2017-12-28",
    "ends_on": "2018-02-04",
    "probability": 0.3,
    "amount": 60.0,
    "amount_n": 9,
    "products": ["SOUP"],
    "en": "soup was bought 3 times",
    "zh": "购买过3次汤品",
}
PROFILE = {
    "age_band": None,
    "tenure_days": 300,
    "days_since_last_order": 3,
    "orders_90d": 9,
    "amount_90d": 512.3,
    "amount_365d": 2100.5,
    "orders_365d": 40,
    "weekend_share": 0.4,
    "top_categories": ["SOFT DRINKS", "SOUP"],
    "lifecycle_stage": "active",
    "value_tier": "high",
    "risk_tier": "low",
    "followers": None,
}


def _document(customer_id: str, scores: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "as_of": AS_OF,
        "profile": {"customer_id": customer_id, "as_of": AS_OF, **profile},
        "scores": scores,
        "recommendations": [ITEM],
        "offers": [OFFER],
    }


def _scores(scorers: dict[Model, Scorer], features: dict[str, float]) -> dict[str, Any]:
    told = {model: scorers[model].score_row(features) for model in (Model.CHURN, Model.VALUE)}
    return {
        model.value: {
            "value": score.value,
            "kind": "predicted",
            "model": scorers[model].tag,
            "reasons": list(score.reasons),
        }
        for model, score in told.items()
    }


def write_toy_snapshot(path: Path, scorers: dict[Model, Scorer]) -> None:
    """Three customers: one active, one who left and refused mail, one hardly known."""
    known = [
        ({"days_since_last_order": 3, "orders_90d": 9, "discount_share": 0.1}, PROFILE),
        ({"days_since_last_order": 80, "orders_90d": 1}, {**PROFILE, "lifecycle_stage": "dormant"}),
        ({"orders_90d": 2}, {"orders_90d": 2, "followers": None}),
    ]
    documents = [
        _document(customer_id, _scores(scorers, features), profile)
        for customer_id, (features, profile) in zip(CUSTOMERS, known, strict=True)
    ]
    day = date(2017, 1, 1)
    consents = [Consent(customer, "marketing", "app", "granted", day) for customer in CUSTOMERS]
    consents.append(Consent(CUSTOMERS[0], "marketing", "mail", "granted", day))
    consents.append(Consent(CUSTOMERS[1], "marketing", "mail", "refused", day))
    sent = Exposure(CUSTOMERS[1], "mail", datetime(2017, 12, 30, tzinfo=UTC), campaign_id="22")
    meta = SnapshotMeta(
        as_of=AS_OF,
        models={model.value: scorer.tag for model, scorer in scorers.items()},
        verdicts=dict.fromkeys((*Model, "terms"), "pass"),
        popular_items=(ITEM,),
    )
    Store.write_snapshot(path, meta, documents, consents, [sent])
