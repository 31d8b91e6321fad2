"""Offers in the documents are those that the training code gives, or it is told which are not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mkt_models.models.offer_features import KEYS, OFFER_FEATURES
from mkt_models.skew import SkewError, check_skew
from mkt_models.skew_of_offers import OffersToday, offer_skew, released_scores
from mkt_models.workspace import Workspace


def offers() -> OffersToday:
    choices = pd.DataFrame(
        {
            "customer_id": ["1", "1", "2"],
            "campaign_id": "x",
            "as_of": pd.Timestamp("2018-01-01"),
            "offer_id": ["a", "b", "a"],
            **dict.fromkeys(OFFER_FEATURES, 1.0),
            "offer_days_since": [3.0, None, 5.0],
        }
    )
    coupons = pd.DataFrame(
        {
            "customer_id": ["1", "2"],
            "campaign_id": "x",
            "offer_id": ["b", "a"],
            "probability": [0.1234567, 0.02],
        }
    )
    return OffersToday("propensity:1", choices, choices.sample(frac=1, random_state=1), coupons)


def documents(second: float = 0.02) -> list[dict[str, Any]]:
    one = {"campaign_id": "x", "offer_id": "b", "probability": 0.123457}
    return [
        {"customer_id": "1", "offers": [one]},
        {"customer_id": "2", "offers": [{**one, "offer_id": "a", "probability": second}]},
        {"customer_id": "3", "offers": []},
    ]


def test_what_agrees_passes_with_its_n() -> None:
    table = offer_skew(offers(), documents())
    assert table["compared"].tolist() == ["features of offers", "offers of the snapshot"]
    assert table["n"].tolist() == [3, 2]
    assert table["differ"].tolist() == [0, 0]
    check_skew(table)


def test_another_feature_or_a_row_too_few_is_found() -> None:
    changed = offers()
    again = changed.again.sort_values(KEYS, ignore_index=True)
    again.loc[2, "offer_price"] = 1.5
    row = offer_skew(replace(changed, again=again), documents()).iloc[0]
    assert (row["differ"], row["largest"], row["example"]) == (1, 0.5, "2, x, a")
    gone = offer_skew(replace(changed, again=again[:2]), documents())
    assert gone["differ"].tolist() == [1, 0]
    with pytest.raises(SkewError, match="features of offers against training code: 1 of 3 rows"):
        check_skew(gone)


def test_another_probability_or_an_offer_too_many_is_found() -> None:
    row = offer_skew(offers(), documents(second=0.03)).iloc[1]
    assert (row["differ"], row["example"]) == (1, "2, x, a")
    assert row["largest"] == pytest.approx(0.01)
    assert offer_skew(offers(), documents()[:1]).iloc[1]["differ"] == 1
    extra = [*documents(), {"customer_id": "4", "offers": documents()[0]["offers"]}]
    assert offer_skew(offers(), extra).iloc[1]["differ"] == 1


def test_coupons_rest_on_the_version_that_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKT_ROOT", str(tmp_path))
    ws = Workspace.open(Path(__file__).parents[1] / "params" / "sample.yaml")
    ws.write_json("propensity", "model", {"served_as": "propensity:new"})
    none = {"tag": None, "served_as": None, "why": "its audit fails"}
    ws.write_json("release", "models", {"propensity": none})
    assert released_scores(ws) == ("propensity:new", None)
    champion = {"tag": "mkt-propensity:old", "served_as": "propensity:old", "why": None}
    ws.write_json("release", "models", {"propensity": champion})
    scores = pd.DataFrame({"customer_id": ["1"], "score": [0.5]})
    ws.write_table("release", "propensity_scores", scores)
    tag, found = released_scores(ws)
    assert tag == "propensity:old"
    pd.testing.assert_frame_equal(found, scores)


def test_without_a_released_version_no_document_may_hold_a_coupon() -> None:
    nothing = replace(offers(), coupons=offers().coupons[:0].astype(object))
    table = offer_skew(nothing, [{"customer_id": "1", "offers": []}])
    assert table["compared"].tolist() == ["features of offers"]
    assert offer_skew(nothing, documents()).iloc[1]["differ"] == 2
