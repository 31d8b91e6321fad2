"""What is told while stages run, worked by hand with a clock of our own."""

from types import SimpleNamespace
from typing import Any

import pytest

from mkt_models import progress
from mkt_models.progress import ProgressReporter


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def task(name: str, **parts: Any) -> Any:
    return SimpleNamespace(
        name=name, **{"doc": "read the source", "actions": [print], "values": {}, **parts}
    )


def failure(**parts: Any) -> Any:
    return SimpleNamespace(**{"message": "too few\norders", "traceback": None, **parts})


FIRST, LATER, HELPER = task("01_explore"), task("02_clean"), task("_merge")
GROUP = task("all", actions=[])


def begin() -> ProgressReporter:
    """A reporter of a run that begins; it takes the standard output of the moment."""
    found = ProgressReporter(None, {})  # type: ignore[arg-type]
    found.initialize({t.name: t for t in (FIRST, LATER, HELPER, GROUP)}, ["01_explore"])
    return found


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_stage_is_told_when_it_starts_and_when_it_is_done(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = begin()
    reporter.execute_task(FIRST)
    clock.now += 61.26
    reporter.add_success(FIRST)
    reporter.skip_uptodate(LATER)
    reporter.complete_run()
    assert told(capsys) == [
        "  00:00  01_explore     read the source …",
        "  01:01  01_explore     done in 61.3 s",
        "  01:01  02_clean       unchanged, skipped",
    ]


def test_helpers_and_groups_are_not_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    reporter = begin()
    for quiet in (HELPER, GROUP):
        reporter.execute_task(quiet)
        reporter.add_success(quiet)
        reporter.skip_uptodate(quiet)
    assert told(capsys) == []


def test_a_failure_is_told_with_what_could_not_run(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = begin()
    reporter.execute_task(FIRST)
    clock.now += 2
    reporter.add_failure(FIRST, failure(traceback=["line 3\n"]))
    reporter.complete_run()
    assert told(capsys) == [
        "  00:00  01_explore     read the source …",
        "  00:02  01_explore     FAILED after 2.0 s",
        "         too few",
        "         orders",
        "         line 3",
        "         not run, because of that: 02_clean",
    ]


def test_a_failure_before_the_start_has_no_time_and_a_helper_may_fail(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = begin()
    reporter.add_failure(HELPER, failure(message="no"))
    reporter.add_failure(LATER, failure(report=False))  # doit tells of it elsewhere
    assert told(capsys) == ["  00:00  _merge         FAILED", "         no"]


def test_errors_of_doit_come_last(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    reporter = begin()
    reporter.runtime_error("the database is locked")
    reporter.cleanup_error(SimpleNamespace(get_msg=lambda: "cannot clean"))
    reporter.skip_ignore(LATER)
    reporter.complete_run()
    assert told(capsys) == [
        "cannot clean",
        "  00:00  02_clean       ignored",
        "the database is locked",
    ]


def test_a_stage_without_a_result_says_why(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = begin()
    lacking = task("07_propensity", values={"not_available": "the source has no campaigns"})
    reporter.execute_task(lacking)
    reporter.add_success(lacking)
    assert told(capsys)[-1].endswith("07_propensity  not available: the source has no campaigns")
