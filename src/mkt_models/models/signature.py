"""Which files a stored model has, and whether they are those that were saved.

``signature.json`` holds the SHA-256 of each file that never changes, and the signature: the hash of
those. ``standing.json`` changes with every decision, so it carries a hash of its own, which the
signature is part of: the standing of one model does not fit another.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bentoml

from mkt_models.models.card import Standing

TREES = "trees.ubj"
SCORER = "scorer.json"
CARD = "card.json"
SIGNATURE = "signature.json"
STANDING = "standing.json"
SIGNED = (TREES, SCORER, CARD)


class RegistryError(LookupError):
    """A model that is not there, not readable or not intact; the message says which, what to do."""


def to_json(data: object) -> str:
    """Write JSON in one way only, so that equal contents have equal hashes."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False)


def digest(content: bytes) -> str:
    """Give the SHA-256 of a content, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def signature_of(digests: Mapping[str, str]) -> str:
    """Give the signature of a model: the hash of the hashes of its signed files, by name."""
    return digest(to_json(dict(digests)).encode())


def sealed(standing: Standing | Mapping[str, Any], signature: str) -> bytes:
    """Write a standing with the hash that ties it to the model of this signature.

    One that was read is sealed as it was written, whatever a standing has gained since.
    """
    kept = standing.model_dump(mode="json") if isinstance(standing, Standing) else dict(standing)
    seal = digest(f"{signature}{to_json(kept)}".encode())
    return to_json({"standing": kept, "sha256": seal}).encode()


def verified(model: bentoml.Model) -> str:
    """Give the signature of a model, after checking its signed files; else raise RegistryError."""
    digests = {name: digest(read_file(model, name)) for name in SIGNED}
    signature = signature_of(digests)
    try:
        kept = json.loads(read_file(model, SIGNATURE))
        signed = {str(name): str(told_of) for name, told_of in kept["sha256"].items()}
        told = str(kept["signature"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise changed(model, SIGNATURE) from None
    if signature[:12] == str(model.tag.version):
        if (
            told != signature
            or signed != digests
            or read_file(model, SIGNATURE) != to_json(kept).encode()
        ):
            raise changed(model, SIGNATURE)
        return signature
    wrong = [name for name in SIGNED if signed.get(name) != digests[name]]
    raise changed(model, *(wrong or [SIGNATURE]))


def read_file(model: bentoml.Model, name: str) -> bytes:
    """Read a file of a stored model; RegistryError, naming both, when it is missing."""
    try:
        return Path(model.path_of(name)).read_bytes()
    except OSError as error:
        raise RegistryError(
            f"{model.tag}: {name} is missing: train the model again, or take the store from a "
            "backup"
        ) from error


def changed(model: bentoml.Model, *names: str) -> RegistryError:
    """Make the error for files that are not those that were saved."""
    return RegistryError(
        f"{model.tag}: {', '.join(names)} was changed after it was saved; a model is never edited: "
        "train it again, or take the store from a backup"
    )
