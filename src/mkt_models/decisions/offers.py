"""Which coupon of a running campaign suits a customer best, and what a redemption is worth.

A campaign has up to two hundred coupons. The one for a customer is the one whose products the
customer bought most often; a customer who bought none of them gets no coupon of that campaign.

The model predicts that a customer that was sent a campaign redeems *any* of its coupons in *all*
of its days. Halfway through a campaign a single coupon is less likely than that. How much less is
observed in the campaigns that are over: :func:`coupon_shares`.

Module of the notebooks: it needs the SQL engine, which the service does not carry.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.decisions.naming import NAMELESS
from mkt_models.engine import Connection, literal
from mkt_models.models.propensity import open_exposures_sql
from mkt_models.profiles.exclusions import Exclusions

LOOK_BACK_DAYS = 365
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
        One row per running campaign, as :func:`coupon_shares` gives it.

    """

    offers: pd.DataFrame
    worth: pd.DataFrame
    shares: pd.DataFrame


def coupons_today(
    con: Connection, as_of: date, scores: pd.DataFrame | None, hidden: Exclusions = NOTHING
) -> Coupons:
    """Pick and score the coupon of every customer and running campaign.

    ``scores`` are those of the propensity model, one row per customer and campaign; None where
    there is no such model: then no coupon can be offered, and all three tables are empty.
    """
    if scores is None:
        return Coupons(
            pd.DataFrame(columns=[CUSTOMER_ID, "probability"]),
            pd.DataFrame(columns=["campaign_type", "redemptions", "matched", "amount"]),
            pd.DataFrame(columns=[CAMPAIGN_ID, "campaign_type", "elapsed"]),
        )
    worth = redemption_worth(con, as_of)
    shares = coupon_shares(con, as_of, hidden)
    offers = score_offers(best_offers(con, as_of, hidden), scores, worth, shares)
    return Coupons(offers, worth, shares)


def redemption_worth(con: Connection, as_of: date) -> pd.DataFrame:
    """What the redemptions recorded before ``as_of`` brought: one row per campaign type.

    A redemption and its basket are matched by customer and local day. A line that several coupons
    of the customer's day cover is shared equally among them, so that no line counts twice.

    Returns
    -------
    pandas.DataFrame
        ``campaign_type``, ``redemptions``, ``matched`` (those with one of the offer's products in
        a basket of the day; the others bring 0) and ``amount`` (mean over all redemptions of what
        the shop received for the offer's products on the day, currency units).

    """
    return con.execute(
        f"""
        WITH redeemed AS (
            SELECT DISTINCT customer_id, offer_id, campaign_id, occurred_on FROM outcomes
            WHERE kind = 'redemption' AND occurred_on < DATE '{as_of}'
        ), lines AS (
            SELECT customer_id, local_date, product_id, sum(amount_cents) AS cents
            FROM transactions WHERE local_date < DATE '{as_of}'
            GROUP BY customer_id, local_date, product_id
        ), covered AS (
            SELECT DISTINCT r.customer_id, r.offer_id, r.campaign_id, r.occurred_on, l.product_id,
                   l.cents
            FROM redeemed AS r
            JOIN offers AS o ON o.offer_id = r.offer_id AND o.campaign_id = r.campaign_id
            JOIN lines AS l ON l.customer_id = r.customer_id AND l.local_date = r.occurred_on
             AND l.product_id = o.product_id
        ), shared AS (
            SELECT *, count(*) OVER (PARTITION BY customer_id, occurred_on, product_id) AS coupons
            FROM covered
        ), each AS (
            SELECT customer_id, offer_id, campaign_id, occurred_on,
                   sum(CAST(cents AS DOUBLE) / coupons) AS cents
            FROM shared GROUP BY customer_id, offer_id, campaign_id, occurred_on
        )
        SELECT c.campaign_type, count(*) AS redemptions, count(e.cents) AS matched,
               sum(COALESCE(e.cents, 0)) / count(*) / 100.0 AS amount
        FROM redeemed AS r
        JOIN campaigns AS c ON c.campaign_id = r.campaign_id
        LEFT JOIN each AS e ON e.customer_id = r.customer_id AND e.offer_id = r.offer_id
         AND e.campaign_id = r.campaign_id AND e.occurred_on = r.occurred_on
        GROUP BY c.campaign_type ORDER BY c.campaign_type"""
    ).df()


def best_offers(con: Connection, as_of: date, hidden: Exclusions = NOTHING) -> pd.DataFrame:
    """Pick one coupon per customer and campaign in which a redemption is still to come.

    Parameters
    ----------
    con
        Engine with the clean views.
    as_of
        Purchases of the 365 days before it count. The campaign runs on it, was sent to the
        customer by then, and the customer redeemed none of its coupons before.
    hidden
        Products that are never named: no articles, or private to a person.

    Returns
    -------
    pandas.DataFrame
        One row per customer and campaign: ``offer_id``, ``campaign_type``, ``starts_on``,
        ``ends_on``, ``times`` (order lines of its products), ``products`` (what they are called:
        list of distinct categories, most bought first, at most three). A category that names no
        goods gives way to the product types in it. Products without a category do not count: they
        could be hidden ones.

    """
    nameless = ", ".join(literal(name) for name in sorted(NAMELESS))
    asked = f"SELECT *, DATE '{as_of}' AS as_of FROM ({open_exposures_sql(as_of)}) AS x"
    frame = con.execute(
        f"""
        WITH {_picks_sql(asked, hidden)}, named AS (
            SELECT customer_id, campaign_id, offer_id, sum(n) AS n,
                   CASE WHEN category IN ({nameless}) THEN COALESCE(product_type, category)
                        ELSE category END AS product
            FROM bought GROUP BY 1, 2, 3, 5
        )
        SELECT b.customer_id, b.campaign_id, b.offer_id, c.campaign_type,
               CAST(c.starts_on AS VARCHAR) AS starts_on, CAST(c.ends_on AS VARCHAR) AS ends_on,
               CAST(t.times AS INTEGER) AS times, b.product
        FROM named AS b
        JOIN picks AS t ON t.customer_id = b.customer_id AND t.campaign_id = b.campaign_id
         AND t.offer_id = b.offer_id
        JOIN campaigns AS c ON c.campaign_id = b.campaign_id
        ORDER BY b.customer_id, b.campaign_id, b.n DESC, b.product"""
    ).df()
    keys = [c for c in frame.columns if c != "product"]
    names = frame.groupby(keys, sort=False)["product"]
    return names.agg(lambda some: list(some)[:PRODUCTS_NAMED]).rename("products").reset_index()


def coupon_shares(con: Connection, as_of: date, hidden: Exclusions = NOTHING) -> pd.DataFrame:
    """Observe what a redemption of any coupon at any time says about one coupon from now on.

    Parameters
    ----------
    con
        Engine with the clean views.
    as_of
        Only campaigns that lie wholly in the data and were over before it are looked at.
    hidden
        As for :func:`best_offers`.

    Returns
    -------
    pandas.DataFrame
        One row per campaign that runs on ``as_of``: ``campaign_id``, ``campaign_type``,
        ``elapsed`` (share of its days that are over), and of the customers that redeemed in
        finished campaigns of the type: ``later`` (share whose first redemption came after the
        elapsed share of the campaign) of ``later_n``, and ``this_coupon`` (share that redeemed
        the coupon that :func:`best_offers` picks for them on the first day) of ``this_coupon_n``,
        who had one picked. A customer counts once per campaign. Shares are null where n is 0.

    """
    first_day = (
        "SELECT customer_id, campaign_id, starts_on AS as_of FROM "
        "(SELECT DISTINCT customer_id, campaign_id, starts_on FROM redeemers) AS r"
    )
    frame = con.execute(
        f"""
        WITH redeemers AS (
            SELECT e.customer_id, e.campaign_id, c.campaign_type, c.starts_on,
                   CAST(DATEDIFF('day', c.starts_on, min(o.occurred_on)) AS DOUBLE)
                       / (DATEDIFF('day', c.starts_on, c.ends_on) + 1) AS redeemed_at
            FROM (SELECT DISTINCT customer_id, campaign_id FROM exposures) AS e
            JOIN campaigns AS c ON c.campaign_id = e.campaign_id
            JOIN outcomes AS o ON o.customer_id = e.customer_id AND o.campaign_id = e.campaign_id
             AND o.kind = 'redemption' AND o.occurred_on BETWEEN c.starts_on AND c.ends_on
            WHERE NOT c.left_censored AND NOT c.right_censored AND c.ends_on < DATE '{as_of}'
            GROUP BY e.customer_id, e.campaign_id, c.campaign_type, c.starts_on, c.ends_on
        ), {_picks_sql(first_day, hidden)}, hits AS (
            SELECT r.campaign_type, count(*) AS n, sum(CASE WHEN EXISTS (
                SELECT 1 FROM outcomes AS o JOIN campaigns AS c ON c.campaign_id = o.campaign_id
                WHERE o.customer_id = p.customer_id AND o.campaign_id = p.campaign_id
                  AND o.offer_id = p.offer_id AND o.kind = 'redemption'
                  AND o.occurred_on BETWEEN c.starts_on AND c.ends_on) THEN 1 ELSE 0 END) AS hit
            FROM picks AS p JOIN redeemers AS r ON r.customer_id = p.customer_id
             AND r.campaign_id = p.campaign_id
            GROUP BY r.campaign_type
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
               count(r.customer_id) AS later_n,
               CAST(max(h.hit) AS DOUBLE) / NULLIF(max(h.n), 0) AS this_coupon,
               COALESCE(max(h.n), 0) AS this_coupon_n
        FROM now AS w
        LEFT JOIN redeemers AS r ON r.campaign_type = w.campaign_type
        LEFT JOIN hits AS h ON h.campaign_type = w.campaign_type
        GROUP BY w.campaign_id, w.campaign_type, w.elapsed ORDER BY w.campaign_id"""
    ).df()
    return frame.astype({"later": "float64", "this_coupon": "float64", "this_coupon_n": "int64"})


def score_offers(
    offers: pd.DataFrame, scores: pd.DataFrame, worth: pd.DataFrame, shares: pd.DataFrame
) -> pd.DataFrame:
    """Add to each picked coupon its probability with reasons, and its amount.

    With p the score, S the share ``later`` and C the share ``this_coupon``, the probability that
    the customer redeems this coupon in the days that are left, given that it has redeemed none
    yet, is p S / (1 - p (1 - S)) x C.

    Parameters
    ----------
    offers
        From :func:`best_offers`.
    scores
        One row per customer and campaign: ``score`` and ``reasons``.
    worth, shares
        From :func:`redemption_worth` and :func:`coupon_shares`.

    Returns
    -------
    pandas.DataFrame
        The rows of ``offers`` that have a score, with ``probability``, ``reasons``, ``amount``
        and ``amount_n`` (redemptions that it is the mean of). A coupon whose campaign type was
        never redeemed has no known worth or share: it is dropped.

    """
    scored = offers.merge(
        scores[[CUSTOMER_ID, CAMPAIGN_ID, "score", "reasons"]],
        on=[CUSTOMER_ID, CAMPAIGN_ID],
        validate="one_to_one",
    )
    amounts = worth[["campaign_type", "amount", "redemptions"]]
    known = scored.merge(amounts, on="campaign_type", validate="many_to_one").merge(
        shares[[CAMPAIGN_ID, "later", "this_coupon"]].dropna(),
        on=CAMPAIGN_ID,
        validate="many_to_one",
    )
    p, later = known["score"], known["later"]
    still = p * later / (1 - p * (1 - later)).where(lambda rest: rest > 0, 1.0)
    return (
        known.assign(probability=still * known["this_coupon"])
        .drop(columns=["score", "later", "this_coupon"])
        .rename(columns={"redemptions": "amount_n"})
    )


def _picks_sql(asked: str, hidden: Exclusions) -> str:
    """Write the common tables ``bought`` and ``picks``, for the rows of the query ``asked``.

    ``asked`` has one row per customer and campaign, with the date ``as_of`` to look back from.
    ``bought`` counts order lines per coupon, category and product type; ``picks`` has the coupon
    with most of them (``times``), ties by id.
    """
    return f"""asked AS ({asked}), bought AS (
            SELECT a.customer_id, a.campaign_id, o.offer_id, p.category, p.product_type,
                   count(*) AS n
            FROM asked AS a
            JOIN transactions AS t ON t.customer_id = a.customer_id AND t.local_date < a.as_of
             AND DATEDIFF('day', t.local_date, a.as_of) <= {LOOK_BACK_DAYS}
            JOIN offers AS o ON o.campaign_id = a.campaign_id AND o.product_id = t.product_id
            JOIN products AS p ON p.product_id = t.product_id
            WHERE p.category IS NOT NULL AND {hidden.allowed_sql()}
            GROUP BY a.customer_id, a.campaign_id, o.offer_id, p.category, p.product_type
        ), picks AS (
            SELECT customer_id, campaign_id, offer_id, times FROM (
                SELECT customer_id, campaign_id, offer_id, sum(n) AS times,
                       ROW_NUMBER() OVER (PARTITION BY customer_id, campaign_id
                           ORDER BY sum(n) DESC, offer_id) AS nth
                FROM bought GROUP BY customer_id, campaign_id, offer_id) AS ranked
            WHERE nth = 1
        )"""
