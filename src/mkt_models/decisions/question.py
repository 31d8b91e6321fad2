"""What a decision is about: the customer, the context of the question, the policy that holds."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from mkt_models.columns import Channel, Verdict
from mkt_models.decisions.budgets import ShadowPrice
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.contact import LONGEST_REST, LONGEST_WINDOW
from mkt_models.decisions.occasions import check_country
from mkt_models.live_turn import Turn
from mkt_models.params import Params
from mkt_models.sections import nearest
from mkt_models.store import Consent, Exposure, SnapshotMeta, Store
from mkt_models.store_live import LiveStore

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
Locale = Literal["en", "zh"]


class QuestionError(ValueError):
    """A question that cannot be answered; the message names the field and what it must be."""


@dataclass(frozen=True, slots=True)
class Context:
    """When and where a strategy is asked for.

    Parameters
    ----------
    now
        Aware time of the question; the shop's local day and hour follow from it.
    channel
        Serve over this channel only; None for any.
    locale
        The language that the caller shows; texts are always given in both.

    """

    now: datetime
    channel: Channel | None = None
    locale: Locale | None = None

    def __post_init__(self) -> None:
        """Refuse a time without a zone or out of range, an unknown channel or locale."""
        if not isinstance(self.now, datetime) or self.now.utcoffset() is None:
            raise QuestionError(f"now == {self.now}: give a time with its zone, e.g. ...+00:00")
        if not EARLIEST <= self.now < LATEST:
            raise QuestionError(f"now == {self.now}: must lie in the years 2000 to 2099")
        if self.channel is not None and self.channel not in set(Channel):
            near = nearest(str(self.channel), [one.value for one in Channel])
            raise QuestionError(f"channel == {self.channel!r}: unknown{near}")
        if self.locale not in (None, "en", "zh"):
            raise QuestionError(f"locale == {self.locale!r}: must be en or zh")

    def as_dict(self) -> dict[str, Any]:
        """The context as JSON-able values; the same instant always reads the same."""
        now = self.now.astimezone(UTC).isoformat()
        return {"now": now, "channel": self.channel, "locale": self.locale}


@dataclass(frozen=True, slots=True)
class Customer:
    """All that a decision may know about one customer."""

    customer_id: str
    as_of: date
    profile: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recommendations: tuple[Mapping[str, Any], ...] = ()
    offers: tuple[Mapping[str, Any], ...] = ()
    consents: tuple[Consent, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    complaints: tuple[datetime, ...] = ()

    @classmethod
    def of(
        cls,
        document: Mapping[str, Any],
        consents: tuple[Consent, ...] = (),
        exposures: tuple[Exposure, ...] = (),
        complaints: tuple[datetime, ...] = (),
    ) -> Self:
        """Put a customer together from a document of the snapshot and what the store knows."""
        return cls(
            customer_id=str(document["customer_id"]),
            as_of=date.fromisoformat(document["as_of"]),
            profile=document.get("profile") or {},
            scores=document.get("scores") or {},
            recommendations=tuple(document.get("recommendations") or ()),
            offers=tuple(document.get("offers") or ()),
            consents=consents,
            exposures=exposures,
            complaints=complaints,
        )


@dataclass(frozen=True)
class Policy:
    """What holds for all decisions of a snapshot: catalogue, holdout, calendar, models."""

    catalogue: Catalogue
    zone: ZoneInfo
    country: str
    currency: str
    holdout_share: float
    holdout_salt: str
    snapshot_id: str
    models: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    popular_items: tuple[Mapping[str, Any], ...] = ()
    prices: tuple[ShadowPrice, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a country whose holidays are not known."""
        check_country(self.country)

    @classmethod
    def of(cls, params: Params, catalogue: Catalogue, meta: SnapshotMeta) -> Self:
        """Put a policy together; a verdict that nobody knows counts as not evaluated."""
        known = set(Verdict)
        return cls(
            catalogue=catalogue,
            zone=params.source.zone,
            country=params.source.country,
            currency=params.source.currency,
            holdout_share=params.decisions.holdout_share,
            holdout_salt=params.decisions.holdout_salt,
            snapshot_id=meta.snapshot_id,
            models=dict(meta.models),
            verdicts={
                name: Verdict(said) if said in known else Verdict.NOT_EVALUATED
                for name, said in meta.verdicts.items()
            },
            popular_items=meta.popular_items,
            prices=tuple(ShadowPrice.of(row) for row in meta.shadow_prices),
        )

    @cached_property
    def _catalogue_digest(self) -> str:
        return self.catalogue.digest

    def verdict(self, model: str) -> Verdict:
        """What the audit said of a model; no word counts as not evaluated."""
        return self.verdicts.get(model, Verdict.NOT_EVALUATED)

    def stale(self, as_of: date, today: date) -> bool:
        """Whether a profile of ``as_of`` is too old for ``today``, or from after it."""
        return not 0 <= (today - as_of).days <= self.catalogue.max_profile_age_days

    def decision_id(self, customer_id: str, context: Context, k: int) -> str:
        """Name the question by a digest: who, when and where, how many, under which policy.

        A repeated question has the same id. The contacts recorded in between are not part of it,
        so its answer can have become more careful.
        """
        question = [
            self.snapshot_id,
            self._catalogue_digest,
            [self.holdout_salt, self.holdout_share],
            customer_id,
            context.as_dict(),
            k,
        ]
        text = json.dumps(question, ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def find_customer(
    store: Store,
    customer_id: str,
    now: datetime,
    turn: Turn | None = None,
    besides: str | None = None,
    document: Mapping[str, Any] | None = None,
) -> Customer | None:
    """Look one customer up, with consents and contacts; None if there is no such customer.

    Parameters
    ----------
    store
        The snapshot.
    now
        Time of the question; older contacts than the longest window of a cap are left out.
    turn
        The customer's turn in the live store, where there is one. It adds to what the snapshot
        knows: a refusal or a contact of either counts. A contact that both know counts once.
    besides
        The decision that is being made: what it planned when it was asked before does not count.
    document
        The customer's document, where a newer one than the snapshot's has been published.

    """
    if document is None:
        document = store.customer(customer_id)
    if document is None or (turn is not None and turn.erased):
        return None
    since = now - LONGEST_WINDOW
    consents, exposures = store.consents(customer_id), store.exposures(customer_id, since)
    complaints: tuple[datetime, ...] = ()
    if turn is not None:
        consents += turn.consents()
        exposures = _either(exposures, turn.contacts(since, besides))
        complaints = turn.complaints(now - LONGEST_REST)
    return Customer.of(document, consents, exposures, complaints)


def all_customers(
    store: Store, now: datetime, history: LiveStore | None = None
) -> Iterator[Customer]:
    """Every customer of a snapshot, as :func:`find_customer` gives them one by one.

    Who was erased in the live store is left out.
    """
    since = now - LONGEST_WINDOW
    consents, exposures = store.all_consents(), store.all_exposures(since)
    later = {} if history is None else history.consents()
    live = {} if history is None else history.exposures(since)
    angry = {} if history is None else history.complaints(now - LONGEST_REST)
    gone = frozenset() if history is None else history.erased()
    for document in store.customers():
        name = document["customer_id"]
        if history is not None and gone and history.digest_of(name) in gone:
            continue
        said = consents.get(name, ()) + later.get(name, ())
        sent = exposures.get(name, ())
        sent = _either(sent, live[name]) if name in live else sent
        yield Customer.of(document, said, sent, angry.get(name, ()))


def _either(one: tuple[Exposure, ...], other: tuple[Exposure, ...]) -> tuple[Exposure, ...]:
    # As often as the store that knows more of them says: a contact in both is one contact, two
    # equal ones in the same store are two.
    found = Counter(one) | Counter(other)
    return tuple(sorted(found.elements(), key=lambda exposure: exposure.sent_at))
