"""One customer's turn in the live store: what is known, what is decided, what is reported.

Everything here happens inside one transaction, while nobody else reads or writes about the same
customer; :meth:`mkt_models.store.live.LiveStore.turn` makes it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from mkt_models.columns import ConsentStatus
from mkt_models.store import ledger
from mkt_models.store import live_tables as tables
from mkt_models.store.engine import inserter
from mkt_models.store.records import (
    COMPLAINT,
    PERSONALISATION,
    Consent,
    ContactStatus,
    Exposure,
    Limit,
    Outcome,
    Purse,
    Record,
    Refused,
    row_of,
)
from mkt_models.store.values import StoreError, as_json, checked_id

_UNSENT = (ContactStatus.PLANNED, ContactStatus.SENDING)
_UNUSED = (ContactStatus.PLANNED, ContactStatus.WITHDRAWN)  # nobody has asked for leave to send it


class Turn:
    """The customer's turn; ``erased`` says that nothing may be decided for them."""

    def __init__(
        self, connection: sa.Connection, customer_id: str, now: datetime, erased: bool
    ) -> None:
        """Work on a transaction that is open, at the clock's time ``now``."""
        self._connection, self.customer_id, self._now = connection, customer_id, now
        self.erased = erased

    def consents(self) -> tuple[Consent, ...]:
        """What the customer said, in the order in which it was recorded."""
        table = tables.consents
        query = sa.select(*(table.c[name] for name in Consent.__slots__))
        rows = self._connection.execute(self._mine(query, table).order_by(table.c.id))
        return tuple(Consent(*row) for row in rows)

    def contacts(self, since: datetime, besides: str | None = None) -> tuple[Exposure, ...]:
        """Contacts that were made or are planned, from ``since`` (aware) on, oldest first.

        Parameters
        ----------
        since
            Contacts whose last moment is before this are left out.
        besides
            What this decision has planned itself, or withdrawn, and nobody has begun to send, is
            left out too: the question is asked again, and its answer takes the place of the last.

        """
        return tuple(
            exposure_of(row)
            for row in self._counted(since)
            if besides is None or row["decision_id"] != besides or row["status"] not in _UNUSED
        )

    def contacts_beside(
        self, since: datetime, decision_id: str, strategy: str, channel: str, offer_id: str | None
    ) -> tuple[Exposure, ...]:
        """Contacts that count beside the one that is about to be sent, oldest first.

        All of :meth:`contacts`, but that one, and what its decision has withdrawn and nobody has
        begun to send.
        """
        query = self._named(decision_id, strategy, channel, offer_id)
        mine = self._connection.execute(query).mappings().first()
        return tuple(
            exposure_of(row)
            for row in self._counted(since)
            if (mine is None or row["id"] != mine["id"])
            and not (row["decision_id"] == decision_id and row["status"] == ContactStatus.WITHDRAWN)
        )

    def complaints(self, since: datetime) -> tuple[datetime, ...]:
        """When the customer complained, from ``since`` (aware) on."""
        table = tables.outcomes
        query = self._mine(sa.select(table.c.occurred_at), table).where(
            table.c.kind == COMPLAINT, table.c.occurred_at >= since
        )
        return tuple(self._connection.execute(query.order_by(table.c.occurred_at)).scalars())

    def purses(
        self, limits: Sequence[Limit], day: date, besides: str | None = None, locked: bool = False
    ) -> tuple[Purse, ...]:
        """What is left of each budget on a day; see :func:`.ledger.purses`."""
        return ledger.purses(self._connection, limits, day, besides, locked)

    def keep(self, record: Record) -> int:
        """Keep a decision and plan its contacts; return its revision, from 1.

        The same answer to the same question is kept once, while its contacts stand. Otherwise, and
        for another answer, there is another revision, and what the one before had planned and
        nobody has sent is withdrawn. What the contacts take of budgets is counted last: a turn
        writes nothing after it.

        Raises
        ------
        BudgetSpent
            When others have taken what was left of a budget since it was read; nothing of this
            turn may be kept, and the customer is decided for again.

        """
        table = tables.decisions
        last = (
            sa.select(table.c.revision, table.c.answer)
            .where(table.c.decision_id == record.decision_id)
            .order_by(table.c.revision.desc())
            .limit(1)
        )
        known = self._connection.execute(last).first()
        answer = as_json(record.answer, "answer")
        if known is not None and known.answer == answer and self._stands(record, known.revision):
            return int(known.revision)
        revision, rises = 1, Counter[ledger.Place]()
        if known is not None:
            revision = int(known.revision) + 1
            _, rises = self._withdraw(tables.exposures.c.decision_id == record.decision_id)
        row = {
            "decision_id": record.decision_id,
            "revision": revision,
            "customer_id": self.customer_id,
            "snapshot_id": record.snapshot_id,
            "asked_for": record.asked_for,
            "decided_at": self._now,
            "arm": record.arm,
            "arm_probability": record.arm_probability,
            "strategy": record.strategy,
            "channel": record.channel,
            "offer_id": record.offer_id,
            "probability": record.probability,
            "answer": answer,
            "inputs": as_json(record.inputs, "inputs"),
        }
        self._connection.execute(table.insert(), row)
        self._assign(record)
        purses = {purse.budget: purse for purse in record.purses}
        for rank, planned in enumerate(record.planned, start=1):
            own = {
                "key": f"decision:{record.decision_id}/{revision}/{rank}",
                "purpose": planned.purpose,
                "status": ContactStatus.PLANNED.value,
                "recorded_at": self._now,
            }
            row = {**row_of(planned.exposure, "exposure"), **own}
            kept = self._connection.execute(tables.exposures.insert(), row)
            assert kept.inserted_primary_key is not None  # it is a row of its own
            number = int(kept.inserted_primary_key[0])
            rises.update(ledger.reserve(self._connection, number, planned.uses, purses))
        ledger.count(self._connection, rises, purses)
        return revision

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
            within = fits and now in _UNSENT
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

    def erase(self, digest: str) -> dict[str, int]:
        """Remove all rows about the customer, and keep ``digest``; see ``LiveStore.forget``.

        What their contacts took of budgets stays counted, as a sum of nobody's.
        """
        contacts = tables.exposures
        ledger.detach(self._connection, self._mine(sa.select(contacts.c.id), contacts))
        removed = {}
        for table in tables.OF_A_CUSTOMER:
            mine = table.c.customer_id == self.customer_id
            removed[table.name] = self._connection.execute(table.delete().where(mine)).rowcount
            count = sa.select(sa.func.count()).select_from(table).where(mine)
            if self._connection.execute(count).scalar_one():
                raise StoreError(f"{table.name}: rows about the customer remain; nothing changed")
        row = {"digest": digest, "erased_at": self._now}
        insert = inserter(self._connection)(tables.erased)
        self._connection.execute(insert.values(row).on_conflict_do_nothing())
        return removed

    def _stands(self, record: Record, revision: int) -> bool:
        """Whether what a revision has planned is still planned, or was sent."""
        table = tables.exposures
        own = table.c.key.startswith(f"decision:{record.decision_id}/{revision}/")
        found = self._connection.execute(sa.select(table.c.status).where(own)).scalars().all()
        stands = (*_UNSENT, ContactStatus.SENT)
        return len(found) == len(record.planned) and all(one in stands for one in found)

    def _counted(self, since: datetime) -> Sequence[sa.RowMapping]:
        table = tables.exposures
        query = counts_as_contact(self._mine(sa.select(table), table), since)
        query = query.order_by(table.c.sent_at, table.c.id)
        return self._connection.execute(query).mappings().all()

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

    def _assign(self, record: Record) -> None:
        table = tables.assignments
        query = sa.select(table.c.arm).where(table.c.experiment == record.experiment)
        if self._connection.execute(self._mine(query, table)).first() is None:
            row = {
                "experiment": record.experiment,
                "customer_id": self.customer_id,
                "arm": record.arm,
                "probability": record.arm_probability,
                "assigned_at": self._now,
            }
            self._connection.execute(table.insert(), row)

    def _may_send(self, now: ContactStatus, fits: bool, contact: int) -> None:
        if now not in _UNSENT:
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


def counts_as_contact(query: Any, since: datetime) -> Any:
    """Narrow a query to contacts that count for caps, and whose last moment is not past."""
    table = tables.exposures
    last = sa.func.coalesce(table.c.until, table.c.sent_at)
    return query.where(
        table.c.status != ContactStatus.NOT_SENT.value,
        sa.type_coerce(last, table.c.sent_at.type) >= since,
    )


def exposure_of(row: sa.RowMapping) -> Exposure:
    """The contact of a row."""
    return Exposure(**{name: row[name] for name in Exposure.__slots__})
