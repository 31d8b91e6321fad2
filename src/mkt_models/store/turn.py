"""One customer's turn in the live store: what is known, and what is decided.

Everything here happens inside one transaction, while nobody else reads or writes about the same
customer; :meth:`mkt_models.store.live.LiveStore.turn` makes it. What comes back is taken in the
same turn, by :mod:`mkt_models.store.reports`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from mkt_models.store import ledger, purses
from mkt_models.store import live_tables as tables
from mkt_models.store.engine import inserter
from mkt_models.store.records import (
    COMPLAINT,
    Consent,
    ContactStatus,
    Exposure,
    Limit,
    Purse,
    Record,
    row_of,
)
from mkt_models.store.reports import UNSENT, Reports
from mkt_models.store.values import StoreError, as_json

_UNUSED = (ContactStatus.PLANNED, ContactStatus.WITHDRAWN)  # nobody has asked for leave to send it


class Turn(Reports):
    """The customer's turn; ``erased`` says that nothing may be decided for them."""

    def __init__(
        self, connection: sa.Connection, customer_id: str, now: datetime, erased: bool
    ) -> None:
        """Work on a transaction that is open, at the clock's time ``now``."""
        super().__init__(connection, customer_id, now)
        self.erased = erased

    def consents(self) -> tuple[Consent, ...]:
        """What the customer said, in the order in which it was recorded."""
        table = tables.consents
        query = sa.select(*(table.c[name] for name in Consent.__slots__))
        rows = self._connection.execute(self._mine(query, table).order_by(table.c.id))
        return tuple(Consent(*row) for row in rows)

    def contacts(
        self, since: datetime, besides: str | None = None, begun: bool = True
    ) -> tuple[Exposure, ...]:
        """Contacts that were made or are planned, from ``since`` (aware) on, oldest first.

        Parameters
        ----------
        since
            Contacts whose last moment is before this are left out.
        besides
            What this decision has planned itself, or withdrawn, and nobody has begun to send, is
            left out too: the question is asked again, and its answer takes the place of the last.
        begun
            False leaves out what somebody is sending for that decision as well. With it nothing new
            may be planned; it only tells whether the last answer still stands (:meth:`stands`).

        """
        left_out = _UNUSED if begun else (*_UNUSED, ContactStatus.SENDING)
        return tuple(
            exposure_of(row)
            for row in self._counted(since)
            if besides is None or row["decision_id"] != besides or row["status"] not in left_out
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

    def has_planned(
        self, decision_id: str, strategy: str, channel: str, offer_id: str | None
    ) -> bool:
        """Whether a decision has ever planned such a contact."""
        query = self._named(decision_id, strategy, channel, offer_id)
        return self._connection.execute(query).first() is not None

    def complaints(self, since: datetime) -> tuple[datetime, ...]:
        """When the customer complained, from ``since`` (aware) on."""
        table = tables.outcomes
        query = self._mine(sa.select(table.c.occurred_at), table).where(
            table.c.kind == COMPLAINT, table.c.occurred_at >= since
        )
        return tuple(self._connection.execute(query.order_by(table.c.occurred_at)).scalars())

    def purses(
        self,
        limits: Sequence[Limit],
        day: date,
        besides: str | None = None,
        locked: bool = False,
        begun: bool = True,
    ) -> tuple[Purse, ...]:
        """What is left of each budget on a day; see :func:`.purses.purses`."""
        return purses.purses(self._connection, limits, day, besides, locked, begun)

    def is_sending(self, decision_id: str) -> bool:
        """Whether somebody has leave to send a contact of a decision, and is sending it."""
        table = tables.exposures
        query = sa.select(table.c.id).where(
            table.c.decision_id == decision_id, table.c.status == ContactStatus.SENDING.value
        )
        return self._connection.execute(self._mine(query, table)).first() is not None

    def stands(self, record: Record) -> bool:
        """Whether the last answer to a question was this one, and what it planned still stands."""
        return self._revision_of(record, self._last(record)) is not None

    def keep(self, record: Record) -> int:
        """Keep a decision and plan its contacts; return its revision, from 1.

        The same answer to the same question is kept once, while its contacts stand: planned,
        being sent, or sent. Otherwise, and for another answer, there is another revision, and what
        the one before had planned and nobody has sent is withdrawn. What the contacts take of
        budgets is counted last: a turn writes nothing after it.

        Raises
        ------
        BudgetSpent
            When others have taken what was left of a budget since it was read; nothing of this
            turn may be kept, and the customer is decided for again.

        """
        table, known = tables.decisions, self._last(record)
        standing = self._revision_of(record, known)
        if standing is not None:
            return standing
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
            "answer": as_json(record.answer, "answer"),
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
        within = [(purse.budget, purse.starts_on) for purse in record.purses]
        ledger.count(self._connection, rises, within)
        return revision

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

    def _last(self, record: Record) -> sa.Row[Any, Any] | None:
        """The last answer to the question of a record, and its revision."""
        table = tables.decisions
        last = (
            sa.select(table.c.revision, table.c.answer)
            .where(table.c.decision_id == record.decision_id)
            .order_by(table.c.revision.desc())
            .limit(1)
        )
        return self._connection.execute(last).first()

    def _revision_of(self, record: Record, known: sa.Row[Any, Any] | None) -> int | None:
        """The known revision, if it is this answer and what it planned is planned or was sent."""
        if known is None or known.answer != as_json(record.answer, "answer"):
            return None
        table = tables.exposures
        own = table.c.key.startswith(f"decision:{record.decision_id}/{known.revision}/")
        found = self._connection.execute(sa.select(table.c.status).where(own)).scalars().all()
        stands = (*UNSENT, ContactStatus.SENT)
        if len(found) != len(record.planned) or any(one not in stands for one in found):
            return None
        return int(known.revision)

    def _counted(self, since: datetime) -> Sequence[sa.RowMapping]:
        table = tables.exposures
        query = counts_as_contact(self._mine(sa.select(table), table), since)
        query = query.order_by(table.c.sent_at, table.c.id)
        return self._connection.execute(query).mappings().all()

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
