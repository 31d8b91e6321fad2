"""Which offer of a campaign is redeemed, given that the customer redeems any: the second level.

P(redeem this offer | customer, offer, channel, context) = P(redeem any offer of the campaign) x
P(this one | any). The first level is the propensity model, the second are small boosted trees over
the features of :mod:`mkt_models.models.offer_features`.

Grain: customer, campaign and offer. A customer may redeem several offers of a campaign, so that the
probabilities of a campaign's offers add up to more than 1.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID, OFFER_ID
from mkt_models.engine import DuckDB
from mkt_models.models.backtest import MODEL
from mkt_models.models.offer_features import KEYS, OFFER_FEATURES
from mkt_models.models.propensity import campaign_origins
from mkt_models.models.trainable import require_finite

Array = npt.NDArray[np.float64]
CHOSEN, SHARES, MOST_BOUGHT = "chosen", "observed_shares", "most_bought"

# Chosen on campaigns of Complete Journey that were over before the first test.
TREES = 200
SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic",
    "max_depth": 2,
    "eta": 0.05,
    "min_child_weight": 3,
    "subsample": 0.7,
    "colsample_bytree": 0.7,
    "lambda": 10,
    "nthread": 1,
}
# What can only speak for an offer, or (-1) against it: more purchases are never a reason for less.
MONOTONE = {
    "offer_bought": 1,
    "offer_bought_share": 1,
    "offer_bought_rank": -1,
    "offer_days_since": -1,
    "offer_category_bought": 1,
    "offer_category_share": 1,
    "offer_popularity": 1,
    "offer_discount": 1,
}
# Fewer chosen offers teach nothing: all offers of a campaign are then alike.
MIN_CHOSEN = 30


@dataclass(frozen=True, eq=False)
class OfferChoice:
    """P(an offer is redeemed | any of its campaign is): trees, or where too little is known none.

    ``per_redeemer`` is the number of offers that who redeems any redeemed on average; without
    trees, all offers of a campaign share it equally.
    """

    booster: xgb.Booster | None
    per_redeemer: float

    def probability(self, rows: pd.DataFrame) -> Array:
        """One number per row of :func:`mkt_models.models.offer_features.offer_choices`."""
        if self.booster is None:
            equal = self.per_redeemer / rows["campaign_offers"].to_numpy(dtype=np.float64)
            return np.asarray(np.minimum(equal, 1.0))
        matrix = rows[list(OFFER_FEATURES)].to_numpy(dtype=np.float32)
        return np.asarray(self.booster.inplace_predict(matrix), dtype=np.float64)


def with_chosen(con: DuckDB, choices: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add to offers of finished campaigns whether they were redeemed, and what ``pairs`` know.

    ``pairs`` are those of ``propensity.exposed``: their ``campaign_type``, ``ends_on`` and
    ``target`` come beside ``chosen`` (1 when this offer was redeemed in the campaign's days).
    """
    redeemed = con.execute(
        """
        SELECT DISTINCT o.customer_id, o.campaign_id, o.offer_id, 1 AS chosen
        FROM outcomes AS o JOIN campaigns AS c ON c.campaign_id = o.campaign_id
        WHERE o.kind = 'redemption' AND o.occurred_on BETWEEN c.starts_on AND c.ends_on"""
    ).df()
    keys = [CUSTOMER_ID, CAMPAIGN_ID, OFFER_ID]
    rows = choices.merge(redeemed, on=keys, how="left", validate="many_to_one")
    known = [CUSTOMER_ID, CAMPAIGN_ID, AS_OF, "campaign_type", "ends_on", "target"]
    return rows.assign(chosen=rows[CHOSEN].fillna(0).astype("int64")).merge(
        pairs[known], on=known[:3], validate="many_to_one"
    )


def fit_offer_choice(rows: pd.DataFrame, seed: int) -> OfferChoice:
    """Learn from the offers of those who redeemed any; ``rows`` as :func:`with_chosen` gives.

    Raises RowsError, naming the feature, for a value that is infinite.
    """
    train = rows[rows["target"] == 1]
    require_finite(train, list(OFFER_FEATURES), "offer choice")
    redeemers = len(train[[CUSTOMER_ID, CAMPAIGN_ID]].drop_duplicates())
    chosen = int(train[CHOSEN].sum())
    per_redeemer = chosen / redeemers if chosen else 1.0
    if chosen < MIN_CHOSEN:
        return OfferChoice(None, per_redeemer)
    matrix = train[list(OFFER_FEATURES)].to_numpy(dtype=np.float32)
    data = xgb.DMatrix(matrix, train[CHOSEN].to_numpy(), nthread=1)
    slopes = tuple(MONOTONE.get(name, 0) for name in OFFER_FEATURES)
    settings = SETTINGS | {"seed": seed % 2**31, "monotone_constraints": slopes}
    booster = xgb.train(settings, data, num_boost_round=TREES)
    return OfferChoice(booster, per_redeemer)


def observed_shares(train: pd.DataFrame, test: pd.DataFrame) -> Array:
    """The peer: shares of finished campaigns of the type, and nothing of the customer but a pick.

    The offer whose products were bought most often (ties by id) has the share of redeemers who
    redeemed their pick; the others share equally what else a redeemer redeemed.
    """
    known = train[train["target"] == 1]
    known = known.assign(pick=picks(known, most_bought(known)))
    pick = picks(test, most_bought(test))
    hits = known[known["pick"]].groupby("campaign_type")[CHOSEN].mean()
    redeemers = known.drop_duplicates([CUSTOMER_ID, CAMPAIGN_ID]).groupby("campaign_type").size()
    rest = known[~known["pick"]].groupby("campaign_type")[CHOSEN].sum() / redeemers
    everywhere = known.loc[known["pick"], CHOSEN].mean() if known["pick"].any() else 0.0
    kind = test["campaign_type"]
    others = kind.map(rest).fillna(1.0) / test["campaign_offers"]
    shares = np.where(pick, kind.map(hits).fillna(everywhere), others)
    return np.asarray(np.clip(shares, 0.0, 1.0), dtype=np.float64)


def most_bought(rows: pd.DataFrame) -> Array:
    """The rule without a model: a score by which the most bought offer of a campaign is first."""
    return rows["offer_bought"].to_numpy(dtype=np.float64)


def picks(rows: pd.DataFrame, score: Array) -> pd.Series:
    """Mark the offer of the highest score per customer and campaign; ties by id.

    Only an offer of which the customer bought something is picked: what it names is then known to
    suit, and what no one of the household bought is not brought up.
    """
    fits = rows.assign(score=score)[rows["offer_bought"] > 0]
    ordered = fits.sort_values(["score", OFFER_ID], ascending=[False, True], kind="stable")
    first = ordered.drop_duplicates([CUSTOMER_ID, CAMPAIGN_ID, AS_OF]).index
    return pd.Series(rows.index.isin(first), index=rows.index)


def choice_backtest(rows: pd.DataFrame, first_test: date, seed: int) -> pd.DataFrame:
    """Predict the offers of later campaigns from campaigns that were over when each began.

    Parameters
    ----------
    rows
        As :func:`with_chosen` gives; of campaigns before the test, redeemers are enough.
    first_test, seed
        The first day of the tests, and the seed of the trees.

    Returns
    -------
    pandas.DataFrame
        One row per customer, campaign and offer of the tests: :data:`KEYS`, ``redeemed_any``,
        ``target`` (this offer was redeemed), and P(this | any) by :data:`MODEL` and by
        ``observed_shares``, with the score ``most_bought``.

    """
    tested = []
    for train, test in campaign_origins(rows, first_test):
        model = fit_offer_choice(train, seed)
        tested.append(
            test[[*KEYS, "offer_bought"]].assign(
                redeemed_any=test["target"],
                target=test[CHOSEN],
                **{
                    MODEL: model.probability(test),
                    SHARES: observed_shares(train, test),
                    MOST_BOUGHT: most_bought(test),
                },
            )
        )
    return pd.concat(tested, ignore_index=True)


def action_probabilities(choices: pd.DataFrame, campaigns: pd.DataFrame, of: str) -> pd.Series:
    """P(redeem this offer): the first level times the second, per row of ``choices``.

    Parameters
    ----------
    choices
        One row per customer, campaign and offer; ``of`` is the column of P(this | any).
    campaigns
        One row per customer and campaign: ``score``, the propensity model's P(any). Who has none
        has no probability.

    """
    asked = choices[[CUSTOMER_ID, CAMPAIGN_ID]].merge(
        campaigns[[CUSTOMER_ID, CAMPAIGN_ID, "score"]],
        on=[CUSTOMER_ID, CAMPAIGN_ID],
        how="left",
        validate="many_to_one",
    )
    joint: pd.Series = choices[of] * asked["score"].set_axis(choices.index)
    return joint


def actions(tested: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """Put both levels together for the coupons that would have been offered without a model.

    Parameters
    ----------
    tested
        As :func:`choice_backtest` gives it.
    campaigns
        The backtest of the first level: one row per customer and campaign, with :data:`MODEL`.

    Returns
    -------
    pandas.DataFrame
        One row per customer and campaign in which the customer had bought something that a coupon
        is for: :data:`KEYS` of the most bought coupon, ``target`` (1 when it was redeemed), and
        P(redeem it), with the first level times the trees (:data:`MODEL`) and times the shares
        (``observed_shares``).

    """
    rows = tested[picks(tested, tested[MOST_BOUGHT].to_numpy(dtype=np.float64))]
    first = campaigns.rename(columns={MODEL: "score"})
    both = {of: action_probabilities(rows, first, of) for of in (MODEL, SHARES)}
    return rows[[*KEYS, "target"]].assign(**both).reset_index(drop=True)
