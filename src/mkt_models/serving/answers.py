"""What is said about a customer: the profile in its eight dimensions, and the scores."""

from collections.abc import Mapping
from typing import Any

from mkt_models.columns import NOT_AVAILABLE, PROFILE_DIMENSIONS, Dimension, Model, NumberKind
from mkt_models.models.scorer import FeatureError, Score, Scorer
from mkt_models.params import Params
from mkt_models.sections import nearest
from mkt_models.serving.wire import Fault, ScoreRequest, shortened

_NOT_SHOWN = ("customer_id", "as_of")


def profile_answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """One customer's profile by dimension, and the stored scores with their reasons.

    ``document`` is the customer's document of the snapshot. What is not known, a column or a
    whole dimension, says ``not available``.
    """
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
        "scores": document.get("scores", {}),
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
) -> dict[str, Any]:
    """What the models say of given features; without ``model``, churn and value.

    Raises
    ------
    Fault
        With status 422, when a feature is known to none of the models, or none has a value.

    """
    asked = [request.model] if request.model else [Model.CHURN, Model.VALUE]
    if absent := [model for model in asked if model not in scorers]:
        return {"scores": {model.value: {"value": NOT_AVAILABLE} for model in absent}}
    known = {name for model in asked for name in scorers[model].features}
    for name in request.features:
        if name not in known:
            message = f"{shortened(name)!r} is no feature{nearest(name, known)}"
            raise Fault(422, "unknown_feature", message, f"features.{shortened(name)}")
    if all(value is None for value in request.features.values()):
        raise Fault(422, "invalid", "features: give at least one with a value", "features")
    scores: dict[str, Any] = {}
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
    return {
        "value": score.value,
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
    if model is Model.CHURN:
        days = params.churn.horizon_days
        en, zh = f"probability of no order in the next {days} days", f"未来{days}天内不下单的概率"
        return "probability", {"en": en, "zh": zh}
    if model is Model.VALUE:
        days = params.value.horizon_days
        return params.source.currency, {
            "en": f"expected spend in the next {days} days",
            "zh": f"未来{days}天的预计消费额",
        }
    return "probability", {
        "en": "probability of redeeming an offer of the campaign, if it is sent",
        "zh": "若发送该活动，核销优惠的概率",
    }
