import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.decisions.naming import (
    ABBREVIATIONS,
    NAMELESS,
    UNNAMED,
    full_name,
    item_name,
    readable,
)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CRACKERS/MISC BKD FD", "crackers/miscellaneous baked food"),
        ("MISC. DAIRY", "miscellaneous dairy"),
        ("PKG.SEAFOOD MISC", "packaged seafood miscellaneous"),
        ("FLORAL- HARD GOODS", "floral (hard goods)"),
        ("DINNER MXS:DRY", "dinner mixes (dry)"),
        ("VEGETABLES - ALL OTHERS", "vegetables"),
        ("CHIPS&SNACKS", "chips & snacks"),
        ("CHRISTMAS  SEASONAL", "christmas seasonal"),
        ("MILK BY-PRODUCTS", "milk by-products"),
        # Only whole words are short forms.
        ("MISCELLANEOUS FDA", "miscellaneous fda"),
        ("A0221-X", "A0221-X"),  # an article number is no word
        ("   ", UNNAMED),
        (float("nan"), UNNAMED),
        ("牛奶", "牛奶"),
    ],
)
def test_names_as_people_write_them(name, said):
    assert readable(name) == said


@given(st.text(alphabet="ABZ&/-:. ()1", max_size=30))
def test_a_readable_name_says_something_and_stays_as_it_is(name):
    once = readable(name)
    assert once
    assert once == once.strip()
    assert readable(once) == once


def test_short_forms_lead_to_words_that_are_not_short_forms():
    words = {word for full in ABBREVIATIONS.values() for word in full.split()}
    assert not words & set(ABBREVIATIONS)


@pytest.mark.parametrize(
    ("category", "product_type", "short", "full"),
    [
        ("BEEF", "LEAN", "beef", "beef (lean)"),
        ("EGGS", "EGGS - LARGE", "eggs", "eggs (large)"),
        ("BUTTER", "BUTTER", "butter", "butter"),
        ("CHEESE", "SHREDDED CHEESE", "cheese", "shredded cheese"),
        # Two pairs of brackets, a size, a name that was cut off: the category alone is clearer.
        ("CANDY - CHECKLANE", "GUM", "candy (checklane)", "candy (checklane)"),
        ("SOUP", "6PK", "soup", "soup"),
        ("CAT FOOD", "CANNED CAT FOOD (9 LIVES/FRISK", "cat food", "cat food"),
        ("BEEF", None, "beef", "beef"),
        (None, "LEAN", "lean", "lean"),
        (None, None, UNNAMED, UNNAMED),
    ],
)
def test_a_category_stands_for_its_products(category, product_type, short, full):
    item = {"category": category, "product_type": product_type}
    assert item_name(item) == short
    assert full_name(item) == full


@pytest.mark.parametrize("category", sorted(NAMELESS))
def test_a_category_that_names_no_goods_gives_way(category):
    assert item_name({"category": category, "product_type": "YOGURT"}) == "yogurt"
    assert item_name({"category": category}) == readable(category)
