"""Consents that the parameters declare, for data that records none.

No record means refused. Whoever runs the workflow may declare, with a reason, what was agreed.
"""

from datetime import date

from mkt_models.engine import literal
from mkt_models.source_params import Source


def assumed_consents_sql(source: Source, customers: str, exposed: str, *, since: date) -> str:
    """Write the query of the consents that ``source.assumed_consents`` declares.

    Parameters
    ----------
    source
        Declares the consents.
    customers
        Query of every ``customer_id``.
    exposed
        Query of one column, the customers that a recorded campaign has reached.
    since
        The day from which the consents hold.

    Returns
    -------
    str
        SQL of one row per customer and declared consent, in the columns of ``consents``, ordered;
        of no rows when nothing is declared.

    """
    parts = [
        f"""SELECT customer_id, {literal(c.purpose)} AS purpose, {literal(c.channel)} AS channel,
               {literal(c.status)} AS status, DATE '{since}' AS changed_on,
               CAST(NULL AS DATE) AS expires_on, {literal(f"assumed: {c.reason}")} AS basis
        FROM ({customers}) AS people
        {f"WHERE customer_id IN ({exposed})" * (c.customers == "exposed")}"""
        for c in source.assumed_consents
    ] or [
        f"""SELECT '' AS customer_id, '' AS purpose, '' AS channel, '' AS status,
               DATE '{since}' AS changed_on, CAST(NULL AS DATE) AS expires_on, '' AS basis
        WHERE FALSE"""
    ]
    return " UNION ALL ".join(parts) + " ORDER BY customer_id, purpose, channel"
