"""Everybody with the same attributes: what still goes with one of them is a proxy."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from decisions.shops import customers, with_rules

from mkt_models.columns import Verdict
from mkt_models.decisions.question import Context
from mkt_models.decisions.terms_guard import replay_terms
from mkt_models.decisions.terms_proxies import equalised, proxied_terms
from mkt_models.terms_params import Terms

SATURDAY = Context(datetime(2018, 1, 6, 15, tzinfo=UTC))
SHOP = customers(120, 4)
PRICES = np.array([one.profile["price_index"] for one in SHOP])
MIDDLE = float(np.median(PRICES))
DEAR = PRICES > MIDDLE
FEW = {"id": "coupon", "eligibility": [{"column": "categories_90d", "op": "<=", "value": 20}]}
GROUND = {"strategy": "coupon", "columns": ["categories_90d"], "reason": "a test of what it does"}


def with_column(values, name="categories_90d"):
    return [
        replace(one, profile={**one.profile, name: value})
        for one, value in zip(SHOP, values, strict=True)
    ]


def found(policy, catalogue, shop, **settings):
    asked = replace(policy, catalogue=catalogue)
    return proxied_terms(shop, SATURDAY, asked, Terms(**settings))


def failed(table):
    return {(row.attribute, row.term) for row in table.query("verdict == 'fail'").itertuples()}


def test_an_equalised_customer_keeps_what_is_of_no_class():
    one, other = SHOP[0], SHOP[1]
    alike = equalised(one, other, ["weekend_share"])
    for name in ("price_index", "orders_365d", "lifecycle_stage", "age_band", "weekend_share"):
        assert alike.profile[name] == other.profile[name]
    assert alike.profile["risk_tier"] == one.profile["risk_tier"]
    assert (alike.customer_id, alike.offers) == (one.customer_id, one.offers)
    assert alike.scores["value"] == other.scores["value"]


def test_a_rule_on_a_column_that_goes_with_the_price_index_fails(policy, catalogue):
    shop = with_column([30 if dear else 10 for dear in DEAR])
    table = found(policy, with_rules(catalogue, FEW), shop)
    assert failed(table) == {("willingness_to_pay", "shown")}
    (row,) = table.query("attribute == 'willingness_to_pay'").to_dict("records")
    # the dearer half is shown none, the other half all: half of them on the whole
    assert (row["n"], row["gap"], row["mean"]) == (120, pytest.approx(-1), pytest.approx(0.5))
    assert "worse terms by what goes with it" in row["why"]


def test_a_column_that_goes_with_nothing_passes_and_no_difference_has_no_row(policy, catalogue):
    values = np.random.default_rng(1).permutation([10, 30] * 60)
    table = found(policy, with_rules(catalogue, FEW), with_column([int(v) for v in values]))
    assert set(table["verdict"]) == {"pass"}
    assert found(policy, with_rules(catalogue, {"id": "coupon"}), SHOP).empty


def test_a_ground_and_a_declared_direction_excuse(policy, catalogue):
    shop = with_column([30 if dear else 10 for dear in DEAR])
    coupon = with_rules(catalogue, FEW)
    assert found(policy, coupon, shop, grounds=[GROUND]).empty
    declared = {
        "attribute": "willingness_to_pay",
        "term": "shown",
        "strategy": "coupon",
        "reason": "a test of what a declaration does",
    }
    lower = found(policy, coupon, shop, allowed=[declared | {"more_for": "lower"}])
    assert "allowed" in set(lower["verdict"])
    higher = found(policy, coupon, shop, allowed=[declared | {"more_for": "higher"}])
    assert failed(higher) == {("willingness_to_pay", "shown")}


@pytest.mark.parametrize(
    ("column", "says"), [("price_index", "of the class willingness_to_pay"), ("x", "no column")]
)
def test_a_ground_is_a_column_of_no_class(policy, catalogue, column, says):
    with pytest.raises(ValueError, match=says):
        found(policy, catalogue, SHOP, grounds=[GROUND | {"columns": [column]}])


def test_a_smaller_coupon_in_the_documents_of_dear_customers_fails_the_strategy(policy, catalogue):
    shop = [
        replace(
            one,
            offers=({**one.offers[0], "campaign_id": "c", "discount_share": 0.1 if dear else 0.2},),
        )
        for one, dear in zip(SHOP, DEAR, strict=True)
    ]
    asked = replace(policy, catalogue=with_rules(catalogue, {"id": "coupon"}))
    guard = replay_terms(shop, SATURDAY, asked, Terms(twins=1, n_bootstrap=50), 1)
    assert guard.verdict is Verdict.FAIL
    assert "willingness to pay × discount" in guard.reasons["coupon"]
    assert failed(guard.proxies) == {("willingness_to_pay", "discount")}


def test_only_customers_with_the_same_coupons_are_compared(policy, catalogue):
    """Dear customers were sent the campaign with the smaller coupon: that is who was sent what."""
    shop = [
        replace(
            one,
            offers=(
                {**one.offers[0], "campaign_id": f"c{dear}", "discount_share": 0.1 + 0.1 * dear},
            ),
        )
        for one, dear in zip(SHOP, DEAR, strict=True)
    ]
    table = found(policy, with_rules(catalogue, {"id": "coupon"}), shop)
    row = table.query("attribute == 'willingness_to_pay' and term == 'discount'").iloc[0]
    assert (row["n"], row["verdict"]) == (0, "not_evaluated")


def test_a_small_side_is_not_evaluated_unless_the_parameters_say_so(policy, catalogue):
    shop = with_column([30 if dear else 10 for dear in DEAR])[:30]
    coupon = with_rules(catalogue, FEW)
    assert "not_evaluated" in set(found(policy, coupon, shop)["verdict"])
    table = found(policy, coupon, shop, undecided="pass")
    of_lead = table["attribute"].isin(["tenure", "loyalty", "willingness_to_pay"])
    assert set(table[of_lead]["verdict"]) == {"pass"}
    assert set(table[~of_lead]["verdict"]) == {"too_few"}  # rare values withhold nothing
