"""The snapshot in the model store: what the service knows about customers and strategies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bentoml

from mkt_models.models.model_store import version_of, write
from mkt_models.models.signature import RegistryError, read_file, to_json

SNAPSHOT = "mkt-snapshot"
SNAPSHOT_FILES = ("snapshot.sqlite", "catalogue.yaml", "params.json")


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
        "params.json": to_json(dict(params)).encode(),
    }
    labels = {"project": "mkt-models", "model": "snapshot"}
    version = version_of(*contents.values())
    return write(SNAPSHOT, version, contents, labels, {}, home)


def check_snapshot(model: bentoml.Model) -> None:
    """Raise RegistryError when a file of a snapshot is not the one that was saved."""
    version = version_of(*(read_file(model, name) for name in SNAPSHOT_FILES))
    if version != str(model.tag.version):
        raise RegistryError(
            f"{model.tag}: {', '.join(SNAPSHOT_FILES)}: one was changed after it was saved; make "
            "the snapshot again (notebooks 09_strategies and 10_package)"
        )
