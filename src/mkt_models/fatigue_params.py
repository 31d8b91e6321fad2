"""Parameters of fatigue: how a contact is worth less after others, and what is too little to say.

The multiplier of a response is ``exp(-decay * pressure)``, and the pressure is the sum of
``0.5 ** (age / half_life)`` over the earlier contacts of the window, ages in days.
"""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from mkt_models.columns import Channel
from mkt_models.sections import Section, Share

# The stores are asked for the contacts of so many days before a question.
LONGEST_WINDOW_DAYS = 30


class AssumedDecay(Section):
    """A decay that nobody has measured, with the reason why it is assumed."""

    decay: float = Field(ge=0, le=5, description="of the log response, per unit of pressure")
    half_life_days: float = Field(gt=0, le=365)
    why: str = Field(min_length=10, description="where the number comes from")


class Fatigue(Section):
    """Whether and from how much evidence the worth of a contact falls with those before it."""

    enabled: bool = Field(default=True, description="false: no worth is changed, which is said")
    window_days: int = Field(
        default=28,
        ge=1,
        le=LONGEST_WINDOW_DAYS,
        description="older contacts exert no pressure, days",
    )
    half_lives: tuple[Annotated[float, Field(gt=0, le=365)], ...] = Field(
        default=(3.5, 7.0, 14.0, 28.0),
        min_length=1,
        max_length=12,
        description="the half-lives that are tried, days; intervals allow for the choice",
    )
    confidence: Share = Field(
        default=0.95,
        ge=0.5,
        le=0.999,
        description="of the interval of a channel's decay, over all half-lives together",
    )
    min_customers: int = Field(
        default=100,
        ge=20,
        description="customers that an estimate needs: within customers those who responded and "
        "were contacted under different pressures; randomised those whose earlier contacts were "
        "assigned at random",
    )
    min_responses: int = Field(
        default=30,
        ge=5,
        description="responses that an estimate needs under more pressure than usual, and as many "
        "under less",
    )
    exogeneity_level: float = Field(
        default=0.10,
        gt=0,
        lt=0.5,
        description="below this p-value of the test whether later contacts depend on responses, "
        "an estimate within customers is not evaluated",
    )
    assumed: dict[Channel, AssumedDecay] = Field(
        default={},
        description="per channel, the decay that is assumed where it could not be evaluated",
    )

    @field_validator("half_lives")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError(f"half_lives == {list(value)}, must rise, each once")
        return value

    @model_validator(mode="after")
    def _nothing_assumed_in_vain(self) -> Self:
        if self.assumed and not self.enabled:
            raise ValueError("enabled == false: leave out `assumed`, which would not be applied")
        return self
