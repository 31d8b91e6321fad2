"""What every entry of the catalogue is written in: ids, amounts, texts in both languages."""

from collections.abc import Mapping
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from mkt_models.decisions.words import Words
from mkt_models.sections import Section, countable, no_truth

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
Amount = Annotated[float, Field(ge=0, le=1e9), BeforeValidator(no_truth)]
CountedAmount = Annotated[Amount, AfterValidator(countable)]
Word = Annotated[
    str,
    Field(pattern=r"\S", description="looked for in a name; a blank one would be in every name"),
]
Why = Annotated[str, Field(min_length=20)]


class Text(Section):
    """A text in English and Chinese."""

    en: str = Field(min_length=1, pattern=r"\S")
    zh: str = Field(min_length=1, pattern=r"\S")

    @property
    def words(self) -> Words:
        """The text as a pair: English, Chinese."""
        return self.en, self.zh


def filled(template: str, words: Mapping[str, Words], side: int) -> str:
    """Fill a text of the catalogue in one language: side 0 English, 1 Chinese."""
    return template.format_map({name: both[side] for name, both in words.items()})


def placeholders(where: str, template: str) -> set[str]:
    """The words in braces of a text; ValueError for anything but a plain word.

    >>> sorted(placeholders("title.en", "{items} for {occasion}"))
    ['items', 'occasion']
    """
    words = set()
    try:
        for _, name, spec, conversion in Formatter().parse(template):
            if name is None:
                continue
            if spec or conversion or not name.isidentifier():
                raise ValueError(f"{{{name}}} must be a plain word in braces")
            words.add(name)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return words


def listed(names: list[str]) -> Words:
    """Names as a list in a sentence.

    >>> listed(["soup", "tea"])
    ('soup, tea', 'soup、tea')
    """
    return ", ".join(names), "、".join(names)


def either(words: list[Words]) -> Words:
    """What any of which will do.

    >>> either([("rain", "雨天"), ("snow", "雪天")])
    ('rain or snow', '雨天或雪天')
    """
    return " or ".join(en for en, _ in words), "或".join(zh for _, zh in words)
