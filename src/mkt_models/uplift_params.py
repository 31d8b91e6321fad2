"""Parameters of uplift: what a contact changes, where contacts were assigned at random."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from mkt_models.sections import Section

Response = Literal["ordered", "redeemed", "spend"]


class Learner(StrEnum):
    """How uplift is learnt from trials; what each does stands in ``models/uplift.py``."""

    T = "t_learner"
    DR = "dr_learner"
    CLASS = "class_transformation"
    RATE = "rate_learner"


class Trees(Section):
    """Settings of the boosted trees: effects are small beside noise, so few and shallow ones."""

    max_depth: int = Field(default=3, gt=0, le=12)
    n_estimators: int = Field(default=400, gt=0, le=5000)
    learning_rate: float = Field(default=0.03, gt=0, le=1)
    min_child_weight: float = Field(default=100, ge=0)
    subsample: float = Field(default=0.7, gt=0, le=1)
    colsample_bytree: float = Field(default=0.6, gt=0, le=1)
    reg_lambda: float = Field(default=100, ge=0)


class Uplift(Section):
    """Which learners are tried, on which response, and what is held out.

    Campaigns are split by time: learners are compared on the validation campaigns, the chosen one
    is trained anew on all before the test campaigns, and what is reported is measured on these.
    """

    learners: tuple[Learner, ...] = Field(
        default=tuple(Learner), min_length=1, description="the learners that are tried"
    )
    response: Response = Field(
        default="spend",
        description="what customers are ranked by: spend, an order, or a redemption, within the "
        "campaign's days",
    )
    test_campaigns: int = Field(
        default=5, gt=0, description="the last campaigns: what is reported is measured on them"
    )
    validation_campaigns: int = Field(
        default=4, gt=0, description="the campaigns before these: the learner is chosen on them"
    )
    min_arm: int = Field(
        default=200,
        ge=20,
        description="customers that training, validation and test each need in either arm",
    )
    folds: int = Field(default=3, ge=2, le=20, description="of the cross-fitted DR-learner")
    bins: int = Field(default=5, ge=2, le=20, description="bins of predicted uplift that are shown")
    trees: Trees = Trees()

    @field_validator("learners")
    @classmethod
    def _once(cls, value: tuple[Learner, ...]) -> tuple[Learner, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"learners == {[one.value for one in value]}, names one twice")
        return value
