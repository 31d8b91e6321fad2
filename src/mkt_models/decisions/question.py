"""What a decision is about: the customer, the context of the question, the policy that holds."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from mkt_models.columns import Channel, Place, Verdict, Weather
from mkt_models.decisions.budgets import Allowance, ShadowPrice, allowances
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.contact import LONGEST_REST, LONGEST_WINDOW
from mkt_models.decisions.decays import ChannelDecay
from mkt_models.decisions.occasions import check_country, check_region
from mkt_models.decisions.scene import Scene
from mkt_models.exploration_params import Exploration
from mkt_models.params import Params
from mkt_models.sections import nearest
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Consent, Exposure, Limit, SnapshotMeta
from mkt_models.store.snapshot import Store
from mkt_models.store.turn import Turn

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
    weather, place
        What the weather is at the customer, and where the customer is; None where the caller does
        not know. Nothing is guessed.
    hour
        The customer's own hour, 0 to 23, for strategies that wait for one; None for that of the
        clock in ``time_zone``. One in quiet hours keeps contacts that wake from being made, and one
        out of them allows none that ``now`` in ``time_zone`` forbids.
    country, region
        Whose public holidays count; None for the shop's country.
    time_zone
        Where the customer's day begins and quiet hours hold, as ``Asia/Shanghai``; None for the
        shop's zone.

    """

    now: datetime
    channel: Channel | None = None
    locale: Locale | None = None
    weather: Weather | None = None
    place: Place | None = None
    hour: int | None = None
    country: str | None = None
    region: str | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time without a zone or out of range, and every word that is not known."""
        if not isinstance(self.now, datetime) or self.now.utcoffset() is None:
            raise QuestionError(f"now == {self.now}: give a time with its zone, e.g. ...+00:00")
        if not EARLIEST <= self.now < LATEST:
            raise QuestionError(f"now == {self.now}: must lie in the years 2000 to 2099")
        _known("channel", self.channel, Channel)
        _known("weather", self.weather, Weather)
        _known("place", self.place, Place)
        if self.locale not in (None, "en", "zh"):
            raise QuestionError(f"locale == {self.locale!r}: must be en or zh")
        if self.hour is not None and (isinstance(self.hour, bool) or self.hour not in range(24)):
            raise QuestionError(f"hour == {self.hour!r}: must be a whole number from 0 to 23")
        try:
            check_calendar(self.country, self.region)
            check_zone(self.time_zone)
        except ValueError as error:
            raise QuestionError(str(error)) from None

    def as_dict(self) -> dict[str, Any]:
        """The context as JSON-able values; the same instant always reads the same."""
        now = self.now.astimezone(UTC).isoformat()
        said = {
            "weather": self.weather,
            "place": self.place,
            "hour": self.hour,
            "country": self.country,
            "region": self.region,
            "time_zone": self.time_zone,
        }
        given = {name: value for name, value in said.items() if value is not None}
        return {"now": now, "channel": self.channel, "locale": self.locale, **given}


def check_calendar(country: str | None, region: str | None) -> None:
    """ValueError for a country or region whose public holidays are not known."""
    if country is not None:
        check_country(country)
    if region is not None:
        if country is None:
            raise ValueError(f"region == {region!r}: give its country too")
        check_region(country, region)


def check_zone(name: str | None) -> None:
    """ValueError for a name that is no time zone."""
    if name is not None and name not in _zones():
        raise ValueError(f"time_zone == {name!r}: unknown{nearest(name, sorted(_zones()))}")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known(name: str, value: object, words: type[StrEnum]) -> None:
    if value is not None and value not in set(words):
        near = nearest(str(value), [one.value for one in words])
        raise QuestionError(f"{name} == {value!r}: unknown{near}")


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
    exploration: Exploration = field(default_factory=Exploration)
    allowances: tuple[Allowance, ...] = ()
    decays: Mapping[Channel, ChannelDecay] = field(default_factory=dict)

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
            exploration=params.decisions.exploration,
            prices=tuple(ShadowPrice.of(row) for row in meta.shadow_prices),
            allowances=allowances(meta.shadow_prices, params.budgets),
            decays={one.channel: one for one in map(ChannelDecay.of_row, meta.fatigue)},
        )

    @cached_property
    def _catalogue_digest(self) -> str:
        return self.catalogue.digest

    def verdict(self, model: str) -> Verdict:
        """What the audit said of a model; no word counts as not evaluated."""
        return self.verdicts.get(model, Verdict.NOT_EVALUATED)

    def scene(self, context: Context) -> Scene:
        """When and where a question is asked: local day and hour, holidays, weather and place."""
        local = context.now.astimezone(self.zone_of(context))
        return Scene.on(
            local.date(),
            local.hour if context.hour is None else context.hour,
            context.country or self.country,
            context.region,
            weather=None if context.weather is None else Weather(context.weather),
            place=None if context.place is None else Place(context.place),
        )

    def zone_of(self, context: Context) -> ZoneInfo:
        """The customer's time zone where the question tells it, else the shop's."""
        return self.zone if context.time_zone is None else ZoneInfo(context.time_zone)

    def shop_day(self, now: datetime) -> date:
        """The day where the shop is: periods of budgets begin and end there, for everybody."""
        return now.astimezone(self.zone).date()

    def limits(self, now: datetime) -> tuple[Limit, ...]:
        """What there is of each budget in the period of ``now``, as the live store counts it."""
        day = self.shop_day(now)
        return tuple(one.on(day) for one in self.allowances)

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
            self.exploration.model_dump(mode="json"),
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
    begun: bool = True,
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
    begun
        False leaves out what somebody is sending for that decision, too: see ``Turn.contacts``.

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
        exposures = either(exposures, turn.contacts(since, besides, begun))
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
        sent = either(sent, live[name]) if name in live else sent
        yield Customer.of(document, said, sent, angry.get(name, ()))


def either(one: tuple[Exposure, ...], other: tuple[Exposure, ...]) -> tuple[Exposure, ...]:
    """The contacts of a snapshot and of the live store, by time.

    Each stands as often as the store that knows more of them says: a contact in both is one
    contact, two equal ones in the same store are two.
    """
    found = Counter(one) | Counter(other)
    return tuple(sorted(found.elements(), key=lambda exposure: exposure.sent_at))
