"""Items: which of a customer's recommended products, and of the popular ones, are shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from mkt_models.columns import Channel
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.content import Case, Content, Found, nothing, number, said
from mkt_models.decisions.naming import distinct, full_name, item_name
from mkt_models.decisions.texts import listed

Item = Mapping[str, Any]


def make_items(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """The items that the strategy's choice picks; to everybody the popular ones."""
    choice = entry.items
    assert choice is not None
    source = recommended(case) if entry.personalised else popular(case)
    if entry.personalised and choice.popular_too:
        source = (*source, *popular(case))
    fit = [
        item for item in source if item.get("shelf") in choice.shelves and about(item, choice.words)
    ]
    shown = (once(fit) if choice.popular_too else fit)[choice.skip : choice.skip + choice.most]
    if not shown:
        yield None, nothing(entry)
        return
    yield None, Content({"kind": "items", "items": [dict(item) for item in shown]},
                        item_words(shown), item_reasons(shown))  # fmt: skip


def recommended(case: Case) -> Sequence[Item]:
    """The customer's recommendations that have their numbers; once per customer."""
    return _countable(case, "recommended", case.customer.recommendations)


def popular(case: Case) -> Sequence[Item]:
    """The popular items that have their numbers."""
    return _countable(case, "popular", case.policy.popular_items)


def _countable(case: Case, name: str, items: Sequence[Item]) -> Sequence[Item]:
    """Items without the numbers that their worth counts are passed over."""
    if name not in case.kept:
        case.kept[name] = tuple(
            item
            for item in items
            if number(item, "probability") is not None and number(item, "amount") is not None
        )
    kept: Sequence[Item] = case.kept[name]
    return kept


def about(item: Item, words: tuple[str, ...]) -> bool:
    """Whether one of ``words`` stands in the item's category or product type; true without any.

    >>> about({"category": "SOUP", "product_type": "CONDENSED SOUP"}, ("soup", "tea"))
    True
    """
    return not words or _mentions(words, str(item.get("category")), str(item.get("product_type")))


@lru_cache(maxsize=100_000)
def _mentions(words: tuple[str, ...], *names: str) -> bool:
    whole = "\n".join(names).upper()
    return any(word.upper() in whole for word in words)


def once(items: Iterable[Item]) -> list[Item]:
    """Each product once, where and as it comes first."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(str(item.get("product_id")), item)
    return list(found.values())


def item_words(shown: Sequence[Item]) -> dict[str, tuple[str, str]]:
    """What items fill into a text; at least one must be shown."""
    names = distinct(item_name(item) for item in shown)
    return {"items": listed(names), "first_item": (names[0], names[0])}


def item_reasons(shown: Sequence[Item]) -> tuple[Mapping[str, Any], ...]:
    """Why each item is shown, as the recommender says it."""
    return tuple(
        {
            "source": "item",
            "en": f"{full_name(item)}: {item['en']}",
            "zh": f"{full_name(item)}：{item['zh']}",
        }
        for item in shown
        if said(item)
    )
