"""The catalogue of strategies: what may be said to whom, where, how often, and what it is worth.

``params/catalogue.yaml`` holds the choices; this module and those that it names hold their meaning,
and refuse what must not be: an unknown column, a sensitive column or a guess at wealth without a
reason, an offer that is open by what somebody may pay, a placeholder that nothing fills, a push
contact without consent, a sale under the name of service.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from mkt_models.columns import Channel, Strategy
from mkt_models.decisions.caps import out_of_reach
from mkt_models.decisions.consent import PURPOSES
from mkt_models.decisions.contact import ContactPolicy
from mkt_models.decisions.content_kinds import MODELS_OF, Needs, Outcome
from mkt_models.decisions.content_library import Library
from mkt_models.decisions.entries import ChannelUse, ItemChoice, StrategyEntry
from mkt_models.decisions.programmes import (
    MembershipTier,
    PublishedOffer,
    ServiceLevel,
    SocialProgramme,
    check_tiers,
)
from mkt_models.decisions.texts import Identifier, Text, placeholders
from mkt_models.decisions.words import Words
from mkt_models.loading import read_yaml, validate
from mkt_models.sections import Days, Section, nearest
from mkt_models.store.records import PERSONALISATION

__all__ = [
    "MODELS_OF",
    "Catalogue",
    "ChannelUse",
    "ItemChoice",
    "Needs",
    "Outcome",
    "StrategyEntry",
    "load_catalogue",
]


_LINK = re.compile(r"(?!javascript:|data:)[a-z][a-z0-9+.-]*://\S+$")


class Catalogue(Section):
    """Everything that may be decided, and within which limits."""

    max_profile_age_days: Days = Field(description="nothing personalised from an older one")
    default: Identifier = Field(description="served when nothing better can be; not personalised")
    contact: ContactPolicy
    purposes: dict[Identifier, Text] = Field(
        default_factory=dict,
        description="purposes beyond marketing and service, as consents name them, in words",
    )
    tiers: tuple[MembershipTier, ...] = Field(min_length=1)
    offers: tuple[PublishedOffer, ...] = Field(default=(), description="open to all who qualify")
    services: tuple[ServiceLevel, ...] = ()
    social: SocialProgramme = SocialProgramme()
    library: Library = Library()
    product_links: dict[Channel, str] = Field(
        default_factory=dict, description="per channel, where a product is: with {product_id}"
    )
    strategies: tuple[StrategyEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        ids = [entry.id for entry in self.strategies]
        for name in ids:
            if ids.count(name) > 1 or name == Strategy.NO_ACTION:
                raise ValueError(f"strategies: the id {name!r} is taken twice")
        if self.default not in ids:
            raise ValueError(
                f"default == {self.default!r} is no strategy{nearest(self.default, ids)}"
            )
        if self.strategy(self.default).personalised:
            raise ValueError(f"default == {self.default!r} must not be personalised")
        if all(use.requires_consent for use in self.strategy(self.default).channels):
            raise ValueError(
                f"default == {self.default!r} requires consent on every channel, so most would get "
                "nothing: give it a pull channel with requires_consent: false"
            )
        for name in sorted(PURPOSES.keys() & self.purposes.keys()):
            raise ValueError(f"purposes: {name} is there anyway; leave it out")
        known = [name for name in (*PURPOSES, *self.purposes) if name != PERSONALISATION]
        for entry in self.strategies:
            if entry.purpose not in known:
                raise ValueError(
                    f"{entry.id}: purpose {entry.purpose!r} is none that a consent can name"
                    f"{nearest(entry.purpose, known)}; known: {', '.join(known)}; add others, in "
                    "words, under purposes"
                )
            for use in entry.channels:
                policy = self.contact.channels.get(use.channel)
                if policy is None:
                    raise ValueError(f"{entry.id}: contact.channels lacks {use.channel.value}")
                if policy.kind == "push" and not use.requires_consent:
                    raise ValueError(f"{entry.id}: {use.channel.value} is push: requires consent")
            room = self.contact.room(use.channel for use in entry.channels)
            out_of_reach(f"{entry.id}: caps", entry.caps, room)
        return self

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Self:
        check_tiers(self.tiers)
        offers = _unique("offers", (offer.id for offer in self.offers))
        services = _unique("services", (service.id for service in self.services))
        for entry in self.strategies:
            for name in entry.offers:
                if name not in offers:
                    near = nearest(name, offers)
                    raise ValueError(f"{entry.id}: {name!r} is none of the offers{near}")
            for name in entry.services:
                if name not in services:
                    near = nearest(name, services)
                    raise ValueError(f"{entry.id}: {name!r} is none of the services{near}")
            if entry.needs is Needs.SHARE and not self.social.programmes:
                raise ValueError(f"{entry.id}: needs share: social.programmes is empty")
            if entry.pieces is not None and not self.library.pieces:
                raise ValueError(f"{entry.id}: needs {entry.needs.value}: library.pieces is empty")
            if entry.pieces is not None:
                for use in entry.channels:
                    if not self.library.has(entry.pieces, use.channel):
                        raise ValueError(
                            f"{entry.id}: no piece of the library fits pieces on "
                            f"{use.channel.value}: write one, or take the channel out"
                        )
            if entry.needs is Needs.LINKED_PIECE:
                for use in entry.channels:
                    if use.channel not in self.product_links:
                        raise ValueError(f"{entry.id}: product_links lacks {use.channel.value}")
        for channel, link in self.product_links.items():
            if placeholders(f"product_links.{channel.value}", link) != {"product_id"}:
                raise ValueError(f"product_links.{channel.value}: must hold {{product_id}}, once")
            if not _LINK.match(link):
                raise ValueError(
                    f"product_links.{channel.value} == {link!r}: must be an address, as "
                    "https://shop.example/{product_id}"
                )
        return self

    @property
    def purpose_words(self) -> dict[str, Words]:
        """Every purpose in words: English, Chinese."""
        return {**PURPOSES, **{name: text.words for name, text in self.purposes.items()}}

    @property
    def digest(self) -> str:
        """Twelve hex digits that change when anything in the catalogue changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def strategy(self, name: str) -> StrategyEntry:
        """The strategy with this id; a KeyError if there is none."""
        for entry in self.strategies:
            if entry.id == name:
                return entry
        raise KeyError(name)


def load_catalogue(path: str | Path) -> Catalogue:
    """Read and check a catalogue; a ParamsError lists every fault found, one per line."""
    return validate(Catalogue, read_yaml(Path(path)), str(path))


def _unique(where: str, names: Iterable[str]) -> tuple[str, ...]:
    listed = tuple(names)
    for name in listed:
        if listed.count(name) > 1:
            raise ValueError(f"{where}: the id {name!r} is taken twice")
    return listed
