"""The stages of a run as a graph: what each needs, makes, and is stale by.

One stage is one notebook. ``dodo.py`` hands the graph to doit; this module says what is in it.
A stage that succeeded leaves a *marker* in its first folder: a list of its outputs with their
hashes. The stages after it depend on the marker, so that a stage which ran again and made the
same outputs sets nothing else in motion.
"""

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.charges import BudgetError, check_budgets
from mkt_models.decisions.occasions import check_country
from mkt_models.loading import ParamsError
from mkt_models.models.ledger import FILE as LEDGER
from mkt_models.notebook_runs import StageNotAvailable, execute_notebook
from mkt_models.profiles.tag_catalogue import load_tag_catalogue
from mkt_models.sections import nearest
from mkt_models.serving.settings import report_address
from mkt_models.sources.read import data_files, data_version, faults
from mkt_models.store.reading import LiveReader, may_be_there
from mkt_models.store.values import StoreError
from mkt_models.workspace import MADE_BY, NOT_AVAILABLE_FILE, READS, Workspace

# The stage that releases models, by the ledger of all decisions.
_JUDGES = "08_bias_audit"

# Modules that run and report stages; a change in them changes no table of a run.
_BESIDE_THE_STAGES = {
    "card_pages.py",
    "cli.py",
    "commands/__init__.py",
    "commands/keeping.py",
    "commands/running.py",
    "commands/serving.py",
    "commands/told.py",
    "commands/watching.py",
    "customer_pages.py",
    "erasing.py",
    "forgetting.py",
    "manifest.py",
    "notebook_pages.py",
    "notebook_runs.py",
    "one_run.py",
    "progress.py",
    "reporting.py",
    "retention.py",
    "stages.py",
    "standing.py",
    "story.py",
    "summary.py",
}


@dataclass(frozen=True)
class Stage:
    """One notebook of a run: its name, what it does in words, and the stages it needs."""

    name: str
    words: str
    needs: tuple[str, ...] = ()

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders under build/<run>/ that this stage alone writes."""
        return tuple(folder for folder, stage in MADE_BY.items() if stage == self.name)

    @property
    def reads(self) -> tuple[str, ...]:
        """The parameters that it reads: sections, or single keys of them."""
        return READS[self.name]


STAGES = (
    Stage("01_explore", "read the source and see what the data holds"),
    Stage("02_clean", "clean the tables and quarantine what cannot be used", ("01_explore",)),
    Stage("03_profile", "describe every customer on the day of the profile", ("02_clean",)),
    Stage("04_mine", "mine what is bought together and what is bought next", ("02_clean",)),
    Stage("05_churn", "train and test the churn model", ("03_profile",)),
    Stage("06_value", "train and test the value model", ("03_profile",)),
    Stage("07_propensity", "train and test the propensity model", ("03_profile",)),
    Stage(
        "08_bias_audit",
        "explain the models and audit them by group",
        ("04_mine", "05_churn", "06_value", "07_propensity"),
    ),
    Stage("09_strategies", "decide the strategies of every customer", ("08_bias_audit",)),
    Stage("10_package", "build the service and ask it over HTTP", ("09_strategies",)),
    Stage(
        "11_monitor",
        "watch what has changed, and say what to do",
        ("02_clean", "03_profile", "05_churn", "06_value", "07_propensity", "09_strategies"),
    ),
    Stage(
        "12_served",
        "read what the service did, and say what to do",
        ("03_profile", "09_strategies"),
    ),
)
# The stages that read the catalogue of strategies.
_READ_CATALOGUE = ("09_strategies", "10_package", "11_monitor", "12_served")
# The stage that reads the live store of a service.
_READS_STORE = "12_served"
# The stage that reads the catalogue of tags.
_READ_TAGS = "03_profile"
# The stage that shows what the engines cost at other sizes.
_SHOWS_COSTS = "03_profile"


@dataclass(frozen=True)
class Run:
    """One run: its parameters' file and overrides, its workspace, and where its notebooks are."""

    params_file: Path
    overrides: dict[str, object]
    workspace: Workspace
    notebooks: Path

    @classmethod
    def open(
        cls, params_file: str | Path, overrides: dict[str, object], *, ask_source: bool = True
    ) -> "Run":
        """Load and validate the parameters; nothing has run when a ParamsError is raised.

        Without ``ask_source`` the faults that a source finds in its own parameters are left out.
        """
        path = Path(params_file)
        workspace = Workspace.open(path, overrides)
        catalogue = path.parent / workspace.params.decisions.catalogue
        if not catalogue.is_file():
            near = nearest(catalogue.name, [p.name for p in path.parent.glob("*.yaml")])
            raise ParamsError(f"{path}: decisions.catalogue: {catalogue} is no file{near}")
        try:
            check_budgets(workspace.params.budgets, load_catalogue(catalogue))
        except BudgetError as error:
            raise ParamsError(f"{path}: {error}") from None
        tags = path.parent / workspace.params.profile.tags
        if not tags.is_file():
            near = nearest(tags.name, [p.name for p in path.parent.glob("*.yaml")])
            raise ParamsError(f"{path}: profile.tags: {tags} is no file{near}")
        load_tag_catalogue(tags)
        try:
            check_country(workspace.params.source.country)
        except ValueError as error:
            raise ParamsError(f"{path}: source.country: {error}") from None
        wrong = faults(workspace.source) if ask_source else []
        if wrong:
            raise ParamsError("\n".join(f"{path}: {fault}" for fault in wrong))
        return cls(path.resolve(), overrides, workspace, workspace.root / "notebooks")

    def notebook(self, stage: Stage) -> Path:
        """The committed notebook of a stage."""
        return self.notebooks / f"{stage.name}.ipynb"

    def executed(self, stage: Stage) -> Path:
        """The executed copy of a stage's notebook."""
        return self.workspace.build / "notebooks" / f"{stage.name}.ipynb"

    def page(self, stage: Stage) -> Path:
        """The page that people read of a stage."""
        return self.workspace.reports / f"{stage.name}.html"

    def marker(self, stage: Stage) -> Path:
        """The list of a stage's outputs and their hashes; there when the stage has succeeded."""
        return self.workspace.path(stage.folders[0], ".done.json")

    def inputs(self, stage: Stage) -> list[Path]:
        """The files that make a stage stale when they change."""
        needed = [self.marker(other) for other in STAGES if other.name in stage.needs]
        catalogue = self.params_file.parent / self.workspace.params.decisions.catalogue
        tags = self.params_file.parent / self.workspace.params.profile.tags
        costs = self.workspace.root / "benchmarks" / "engines.json"
        forgotten = self.workspace.root / self.workspace.params.privacy.forgotten
        return [
            self.notebook(stage),
            *needed,
            *source_files(self.workspace.root),
            *([self.workspace.root / "requirements.lock"]),
            *(data_files(self.workspace.source) if not stage.needs else []),
            *([forgotten] if not stage.needs and forgotten.is_file() else []),
            *([catalogue] if stage.name in _READ_CATALOGUE else []),
            *([tags] if stage.name == _READ_TAGS else []),
            *([costs] if stage.name == _SHOWS_COSTS and costs.is_file() else []),
            *([self.workspace.root / "bentofile.yaml"] if stage.name == "10_package" else []),
        ]

    def settings(self, stage: Stage) -> dict[str, Any]:
        """What makes a stage stale besides files: the parameters that it reads, by their key.

        The version of the data counts for the stages that read the source itself.
        """
        settings = {key: self._written[key] for key in stage.reads}
        if stage.name == _READS_STORE:
            settings["live store"] = self._live_store
        return settings if stage.needs else {**settings, "data version": self._data_version}

    @cached_property
    def _written(self) -> dict[str, Any]:
        """Every parameter as JSON knows it, by its section and by its dotted key."""
        out: dict[str, Any] = {}

        def write(value: Any, key: str) -> None:
            if key:
                out[key] = value
            if isinstance(value, dict):
                for name, inner in value.items():
                    write(inner, f"{key}.{name}" if key else name)

        write(self.workspace.params.model_dump(mode="json"), "")
        return out

    @cached_property
    def _live_store(self) -> str:
        """What changes with the live store; nothing about where it is."""
        ws = self.workspace
        address = report_address(os.environ, ws.params.served.store, ws.root, ws.bentoml_home)
        if not may_be_there(address):
            return "none"
        try:
            with LiveReader.open(address) as reader:
                return reader.state()
        except StoreError:
            return "not readable"

    @cached_property
    def _data_version(self) -> str:
        return data_version(self.workspace.source)

    def outputs_intact(self, stage: Stage) -> bool:
        """Whether every output that the marker lists is still there with its size."""
        marker = self.marker(stage)
        if not marker.is_file():
            return False
        outputs = json.loads(marker.read_text(encoding="utf-8"))
        paths = {self.workspace.build / name: note["bytes"] for name, note in outputs.items()}
        return all(path.is_file() and path.stat().st_size == n for path, n in paths.items())

    def execute(self, stage: Stage) -> str | None:
        """Run a stage's notebook; its outputs of the last good run come back if it fails.

        Returns why there is no result, when the source cannot give what the stage needs; such a
        stage is done, and the later ones do without it.

        Raises
        ------
        StageError
            When the notebook fails.

        """
        parameters = {
            "params_file": os.path.relpath(self.params_file, self.notebooks),
            "overrides": {key: _plain(value) for key, value in self.overrides.items()},
        }
        with _last_good(self.workspace.build, stage):
            why = None
            try:
                execute_notebook(self.notebook(stage), self.executed(stage).parent, parameters)
            except StageNotAvailable as nothing:
                why = str(nothing)
                self.workspace.write_json(stage.folders[0], NOT_AVAILABLE_FILE, {"why": why})
            self._mark(stage)
        return why

    def _mark(self, stage: Stage) -> None:
        outputs = {}
        for path in sorted(_outputs(self.workspace.build, stage)):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            note = {"bytes": path.stat().st_size, "sha256": digest}
            outputs[path.relative_to(self.workspace.build).as_posix()] = note
        self.workspace.folder(stage.folders[0])
        text = json.dumps(outputs, indent=1, sort_keys=True) + "\n"
        self.marker(stage).write_text(text, encoding="utf-8")


def parse_overrides(settings: Sequence[str]) -> dict[str, object]:
    """Read ``key=value`` words, the values as YAML; a word may hold several, parted by spaces.

    >>> parse_overrides(["churn.horizon_days=28 seed=3"])
    {'churn.horizon_days': 28, 'seed': 3}
    """
    out: dict[str, object] = {}
    for word in (word for text in settings for word in shlex.split(text)):
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise ParamsError(f"SET: {word!r} must be key=value, e.g. churn.horizon_days=28")
        try:
            out[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ParamsError(f"SET: the value of {word!r} is not readable as YAML") from None
    return out


def source_files(root: Path) -> list[Path]:
    """The package's modules that a stage may reach, sorted."""
    package = root / "src" / "mkt_models"
    return sorted(
        path
        for path in package.rglob("*.py")
        if path.relative_to(package).as_posix() not in _BESIDE_THE_STAGES
    )


def _plain(value: object) -> Any:
    """A value as a notebook's parameters cell can hold it: dates become their ISO text."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _outputs(build: Path, stage: Stage) -> Iterator[Path]:
    for folder in stage.folders:
        for path in (build / folder).rglob("*"):
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".partial":
                yield path
    if stage.name == _JUDGES and (build / LEDGER).is_file():
        yield build / LEDGER  # not emptied with the folders; deleted or edited, it is judged anew


@contextmanager
def _last_good(build: Path, stage: Stage) -> Iterator[None]:
    """Give a stage empty folders; put the last good outputs back if it fails.

    They wait in ``.last_good/<stage>/``. If a run was killed they are still there when the next
    one begins, and go back first.
    """
    aside = build / ".last_good" / stage.name

    def restore() -> None:
        for folder in stage.folders:
            if (aside / folder).exists():
                shutil.rmtree(build / folder, ignore_errors=True)
                (aside / folder).rename(build / folder)

    restore()
    aside.mkdir(parents=True, exist_ok=True)
    for folder in stage.folders:
        if (build / folder).exists():
            (build / folder).rename(aside / folder)
    try:
        yield
    except BaseException:
        for folder in stage.folders:
            shutil.rmtree(build / folder, ignore_errors=True)
        restore()
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
