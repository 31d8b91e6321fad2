"""How much customers like what a campaign offers, by what they bought and looked at since ever.

Grain: customer, campaign and date; strictly before the date. Shares are of order lines and of
products looked at, not of money: one dear article says as little of a taste as one cheap one. They
are drawn towards everybody's with the weight of :data:`PRIOR` lines, so that who bought twice is
not taken for a devotee.
"""

from collections.abc import Mapping

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.engine import Connection, tables
from mkt_models.models.campaign_features import dates_sql
from mkt_models.profiles.measures import Measure

PRIOR = 3
_DISCOUNTED = (
    "CASE WHEN COALESCE(t.loyalty_discount_cents, 0) + COALESCE(t.coupon_discount_cents, 0) "
    "+ COALESCE(t.coupon_match_discount_cents, 0) > 0 THEN 1 ELSE 0 END"
)

TASTES: Mapping[str, Measure] = {
    "department_lines": Measure(
        "",
        "share",
        "share of order lines in the departments of the campaign's products, ever",
        "活动商品所属部门的历史订单行占比",
    ),
    "department_events": Measure(
        "",
        "share",
        "share of events with products of the campaign's departments, ever",
        "活动商品所属部门的历史行为占比",
    ),
    "discounted_lines": Measure(
        "",
        "share",
        "share of order lines bought at a discount, ever",
        "历史订单行中享受折扣的占比",
    ),
    "lines_ever": Measure(
        "", "lines", "order lines of known products so far", "累计已知商品订单行数"
    ),
}


def with_tastes(con: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of :data:`TASTES`.

    Parameters
    ----------
    con
        Engine with the clean view ``transactions``; ``products``, ``offers`` and ``events`` may be
        absent.
    rows
        ``customer_id``, ``campaign_id`` and ``as_of``, one row per customer, campaign and date.

    Returns
    -------
    pandas.DataFrame
        The rows with the features as float64. A share is everybody's for who has nothing yet, and
        missing where nobody has, or the campaign has no products.

    """
    if rows.empty:
        return rows.assign(**dict.fromkeys(TASTES, pd.Series(dtype="float64")))
    keys = [CUSTOMER_ID, AS_OF]
    lines = _counted(con, rows, "transactions", _DISCOUNTED)
    if lines is None:
        return rows.assign(**dict.fromkeys(TASTES, float("nan")))
    events, goods = _counted(con, rows, "events"), _goods(con, rows)
    frame = _shares(rows, lines, goods, "department_lines")
    if events is None:
        frame = frame.assign(department_events=float("nan"))
    else:
        frame = _shares(frame, events, goods, "department_events")
    total = lines.groupby(keys, as_index=False)[["n", "discounted"]].sum()
    usual = total.groupby(AS_OF)[["n", "discounted"]].sum()
    own = frame[keys].merge(total, on=keys, how="left").fillna({"n": 0.0, "discounted": 0.0})
    everybody = own[AS_OF].map(usual["discounted"] / usual["n"])
    found = frame.assign(
        discounted_lines=((own["discounted"] + PRIOR * everybody) / (own["n"] + PRIOR)).to_numpy(),
        lines_ever=own["n"].to_numpy(),
    )
    return found.astype(dict.fromkeys(TASTES, "float64"))


def _shares(
    rows: pd.DataFrame, counted: pd.DataFrame, goods: pd.DataFrame, name: str
) -> pd.DataFrame:
    """Add the share of each customer's count in the departments of the campaign."""
    by, what = [CUSTOMER_ID, AS_OF], [CAMPAIGN_ID, AS_OF]
    total = counted.groupby(by)["n"].sum()
    liked = goods.merge(counted, on=[AS_OF, "department"])
    own = liked.groupby([CUSTOMER_ID, *what])["n"].sum()
    everybody = counted.groupby(AS_OF)["n"].sum()
    usual = liked.groupby(what)["n"].sum().div(everybody, level=AS_OF)

    def of(values: pd.Series, keys: list[str]) -> pd.Series:
        return values.reindex(pd.MultiIndex.from_frame(rows[keys])).set_axis(rows.index)

    mean = of(usual, what)
    mine, whole = of(own, [CUSTOMER_ID, *what]).fillna(0.0), of(total, by).fillna(0.0)
    return rows.assign(**{name: (mine + PRIOR * mean) / (whole + PRIOR)})


def _goods(con: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """The departments of each campaign's products."""
    if not {"offers", "products"} <= tables(con):
        empty = pd.DataFrame(columns=[CAMPAIGN_ID, AS_OF, "department"]).astype("str")
        return empty.astype({AS_OF: rows[AS_OF].dtype})
    frame = con.execute(
        f"""
        SELECT DISTINCT d.campaign_id, d.as_of, p.department
        FROM {dates_sql(rows)} AS d JOIN offers AS o ON o.campaign_id = d.campaign_id
        JOIN products AS p ON p.product_id = o.product_id WHERE p.department IS NOT NULL"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _counted(
    con: Connection, rows: pd.DataFrame, table: str, discounted: str = "0"
) -> pd.DataFrame | None:
    """Rows of a table with a product, before each date, per customer and department.

    None without the table, or without products. Rows are first counted between one date and the
    next, so that they are read once.
    """
    if not {table, "products"} <= tables(con):
        return None
    frame = con.execute(
        f"""
        WITH dates AS (SELECT DISTINCT as_of FROM {dates_sql(rows)} AS d), days AS (
            SELECT l.local_date, min(d.as_of) AS seen_from
            FROM (SELECT DISTINCT local_date FROM {table}) AS l
            JOIN dates AS d ON d.as_of > l.local_date GROUP BY l.local_date
        ), counted AS (
            SELECT t.customer_id, p.department, s.seen_from, count(*) AS n,
                   sum({discounted}) AS discounted
            FROM {table} AS t JOIN days AS s ON s.local_date = t.local_date
            JOIN products AS p ON p.product_id = t.product_id
            GROUP BY t.customer_id, p.department, s.seen_from
        )
        SELECT c.customer_id, d.as_of, c.department, CAST(sum(c.n) AS DOUBLE) AS n,
               CAST(sum(c.discounted) AS DOUBLE) AS discounted
        FROM counted AS c JOIN dates AS d ON d.as_of >= c.seen_from
        GROUP BY c.customer_id, d.as_of, c.department"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})
