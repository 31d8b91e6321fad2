"""The registry: scorers in the BentoML model store of a run, with their cards.

A tag's version is a hash of its contents: what is trained twice from the same data with the same
parameters is one model, and saving it again only makes it the latest. Trees are kept in xgboost's
own format, everything else as JSON; nothing is pickled.

A model's files are ``trees.ubj``, ``scorer.json`` and ``card.json`` (the facts of its card), whose
hashes stand in ``signature.json`` and make the version; and ``standing.json``, which changes when a
model is released or retired, and carries a hash of its own. All are checked at every loading. That
finds what was changed by accident or in passing; it is no secret, and stops nobody who also
computes the hashes anew.
"""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bentoml
import xgboost as xgb
from pydantic import ValidationError

from mkt_models.columns import Model, ModelStatus
from mkt_models.models.card import Facts, ModelCard, Standing
from mkt_models.models.conformal import PredictionIntervals
from mkt_models.models.linear import Linear
from mkt_models.models.model_store import find, version_of, write
from mkt_models.models.scorer import Scorer
from mkt_models.models.signature import (
    CARD,
    SCORER,
    SIGNATURE,
    SIGNED,
    STANDING,
    TREES,
    RegistryError,
    changed,
    digest,
    read_file,
    sealed,
    signature_of,
    to_json,
    verified,
)

__all__ = [
    "CARD",
    "SCORER",
    "SIGNATURE",
    "SIGNED",
    "STANDING",
    "TREES",
    "RegistryError",
    "absence",
    "find",
    "load",
    "load_files",
    "make_latest",
    "name_of",
    "read_card",
    "refusal",
    "save",
    "save_absence",
    "save_refusal",
    "set_standing",
]


def name_of(model: Model) -> str:
    """Say under which name a model stands in the store.

    >>> name_of(Model.CHURN)
    'mkt-churn'
    """
    return f"mkt-{model.value}"


def save(scorer: Scorer, facts: Facts, home: Path) -> str:
    """Save a scorer with the facts of its card into the store at ``home``.

    Returns its tag, e.g. ``mkt-churn:1f0c…``. A new version is a candidate; one that is there
    already keeps its standing, so that training a released model again does not withdraw it; if a
    file of it was changed, all are written anew, and it is a candidate until it is judged again.

    Raises
    ------
    ValueError
        When the card is that of another model, or of other features.

    """
    if facts.model is not scorer.name or [f.name for f in facts.features] != [*scorer.features]:
        raise ValueError(f"the card of {facts.model.value} does not fit {scorer.name.value}")
    contents = {
        TREES: bytes(scorer.booster.save_raw(raw_format="ubj")),
        SCORER: to_json(_parts(scorer)).encode(),
        CARD: to_json(facts.model_dump(mode="json")).encode(),
    }
    digests = {name: digest(content) for name, content in contents.items()}
    signature = signature_of(digests)
    version = signature[:12]
    contents[SIGNATURE] = to_json({"sha256": digests, "signature": signature}).encode()
    standing = Standing()
    tag = f"{name_of(scorer.name)}:{version}"
    if (Path(home) / "models" / name_of(scorer.name) / version / STANDING).is_file():
        with contextlib.suppress(RegistryError):  # a file was changed: it is written anew
            standing = read_card(find(tag, home)).standing
    contents[STANDING] = sealed(standing, signature)
    labels = {"project": "mkt-models", "model": scorer.name.value}
    metadata = {
        **facts.model_dump(mode="json"),
        "signature": signature,
        "features": list(scorer.features),
        "xgboost": xgb.__version__,
    }
    return write(name_of(scorer.name), version, contents, labels, metadata, home)


def set_standing(tag: str, standing: Standing, home: Path) -> ModelCard:
    """Write down what was decided about a version; nothing else of it changes. Give its card."""
    model = find(tag, home)
    card = read_card(model)
    path = Path(model.path_of(STANDING))
    partial = path.with_suffix(".partial")
    partial.write_bytes(sealed(standing, card.signature))
    partial.replace(path)
    return card.model_copy(update={"standing": standing})


def make_latest(tag: str, home: Path) -> str:
    """Let ``<name>:latest`` be this version: what a bento is built with. Give the tag."""
    model = find(tag, home)
    read_card(model)
    contents = {
        name: Path(model.path_of(name)).read_bytes() for name in (*SIGNED, SIGNATURE, STANDING)
    }
    info = model.info
    version = str(model.tag.version)
    return write(model.tag.name, version, contents, dict(info.labels), dict(info.metadata), home)


def read_card(model: bentoml.Model) -> ModelCard:
    """Read the card of a stored model, after checking every file of it against its signature.

    Raises
    ------
    RegistryError
        When a file is missing, was changed by a byte, or is no card.

    """
    signature = verified(model)
    try:
        facts = Facts.model_validate_json(read_file(model, CARD))
        kept = json.loads(read_file(model, STANDING))
        standing = Standing.model_validate_json(to_json(kept["standing"]))
        seal = sealed(kept["standing"], signature)
    except (ValueError, KeyError, TypeError, ValidationError):
        raise changed(model, STANDING) from None
    if read_file(model, STANDING) != seal:
        raise changed(model, STANDING)
    version = str(model.tag.version)
    return ModelCard(version=version, signature=signature, facts=facts, standing=standing)


def save_absence(model: Model, why: str, home: Path) -> str:
    """Say in the store at ``home`` that a run has no such model, and why; return the tag.

    A bento names all its models, so that a missing one is a mistake; this makes it a statement.
    """
    return _save_statement(model, {"not_available": why}, home)


def save_refusal(model: Model, why: str, home: Path) -> str:
    """Say in the store at ``home`` that no version of a model is released, and why."""
    return _save_statement(model, {"not_released": why}, home)


def load(tag: str, home: Path) -> Scorer:
    """Load a scorer from the store at ``home``; ``mkt-churn:latest`` is the last one saved.

    Raises
    ------
    RegistryError
        When there is no such model, the store says that there is none, or its files are not those
        of a scorer.

    """
    return load_files(find(tag, home))


_UNRELEASED = {
    ModelStatus.CANDIDATE: "has not been judged yet, so it is not served",
    ModelStatus.REFUSED: "was not released",
    ModelStatus.RETIRED: "was released once and is retired",
}


def absence(model: bentoml.Model) -> str | None:
    """Why a model of the store is none, as :func:`save_absence` said; None for others."""
    return _statement(model).get("not_available")


def refusal(model: bentoml.Model) -> str | None:
    """Why a model of the store may not be served; None for a released one, and for an absence.

    Only a model with an intact card whose status is *released* is served.
    """
    statement = _statement(model)
    if "not_available" in statement or "not_released" in statement:
        return statement.get("not_released")
    card = read_card(model)
    if card.released:
        return None
    said = _UNRELEASED[card.standing.status]
    return f"{card.tag}, which this service was given, {said}: {card.standing.reason.en}"


def load_files(model: bentoml.Model) -> Scorer:
    """Load a scorer from a model of the store, as a service gets it, whatever its status.

    Raises RegistryError for a statement, and for files that are not those that were signed.
    """
    for kind, why in _statement(model).items():
        if kind in ("not_available", "not_released"):
            raise RegistryError(f"{model.tag}: not readable as a scorer: {why}")
    verified(model)
    try:
        parts = json.loads(read_file(model, SCORER))
        booster = xgb.Booster({"nthread": 1}, model_file=model.path_of(TREES))
        return Scorer(
            name=Model(parts["name"]),
            booster=booster,
            features=tuple(parts["features"]),
            link=parts["link"],
            words=parts["words"],
            linear=Linear.from_dict(parts["linear"]) if parts["linear"] else None,
            intervals=(
                PredictionIntervals.from_dict(parts["intervals"]) if parts["intervals"] else None
            ),
            slope=parts["slope"],
            intercept=parts["intercept"],
            version=str(model.tag.version),
        )
    except (OSError, ValueError, KeyError, xgb.core.XGBoostError) as error:
        raise RegistryError(f"{model.tag}: not readable as a scorer: {error}") from error


def _parts(scorer: Scorer) -> dict[str, Any]:
    return {
        "name": scorer.name.value,
        "features": list(scorer.features),
        "link": scorer.link,
        "slope": scorer.slope,
        "intercept": scorer.intercept,
        "linear": None if scorer.linear is None else scorer.linear.as_dict(),
        "intervals": None if scorer.intervals is None else scorer.intervals.as_dict(),
        "words": {feature: dict(scorer.words[feature]) for feature in scorer.features},
    }


def _save_statement(model: Model, statement: Mapping[str, str], home: Path) -> str:
    text = to_json({"name": model.value, **statement}).encode()
    labels = {"project": "mkt-models", "model": model.value}
    return write(name_of(model), version_of(text), {SCORER: text}, labels, {}, home)


def _statement(model: bentoml.Model) -> dict[str, str]:
    """What stands in a model's place, or the parts of its scorer."""
    try:
        parts = json.loads(read_file(model, SCORER))
    except ValueError:
        raise changed(model, SCORER) from None
    if not isinstance(parts, dict):
        raise changed(model, SCORER)
    if {"not_available", "not_released"} & set(parts):
        if version_of(read_file(model, SCORER)) != str(model.tag.version):
            raise changed(model, SCORER)
        return {key: str(value) for key, value in parts.items()}
    return {}
