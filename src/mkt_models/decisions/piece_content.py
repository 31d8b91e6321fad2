"""Pieces: which of the library fits what a customer likes and the stage of life, and its links.

A piece fits when a topic of it is an interest by name or a topic that the customer follows, or when
a category that the customer likes is one of its categories. Those that an interest speaks for come
first, then those with more liked categories, then the order of the library.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mkt_models.columns import Channel
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.content import Case, Content, Found, not_available, nothing
from mkt_models.decisions.content_library import FORMATS, Piece, PieceChoice
from mkt_models.decisions.eligibility import missing
from mkt_models.decisions.items_content import (
    Item,
    about,
    item_reasons,
    item_words,
    once,
    popular,
    recommended,
)
from mkt_models.decisions.naming import distinct, readable
from mkt_models.decisions.texts import filled, listed
from mkt_models.decisions.words import Reason, Words

INTERESTS = ("interest_tags", "followed_topics")
LIKED = ("liked_categories", "top_categories", "top_products")
NAMED = 3


@dataclass(frozen=True)
class Match:
    """A piece that fits a customer: the topics and the liked categories that say so."""

    piece: Piece
    topics: tuple[str, ...]
    liked: tuple[str, ...]


def make_piece(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """The piece that fits best, over this channel."""
    assert entry.pieces is not None
    found = _matches(case)
    if isinstance(found, Reason):
        yield None, found
        return
    for match in _over(found, entry.pieces, channel):
        yield None, Content({"kind": "piece", "piece": _data(match.piece)},
                            _words(match, case), _reasons(match, case))  # fmt: skip
        return
    yield None, nothing(entry)


def make_linked_piece(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """The piece that fits best of those for which there are products to link, with the links.

    Linked are the customer's recommendations in the categories of the piece, then popular items.
    """
    assert entry.pieces is not None
    found = _matches(case)
    if isinstance(found, Reason):
        yield None, found
        return
    link = case.policy.catalogue.product_links[channel]
    for match in _over(found, entry.pieces, channel):
        shown = _linked(match.piece, case)[: entry.pieces.links]
        if not shown:
            continue
        yield (
            None,
            Content(
                data={
                    "kind": "linked_piece",
                    "piece": _data(match.piece),
                    "items": [{**item, "link": _link(link, item)} for item in shown],
                },
                words={**_words(match, case), **item_words(shown)},
                reasons=(*_reasons(match, case), *item_reasons(shown)),
            ),
        )
        return
    yield None, nothing(entry)


def _matches(case: Case) -> Sequence[Match] | Reason:
    """Every piece that fits a customer, best first; once per customer."""
    if "matches" not in case.kept:
        case.kept["matches"] = _match(case)
    kept: Sequence[Match] | Reason = case.kept["matches"]
    return kept


def _match(case: Case) -> Sequence[Match] | Reason:
    profile = case.customer.profile
    if all(profile.get(name) is None for name in (*INTERESTS, *LIKED)):
        return not_available(*INTERESTS, "top_categories")
    named = {name.lower() for name in _names(profile, INTERESTS)}
    liked = tuple(distinct(_names(profile, LIKED)))
    stage = profile.get("lifecycle_stage")
    found = []
    for piece in case.policy.catalogue.library.pieces:
        if stage not in piece.stages:
            continue
        topics = tuple(name for name in piece.topics if name in named)
        categories = (
            tuple(name for name in liked if about({"category": name}, piece.categories))
            if piece.categories
            else ()
        )
        if topics or categories:
            found.append(Match(piece, topics, categories))
    return sorted(found, key=lambda match: (-len(match.topics), -len(match.liked)))


def _names(profile: Mapping[str, Any], columns: tuple[str, ...]) -> Iterator[str]:
    for column in columns:
        value = profile.get(column)
        if isinstance(value, list | tuple):
            yield from (str(name) for name in value if not missing(name))


def _over(found: Sequence[Match], choice: PieceChoice, channel: Channel) -> Iterator[Match]:
    for match in found:
        if channel in match.piece.channels and match.piece.format in choice.formats:
            yield match


def _linked(piece: Piece, case: Case) -> list[Item]:
    if not piece.categories:
        return []
    source = (*recommended(case), *popular(case))
    return once(item for item in source if about(item, piece.categories))


def _link(template: str, item: Item) -> str:
    name = quote(str(item.get("product_id")), safe="")
    return filled(template, {"product_id": (name, name)}, 0)


def _data(piece: Piece) -> dict[str, Any]:
    return {
        "piece_id": piece.id,
        "format": piece.format.value,
        "topics": list(piece.topics),
        "title": piece.title.model_dump(),
        "text": piece.text.model_dump(),
    }


def _words(match: Match, case: Case) -> dict[str, Words]:
    topic = (match.topics or match.piece.topics)[0]
    return {
        "piece": match.piece.title.words,
        "intro": match.piece.text.words,
        "topic": case.policy.catalogue.library.topic(topic).name.words,
        "format": FORMATS[match.piece.format],
    }


def _reasons(match: Match, case: Case) -> tuple[Mapping[str, str], ...]:
    library = case.policy.catalogue.library
    reasons = []
    for name in match.topics[:NAMED]:
        en, zh = library.topic(name).name.words
        reasons.append({"source": "interest", "en": f"interest: {en}", "zh": f"兴趣：{zh}"})
    if match.liked:
        en, zh = listed(distinct(readable(name) for name in match.liked)[:NAMED])
        reasons.append({"source": "liked", "en": f"often chosen: {en}", "zh": f"常选：{zh}"})
    return tuple(reasons)
