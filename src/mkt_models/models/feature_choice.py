"""Which features a model uses: those of its catalogue without the ones that the params drop."""

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.guard_params import FeatureChoice
from mkt_models.loading import ParamsError
from mkt_models.models.propensity import features_of_propensity
from mkt_models.profiles.measures import Measure, catalogue
from mkt_models.sections import nearest


class FeatureChoiceError(ParamsError):
    """Names under ``features`` that no catalogue has; the message names the nearest."""


def catalogue_of(model: Model) -> dict[str, Measure]:
    """Every feature that a model could use, by column name."""
    return features_of_propensity() if model is Model.PROPENSITY else catalogue()


def chosen_features(model: Model, choice: FeatureChoice) -> dict[str, Measure]:
    """Give the features of a model, without the ones that are dropped.

    A name under ``drop`` need only be known to one of the models, and is dropped from those that
    have it; a name under ``drop_from`` must be known to its model. All names are checked whichever
    model asks, so that the first notebook tells of every fault.

    Raises
    ------
    FeatureChoiceError
        Naming every unknown name with the nearest known one, or when no feature is left.

    >>> choice = FeatureChoice(drop=("stores_90d",), drop_from={Model.VALUE: ("overdue",)})
    >>> "stores_90d" in chosen_features(Model.CHURN, choice)
    False
    >>> [("overdue" in chosen_features(model, choice)) for model in (Model.CHURN, Model.VALUE)]
    [True, False]
    """
    known = {one: catalogue_of(one) for one in SCORING_MODELS}
    anywhere = {name for names in known.values() for name in names}
    faults = [
        f"features.drop: {name!r} is no feature{nearest(name, anywhere)}"
        for name in choice.drop
        if name not in anywhere
    ]
    faults += [
        f"features.drop_from.{one.value}: {name!r} is no feature of {one.value}"
        f"{nearest(name, known[one])}"
        for one, names in choice.drop_from.items()
        for name in names
        if name not in known[one]
    ]
    if faults:
        raise FeatureChoiceError("\n".join(faults))
    dropped = set(choice.dropped(model))
    kept = {name: measure for name, measure in known[model].items() if name not in dropped}
    if not kept:
        raise FeatureChoiceError(f"features: all {len(dropped)} features of {model.value} dropped")
    return kept
