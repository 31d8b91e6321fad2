"""Which stages stand and which are stale, after runs on fake notebooks."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from kernels import Kernel

from mkt_models import cli
from mkt_models.stages import STAGES
from mkt_models.standing import standings

NAMES = [stage.name for stage in STAGES]


@pytest.fixture
def told(kernel: Kernel) -> Callable[[], dict[str, str]]:
    """What is not current, and why."""

    def look() -> dict[str, str]:
        graph = runpy.run_path(str(kernel.project / "dodo.py"))
        return {
            one.stage: one.why or one.state for one in standings(graph) if one.state != "current"
        }

    return look


def test_after_a_run_all_stand_and_looking_changes_nothing(
    run: Callable[..., int], kernel: Kernel, told: Callable[[], dict[str, str]]
) -> None:
    run()
    assert told() == told() == {}
    run()
    assert kernel.executed == []


def test_a_partial_run_leaves_stages_that_have_not_run(
    run: Callable[..., int], told: Callable[[], dict[str, str]]
) -> None:
    run("--stages", "05_churn")
    missing = [name for name in NAMES if name not in ("01_explore", "02_clean", "03_profile")]
    missing.remove("05_churn")
    assert told() == dict.fromkeys(missing, "not run") | {"report": "not made of these stages"}


def test_why_a_stage_is_stale(
    run: Callable[..., int],
    kernel: Kernel,
    told: Callable[[], dict[str, str]],
    notebook_text: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run()
    notebook = kernel.project / "notebooks" / "04_mine.ipynb"
    notebook.write_text(notebook_text("04 · Mine: what else?", "1 + 1"))
    (kernel.project / "build" / "sample" / "value" / "out.json").write_text("an edit")
    monkeypatch.setenv("MKT_SET", "churn.horizon_days=28")
    after = {"09_strategies": "it needs 08_bias_audit", "report": "not made of these stages"}
    other = "made with other parameters, or of other data"
    assert told() == after | {
        "04_mine": "04_mine.ipynb changed since",
        "05_churn": other,
        "06_value": "its outputs have been changed or lost",
        "08_bias_audit": "it needs 04_mine, 05_churn, 06_value",
        "10_package": f"{other}, and it needs 09_strategies",
        "11_monitor": f"{other}, and it needs 05_churn, 06_value, 09_strategies",
        "12_served": "it needs 09_strategies",
    }
    # the changed parameter alone, run: what comes after is of the run before
    kernel.content["05_churn"] = "other"
    run("--set", "churn.horizon_days=28", "--stages", "05_churn")
    assert told()["08_bias_audit"] == (
        "05_churn made something else since, and it needs 04_mine, 06_value"
    )


def test_a_failed_stage_and_what_needs_it_are_stale(
    run: Callable[..., int],
    kernel: Kernel,
    told: Callable[[], dict[str, str]],
    notebook_text: Callable[..., str],
) -> None:
    run()
    kernel.failing = {"05_churn"}
    notebook = kernel.project / "notebooks" / "05_churn.ipynb"
    notebook.write_text(notebook_text("05 · Churn: who leaves?", "1 / 0"))
    assert run() == 1
    after = ["08_bias_audit", "09_strategies", "10_package", "11_monitor", "12_served", "report"]
    assert sorted(told()) == ["05_churn", *after]


def test_the_summary_names_what_is_stale_and_shows_what_there_is(
    run: Callable[..., int], kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--stages", "05_churn")
    figure = {"name": "Churn AUC", "value": 0.857, "n": 2304, "kind": "backtested"}
    path = Path("build/sample/churn/metrics.json")
    path.write_text(json.dumps({"headline": [figure]}))
    capsys.readouterr()
    assert cli.main(["summary", "params/sample.yaml"]) == 0
    told = capsys.readouterr().out
    assert "Churn AUC  0.857  n 2,304" in told
    assert "  06_value       has not run\n" in told
    assert "stale" not in told
    assert cli.main(["summary", "params/sample.yaml", "--set", "churn.horizon_days=28"]) == 0
    told = capsys.readouterr().out
    assert "  05_churn       stale: made with other parameters, or of other data\n" in told
    assert "* Churn AUC  0.857  n 2,304" in told
    assert kernel.executed == ["01_explore", "02_clean", "03_profile", "05_churn"]
