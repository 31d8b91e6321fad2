"""The vocabulary: what is sensitive, and where each column of a profile stands."""

from mkt_models.columns import (
    PROFILE_DIMENSIONS,
    SCORING_MODELS,
    SENSITIVE,
    Dimension,
    Model,
    Table,
)
from mkt_models.profiles.measures import catalogue
from mkt_models.sources.schemas import SCHEMAS


def test_every_dimension_is_told_once() -> None:
    assert set(PROFILE_DIMENSIONS) == set(Dimension)
    columns = [column for named in PROFILE_DIMENSIONS.values() for column in named]
    assert len(columns) == len(set(columns))


def test_all_that_a_customer_is_and_has_not_done_is_sensitive() -> None:
    assert set(SCHEMAS[Table.CUSTOMERS]) - {"customer_id", "registered_on"} <= set(SENSITIVE)
    assert set(PROFILE_DIMENSIONS[Dimension.BASICS]) <= set(SENSITIVE)


def test_nothing_sensitive_is_a_feature_or_stands_among_behaviour() -> None:
    assert not set(catalogue()) & set(SENSITIVE)
    beside = [PROFILE_DIMENSIONS[d] for d in Dimension if d is not Dimension.BASICS]
    assert not {column for columns in beside for column in columns} & set(SENSITIVE)


def test_a_scoring_model_is_a_model_and_the_recommender_is_none() -> None:
    assert set(SCORING_MODELS) == set(Model) - {Model.RECOMMENDER}
