"""The graph of stages; that doit follows it is tested in test_dodo.py."""

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import retailer

from mkt_models import stages
from mkt_models.loading import ParamsError
from mkt_models.notebook_runs import StageError, StageNotAvailable
from mkt_models.params import Params
from mkt_models.sources import database, read
from mkt_models.sources.read import ORIGINS, data_files
from mkt_models.stages import (
    STAGES,
    Run,
    Stage,
    parse_overrides,
    source_files,
)
from mkt_models.workspace import MADE_BY, NotAvailableError, Workspace

ROOT = Path(__file__).parents[1]
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
    data = set(data_files(run.workspace.source))
    assert data
    assert data <= set(run.inputs(first))
    assert not data & set(run.inputs(churn))


def test_settings_are_what_a_stage_reads(run: Run) -> None:
    assert run.settings(STAGES[1]) == {
        "source": run.workspace.params.source.model_dump(mode="json"),
        "engine": run.workspace.params.engine.model_dump(mode="json"),
        "cleaning": run.workspace.params.cleaning.model_dump(mode="json"),
        "profile.as_of": "2018-01-01",
        "privacy.min_cell": 5,
    }


@pytest.mark.parametrize("file", ["complete_journey.yaml", "sample.yaml", "demo.yaml"])
def test_every_parameter_that_a_stage_names_is_there(project: Path, file: str) -> None:
    shutil.copy(ROOT / "params" / file, project / "params")
    run = Run.open(project / "params" / file, {})
    for stage in STAGES:
        Workspace.open(run.params_file, stage=stage.name)
        assert set(stage.reads) <= set(run.settings(stage))


def test_every_parameter_is_read_by_a_stage_before_the_package() -> None:
    named = {
        key.partition(".")[0]
        for stage in STAGES
        if stage.name != "10_package"
        for key in stage.reads
    }
    assert named | {"run"} == set(Params.model_fields)


def test_the_version_of_the_data_counts_for_who_reads_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run.settings(STAGES[0])["data version"] == "0.1.0"
    assert "data version" not in run.settings(CHURN)
    gone = replace(ORIGINS["complete_journey"], package="no-such-package")
    monkeypatch.setattr(read, "ORIGINS", {"complete_journey": gone})
    assert Run.open(run.params_file, {}).settings(STAGES[0])["data version"] == "not installed"
    assert data_files(run.workspace.source) == []


def test_files_of_the_user_make_the_first_stage_stale(project: Path) -> None:
    retailer.write_exports(project / "data", orders=20)
    run = Run.open(retailer.write_params(project), {})
    data = {project / "data" / name for name in ("sales_1.csv", "sales_2.csv")}
    assert data <= set(run.inputs(STAGES[0]))
    assert not data & set(run.inputs(CHURN))
    assert run.settings(STAGES[0])["data version"] == ""
    for stage in STAGES:
        assert set(stage.reads) <= set(run.settings(stage))
    (project / "data" / "sales_3.csv").write_text("another\n")
    assert project / "data" / "sales_3.csv" in run.inputs(STAGES[0])


def test_a_database_is_asked_once_whether_its_data_changed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(database, "fingerprint", lambda place: f"state {asked.append(place)}")
    place = "database: {url_env: SHOP_DB_URL, table: sales}"
    mapping = retailer.MAPPING.replace('files: ["sales_*.csv"]', place)
    run = Run.open(retailer.write_params(project, mapping), {})
    for _ in range(2):
        assert run.settings(STAGES[0])["data version"] == "state None"
    assert len(asked) == 1


def test_a_faulty_mapping_is_found_before_anything_runs(project: Path) -> None:
    mapping = retailer.MAPPING.replace("line_id: Position", "lineid: Position")
    path = retailer.write_params(project, mapping)
    with pytest.raises(ParamsError, match=r"columns\.lineid: .*did you mean 'line_id'\?"):
        Run.open(path, {})
    assert Run.open(path, {}, ask_source=False).params_file == path


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


def test_a_stage_without_a_result_is_done_and_says_why(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(notebook: Path, out_dir: Path, parameters: dict[str, object]) -> None:
        raise StageNotAvailable("the source has no campaigns")

    monkeypatch.setattr(stages, "execute_notebook", nothing)
    assert run.workspace.lacks("churn") is None
    assert run.execute(CHURN) == "the source has no campaigns"
    assert run.outputs_intact(CHURN)
    assert run.workspace.lacks("churn") == "the source has no campaigns"
    with pytest.raises(NotAvailableError, match="churn: not available: the source has no camp"):
        run.workspace.read_json("churn", "metrics")


def test_without_its_ledger_the_release_is_judged_anew(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(notebook: Path, out_dir: Path, parameters: dict[str, object]) -> None:
        run.workspace.write_json("release", "models", {})
        (run.workspace.build / stages.LEDGER).write_text("{}\n")

    monkeypatch.setattr(stages, "execute_notebook", fake)
    judges = next(stage for stage in stages.STAGES if stage.name == "08_bias_audit")
    run.execute(judges)
    assert run.outputs_intact(judges)
    (run.workspace.build / stages.LEDGER).unlink()
    assert not run.outputs_intact(judges)
