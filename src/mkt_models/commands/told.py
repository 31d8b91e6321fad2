"""What commands share: how they are added, the parameter file, the root, the environment."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkt_models.loading import ParamsError

Commands = Any
"""The subparsers of argparse, whose type has no public name."""

DEFAULT_PARAMS = "params/complete_journey.yaml"
# One thread per stage: two stages run at a time, and numeric libraries would fight over the cores.
ENVIRONMENT = {
    "BENTOML_DO_NOT_TRACK": "True",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


def added(
    commands: Commands,
    name: str,
    function: Callable[[argparse.Namespace], int],
    *,
    takes_params: bool = True,
) -> argparse.ArgumentParser:
    """Add a command whose help is the docstring of its function, which returns the exit code."""
    words = str(function.__doc__)
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    command.set_defaults(command=function)
    if takes_params:
        command.add_argument("params", nargs="?", default=DEFAULT_PARAMS, help="parameter file")
    return command


def add_settings(command: argparse.ArgumentParser, words: str) -> None:
    """Add ``--set key=value …`` to a command."""
    command.add_argument("--set", help=words, nargs="*", default=[], metavar="key=value")


def set_environment() -> None:
    """Set what the libraries read, before any is imported; what is set already stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def project_root(start: Path | None = None) -> Path:
    """The nearest folder, from ``start`` upwards, that holds ``dodo.py``."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dodo.py").is_file():
            return folder
    raise ParamsError(f"{here}: no dodo.py here or above; run this inside the project's folder")


def told_to_the_graph(args: argparse.Namespace) -> tuple[Path, Path]:
    """Say to ``dodo.py``, by the environment, which run is meant; its root and parameter file."""
    root, params_file = project_root(), Path(args.params).resolve()
    os.environ.update({"MKT_ROOT": str(root), "MKT_PARAMS": str(params_file)})
    os.environ["MKT_SET"] = " ".join(args.set)
    return root, params_file
