import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import retailer
from pydantic_core import PydanticSerializationError

from mkt_models.sections import UnnamedKeyError
from mkt_models.workspace import MADE_BY, READS, MissingInputError, Workspace

ROOT = Path(__file__).parent.parent


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("MKT_ROOT", str(tmp_path))
    return Workspace.open(ROOT / "params" / "sample.yaml", {"seed": 7})


def test_root_is_the_folder_above_params(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MKT_ROOT", raising=False)
    from_script = Workspace.open(ROOT / "params" / "sample.yaml")
    from_notebook = Workspace.open(ROOT / "notebooks" / ".." / "params" / "sample.yaml")
    assert from_script.root == from_notebook.root == ROOT.resolve()


def test_folders_of_a_run(workspace: Workspace, tmp_path: Path):
    assert workspace.params.seed == 7
    assert workspace.build == tmp_path / "build" / "sample"
    assert workspace.reports == tmp_path / "reports" / "sample"
    assert workspace.bentoml_home == tmp_path / "build" / "sample" / "bentoml"
    assert workspace.path("clean", "x.parquet") == tmp_path / "build/sample/clean/x.parquet"
    assert not workspace.build.exists()  # naming a place makes nothing


def test_every_stage_is_made_by_a_notebook_of_the_graph():
    from mkt_models.stages import STAGES

    assert set(MADE_BY.values()) <= {stage.name for stage in STAGES}


def test_a_stage_gets_the_parameters_that_it_names_and_no_others():
    everything = Workspace.open(ROOT / "params" / "sample.yaml").params
    churn = Workspace.open(ROOT / "params" / "sample.yaml", stage="05_churn").params
    assert churn.run == "sample"
    assert churn.churn == everything.churn
    assert churn.audit.n_bootstrap == everything.audit.n_bootstrap
    for read in (
        lambda: churn.mining,
        lambda: churn.audit.gate,
        lambda: getattr(churn, "value", None),
        lambda: churn.decide_at,
    ):
        with pytest.raises(UnnamedKeyError, match="is read and not named: name it"):
            read()
    for write in (churn.model_dump, churn.model_dump_json, churn.audit.model_dump):
        with pytest.raises(PydanticSerializationError, match="is read and not named: name it"):
            write()


def test_the_package_carries_all_parameters():
    everything = Workspace.open(ROOT / "params" / "sample.yaml").params
    assert Workspace.open(ROOT / "params" / "sample.yaml", stage="10_package").params == everything


def test_parameters_of_an_unknown_stage_are_refused():
    with pytest.raises(ValueError, match="unknown stage '05_chrun'; known: 01_explore, 02_clean"):
        Workspace.open(ROOT / "params" / "sample.yaml", stage="05_chrun")
    assert sorted(READS) == sorted(set(MADE_BY.values()))


def test_an_unknown_stage_is_refused(workspace: Workspace):
    with pytest.raises(ValueError, match=r"unknown stage 'cleaned'; known: raw, clean"):
        workspace.path("cleaned", "x")


def test_a_missing_input_names_the_notebook_that_makes_it(workspace: Workspace):
    message = r"build/sample/profile/features\.parquet is missing; notebook 03_profile makes it"
    with pytest.raises(MissingInputError, match=message):
        workspace.read_table("profile", "features")
    with pytest.raises(MissingInputError, match=r"metrics\.json is missing; notebook 05_churn"):
        workspace.read_json("churn", "metrics")


def test_tables_and_documents_come_back(workspace: Workspace):
    frame = pd.DataFrame({"customer_id": ["1", "2"], "x": [0.5, None]}, index=[7, 9])
    workspace.write_table("churn", "scores", frame)
    path = workspace.path("churn", "scores.parquet")
    pd.testing.assert_frame_equal(
        workspace.read_table("churn", "scores"), frame.reset_index(drop=True)
    )
    workspace.write_json("churn", "metrics", {"b": "流失", "a": date(2018, 1, 1)})
    document = workspace.path("churn", "metrics.json")
    assert workspace.read_json("churn", "metrics") == {"a": "2018-01-01", "b": "流失"}
    text = document.read_text(encoding="utf-8")
    assert "流失" in text
    assert text.index('"a"') < text.index('"b"')
    assert sorted(path.parent.iterdir()) == [document, path]  # nothing partial is left


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_a_failed_write_leaves_the_last_good_document(workspace: Workspace):
    workspace.write_json("churn", "metrics", {"a": 1})
    with pytest.raises(RuntimeError, match="no words"):
        workspace.write_json("churn", "metrics", {"a": Unspeakable()})
    assert workspace.read_json("churn", "metrics") == {"a": 1}


def test_missing_numbers_become_null_and_tables_lists(workspace: Workspace):
    table = pd.DataFrame({"n": [1, 2], "rate": [0.5, float("nan")]})
    workspace.write_json("churn", "metrics", {"rows": table, "gap": float("nan")})
    path = workspace.path("churn", "metrics.json")
    assert workspace.read_json("churn", "metrics") == {
        "rows": [{"n": 1, "rate": 0.5}, {"n": 2, "rate": None}],
        "gap": None,
    }
    assert "NaN" not in path.read_text(encoding="utf-8")


def test_paths_of_the_source_are_relative_to_the_parameters(tmp_path: Path):
    (tmp_path / "notebooks").mkdir()
    path = retailer.write_params(tmp_path)
    shutil.copy(ROOT / "params" / "complete_journey.yaml", path.parent)
    from_script = Workspace.open(path)
    from_notebook = Workspace.open(tmp_path / "notebooks" / ".." / "params" / "mine.yaml")
    assert from_script.source.folder == from_notebook.source.folder == str(tmp_path / "data")
    assert from_script.params.source.folder == "../data"  # no path of the machine in what is kept
    assert from_script.params.digest == from_notebook.params.digest
