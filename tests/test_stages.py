"""The graph of stages; that doit follows it is tested in test_dodo.py."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mkt_models import stages
from mkt_models.loading import ParamsError
from mkt_models.notebook_runs import StageError
from mkt_models.sources.read import ORIGINS
from mkt_models.stages import (
    STAGES,
    Run,
    Stage,
    data_files,
    parse_overrides,
    source_files,
)
from mkt_models.workspace import MADE_BY

NAMES = [stage.name for stage in STAGES]
CHURN = STAGES[NAMES.index("05_churn")]


@pytest.fixture
def run(project: Path) -> Run:
    return Run.open(project / "params" / "sample.yaml", {})


def test_every_stage_has_words_folders_and_earlier_needs() -> None:
    for position, stage in enumerate(STAGES):
        assert isinstance(stage, Stage)
        assert stage.words
        assert stage.folders
        assert set(stage.needs) <= set(NAMES[:position])


def test_every_folder_of_a_run_is_written_by_one_stage() -> None:
    folders = [folder for stage in STAGES for folder in stage.folders]
    assert sorted(folders) == sorted(MADE_BY)


def test_a_missing_catalogue_is_found_before_the_run(project: Path) -> None:
    (project / "params" / "catalogue.yaml").unlink()
    with pytest.raises(ParamsError, match=r"decisions\.catalogue: .*is no file"):
        Run.open(project / "params" / "sample.yaml", {})


def test_a_wrong_catalogue_of_tags_is_found_before_the_run(project: Path) -> None:
    tags = project / "params" / "tags.yaml"
    tags.write_text(tags.read_text(encoding="utf-8").replace("night_share", "nigth_share"))
    with pytest.raises(ParamsError, match=r"tags\.yaml: .*did you mean 'night_share'"):
        Run.open(project / "params" / "sample.yaml", {})
    tags.unlink()
    with pytest.raises(ParamsError, match=r"profile\.tags: .*is no file"):
        Run.open(project / "params" / "sample.yaml", {})


@pytest.mark.parametrize("word", ["seed", "=3", "seed=[1"])
def test_faulty_overrides_are_said_plainly(word: str) -> None:
    with pytest.raises(ParamsError, match="SET: "):
        parse_overrides([word])


def test_overrides_are_read_as_yaml_and_the_last_one_counts() -> None:
    words = ["seed=3 profile.as_of=2017-12-01", "seed=4 run='a b'", "source.households=null"]
    assert parse_overrides(words) == {
        "seed": 4,
        "profile.as_of": date(2017, 12, 1),
        "run": "a b",
        "source.households": None,
    }
    assert parse_overrides([]) == {}


def test_modules_beside_the_stages_make_nothing_stale(project: Path) -> None:
    package = project / "src" / "mkt_models"
    for name in ("cli.py", "reporting.py", "cleaning.py"):
        (package / name).write_text("")
    assert source_files(project) == [package / "cleaning.py", package / "fake.py"]


def test_what_a_stage_reads_makes_it_stale(run: Run) -> None:
    first, churn, strategies = STAGES[0], CHURN, STAGES[NAMES.index("09_strategies")]
    assert run.notebook(churn) in run.inputs(churn)
    assert run.marker(STAGES[NAMES.index("03_profile")]) in run.inputs(churn)
    catalogue = run.params_file.parent / "catalogue.yaml"
    assert catalogue in run.inputs(strategies)
    assert catalogue not in run.inputs(churn)
    tags = run.params_file.parent / "tags.yaml"
    assert tags in run.inputs(STAGES[NAMES.index("03_profile")])
    assert tags not in run.inputs(churn)
    data = set(data_files("complete_journey"))
    assert data
    assert data <= set(run.inputs(first))
    assert not data & set(run.inputs(churn))


def test_settings_follow_parameters_and_data(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Run.open(run.params_file, {"seed": 99})
    assert run.settings() != other.settings()
    assert run.settings()["data"] == other.settings()["data"] == "0.1.0"
    gone = replace(ORIGINS["complete_journey"], package="no-such-package")
    monkeypatch.setattr(stages, "ORIGINS", {"complete_journey": gone})
    assert run.settings()["data"] == "not installed"
    assert data_files("complete_journey") == []


def test_a_stage_leaves_a_list_of_its_outputs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(notebook: Path, out_dir: Path, parameters: dict[str, object]) -> None:
        assert parameters == {"params_file": "../params/sample.yaml", "overrides": {}}
        run.workspace.write_json("churn", "metrics", {"auc": 0.8})
        (run.workspace.folder("churn") / ".hidden").write_text("no output")

    monkeypatch.setattr(stages, "execute_notebook", fake)
    assert not run.outputs_intact(CHURN)
    run.execute(CHURN)
    metrics = run.workspace.path("churn", "metrics.json")
    digest = hashlib.sha256(metrics.read_bytes()).hexdigest()
    note = {"bytes": metrics.stat().st_size, "sha256": digest}
    assert json.loads(run.marker(CHURN).read_text()) == {"churn/metrics.json": note}
    assert run.outputs_intact(CHURN)
    metrics.write_text("{}")
    assert not run.outputs_intact(CHURN)


def test_the_first_failure_leaves_no_outputs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(notebook: Path, out_dir: Path, parameters: dict[str, object]) -> None:
        run.workspace.write_json("churn", "metrics", {"auc": 0.8})
        raise StageError("too few orders")

    monkeypatch.setattr(stages, "execute_notebook", fail)
    with pytest.raises(StageError, match="too few orders"):
        run.execute(CHURN)
    assert not run.workspace.path("churn", "metrics.json").exists()
    assert not run.outputs_intact(CHURN)
