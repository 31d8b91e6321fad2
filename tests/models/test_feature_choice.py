import pytest

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.guard_params import FeatureChoice
from mkt_models.models.campaign_features import CAMPAIGN_FEATURES
from mkt_models.models.coupon_use import COUPON_USE
from mkt_models.models.feature_choice import FeatureChoiceError, catalogue_of, chosen_features
from mkt_models.profiles.measures import catalogue


@pytest.mark.parametrize("model", SCORING_MODELS)
def test_nothing_is_dropped_by_default(model: Model) -> None:
    assert list(chosen_features(model, FeatureChoice())) == list(catalogue_of(model))


def test_a_feature_is_dropped_from_every_model_that_has_it() -> None:
    choice = FeatureChoice(drop=("stores_90d", "affinity_share"))
    for model in SCORING_MODELS:
        kept, known = chosen_features(model, choice), catalogue_of(model)
        assert set(known) - set(kept) == {"stores_90d", "affinity_share"} & set(known)
        assert [name for name in known if name in kept] == list(kept)  # the order stays


def test_a_feature_is_dropped_from_one_model_alone() -> None:
    choice = FeatureChoice(drop_from={Model.VALUE: ("overdue",)})
    assert "overdue" not in chosen_features(Model.VALUE, choice)
    assert list(chosen_features(Model.CHURN, choice)) == list(catalogue())


@pytest.mark.parametrize("asking", SCORING_MODELS)
def test_every_unknown_name_is_told_whichever_model_asks(asking: Model) -> None:
    choice = FeatureChoice(
        drop=("store_90d",), drop_from={Model.CHURN: ("affinity_share",), Model.VALUE: ("zzz",)}
    )
    with pytest.raises(FeatureChoiceError) as error:
        chosen_features(asking, choice)
    told = str(error.value).splitlines()
    assert told[0] == "features.drop: 'store_90d' is no feature; did you mean 'stores_90d'?"
    assert told[1].startswith("features.drop_from.churn: 'affinity_share' is no feature of churn")
    assert told[2] == "features.drop_from.value: 'zzz' is no feature of value"


def test_no_feature_left_is_an_error() -> None:
    choice = FeatureChoice(drop=tuple(catalogue()))
    with pytest.raises(FeatureChoiceError, match="all 44 features of churn dropped"):
        chosen_features(Model.CHURN, choice)
    left = [*COUPON_USE, *CAMPAIGN_FEATURES]
    assert list(chosen_features(Model.PROPENSITY, choice)) == left
