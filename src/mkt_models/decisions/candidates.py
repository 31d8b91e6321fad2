"""What could be said to a customer: strategy x channel x content, with its words.

``no_action`` is a candidate too; :mod:`mkt_models.decisions.decide` adds it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from mkt_models.columns import Channel
from mkt_models.decisions.catalogue import ChannelUse, Needs, StrategyEntry
from mkt_models.decisions.content import Case, Content, Found, Maker
from mkt_models.decisions.content_kinds import KINDS
from mkt_models.decisions.items_content import make_items
from mkt_models.decisions.offer_content import make_offers, make_open_offers
from mkt_models.decisions.piece_content import make_linked_piece, make_piece
from mkt_models.decisions.question import Customer, Policy
from mkt_models.decisions.scene import Scene, told, unmet
from mkt_models.decisions.service_content import make_services
from mkt_models.decisions.share_content import make_share
from mkt_models.decisions.texts import filled
from mkt_models.decisions.tier_content import make_tier
from mkt_models.decisions.words import Reason

__all__ = ["MAKERS", "Candidate", "Content", "candidates", "filled"]


def _make_none(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    yield None, Content({"kind": "none"}, {})


MAKERS: Mapping[Needs, Maker] = {
    Needs.ITEMS: make_items,
    Needs.OFFER: make_offers,
    Needs.OPEN_OFFER: make_open_offers,
    Needs.TIER: make_tier,
    Needs.PIECE: make_piece,
    Needs.LINKED_PIECE: make_linked_piece,
    Needs.SERVICE: make_services,
    Needs.SHARE: make_share,
    Needs.NONE: _make_none,
}
"""The function that makes each kind of content."""


Open = Callable[[StrategyEntry, Channel], bool]
"""Says whether nothing speaks against a strategy over a channel yet, before its content is made."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy over a channel, with its content or the reason why there is none.

    The content is None where it was not made, as something else speaks against the candidate.
    """

    entry: StrategyEntry
    use: ChannelUse
    content: Content | Reason | None
    offer_id: str | None = None

    @property
    def key(self) -> str:
        """The candidate's name: unique for a customer, and the order among equals."""
        offer = "" if self.offer_id is None else f"/{self.offer_id}"
        return f"{self.entry.id}/{self.use.channel.value}{offer}"


def candidates(
    customer: Customer,
    policy: Policy,
    today: date,
    scene: Scene | None = None,
    is_open: Open | None = None,
) -> Iterator[Candidate]:
    """Every candidate of a customer, each once, in the order of the catalogue.

    A strategy without content is still a candidate, so that the answer says why it is not served.
    So is one whose scene is not given: its content is the reason. Without a ``scene`` only the day
    is known, in the policy's country, at midnight. Where ``is_open`` says no, no content is made.
    """
    case = Case(customer, policy, today)
    scene = scene or Scene.on(today, 0, policy.country)
    for entry in policy.catalogue.strategies:
        yield from _of(entry, case, scene, is_open or _always)


def _always(entry: StrategyEntry, channel: Channel) -> bool:
    return True


def _of(entry: StrategyEntry, case: Case, scene: Scene, is_open: Open) -> Iterator[Candidate]:
    kind = KINDS[entry.needs]
    made: tuple[Found, ...] | None = None
    for use in entry.channels:
        # Of offers the candidates have to be named, whatever speaks against them.
        if not kind.per_offer and not is_open(entry, use.channel):
            yield Candidate(entry, use, None)
            continue
        if made is None or kind.per_channel:
            made = _made(entry, use.channel, case, scene)
        for offer_id, content in made:
            yield Candidate(entry, use, content, offer_id)


def _made(entry: StrategyEntry, channel: Channel, case: Case, scene: Scene) -> tuple[Found, ...]:
    # Off its scene nothing is made: one candidate per channel, which says so.
    off = None if entry.when is None else unmet(entry.when, scene)
    if off is not None:
        return ((None, off),)
    return tuple(
        (offer_id, _in_scene(content, entry, scene))
        for offer_id, content in MAKERS[entry.needs](entry, channel, case)
    )


def _in_scene(content: Content | Reason, entry: StrategyEntry, scene: Scene) -> Content | Reason:
    if entry.when is None or isinstance(content, Reason):
        return content
    words, reasons = told(entry.when, scene)
    return replace(content, words={**content.words, **words}, reasons=(*reasons, *content.reasons))
