"""One document per customer, and nothing in it that JSON does not know."""

import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.documents import documents, item
from mkt_models.decisions.question import Customer
from mkt_models.store.values import as_json

DAY = pd.Timestamp("2018-01-01")
WHY = [{"feature": f"f{i}", "value": i, "en": f"reason {i}", "zh": f"原因{i}"} for i in range(3)]


def profiles() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["1", "2"],
            "as_of": DAY,
            "orders_90d": [14, 0],
            "amount_90d": [510.123456789, 0.0],
            "days_between_orders": [6.5, np.nan],
            "age_band": ["35-44", None],
            "spending_habit": ["careful_spender", pd.NA],
            "top_categories": [np.array(["SOUP", "BEEF"]), np.array([])],
        }
    )


def features() -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": ["2", "1"], "as_of": DAY, "spend": [np.nan, 1 / 3], "orders": [0.0, 14.0]}
    )


def scores(*customers: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": list(customers),
            "score": 0.123456789,
            "model": "value:1",
            "reasons": json.dumps(WHY, ensure_ascii=False),
        }
    )


def recommended(**cells: Any) -> pd.DataFrame:
    rows = [
        {
            "customer_id": "1",
            "rank": rank,
            "product_id": f"p{rank}",
            "product_type": "LEAN",
            "category": "BEEF",
            "shelf": "buy_again",
            "kind": "predicted",
            "probability": 0.5,
            "mean_amount": 2.999,
            "en": "bought twice",
            "zh": "购买2次",
            **cells,
        }
        for rank in (2, 1)
    ]
    return pd.DataFrame(rows)


def offered(**cells: Any) -> pd.DataFrame:
    rows = [
        {
            "customer_id": "1",
            "offer_id": offer,
            "campaign_id": "23",
            "campaign_type": "Type B",
            "starts_on": "2017-12-28",
            "ends_on": "2018-02-04",
            "probability": probability,
            "reasons": json.dumps(WHY, ensure_ascii=False),
            "amount": 8.128,
            "amount_n": 323,
            "times": times,
            "products": ["SOUP"],
            **cells,
        }
        for offer, probability, times in (("a", 0.1, 1), ("b", 0.3, 2))
    ]
    return pd.DataFrame(rows)


def both(**tables: Any) -> list[dict[str, Any]]:
    given = {
        "profiles": profiles(),
        "features": features(),
        "scores": {"value": scores("1")},
        "recommendations": recommended(),
        "offers": offered(),
        **tables,
    }
    return list(documents(**given))


def test_a_document_holds_all_that_is_known_of_a_customer() -> None:
    first, _ = both()
    assert (first["customer_id"], first["as_of"]) == ("1", "2018-01-01")
    assert first["profile"] == {
        "orders_90d": 14,
        "amount_90d": 510.123457,
        "days_between_orders": 6.5,
        "age_band": "35-44",
        "spending_habit": "careful_spender",
        "top_categories": ["SOUP", "BEEF"],
    }
    assert first["features"] == {"spend": 0.333333, "orders": 14}
    assert first["scores"] == {
        "value": {"value": 0.123457, "kind": "predicted", "model": "value:1", "reasons": WHY}
    }
    assert [one["product_id"] for one in first["recommendations"]] == ["p1", "p2"]
    assert first["recommendations"][0]["amount"] == 3.0


def test_a_score_keeps_its_interval_where_it_has_one() -> None:
    around = scores("1", "2").assign(lower=[0.05, np.nan], upper=[0.4, np.nan], confidence=0.8)
    first, second = both(scores={"value": around})
    told = first["scores"]["value"]
    assert (told["lower"], told["upper"], told["confidence"]) == (0.05, 0.4, 0.8)
    assert "confidence" not in second["scores"]["value"]


def test_offers_come_by_probability_with_the_first_reasons_of_the_model() -> None:
    first, _ = both()
    likely, other = first["offers"]
    assert [likely["offer_id"], other["offer_id"]] == ["b", "a"]
    assert likely == {
        "offer_id": "b",
        "campaign_id": "23",
        "campaign_type": "Type B",
        "starts_on": "2017-12-28",
        "ends_on": "2018-02-04",
        "probability": 0.3,
        "probability_kind": "predicted",
        "amount": 8.13,
        "amount_kind": "observed",
        "amount_n": 323,
        "products": ["SOUP"],
        "en": "bought its products 2 times in 365 days",
        "zh": "365 天内购买过其商品 2 次",
        "reasons": WHY[:2],
    }
    assert other["en"] == "bought its products 1 time in 365 days"


def test_what_is_not_known_is_null_and_never_nan() -> None:
    first, second = both()
    assert second == {
        "customer_id": "2",
        "as_of": "2018-01-01",
        "profile": {
            "orders_90d": 0,
            "amount_90d": 0,
            "days_between_orders": None,
            "age_band": None,
            "spending_habit": None,
            "top_categories": [],
        },
        "features": {"spend": None, "orders": 0},
        "scores": {},
        "recommendations": [],
        "offers": [],
    }
    for document in (first, second):
        assert json.loads(as_json(document, "document")) == document


@pytest.mark.parametrize("hole", [None, np.nan, pd.NA, float("inf")])
def test_a_hole_in_a_table_leaves_out_the_candidate_and_not_the_customer(hole, policy) -> None:
    tables = {
        "scores": {"value": scores("1").astype({"score": object}).assign(score=[hole])},
        "recommendations": recommended(probability=hole, category=None),
        "offers": offered(amount=hole),
    }
    first, _ = both(**tables)
    assert "NaN" not in as_json(first, "document")
    assert first["scores"]["value"]["value"] is None
    assert first["recommendations"][0]["probability"] is None
    assert first["recommendations"][0]["category"] is None
    found = {c.key: c.content for c in candidates(Customer.of(first), policy, date(2018, 1, 6))}
    assert found["personalised_recommendation/app"].code == "no_content"
    assert found["personalised_promotion/app/a"].code == "no_content"


def test_an_item_of_the_popular_list_reads_like_a_recommendation() -> None:
    row = recommended().to_dict("records")[0]
    assert item(row) == {
        "product_id": "p2",
        "product_type": "LEAN",
        "category": "BEEF",
        "shelf": "buy_again",
        "kind": "predicted",
        "probability": 0.5,
        "amount": 3.0,
        "amount_kind": "observed",
        "en": "bought twice",
        "zh": "购买2次",
    }
