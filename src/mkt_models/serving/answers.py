"""What is said about a customer: the profile in its eight dimensions, and the scores."""

from collections.abc import Mapping
from typing import Any

from mkt_models.columns import (
    NOT_AVAILABLE,
    PROFILE_DIMENSIONS,
    Dimension,
    Model,
    ModelStatus,
    NumberKind,
)
from mkt_models.models.card_words import question_of
from mkt_models.models.scorer import FeatureError, Score, Scorer
from mkt_models.params import Params
from mkt_models.sections import nearest
from mkt_models.serving.bodies import ScoreRequest
from mkt_models.serving.wire import Fault, shortened

REFUSED = ModelStatus.REFUSED.value
_NOT_SHOWN = ("customer_id", "as_of")


def profile_answer(
    document: Mapping[str, Any], refused: Mapping[Model, str] = {}
) -> dict[str, Any]:
    """One customer's profile by dimension, and the stored scores with their reasons.

    ``document`` is the customer's document of the snapshot. What is not known, a column or a
    whole dimension, says ``not available``; a model that is ``refused`` has no scores, and the
    reason stands in their place.
    """
    scores = {
        name: score for name, score in document.get("scores", {}).items() if name not in refused
    }
    profile = {k: v for k, v in document["profile"].items() if k not in _NOT_SHOWN}
    placed = {column for columns in PROFILE_DIMENSIONS.values() for column in columns}
    rest = tuple(column for column in profile if column not in placed)
    return {
        "customer_id": document["customer_id"],
        "as_of": document["as_of"],
        "dimensions": {
            dimension.value: _dimension(profile, columns, rest if dimension is _REST else ())
            for dimension, columns in PROFILE_DIMENSIONS.items()
        },
        "dimensions_kind": NumberKind.OBSERVED.value,
        "scores": scores,
        "not_released": {model.value: why for model, why in refused.items()},
    }


_REST = Dimension.HABIT


def _dimension(
    profile: Mapping[str, Any], columns: tuple[str, ...], rest: tuple[str, ...]
) -> dict[str, Any] | str:
    shown = {name: profile.get(name) for name in (*columns, *rest)}
    if all(value in (None, NOT_AVAILABLE, []) for value in shown.values()):
        return NOT_AVAILABLE
    return {name: NOT_AVAILABLE if value is None else value for name, value in shown.items()}


def score_answer(
    request: ScoreRequest,
    scorers: Mapping[Model, Scorer],
    verdicts: Mapping[str, str],
    params: Params,
    refused: Mapping[Model, str] = {},
) -> dict[str, Any]:
    """What the released models say of given features; without ``model``, churn and value.

    A model that is not released has no value: its part says ``refused``, and why.

    Raises
    ------
    Fault
        With status 409 when the one model that is asked is not released; with 422 when a feature
        is known to none of the models, or none has a value.

    """
    if request.model is not None and request.model in refused:
        message = f"this service has no released version of the model: {refused[request.model]}"
        raise Fault(409, "model_not_released", message, "model")
    wanted = [request.model] if request.model else [Model.CHURN, Model.VALUE]
    without: dict[str, Any] = {
        model.value: {"value": NOT_AVAILABLE}
        | ({"status": REFUSED, "reason": refused[model]} if model in refused else {})
        for model in wanted
        if model not in scorers
    }
    asked = [model for model in wanted if model in scorers]
    if not asked:
        return {"scores": without}
    known = {name for model in asked for name in scorers[model].features}
    for name in request.features:
        if name not in known:
            message = f"{shortened(name)!r} is no feature{nearest(name, known)}"
            raise Fault(422, "unknown_feature", message, f"features.{shortened(name)}")
    if all(value is None for value in request.features.values()):
        raise Fault(422, "invalid", "features: give at least one with a value", "features")
    scores = without
    for model in asked:
        scorer = scorers[model]
        own = {name: v for name, v in request.features.items() if name in scorer.features}
        try:
            score = scorer.score_row(own)
        except FeatureError as error:
            if request.model or error.feature != "features":
                raise Fault(422, "invalid", str(error), f"features.{error.feature}") from None
            scores[model.value] = {"value": NOT_AVAILABLE, "model": scorer.tag}
            continue
        verdict = verdicts.get(model.value, "not_evaluated")
        scores[model.value] = _one(score, scorer, verdict, params)
    return {"scores": scores}


def _one(score: Score, scorer: Scorer, verdict: str, params: Params) -> dict[str, Any]:
    unit, meaning = meaning_of(scorer.name, params)
    around: dict[str, float] = {}
    if score.ends is not None and scorer.intervals is not None:
        lower, upper = score.ends
        around = {"lower": lower, "upper": upper, "confidence": scorer.intervals.confidence}
    return {
        "value": score.value,
        **around,
        "unit": unit,
        "kind": NumberKind.PREDICTED.value,
        "model": scorer.tag,
        "verdict": verdict,
        "meaning": meaning,
        "reasons": list(score.reasons),
        "missing": list(score.missing),
    }


def meaning_of(model: Model, params: Params) -> tuple[str, dict[str, str]]:
    """The unit of a model's scores, and what they say, in English and Chinese."""
    question = question_of(model, params)
    return question.unit, {"en": question.en, "zh": question.zh}
