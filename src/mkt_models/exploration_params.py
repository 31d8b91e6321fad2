"""Parameters of exploration: how often a decision tries what is not thought to be the best."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from mkt_models.sections import Section, Share

# More than this is no longer a decision with some trying, but a trial: plan an experiment then.
MAX_EPSILON = 0.5


class Method(StrEnum):
    """How the first action of a decision is chosen among those that passed every gate."""

    NONE = "none"  # the one of highest worth, always
    EPSILON = "epsilon"  # now and then any of them, each as likely
    THOMPSON = "thompson"  # each as often as it may be the best, given the errors of the worths


class Exploration(Section):
    """How a decision explores; by default it does not.

    Nothing outside the candidates that passed every gate (consent, caps, quiet hours, eligibility,
    a worth above 0) is ever tried.
    """

    method: Method = Field(default=Method.NONE, description="none, epsilon or thompson")
    epsilon: float = Field(
        default=0.0,
        ge=0,
        le=MAX_EPSILON,
        description="share of the decisions in which any candidate is as likely as any other; with "
        "thompson on top of it, so that no probability is tiny",
    )
    min_worth_share: Share = Field(
        default=0.0,
        description="a candidate is tried only if it is worth at least this share of the best one: "
        "a bound on what a single try may cost",
    )
    salt: str = Field(
        default="exploration", min_length=4, description="changes which decisions explore"
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.method is Method.NONE and self.epsilon > 0:
            raise ValueError(
                f"epsilon == {self.epsilon:g} with method none explores nothing; set method: "
                "epsilon, or leave epsilon out"
            )
        return self
