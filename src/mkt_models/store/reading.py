"""The live store for those who only read it: a report, while services go on writing.

Nothing is made or changed: a file that is not there stays so, and tables of another version are
refused instead of being migrated under a service that runs.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import sqlalchemy as sa

from mkt_models.store import history, period
from mkt_models.store import live_tables as tables
from mkt_models.store.database import Database
from mkt_models.store.engine import server_engine, sqlite_path
from mkt_models.store.records import ContactStatus
from mkt_models.store.values import OutdatedStoreError, StoreError

_BATCH = 1_000
_SHORT = (
    "decision_id",
    "revision",
    "customer_id",
    "asked_for",
    "arm",
    "arm_probability",
    "strategy",
    "channel",
    "offer_id",
    "probability",
)
_DRAWN = ("explored", "probabilities", "withheld")
# What a record is about, when it was recorded, whose it is, and which records count.
_Moments = tuple[sa.Column[Any], sa.Column[Any], sa.Column[Any], sa.ColumnElement[bool]]
_MOMENTS: tuple[_Moments, ...] = (
    (
        tables.decisions.c.asked_for,
        tables.decisions.c.decided_at,
        tables.decisions.c.customer_id,
        sa.true(),
    ),
    (
        tables.exposures.c.sent_at,
        tables.exposures.c.recorded_at,
        tables.exposures.c.customer_id,
        tables.exposures.c.status == ContactStatus.SENT.value,
    ),
    (
        tables.outcomes.c.occurred_at,
        tables.outcomes.c.recorded_at,
        tables.outcomes.c.customer_id,
        sa.true(),
    ),
)
_READ_ONLY = {"options": "-c default_transaction_read_only=on"}


class LiveReader(Database):
    """What a live store has on record; safe to share by threads."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        """Use an engine that only reads; :meth:`open` makes one. ``name`` tells people where."""
        super().__init__(engine)
        self.name = name

    @classmethod
    def open(cls, url: str | Path) -> Self:
        """Open a live store for reading.

        Parameters
        ----------
        url
            As :meth:`mkt_models.store.live.LiveStore.open` takes it.

        Raises
        ------
        StoreError
            When there is none at this address, or it does not answer; an OutdatedStoreError when
            it lacks tables or columns of this version.

        """
        path = sqlite_path(url)
        if path is None:
            engine = server_engine(str(url), _READ_ONLY)
            name = f"PostgreSQL database {engine.url.database}"
        else:
            if not path.is_file():
                raise StoreError(f"{path}: no live store here; a service that runs makes it")
            address = f"{path.resolve().as_uri()}?mode=ro"
            engine = sa.create_engine(
                "sqlite://",
                creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
                poolclass=sa.pool.QueuePool,
            )
            name = f"SQLite file {path.name}"
        reader = cls(engine, name)
        try:
            reader._check()
        except sa.exc.DatabaseError as error:
            reader.close()
            raise StoreError(f"{name}: the live store cannot be read: {error.orig}") from None
        except StoreError:
            reader.close()
            raise
        return reader

    def decided(self, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        """The last revision of every decision about a moment from ``since`` to before ``until``.

        By the moment that was asked for, the clock of contacts and outcomes too; that of the server
        (``LiveStore.decided``) is another one where a question names its own time.
        """
        with self._engine.connect() as connection:
            yield from history.decided(connection, since, until, "asked_for")

    def log(
        self, since: datetime, until: datetime, answers_since: datetime
    ) -> list[dict[str, Any]]:
        """The same decisions as :meth:`decided`, read once for all that a report asks of them.

        Each is as short as that allows, so that all of them fit into memory: without the inputs of
        the decision, and of its ``answer`` only how it was drawn (``exploration``), whether the
        profile was ``stale``, which strategies had an offer, and the codes of what was suppressed.
        Those about a moment before ``answers_since`` come without an answer.
        """
        table = tables.decisions
        order = (table.c.asked_for, table.c.decision_id)
        wanted = [table.c[name] for name in _SHORT]
        found: dict[str, dict[str, Any]] = {}
        with self._engine.connect() as connection:
            for start, end, columns in (
                (since, min(answers_since, until), wanted),
                (max(since, answers_since), until, [*wanted, table.c.answer]),
            ):
                query = sa.select(*columns).where(
                    table.c.asked_for >= start, table.c.asked_for < end
                )
                rows = connection.execute(query.order_by(*order)).mappings()
                for row in rows.yield_per(_BATCH):
                    known = found.get(row["decision_id"])
                    if known is None or known["revision"] < row["revision"]:
                        found[row["decision_id"]] = _short(row)
        return list(found.values())

    def outcomes(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """See :meth:`mkt_models.store.live.LiveStore.outcomes`."""
        with self._engine.connect() as connection:
            return history.outcomes(connection, since, until)

    def contacts(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Contacts from ``since`` to before ``until``, planned or made, and how far each has come.

        By time: that of sending where it is known, else the first moment at which it may be sent.
        """
        table = tables.exposures
        query = sa.select(table).where(table.c.sent_at >= since, table.c.sent_at < until)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(table.c.sent_at, table.c.id)).mappings()
            return [dict(row) for row in rows]

    def budgets(self) -> list[dict[str, Any]]:
        """See :meth:`mkt_models.store.live.LiveStore.budgets`."""
        with self._engine.connect() as connection:
            return history.budgets(connection)

    def last(self, gap: timedelta) -> datetime | None:
        """The last moment of which decisions, contacts sent and outcomes tell; None without any.

        By when it happened, as :meth:`decided`, not by the server's clock when it was recorded.
        Single moments far ahead are passed over, with ``gap``: see :func:`.period.end_of`.
        """
        with self._engine.connect() as connection:
            sizes = [connection.execute(_counted(one)).scalar_one() for one in _MOMENTS]
            found = next((i for i, n in enumerate(sizes) if n), None)
            if found is None:
                return None
            about, recorded, _, _ = _MOMENTS[found]
            middle = _select(_MOMENTS[found], about, recorded).order_by(about)
            one = connection.execute(middle.offset((sizes[found] - 1) // 2).limit(1)).one()
            latest = [_latest(connection, one) for one in _MOMENTS]
            in_order = merge(*latest, key=lambda moment: moment[0], reverse=True)
            return period.end_of(in_order, sum(sizes), one[0] - one[1], gap)

    def later(self, until: datetime) -> tuple[int, int]:
        """Count records about ``until`` and later, as :meth:`last` counts them; and customers."""
        n, customers = 0, set[str]()
        with self._engine.connect() as connection:
            for one in _MOMENTS:
                about, _, customer, _ = one
                rows = connection.execute(_select(one, customer).where(about >= until)).scalars()
                found = rows.all()
                n, customers = n + len(found), customers | set(found)
        return n, len(customers)

    def first(self) -> datetime | None:
        """The first moment that a decision is about, as :meth:`decided`; None without any."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(sa.func.min(tables.decisions.c.asked_for)))
            first: datetime | None = found.scalar()
            return first

    def state(self) -> str:
        """A short text that is another one when decisions, contacts or outcomes have changed."""
        counted = (
            (tables.decisions, tables.decisions.c.decided_at),
            (tables.exposures, tables.exposures.c.recorded_at),
            (tables.outcomes, tables.outcomes.c.recorded_at),
        )
        parts = []
        with self._engine.connect() as connection:
            for table, time in counted:
                query = sa.select(sa.func.count(), sa.func.max(time)).select_from(table)
                n, last = connection.execute(query).one()
                parts.append(f"{table.name} {n} {'' if last is None else last.isoformat()}")
        return "; ".join(parts)

    def _check(self) -> None:
        found = sa.inspect(self._engine)
        there = set(found.get_table_names())
        for table in (
            tables.decisions,
            tables.exposures,
            tables.outcomes,
            tables.budget_periods,
            tables.budget_uses,
        ):
            columns = (
                {c["name"] for c in found.get_columns(table.name)} if table.name in there else ()
            )
            if lacking := sorted({c.name for c in table.columns} - set(columns)):
                raise OutdatedStoreError(
                    f"{self.name}: {table.name} lacks {', '.join(lacking)}: it is no live store of "
                    "this version; a service of this version brings it up to date when it starts"
                )


def _select(moments: _Moments, *columns: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(*columns).where(moments[3])


def _counted(moments: _Moments) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(moments[0].table).where(moments[3])


def _latest(connection: sa.Connection, moments: _Moments) -> Iterator[tuple[datetime, datetime]]:
    """Moments of a table, the last first, read in parts: most often the first part is enough."""
    about, recorded, _, _ = moments
    query = _select(moments, about, recorded).order_by(about.desc(), recorded)
    for start in count(0, _BATCH):
        rows = connection.execute(query.offset(start).limit(_BATCH)).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < _BATCH:
            return


def _short(row: sa.RowMapping) -> dict[str, Any]:
    told = dict(row)
    told["asked_for"] = row["asked_for"].isoformat()
    if "answer" in row:
        answer = json.loads(row["answer"])
        exploration = answer.get("exploration", {})
        told["answer"] = {
            "exploration": {name: exploration[name] for name in _DRAWN if name in exploration},
            "stale": answer.get("stale", False),
            "strategies": [
                {"content": {"offer": True}}
                for one in answer["strategies"]
                if (one.get("content") or {}).get("offer")
            ],
            "suppressed": [
                _coded(code) for code in sorted({one["code"] for one in answer["suppressed"]})
            ],
        }
    return told


@lru_cache(maxsize=256)
def _coded(code: str) -> Mapping[str, str]:
    """One and the same for every decision: most of what an answer holds are these."""
    return MappingProxyType({"code": code})


def may_be_there(url: str | Path) -> bool:
    """Whether a live store can be looked for: always in a database server, else if the file is."""
    path = sqlite_path(url)
    return path is None or path.is_file()
