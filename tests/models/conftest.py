"""Toy scorers, trained once."""

import pytest
from toy_models import toy

from mkt_models.columns import Model
from mkt_models.models.scorer import Scorer


@pytest.fixture(scope="session")
def churn() -> Scorer:
    return toy(slope=0.8, intercept=-0.3)


@pytest.fixture(scope="session")
def value() -> Scorer:
    return toy(Model.VALUE)
