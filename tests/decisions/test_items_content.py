from datetime import date

import pytest

from mkt_models.columns import Channel
from mkt_models.decisions.content import Case, Content
from mkt_models.decisions.items_content import (
    about,
    item_reasons,
    item_words,
    make_items,
    once,
    popular,
    recommended,
)
from mkt_models.decisions.question import Customer
from mkt_models.decisions.words import Code

DAY = date(2018, 1, 6)


def item(name, **parts):
    known = {"product_id": name, "category": name.upper(), "shelf": "buy_again"}
    return {**known, "probability": 0.5, "amount": 2.0, **parts}


@pytest.fixture
def shown(policy):
    """What a strategy shows of some recommendations, with its choice changed: ids, or a code."""

    def show(items, **choice):
        entry = policy.catalogue.strategy("personalised_recommendation")
        changed = entry.items.model_copy(update={"words": (), "skip": 0, "most": 3, **choice})
        entry = entry.model_copy(update={"items": changed})
        customer = Customer("1", DAY, recommendations=tuple(items))
        ((offer_id, content),) = make_items(entry, Channel.APP, Case(customer, policy, DAY))
        assert offer_id is None
        if not isinstance(content, Content):
            return content.code
        return [one["product_id"] for one in content.data["items"]]

    return show


def test_items_are_those_of_the_shelf_after_the_first_and_no_more_than_asked(shown):
    five = [item(name, shelf="popular" if name == "b" else "buy_again") for name in "abcde"]
    assert shown(five, shelves=("buy_again",)) == ["a", "c", "d"]
    assert shown(five, shelves=("buy_again",), skip=2) == ["d", "e"]
    assert shown(five, shelves=("popular",), most=1) == ["b"]
    assert shown(five, shelves=("buy_again",), skip=4) is Code.NO_CONTENT
    assert shown([], shelves=("buy_again",)) is Code.NO_CONTENT


def test_items_without_the_numbers_of_a_worth_are_passed_over(shown):
    odd = [item("a", probability=None), item("b", amount=float("nan")), item("c"), item("d")]
    del odd[3]["amount"]
    assert shown(odd, shelves=("buy_again",)) == ["c"]


def test_items_are_filled_up_from_the_popular_ones_each_once(shown, policy):
    first = policy.popular_items[0]["product_id"]
    own = [item("soup", shelf="popular"), item(first, shelf="popular")]
    found = shown(own, shelves=("popular",), popular_too=True, most=3)
    assert found == ["soup", first, policy.popular_items[1]["product_id"]]


def test_what_is_countable_is_worked_out_once_per_customer(policy):
    case = Case(Customer("1", DAY, recommendations=(item("a"),)), policy, DAY)
    assert recommended(case) is recommended(case)
    assert popular(case) == policy.popular_items


@pytest.mark.parametrize(
    ("words", "found"), [((), True), (("pe",), True), (("Pear",), True), (("plum",), False)]
)
def test_a_word_is_looked_for_in_category_and_type_in_any_case(words, found):
    assert about({"category": "FRUIT", "product_type": "pears"}, words) is found


def test_of_a_product_that_comes_twice_the_first_stands():
    twice = [item("a", amount=1.0), item("b"), item("a", amount=9.0)]
    assert [(one["product_id"], one["amount"]) for one in once(twice)] == [("a", 1.0), ("b", 2.0)]


def test_names_stand_once_in_a_text_and_reasons_only_where_both_languages_say_them():
    some = [
        item("soup", en="bought twice", zh="购买 2 次"),
        item("tea", en="bought once"),
        item("soup2", category="SOUP"),
    ]
    assert item_words(some) == {
        "items": ("soup, tea", "soup、tea"),
        "first_item": ("soup", "soup"),
    }
    assert item_reasons(some) == (
        {"source": "item", "en": "soup: bought twice", "zh": "soup：购买 2 次"},
    )
