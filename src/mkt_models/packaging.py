"""The bento: built with what serving needs and nothing else; and, from the modules below, run.

>>> [pin for pin in requirements(Path("requirements.lock")) if pin.startswith("pandas")]
[]
"""

import importlib.metadata
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mkt_models.columns import SCORING_MODELS
from mkt_models.models.registry import find, name_of
from mkt_models.models.snapshot import SNAPSHOT
from mkt_models.serving.process import (
    BENTO,
    PackagingError,
    Server,
    ask,
    bento_folder,
    bentoml_command,
    bentoml_environment,
    running,
    serve,
    tail,
)
from mkt_models.store.snapshot import Store

__all__ = [
    "PackagingError",
    "Server",
    "ask",
    "build",
    "describe",
    "requirements",
    "running",
    "serve",
]


# A build has been seen to end with an error after all was written, and to succeed when repeated.
_ATTEMPTS = 2


def requirements(lock_file: Path) -> list[str]:
    """Pin what ``pip install mkt-models`` without extras needs, as the lock file pins it.

    BentoML is left out: it adds itself to every bento in the version that builds it.

    Raises
    ------
    PackagingError
        When the lock file lacks a package that serving needs.

    """
    pins: dict[str, str] = {}
    for line in lock_file.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            pins[canonicalize_name(Requirement(text).name)] = text
    missing = [name for name in sorted(_closure()) if name not in pins]
    if missing:
        raise PackagingError(f"{lock_file.name} lacks {', '.join(missing)}: run `make lock`")
    return [pins[name] for name in sorted(_closure()) if name != "bentoml"]


def build(root: Path, home: Path) -> str:
    """Build a bento from the sources under ``root`` and the latest models of the store ``home``.

    Returns
    -------
    str
        Its tag, e.g. ``mkt_models:x7f…``.

    Raises
    ------
    PackagingError
        When a model or the snapshot is missing, when the snapshot was scored by other models than
        the latest, or when BentoML refuses; the end of its log is in the message.

    """
    _check_models(home)
    with tempfile.TemporaryDirectory(prefix="mkt-bento-") as folder:
        context = Path(folder)
        package = context / "src" / "mkt_models"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / "src" / "mkt_models", package, ignore=ignored)
        shutil.copy(root / "bentofile.yaml", context)
        pins = "\n".join(requirements(root / "requirements.lock"))
        (context / "requirements.txt").write_text(f"{pins}\n", encoding="utf-8")
        command = [*bentoml_command(), "build", "--output", "tag", "."]
        for _ in range(_ATTEMPTS):
            done = subprocess.run(
                command,
                cwd=context,
                env=bentoml_environment(home),
                capture_output=True,
                check=False,
            )
            said = (done.stdout + done.stderr).decode("utf-8", "replace")
            found = re.search(rf"__tag__:({BENTO}:\w+)", said)
            if done.returncode == 0 and found is not None:
                return found[1]
    raise PackagingError(
        f"BentoML could not build the bento (exit status {done.returncode}):\n{tail(said)}"
    )


def describe(tag: str, home: Path) -> dict[str, Any]:
    """Say what a bento holds: its models by tag, its requirements, and its size in bytes."""
    folder = bento_folder(tag, home)
    info = yaml.safe_load((folder / "bento.yaml").read_text(encoding="utf-8"))
    models = [model["tag"] for service in info["services"] for model in service["models"]]
    pins = (folder / "env" / "python" / "requirements.txt").read_text(encoding="utf-8").split()
    places = [folder, *(home / "models" / model.replace(":", "/") for model in models)]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    return {
        "tag": f"{info['name']}:{info['version']}",
        "built_at": str(info["creation_time"]),
        "bentoml": info["bentoml_version"],
        "models": sorted(models),
        "requirements": pins,
        "bytes": sum(file.stat().st_size for file in files),
    }


def _check_models(home: Path) -> None:
    latest = {model: find(f"{name_of(model)}:latest", home) for model in SCORING_MODELS}
    snapshot = find(f"{SNAPSHOT}:latest", home)
    with Store.open(snapshot.path_of("snapshot.sqlite")) as store:
        scored = store.meta().models
    for model, stored in latest.items():
        now = f"{model.value}:{stored.tag.version}"
        then = scored.get(model.value, now)
        if then != now:
            raise PackagingError(
                f"the snapshot was scored by {then}, the latest model is {now}: "
                "make the snapshot again (notebook 09_strategies), then build"
            )


def _closure() -> set[str]:
    """Canonical names of what the package needs in this environment, without its extras."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in importlib.metadata.requires("mkt-models") or []]
    waiting = [
        need for need in waiting if need.marker is None or need.marker.evaluate({"extra": ""})
    ]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        need = waiting.pop()
        name, extras = canonicalize_name(need.name), frozenset(need.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        for text in importlib.metadata.requires(name) or []:
            inner = Requirement(text)
            wanted = ({"extra": extra} for extra in (*extras, ""))
            if inner.marker is None or any(inner.marker.evaluate(one) for one in wanted):
                waiting.append(inner)
    return found
