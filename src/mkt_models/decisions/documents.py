"""Tables of profiles, scores, recommendations and offers to one document per customer.

The document is all that a decision knows of a customer, in batch and online. Module of the
notebooks: it needs pandas, which the service does not carry.
"""

import json
import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, NumberKind
from mkt_models.workspace import plain

_ITEM = ("product_id", "product_type", "category", "shelf")
_OFFER_REASONS = 2
# Columns of a profile's row that say of whom and when, and nothing about the customer.
_BESIDE = (CUSTOMER_ID, AS_OF, "computed_at")
_OFFER = ("offer_id", "campaign_id", "campaign_type", "starts_on", "ends_on")


def documents(
    profiles: pd.DataFrame,
    features: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    recommendations: pd.DataFrame,
    offers: pd.DataFrame,
) -> Iterator[dict[str, Any]]:
    """Put every customer's document together, in the order of ``profiles``.

    Parameters
    ----------
    profiles
        One row per customer, at one date.
    features
        The features of the models, same grain: kept, so that a score can be repeated online.
    scores
        Per model one row per customer: ``score``, ``model``, ``reasons`` (JSON text), and where
        it has an interval ``lower``, ``upper``, ``confidence``. A customer who is not in it has
        no score of that model.
    recommendations
        Rows per customer and rank.
    offers
        Rows per customer and campaign, from ``offers.score_offers``. The first reasons of the
        propensity model stay with the offer, and what an experiment says of it (``uplift`` of
        ``evidence.with_evidence``) where there is one.

    """
    scored = {
        name: {str(row[CUSTOMER_ID]): row for row in table.to_dict("records")}
        for name, table in scores.items()
    }
    items = _by_customer(recommendations.sort_values([CUSTOMER_ID, "rank"]))
    coupons = _by_customer(
        offers.sort_values([CUSTOMER_ID, "probability"], ascending=[True, False])
    )
    vectors = features.set_index(CUSTOMER_ID).drop(columns=AS_OF)
    for row in profiles.to_dict("records"):
        customer = str(row[CUSTOMER_ID])
        profile = _rounded({k: v for k, v in row.items() if k not in _BESIDE})
        yield {
            "customer_id": customer,
            "as_of": row[AS_OF].date().isoformat(),
            "profile": profile,
            "features": _rounded(vectors.loc[customer].to_dict()),
            "scores": {
                name: _score(table[customer]) for name, table in scored.items() if customer in table
            },
            "recommendations": [item(r) for r in items.get(customer, [])],
            "offers": [_offer(r) for r in coupons.get(customer, [])],
        }


def item(row: Mapping[str, Any], kind: NumberKind = NumberKind.PREDICTED) -> dict[str, Any]:
    """One recommended product as a decision reads it; ``kind`` is that of its probability."""
    return {
        **{name: plain(row[name]) for name in _ITEM},
        "kind": kind.value,
        "probability": _number(row["probability"], 6),
        "amount": _number(row["mean_amount"], 2),
        "amount_kind": NumberKind.OBSERVED.value,
        "en": plain(row["en"]),
        "zh": plain(row["zh"]),
    }


def _rounded(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Cells as JSON knows them; six decimals are more than any of them is known to."""
    cells = {str(name): plain(value) for name, value in row.items()}
    return {name: round(v, 6) if isinstance(v, float) else v for name, v in cells.items()}


def _number(value: Any, digits: int) -> float | None:
    """Round a cell; what is missing or infinite is null, which a decision passes over."""
    number = float("nan") if value is None or value is pd.NA else float(value)
    return round(number, digits) if math.isfinite(number) else None


def _score(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {
        "value": _number(row["score"], 6),
        **_interval(row),
        "kind": NumberKind.PREDICTED.value,
        "model": row["model"],
        "reasons": json.loads(row["reasons"]),
    }


def _interval(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """The ends of the prediction interval, for a score that has one."""
    ends = {name: _number(row.get(name), 6) for name in ("lower", "upper", "confidence")}
    return {} if None in ends.values() else ends


def _offer(row: Mapping[str, Any]) -> dict[str, Any]:
    times = int(row["times"])
    return {
        **{name: plain(row[name]) for name in _OFFER},
        "probability": _number(row["probability"], 6),
        "probability_kind": NumberKind.PREDICTED.value,
        "amount": _number(row["amount"], 2),
        "amount_kind": NumberKind.OBSERVED.value,
        "amount_n": int(row["amount_n"]),
        **({} if (given := _number(row.get("given"), 2)) is None else {"given": given}),
        **({"uplift": row["uplift"]} if isinstance(row.get("uplift"), Mapping) else {}),
        "products": list(row["products"]),
        "en": f"bought its products {times} {'time' if times == 1 else 'times'} in 365 days",
        "zh": f"365 天内购买过其商品 {times} 次",
        "reasons": json.loads(row["reasons"])[:_OFFER_REASONS],
    }


def _by_customer(table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        rows.setdefault(str(row[CUSTOMER_ID]), []).append({str(k): v for k, v in row.items()})
    return rows
