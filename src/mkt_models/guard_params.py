"""Parameters of the guards: what counts as too good to be true, and which features are used."""

from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.sections import Section, Share

# A reason has at least so many characters and words: enough to say what the feature is.
REASON_LENGTH = 20
REASON_WORDS = 4


class Finding(StrEnum):
    """What may be wrong with a feature; :data:`NOTED` are told, all others stop the training."""

    TOO_GOOD_ALONE = "too_good_alone"
    CONSTANT = "constant"
    DUPLICATE_OF_TARGET = "duplicate_of_target"
    DUPLICATE_OF_FEATURE = "duplicate_of_feature"
    MISSING_AT_SERVING = "missing_at_serving"
    NOT_SERVED = "not_served"
    IDENTIFIER_LIKE = "identifier_like"
    SENSITIVE = "sensitive"
    TOO_GOOD_TOGETHER = "too_good_together"  # of the model as a whole, not of a feature


# A constant is never split on, and a copy only shares its importance: neither makes a number false.
NOTED = (Finding.CONSTANT, Finding.DUPLICATE_OF_FEATURE)

# What stands for a feature where the finding is one of all of them.
TOGETHER = "all"


def _with_a_scorer(model: Model) -> Model:
    if model not in SCORING_MODELS:
        names = ", ".join(one.value for one in SCORING_MODELS)
        raise ValueError(f"{model.value!r} has no features; must be one of: {names}")
    return model


class Allowed(Section):
    """A finding that is right all the same, for one model, and why."""

    model: Model = Field(description="what is allowed for one purpose is not for another")
    feature: str = Field(min_length=1)
    finding: Finding
    reason: str = Field(description="a sentence: why the feature may be used all the same")

    @field_validator("model")
    @classmethod
    def _trained(cls, value: Model) -> Model:
        return _with_a_scorer(value)

    @field_validator("finding")
    @classmethod
    def _stops(cls, value: Finding) -> Finding:
        if value in NOTED:
            raise ValueError(f"{value.value} stops nothing, so there is nothing to allow")
        return value

    @field_validator("reason")
    @classmethod
    def _real(cls, value: str) -> str:
        text = " ".join(value.split())
        # Chinese has no spaces between its words: there, length alone must do.
        wordy = len(text.split()) >= REASON_WORDS or not text.isascii()
        if len(text) < (REASON_LENGTH if text.isascii() else REASON_LENGTH // 2) or not wordy:
            raise ValueError(
                "must be a sentence that says why the feature is known before the label begins, "
                f"or why it may be used: at least {REASON_WORDS} words"
            )
        return text

    @model_validator(mode="after")
    def _of_all(self) -> "Allowed":
        if (self.finding is Finding.TOO_GOOD_TOGETHER) != (self.feature == TOGETHER):
            raise ValueError(
                f"feature == {self.feature!r}: {Finding.TOO_GOOD_TOGETHER.value} is of feature: "
                f"{TOGETHER}, and no other finding is"
            )
        return self


class Guards(Section):
    """When a feature is too good to be true, and what is allowed all the same."""

    max_single_auc: float = Field(
        default=0.9,
        gt=0.5,
        le=1,
        description="a feature is too good when the interval of its AUC alone, in either "
        "direction, lies above this (0.5 is chance)",
    )
    max_single_gini: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="the same for an amount: the normalised Gini alone (0 is chance)",
    )
    max_model_auc: float = Field(
        default=0.97,
        gt=0.5,
        le=1,
        description="a model is too good when the interval of its AUC on later cutoffs lies above "
        "this; 1: never",
    )
    max_model_gini: float = Field(
        default=0.97,
        gt=0,
        le=1,
        description="the same for an amount: the normalised Gini of the model; 1: never",
    )
    max_missing_rise: Share = Field(
        default=0.5,
        description="a feature is missing at serving when its missing share among today's "
        "customers is so much above that in training",
    )
    allowed: tuple[Allowed, ...] = Field(default=(), description="findings that are right")

    @model_validator(mode="after")
    def _once(self) -> "Guards":
        seen = set()
        for entry in self.allowed:
            key = (entry.model, entry.feature, entry.finding)
            if key in seen:
                raise ValueError(
                    f"allowed: {entry.finding.value} of {entry.feature!r} stands twice for "
                    f"{entry.model.value}"
                )
            seen.add(key)
        return self


class FeatureChoice(Section):
    """Which features of the catalogue the models do without.

    Names are those of the catalogue; :func:`mkt_models.models.feature_choice.chosen_features`
    says which one is nearest to an unknown name.
    """

    drop: tuple[str, ...] = Field(default=(), description="features that no model uses")
    drop_from: dict[Model, tuple[str, ...]] = Field(
        default_factory=dict, description="per model, features that it does not use either"
    )

    @field_validator("drop_from")
    @classmethod
    def _trained(cls, value: dict[Model, tuple[str, ...]]) -> dict[Model, tuple[str, ...]]:
        return {_with_a_scorer(model): names for model, names in value.items()}

    def dropped(self, model: Model) -> tuple[str, ...]:
        """Every name that is dropped from a model, in the order of the parameters."""
        return (*self.drop, *self.drop_from.get(model, ()))
