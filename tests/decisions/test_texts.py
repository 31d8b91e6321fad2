import pytest
from pydantic import TypeAdapter, ValidationError

from mkt_models.decisions.texts import (
    Amount,
    CountedAmount,
    Identifier,
    Text,
    Why,
    filled,
    placeholders,
)


def test_a_text_is_filled_in_each_language():
    words = {"items": ("soup, tea", "soup、tea"), "unused": ("x", "y")}
    assert filled("For you: {items}.", words, 0) == "For you: soup, tea."
    assert filled("为您推荐：{items}。", words, 1) == "为您推荐：soup、tea。"


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("plain", set()),
        ("{items} and {items}", {"items"}),
        ("{{items}} are braces", set()),
    ],
)
def test_the_words_in_braces(template, found):
    assert placeholders("title.en", template) == found


@pytest.mark.parametrize("template", ["{}", "{0}", "{items.x}", "{items[0]}", "{a!r}", "{a:>9}"])
def test_what_would_reach_into_a_value_is_refused(template):
    with pytest.raises(ValueError, match=r"^text\.zh: .*must be a plain word in braces"):
        placeholders("text.zh", template)


@pytest.mark.parametrize("template", ["{items", "items}"])
def test_a_brace_that_stands_alone_is_refused_with_its_place(template):
    with pytest.raises(ValueError, match=r"^text\.en: "):
        placeholders("text.en", template)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Identifier, "open_offer2", ["Open", "2nd", "x", "a-b", "a" * 42]),
        (Amount, 0.25, [-0.01, 2e9, True, float("nan")]),
        (CountedAmount, 0.000001, [0.0000001, -1, True]),
        (Why, "twenty letters or more", ["too short"]),
    ],
)
def test_what_entries_are_written_in(kind, good, bad):
    adapter = TypeAdapter(kind)
    assert adapter.validate_python(good) == good
    for one in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(one)


def test_a_text_says_something_in_both_languages():
    assert Text(en="Soup", zh="汤").words == ("Soup", "汤")
    for missing in ({"en": "Soup"}, {"en": " ", "zh": "汤"}, {"en": "Soup", "zh": ""}):
        with pytest.raises(ValidationError):
            Text.model_validate(missing)
