"""The stage graph, run by doit on fake notebooks: what is stale, what is told, what is kept."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from kernels import Kernel

from mkt_models.stages import STAGES
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Outcome

NAMES = [stage.name for stage in STAGES]


def test_every_stage_runs_after_what_it_needs(run: Callable[..., int], kernel: Kernel) -> None:
    assert run() == 0
    assert sorted(kernel.executed) == NAMES
    place = {name: kernel.executed.index(name) for name in NAMES}
    assert all(place[need] < place[stage.name] for stage in STAGES for need in stage.needs)
    made = {path.name for path in (kernel.project / "reports" / "sample").iterdir()}
    assert made == {f"{n}.html" for n in NAMES} | {"index.html", "metrics.json", "manifest.json"}


def test_an_unchanged_run_executes_nothing(
    run: Callable[..., int], kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    capsys.readouterr()
    assert run() == 0
    assert kernel.executed == []
    assert capsys.readouterr().out.count("unchanged, skipped") == len(NAMES) + 1


def test_a_changed_notebook_that_makes_the_same_outputs_sets_nothing_else_in_motion(
    run: Callable[..., int], kernel: Kernel, notebook_text: Callable[..., str]
) -> None:
    run()
    changed = kernel.project / "notebooks" / "02_clean.ipynb"
    changed.write_text(notebook_text("02 · Clean: what is left?", "1 + 1"))
    run()
    assert kernel.executed == ["02_clean"]


def test_changed_outputs_set_what_needs_them_in_motion(
    run: Callable[..., int], kernel: Kernel, notebook_text: Callable[..., str]
) -> None:
    run()
    kernel.content["06_value"] = "other"
    changed = kernel.project / "notebooks" / "06_value.ipynb"
    changed.write_text(notebook_text("06 · Value: how much?", "1 + 1"))
    run()
    # 09 needs only the outputs of 08, and those stayed the same
    assert kernel.executed == ["06_value", "08_bias_audit", "11_monitor"]


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("src/mkt_models/fake.py", NAMES),
        ("requirements.lock", NAMES),
        ("params/catalogue.yaml", ["09_strategies", "10_package", "11_monitor", "12_served"]),
    ],
)
def test_a_changed_file_makes_its_readers_stale(
    run: Callable[..., int], kernel: Kernel, changed: str, stale: list[str]
) -> None:
    run()
    with (kernel.project / changed).open("a") as file:
        file.write("# changed\n")
    run()
    assert sorted(kernel.executed) == stale


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("seed=99", ["01_explore", *NAMES[3:]]),
        ("profile.new_days=20", ["03_profile", "10_package"]),
        ("churn.horizon_days=28", ["05_churn", "10_package", "11_monitor"]),
        ("uplift.response=ordered", ["07_propensity", "09_strategies", "10_package", "11_monitor"]),
        ("release.confidence=0.9", ["08_bias_audit", "10_package", "11_monitor"]),
        ("audit.min_group_size=50", ["08_bias_audit", "10_package", "11_monitor", "12_served"]),
        ("decisions.k=2", ["09_strategies", "10_package", "11_monitor", "12_served"]),
        ("served.days=40", ["10_package", "12_served"]),
    ],
)
def test_a_changed_parameter_makes_its_readers_stale(
    run: Callable[..., int], kernel: Kernel, changed: str, stale: list[str]
) -> None:
    run()
    run("--set", changed)
    assert sorted(kernel.executed) == stale


def test_a_live_store_makes_its_report_stale(run: Callable[..., int], kernel: Kernel) -> None:
    run()
    home = kernel.project / "build" / "sample" / "bentoml"
    with LiveStore.open(home / "live.sqlite") as live:
        run()
        assert kernel.executed == ["12_served"]
        run()
        assert kernel.executed == []
        now = datetime(2018, 1, 6, tzinfo=UTC)
        with live.turn("a", now) as turn:
            turn.outcome(Outcome("k", "click", now))
        run()
    assert kernel.executed == ["12_served"]


def test_overrides_reach_the_notebooks(run: Callable[..., int], kernel: Kernel) -> None:
    run("--set", "churn.horizon_days=28", "profile.as_of=2018-01-02")
    assert kernel.parameters == {
        "params_file": "../params/sample.yaml",
        "overrides": {"churn.horizon_days": 28, "profile.as_of": "2018-01-02"},
    }


def test_a_lost_output_is_made_again(run: Callable[..., int], kernel: Kernel) -> None:
    run()
    (kernel.project / "build" / "sample" / "mining" / "out.json").unlink()
    run()
    assert kernel.executed == ["04_mine"]


def test_lost_pages_are_made_again_without_their_notebooks(
    run: Callable[..., int], kernel: Kernel
) -> None:
    run()
    shutil.rmtree(kernel.project / "reports")
    assert run() == 0
    assert kernel.executed == []
    assert (kernel.project / "reports" / "sample" / "05_churn.html").is_file()


def test_a_failure_is_told_and_leaves_the_last_good_output(
    run: Callable[..., int],
    kernel: Kernel,
    capsys: pytest.CaptureFixture[str],
    notebook_text: Callable[..., str],
) -> None:
    run()
    output = kernel.project / "build" / "sample" / "churn" / "out.json"
    page = kernel.project / "reports" / "sample" / "05_churn.html"
    before = page.read_bytes()
    changed = kernel.project / "notebooks" / "05_churn.ipynb"
    changed.write_text(notebook_text("05 · Churn: who leaves?", "1 / 0"))
    kernel.failing, kernel.content = {"05_churn"}, {"05_churn": "half"}
    capsys.readouterr()

    assert run() == 1
    told = capsys.readouterr().out
    assert re.search(r"05_churn +FAILED after \d", told)
    assert "05_churn.ipynb, code cell 2\n           ValueError: too few orders" in told
    lost = "08_bias_audit, 09_strategies, 10_package, 11_monitor, 12_served, report"
    assert f"not run, because of that: {lost}" in told
    assert "Traceback" not in told
    assert json.loads(output.read_text()) == "same"
    assert page.read_bytes() == before
    assert not list((kernel.project / "build" / "sample" / ".last_good").iterdir())

    kernel.failing, kernel.content = set(), {}
    assert run() == 0
    assert kernel.executed == ["05_churn"]


def test_a_killed_run_leaves_the_last_good_output_to_the_next(
    run: Callable[..., int], kernel: Kernel
) -> None:
    run()
    build = kernel.project / "build" / "sample"
    aside = build / ".last_good" / "05_churn"
    aside.mkdir(parents=True)
    (build / "churn").rename(aside / "churn")  # as a killed run leaves it
    (build / "churn").mkdir()
    kernel.failing = {"05_churn"}
    assert run() == 1
    assert json.loads((build / "churn" / "out.json").read_text()) == "same"


def test_only_the_asked_stage_and_what_it_needs(run: Callable[..., int], kernel: Kernel) -> None:
    assert run("--stages", "04_mine") == 0
    assert kernel.executed == ["01_explore", "02_clean", "04_mine"]


def test_faulty_parameters_stop_before_anything_runs(
    run: Callable[..., int], kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--set", "churn.horizon_day=28", "seed=many") == 2
    told = capsys.readouterr().err
    assert "churn.horizon_day: unknown key; did you mean 'horizon_days'?" in told
    assert "seed: input should be a valid integer" in told
    assert "Traceback" not in told
    assert kernel.executed == []
