"""Every contact that could be answered, and how much the contacts around it weigh on it.

Grain: customer, campaign and channel, at the first day of the contact. The pressure of earlier
contacts is the sum of ``0.5 ** (age / half_life)`` over those made over the same channel on earlier
days, not longer ago than the window; ages in days. What was sent on the same day has no order, and
does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.engine import Connection, tables

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESPONSE = "redemption"
"""The outcome that counts as a response: what propensity predicts."""


@dataclass(frozen=True)
class Contacts:
    """Contacts of one channel, one entry each; ``pressure``, ``expected`` and ``lead`` have a
    column per half-life.

    Attributes
    ----------
    customer, campaign
        Numbers from 0.
    response
        1 if it was answered, else 0.
    probability
        With which the contact was assigned; NaN where that is not known.
    pressure, expected
        Of the earlier contacts; and what it would be on average over their assignment, where that
        was at random with a known probability (controls count with theirs).
    random
        Whether any of them was assigned at random.
    lead
        The same of the contacts of the window after it.

    """

    customer: Ints
    campaign: Ints
    response: Floats
    probability: Floats
    pressure: Floats
    expected: Floats
    random: NDArray[np.bool_]
    lead: Floats

    def __len__(self) -> int:
        """How many contacts."""
        return len(self.customer)

    def where(self, rows: NDArray[np.bool_]) -> Self:
        """Only some contacts; customers and campaigns are numbered anew."""
        kept = {one.name: getattr(self, one.name)[rows] for one in fields(self)}
        for name in ("customer", "campaign"):
            kept[name] = np.unique(kept[name], return_inverse=True)[1].astype(np.int64)
        return type(self)(**kept)


def answerable(con: Connection, as_of: date) -> pd.DataFrame:
    """Every contact whose campaign lies wholly in the data and was over before ``as_of``.

    Needs the clean views ``campaigns``, ``exposures`` and ``outcomes``. A response is a redemption
    from the contact to the campaign's last day. A customer whom a campaign reached over several
    channels is left out of it: which of them was answered is not known. So is a campaign that
    nobody answered.

    Returns
    -------
    pandas.DataFrame
        One row per customer and campaign: ``channel``, ``sent_on`` (the first contact),
        ``assignment_probability`` (null if unknown), ``response`` (0 or 1).

    """
    probability = _probability(con, "exposures")
    return con.execute(
        f"""
        WITH sent AS (
            SELECT e.customer_id, e.campaign_id, min(e.channel) AS channel,
                   min(e.sent_on) AS sent_on, min(c.ends_on) AS ends_on,
                   CASE WHEN count(e.p) < count(*) OR min(e.p) < max(e.p) THEN NULL
                        ELSE min(e.p) END AS assignment_probability
            FROM (SELECT customer_id, campaign_id, channel, sent_on, {probability} AS p
                  FROM exposures) AS e
            JOIN campaigns AS c ON c.campaign_id = e.campaign_id
            WHERE NOT c.left_censored AND NOT c.right_censored AND c.ends_on < DATE '{as_of}'
              AND e.sent_on <= c.ends_on
            GROUP BY e.customer_id, e.campaign_id
            HAVING count(DISTINCT e.channel) = 1 AND count(e.channel) = count(*)
        ), judged AS (
            SELECT s.*, CASE WHEN EXISTS (
                       SELECT 1 FROM outcomes AS o
                       WHERE o.customer_id = s.customer_id AND o.campaign_id = s.campaign_id
                         AND o.kind = '{RESPONSE}'
                         AND o.occurred_on BETWEEN s.sent_on AND s.ends_on) THEN 1 ELSE 0 END
                   AS response
            FROM sent AS s
        )
        SELECT customer_id, campaign_id, channel, sent_on, assignment_probability, response
        FROM judged WHERE campaign_id IN (SELECT campaign_id FROM judged WHERE response = 1)
        ORDER BY channel, sent_on, campaign_id, customer_id"""
    ).df()


def assigned(con: Connection) -> pd.DataFrame:
    """Every contact that was made, or withheld at random: what may exert pressure.

    One row per customer, campaign, channel and day: ``made`` (0 or 1), ``assignment_probability``.
    """
    parts = [(name, made) for name, made in (("exposures", 1), ("controls", 0))]
    found = tables(con)
    queries = [
        f"SELECT DISTINCT customer_id, campaign_id, channel, sent_on, {made} AS made, "
        f"{_probability(con, name)} AS assignment_probability FROM {name}"
        for name, made in parts
        if name in found
    ]
    return con.execute(" UNION ALL ".join(queries)).df()


def _probability(con: Connection, table: str) -> str:
    columns = con.execute(f"SELECT * FROM {table} LIMIT 0").df().columns
    known = "assignment_probability" in columns
    return "assignment_probability" if known else "CAST(NULL AS DOUBLE)"


def with_pressure(
    contacts: pd.DataFrame, history: pd.DataFrame, half_lives: Sequence[float], window_days: int
) -> Contacts:
    """Weigh what was sent around each contact.

    Parameters
    ----------
    contacts
        Rows of :func:`answerable`, of one channel.
    history
        Rows of :func:`assigned`, of the same channel.
    half_lives, window_days
        Days.

    """
    rows = contacts.reset_index(drop=True)
    left = pd.DataFrame(
        {CUSTOMER_ID: rows[CUSTOMER_ID], "day": _days(rows["sent_on"]), "row": rows.index}
    )
    p = history["assignment_probability"].to_numpy(dtype=float, na_value=np.nan)
    made = history["made"].to_numpy(dtype=float)
    random = (p > 0) & (p < 1)
    right = pd.DataFrame(
        {
            CUSTOMER_ID: history[CUSTOMER_ID],
            "then": _days(history["sent_on"]),
            "made": made,
            "mean": np.where(random, p, made),
            "random": random,
        }
    )
    pairs = left.merge(right, on=CUSTOMER_ID)
    age = (pairs["day"] - pairs["then"]).to_numpy()
    pairs = pairs[(age != 0) & (np.abs(age) <= window_days)]
    age = (pairs["day"] - pairs["then"]).to_numpy()
    row, before = pairs["row"].to_numpy(), age > 0
    made, mean = pairs["made"].to_numpy(), pairs["mean"].to_numpy()
    shape = (len(rows), len(half_lives))
    pressure, expected, lead = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for column, half_life in enumerate(half_lives):
        weight = 0.5 ** (np.abs(age) / half_life)
        for into, what in (
            (pressure, made * before),
            (expected, mean * before),
            (lead, made * ~before),
        ):
            into[:, column] = np.bincount(row, weight * what, minlength=len(rows))
    by_chance = pairs["random"].to_numpy() & before
    return Contacts(
        customer=_codes(rows[CUSTOMER_ID]),
        campaign=_codes(rows[CAMPAIGN_ID]),
        response=rows["response"].to_numpy(dtype=float),
        probability=rows["assignment_probability"].to_numpy(dtype=float, na_value=np.nan),
        pressure=pressure,
        expected=expected,
        random=np.bincount(row, by_chance, minlength=len(rows)) > 0,
        lead=lead,
    )


def _days(column: pd.Series) -> Ints:
    days = pd.to_datetime(column).to_numpy(dtype="datetime64[D]")
    return np.asarray(days.astype(np.int64))


def _codes(column: pd.Series) -> Ints:
    return np.asarray(pd.factorize(column, sort=True)[0], dtype=np.int64)
