"""Which offer of a campaign is redeemed, given that the customer redeems any: the second level.

P(redeem this offer | customer, offer, channel, context) = P(redeem any offer of the campaign) x
P(this one | any). The first level is the propensity model, the second are small boosted trees over
features of the offer beside the others of its campaign. Nothing names an offer, so that a new one
has a probability as soon as its products are known.

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
from mkt_models.models.propensity import campaign_origins
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.measures import Measure

Array = npt.NDArray[np.float64]
CHOSEN, SHARES, MOST_BOUGHT = "chosen", "observed_shares", "most_bought"
KEYS = [CUSTOMER_ID, CAMPAIGN_ID, AS_OF, OFFER_ID]
LOOK_BACK_DAYS = 365
NOTHING = Exclusions()

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

OFFER_FEATURES: dict[str, Measure] = {
    "offer_bought": Measure(
        "",
        "times",
        "times the coupon's products were bought, last 365 days",
        "近365天购买券内商品次数",
    ),
    "offer_bought_share": Measure(
        "",
        "share",
        "share of the coupon in the purchases of the campaign's products",
        "券内商品占活动商品购买次数的比例",
    ),
    "offer_bought_rank": Measure(
        "",
        "rank",
        "rank of the coupon in the campaign by purchases",
        "券在活动中按购买次数的排名",
    ),
    "offer_days_since": Measure(
        "",
        "days",
        "days since the coupon's products were bought, last 365 days",
        "距上次购买券内商品天数（近365天）",
    ),
    "offer_category_bought": Measure(
        "",
        "times",
        "times products of the coupon's categories were bought, last 365 days",
        "近365天购买券内品类次数",
    ),
    "offer_category_share": Measure(
        "",
        "share",
        "share of the coupon in the purchases of the campaign's categories",
        "券内品类占活动品类购买次数的比例",
    ),
    "offer_popularity": Measure(
        "",
        "share",
        "share of the coupon in what all customers bought of the campaign's products",
        "券内商品占全体顾客活动商品购买次数的比例",
    ),
    "offer_products": Measure("", "products", "products of the coupon", "券内商品数"),
    "offer_price": Measure(
        "",
        "currency",
        "mean amount of an order line of the coupon's products, last 365 days",
        "近365天券内商品平均单行金额",
    ),
    "offer_discount": Measure("", "share", "discount of the coupon", "券折扣"),
    "campaign_offers": Measure("", "coupons", "coupons in the campaign", "活动优惠券数"),
}


@dataclass(frozen=True, eq=False)
class OfferChoice:
    """P(an offer is redeemed | any of its campaign is): trees, or where too little is known none.

    ``per_redeemer`` is the number of offers that who redeems any redeemed on average; without
    trees, all offers of a campaign share it equally.
    """

    booster: xgb.Booster | None
    per_redeemer: float

    def probability(self, rows: pd.DataFrame) -> Array:
        """One number per row of :func:`offer_choices`."""
        if self.booster is None:
            equal = self.per_redeemer / rows["campaign_offers"].to_numpy(dtype=np.float64)
            return np.asarray(np.minimum(equal, 1.0))
        matrix = rows[list(OFFER_FEATURES)].to_numpy(dtype=np.float32)
        return np.asarray(self.booster.inplace_predict(matrix), dtype=np.float64)


def offer_choices(con: DuckDB, pairs: pd.DataFrame, hidden: Exclusions = NOTHING) -> pd.DataFrame:
    """Every offer of the campaigns of some customers, with its features at each pair's date.

    Parameters
    ----------
    con
        DuckDB with the clean views. Purchases are looked at strictly before ``as_of``.
    pairs
        One row per ``customer_id``, ``campaign_id`` and ``as_of``.
    hidden
        Products that are never named; what a customer bought of them does not count, and neither
        do products without a category, which could be such.

    Returns
    -------
    pandas.DataFrame
        One row per pair and offer, ordered by :data:`KEYS`: the keys and the columns of
        :data:`OFFER_FEATURES` as float64, missing where there is nothing to measure. A campaign
        without offers has no row.

    """
    con.register("asked_pairs", pairs[[CUSTOMER_ID, CAMPAIGN_ID, AS_OF]])
    try:
        frame = con.execute(_choices_sql(hidden)).df()
    finally:
        con.unregister("asked_pairs")
    frame = frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})
    frame = frame.astype(dict.fromkeys(("sold", *_COUNTED), "float64"))
    each = frame.groupby([CUSTOMER_ID, CAMPAIGN_ID, AS_OF], sort=False)
    return frame.assign(
        offer_bought_share=_share(each, frame, "offer_bought"),
        offer_bought_rank=each["offer_bought"].rank(method="min", ascending=False),
        offer_category_share=_share(each, frame, "offer_category_bought"),
        offer_popularity=_share(each, frame, "sold"),
        campaign_offers=each["offer_bought"].transform("size").astype("float64"),
    )[[*KEYS, *OFFER_FEATURES]]


_COUNTED = (
    "offer_bought",
    "offer_days_since",
    "offer_category_bought",
    "offer_products",
    "offer_price",
    "offer_discount",
)


def _share(each: Any, frame: pd.DataFrame, column: str) -> pd.Series:
    total = each[column].transform("sum")
    share: pd.Series = frame[column] / total.where(total > 0)
    return share


def _choices_sql(hidden: Exclusions) -> str:
    before = (
        f"t.local_date < a.as_of AND DATEDIFF('day', t.local_date, a.as_of) <= {LOOK_BACK_DAYS}"
    )
    return f"""
        WITH asked AS (
            SELECT customer_id, campaign_id, CAST(as_of AS DATE) AS as_of FROM asked_pairs
        ), content AS (
            SELECT DISTINCT o.campaign_id, o.offer_id, o.product_id, p.category
            FROM offers AS o LEFT JOIN products AS p ON p.product_id = o.product_id
            WHERE o.campaign_id IN (SELECT campaign_id FROM asked)
        ), described AS (
            SELECT campaign_id, offer_id, count(DISTINCT product_id) AS offer_products,
                   max(discount_share) AS offer_discount
            FROM offers GROUP BY campaign_id, offer_id
        ), lines AS (
            SELECT a.as_of, t.product_id, count(*) AS n, sum(t.amount_cents) AS cents
            FROM (SELECT DISTINCT as_of FROM asked) AS a JOIN transactions AS t ON {before}
            GROUP BY a.as_of, t.product_id
        ), sold AS (
            SELECT a.campaign_id, a.as_of, c.offer_id, sum(l.n) AS sold,
                   CAST(sum(l.cents) AS DOUBLE) / 100 / sum(l.n) AS offer_price
            FROM (SELECT DISTINCT campaign_id, as_of FROM asked) AS a
            JOIN content AS c ON c.campaign_id = a.campaign_id
            JOIN lines AS l ON l.as_of = a.as_of AND l.product_id = c.product_id
            GROUP BY a.campaign_id, a.as_of, c.offer_id
        ), own AS (
            SELECT a.customer_id, a.as_of, t.product_id, p.category, count(*) AS n,
                   min(DATEDIFF('day', t.local_date, a.as_of)) AS since
            FROM (SELECT DISTINCT customer_id, as_of FROM asked) AS a
            JOIN transactions AS t ON t.customer_id = a.customer_id AND {before}
            JOIN products AS p ON p.product_id = t.product_id
            WHERE p.category IS NOT NULL AND {hidden.allowed_sql()}
            GROUP BY a.customer_id, a.as_of, t.product_id, p.category
        ), bought AS (
            SELECT a.customer_id, a.campaign_id, a.as_of, c.offer_id, sum(w.n) AS offer_bought,
                   min(w.since) AS offer_days_since
            FROM asked AS a JOIN own AS w ON w.customer_id = a.customer_id AND w.as_of = a.as_of
            JOIN content AS c ON c.campaign_id = a.campaign_id AND c.product_id = w.product_id
            GROUP BY a.customer_id, a.campaign_id, a.as_of, c.offer_id
        ), of_categories AS (
            SELECT a.customer_id, a.campaign_id, a.as_of, c.offer_id,
                   sum(w.n) AS offer_category_bought
            FROM asked AS a
            JOIN (SELECT customer_id, as_of, category, sum(n) AS n FROM own
                  GROUP BY customer_id, as_of, category) AS w
              ON w.customer_id = a.customer_id AND w.as_of = a.as_of
            JOIN (SELECT DISTINCT campaign_id, offer_id, category FROM content) AS c
              ON c.campaign_id = a.campaign_id AND c.category = w.category
            GROUP BY a.customer_id, a.campaign_id, a.as_of, c.offer_id
        )
        SELECT a.customer_id, a.campaign_id, a.as_of, d.offer_id,
               COALESCE(b.offer_bought, 0) AS offer_bought, b.offer_days_since,
               COALESCE(k.offer_category_bought, 0) AS offer_category_bought,
               COALESCE(s.sold, 0) AS sold, d.offer_products, s.offer_price, d.offer_discount
        FROM asked AS a JOIN described AS d ON d.campaign_id = a.campaign_id
        LEFT JOIN sold AS s ON s.campaign_id = a.campaign_id AND s.as_of = a.as_of
         AND s.offer_id = d.offer_id
        LEFT JOIN bought AS b ON b.customer_id = a.customer_id AND b.as_of = a.as_of
         AND b.campaign_id = a.campaign_id AND b.offer_id = d.offer_id
        LEFT JOIN of_categories AS k ON k.customer_id = a.customer_id AND k.as_of = a.as_of
         AND k.campaign_id = a.campaign_id AND k.offer_id = d.offer_id
        ORDER BY a.customer_id, a.campaign_id, a.as_of, d.offer_id"""


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
    """Learn from the offers of those who redeemed any; ``rows`` as :func:`with_chosen` gives."""
    train = rows[rows["target"] == 1]
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
