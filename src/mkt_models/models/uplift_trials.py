"""Trials: customers whom a campaign contacted, or withheld, at random with known probabilities.

Grain: customer and campaign. ``as_of`` is the first day of the campaign; features look strictly
before it, responses are what happened in the campaign's days, whoever read the message. Nothing is
left out because of what happened after the assignment, and whatever is left out is counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.engine import Connection, tables
from mkt_models.evaluation.arms import PROBABILITY, TREATED
from mkt_models.workspace import NotAvailableError

NOBODY = "What a contact changes is not available: nobody was assigned at random"

# Why an assignment is no trial, in the order in which it is asked; each counts under the first.
LEFT_OUT = {
    "campaign_open": "the campaign does not lie wholly in the data, or was not over",
    "several_accounts": "the customer has several accounts, each assigned by itself",
    "both_arms": "the customer stands in both arms",
    "unknown_probability": "the probability of being contacted is not known",
    "several_probabilities": "several probabilities are on record",
    "certain": "the probability is 0 or 1: nobody like them was in the other arm",
}

# What happened within the campaign's days, and what it is called in a sentence.
RESPONSES = {
    "ordered": "the share of buyers",
    "redeemed": "the share of redeemers",
    "spend": "spend",
}
# What a figure calls those whom a response counts.
_COUNTED = {"ordered": "buyers", "redeemed": "redeemers", "spend": "spend"}
COLUMNS = (
    CUSTOMER_ID,
    CAMPAIGN_ID,
    "campaign_type",
    "channel",
    AS_OF,
    "ends_on",
    TREATED,
    PROBABILITY,
    *RESPONSES,
    "orders",
    "value",
    "cost",
)


@dataclass(frozen=True)
class Trials:
    """Assignments that can tell what a contact changes, and how many cannot, by reason.

    Attributes
    ----------
    rows
        One row per customer and campaign: ``as_of``, ``ends_on``, ``campaign_type``, ``channel``,
        ``treated`` (0 or 1), ``assignment_probability``; ``ordered`` and ``redeemed`` (0 or 1),
        ``spend`` (currency units, as paid), ``orders`` (how many), ``value`` (spend before coupons
        were taken off) and ``cost`` (coupons taken off, and the contact where its cost is on
        record; in currency units). Ordered by ``as_of``, campaign and customer.
    left_out
        Rows of customer and campaign that are no trial, per reason of :data:`LEFT_OUT`.

    """

    rows: pd.DataFrame
    left_out: Mapping[str, int]

    def in_words(self) -> str:
        """Say how many trials there are, and what was left out."""
        if self.rows.empty:
            return f"{NOBODY}{self._without()}."
        treated = int(self.rows["treated"].sum())
        return (
            f"{self.rows[CAMPAIGN_ID].nunique()} campaigns were assigned at random: "
            f"{treated:,} contacts and {len(self.rows) - treated:,} withheld, of "
            f"{self.rows[CUSTOMER_ID].nunique():,} customers{self._without()}."
        )

    def _without(self) -> str:
        told = [f"{n:,}: {LEFT_OUT[why]}" for why, n in self.left_out.items() if n]
        return f". Left out: {'; '.join(told)}" if told else ""


def trials(con: Connection, as_of: date) -> Trials:
    """Gather every assignment at random of a campaign that was over before ``as_of``.

    Needs the clean views ``campaigns``, ``exposures``, ``transactions`` and the table ``orders``
    of ``prepare_orders``; without ``controls`` nobody was withheld, so there is no trial.
    ``outcomes``, ``offers`` and ``identity_map`` may be absent.

    Money is spend, not margin: the data holds no cost of goods. ``value`` counts a coupon's
    discount as paid and ``cost`` as given away, so that it is in neither of them twice.
    """
    there = tables(con)
    if not {"campaigns", "exposures", "controls"} <= there:
        return Trials(pd.DataFrame(columns=COLUMNS), {})
    reasons = con.execute(
        f"SELECT why, count(*) AS n FROM ({_assigned(there, as_of)}) AS a WHERE why IS NOT NULL "
        "GROUP BY why"
    ).df()
    counts = dict(zip(reasons["why"], reasons["n"].astype(int), strict=True))
    rows = con.execute(_responses(there, as_of)).df()
    dated = {name: pd.to_datetime(rows[name]) for name in (AS_OF, "ends_on")}
    left_out = {why: int(counts[why]) for why in LEFT_OUT if why in counts}
    if rows.empty or rows["treated"].nunique() < 2:
        left_out |= {} if rows.empty else {"certain": left_out.get("certain", 0) + len(rows)}
        return Trials(rows.iloc[:0], left_out)
    return Trials(rows.assign(**dated), left_out)


def in_figures(response: str, currency: str) -> dict[str, str | None]:
    """Say what figures of a response show, and in which unit: None for shares.

    >>> in_figures("ordered", "CNY"), in_figures("spend", "CNY")
    ({'what': 'buyers', 'unit': None}, {'what': 'spend', 'unit': 'CNY'})
    """
    return {"what": _COUNTED[response], "unit": currency if response == "spend" else None}


def reachable(con: Connection, as_of: date) -> pd.DataFrame:
    """Every customer who ordered before, with every campaign that runs on ``as_of``.

    One row per customer and campaign, whether contacted or not: whom to predict uplift for. Consent
    and contact policy are asked when something is decided, not here.
    """
    rows = con.execute(
        f"""
        SELECT k.customer_id, c.campaign_id, c.campaign_type, DATE '{as_of}' AS as_of, c.ends_on
        FROM (SELECT DISTINCT customer_id FROM orders WHERE local_date < DATE '{as_of}') AS k
        CROSS JOIN campaigns AS c
        WHERE c.starts_on <= DATE '{as_of}' AND c.ends_on >= DATE '{as_of}'
        ORDER BY c.campaign_id, k.customer_id"""
    ).df()
    return rows.assign(**{name: pd.to_datetime(rows[name]) for name in (AS_OF, "ends_on")})


def split_by_time(
    rows: pd.DataFrame, validation: int, test: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Split trials by campaign: train, validation and test, one after the other in time.

    The last ``test`` campaigns are the test, the ``validation`` campaigns before them choose the
    learner. A campaign that was not over when the next part began is left out of its own part, so
    that nothing learnt from lies in the days that are judged.

    Raises NotAvailableError when no campaign is left to learn from.
    """
    starts = rows[[CAMPAIGN_ID, AS_OF]].drop_duplicates().sort_values([AS_OF, CAMPAIGN_ID])
    names = starts[CAMPAIGN_ID].tolist()
    if len(names) <= validation + test:
        raise NotAvailableError(
            f"not available: {len(names)} campaigns were assigned at random, and "
            f"{validation + test + 1} are needed to learn, choose and test; lower "
            "uplift.validation_campaigns or uplift.test_campaigns, or wait for more"
        )
    cut = len(names) - test
    parts = (names[: cut - validation], names[cut - validation : cut], names[cut:])
    train, chosen_on, tested_on = (rows[rows[CAMPAIGN_ID].isin(part)] for part in parts)
    before_choice = train[train["ends_on"] < chosen_on[AS_OF].min()]
    before_test = chosen_on[chosen_on["ends_on"] < tested_on[AS_OF].min()]
    if before_choice.empty or before_test.empty:
        raise NotAvailableError(
            "not available: no campaign was over when the campaigns that judge it began; lower "
            "uplift.validation_campaigns or uplift.test_campaigns"
        )
    return before_choice, before_test, tested_on


def _assigned(there: Iterable[str], as_of: date) -> str:
    """SQL of every customer and campaign that was assigned, with the reason why it is no trial."""
    accounts = (
        "(SELECT customer_id, count(DISTINCT source_customer_id) AS n FROM identity_map "
        "GROUP BY customer_id)"
        if "identity_map" in set(there)
        else "(SELECT CAST(NULL AS VARCHAR) AS customer_id, 1 AS n WHERE 1 = 0)"
    )
    columns = "customer_id, campaign_id, assignment_probability AS p"
    return f"""
        SELECT g.customer_id, g.campaign_id, g.treated, g.p,
               c.starts_on, c.ends_on, c.campaign_type, c.channel,
               CASE WHEN c.campaign_id IS NULL OR c.left_censored OR c.right_censored
                      OR c.ends_on >= DATE '{as_of}' THEN 'campaign_open'
                    WHEN a.n > 1 THEN 'several_accounts'
                    WHEN g.arms > 1 THEN 'both_arms'
                    WHEN g.known < g.n THEN 'unknown_probability'
                    WHEN g.p < g.most THEN 'several_probabilities'
                    WHEN g.p <= 0 OR g.p >= 1 THEN 'certain' END AS why
        FROM (SELECT customer_id, campaign_id, max(treated) AS treated,
                     count(DISTINCT treated) AS arms, count(*) AS n, count(p) AS known,
                     min(p) AS p, max(p) AS most
              FROM (SELECT {columns}, 1 AS treated FROM exposures
                    UNION ALL SELECT {columns}, 0 AS treated FROM controls) AS both_arms
              GROUP BY customer_id, campaign_id) AS g
        LEFT JOIN campaigns AS c ON c.campaign_id = g.campaign_id
        LEFT JOIN {accounts} AS a ON a.customer_id = g.customer_id"""


def _responses(there: set[str], as_of: date) -> str:
    """SQL of the trials with what happened in the campaign's days."""
    redeemed = (
        """(SELECT DISTINCT t.customer_id, t.campaign_id FROM trial AS t JOIN outcomes AS o
             ON o.customer_id = t.customer_id AND o.campaign_id = t.campaign_id
            AND o.kind = 'redemption' AND o.occurred_on BETWEEN t.starts_on AND t.ends_on)"""
        if "outcomes" in there
        else "(SELECT customer_id, campaign_id FROM trial WHERE 1 = 0)"
    )
    contact = (
        "(SELECT campaign_id, max(cost_cents) AS cents FROM offers GROUP BY campaign_id)"
        if "offers" in there
        else "(SELECT campaign_id, CAST(NULL AS BIGINT) AS cents FROM campaigns WHERE 1 = 0)"
    )
    return f"""
        WITH trial AS (SELECT * FROM ({_assigned(there, as_of)}) AS a WHERE why IS NULL),
        bought AS (
            SELECT t.customer_id, t.campaign_id, sum(l.amount_cents) AS cents,
                   count(DISTINCT l.order_id) AS orders,
                   sum(COALESCE(l.coupon_discount_cents, 0)
                       + COALESCE(l.coupon_match_discount_cents, 0)) AS coupon_cents
            FROM trial AS t JOIN transactions AS l ON l.customer_id = t.customer_id
             AND l.local_date BETWEEN t.starts_on AND t.ends_on
            GROUP BY t.customer_id, t.campaign_id
        )
        SELECT t.customer_id, t.campaign_id, t.campaign_type, t.channel, t.starts_on AS as_of,
               t.ends_on, t.treated, t.p AS assignment_probability,
               CASE WHEN b.customer_id IS NULL THEN 0 ELSE 1 END AS ordered,
               CASE WHEN r.customer_id IS NULL THEN 0 ELSE 1 END AS redeemed,
               COALESCE(b.cents, 0) / 100.0 AS spend, COALESCE(b.orders, 0) AS orders,
               (COALESCE(b.cents, 0) + COALESCE(b.coupon_cents, 0)) / 100.0 AS value,
               (COALESCE(b.coupon_cents, 0) + t.treated * COALESCE(k.cents, 0)) / 100.0 AS cost
        FROM trial AS t
        LEFT JOIN bought AS b ON b.customer_id = t.customer_id AND b.campaign_id = t.campaign_id
        LEFT JOIN {redeemed} AS r
          ON r.customer_id = t.customer_id AND r.campaign_id = t.campaign_id
        LEFT JOIN {contact} AS k ON k.campaign_id = t.campaign_id
        ORDER BY t.starts_on, t.campaign_id, t.customer_id"""
