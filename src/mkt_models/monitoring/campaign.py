"""What campaigns brought, cost and held back, period by period.

Of the effect only contacts that were assigned at random tell, held against those who were withheld.
Budgets and caps are facts, which no chance explains: one customer beyond a cap is one too many.
Shares of customers (who gets which strategy, who falls to which suppression) change by chance, and
are judged by the interval of their change.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.evaluation import metrics
from mkt_models.evaluation.arms import PROBABILITY, TREATED
from mkt_models.evaluation.bootstrap import (
    ClusterBootstrap,
    error_interval,
    standard_error,
)
from mkt_models.evaluation.inputs import Floats, numbers, require
from mkt_models.evaluation.uplift import effect_table
from mkt_models.monitoring.gaps import Figure, change
from mkt_models.monitoring.realised import ends
from mkt_models.monitoring_params import CampaignLimits

PERIOD = "period"
_DAY = 86_400 * 10**3  # milliseconds: a million customers still fit on one line


def effect_over_time(
    trials: pd.DataFrame,
    reference: Sequence[Any],
    outcome: str,
    limits: CampaignLimits,
    *,
    false_alarms: float,
    n_bootstrap: int,
    seed: int,
) -> pd.DataFrame:
    """One row per current period: what a contact adds, and what of the reference's effect is lost.

    Parameters
    ----------
    trials
        One row per customer and campaign: customer_id, ``period``, ``treated``,
        ``assignment_probability`` and the outcome.
    reference
        Periods of the reference; all others are current.
    outcome
        Column of what happened: 0 and 1, or an amount.
    limits
        Which part of the effect may be lost.
    false_alarms
        Probability that any period alarms though nothing has changed (Bonferroni; half for harm,
        half for loss).
    n_bootstrap, seed
        Draws of customers.

    Returns
    -------
    DataFrame
        period, n, n_customers, n_treated, ``effect`` and ``reference`` with ends, ``loss`` with
        ends (above 0 is worse), ``allowed``; evaluated; harmful (a contact is shown to lower the
        outcome), lost (a loss is shown, and as large as matters); kind, note

    """
    require(trials, [CUSTOMER_ID, PERIOD, TREATED, PROBABILITY, outcome])
    old = trials[PERIOD].isin(list(reference))
    periods = sorted(trials.loc[~old, PERIOD].unique())
    level = 1 - false_alarms / max(1, len(periods))
    before = _effect(trials[old], outcome, n_bootstrap, level, seed)[0]
    rows = []
    for period in periods:
        part = trials[trials[PERIOD] == period]
        now, note = _effect(part, outcome, n_bootstrap, level, seed)
        loss = change(now, before, level)
        allowed = limits.max_effect_loss * max(before.value, 0.0)
        row: dict[str, Any] = {PERIOD: period, "n": len(part)}
        row |= {"n_customers": part[CUSTOMER_ID].nunique(), "n_treated": int(part[TREATED].sum())}
        row |= ends("effect", now) | ends("reference", before) | ends("loss", loss)
        shown = bool(loss.known and loss.lower > 0 and loss.value >= allowed)
        row |= {"allowed": allowed, "evaluated": now.known, "harmful": bool(now.upper < 0)}
        row |= {"lost": shown and before.value > 0, "kind": NumberKind.RANDOMISED.value}
        if now.known and not before.known:
            note = "held against 0 alone: the reference has no effect with an interval"
        rows.append(row | {"level": level, "note": note})
    return pd.DataFrame(rows)


def cost_over_time(
    contacts: pd.DataFrame,
    reference: Sequence[Any],
    limits: CampaignLimits,
    *,
    min_customers: int,
    false_alarms: float,
    n_bootstrap: int,
    seed: int,
) -> pd.DataFrame:
    """One row per current period: its cost, and the cost of a contact against the reference.

    Parameters
    ----------
    contacts
        One row per contact that was made: customer_id, ``period``, ``cost`` (currency units).
    reference, limits, min_customers, false_alarms, n_bootstrap, seed
        As elsewhere; periods with fewer customers are judged by the budget alone.

    Returns
    -------
    DataFrame
        period, n (contacts), n_customers, ``cost`` (in all), ``per_contact`` and ``reference`` with
        ends, ``rise`` with ends, ``allowed``, ``budget``; evaluated; over_budget; dearer (a rise is
        shown, and as large as matters); kind, note

    """
    require(contacts, [CUSTOMER_ID, PERIOD, "cost"])
    old = contacts[PERIOD].isin(list(reference))
    periods = sorted(contacts.loc[~old, PERIOD].unique())
    level = 1 - 2 * false_alarms / max(1, len(periods))
    before = _mean(contacts[old], n_bootstrap, level, seed)
    rows = []
    for period in periods:
        part = contacts[contacts[PERIOD] == period]
        now = _mean(part, n_bootstrap, level, seed)
        customers, total = part[CUSTOMER_ID].nunique(), float(part["cost"].sum())
        enough = min(customers, contacts.loc[old, CUSTOMER_ID].nunique()) >= min_customers
        same = now.value == before.value  # a price list knows no spread, and needs none
        rise = change(before, now, level)
        allowed = limits.max_cost_rise * before.value
        shown = (rise.known and rise.lower > 0) or (not now.known and not before.known and not same)
        row: dict[str, Any] = {PERIOD: period, "n": len(part), "n_customers": customers}
        row |= {"cost": total, **ends("per_contact", now), **ends("reference", before)}
        row |= ends("rise", rise) | {"allowed": allowed, "budget": limits.budget or np.nan}
        row["over_budget"] = limits.budget is not None and total > limits.budget
        row["evaluated"] = enough or limits.budget is not None
        row["dearer"] = bool(enough and shown and rise.value >= max(allowed, 1e-12))
        note = "" if enough else f"cost per contact: fewer than {min_customers} customers"
        rows.append(row | {"kind": NumberKind.OBSERVED.value, "level": level, "note": note})
    return pd.DataFrame(rows)


def caps_over_time(
    contacts: pd.DataFrame, caps: Sequence[tuple[int, int]], periods: Sequence[Any] | None = None
) -> pd.DataFrame:
    """One row per period and cap: customers with more contacts than allowed.

    Parameters
    ----------
    contacts
        One row per contact that was made: customer_id, ``period``, ``sent_on`` (a day).
    caps
        (days, most contacts in so many days in a row), as ``Caps.windows`` gives them.
    periods
        Periods to count; contacts of others still count towards the window. None: all.

    Returns
    -------
    DataFrame
        period, ``days``, ``most``, n (contacts), n_customers, ``beyond`` (customers with a contact
        of the period beyond the cap), ``highest`` (contacts of one customer in a window), kind

    """
    require(contacts, [CUSTOMER_ID, PERIOD, "sent_on"])
    ordered = contacts.assign(day=pd.to_datetime(contacts["sent_on"]))
    ordered = ordered.sort_values([CUSTOMER_ID, "day"], kind="stable", ignore_index=True)
    places = _on_one_line(ordered, max((days for days, _ in caps), default=0))
    wanted = sorted(ordered[PERIOD].unique()) if periods is None else list(periods)
    rows = []
    for days, most in caps:
        # A contact so many days before, to the moment, is not of the same window.
        before = np.searchsorted(places, places - days * _DAY, side="right")
        ordered["within"] = np.arange(1, len(ordered) + 1) - before
        for period in wanted:
            part = ordered[ordered[PERIOD] == period]
            beyond = part.loc[part["within"] > most, CUSTOMER_ID].nunique()
            row = {PERIOD: period, "days": days, "most": most, "n": len(part)}
            row |= {"n_customers": part[CUSTOMER_ID].nunique(), "beyond": beyond}
            row["highest"] = int(part["within"].max()) if len(part) else 0
            rows.append(row | {"kind": NumberKind.OBSERVED.value})
    columns = [PERIOD, "days", "most", "n", "n_customers", "beyond", "highest", "kind"]
    return pd.DataFrame(rows, columns=columns)


def _on_one_line(ordered: pd.DataFrame, days: int) -> npt.NDArray[np.int64]:
    """The times of contacts, sorted by customer and time, with those of each customer far apart."""
    if ordered.empty:
        return np.empty(0, dtype=np.int64)
    at = (ordered["day"] - ordered["day"].min()).to_numpy().astype("timedelta64[ms]")
    at = at.astype(np.int64)
    codes = pd.factorize(ordered[CUSTOMER_ID])[0]
    apart = int(at.max()) + (days + 1) * _DAY
    places: npt.NDArray[np.int64] = codes * apart + at
    return places


def share_changes(
    reference: Mapping[str, int],
    n_reference: int,
    current: Mapping[str, int],
    n_current: int,
    limits: CampaignLimits,
    *,
    min_customers: int,
    false_alarms: float,
) -> pd.DataFrame:
    """One row per label: the share of customers it had and has, the most changed first.

    Parameters
    ----------
    reference, current
        Customers per label (a strategy that ranks first, a reason against a candidate); a label
        that is not there counts 0.
    n_reference, n_current
        All customers that were decided for.
    limits, min_customers, false_alarms
        As elsewhere; the error is shared by the labels.

    Returns
    -------
    DataFrame
        label, n (all customers of the current period), ``before``, ``now`` and ``change`` with
        ends, ``allowed``, evaluated, changed (shown, and as large as matters), kind, note

    """
    labels = sorted({*reference, *current})
    level = 1 - false_alarms / max(1, len(labels))
    few = min(n_reference, n_current) < min_customers
    note = f"fewer than {min_customers} customers in a period" if few else ""
    rows = []
    for label in labels:
        before = Figure.of_share(reference.get(label, 0), n_reference, level)
        now = Figure.of_share(current.get(label, 0), n_current, level)
        gap = change(before, now, level)
        shown = gap.known and (gap.lower > 0 or gap.upper < 0)
        row: dict[str, Any] = {"label": label, "n": n_current}
        row |= ends("before", before) | ends("now", now) | ends("change", gap)
        row |= {"allowed": limits.max_share_change, "evaluated": not few, "level": level}
        row["changed"] = bool(not few and shown and abs(gap.value) >= limits.max_share_change)
        rows.append(row | {"kind": NumberKind.OBSERVED.value, "note": note})
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _effect(
    part: pd.DataFrame, outcome: str, n_bootstrap: int, level: float, seed: int
) -> tuple[Figure, str]:
    nothing = Figure(np.nan, np.nan, np.nan, len(part), level)
    if part[TREATED].nunique() < 2:
        return nothing, "only one arm"
    row = effect_table(part, [outcome], n_bootstrap, level, seed).iloc[0]
    low, high = float(row["effect_lower"]), float(row["effect_upper"])
    return Figure(float(row["effect"]), low, high, len(part), level), str(row["note"])


def _mean(part: pd.DataFrame, n_bootstrap: int, level: float, seed: int) -> Figure:
    """Cost of a contact, with the spread over customers."""
    if part.empty:
        return Figure(np.nan, np.nan, np.nan, 0, level)
    cost = numbers(part, "cost")
    draws = ClusterBootstrap.of(part[CUSTOMER_ID], n_bootstrap, seed)

    def mean(weights: Floats) -> Floats:
        return metrics.weighted_mean(weights, cost)

    error = standard_error(draws.replicates(mean))
    low, high = error_interval(float(cost.mean()), error, level, draws.n_clusters)
    return Figure(float(cost.mean()), low, high, len(part), level)
