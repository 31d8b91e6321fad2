"""The command line, apart from what test_dodo.py runs."""

import shutil
from pathlib import Path

import pytest
import retailer
from toy_snapshot import CUSTOMERS

from mkt_models import cli
from mkt_models.loading import ParamsError
from mkt_models.store.live import LiveStore


def test_check_says_what_it_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["seed=4", "source.households=60"]
    assert cli.main(["check", str(project / "params" / "sample.yaml"), "--set", *words]) == 0
    told = capsys.readouterr().out
    assert "valid" in told
    assert "60 households" in told
    assert "What was found" in told
    assert "social: activity and reach (social)" in told


def test_check_tells_all_faults_and_fails(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = retailer.MAPPING.replace("order_id: Rechnung", "order_id: Rechnungen")
    retailer.write_exports(project / "data", orders=50)
    path = retailer.write_params(project, mapping.replace("columns:", "colums:", 1))
    assert cli.main(["check", str(path)]) == 2
    assert "transactions.colums: unknown key; did you mean 'columns'?" in capsys.readouterr().err
    path = retailer.write_params(project, mapping)
    assert cli.main(["check", str(path)]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "sales_1.csv, sales_2.csv: no column 'Rechnungen'; has: Rechnung, Position" in told
    assert "Did you mean 'Rechnung'? Map it under source.tables.transactions.columns" in told
    assert "products" not in told


def test_dropped_features_are_counted_and_unknown_ones_named_before_anything_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(project / "params" / "sample.yaml")
    small = ["source.households=60"]
    assert cli.main(["check", path, "--set", *small, "features.drop=[stores_90d]"]) == 0
    assert "features    43 for churn, 43 for value, 66 for propensity" in capsys.readouterr().out
    for command in ("check", "run"):
        assert cli.main([command, path, "--set", "features.drop=[store_90d]"]) == 2
        told = capsys.readouterr().err
        assert told == "features.drop: 'store_90d' is no feature; did you mean 'stores_90d'?\n"


def test_a_budget_that_nothing_draws_on_is_said_before_anything_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "params" / "sample.yaml"
    text = path.read_text(encoding="utf-8")
    given = "resource: coupons, amount: 30"
    assert text.count(given) == 1
    path.write_text(text.replace(given, "resource: agent_hour, amount: 2"), encoding="utf-8")
    for command in ("check", "run"):
        assert cli.main([command, str(path)]) == 2
        told = capsys.readouterr()
        assert "budgets.coupons.resource: nothing in the catalogue has 'agent_hour'" in told.err
        assert "Nothing is wrong" not in told.out
    path.write_text(text.replace(given, f"{given}, offers: [nosuch]"), encoding="utf-8")
    assert cli.main(["check", str(path), "--set", "source.households=60"]) == 0
    assert "budgets.coupons.offers: 'nosuch' is no offer" in capsys.readouterr().out


def test_a_missing_key_is_said_before_anything_runs(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MKT_PRIVACY_KEY", raising=False)
    words = [str(project / "params" / "sample.yaml"), "--set", "privacy.pseudonymise=true"]
    for command in ("check", "run"):
        assert cli.main([command, *words]) == 2
        told = capsys.readouterr()
        assert told.err.startswith(
            "privacy.key_env: the environment variable MKT_PRIVACY_KEY is not set; give it a secret"
        )
        assert "Nothing is wrong" not in told.out
    assert not list((project / "build").glob("**/*.ipynb"))
    monkeypatch.setenv("MKT_PRIVACY_KEY", "k" * 32)
    assert cli.main(["check", *words, "source.households=60"]) == 0


def test_a_missing_file_is_said_plainly(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(project / "params" / "sampl.yaml")]) == 2
    assert "did you mean 'sample.yaml'?" in capsys.readouterr().err


def test_the_project_is_found_from_a_folder_inside(project: Path, tmp_path: Path) -> None:
    assert cli.project_root(project / "notebooks") == project
    with pytest.raises(ParamsError, match=r"no dodo\.py"):
        cli.project_root(Path(tmp_path.anchor))


def test_summary_of_a_run_that_has_not_been(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project)
    assert cli.main(["summary", "params/sample.yaml"]) == 0
    assert "no stage has measured anything yet" in capsys.readouterr().out


def test_a_port_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "params/sample.yaml", "--port", "99999"]) == 2
    assert "from 1 to 65535" in capsys.readouterr().err


def test_a_snapshot_is_published_where_the_service_finds_it(
    project: Path, toy_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = str(project / "params" / "sample.yaml")
    address = f"sqlite:///{project / 'live.sqlite'}"
    assert cli.main(["publish", params]) == 2
    assert "--store" in capsys.readouterr().err
    assert cli.main(["publish", params, "--store", address]) == 1
    assert "09_strategies makes it" in capsys.readouterr().err
    made = project / "build" / "sample" / "decisions"
    made.mkdir(parents=True)
    shutil.copy(toy_home / "snapshot.sqlite", made)
    assert cli.main(["publish", params, "--store", address]) == 0
    assert "3 customers as of 2018-01-01 are served from now on" in capsys.readouterr().out
    with LiveStore.open(address) as live:
        served = live.served()
        assert served is not None
        assert live.profile(served.snapshot_id, CUSTOMERS[0]) is not None
        assert len(live.consents()) == 3
