"""What a service did in a period: counted by day, strategy, reason and group; plain tables.

Counts are facts of the log. Where a share says something about customers to come, it has an
interval, by customer: of several decisions of a customer the last one counts. Rows about too few
customers can be hidden (:func:`without_small_cells`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind, Strategy
from mkt_models.evaluation.inputs import require
from mkt_models.monitoring.campaign import PERIOD, caps_over_time
from mkt_models.monitoring.gaps import Figure

DAY = "day"
SENT, NOT_SENT, WITHDRAWN, RECALLED = "sent", "not_sent", "withdrawn", "recalled"
OPEN, LAPSED = "open", "unreported"
STATES = (SENT, NOT_SENT, WITHDRAWN, LAPSED, OPEN)
COMPLAINT = "complaint"
CONTACTED, OFFERED = "contacted", "offered"
_SHARES = ("before", "now", "change")
_OBSERVED = NumberKind.OBSERVED.value


def decisions_by_day(decisions: pd.DataFrame) -> pd.DataFrame:
    """One row per day: what was asked and answered.

    Parameters
    ----------
    decisions
        One row per decision: customer_id, ``day``, ``strategy`` that came first, ``is_default``,
        ``arm``, ``explored``, ``stale``.

    Returns
    -------
    DataFrame
        day, ``decisions``, ``customers``, and of the decisions: ``strategies`` (anything but the
        two that follow), ``defaults`` (what everybody gets), ``no_action``; of all of them
        ``held_out``, ``explored`` and ``stale``; kind

    """
    require(decisions, [CUSTOMER_ID, DAY, "strategy", "is_default", "arm", "explored", "stale"])
    quiet = decisions["strategy"] == Strategy.NO_ACTION.value
    default = decisions["is_default"].astype(bool) & ~quiet
    marked = decisions.assign(
        no_action=quiet,
        defaults=default,
        strategies=~quiet & ~default,
        held_out=decisions["arm"] == "holdout",
    )
    grouped = marked.groupby(DAY, as_index=False)
    counts = {
        name: (name, "sum")
        for name in ("strategies", "defaults", "no_action", "held_out", "explored", "stale")
    }
    table = grouped.agg(decisions=("arm", "size"), customers=(CUSTOMER_ID, "nunique"), **counts)
    return table.assign(kind=_OBSERVED)


def decisions_by_strategy(decisions: pd.DataFrame, level: float) -> pd.DataFrame:
    """One row per strategy and channel that came first, the most frequent first.

    Returns
    -------
    DataFrame
        strategy, channel ("none" of doing nothing), ``decisions``, ``customers``, ``explored``,
        and ``share`` of all customers whose last answer it was, with ends at ``level``; n
        (customers in all), kind

    """
    filled = decisions.assign(channel=decisions["channel"].fillna("none"))
    keys = ["strategy", "channel"]
    table = filled.groupby(keys, as_index=False).agg(
        decisions=("arm", "size"), customers=(CUSTOMER_ID, "nunique"), explored=("explored", "sum")
    )
    last = last_answers(filled)
    counts = last.groupby(keys).size()
    n = len(last)
    told = [
        Figure.of_share(int(counts.get((row["strategy"], row["channel"]), 0)), n, level)
        for _, row in table.iterrows()
    ]
    table["share"] = [one.value for one in told]
    table["share_lower"] = [one.lower for one in told]
    table["share_upper"] = [one.upper for one in told]
    table = table.assign(n=n, level=level, kind=_OBSERVED)
    return table.sort_values("decisions", ascending=False, kind="stable", ignore_index=True)


def suppressions(decisions: pd.DataFrame, level: float) -> pd.DataFrame:
    """One row per reason against a candidate, the most frequent first.

    Parameters
    ----------
    decisions
        One row per decision with ``reasons``: the codes of what was not served, each once.
    level
        of the intervals

    Returns
    -------
    DataFrame
        reason, ``decisions`` and ``customers`` that it concerned, and ``share`` of all customers
        in whose last answer it stands, with ends; n (customers in all), kind

    """
    exploded = decisions[[CUSTOMER_ID, "reasons"]].explode("reasons").dropna(subset="reasons")
    table = exploded.groupby("reasons", as_index=False).agg(
        decisions=(CUSTOMER_ID, "size"), customers=(CUSTOMER_ID, "nunique")
    )
    counts, n = reason_counts(decisions)
    told = [Figure.of_share(counts.get(str(name), 0), n, level) for name in table["reasons"]]
    table = table.rename(columns={"reasons": "reason"}).assign(
        share=[one.value for one in told],
        share_lower=[one.lower for one in told],
        share_upper=[one.upper for one in told],
        n=n,
        level=level,
        kind=_OBSERVED,
    )
    return table.sort_values("decisions", ascending=False, kind="stable", ignore_index=True)


def contact_states(contacts: pd.DataFrame, until: datetime) -> pd.Series:
    """What became of every contact, as known at ``until`` (aware).

    ``sent``, ``not_sent``, ``withdrawn`` (also once it was begun); of the others ``unreported``
    where the time to send is over and nobody has said whether it was, else ``open``.
    """
    status = contacts["status"].astype(str).replace(RECALLED, WITHDRAWN)
    told = status.isin([SENT, NOT_SENT, WITHDRAWN])
    over = (contacts["until"] <= until).fillna(value=False)
    rest = pd.Series(np.where(over, LAPSED, OPEN), index=contacts.index, dtype=object)
    return status.where(told, rest)


def contacts_by(contacts: pd.DataFrame, until: datetime, keys: Sequence[str]) -> pd.DataFrame:
    """One row per value of ``keys``, such as the day, or strategy and channel: what was sent.

    Parameters
    ----------
    contacts
        One row per contact, planned or made: customer_id, the keys, ``status``, ``until``,
        ``within_policy`` and ``cost`` in currency units (null: not known).
    until
        Time up to which the log is known.
    keys
        Columns; a null of them counts as "other", a contact that no decision of ours planned.

    Returns
    -------
    DataFrame
        the keys, ``planned`` (all of them), ``customers``, one column per state
        (:func:`contact_states`), ``beyond_policy`` (sent although it was withdrawn, or too late),
        ``cost`` of those sent, ``unpriced`` (sent, and of no known cost), kind; without a contact
        there is no row

    """
    order = [*keys, "planned", "customers", *STATES, "beyond_policy", "cost", "unpriced"]
    if contacts.empty:
        return pd.DataFrame(columns=[*order, "kind"])
    require(contacts, [CUSTOMER_ID, *keys, "status", "until", "within_policy", "cost"])
    states = contact_states(contacts, until)
    sent = states == SENT
    marked = contacts.assign(
        **{name: states == name for name in STATES},
        beyond_policy=sent & (contacts["within_policy"] == False).fillna(value=False),  # noqa: E712
        paid=contacts["cost"].where(sent, 0.0).fillna(0.0),
        unpriced=sent & contacts["cost"].isna(),
    )
    for key in keys:
        if key != DAY:
            marked[key] = marked[key].astype(object).where(marked[key].notna(), "other")
    counts = {name: (name, "sum") for name in (*STATES, "beyond_policy", "unpriced")}
    table = marked.groupby(list(keys), as_index=False).agg(
        planned=("status", "size"),
        customers=(CUSTOMER_ID, "nunique"),
        cost=("paid", "sum"),
        **counts,
    )
    return table[order].assign(kind=_OBSERVED)


def cap_uses(
    contacts: pd.DataFrame, caps: Sequence[tuple[str, str | None, int, int]]
) -> pd.DataFrame:
    """One row per cap: how often customers were contacted, and who beyond it.

    Parameters
    ----------
    contacts
        Contacts that were sent: customer_id, ``push``, ``strategy``, ``channel``, ``sent_on``.
    caps
        (of what: ``push`` for all push channels, ``channel`` or ``strategy``; which one, or None;
        days; most contacts in so many days in a row). Windows are in elapsed time.

    Returns
    -------
    DataFrame
        cap (in words), days, most, ``contacts``, ``customers``, ``at_cap`` (customers who have had
        as many as they may), ``beyond``, ``highest``, kind

    """
    rows = []
    for what, which, days, most in caps:
        mine = contacts[contacts["push"]] if what == "push" else contacts[contacts[what] == which]
        row: dict[str, Any] = {"cap": "all push channels" if which is None else f"{what} {which}"}
        row |= {"days": days, "most": most, "contacts": len(mine)}
        row |= {"customers": mine[CUSTOMER_ID].nunique(), "at_cap": 0, "beyond": 0, "highest": 0}
        if len(mine):
            timed = mine.assign(**{PERIOD: "all"})
            for name, limit in (("beyond", most), ("at_cap", most - 1)):
                found = caps_over_time(timed, [(days, limit)]).iloc[0]
                row[name] = int(found["beyond"])
                row["highest"] = int(found["highest"])
            row["at_cap"] -= row["beyond"]
        rows.append(row | {"kind": _OBSERVED})
    columns = ["cap", "days", "most", "contacts", "customers", "at_cap", "beyond", "highest"]
    return pd.DataFrame(rows, columns=[*columns, "kind"])


def outcomes_by_kind(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of outcome: ``outcomes``, ``customers``, ``amount`` in currency units."""
    if outcomes.empty:
        return pd.DataFrame(columns=["outcome", "outcomes", "customers", "amount", "kind"])
    require(outcomes, [CUSTOMER_ID, "kind", "amount"])
    table = outcomes.rename(columns={"kind": "outcome"}).groupby("outcome", as_index=False)
    told = table.agg(
        outcomes=("amount", "size"), customers=(CUSTOMER_ID, "nunique"), amount=("amount", "sum")
    )
    return told.assign(kind=_OBSERVED).sort_values(
        "outcomes", ascending=False, kind="stable", ignore_index=True
    )


def reach_rows(decisions: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """One row per customer that was decided for: who was reached, who was offered something.

    Columns: customer_id, ``contacted`` (1 with a contact sent, over any channel), ``offered`` (1
    with an offer in any answer). Contacts of others do not count.
    """
    offered = decisions.groupby(CUSTOMER_ID)["with_offer"].max().astype(float)
    reached = set(contacts.loc[contacts["status"] == SENT, CUSTOMER_ID])
    table = offered.rename(OFFERED).reset_index()
    return table.assign(**{CONTACTED: table[CUSTOMER_ID].isin(reached).astype(float)})


def last_answers(decisions: pd.DataFrame) -> pd.DataFrame:
    """The last decision of every customer."""
    ordered = decisions.sort_values("at", kind="stable")
    return ordered.drop_duplicates(CUSTOMER_ID, keep="last")


def strategy_counts(decisions: pd.DataFrame) -> tuple[dict[str, int], int]:
    """Customers by the strategy that came first in their last answer; and all customers."""
    last = last_answers(decisions)
    counts = last["strategy"].value_counts()
    return {str(name): int(n) for name, n in counts.items()}, len(last)


def reason_counts(decisions: pd.DataFrame) -> tuple[dict[str, int], int]:
    """Customers by the reasons that stand in their last answer; and all customers."""
    last = last_answers(decisions)
    counts = last["reasons"].explode().dropna().value_counts()
    return {str(name): int(n) for name, n in counts.items()}, len(last)


def without_small_cells(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """Hide the figures of rows that count 1 to ``k`` - 1 customers; words and limits stay.

    A row is judged by its column ``customers``; in its place, and in that of every other count,
    amount and share, there is nothing. A ``share`` of so few of the ``n`` is hidden by itself.
    """
    if "customers" not in table or k <= 1:
        return table
    out = table.copy()
    small = table["customers"].between(1, k - 1)
    few = small
    if "share" in table:
        few = small | (table["share"] * table["n"]).round().between(1, k - 1)
    kept = {"days", "most", "level", "n"}
    for name in table.select_dtypes("number").columns.difference(list(kept)):
        whole = pd.api.types.is_integer_dtype(table[name])
        hidden = few if str(name).startswith("share") else small
        out[name] = table[name].astype("Int64" if whole else "float64").mask(hidden)
    return out


def without_small_shares(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """Hide a row of ``share_changes_beyond`` with a share of 1 to ``k`` - 1 customers."""
    if table.empty:
        return table
    few = pd.Series(False, index=table.index)
    for name, n in (("before", "n_before"), ("now", "n")):
        few |= (table[name] * table[n]).round().between(1, k - 1)
    hidden = [f"{name}{end}" for name in _SHARES for end in ("", "_lower", "_upper")]
    out = table.copy()
    out[hidden] = out[hidden].mask(few)
    return out


def budget_table(budgets: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per budget and period, the newest first: what there is, and what is taken of it.

    Parameters
    ----------
    budgets
        As the store counts them: budget, starts_on, ends_on, ``amount``, ``used``, ``sent``,
        ``reserved`` and ``sent_without_leave``, in the budget's unit; ``contacts`` by these states.

    Returns
    -------
    DataFrame
        these, ``contacts`` that draw on it, and ``share`` of the amount that is used; kind

    """
    columns = ["budget", "starts_on", "ends_on", "amount", "used", "sent", "reserved"]
    columns += ["sent_without_leave"]
    table = pd.DataFrame(
        [{name: row[name] for name in columns} for row in budgets], columns=columns
    )
    taken = ("sent", "reserved", "sent_without_leave")
    table["contacts"] = [
        sum(int(row["contacts"].get(state, 0)) for state in taken) for row in budgets
    ]
    used, amount = (table[name].astype("float64") for name in ("used", "amount"))
    return table.assign(share=used / amount.where(amount > 0), kind=_OBSERVED)
