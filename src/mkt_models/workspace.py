"""Where the tables and files of one run live.

A run owns two folders of the project: ``build/<run>/`` for what the stages hand to each other,
and ``reports/<run>/`` for what people read. Both can be deleted; ``make run`` makes them again,
but for the ledger of releases and the champions of earlier runs, which go with ``build/<run>/``.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mkt_models.loading import load_params
from mkt_models.params import Params
from mkt_models.sections import only
from mkt_models.source_params import AnySource


class MissingInputError(FileNotFoundError):
    """A stage's input is not there; the message names the stage that makes it."""


class NotAvailableError(LookupError):
    """A stage's result cannot be had from this source; the message says what lacks, for people.

    A notebook raises it. The run goes on: the stage counts as done, its page says why there is
    nothing, and the stages after it do without.
    """


NOT_AVAILABLE_FILE = "not_available"  # .json, in the first folder of a stage without a result

# Which notebook makes the tables of a folder or the file of a name.
MADE_BY = {
    "raw": "01_explore",
    "clean": "02_clean",
    "quarantine": "02_clean",
    "profile": "03_profile",
    "mining": "04_mine",
    "churn": "05_churn",
    "value": "06_value",
    "propensity": "07_propensity",
    "audit": "08_bias_audit",
    "release": "08_bias_audit",
    "decisions": "09_strategies",
    "package": "10_package",
    "monitoring": "11_monitor",
    "served": "12_served",
    "truth": "01_explore",  # of a simulated shop; no stage reads it
}

_ENGINE_AND_CHANCE = ("engine", "seed")
_BOOTSTRAP = ("audit.n_bootstrap", "audit.confidence")
_SHOWN = ("privacy.min_cell", "privacy.show_customers")
_EXCLUSIONS = ("mining.exclude_departments", "mining.exclude_categories", "mining.exclude_words")
_TRAINING = ("source", *_ENGINE_AND_CHANCE, *_BOOTSTRAP, "features", "guards")

# The parameters that each notebook reads: it is stale when one of these changes, and it is given no
# others. A section, or single keys of one.
READS: Mapping[str, tuple[str, ...]] = {
    "01_explore": ("source", "privacy", *_ENGINE_AND_CHANCE),
    "02_clean": ("source", "engine", "cleaning", "profile.as_of", "privacy.min_cell"),
    "03_profile": ("source.currency", "engine", "profile", *_SHOWN, *_EXCLUSIONS),
    "04_mine": (*_ENGINE_AND_CHANCE, "mining", "profile.as_of", *_SHOWN, *_BOOTSTRAP),
    "05_churn": (*_TRAINING, "churn", "release.churn", *_SHOWN),
    "06_value": (*_TRAINING, "value", "release.value", *_SHOWN),
    "07_propensity": (
        *_TRAINING,
        "propensity",
        "uplift",
        "fatigue",
        "release.propensity",
        "profile.as_of",
        *_SHOWN,
        *_EXCLUSIONS,
    ),
    "08_bias_audit": ("seed", "audit", "release", "churn.active_days", *_SHOWN),
    "09_strategies": (
        "source.time_zone",
        "source.country",
        "source.currency",
        "engine",
        "decisions",
        "budgets",
        "terms",
        "seed",
        "uplift.response",
        "fatigue",
        "profile.as_of",
        *_SHOWN,
        *_EXCLUSIONS,
    ),
    "10_package": tuple(Params.model_fields),  # the service carries all of them
    "11_monitor": (
        "seed",
        "engine",
        "source",
        "churn",
        "value",
        "propensity",
        "uplift",
        "audit",
        "decisions",
        "monitoring",
        "release",
        "profile.as_of",
        "privacy.min_cell",
    ),
    "12_served": (
        "seed",
        "source.time_zone",
        "source.country",
        "source.currency",
        "audit.attributes",
        "audit.bands",
        "audit.min_group_size",
        "decisions",
        "budgets",
        "fatigue",
        "experiments",
        "privacy.min_cell",
        "served",
    ),
}


@dataclass(frozen=True)
class Workspace:
    """The folders of one run, and reading and writing in them."""

    params: Params
    root: Path
    params_folder: Path

    @classmethod
    def open(
        cls,
        params_file: str | Path,
        overrides: Mapping[str, object] | None = None,
        *,
        stage: str | None = None,
    ) -> "Workspace":
        """Open the workspace of the run that ``params_file`` describes.

        The project's root is the folder above ``params/``, so a notebook may pass
        ``../params/sample.yaml`` and a script ``params/sample.yaml``. The notebook of a ``stage``
        gets only the parameters that :data:`READS` names for it, and the run's name: to read
        another one is an :class:`mkt_models.sections.UnnamedKeyError`.
        """
        path = Path(params_file)
        folder = path.resolve().parent
        root = Path(os.environ.get("MKT_ROOT", folder.parent))
        params = load_params(path, overrides)
        if stage is not None:
            if stage not in READS:
                raise ValueError(f"unknown stage {stage!r}; known: {', '.join(READS)}")
            params = only(params, ("run", *READS[stage]))
        return cls(params, root, folder)

    @property
    def source(self) -> AnySource:
        """The source, its paths absolute: in the parameters they are relative to their file."""
        return self.params.source.at(self.params_folder)

    @property
    def build(self) -> Path:
        """What the stages of this run hand to each other."""
        return self.root / "build" / self.params.run

    @property
    def reports(self) -> Path:
        """What people read of this run."""
        return self.root / "reports" / self.params.run

    @property
    def spill(self) -> Path:
        """Where the SQL engine puts what does not fit into its memory."""
        return self.build / "spill"

    @property
    def data_hash(self) -> str:
        """Sixteen hex digits that change when the source's files or the sample change."""
        origin = json.dumps(self.read_json("raw", "source"), sort_keys=True)
        chosen = self.params.source.model_dump_json()
        return hashlib.sha256(f"{origin}{chosen}{self.params.seed}".encode()).hexdigest()[:16]

    @property
    def bentoml_home(self) -> Path:
        """The BentoML store of this run: its models and bentos."""
        return self.build / "bentoml"

    def path(self, stage: str, name: str) -> Path:
        """Where ``name`` of ``stage`` lives; it need not exist yet."""
        if stage not in MADE_BY:
            raise ValueError(f"unknown stage {stage!r}; known: {', '.join(MADE_BY)}")
        return self.build / stage / name

    def existing(self, stage: str, name: str) -> Path:
        """Like :meth:`path`, for a file that must be there."""
        path = self.path(stage, name)
        if not path.exists():
            if why := self.lacks(stage):
                raise NotAvailableError(f"{stage}: not available: {why}")
            raise MissingInputError(
                f"{path.relative_to(self.root)} is missing; notebook {MADE_BY[stage]} makes it: "
                f"run it first, or `make run PARAMS=params/{self.params.run}.yaml`"
            )
        return path

    def lacks(self, stage: str) -> str | None:
        """Why a stage of this run has no result, in words; None when it has one, or has not run."""
        note = self.path(stage, f"{NOT_AVAILABLE_FILE}.json")
        if not note.is_file():
            return None
        return str(json.loads(note.read_text(encoding="utf-8"))["why"])

    def folder(self, stage: str) -> Path:
        """The folder of a stage, made if need be."""
        path = self.path(stage, ".")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def read_table(self, stage: str, table: str) -> pd.DataFrame:
        """Read a table of a stage."""
        return pd.read_parquet(self.existing(stage, f"{table}.parquet"))

    def write_table(self, stage: str, table: str, frame: pd.DataFrame) -> None:
        """Write a table of a stage as Parquet, atomically."""
        path = self.folder(stage) / f"{table}.parquet"
        partial = path.with_suffix(".partial")
        frame.to_parquet(partial, index=False)
        partial.replace(path)

    def read_json(self, stage: str, name: str) -> Any:
        """Read a JSON document of a stage."""
        return json.loads(self.existing(stage, f"{name}.json").read_text(encoding="utf-8"))

    def write_json(self, stage: str, name: str, data: object) -> None:
        """Write a JSON document of a stage, atomically and with sorted keys.

        Tables become lists of rows, and what is missing becomes null.
        """
        path = self.folder(stage) / f"{name}.json"
        partial = path.with_suffix(".partial")
        text = json.dumps(plain(data), indent=2, sort_keys=True, ensure_ascii=False, default=str)
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(path)


def plain(value: Any) -> Any:
    """A value as JSON knows it: tables as rows, missing values as null, whole floats as integers.

    >>> plain({"rate": float("nan"), "n": 3.0, "names": ("a", "b")})
    {'rate': None, 'n': 3, 'names': ['a', 'b']}
    """
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    return value
