import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from postgres import database

from mkt_models.cli import main
from mkt_models.retention import (
    delete_overdue,
    live_limit,
    live_store_of,
    needed_days,
    overdue,
)
from mkt_models.serving.settings import STORE
from mkt_models.sources.pseudonyms import PrivacyError
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Consent, Exposure, Outcome
from mkt_models.store.values import StoreError
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


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """Address of a live store with a consent, and a contact and an outcome of 50 and 40 days ago.

    Before the command's own clock: it asks for no other.
    """
    url = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
    if request.param == "sqlite":
        _fill(url)
        yield url
        return
    with database(request.getfixturevalue("postgres_url"), f"kept_{tmp_path.name}") as url:
        _fill(url)
        yield url


def _fill(url):
    now = datetime.now(UTC)
    with LiveStore.open(url) as live, live.turn("a", now) as turn:
        turn.say(Consent("a", "marketing", "sms", "refused", date(2001, 1, 1)))
        for days in (50, 40):
            at = now - timedelta(days=days)
            turn.contacted(Exposure("a", "email", at), key=f"sent-{days}")
            turn.outcome(Outcome(f"bought-{days}", "purchase", at))


def _params(tmp_path, live):
    file = tmp_path / "params.yaml"
    file.write_text(f"extends: {PARAMS}\nprivacy: {{retention: {{live: {live}}}}}\n")
    for name in ("catalogue.yaml", "tags.yaml"):
        (tmp_path / name).write_text((PARAMS.parent / name).read_text())
    return str(file)


@pytest.mark.parametrize("told", ["option", "environment"])
def test_a_live_store_elsewhere_is_purged_when_asked_and_keeps_refusals(
    make, tmp_path, address, told, monkeypatch, capsys
):
    command = ["retain", _params(tmp_path, 45)]
    if told == "option":
        command += ["--store", address]
    else:
        monkeypatch.setenv(STORE, address)
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "2 rows of the live store" in said
    assert "due to be deleted (--delete)" in said
    with LiveStore.open(address) as live:
        assert live.holds("a") == {"consents": 1, "exposures": 2, "outcomes": 2}
    assert main([*command, "--delete"]) == 0
    assert "were deleted" in capsys.readouterr().out
    with LiveStore.open(address) as live:
        assert live.holds("a") == {"consents": 1, "exposures": 1, "outcomes": 1}


def test_a_period_shorter_than_what_is_counted_deletes_nothing(make, tmp_path, address, capsys):
    params = tmp_path / "params.yaml"
    _params(tmp_path, 30)
    params.write_text(params.read_text().replace("live: 30", "live: 30, reports: 1"))
    assert main(["retain", str(params), "--delete", "--store", address]) == 2
    assert "privacy.retention.live == 30 days is shorter" in capsys.readouterr().err
    assert (tmp_path / "reports/sample/index.html").exists()
    with LiveStore.open(address) as live:
        assert live.holds("a") == {"consents": 1, "exposures": 2, "outcomes": 2}


def test_what_is_counted_sets_the_shortest_period(make, tmp_path):
    ws = make(live=31)
    # the catalogue of the project: answers are leave to send for a day, rest of 14 days
    assert needed_days(ws) == {"caps": 31, "budgets": 8, "rest after a complaint": 14}
    assert live_limit(ws, NOW) == NOW - timedelta(days=31)
    assert live_limit(make(), NOW) is None
    with pytest.raises(PrivacyError, match="caps 31"):
        live_limit(make(live=30), NOW)
    quarter = Workspace.open(PARAMS, {"budgets.period_days": 90, "privacy.retention.live": 60})
    with pytest.raises(PrivacyError, match="budgets 91"):
        live_limit(quarter, NOW)


def test_without_a_period_nothing_of_a_live_store_is_due(make, tmp_path, address, capsys):
    assert main(["retain", str(PARAMS), "--store", address, "--delete"]) == 0
    assert "privacy.retention.live is not set" in capsys.readouterr().out


def test_the_live_store_is_the_runs_own_where_none_is_named(make, tmp_path, monkeypatch):
    ws = make()
    monkeypatch.delenv(STORE, raising=False)
    assert live_store_of(ws, None) is None
    own = ws.bentoml_home / "live.sqlite"
    LiveStore.open(own).close()
    assert live_store_of(ws, None) == own
    with pytest.raises(StoreError, match="no such file"):
        live_store_of(ws, f"sqlite:///{tmp_path / 'misspelt.sqlite'}")
    assert not (tmp_path / "misspelt.sqlite").exists()
