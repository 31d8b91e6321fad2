"""What the data records of consents and contacts, as the store keeps it.

Module of the notebooks: it needs the SQL engine, which the service does not carry.
"""

from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

from mkt_models.engine import Connection
from mkt_models.store.records import Consent, Exposure


def recorded_consents(con: Connection) -> Iterator[Consent]:
    """Every consent and refusal of the clean table ``consents``, which every source has."""
    rows = con.execute(
        "SELECT customer_id, purpose, channel, status, changed_on, expires_on, basis FROM consents"
    ).fetchall()
    return (Consent(*row) for row in rows)


def recorded_contacts(con: Connection, tables: list[str], zone: ZoneInfo) -> Iterator[Exposure]:
    """Every contact of the clean table ``exposures``; none where the source records none.

    Only days are recorded, so each is taken at noon on the shop's clock, the ``zone``.
    """
    if "exposures" not in tables:
        return iter(())
    rows = con.execute(
        "SELECT customer_id, channel, sent_on, campaign_id FROM exposures"
    ).fetchall()
    return (
        Exposure(customer, channel, datetime.combine(day, time(12), zone), campaign_id=campaign)
        for customer, channel, day, campaign in rows
    )
