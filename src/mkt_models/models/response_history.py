"""What customers made of earlier contacts: what they bought meanwhile, and whether they withdrew.

Grain: customer, campaign and date; all that is looked at lies strictly before the date. Who buys
less than usual in the days of contacts is put off by them, and who withdraws a consent over one
channel says so: on a new contact, over whatever channel, it tells more than purchases alone.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection, tables
from mkt_models.models.campaign_features import dates_sql
from mkt_models.profiles.measures import Measure

RESPONSE_HISTORY: Mapping[str, Measure] = {
    "withdrawals_ever": Measure(
        "", "times", "consents to marketing withdrawn so far", "累计撤回营销同意次数"
    ),
    "days_since_withdrawal": Measure(
        "", "days", "days since a consent to marketing was withdrawn", "距上次撤回营销同意天数"
    ),
    "orders_expected_in_contacts": Measure(
        "",
        "orders",
        "orders that the other days lead to expect in the days of earlier contacts",
        "按其余日期推算的以往触达期间订单数",
    ),
    "lift_in_contacts": Measure(
        "",
        "logarithm",
        "logarithm of the orders in the days of earlier contacts, over what was expected",
        "以往触达期间订单数与预期之比的对数",
    ),
    "lift_over_channel": Measure(
        "",
        "logarithm",
        "the same, of earlier contacts over the channel of the campaign",
        "同渠道以往触达期间订单数与预期之比的对数",
    ),
}


def with_response_history(con: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of :data:`RESPONSE_HISTORY`.

    Parameters
    ----------
    con
        Engine with the clean views ``campaigns`` and ``exposures``, and the table ``orders`` of
        ``prepare_orders``; ``consents`` may be absent.
    rows
        ``customer_id``, ``as_of`` and ``channel``, one row per customer, campaign and date.

    Returns
    -------
    pandas.DataFrame
        The rows with the features as float64. A day of contacts is a day, from the first order on,
        on which some campaign ran that the customer had been sent; each counts once, for the
        campaign that began first. Campaigns that run on the date tell nothing yet: their days are
        neither days of contacts nor others. A customer's rate on the other days is drawn towards
        everybody's with the weight of one order. Lifts are logarithms of (orders + 1) /
        (expected + 1); missing without a day of contacts.

    """
    if rows.empty:
        return rows.assign(**dict.fromkeys(RESPONSE_HISTORY, pd.Series(dtype="float64")))
    when = _in_contacts(con, rows)
    counts = ["orders", "days", "orders_over", "days_over"]
    own = when.groupby([CUSTOMER_ID, AS_OF], as_index=False)[counts].sum()
    base = _altogether(con, rows).merge(own, on=[CUSTOMER_ID, AS_OF], how="left")
    base = base.fillna(dict.fromkeys(counts, 0.0))
    others, other_days = base["orders_ever"] - base["orders"], base["days_ever"] - base["days"]
    everybody = others.groupby(base[AS_OF]).sum() / other_days.groupby(base[AS_OF]).sum()
    usual = base[AS_OF].map(everybody).replace([np.inf, 0.0], np.nan)
    base["rate"] = (others + 1) / (other_days + 1 / usual)
    base["orders_expected_in_contacts"] = base["rate"] * base["days_over"]
    base["lift_in_contacts"] = _lift(base, base["rate"])
    told = [CUSTOMER_ID, AS_OF, "rate", "orders_expected_in_contacts", "lift_in_contacts"]
    over = when.dropna(subset=["channel"]).drop(columns=["orders", "days"])
    found = (
        rows.merge(base[told], on=[CUSTOMER_ID, AS_OF], how="left", validate="many_to_one")
        .merge(over, on=[CUSTOMER_ID, AS_OF, "channel"], how="left", validate="many_to_one")
        .merge(_withdrawals(con, rows), on=[CUSTOMER_ID, AS_OF], how="left", validate="many_to_one")
    )
    same = pd.DataFrame({name: found.pop(name) for name in ("orders_over", "days_over")})
    found["lift_over_channel"] = _lift(same, found.pop("rate"))
    found = found.fillna({"withdrawals_ever": 0.0, "orders_expected_in_contacts": 0.0})
    return rows.assign(**{name: found[name].to_numpy(float) for name in RESPONSE_HISTORY})


def _lift(counted: pd.DataFrame, rate: pd.Series) -> pd.Series:
    """Logarithm of the orders in contacts over those expected, one added to either."""
    more = (counted["orders_over"] + 1) / (rate * counted["days_over"] + 1)
    return more.where(counted["days_over"] > 0).transform(np.log)


def _in_contacts(con: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Days since the first order in campaigns that were sent, and the orders on them.

    One row per customer, date and channel (of the contact; of the campaign where it has none):
    ``days`` and ``orders`` of campaigns that began, ``days_over`` and ``orders_over`` of those that
    were over.
    """
    frame = con.execute(
        f"""
        WITH dates AS (SELECT DISTINCT as_of FROM {dates_sql(rows)} AS d), buyers AS (
            SELECT customer_id, min(local_date) AS first_on FROM orders GROUP BY customer_id
        ), sent AS (
            SELECT e.customer_id, e.campaign_id, COALESCE(min(e.channel), c.channel) AS channel,
                   c.ends_on, CASE WHEN min(e.sent_on) > c.starts_on THEN min(e.sent_on)
                   ELSE c.starts_on END AS starts_on
            FROM exposures AS e JOIN campaigns AS c ON c.campaign_id = e.campaign_id
            GROUP BY e.customer_id, e.campaign_id, c.channel, c.starts_on, c.ends_on
        ), known AS (
            SELECT s.customer_id, s.campaign_id, s.channel, s.ends_on,
                   CASE WHEN b.first_on > s.starts_on THEN b.first_on ELSE s.starts_on
                   END AS starts_on
            FROM sent AS s JOIN buyers AS b ON b.customer_id = s.customer_id
             AND b.first_on <= s.ends_on
        ), earlier AS (
            SELECT k.*, max(ends_on) OVER (
                PARTITION BY customer_id ORDER BY starts_on, campaign_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_to
            FROM known AS k WHERE starts_on <= ends_on
        ), parts AS (
            SELECT customer_id, campaign_id, channel, ends_on,
                   CASE WHEN covered_to >= starts_on THEN covered_to + 1 ELSE starts_on
                   END AS starts_on
            FROM earlier WHERE covered_to IS NULL OR covered_to < ends_on
        ), bought AS (
            SELECT p.customer_id, p.campaign_id, o.local_date, count(*) AS orders
            FROM parts AS p JOIN orders AS o ON o.customer_id = p.customer_id
             AND o.local_date BETWEEN p.starts_on AND p.ends_on
            GROUP BY p.customer_id, p.campaign_id, o.local_date
        ), counted AS (
            SELECT d.as_of, p.customer_id, p.campaign_id, CAST(sum(b.orders) AS DOUBLE) AS orders
            FROM parts AS p JOIN bought AS b ON b.customer_id = p.customer_id
             AND b.campaign_id = p.campaign_id
            JOIN dates AS d ON b.local_date < d.as_of
            GROUP BY d.as_of, p.customer_id, p.campaign_id
        ), each AS (
            SELECT p.customer_id, p.channel, d.as_of, p.ends_on < d.as_of AS is_over,
                   CASE WHEN p.ends_on < d.as_of THEN DATEDIFF('day', p.starts_on, p.ends_on) + 1
                   ELSE DATEDIFF('day', p.starts_on, d.as_of) END AS days,
                   COALESCE(c.orders, 0) AS orders
            FROM parts AS p JOIN dates AS d ON p.starts_on < d.as_of
            LEFT JOIN counted AS c ON c.customer_id = p.customer_id AND c.as_of = d.as_of
             AND c.campaign_id = p.campaign_id
        )
        SELECT customer_id, channel, as_of, CAST(sum(days) AS DOUBLE) AS days,
               CAST(sum(orders) AS DOUBLE) AS orders,
               CAST(sum(CASE WHEN is_over THEN days ELSE 0 END) AS DOUBLE) AS days_over,
               CAST(sum(CASE WHEN is_over THEN orders ELSE 0 END) AS DOUBLE) AS orders_over
        FROM each GROUP BY customer_id, channel, as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _altogether(con: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Orders, and days since the first one, per customer and date."""
    frame = con.execute(
        f"""
        SELECT o.customer_id, d.as_of, CAST(count(*) AS DOUBLE) AS orders_ever,
               CAST(DATEDIFF('day', min(o.local_date), d.as_of) AS DOUBLE) AS days_ever
        FROM (SELECT DISTINCT as_of FROM {dates_sql(rows)} AS d) AS d
        JOIN orders AS o ON o.local_date < d.as_of
        GROUP BY o.customer_id, d.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _withdrawals(con: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Consents to marketing that were taken back, per customer and date."""
    names = ["withdrawals_ever", "days_since_withdrawal"]
    if "consents" not in tables(con):
        none: dict[str, str] = {CUSTOMER_ID: "str", **dict.fromkeys(names, "float64")}
        empty = pd.DataFrame(columns=[CUSTOMER_ID, AS_OF, *names]).astype(none)
        return empty.astype({AS_OF: rows[AS_OF].dtype})
    frame = con.execute(
        f"""
        SELECT c.customer_id, d.as_of, CAST(count(*) AS DOUBLE) AS withdrawals_ever,
               CAST(min(DATEDIFF('day', c.changed_on, d.as_of)) AS DOUBLE)
                   AS days_since_withdrawal
        FROM (SELECT DISTINCT as_of FROM {dates_sql(rows)} AS d) AS d
        JOIN consents AS c ON c.changed_on < d.as_of
        WHERE c.purpose = 'marketing' AND c.status = 'revoked'
        GROUP BY c.customer_id, d.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})
