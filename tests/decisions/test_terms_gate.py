import pytest

from mkt_models.columns import Model, Verdict
from mkt_models.decisions.terms_gate import terms_verdict, withheld_by_terms


def test_a_strategys_own_verdict_goes_before_that_of_all():
    said = {"terms": Verdict.FAIL, "terms/a": Verdict.PASS}
    assert terms_verdict("a", said) is Verdict.PASS
    assert terms_verdict("b", said) is Verdict.FAIL
    assert terms_verdict("b", {}) is Verdict.NOT_EVALUATED


@pytest.mark.parametrize("verdict", ["fail", "not_evaluated", None])
def test_only_a_pass_lets_a_personalised_strategy_through(make_policy, verdict):
    said = {} if verdict is None else {"terms": verdict}
    policy = make_policy(verdicts=dict.fromkeys(Model, "pass") | said)
    (why,) = withheld_by_terms(policy.catalogue.strategy("personalised_promotion"), policy)
    assert why.code == "terms_not_passed"
    assert ("not evaluated" in why.en) == (verdict != "fail")
    assert ("未评估" in why.zh) == (verdict != "fail")
    assert withheld_by_terms(policy.catalogue.strategy("popular_items"), policy) == ()
