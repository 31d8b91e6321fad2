"""Whether the dates of the parameters lie inside the data, and dates that would.

A profile needs days before it; a cutoff needs a history before it and its whole horizon after it.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from mkt_models.params import Cutoffs, Params

_LATE_DAYS = 31  # a profile so long after the last day describes customers who look lost


@dataclass
class DateFaults:
    """What is wrong with the dates, and a block of YAML with dates that fit, where there is one."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    suggestion: list[str] = field(default_factory=list)


def check_dates(params: Params, first: date, last: date) -> DateFaults:
    """Compare the dates of the parameters with the first and last day of the transactions.

    Parameters
    ----------
    params
        A run's parameters.
    first, last
        On the shop's calendar.

    """
    found = DateFaults()
    as_of = params.profile.as_of
    if not first < as_of <= last + timedelta(days=1 + _LATE_DAYS):
        found.errors.append(
            f"profile.as_of == {as_of} is not inside the data, which reaches from {first} to {last}"
        )
        found.suggestion.append(f"profile: {{as_of: {last + timedelta(days=1)}}}")
    elif as_of > last + timedelta(days=1):
        found.warnings.append(
            f"profile.as_of == {as_of} is {(as_of - last).days} days after the last day of the "
            f"data, {last}: whoever bought since is unknown"
        )
    end = last + timedelta(days=1)
    if first < as_of < end:
        end = as_of
    for name, cutoffs in (("churn", params.churn), ("value", params.value)):
        _check_cutoffs(name, cutoffs, first, last, end, found)
    decided = params.decisions.decide_at.date()
    if found.suggestion and any("profile" in line for line in found.suggestion):
        found.suggestion.append(f"decisions: {{decide_at: {last + timedelta(days=1)}T10:00:00}}")
    elif decided > as_of + timedelta(days=_LATE_DAYS):
        found.warnings.append(
            f"decisions.decide_at == {params.decisions.decide_at} is "
            f"{(decided - as_of).days} days after profile.as_of: profiles are old by then"
        )
    return found


def _check_cutoffs(
    name: str, cutoffs: Cutoffs, first: date, last: date, end: date, found: DateFaults
) -> None:
    horizon = timedelta(days=cutoffs.horizon_days)
    wrong = []
    if cutoffs.last + horizon > last + timedelta(days=1):
        wrong.append(
            f"{name}.last == {cutoffs.last}: its horizon of {cutoffs.horizon_days} days ends on "
            f"{cutoffs.last + horizon}, after the last day of the data, {last}"
        )
    if cutoffs.first <= first:
        wrong.append(f"{name}.first == {cutoffs.first} has no history: the data begins on {first}")
    if not wrong:
        return
    found.errors += wrong
    fitting = fitting_cutoffs(cutoffs, first, end)
    if fitting is None:
        found.errors.append(
            f"{name}: {(last - first).days + 1} days of data are too few for horizon_days == "
            f"{cutoffs.horizon_days} and test_cutoffs == {cutoffs.test_cutoffs}; lower them"
        )
    else:
        found.suggestion.append(f"{name}: {{first: {fitting[0]}, last: {fitting[1]}}}")


def fitting_cutoffs(cutoffs: Cutoffs, first: date, end: date) -> tuple[date, date] | None:
    """First and last cutoff that fit data from ``first`` up to, and without, ``end``; or None.

    The history before the first cutoff is as long as ``active_days``, or shorter where the data
    would else leave no training.
    """
    latest = end - timedelta(days=cutoffs.horizon_days)
    for history in (cutoffs.active_days, cutoffs.active_days // 2, 1):
        earliest = first + timedelta(days=history)
        try:
            type(cutoffs).model_validate(
                {**cutoffs.model_dump(), "first": earliest, "last": latest}
            )
        except ValueError:
            continue
        return earliest, latest
    return None
