"""The registry: scorers and snapshots in the BentoML model store of a run, with what made them.

A tag's version is a hash of its contents: what is trained twice from the same data with the same
parameters is one model, and saving it again only makes it the latest. Trees are kept in xgboost's
own format, everything else as JSON; nothing is pickled.

The store is always named by the caller as ``home`` (the folder that ``BENTOML_HOME`` would name).
BentoML itself reads that variable once, at the first use of its container, so that setting it
later, in a notebook's kernel, has no effect and writes into the user's own store. Hence a store
object is made here for the folder and handed to BentoML's functions, and nothing global changes.
``bentoml.xgboost.save_model`` is not used: it asks for the version of a distribution called
``xgboost``, which an installation of ``xgboost-cpu`` does not have.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import xgboost as xgb
from bentoml._internal.models import ModelStore
from bentoml.exceptions import BentoMLException

from mkt_models.columns import Model
from mkt_models.models.conformal import PredictionIntervals
from mkt_models.models.linear import Linear
from mkt_models.models.scorer import Scorer

TREES = "trees.ubj"
SCORER = "scorer.json"
SNAPSHOT = "mkt-snapshot"
SNAPSHOT_FILES = ("snapshot.sqlite", "catalogue.yaml", "params.json")


class RegistryError(LookupError):
    """A model that is not there or not readable; the message says which and what to do."""


def name_of(model: Model) -> str:
    """Say under which name a model stands in the store.

    >>> name_of(Model.CHURN)
    'mkt-churn'
    """
    return f"mkt-{model.value}"


def save(
    scorer: Scorer,
    *,
    params: Mapping[str, Any],
    data_hash: str,
    metrics: Mapping[str, Any],
    home: Path,
) -> str:
    """Save a scorer into the store at ``home`` and return its tag, e.g. ``mkt-churn:1f0c…``.

    ``params`` (the parameters it was trained with), ``data_hash`` (of the data it was trained on)
    and ``metrics`` (from the backtest) are kept beside the trees and shown by ``bentoml models
    get``. They must be plain: mappings, lists, strings and numbers; dates become ISO text and a
    number that is not finite becomes null.
    """
    trees = bytes(scorer.booster.save_raw(raw_format="ubj"))
    parts = {
        "name": scorer.name.value,
        "features": list(scorer.features),
        "link": scorer.link,
        "slope": scorer.slope,
        "intercept": scorer.intercept,
        "linear": None if scorer.linear is None else scorer.linear.as_dict(),
        "intervals": None if scorer.intervals is None else scorer.intervals.as_dict(),
        "words": {feature: dict(scorer.words[feature]) for feature in scorer.features},
    }
    origin = _plain({"params": params, "data_hash": data_hash, "metrics": metrics})
    text = _json(parts)
    version = _version(trees, text.encode(), _json(origin).encode())
    labels = {"project": "mkt-models", "model": scorer.name.value}
    contents = {TREES: trees, SCORER: text.encode()}
    metadata = {**parts, **origin, "xgboost": xgb.__version__}
    return _write(name_of(scorer.name), version, contents, labels, metadata, home)


def save_absence(model: Model, why: str, home: Path) -> str:
    """Say in the store at ``home`` that a run has no such model, and why; return the tag.

    A bento names all its models, so that a missing one is a mistake; this makes it a statement.
    """
    text = _json({"name": model.value, "not_available": why})
    labels = {"project": "mkt-models", "model": model.value}
    return _write(
        name_of(model), _version(text.encode()), {SCORER: text.encode()}, labels, {}, home
    )


def load(tag: str, home: Path) -> Scorer:
    """Load a scorer from the store at ``home``; ``mkt-churn:latest`` is the last one saved.

    Raises
    ------
    RegistryError
        When there is no such model, the store says that there is none, or its files are not those
        of a scorer.

    """
    return load_files(find(tag, home))


def absence(model: bentoml.Model) -> str | None:
    """Why a model of the store is none, as :func:`save_absence` said; None for a scorer."""
    try:
        parts = json.loads(Path(model.path_of(SCORER)).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RegistryError(f"{model.tag}: not readable as a scorer: {error}") from error
    return parts.get("not_available") if isinstance(parts, dict) else None


def load_files(model: bentoml.Model) -> Scorer:
    """Load a scorer from a model of the store, as a service gets it."""
    try:
        parts = json.loads(Path(model.path_of(SCORER)).read_text(encoding="utf-8"))
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


def save_snapshot(
    sqlite_file: Path,
    catalogue_file: Path,
    *,
    params: Mapping[str, Any],
    home: Path,
) -> str:
    """Save what the service knows about customers and strategies; return the tag.

    ``params`` are all parameters of the run, ``params.model_dump(mode="json")``. The database
    tells itself by which models its customers were scored and what the audit said of them. It is
    copied as it is: nobody may be writing to it.
    """
    contents = {
        "snapshot.sqlite": Path(sqlite_file).read_bytes(),
        "catalogue.yaml": Path(catalogue_file).read_bytes(),
        "params.json": _json(_plain(dict(params))).encode(),
    }
    labels = {"project": "mkt-models", "model": "snapshot"}
    version = _version(*contents.values())
    return _write(SNAPSHOT, version, contents, labels, {}, home)


def find(tag: str, home: Path) -> bentoml.Model:
    """Find a model of the store at ``home``; an unknown tag is a RegistryError."""
    try:
        return bentoml.models.get(tag, _model_store=_store(home))
    except BentoMLException as error:
        raise RegistryError(f"{tag}: not in the store {home}: train and save it first") from error


def _store(home: Path) -> ModelStore:
    folder = Path(home) / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return ModelStore(folder)


def _write(
    name: str,
    version: str,
    contents: Mapping[str, bytes],
    labels: dict[str, str],
    metadata: dict[str, Any],
    home: Path,
) -> str:
    store = _store(home)
    tag = f"{name}:{version}"
    # Same tag, same contents: written anew so that it becomes the latest.
    shutil.rmtree(Path(home) / "models" / name / version, ignore_errors=True)
    with bentoml.models.create(
        tag, labels=labels, metadata=_without_nulls(metadata), _model_store=store
    ) as model:
        for file, content in contents.items():
            Path(model.path_of(file)).write_bytes(content)
    return tag


def _version(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]


def _json(data: object) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _plain(data: Any) -> Any:
    """The same data in JSON's types: dates and paths as text, no NaN or infinity."""
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, np.generic):
        data = data.item()
    if isinstance(data, float):
        return data if np.isfinite(data) else None
    return data if data is None or isinstance(data, bool | int) else str(data)


def _without_nulls(data: Any) -> Any:
    """BentoML's metadata knows no null: leave such entries out, or say so in a list."""
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    if isinstance(data, list):
        return ["not available" if value is None else _without_nulls(value) for value in data]
    return data
