"""What comes back about one customer: what they said, what was sent, what followed.

Every report counts once, however often it is sent. All of it happens within the customer's turn
(:mod:`mkt_models.store.turn`), so that what it withdraws is given back to the budgets at once.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mkt_models.columns import ConsentStatus
from mkt_models.store import ledger
from mkt_models.store import live_tables as tables
from mkt_models.store.records import (
    COMPLAINT,
    PERSONALISATION,
    Consent,
    ContactStatus,
    Exposure,
    Outcome,
    Refused,
    row_of,
)
from mkt_models.store.values import checked_id

UNSENT = (ContactStatus.PLANNED, ContactStatus.SENDING)


class Reports:
    """What is reported about one customer, in a transaction that is theirs alone."""

    def __init__(self, connection: sa.Connection, customer_id: str, now: datetime) -> None:
        """Work on a transaction that is open, at the clock's time ``now``."""
        self._connection, self.customer_id, self._now = connection, customer_id, now

    def say(
        self,
        consent: Consent,
        key: str | None = None,
        timed: bool = True,
        for_everybody: Collection[str] = (),
    ) -> tuple[bool, int]:
        """Record what the customer said, and withdraw what a no, or a yes that ends, may forbid.

        Parameters
        ----------
        consent, key
            What was said; the same ``key`` is recorded once.
        timed
            False where the time is that of the report: sent again, it has another one.
        for_everybody
            The strategies that are not personalised. A no to the purpose ``personalisation`` spares
            their contacts, and withdraws all others over the channel, whatever their purpose.
            Nobody has to agree to that purpose: a yes to it, even one that ends, withdraws nothing.

        Returns
        -------
        Whether it is new, and how many contacts that were not yet sent were withdrawn.

        Raises
        ------
        Refused
            When the key stands for something else.

        """
        row = row_of(consent, "consent")
        times = () if timed else ("changed_on", "changed_at")
        if key is not None and not self._is_new(tables.consents, key, row, times):
            return False, 0
        stored = {**row, "key": key and self._own(key), "recorded_at": self._now}
        self._connection.execute(tables.consents.insert(), stored)
        yes, personal = consent.status == ConsentStatus.GRANTED, consent.purpose == PERSONALISATION
        if yes and (personal or consent.expires_on is None):
            return True, 0
        table = tables.exposures
        forbidden = table.c.purpose == consent.purpose
        if personal:
            spared = sa.func.coalesce(table.c.strategy, "").in_(list(for_everybody))
            forbidden = sa.or_(forbidden, sa.not_(spared))
        withdrawn, rises = self._withdraw(table.c.channel == consent.channel, forbidden)
        ledger.count(self._connection, rises)
        return True, withdrawn

    def contacted(self, exposure: Exposure, key: str, timed: bool = True) -> bool:
        """Record a contact that was made without a decision of ours; False if it is known.

        ``timed`` is False where the time is that of the report: sent again, it has another one.

        Raises
        ------
        Refused
            When the key stands for something else.

        """
        row = row_of(exposure, "exposure")
        if not self._is_new(tables.exposures, key, row, () if timed else ("sent_at",)):
            return False
        own = {"key": self._own(key), "status": ContactStatus.SENT.value, "recorded_at": self._now}
        self._connection.execute(tables.exposures.insert(), {**row, **own})
        return True

    def report(
        self,
        decision_id: str,
        strategy: str,
        channel: str,
        offer_id: str | None,
        status: ContactStatus,
        at: datetime,
    ) -> tuple[bool, bool]:
        """Take down how far a planned contact has come.

        Parameters
        ----------
        decision_id, strategy, channel, offer_id
            Which contact. A decision has a strategy once per channel; the offer may be left out.
        status
            ``sending`` asks for leave: it is refused when the contact was withdrawn or its time
            is over. ``sent`` is a fact and always recorded. ``not_sent`` gives the contact back,
            and what it took of budgets. Where several revisions have planned it, a report is about
            the newest; ``not_sent`` is about the newest that was not given back yet.
        at
            When it was sent; otherwise the time of the report.

        Returns
        -------
        Whether the report is new, and whether the contact was within what the decision permitted.

        Raises
        ------
        Refused
            ``unknown_contact``, ``contact_withdrawn``, ``contact_lapsed``, ``already_sent``, or
            ``budget_spent``: more is taken than there is, as less of it was published, or some was
            sent without leave.

        """
        query = self._named(decision_id, strategy, channel, offer_id)
        rows = self._connection.execute(query).mappings().all()
        row = rows[0] if rows else None
        if status is ContactStatus.NOT_SENT:
            row = next((one for one in rows if one["status"] != status), row)
        if row is None:
            raise Refused("unknown_contact", "this decision has no such strategy on this channel")
        now = ContactStatus(row["status"])
        fits = row["until"] is None or row["sent_at"] <= at < row["until"]
        if status is ContactStatus.SENDING:
            self._may_send(now, fits, row["id"])
            if now is not status:
                self._update(row["id"], status=status.value)
            return now is not status, True
        if status is now:
            return False, bool(row["within_policy"] in (None, True))
        if now is ContactStatus.SENT:
            raise Refused("already_sent", "this contact is on record as sent")
        if status is ContactStatus.SENT:
            within = fits and now in UNSENT
            self._update(
                row["id"], status=status.value, sent_at=at, until=None, within_policy=within
            )
            ledger.count(self._connection, ledger.was_sent(self._connection, row["id"]))
            return True, within
        self._update(row["id"], status=status.value)
        ledger.count(self._connection, ledger.give_back(self._connection, [row["id"]]))
        return True, True

    def outcome(self, outcome: Outcome) -> bool:
        """Record what followed; False if this key is known.

        Raises
        ------
        Refused
            When the key stands for something else.

        """
        row = {
            "customer_id": self.customer_id,
            "decision_id": outcome.decision_id,
            "strategy": outcome.strategy,
            "kind": outcome.kind,
            "amount_hundredths": outcome.amount_hundredths,
            "occurred_at": outcome.occurred_at,
        }
        if not self._is_new(tables.outcomes, outcome.key, row):
            return False
        own = {"key": self._own(outcome.key), "recorded_at": self._now}
        self._connection.execute(tables.outcomes.insert(), {**row, **own})
        if outcome.kind == COMPLAINT:
            # What may be said to somebody who is angry is asked anew.
            ledger.count(self._connection, self._withdraw()[1])
        return True

    def _named(self, decision_id: str, strategy: str, channel: str, offer_id: str | None) -> Any:
        """Query the contacts of a decision that a report may mean, the newest revision's first."""
        table = tables.exposures
        query = sa.select(table).where(
            table.c.decision_id == decision_id,
            table.c.strategy == strategy,
            table.c.channel == channel,
        )
        if offer_id is not None:
            query = query.where(table.c.offer_id == offer_id)
        return self._mine(query.order_by(table.c.id.desc()), table)

    def _mine(self, query: Any, table: sa.Table) -> Any:
        return query.where(table.c.customer_id == self.customer_id)

    def _own(self, key: str) -> str:
        # Keys are the caller's, of a kind of report; a decision's own begin with "decision:".
        return f"report:{checked_id(key, 'key')}"

    def _is_new(
        self, table: sa.Table, key: str, row: Mapping[str, Any], besides: tuple[str, ...] = ()
    ) -> bool:
        query = sa.select(table).where(table.c.key == self._own(key))
        known = self._connection.execute(query).mappings().first()
        if known is None:
            return True
        told = {name: value for name, value in row.items() if name not in besides}
        if any(known[name] != value for name, value in told.items()):
            raise Refused("key_taken", "this key is on record with other content; send another")
        return False

    def _may_send(self, now: ContactStatus, fits: bool, contact: int) -> None:
        if now not in UNSENT:
            told = ContactStatus.WITHDRAWN if now is ContactStatus.RECALLED else now
            raise Refused("contact_withdrawn", f"this contact must not be sent: it is {told.value}")
        if not fits:
            raise Refused(
                "contact_lapsed", "the time for this contact is over: ask for strategies again"
            )
        budget = ledger.overspent(self._connection, contact)
        if budget is not None:
            raise Refused("budget_spent", f"more is taken of the budget {budget} than there is")

    def _withdraw(self, *conditions: sa.ColumnElement[bool]) -> tuple[int, Counter[ledger.Place]]:
        """Withdraw contacts; returns how many, and by how much the counters of budgets must rise.

        What somebody has begun to send is perhaps sent: it takes what it took until they say
        ``not_sent``.
        """
        table = tables.exposures
        mine = (table.c.customer_id == self.customer_id, *conditions)
        waiting = sa.select(table.c.id).where(table.c.status == ContactStatus.PLANNED.value, *mine)
        rises = ledger.give_back(self._connection, waiting)
        withdrawn = 0
        for old, new in (
            (ContactStatus.PLANNED, ContactStatus.WITHDRAWN),
            (ContactStatus.SENDING, ContactStatus.RECALLED),
        ):
            change = table.update().where(table.c.status == old.value, *mine)
            withdrawn += self._connection.execute(change.values(status=new.value)).rowcount
        return withdrawn, rises

    def _update(self, number: int, **values: Any) -> None:
        table = tables.exposures
        change = table.update().where(table.c.id == number)
        self._connection.execute(change.values(recorded_at=self._now, **values))
