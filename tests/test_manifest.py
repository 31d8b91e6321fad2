"""What a run was made of."""

import json
import subprocess
from pathlib import Path

import nbformat

from mkt_models.manifest import git_state, manifest, package_versions
from mkt_models.stages import STAGES, Run


def test_the_manifest_of_a_run(project: Path) -> None:
    run = Run.open(project / "params" / "sample.yaml", {"seed": 3})
    source = {"kind": "complete_journey", "files": {"orders": {"sha256": "ab", "rows": 2}}}
    run.workspace.write_json("raw", "source", source)
    for second, stage in enumerate(STAGES[:2]):
        copy = nbformat.v4.new_notebook()
        copy.metadata["papermill"] = {
            "start_time": f"2026-11-23T07:00:0{second}+00:00",
            "end_time": f"2026-11-23T07:00:0{second + 2}.500000+00:00",
        }
        run.executed(stage).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(copy, run.executed(stage))

    found = json.loads(json.dumps(manifest(run)))
    assert found["parameters"]["seed"] == 3
    assert found["parameters"]["profile"]["as_of"] == "2018-01-01"
    assert found["data"] == source
    assert found["stages"]["02_clean"]["seconds"] == 2.5
    assert set(found["stages"]) == {"01_explore", "02_clean"}
    assert found["started"] == "2026-11-23T07:00:00+00:00"
    assert found["ended"] == "2026-11-23T07:00:03.500000+00:00"
    assert found["git"] == {"commit": "unknown", "dirty": None}
    assert str(project) not in json.dumps(found)


def test_a_commit_is_dirty_when_files_differ(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "-m", "first")
    state = git_state(tmp_path)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (tmp_path / "new").write_text("")
    assert git_state(tmp_path) == {"commit": state["commit"], "dirty": True}


def test_versions_are_those_of_the_direct_dependencies() -> None:
    versions = package_versions()
    assert versions["bentoml"] == "1.4.39"
    assert "papermill" in versions
    assert "jinja2-time" not in versions
