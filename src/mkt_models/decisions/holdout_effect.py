"""What all contacts together bring: the holdout, read off the service's own log.

The holdout is an experiment (:mod:`mkt_models.decisions.holdout`) and is analysed as all others
are: by customer, not by decision; by the arm that a customer was assigned to, whether or not
anything was sent (intention to treat); with the sample ratio first, intervals, and a memo. It has
no planned end and is looked at again and again, so that its intervals are those of a confidence
sequence, which hold at every look.

Module of the notebooks: it needs pandas, which the service does not carry.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.decisions.served_log import REWARDED, amounts_by_customer
from mkt_models.experiment_params import Experiments
from mkt_models.experiments.analysis import Columns, Result, analyse
from mkt_models.experiments.assignment import Experiment, assign
from mkt_models.experiments.metrics import Metric

SPEND = Metric(name="spend", name_zh="消费额", kind="mean", role="primary", column="spend")
BUYERS = Metric(
    name="buyers", name_zh="购买客户占比", kind="proportion", role="primary", column="bought"
)
READY = "complete_on"


@dataclass(frozen=True)
class HoldoutEffect:
    """What the holdout found, and what it was read off.

    Attributes
    ----------
    result
        sample ratio, effects, memo; as of every experiment
    customers
        One row per customer: ``customer_id``, ``arm``, ``spend`` (currency units, within the days),
        ``bought`` (1 with any amount above 0), ``complete_on`` (the day, in UTC, on which the
        customer's days were over; null where they are not).
    decisions
        Decisions of the customers compared.
    other_decisions
        Decisions left out: outside the time or, where the customers were listed, of somebody
        else.

    """

    result: Result
    customers: pd.DataFrame
    decisions: int
    other_decisions: int


def holdout_effect(
    decisions: Iterable[Mapping[str, Any]],
    outcomes: Iterable[Mapping[str, Any]],
    experiment: Experiment,
    settings: Experiments,
    *,
    days: float,
    since: datetime,
    until: datetime,
    customers: Iterable[str] | None = None,
    planned_customers: int | None = None,
    kinds: Sequence[str] = REWARDED,
) -> HoldoutEffect:
    """Compare customers who may be contacted with those withheld, by the service's log.

    Parameters
    ----------
    decisions, outcomes
        As ``LiveStore.decided`` and ``LiveStore.outcomes`` give them, from ``since`` on.
    experiment
        :func:`~mkt_models.decisions.holdout.holdout_experiment` of the share and salt under which
        the decisions were taken.
    settings
        Risks; the method is always the sequential one.
    days
        Spend counts from a customer's first decision on, for so many days.
    since, until
        Aware times: the start of the comparison, best the first day of the holdout, the same at
        every look; and the time up to which decisions and outcomes are known.
    customers
        All customers that could be decided for on ``since``, if their list was kept: they are
        compared whether or not anybody asked about them, from ``since`` on. None takes those whom
        the log names: right if what is asked does not depend on the arm. It does where a letter
        brings people into the app that asks; the sample ratio shows it only if it is large.
    planned_customers
        Size at which the intervals are tightest; None takes ``settings.tightest_at``.
    kinds
        The kinds of outcomes whose amounts count.

    Raises
    ------
    ValueError
        Where there is no decision to compare; when a decision has another arm, or another
        probability of its arm, than the experiment gives: then the share or the salt was changed,
        and each holdout is to be analysed by itself.

    """
    _check_times(days, since, until)
    listed = None if customers is None else dict.fromkeys(customers, since)
    begun: dict[str, datetime] = {} if listed is None else dict(listed)
    if listed is not None and not listed:
        raise ValueError("customers: none are listed; give None to take those whom the log names")
    used = other = 0
    for row in decisions:
        customer, at = row[CUSTOMER_ID], datetime.fromisoformat(row["asked_for"])
        if not since <= at < until or (listed is not None and customer not in listed):
            other += 1
            continue
        _check_arm(row, experiment)
        used += 1
        if listed is None:
            begun[customer] = min(at, begun.get(customer, at))
    if not used:
        raise ValueError(
            f"decisions: none of {other:,} is of these customers and between {since} and {until}"
        )
    amounts = amounts_by_customer(outcomes, kinds)
    rows = []
    for customer, start in begun.items():
        end = start + timedelta(days=days)
        spent = [a for at, a in amounts.get(customer, ()) if start <= at < end]
        assigned = assign(experiment, customer)
        assert assigned is not None  # the holdout has no slot
        day = pd.Timestamp(end).tz_convert(UTC).floor("D") if end <= until else pd.NaT
        rows.append((customer, assigned.arm, sum(spent), int(any(a > 0 for a in spent)), day))
    units = pd.DataFrame(rows, columns=[CUSTOMER_ID, "arm", "spend", "bought", READY])
    units[READY] = pd.to_datetime(units[READY], utc=True)
    result = analyse(
        units,
        experiment,
        [SPEND, BUYERS],
        settings.model_copy(update={"method": "sequential"}),
        columns=Columns(ready=READY),
        planned_units=planned_customers,
    )
    return HoldoutEffect(result, units, used, other)


def _check_arm(row: Mapping[str, Any], experiment: Experiment) -> None:
    assigned = assign(experiment, row[CUSTOMER_ID])
    assert assigned is not None  # the holdout has no slot
    if row["arm"] != assigned.arm or abs(row["arm_probability"] - assigned.probability) > 1e-5:
        raise ValueError(
            f"decision {row['decision_id']!r} is of the arm {row['arm']!r}, which had the "
            f"probability {row['arm_probability']:g}; the holdout gives {assigned.arm!r} with "
            f"{assigned.probability:g}. Another share or salt is another holdout: take those that "
            "the service had, and begin after the change"
        )


def _check_times(days: float, since: datetime, until: datetime) -> None:
    if not days > 0:
        raise ValueError(f"days == {days}, must be > 0")
    for name, at in (("since", since), ("until", until)):
        if at.tzinfo is None:
            raise ValueError(f"{name} == {at} has no zone; give an aware time")
    if since >= until:
        raise ValueError(f"since == {since} must be before until == {until}")
