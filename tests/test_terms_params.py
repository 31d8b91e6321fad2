import pytest
from pydantic import ValidationError

from mkt_models.terms_params import AttributeClass, Term, Terms

ONE = {
    "attribute": "loyalty",
    "term": "coupon",
    "strategy": "spring_coupon",
    "more_for": "any",
    "reason": "a coupon that the rules of the programme promise",
}
SHOWN = {**ONE, "term": "shown", "more_for": "higher"}


def test_published_differences_are_declared_by_default():
    told = Terms().declared(AttributeClass.LOYALTY, Term.BENEFITS, "membership_tier")
    assert told is not None
    assert "published" in told.reason
    shown = Terms().declared(AttributeClass.LOYALTY, Term.SHOWN, "membership_tier")
    assert shown is not None
    assert (told.more_for, shown.more_for) == ("any", "higher")
    new = Terms().declared(AttributeClass.TENURE, Term.DISCOUNT, "new_customer_offer")
    assert new is not None
    assert new.more_for == "lower"


def test_a_declaration_covers_one_strategy_and_no_family():
    assert Terms().declared(AttributeClass.LOYALTY, Term.BENEFITS, "club") is None
    settings = Terms(allowed=[{**SHOWN, "strategy": "personalised_promotion"}])
    assert settings.declared(AttributeClass.LOYALTY, Term.SHOWN, "open_promotion") is None
    with pytest.raises(ValueError, match="a family covers none: name each strategy"):
        settings.check(("open_promotion",))


def test_a_declaration_says_who_may_get_the_better_terms():
    silent = {key: value for key, value in SHOWN.items() if key != "more_for"}
    with pytest.raises(ValidationError, match=r"write 'more_for: higher' .*item_prices, coupon"):
        Terms(allowed=[silent])
    with pytest.raises(ValidationError, match="orders_365d may not mean better and worse"):
        Terms(allowed=[{**SHOWN, "more_for": "any"}])
    with pytest.raises(ValidationError, match="of coupon none is better"):
        Terms(allowed=[{**ONE, "more_for": "higher"}])
    with pytest.raises(ValidationError, match="device has no more and less"):
        Terms(allowed=[{**SHOWN, "attribute": "device"}])
    assert Terms(allowed=[{**ONE, "attribute": "device"}]).allowed[0].more_for == "any"


def test_nothing_else_is_declared():
    for attribute in (AttributeClass.WILLINGNESS_TO_PAY, AttributeClass.DEVICE):
        for term in Term:
            assert Terms().declared(attribute, term, "membership_tier") is None
    strict = Terms(published=False)
    assert strict.declared(AttributeClass.LOYALTY, Term.BENEFITS, "membership_tier") is None


def test_a_reason_is_a_sentence_and_no_difference_stands_twice():
    with pytest.raises(ValidationError, match="at least 20 characters"):
        Terms(allowed=[{**ONE, "reason": "because"}])
    with pytest.raises(ValidationError, match="loyalty × coupon × spring_coupon stands twice"):
        Terms(allowed=[ONE, ONE])
    with pytest.raises(ValidationError, match="attribute"):
        Terms(allowed=[{**ONE, "attribute": "loyalties"}])


def test_an_unknown_strategy_is_refused_with_the_nearest():
    settings = Terms(allowed=[ONE])
    settings.check(("spring_coupon",))
    with pytest.raises(ValueError, match=r"'spring_coupon' .* did you mean 'spring_coupons'"):
        settings.check(("spring_coupons",))


GROUND = {
    "strategy": "s",
    "columns": ["tickets_365d"],
    "reason": "help is owed for what went wrong",
}


def test_a_ground_names_a_strategy_of_the_catalogue_once():
    Terms(grounds=[GROUND]).check(("s",))
    with pytest.raises(ValueError, match="grounds: 's' is no strategy of the catalogue"):
        Terms(grounds=[GROUND]).check(("t",))
    with pytest.raises(ValueError, match="grounds: s stands twice; put its columns into one"):
        Terms(grounds=[GROUND, GROUND])
