"""Which coupon of a running campaign suits a customer best, and what a redemption is worth.

A campaign has up to two hundred coupons. The one for a customer is the likeliest to be redeemed
(:mod:`mkt_models.models.offer_choice`) of those whose products the customer bought; who bought none
of them gets no coupon of that campaign.

The propensity model predicts that a customer that was sent a campaign redeems *any* of its coupons
in *all* of its days. Halfway through a campaign that is less likely. How much less is observed in
the campaigns that are over: :func:`later_shares`.

Module of the notebooks: it needs the SQL engine, which the service does not carry.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID, OFFER_ID
from mkt_models.decisions.naming import NAMELESS
from mkt_models.engine import Connection, DuckDB, literal
from mkt_models.models.offer_choice import action_probabilities, picks
from mkt_models.models.offer_features import LOOK_BACK_DAYS
from mkt_models.profiles.exclusions import Exclusions

PRODUCTS_NAMED = 3

NOTHING = Exclusions()


@dataclass(frozen=True)
class Coupons:
    """The coupons that may be offered on a date, and what is known of redemptions.

    Attributes
    ----------
    offers
        One row per customer and running campaign, as :func:`score_offers` gives it.
    worth
        One row per campaign type, as :func:`redemption_worth` gives it.
    shares
        One row per running campaign, as :func:`later_shares` gives it.

    """

    offers: pd.DataFrame
    worth: pd.DataFrame
    shares: pd.DataFrame


def coupons_today(
    con: DuckDB,
    as_of: date,
    scores: pd.DataFrame | None,
    choices: pd.DataFrame | None,
    hidden: Exclusions = NOTHING,
) -> Coupons:
    """Pick and score the coupon of every customer and running campaign.

    ``scores`` are those of the propensity model, one row per customer and campaign; ``choices``
    those of its second level, one row per coupon of these too. None where there is no such model:
    then no coupon can be offered, and all three tables are empty.
    """
    if scores is None or choices is None:
        return Coupons(
            pd.DataFrame(columns=[CUSTOMER_ID, "probability"]),
            pd.DataFrame(columns=["campaign_type", "redemptions", "matched", "amount", "given"]),
            pd.DataFrame(columns=[CAMPAIGN_ID, "campaign_type", "elapsed"]),
        )
    worth = redemption_worth(con, as_of)
    shares = later_shares(con, as_of)
    offers = score_offers(best_offers(con, as_of, choices, hidden), scores, worth, shares)
    return Coupons(offers, worth, shares)


def redemption_worth(con: Connection, as_of: date) -> pd.DataFrame:
    """What the redemptions recorded before ``as_of`` brought: one row per campaign type.

    A redemption and its basket are matched by customer and local day. A line that several coupons
    of the customer's day cover is shared equally among them, so that no line counts twice.

    Returns
    -------
    pandas.DataFrame
        ``campaign_type``, ``redemptions``, ``matched`` (those with one of the offer's products in
        a basket of the day; the others bring 0), ``amount`` (mean over all redemptions of what
        the shop received for the offer's products on the day, currency units) and ``given`` (mean
        of what coupons took off their price).

    """
    return con.execute(
        f"""
        WITH redeemed AS (
            SELECT DISTINCT customer_id, offer_id, campaign_id, occurred_on FROM outcomes
            WHERE kind = 'redemption' AND occurred_on < DATE '{as_of}'
        ), lines AS (
            SELECT customer_id, local_date, product_id, sum(amount_cents) AS cents,
                   sum(COALESCE(coupon_discount_cents, 0)
                       + COALESCE(coupon_match_discount_cents, 0)) AS given
            FROM transactions WHERE local_date < DATE '{as_of}'
            GROUP BY customer_id, local_date, product_id
        ), covered AS (
            SELECT DISTINCT r.customer_id, r.offer_id, r.campaign_id, r.occurred_on, l.product_id,
                   l.cents, l.given
            FROM redeemed AS r
            JOIN offers AS o ON o.offer_id = r.offer_id AND o.campaign_id = r.campaign_id
            JOIN lines AS l ON l.customer_id = r.customer_id AND l.local_date = r.occurred_on
             AND l.product_id = o.product_id
        ), shared AS (
            SELECT *, count(*) OVER (PARTITION BY customer_id, occurred_on, product_id) AS coupons
            FROM covered
        ), each AS (
            SELECT customer_id, offer_id, campaign_id, occurred_on,
                   sum(CAST(cents AS DOUBLE) / coupons) AS cents,
                   sum(CAST(given AS DOUBLE) / coupons) AS given
            FROM shared GROUP BY customer_id, offer_id, campaign_id, occurred_on
        )
        SELECT c.campaign_type, count(*) AS redemptions, count(e.cents) AS matched,
               sum(COALESCE(e.cents, 0)) / count(*) / 100.0 AS amount,
               sum(COALESCE(e.given, 0)) / count(*) / 100.0 AS given
        FROM redeemed AS r
        JOIN campaigns AS c ON c.campaign_id = r.campaign_id
        LEFT JOIN each AS e ON e.customer_id = r.customer_id AND e.offer_id = r.offer_id
         AND e.campaign_id = r.campaign_id AND e.occurred_on = r.occurred_on
        GROUP BY c.campaign_type ORDER BY c.campaign_type"""
    ).df()


def best_offers(
    con: DuckDB, as_of: date, choices: pd.DataFrame, hidden: Exclusions = NOTHING
) -> pd.DataFrame:
    """Pick the likeliest coupon per customer and campaign, and name what it is for.

    Parameters
    ----------
    con
        Engine with the clean views.
    as_of
        Purchases of the 365 days before it count.
    choices
        One row per customer, campaign and coupon in which a redemption is still to come, as
        ``offer_choices`` gives it, with ``this_offer``: P(this coupon | any of the campaign).
    hidden
        Products that are never named: no articles, or private to a person.

    Returns
    -------
    pandas.DataFrame
        One row per customer and campaign: ``offer_id``, ``this_offer``, ``campaign_type``,
        ``starts_on``, ``ends_on``, ``times`` (order lines of its products), ``products`` (what they
        are called: list of distinct categories, most bought first, at most three). A category that
        names no goods gives way to the product types in it. Products without a category do not
        count: they could be hidden ones.

    """
    nameless = ", ".join(literal(name) for name in sorted(NAMELESS))
    chosen = choices[picks(choices, choices["this_offer"].to_numpy(dtype="float64"))]
    con.register("picked", chosen[[CUSTOMER_ID, CAMPAIGN_ID, OFFER_ID, "this_offer"]])
    try:
        frame = con.execute(
            f"""
            WITH bought AS (
                SELECT k.customer_id, k.campaign_id, k.offer_id, k.this_offer, count(*) AS n,
                       CASE WHEN p.category IN ({nameless})
                           THEN COALESCE(p.product_type, p.category) ELSE p.category END AS product
                FROM picked AS k
                JOIN transactions AS t ON t.customer_id = k.customer_id
                 AND t.local_date < DATE '{as_of}'
                 AND DATEDIFF('day', t.local_date, DATE '{as_of}') <= {LOOK_BACK_DAYS}
                JOIN offers AS o ON o.campaign_id = k.campaign_id AND o.offer_id = k.offer_id
                 AND o.product_id = t.product_id
                JOIN products AS p ON p.product_id = t.product_id
                WHERE p.category IS NOT NULL AND {hidden.allowed_sql()}
                GROUP BY k.customer_id, k.campaign_id, k.offer_id, k.this_offer, product
            )
            SELECT b.customer_id, b.campaign_id, b.offer_id, b.this_offer, c.campaign_type,
                   CAST(c.starts_on AS VARCHAR) AS starts_on, CAST(c.ends_on AS VARCHAR) AS ends_on,
                   CAST(sum(b.n) OVER (PARTITION BY b.customer_id, b.campaign_id) AS INTEGER)
                       AS times, b.product
            FROM bought AS b JOIN campaigns AS c ON c.campaign_id = b.campaign_id
            ORDER BY b.customer_id, b.campaign_id, b.n DESC, b.product"""
        ).df()
    finally:
        con.unregister("picked")
    keys = [c for c in frame.columns if c != "product"]
    names = frame.groupby(keys, sort=False)["product"]
    return names.agg(lambda some: list(some)[:PRODUCTS_NAMED]).rename("products").reset_index()


def later_shares(con: Connection, as_of: date) -> pd.DataFrame:
    """Observe how many of the redemptions come after as much of a campaign as is over now.

    Only campaigns that lie wholly in the data and were over before ``as_of`` are looked at.

    Returns
    -------
    pandas.DataFrame
        One row per campaign that runs on ``as_of``: ``campaign_id``, ``campaign_type``,
        ``elapsed`` (share of its days that are over), and of the customers that redeemed in
        finished campaigns of the type ``later`` (share whose first redemption came after the
        elapsed share of the campaign; null where there is none) of ``later_n``. A customer counts
        once per campaign.

    """
    frame = con.execute(
        f"""
        WITH redeemers AS (
            SELECT e.customer_id, e.campaign_id, c.campaign_type,
                   CAST(DATEDIFF('day', c.starts_on, min(o.occurred_on)) AS DOUBLE)
                       / (DATEDIFF('day', c.starts_on, c.ends_on) + 1) AS redeemed_at
            FROM (SELECT DISTINCT customer_id, campaign_id FROM exposures) AS e
            JOIN campaigns AS c ON c.campaign_id = e.campaign_id
            JOIN outcomes AS o ON o.customer_id = e.customer_id AND o.campaign_id = e.campaign_id
             AND o.kind = 'redemption' AND o.occurred_on BETWEEN c.starts_on AND c.ends_on
            WHERE NOT c.left_censored AND NOT c.right_censored AND c.ends_on < DATE '{as_of}'
            GROUP BY e.customer_id, e.campaign_id, c.campaign_type, c.starts_on, c.ends_on
        ), now AS (
            SELECT campaign_id, campaign_type,
                   CAST(DATEDIFF('day', starts_on, DATE '{as_of}') AS DOUBLE)
                       / (DATEDIFF('day', starts_on, ends_on) + 1) AS elapsed
            FROM campaigns
            WHERE starts_on <= DATE '{as_of}' AND ends_on >= DATE '{as_of}'
        )
        SELECT w.campaign_id, w.campaign_type, w.elapsed,
               CAST(sum(CASE WHEN r.redeemed_at >= w.elapsed THEN 1 ELSE 0 END) AS DOUBLE)
                   / NULLIF(count(r.customer_id), 0) AS later,
               count(r.customer_id) AS later_n
        FROM now AS w LEFT JOIN redeemers AS r ON r.campaign_type = w.campaign_type
        GROUP BY w.campaign_id, w.campaign_type, w.elapsed ORDER BY w.campaign_id"""
    ).df()
    return frame.astype({"later": "float64"})


def score_offers(
    offers: pd.DataFrame, scores: pd.DataFrame, worth: pd.DataFrame, shares: pd.DataFrame
) -> pd.DataFrame:
    """Add to each picked coupon its probability with reasons, and its amount.

    With p the score, S the share ``later`` and C ``this_offer``, the probability that the customer
    redeems this coupon in the days that are left, given that it has redeemed none yet, is
    p S / (1 - p (1 - S)) x C.

    Parameters
    ----------
    offers
        From :func:`best_offers`.
    scores
        One row per customer and campaign: ``score`` and ``reasons``.
    worth, shares
        From :func:`redemption_worth` and :func:`later_shares`.

    Returns
    -------
    pandas.DataFrame
        The rows of ``offers`` that have a score, with ``probability``, ``reasons``, ``amount``,
        ``given`` and ``amount_n`` (redemptions that these are means of). A coupon whose campaign
        type was never redeemed has no known worth or share: it is dropped.

    """
    scored = offers.merge(
        scores[[CUSTOMER_ID, CAMPAIGN_ID, "score", "reasons"]],
        on=[CUSTOMER_ID, CAMPAIGN_ID],
        validate="one_to_one",
    )
    amounts = worth.drop(columns="matched", errors="ignore")
    known = scored.merge(amounts, on="campaign_type", validate="many_to_one").merge(
        shares[[CAMPAIGN_ID, "later"]].dropna(),
        on=CAMPAIGN_ID,
        validate="many_to_one",
    )
    p, later = known["score"], known["later"]
    still = p * later / (1 - p * (1 - later)).where(lambda rest: rest > 0, 1.0)
    probability = action_probabilities(known, known.assign(score=still), "this_offer")
    return (
        known.assign(probability=probability)
        .drop(columns=["score", "later", "this_offer"])
        .rename(columns={"redemptions": "amount_n"})
    )
