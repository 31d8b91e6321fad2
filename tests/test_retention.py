import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mkt_models.cli import main
from mkt_models.retention import delete_overdue, overdue
from mkt_models.sources.pseudonyms import PrivacyError
from mkt_models.workspace import Workspace

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PARAMS = Path(__file__).parents[1] / "params" / "sample.yaml"
FILES = {
    "build/sample/raw/customers.parquet": "tables",
    "build/sample/champions/value-1.parquet": "tables",
    "build/sample/decisions/snapshot.sqlite": "decisions",
    "build/sample/bentoml/models/a/snapshot.sqlite": "decisions",
    "build/sample/notebooks/01.ipynb": "reports",
    "reports/sample/index.html": "reports",
}


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.setenv("MKT_ROOT", str(tmp_path))
    for name in (*FILES, "build/sample/releases.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, (0, (NOW - timedelta(days=40)).timestamp()))
    return lambda **days: Workspace.open(
        PARAMS, {f"privacy.retention.{kind}": n for kind, n in days.items()}
    )


def names(ws, found):
    return {one.path.relative_to(ws.root).as_posix(): one.kind for one in found}


def test_nothing_is_due_without_a_period(make):
    assert overdue(make(), NOW) == []


@pytest.mark.parametrize("kind", ["tables", "decisions", "reports"])
def test_only_the_kind_whose_period_is_over_is_due(make, kind):
    ws = make(**{kind: 39})
    assert names(ws, overdue(ws, NOW)) == {k: v for k, v in FILES.items() if v == kind}
    assert {one.age_days for one in overdue(ws, NOW)} == {40}
    assert overdue(make(**{kind: 40}), NOW) == []


def test_what_is_due_is_deleted_and_the_ledger_stays(make):
    ws = make(tables=1, decisions=1, reports=1)
    assert len(delete_overdue(ws, NOW)) == len(FILES)
    assert overdue(ws, NOW) == []
    left = [one for one in ws.root.rglob("*") if one.is_file()]
    assert left == [ws.build / "releases.jsonl"]


def test_a_time_without_a_zone_is_refused(make):
    with pytest.raises(PrivacyError, match="zone"):
        overdue(make(), NOW.replace(tzinfo=None))


def test_the_command_says_what_is_due_and_deletes_when_asked(make, tmp_path, capsys):
    params = tmp_path / "params.yaml"
    params.write_text(f"extends: {PARAMS}\nprivacy: {{retention: {{reports: 1}}}}\n")
    assert main(["retain", str(params)]) == 0
    assert "2 files of sample are due" in capsys.readouterr().out
    assert (tmp_path / "reports/sample/index.html").exists()
    assert main(["retain", str(params), "--delete"]) == 0
    assert "2 files of sample were deleted" in capsys.readouterr().out
    assert not (tmp_path / "reports/sample/index.html").exists()
