"""The live store: consents, contacts, decisions and outcomes of a running service, in SQL.

An SQLite file, or a PostgreSQL database for several workers and machines. Whoever reads and writes
about one customer takes turns (:meth:`LiveStore.turn`): what was decided counts for the next
question, and a refusal that is recorded ends what was planned before it. So no number of callers
passes a cap, whichever worker they ask.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from mkt_models.store import history, ledger, publishing, rewriting
from mkt_models.store import live_tables as tables
from mkt_models.store.database import Database
from mkt_models.store.engine import inserter, open_live, writing
from mkt_models.store.records import (
    COMPLAINT,
    Consent,
    Exposure,
    Limit,
    SnapshotMeta,
    by_customer,
)
from mkt_models.store.turn import Turn, counts_as_contact, exposure_of
from mkt_models.store.values import checked_id

_HASH_KEY = "hash_key"


class LiveStore(Database):
    """The live store behind one database address; safe to share by threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Use an engine whose tables are there; :meth:`open` makes one."""
        super().__init__(engine)
        self._key = self._hash_key()

    @classmethod
    def open(cls, url: str | Path) -> Self:
        """Open a store, and make or change the tables that this version needs.

        Parameters
        ----------
        url
            ``postgresql://user@host/database``, ``sqlite:////path/of/a/file``, or the path itself.

        Raises
        ------
        StoreError
            When the address is of no such database, or its tables are newer than this package.

        """
        return cls(open_live(url))

    def ping(self) -> None:
        """Ask the database anything: it raises SQLAlchemy's error when it does not answer."""
        with self._engine.connect() as connection:
            connection.execute(sa.select(tables.current_snapshot.c.place)).all()

    @contextmanager
    def turn(
        self, customer_id: str, now: datetime, snapshot_id: str | None = None
    ) -> Iterator[Turn]:
        """Read and write about one customer while nobody else does; all is kept, or nothing.

        ``now``, aware, is the clock's time: it stands in what is recorded. ``snapshot_id`` is what
        is decided by: nothing else is published before the turn ends, and Superseded
        (:mod:`mkt_models.store.publishing`) is raised where something else was.
        """
        checked_id(customer_id, "customer_id")
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                digest = hashlib.sha256(customer_id.encode()).digest()
                number = int.from_bytes(digest[:8], "big", signed=True)
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
            if snapshot_id is not None:
                publishing.check_served(connection, snapshot_id)
            yield Turn(connection, customer_id, now, self._is_gone(connection, customer_id))

    def open_periods(
        self, limits: Sequence[Limit], day: date, snapshot_id: str | None = None
    ) -> None:
        """Open the periods of budgets in which a day lies; see :func:`.ledger.open_periods`.

        Where ``snapshot_id`` is given, the limits are of it, as in :meth:`turn`.
        """
        with writing(self._engine) as connection:
            if snapshot_id is not None:
                publishing.check_served(connection, snapshot_id)
            ledger.open_periods(connection, limits, day)

    def set_amounts(self, rows: Iterable[Mapping[str, Any]], today: date, snapshot_id: str) -> None:
        """Let amounts hold for the periods that are not over; see :func:`.ledger.set_amounts`.

        They are those of ``snapshot_id``, as in :meth:`turn`.
        """
        with writing(self._engine) as connection:
            publishing.check_served(connection, snapshot_id)
            ledger.set_amounts(connection, rows, today)

    def budgets(self, day: date | None = None) -> list[dict[str, Any]]:
        """What is taken of each budget per period, as JSON; only of those open on ``day``."""
        with self._engine.connect() as connection:
            return history.budgets(connection, day)

    def is_erased(self, customer_id: str) -> bool:
        """Whether a customer was erased: nothing is told of them again."""
        with self._engine.connect() as connection:
            return self._is_gone(connection, customer_id)

    def customer_of(self, decision_id: str) -> str | None:
        """For whom a decision was made; None for an id that is not known."""
        query = sa.select(tables.decisions.c.customer_id).where(
            tables.decisions.c.decision_id == decision_id
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def answers(self, decision_id: str) -> list[dict[str, Any]]:
        """What was answered, revision by revision; nothing for an id that is not known."""
        table = tables.decisions
        query = sa.select(table.c.answer).where(table.c.decision_id == decision_id)
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(table.c.revision)).scalars()
            return [json.loads(one) for one in found]

    def consents(self) -> dict[str, tuple[Consent, ...]]:
        """The consents of everybody, by customer id: one query for a batch."""
        columns = (tables.consents.c[name] for name in Consent.__slots__)
        query = sa.select(*columns).order_by(tables.consents.c.id)
        with self._engine.connect() as connection:
            return by_customer(Consent(*row) for row in connection.execute(query))

    def exposures(self, since: datetime) -> dict[str, tuple[Exposure, ...]]:
        """The contacts of everybody from ``since`` (aware) on, planned ones included."""
        query = counts_as_contact(sa.select(tables.exposures), since)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(tables.exposures.c.id)).mappings()
            return by_customer(exposure_of(row) for row in rows)

    def complaints(self, since: datetime) -> dict[str, tuple[datetime, ...]]:
        """When everybody complained, from ``since`` (aware) on, by customer id."""
        table = tables.outcomes
        query = sa.select(table.c.customer_id, table.c.occurred_at).where(
            table.c.kind == COMPLAINT, table.c.occurred_at >= since
        )
        grouped: dict[str, list[datetime]] = {}
        with self._engine.connect() as connection:
            for name, at in connection.execute(query.order_by(table.c.occurred_at)):
                grouped.setdefault(name, []).append(at)
        return {name: tuple(some) for name, some in grouped.items()}

    def erased(self) -> frozenset[str]:
        """The hashes (:meth:`digest_of`) of all customers who were erased."""
        with self._engine.connect() as connection:
            return frozenset(connection.execute(sa.select(tables.erased.c.digest)).scalars())

    def explain(self, decision_id: str) -> dict[str, Any] | None:
        """Everything kept about a decision: each revision, its inputs, and what followed.

        None for an id that is not known.
        """
        with self._engine.connect() as connection:
            return history.explain(connection, decision_id)

    def publish(
        self,
        meta: SnapshotMeta,
        documents: Iterable[Mapping[str, Any]],
        now: datetime,
        consents: Iterable[Consent] = (),
        exposures: Iterable[Exposure] = (),
        today: date | None = None,
    ) -> int:
        """Publish the profiles of a snapshot, and serve from it as soon as all are written.

        Consents and contacts that its data records are added, each once, however often it is
        published. The snapshot before stays, older ones are removed. Customers who were erased are
        left out. Amounts of budgets hold at once in the periods that are not over on ``today``,
        the shop's day (left out: that of ``now``). Returns how many customers were published.

        Raises
        ------
        StoreError
            When an id is empty, too long or stands twice.

        """
        with writing(self._engine) as connection:
            return publishing.publish(
                connection,
                meta,
                documents,
                now,
                consents,
                exposures,
                self.digest_of,
                today or now.date(),
            )

    def served_id(self) -> str | None:
        """The id of the snapshot that was published last; None when none was."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(tables.current_snapshot.c.snapshot_id)).scalar()

    def served(self) -> SnapshotMeta | None:
        """The snapshot that was published last; None when none was."""
        query = sa.select(tables.snapshots.c.about).join(
            tables.current_snapshot,
            tables.current_snapshot.c.snapshot_id == tables.snapshots.c.snapshot_id,
        )
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar()
        return None if text is None else SnapshotMeta.of_json(text)

    def profile(self, snapshot_id: str, customer_id: str) -> dict[str, Any] | None:
        """The document of a customer in a published snapshot, or None."""
        query = sa.select(tables.profiles.c.document).where(
            tables.profiles.c.snapshot_id == snapshot_id,
            tables.profiles.c.customer_id == customer_id,
        )
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar()
        return None if text is None else json.loads(text)

    def serve_models(self, meta: SnapshotMeta, now: datetime) -> None:
        """Record the models and prices with which the service answers from ``now`` on."""
        with writing(self._engine) as connection:
            publishing.keep_prices(connection, meta)
            table = tables.models_in_service
            for model, tag in sorted(meta.models.items()):
                verdict = meta.verdicts.get(model, "not_evaluated")
                last = (
                    sa.select(table.c.tag, table.c.verdict)
                    .where(table.c.model == model)
                    .order_by(table.c.id.desc())
                    .limit(1)
                )
                known = connection.execute(last).first()
                if known is None or tuple(known) != (tag, verdict):
                    row = {"model": model, "tag": tag, "verdict": verdict, "since": now}
                    connection.execute(table.insert(), row)

    def forget(self, customer_id: str, now: datetime) -> dict[str, int]:
        """Erase a customer from every table, and never decide for them again.

        Only a keyed hash of the id stays, by which a profile that is published later, or that a
        bento still carries, is known to be theirs.

        Returns
        -------
        dict
            Rows removed, by table.

        Raises
        ------
        StoreError
            When a row is still found afterwards; nothing is changed then.

        """
        with self.turn(customer_id, now) as turn:
            removed = turn.erase(self.digest_of(customer_id))
        self._empty_log()
        return removed

    def take_out(self) -> tuple[str, ...]:
        """Take what was erased out of the database's files too; names of tables where it may stay.

        For after :meth:`forget`, of one or more customers. An SQLite file has lost the rows
        already. PostgreSQL keeps their bytes: its tables about customers are written anew, as far
        as that is quick; see :func:`mkt_models.store.rewriting.rewrite`.
        """
        if self._engine.dialect.name != "postgresql":
            return ()
        return rewriting.rewrite(self._engine, tables.OF_A_CUSTOMER)

    def holds(self, customer_id: str) -> dict[str, int]:
        """How many rows each table has about a customer; tables without any are left out."""
        with self._engine.connect() as connection:
            found = {}
            for table in tables.OF_A_CUSTOMER:
                count = sa.select(sa.func.count()).where(table.c.customer_id == customer_id)
                found[table.name] = connection.execute(count).scalar_one()
        return {name: n for name, n in found.items() if n}

    def due(self, before: datetime) -> dict[str, int]:
        """How many rows :meth:`purge` would remove, by table."""
        with self._engine.connect() as connection:
            return {
                table.name: connection.execute(
                    sa.select(sa.func.count()).select_from(table).where(*over)
                ).scalar_one()
                for table, over in _over(before).items()
            }

    def purge(self, before: datetime) -> dict[str, int]:
        """Remove decisions, contacts and outcomes from before ``before`` (aware); rows by table.

        What was asked about a later day, or may still be sent then, stays; a decision and its
        contacts go together. Consents stay too: they say what may be done. What the contacts took
        of budgets stays counted, as sums. Keep what caps and budgets still count:
        :func:`mkt_models.retention.needed_days`.
        """
        with writing(self._engine) as connection:
            over = _over(before)
            gone = sa.select(tables.exposures.c.id).where(*over[tables.exposures])
            ledger.detach(connection, gone)
            removed = {
                table.name: connection.execute(table.delete().where(*conditions)).rowcount
                for table, conditions in over.items()
            }
        self._empty_log()
        return removed

    def decided(self, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        """The last revision of every decision made from ``since`` to before ``until``, by time.

        Each as :meth:`explain` gives a revision; what followed stands in :meth:`explain`.
        """
        with self._engine.connect() as connection:
            yield from history.decided(connection, since, until)

    def outcomes(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Outcomes that occurred from ``since`` to before ``until``, by time."""
        with self._engine.connect() as connection:
            return history.outcomes(connection, since, until)

    def digest_of(self, customer_id: str) -> str:
        """A hash of an id under this store's own key: tells nobody who it is."""
        return hmac.new(self._key, customer_id.encode(), hashlib.sha256).hexdigest()

    def _empty_log(self) -> None:
        """Empty SQLite's log of writes, which still has removed rows, unless somebody reads."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.rollback()
                connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _is_gone(self, connection: sa.Connection, customer_id: str) -> bool:
        digest = tables.erased.c.digest
        query = sa.select(digest).where(digest == self.digest_of(customer_id))
        return connection.execute(query).first() is not None

    def _hash_key(self) -> bytes:
        with writing(self._engine) as connection:
            fresh = {"name": _HASH_KEY, "value": secrets.token_hex(32)}
            connection.execute(
                inserter(connection)(tables.settings).values(fresh).on_conflict_do_nothing()
            )
            kept = sa.select(tables.settings.c.value).where(tables.settings.c.name == _HASH_KEY)
            return bytes.fromhex(connection.execute(kept).scalar_one())


def _over(before: datetime) -> dict[sa.Table, tuple[sa.ColumnElement[bool], ...]]:
    """Which rows of each table are over before a moment.

    A decision, its revisions and its contacts are over together, when the last of them is.
    """
    decisions, exposures, outcomes = tables.decisions, tables.exposures, tables.outcomes

    def decided(of: sa.FromClause) -> sa.ColumnElement[bool]:
        return sa.and_(of.c.decided_at < before, of.c.asked_for < before)

    def made(of: sa.FromClause) -> sa.ColumnElement[bool]:
        return sa.and_(of.c.sent_at < before, sa.or_(of.c.until.is_(None), of.c.until < before))

    def together(of: sa.Table) -> list[sa.ColumnElement[bool]]:
        parts = ((decisions.alias(), decided), (exposures.alias(), made))
        return [
            ~sa.exists()
            .where(part.c.decision_id == of.c.decision_id, sa.not_(over(part)))
            .correlate(of)
            for part, over in parts
        ]

    return {
        decisions: (decided(decisions), *together(decisions)),
        exposures: (made(exposures), *together(exposures)),
        outcomes: (outcomes.c.occurred_at < before,),
    }
