"""What comes back about one customer: what they said, what was sent, what followed.

Every report counts once, however often it is sent. All of it happens within the customer's turn
(:mod:`mkt_models.store.turn`), so that what it withdraws is given back to the budgets at once.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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
_BEGUN = (ContactStatus.SENDING, ContactStatus.RECALLED)


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
        key: str | None = None,
    ) -> tuple[bool, bool]:
        """Take down how far a planned contact has come.

        Parameters
        ----------
        decision_id, strategy, channel, offer_id
            Which contact. A decision has a strategy once per channel; the offer may be left out.
        status
            ``sending`` asks for leave, which one sender has at a time: it is refused when the
            contact was withdrawn, its time is over, or somebody else has begun to send it. What was
            given back may be begun again within its time, where its budgets have room; the caller
            has looked whether the caps have. ``sent`` is a fact and always recorded. ``not_sent``
            gives the contact back, and what it took of budgets.
        at
            When it was sent; otherwise the time of the report.
        key
            The sender's own name of this attempt. With the same one, the same report is harmless,
            and it is about the contact that was begun with it. ``sending`` requires it: without one
            nobody can tell a second sender from the first. So does ``not_sent`` of what was begun;
            what was begun before senders named themselves is given back without one. ``sent``
            without the key with which the contact was begun is not within what was permitted.
            Where several revisions have planned the contact and none was begun with the key, a
            report is about the newest; ``not_sent`` is about the newest that was not given back
            yet.

        Returns
        -------
        Whether the report is new, and whether the contact was within what the decision permitted.

        Raises
        ------
        Refused
            ``key_required``, ``unknown_contact``, ``contact_withdrawn``, ``contact_lapsed``,
            ``already_sending``: somebody else has begun; ``already_sent``, also by another sender,
            which is a contact of its own; or ``budget_spent``: more is taken than there is, as less
            of it was published or some was sent without leave, or others have taken what was given
            back.

        """
        if status is ContactStatus.SENDING and key is None:
            raise Refused("key_required", "sending takes a key: your own name of this attempt")
        query = self._named(decision_id, strategy, channel, offer_id)
        rows = self._connection.execute(query).mappings().all()
        row = _meant(rows, status, key)
        if row is None:
            raise Refused("unknown_contact", "this decision has no such strategy on this channel")
        now = ContactStatus(row["status"])
        fits = row["until"] is None or row["sent_at"] <= at < row["until"]
        if status is ContactStatus.SENDING:
            assert key is not None  # refused above
            return self._begin(row, fits, key), True
        own = {"sender_key": None if key is None else checked_id(key, "key")}
        if status is now and (status is ContactStatus.NOT_SENT or key == row["sender_key"]):
            return False, bool(row["within_policy"] in (None, True))
        if now is ContactStatus.SENT:
            once_more = "; if it went out once more, report that one with customer_id and a key"
            raise _sent_before(row, once_more if status is now else "")
        if status is ContactStatus.SENT:
            by_another = now is ContactStatus.SENDING and row["sender_key"] not in (None, key)
            within = fits and now in UNSENT and not by_another
            facts = {"sent_at": at, "until": None, "within_policy": within}
            self._update(row["id"], status=status.value, **facts, **own)
            ledger.count(self._connection, ledger.was_sent(self._connection, row["id"]))
            return True, within
        if now in _BEGUN and key != row["sender_key"]:
            began = row["sender_key"] is not None
            how = "the key with which it was begun" if began else "no key, as it was begun without"
            raise _begun_by_another(row, f"not_sent takes {how}")
        self._update(row["id"], status=status.value, **own)
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

    def _begin(self, row: sa.RowMapping, fits: bool, key: str) -> bool:
        """Give a sender leave to send a contact; whether they did not have it before."""
        now = ContactStatus(row["status"])
        if now is ContactStatus.SENT:
            raise _sent_before(row)
        if now not in (*UNSENT, ContactStatus.NOT_SENT) or row["withdrawn_at"] is not None:
            since = row["withdrawn_at"]
            told = "" if since is None else f" since {_seconds(since)}"
            message = f"this contact must not be sent: it is withdrawn{told}"
            raise Refused("contact_withdrawn", message)
        if not fits:
            raise Refused(
                "contact_lapsed", "the time for this contact is over: ask for strategies again"
            )
        if now is ContactStatus.SENDING and key != row["sender_key"]:
            again = "whoever asks again sends the key of the first time"
            if row["sender_key"] is None:
                again = "it was begun without a key, and not_sent without one gives it back"
            raise _begun_by_another(row, again)
        budget = ledger.overspent(self._connection, row["id"])
        if budget is not None:
            raise Refused("budget_spent", f"more is taken of the budget {budget} than there is")
        if now is ContactStatus.SENDING:
            return False
        if now is ContactStatus.NOT_SENT:
            self._take_again(row["id"])
        begun = {"sender_key": key, "sending_since": self._now}
        self._update(row["id"], status=ContactStatus.SENDING.value, **begun)
        return True

    def _take_again(self, contact: int) -> None:
        """Take of the budgets once more what a contact has given back, or nothing of it."""
        try:
            with self._connection.begin_nested():
                rises = ledger.take_again(self._connection, contact)
                ledger.count(self._connection, rises, within=rises)
        except ledger.BudgetSpent as error:
            raise Refused("budget_spent", f"it was given back, and {error}") from None

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
            ended = change.values(status=new.value, withdrawn_at=self._now)
            withdrawn += self._connection.execute(ended).rowcount
        # What was given back is not begun again either.
        free = (table.c.status == ContactStatus.NOT_SENT.value, table.c.withdrawn_at.is_(None))
        ended = table.update().where(*free, *mine).values(withdrawn_at=self._now)
        self._connection.execute(ended)
        return withdrawn, rises

    def _update(self, number: int, **values: Any) -> None:
        table = tables.exposures
        change = table.update().where(table.c.id == number)
        self._connection.execute(change.values(recorded_at=self._now, **values))


def _meant(
    rows: Sequence[sa.RowMapping], status: ContactStatus, key: str | None
) -> sa.RowMapping | None:
    """Which of the contacts of a decision a report is about; the newest revision's come first."""
    given_back = ContactStatus.NOT_SENT
    begun = [row for row in rows if key is not None and row["sender_key"] == key]
    if mine := [row for row in begun if row["status"] != given_back]:
        return mine[0]
    if status is given_back:
        rows = [*begun, *(row for row in rows if row["status"] != given_back), *rows]
    return rows[0] if rows else None


def _begun_by_another(row: sa.RowMapping, advice: str) -> Refused:
    since = row["sending_since"]
    told = "" if since is None else f" since {_seconds(since)}"
    message = f"somebody is sending this contact{told}: {advice}"
    return Refused("already_sending", message)


def _sent_before(row: sa.RowMapping, advice: str = "") -> Refused:
    message = f"this contact is on record as sent at {_seconds(row['sent_at'])}{advice}"
    return Refused("already_sent", message)


def _seconds(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
