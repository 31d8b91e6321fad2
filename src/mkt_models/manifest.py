"""What a run was made of: parameters, data, packages, commit, times. Enough to make it again."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from mkt_models.notebook_runs import timing
from mkt_models.stages import STAGES, Run


def manifest(run: Run) -> dict[str, Any]:
    """Describe a run whose stages have been executed.

    Returns
    -------
    A JSON-able mapping: ``parameters`` (all of them, merged) with their file, digest and
    overrides; ``data`` as the first stage recorded it, with the SHA-256 of every file; ``python``
    and ``packages`` (the direct dependencies and their versions); ``git`` (commit, and whether
    files differed from it); ``stages`` (when each last ran, and seconds); ``started`` and
    ``ended`` (of the stages' last executions, ISO 8601, UTC).

    """
    stages = {
        stage.name: timing(run.executed(stage)) for stage in STAGES if run.executed(stage).is_file()
    }
    starts = [note["started"] for note in stages.values() if note["started"]]
    ends = [note["ended"] for note in stages.values() if note["ended"]]
    params = run.workspace.params
    return {
        "run": params.run,
        "params_file": run.params_file.name,
        "overrides": run.overrides,
        "params_digest": params.digest,
        "parameters": params.model_dump(mode="json"),
        "data": _data(run),
        "python": sys.version.split()[0],
        "packages": package_versions(),
        "git": git_state(run.workspace.root),
        "stages": stages,
        "started": min(starts, default=None),
        "ended": max(ends, default=None),
    }


def package_versions(package: str = "mkt-models") -> dict[str, str]:
    """Versions of a package and of its direct dependencies that are installed, by name."""
    names = {package}
    for requirement in requires(package) or []:
        if found := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement):
            names.add(found.group().lower())
    versions = {}
    for name in sorted(names):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue  # belongs to an extra that is not installed
    return versions


def git_state(root: Path) -> dict[str, Any]:
    """The commit that is checked out, and whether files differ from it; unknown outside git."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": "unknown", "dirty": None}
    return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain"))}


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _data(run: Run) -> Any:
    if not run.workspace.path("raw", "source.json").is_file():
        return "not recorded"
    return run.workspace.read_json("raw", "source")
