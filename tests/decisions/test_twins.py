from dataclasses import replace

import numpy as np
import pytest
from decisions.shops import customers

from mkt_models.decisions.question import Customer
from mkt_models.decisions.twins import COLUMNS, SCORES, STAGE, Donors, known, lead, twin
from mkt_models.terms_params import AttributeClass

EVERYBODY = customers(60, 1)


def changed(one: Customer, other: Customer) -> set[str]:
    names = one.profile.keys() | other.profile.keys()
    return {name for name in names if one.profile.get(name) != other.profile.get(name)}


@pytest.mark.parametrize("attribute", AttributeClass)
def test_a_twin_differs_in_its_class_only(attribute):
    one = EVERYBODY[0]
    for donor in Donors(EVERYBODY, attribute).of(one, 3, np.random.default_rng(0)):
        other = twin(one, donor, attribute)
        allowed = {*COLUMNS[attribute]}
        if attribute in (AttributeClass.TENURE, AttributeClass.LOYALTY):
            allowed.add(STAGE)
        assert changed(one, other) <= allowed
        same = [name for name in one.scores if name not in SCORES.get(attribute, ())]
        assert all(other.scores[name] == one.scores[name] for name in same)
        assert (other.customer_id != one.customer_id) == (attribute is AttributeClass.IDENTITY)
        kept = (one.recommendations, one.offers, one.consents, one.exposures, one.as_of)
        assert kept == (
            other.recommendations,
            other.offers,
            other.consents,
            other.exposures,
            other.as_of,
        )


def test_the_ends_of_every_column_are_among_the_donors():
    one, attribute = EVERYBODY[0], AttributeClass.WILLINGNESS_TO_PAY
    donors = list(Donors(EVERYBODY, attribute).of(one, 0, np.random.default_rng(0)))
    for name in ("price_index", "discount_share"):
        values = [donor.profile[name] for donor in donors]
        everybody = [other.profile[name] for other in EVERYBODY[1:]]
        assert max(values) >= max(everybody)
        assert min(values) <= min(everybody)


def test_a_stage_changes_with_tenure_only_from_or_to_new():
    old = replace(EVERYBODY[0], profile={STAGE: "active", "tenure_days": 400})
    new = replace(old, profile={STAGE: "new", "tenure_days": 4})
    lost = replace(old, profile={STAGE: "lost", "tenure_days": 900})
    assert twin(old, new, AttributeClass.TENURE).profile == {STAGE: "new", "tenure_days": 4} | {
        "days_since_registration": None
    }
    assert twin(old, lost, AttributeClass.TENURE).profile[STAGE] == "active"
    assert twin(old, lost, AttributeClass.LOYALTY).profile[STAGE] == "lost"
    assert twin(old, new, AttributeClass.LOYALTY).profile[STAGE] == "active"
    rng = np.random.default_rng(0)
    assert new not in list(Donors([old, new, lost], AttributeClass.LOYALTY).of(old, 20, rng))
    assert new not in list(Donors([old, new, lost], AttributeClass.TENURE).of(lost, 20, rng))


def test_a_class_of_which_nobody_has_a_value_is_not_known():
    nobody = [replace(one, profile={**one.profile, "preferred_device": None}) for one in EVERYBODY]
    tagged = [replace(one, profile={**one.profile, "behaviour_tags": ["x"]}) for one in nobody]
    assert known(EVERYBODY, AttributeClass.DEVICE)
    assert not known(nobody, AttributeClass.DEVICE)
    assert not known(tagged, AttributeClass.DEVICE)
    assert not known(EVERYBODY[:1], AttributeClass.IDENTITY)


def test_the_lead_is_a_number_or_nothing():
    assert lead(EVERYBODY[0], AttributeClass.TENURE) == EVERYBODY[0].profile["tenure_days"]
    assert np.isnan(lead(EVERYBODY[0], AttributeClass.DEVICE))
