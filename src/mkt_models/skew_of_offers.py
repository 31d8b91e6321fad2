"""Skew of offers: do the customers' documents hold the coupons that the training code would give?

An offer's probability is computed once, and read from the documents by the batch and by the
service. Here its features are computed anew from the clean tables, and the coupons anew from them.
Module of the notebooks: it needs pandas, which the service does not carry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID, OFFER_ID, Model
from mkt_models.decisions.offers import coupons_today
from mkt_models.engine import DuckDB
from mkt_models.models import propensity
from mkt_models.models.offer_features import KEYS, OFFER_FEATURES, offer_choices
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.skew import COLUMNS, ROUNDED, SAME
from mkt_models.workspace import Workspace


@dataclass(frozen=True)
class OffersToday:
    """The offers that a run has scored, and the same computed anew.

    ``stored`` and ``again`` have one row per customer, campaign and offer: the keys and features;
    ``coupons`` has the offer picked per customer and campaign, with its ``probability``; none where
    no version of the model is released. ``model`` is the tag under which the offers are reported.
    """

    model: str
    stored: pd.DataFrame
    again: pd.DataFrame
    coupons: pd.DataFrame


def offers_today(ws: Workspace, con: DuckDB) -> OffersToday | None:
    """Read the offers of a run and compute them anew; None where no offer could be scored.

    ``con`` has the clean views and ``prepare_orders``.
    """
    if ws.lacks("propensity"):
        return None
    as_of, hidden = ws.params.profile.as_of, Exclusions.of(ws.params.mining)
    stored = ws.read_table("propensity", "offers")
    again = offer_choices(con, propensity.running(con, as_of), hidden)
    if stored.empty and again.empty:
        return None
    tag, scores = released_scores(ws)
    coupons = pd.DataFrame(columns=[CUSTOMER_ID, CAMPAIGN_ID, OFFER_ID, "probability"])
    if scores is not None:
        coupons = coupons_today(con, as_of, scores, stored, hidden).offers
    return OffersToday(tag, stored, again, coupons)


def released_scores(ws: Workspace) -> tuple[str, pd.DataFrame | None]:
    """Give the version that decides and its scores; None, beside the trained one, if none does.

    Coupons in the documents rest on the released version alone, which may be an earlier one.
    """
    released = ws.read_json("release", "models")[Model.PROPENSITY.value]
    if released["tag"] is None:
        return str(ws.read_json("propensity", "model")["served_as"]), None
    return str(released["served_as"]), ws.read_table("release", "propensity_scores")


def offer_skew(offers: OffersToday, documents: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Compare features and probabilities of offers: two rows, with the columns of ``batch_skew``.

    An offer that stands on one side only differs.
    """
    names = list(OFFER_FEATURES)
    both = offers.stored.merge(
        offers.again, on=KEYS, how="outer", suffixes=("", "_again"), indicator=True
    )
    one = both[names].to_numpy(dtype=np.float64)
    other = both[[f"{name}_again" for name in names]].to_numpy(dtype=np.float64)
    close = np.isclose(one, other, rtol=SAME, atol=SAME, equal_nan=True).all(axis=1)
    close &= (both["_merge"] == "both").to_numpy()
    rows = [_row(offers.model, "features of offers", both, close, np.abs(one - other))]

    keys = [CUSTOMER_ID, CAMPAIGN_ID, OFFER_ID]
    held = pd.DataFrame(
        [
            (str(who["customer_id"]), offer["campaign_id"], offer["offer_id"], offer["probability"])
            for who in documents
            for offer in who["offers"]
        ],
        columns=[*keys, "held"],
    )
    picked = offers.coupons[[*keys, "probability"]].merge(held, on=keys, how="outer")
    gaps = (picked["probability"] - picked["held"]).abs().to_numpy(dtype=np.float64)
    if len(picked):
        rows.append(_row(offers.model, "offers of the snapshot", picked, gaps <= ROUNDED, gaps))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(model: str, compared: str, table: pd.DataFrame, close: Any, gaps: Any) -> dict[str, Any]:
    """One row; a gap that is no number is an offer, or a value, that one side does not have."""
    wrong = ~np.asarray(close, dtype=bool)
    sizes = np.asarray(gaps, dtype=np.float64)[wrong]
    largest = float(np.nanmax(sizes)) if np.isfinite(sizes).any() else np.nan
    first = table[wrong].head(1)
    keys = [CUSTOMER_ID, CAMPAIGN_ID, OFFER_ID]
    example = ", ".join(str(first[key].iloc[0]) for key in keys) if len(first) else ""
    values = (
        model,
        compared,
        "training code",
        len(wrong),
        int(wrong.sum()),
        largest if wrong.any() else 0.0,
        example,
    )
    return dict(zip(COLUMNS, values, strict=True))
