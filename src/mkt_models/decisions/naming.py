"""What products are called in a text for customers.

A customer knows the *category* (beef, soft drinks); product types are the grocer's own words
("LEAN", "SOFT DRINKS 12/18&15PK CAN CAR"), cut off after thirty characters. The names are those of
the catalogue of products, in its language: English here, in the Chinese texts too, because a
translation that nobody has checked would be an invention.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from mkt_models.decisions.eligibility import missing

UNNAMED = "one of your products"

CUT_AT = 30
"""Product types of this length are cut off, so what follows is not known."""

# Categories that name no goods: a place in the shop, a kind of cold, a price. The type says more.
NAMELESS = frozenset(
    {
        "CONTINUITIES",
        "DOLLAR VALUE PRODUCTS",
        "DOMESTIC GOODS",
        "FROZEN",
        "HEAT/SERVE",
        "HISPANIC",
        "J-HOOKS",
        "MISCELLANEOUS",
        "NEW AGE",
        "NON EDIBLE PRODUCTS",
        "PROCESSED",
        "REFRIGERATED",
        "SEASONAL",
    }
)

# The grocer's short forms, one word or two, each as it is meant wherever it occurs.
ABBREVIATIONS: Mapping[str, str] = {
    "bg": "bags",
    "bkd": "baked",
    "bn": "beans",
    "brkfst": "breakfast",
    "btr": "butter",
    "ckys": "cookies",
    "cleang": "cleaning",
    "cndy": "candy",
    "conc": "concentrate",
    "crkr": "crackers",
    "crystl": "crystal",
    "dnr": "dinner",
    "dnrs": "dinners",
    "drnk": "drink",
    "drnks": "drinks",
    "drsng": "dressing",
    "dsh": "dishes",
    "fd": "food",
    "flvrd": "flavoured",
    "frzn": "frozen",
    "hbc": "health & beauty care",
    "jce": "juice",
    "misc": "miscellaneous",
    "mx": "mix",
    "mxs": "mixes",
    "pkg": "packaged",
    "pkgd": "packaged",
    "pkld": "pickled",
    "pnt": "peanut",
    "pwdr": "powder",
    "refrgratd": "refrigerated",
    "sald": "salad",
    "sherbts": "sherbets",
    "snks": "snacks",
    "sndwch": "sandwich",
    "sply": "supplies",
    "sprd": "spread",
    "sweetners": "sweeteners",
    "tiss": "tissues",
    "trsh": "trash",
    "veg": "vegetable",
    "whlsm": "wholesome",
    "wtr": "water",
}

_CODE = re.compile(r"[A-Z0-9._-]*\d[A-Z0-9._-]*")  # an article number is left as it is
_NO_INFORMATION = re.compile(r"\s*-\s*(all|all others|misc)$")
_WORD = re.compile(r"[a-z]+\.?")


def readable(name: object) -> str:
    """A category or product type as people write it.

    Names in mixed case are left as they are.

    >>> readable("FRZN NOVELTIES/WTR ICE"), readable("EGGS - LARGE"), readable("PEPPERS-ALL")
    ('frozen novelties/water ice', 'eggs (large)', 'peppers')
    >>> readable("Coq au vin"), readable(None)
    ('Coq au vin', 'one of your products')
    """
    return UNNAMED if missing(name) else _readable(str(name))


@lru_cache(maxsize=100_000)
def _readable(name: str) -> str:
    text = " ".join(name.split())
    if not text:
        return UNNAMED
    if not text.isupper() or _CODE.fullmatch(text):
        return text
    text = _NO_INFORMATION.sub("", text.lower())
    text = _WORD.sub(_in_full, text)
    text = re.sub(r"^([^()]+?)\s*(?: -|- |:)\s*([^()]+)$", r"\1 (\2)", text)
    return " ".join(re.sub(r"\s*&\s*", " & ", text).split())


def item_name(item: Mapping[str, Any]) -> str:
    """The product in a sentence: its category, or its type when the category names no goods.

    >>> item_name({"category": "BEEF", "product_type": "LEAN"})
    'beef'
    >>> item_name({"category": "HISPANIC", "product_type": "MEXICAN SEASONING MIXES"})
    'mexican seasoning mixes'
    """
    category, product_type = item.get("category"), item.get("product_type")
    says_little = missing(category) or category in NAMELESS
    return readable(product_type if says_little and not missing(product_type) else category)


def full_name(item: Mapping[str, Any]) -> str:
    """The product in a reason: the category with the type, where the type is plain and adds to it.

    >>> full_name({"category": "BEEF", "product_type": "LEAN"})
    'beef (lean)'
    >>> full_name({"category": "SOUP", "product_type": "CONDENSED SOUP"})
    'condensed soup'
    >>> full_name({"category": "SOFT DRINKS", "product_type": "SOFT DRINKS 12/18&15PK CAN CAR"})
    'soft drinks'
    """
    return _full_name(item_name(item), item.get("product_type"))


@lru_cache(maxsize=100_000)
def _full_name(name: str, product_type: object) -> str:
    if missing(product_type) or len(str(product_type)) >= CUT_AT:
        return name
    detail = readable(product_type)
    if re.search(r"\d", detail):
        return name
    if name in detail:
        return detail
    return name if set("()") & set(name + detail) or detail in name else f"{name} ({detail})"


def distinct(names: Iterable[str]) -> list[str]:
    """Each name once, in the order in which they come."""
    return list(dict.fromkeys(names))


def _in_full(word: re.Match[str]) -> str:
    short = word[0].rstrip(".")
    full = ABBREVIATIONS.get(short)
    return word[0] if full is None else full + " " * word[0].endswith(".")
