from dataclasses import replace

import numpy as np
import pytest
from decisions.shops import customers

from mkt_models.decisions.terms_observed import observed_terms
from mkt_models.terms_params import Terms

SETTINGS = Terms(n_bootstrap=200)
SHOP = [
    replace(one, profile={**one.profile, "lifecycle_stage": "active"}) for one in customers(120, 7)
]


def answer(discount, arm="treatment"):
    strategies = []
    if discount is not None:
        strategies = [
            {
                "strategy": "coupon",
                "family": "personalised_promotion",
                "personalised": True,
                "content": {
                    "kind": "offer",
                    "offer": {"offer_id": "o1", "discount_share": discount},
                },
            }
        ]
    return {"strategies": strategies, "experiment": {"arm": arm}}


def row(shop, answers, attribute="willingness_to_pay", term="discount"):
    table = observed_terms(zip(shop, answers, strict=True), SETTINGS, 1)
    (found,) = table.query(f"attribute == '{attribute}' and term == '{term}'").to_dict("records")
    return found


def test_equal_terms_have_no_gap():
    found = row(SHOP, [answer(0.2)] * 120)
    assert (found["n"], found["strata"], found["kind"]) == (120, 1, "observed")
    assert found["gap"] == pytest.approx(0)


def test_a_gap_is_the_mean_difference_of_the_halves():
    middle = np.median([one.profile["price_index"] for one in SHOP])
    answers = [answer(0.1 if one.profile["price_index"] > middle else 0.2) for one in SHOP]
    found = row(SHOP, answers)
    assert found["gap"] == pytest.approx(-0.1)
    assert found["gap_upper"] < 0


def test_what_is_not_shown_counts_as_not_shown():
    middle = np.median([one.profile["price_index"] for one in SHOP])
    answers = [answer(None if one.profile["price_index"] > middle else 0.2) for one in SHOP]
    assert row(SHOP, answers, term="shown")["gap"] == pytest.approx(-1.0)
    assert row(SHOP, answers)["note"] == ""


def test_only_customers_who_might_have_had_the_same_are_compared():
    """Those with two coupons pay more and get more; within each kind nobody differs."""
    two = [
        replace(
            one,
            offers=(*one.offers, {**one.offers[0], "offer_id": "o2"}),
            profile={**one.profile, "price_index": one.profile["price_index"] + 5},
        )
        for one in SHOP[:60]
    ]
    answers = [answer(0.3)] * 60 + [answer(0.1)] * 60
    found = row(two + SHOP[60:], answers)
    assert found["strata"] == 2
    assert found["gap"] == pytest.approx(0)


def test_too_few_matches_are_not_evaluated():
    alone = [replace(one, offers=({"offer_id": f"o{i}"},)) for i, one in enumerate(SHOP)]
    found = row(alone, [answer(0.2)] * 120)
    assert found["n"] == 0
    assert np.isnan(found["gap"])
    assert found["note"] == "not evaluated: 0 customers have a match, needs 20"


def test_nobody_gives_an_empty_table():
    assert observed_terms([], SETTINGS, 1).empty
