import pytest
from pydantic import ValidationError

from mkt_models.columns import Strategy
from mkt_models.terms_params import AttributeClass, Term, Terms

ONE = {
    "attribute": "loyalty",
    "term": "coupon",
    "strategy": "spring_coupon",
    "reason": "a coupon that the rules of the programme promise",
}
FAMILIES = tuple(one.value for one in Strategy)


def test_published_differences_are_declared_by_default():
    told = Terms().declared(
        AttributeClass.LOYALTY, Term.BENEFITS, "membership_tier", "membership_tier"
    )
    assert told is not None
    assert "published" in told.reason
    by_family = Terms().declared(AttributeClass.LOYALTY, Term.BENEFITS, "club", "membership_tier")
    assert by_family == told
    new = Terms().declared(
        AttributeClass.TENURE, Term.DISCOUNT, "new_customer_offer", "personalised_promotion"
    )
    assert new is not None


def test_nothing_else_is_declared():
    for attribute in (AttributeClass.WILLINGNESS_TO_PAY, AttributeClass.DEVICE):
        for term in Term:
            told = Terms().declared(attribute, term, "membership_tier", "membership_tier")
            assert told is None
    strict = Terms(published=False)
    told = strict.declared(
        AttributeClass.LOYALTY, Term.BENEFITS, "membership_tier", "membership_tier"
    )
    assert told is None


def test_a_reason_is_a_sentence_and_no_difference_stands_twice():
    with pytest.raises(ValidationError, match="at least 20 characters"):
        Terms(allowed=[{**ONE, "reason": "because"}])
    with pytest.raises(ValidationError, match="loyalty × coupon × spring_coupon stands twice"):
        Terms(allowed=[ONE, ONE])
    with pytest.raises(ValidationError, match="attribute"):
        Terms(allowed=[{**ONE, "attribute": "loyalties"}])


def test_an_unknown_strategy_is_refused_with_the_nearest():
    settings = Terms(allowed=[ONE])
    settings.check(("spring_coupon",), FAMILIES)
    with pytest.raises(ValueError, match=r"'spring_coupon' .* did you mean 'spring_coupons'"):
        settings.check(("spring_coupons",), FAMILIES)
