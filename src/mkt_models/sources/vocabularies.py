"""The words that kinds, statuses and channels may be, and their one spelling.

A word is written in lower case with underscores; blanks around it do not count. ``same`` lists
other spellings of a known word, and no more than spellings: what a company's own word means is
said in the mapping of its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mkt_models.columns import Channel, ConsentStatus, Table
from mkt_models.engine import literal
from mkt_models.sources.schemas import SCHEMAS


@dataclass(frozen=True)
class Vocabulary:
    """The words of a column; ``known`` is empty where any word is one."""

    known: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)


CHANNELS = Vocabulary(
    tuple(Channel), {"e_mail": "email", "text_message": "sms", "post": "mail", "shop": "store"}
)

VOCABULARIES: Mapping[Table, Mapping[str, Vocabulary]] = {
    Table.IDENTITIES: {"kind": Vocabulary(same={"e_mail": "email"})},
    Table.TRANSACTIONS: {
        "status": Vocabulary(
            ("completed", "cancelled", "failed", "returned"),
            {
                "complete": "completed",
                "canceled": "cancelled",
                "cancel": "cancelled",
                "failure": "failed",
                "return": "returned",
            },
        ),
        "channel": Vocabulary(),
        "payment_method": Vocabulary(),
    },
    Table.EVENTS: {
        "kind": Vocabulary(
            ("view", "search", "click", "cart", "favourite", "share", "review"),
            {"favorite": "favourite"},
        ),
        "device": Vocabulary(),
    },
    Table.SOCIAL: {
        "kind": Vocabulary(("post", "like", "comment", "repost", "follow")),
        "platform": Vocabulary(),
    },
    Table.CAMPAIGNS: {"channel": CHANNELS},
    Table.OFFERS: {"kind": Vocabulary()},
    Table.EXPOSURES: {
        "channel": CHANNELS,
        "arm": Vocabulary(("treatment", "control"), {"treated": "treatment"}),
    },
    Table.OUTCOMES: {"kind": Vocabulary()},
    Table.CONSENTS: {
        "purpose": Vocabulary(),
        "channel": CHANNELS,
        "status": Vocabulary(tuple(ConsentStatus)),
    },
}


def spelling(column: str, words: Vocabulary) -> str:
    """SQL of the one spelling of a word; blank text is null."""
    bare = f"replace(replace(lower(trim({column})), ' ', '_'), '-', '_')"
    others = " ".join(
        f"WHEN {bare} = {literal(a)} THEN {literal(b)}" for a, b in words.same.items()
    )
    return f"CASE {others} ELSE NULLIF({bare}, '') END" if others else f"NULLIF({bare}, '')"


def unknown_word(table: Table, column: str) -> str:
    """SQL condition: the word is there, and is none of the known ones."""
    known = ", ".join(literal(word) for word in VOCABULARIES[table][column].known)
    return f"{column} NOT IN ({known})"


def free_text(table: Table) -> tuple[str, ...]:
    """Give the text columns of a table that are no words of a vocabulary: ids, names, labels."""
    words = VOCABULARIES.get(table, {})
    return tuple(
        name for name, kind in SCHEMAS[table].items() if kind == "VARCHAR" and name not in words
    )
