"""The library of content: topics, and the pieces that may be shown about them.

A piece is matched by what a customer likes (interests by name, topics followed, categories bought
or looked at) and by the stage of life; never by who somebody is. The library is a section of the
catalogue.
"""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from mkt_models.columns import Channel, LifecycleStage
from mkt_models.decisions.texts import Identifier, Text, Word
from mkt_models.decisions.words import Words
from mkt_models.sections import Section, nearest


class Format(StrEnum):
    """What kind of piece it is."""

    GUIDE = "guide"
    RECIPE = "recipe"
    REVIEW = "review"
    TUTORIAL = "tutorial"
    NEWS = "news"


FORMATS: dict[Format, Words] = {
    Format.GUIDE: ("guide", "选购指南"),
    Format.RECIPE: ("recipe", "食谱"),
    Format.REVIEW: ("review", "评测"),
    Format.TUTORIAL: ("tutorial", "教程"),
    Format.NEWS: ("news", "资讯"),
}


class Topic(Section):
    """What a piece may be about. An id that is an interest tag, or a topic followed, matches it."""

    id: Identifier
    name: Text


class Piece(Section):
    """One piece of content, short enough to be shown whole."""

    id: Identifier
    format: Format
    topics: tuple[Identifier, ...] = Field(min_length=1)
    stages: tuple[LifecycleStage, ...] = Field(
        default=tuple(LifecycleStage), min_length=1, description="whom it suits; all by default"
    )
    channels: tuple[Channel, ...] = Field(min_length=1)
    categories: tuple[Word, ...] = Field(
        default=(), description="words in a category or product type: what it links to"
    )
    title: Text
    text: Text


class PieceChoice(Section):
    """Which pieces a strategy shows."""

    formats: tuple[Format, ...] = Field(default=tuple(Format), min_length=1)
    links: int = Field(
        default=0, ge=0, le=10, description="products linked at most; where not 0, at least one"
    )


class Library(Section):
    """Topics and pieces, in the order in which equals are shown."""

    topics: tuple[Topic, ...] = ()
    pieces: tuple[Piece, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        topics = [topic.id for topic in self.topics]
        ids = [piece.id for piece in self.pieces]
        for name in (*topics, *ids):
            if topics.count(name) > 1 or ids.count(name) > 1:
                raise ValueError(f"the id {name!r} is taken twice")
        for piece in self.pieces:
            for name in piece.topics:
                if name not in topics:
                    raise ValueError(
                        f"{piece.id}: topic {name!r} is not in topics{nearest(name, topics)}"
                    )
        return self

    def has(self, choice: PieceChoice, channel: Channel) -> bool:
        """Whether any piece could ever be shown by a choice on a channel."""
        return any(
            piece.format in choice.formats
            and channel in piece.channels
            and (not choice.links or piece.categories)
            for piece in self.pieces
        )

    def topic(self, name: str) -> Topic:
        """The topic with this id; a KeyError if there is none."""
        for topic in self.topics:
            if topic.id == name:
                return topic
        raise KeyError(name)
