"""What experiments say of the contacts that run today, put beside the offers.

Uplift was predicted for everybody by the learner that trials have shown to rank customers
(``propensity/uplift_scores``); where no ranking and no effect on everybody is shown, nothing is
put beside an offer, and its worth stays weighted by propensity. Trials say what a contact over the
campaign's channel changes within all days of the campaign. Of a campaign that runs already, the
share of the days that are left is taken: that the effect spreads evenly over them is an assumption,
and named as such in the answer.

Module of the notebooks: it needs pandas, which the service does not carry.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID, NumberKind
from mkt_models.engine import Connection

USED = ("ordered", "spend")
"""Responses that can be turned into money; more redemptions alone bring none."""


def with_evidence(
    con: Connection,
    offers: pd.DataFrame,
    uplift: pd.DataFrame,
    found: Mapping[str, Any],
    response: str,
    as_of: date,
) -> pd.DataFrame:
    """Add the column ``uplift`` to offers: what a contact is predicted to change, or None.

    Parameters
    ----------
    con
        Engine with the clean view ``campaigns``.
    offers
        One row per customer and campaign.
    uplift
        ``uplift_scores``: customer_id, campaign_id, uplift (units of the response), learner.
    found
        What the backtest said (``propensity/uplift.json``): ``claims``, ``effects``, or
        ``not_available``.
    response
        What was predicted; only an order or spend has a value.
    as_of
        The day of the profile.

    Returns
    -------
    pandas.DataFrame
        The offers; ``uplift`` holds ``value`` (per contact, in all days of the campaign),
        ``response``, ``channel`` (over which the contact was tried), ``days_left_share``,
        ``learner``, ``kind`` and ``n`` (customers and campaigns of the trials).

    """
    claims = found.get("claims") or {}
    shown = bool(claims.get("effect")) and bool(claims.get("ranking")) and response in USED
    if not shown or uplift.empty or offers.empty:
        return offers.assign(uplift=None)
    n = next(row["n"] for row in found["effects"] if row["outcome"] == response)
    days = con.execute(
        "SELECT campaign_id, channel, DATEDIFF('day', starts_on, ends_on) + 1 AS days, "
        f"DATEDIFF('day', DATE '{as_of}', ends_on) + 1 AS days_left FROM campaigns"
    ).df()
    known = uplift.drop(columns="as_of", errors="ignore").merge(days, on=CAMPAIGN_ID)
    said = {
        (row[CUSTOMER_ID], row[CAMPAIGN_ID]): {
            "value": round(float(row["uplift"]), 6),
            "response": response,
            "channel": row["channel"],
            "days_left_share": round(min(1.0, max(0.0, row["days_left"] / row["days"])), 6),
            "learner": row["learner"],
            "kind": NumberKind.RANDOMISED.value,
            "n": int(n),
        }
        for row in known.to_dict("records")
        if isinstance(row["channel"], str)
    }
    pairs = zip(offers[CUSTOMER_ID], offers[CAMPAIGN_ID], strict=True)
    column = pd.Series([said.get(pair) for pair in pairs], index=offers.index, dtype="object")
    return offers.assign(uplift=column)
