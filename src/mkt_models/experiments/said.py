"""Sentences for people, in English and Chinese."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """The same thing said twice; empty, and then false, when there is nothing to say."""

    en: str = ""
    zh: str = ""

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self.en)


NOTHING_SAID = Said()
