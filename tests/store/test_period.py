"""When records end, by hand: which moments are passed over, and which never are."""

from datetime import UTC, datetime, timedelta

import pytest

from mkt_models.store.period import end_of, few_of

DAY = timedelta(days=1)
START = datetime(2018, 1, 1, tzinfo=UTC)
YEARS = 8 * 365 * DAY


def ends(moments: list[tuple[float, float]], shift: timedelta = 0 * DAY) -> float | None:
    """Day on which records end, of (about, recorded) in days; ``shift`` of the recording clock."""
    rows = [(START + about * DAY, START + on * DAY + shift) for about, on in moments]
    rows.sort(reverse=True)
    typical = rows[len(rows) // 2] if rows else (START, START)
    end = end_of(rows, len(rows), typical[0] - typical[1], 7 * DAY)
    return None if end is None else (end - START) / DAY


@pytest.fixture
def year() -> list[tuple[float, float]]:
    return [(day, day) for day in range(365)]


def test_without_records_there_is_no_end() -> None:
    assert ends([]) is None


@pytest.mark.parametrize("shift", [0 * DAY, YEARS])
def test_a_moment_far_ahead_ends_nothing(year: list[tuple[float, float]], shift: timedelta) -> None:
    assert ends(year, shift) == 364
    assert ends([*year, (364 + 40, 364)], shift) == 364
    assert ends([*year, (30_000, 10), (29_000, 200)], shift) == 364


def test_of_clocks_that_agree_what_is_ahead_never_counts(year: list[tuple[float, float]]) -> None:
    ahead = [(368 + n / 100, 364) for n in range(100)]
    assert ends([*year, *ahead]) == 364
    assert ends([*year, (364.9, 364)]) == 364.9  # less than a day is of its time


def test_a_service_that_starts_again_after_a_silence_is_seen(
    year: list[tuple[float, float]],
) -> None:
    assert ends([*year, (500, 500)]) == 500


def test_a_question_about_today_does_not_hide_a_log_that_is_played_again(
    year: list[tuple[float, float]],
) -> None:
    today = (364 + YEARS / DAY, 364)
    assert ends([*year, today], YEARS) == 364


def test_of_clocks_far_apart_only_a_few_that_stand_alone_are_passed_over(
    year: list[tuple[float, float]],
) -> None:
    assert few_of(371) == 5
    played = [(about, 0.0) for about, _ in year]  # all recorded on one day
    assert ends(played, YEARS) == 364
    assert ends([*played, *((400 + n, 0) for n in range(5))], YEARS) == 364
    assert ends([*played, *((400 + n, 0) for n in range(6))], YEARS) == 405
    assert ends([*played, (370, 0)], YEARS) == 370  # within a week: not alone
