"""BentoML's model store in a named folder: write a model of some files, find it again.

The store is always named by the caller as ``home`` (the folder that ``BENTOML_HOME`` would name).
BentoML itself reads that variable once, at the first use of its container, so that setting it
later, in a notebook's kernel, has no effect and writes into the user's own store. Hence a store
object is made here for the folder and handed to BentoML's functions, and nothing global changes.
``bentoml.xgboost.save_model`` is not used: it asks for the version of a distribution called
``xgboost``, which an installation of ``xgboost-cpu`` does not have.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bentoml
from bentoml._internal.models import ModelStore
from bentoml.exceptions import BentoMLException

from mkt_models.models.signature import RegistryError


def find(tag: str, home: Path) -> bentoml.Model:
    """Find a model of the store at ``home``; an unknown tag is a RegistryError."""
    try:
        found = bentoml.models.get(tag, _model_store=_store(home))
    except BentoMLException as error:
        raise RegistryError(f"{tag}: not in the store {home}: train and save it first") from error
    name, _, version = tag.partition(":")
    if found.tag.name != name or version not in ("", "latest", found.tag.version):
        raise RegistryError(f"{tag}: its folder in the store {home} holds {found.tag}")
    return found


def _store(home: Path) -> ModelStore:
    folder = Path(home) / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return ModelStore(folder)


def write(
    name: str,
    version: str,
    contents: Mapping[str, bytes],
    labels: dict[str, str],
    metadata: dict[str, Any],
    home: Path,
) -> str:
    """Write files as version ``version`` of model ``name``, the latest now; return the tag."""
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


def version_of(*contents: bytes) -> str:
    """Twelve hex digits that change when a file does."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]


def _without_nulls(data: Any) -> Any:
    """BentoML's metadata knows no null: leave such entries out, or say so in a list."""
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    if isinstance(data, list):
        return ["not available" if value is None else _without_nulls(value) for value in data]
    return data
