"""What of the tables on a service must not be told: counts of few customers, and what gives them.

The tables of one report speak of the same contacts: those of a strategy are the ones of its channel
less the ones of all others. So next to a strategy with few customers another is hidden, over the
same channel and drawing on the same budget, and both in all tables
(:func:`mkt_models.small_cells.hidden`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mkt_models.budget_params import Budget
from mkt_models.monitoring.served import without_small_cells
from mkt_models.small_cells import HIDDEN, hidden

FEW, BESIDE = "few", "beside"
_ALONE = ("suppressions", "outcomes")
_ADD_UP = ("days_answered", "strategies", "contacts_by_day")
_USED = ("used", "sent", "reserved", "sent_without_leave", "share")


def hide(
    tables: Mapping[str, pd.DataFrame],
    contacts: pd.DataFrame,
    budgets: Sequence[Budget],
    k: int,
) -> dict[str, pd.DataFrame]:
    """Give the tables of a report without what tells of fewer than ``k`` customers.

    Parameters
    ----------
    tables
        As ``mkt_models.served.Report`` has them, complete; those with a column ``customers``, and
        ``budgets`` (which counts ``contacts``).
    contacts
        One row per contact: strategy, channel, offer_id.
    budgets
        What draws on each.

    Returns
    -------
    dict
        The same, where something is hidden with a column ``hidden``: "few" for a row of fewer than
        ``k``, "beside" for one that would give it away, else "".

    """
    out = dict(tables)
    if k <= 1:
        return out
    for name in (*_ADD_UP, *_ALONE):
        if name in out and len(out[name]):
            counts = out[name]["customers"]
            few = counts.between(1, k - 1).tolist()
            marks = few if name in _ALONE else hidden(counts.tolist(), k)
            out[name] = _without(tables[name], marks, k)
            if name == "strategies":
                out[name] = _without_share(out[name], tables[name], k)
    drawing = [_drawing(contacts, one) for one in budgets]
    gone, alone = _contacts(tables["contacts"], tables["caps"], drawing, k)
    if len(tables["contacts"]):
        out["contacts"] = _without(tables["contacts"], gone, k)
        hide_caps = _caps(tables["contacts"], tables["caps"], gone, k)
        out["caps"] = _without_parts(_without(tables["caps"], hide_caps, k), k)
    if "budgets" in out and len(out["budgets"]):
        whole = {one.id for one, no in zip(budgets, alone, strict=True) if no}
        out["budgets"] = _budgets(out["budgets"], whole, k)
    return out


def readable(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """Make a table of :func:`hide` readable: "< k" for customers, an ellipsis beside it.

    >>> readable(pd.DataFrame({"customers": [9, None], "hidden": ["", "few"]}).astype(
    ...     {"customers": "Int64"}), 5)
      customers
    0         9
    1       < 5
    """
    if "hidden" not in table:
        return table
    out = table.drop(columns="hidden")
    count = "customers" if "customers" in out else "contacts"
    for name in out.select_dtypes("number"):
        if f"{name}_lower" in out or str(name).endswith(("_lower", "_upper")):
            continue  # shown with its interval
        # Of few customers their number is below k; what else there is of them need not be.
        few = f"< {k}" if name == count else HIDDEN
        words = table["hidden"].map({FEW: few, BESIDE: HIDDEN, "": f"< {k}"})
        out[name] = out[name].astype(object).where(out[name].notna(), words)
    return out


def _without(table: pd.DataFrame, marks: Sequence[bool], k: int) -> pd.DataFrame:
    if not any(marks):
        return without_small_cells(table, k)
    gone, few = np.asarray(marks), table["customers"].between(1, k - 1).to_numpy()
    # A row that would give another away is hidden as if it counted one customer itself.
    out = without_small_cells(table.assign(customers=table["customers"].mask(gone, 1)), k)
    return out.assign(hidden=np.select([gone & few, gone], [FEW, BESIDE], ""))


def _without_parts(caps: pd.DataFrame, k: int) -> pd.DataFrame:
    """Customers at a cap, and beyond it, are counts of customers themselves."""
    few = {name: caps[name].between(1, k - 1).fillna(value=False) for name in ("at_cap", "beyond")}
    if not any(marks.any() for marks in few.values()):
        return caps
    out = caps.assign(**{name: caps[name].astype("Int64").mask(few[name]) for name in few})
    return out if "hidden" in out else out.assign(hidden="")


def _without_share(out: pd.DataFrame, table: pd.DataFrame, k: int) -> pd.DataFrame:
    """Shares of customers by their last answer add up to all of them."""
    marks = np.asarray(hidden((table["share"] * table["n"]).round().tolist(), k))
    shares = ["share", "share_lower", "share_upper"]
    return out.assign(**{name: out[name].mask(marks) for name in shares})


def _drawing(contacts: pd.DataFrame, budget: Budget) -> set[tuple[str, str]]:
    """Strategies and channels whose contacts draw on a budget."""
    mine = contacts
    for column, names in (
        ("strategy", budget.strategies),
        ("channel", budget.channels),
        ("offer_id", budget.offers),
    ):
        if names:
            mine = mine[mine[column].isin([str(name) for name in names])]
    if budget.resource == "coupons":
        mine = mine[mine["offer_id"].notna()]
    return {(str(a), str(b)) for a, b in zip(mine["strategy"], mine["channel"], strict=True)}


def _contacts(
    table: pd.DataFrame, caps: pd.DataFrame, drawing: Sequence[set[tuple[str, str]]], k: int
) -> tuple[list[bool], list[bool]]:
    """Rows of contacts that are hidden; and which budgets would give one of them away.

    Of a strategy that fewer were sent than it was planned for, the fewer count.
    """
    keys = list(zip(table["strategy"], table["channel"], strict=True))
    sent = caps.groupby("cap")["customers"].min()
    counts = [
        min(n, sent.get(f"strategy {strategy}", n) or n)
        for (strategy, _), n in zip(keys, table["customers"], strict=True)
    ]
    groups = [list(range(len(keys)))]
    groups += [[i for i in groups[0] if keys[i][1] == one] for one in table["channel"].unique()]
    parts = [[i for i, key in enumerate(keys) if key in mine] for mine in drawing]
    gone = [False] * len(keys)
    for group in (*groups, *parts):
        for i, mark in zip(group, hidden([counts[i] for i in group], k), strict=True):
            gone[i] |= mark
    alone = [[gone[i] for i in part].count(True) == 1 for part in parts]
    return gone, alone


def _caps(table: pd.DataFrame, caps: pd.DataFrame, gone: Sequence[bool], k: int) -> list[bool]:
    """Rows of caps: of a strategy that is hidden, and of a channel with a single one of them."""
    lost = table[np.asarray(gone)]
    names = {f"strategy {one}" for one in lost["strategy"]}
    only = lost.groupby("channel").size()
    channels = caps[caps["cap"].str.startswith("channel ")].drop_duplicates("cap")
    counts = [
        1 if only.get(cap.removeprefix("channel ")) == 1 else n
        for cap, n in zip(channels["cap"], channels["customers"], strict=True)
    ]
    names |= {cap for cap, no in zip(channels["cap"], hidden(counts, k), strict=True) if no}
    return (caps["cap"].isin(names) | caps["customers"].between(1, k - 1)).tolist()


def _budgets(table: pd.DataFrame, whole: set[str], k: int) -> pd.DataFrame:
    """Periods of a budget of which few contacts draw: each may be the only one of its customer."""
    gone = table["budget"].isin(whole)
    for _, mine in table.groupby("budget"):
        marks = hidden(mine["contacts"].tolist(), k)
        gone |= table.index.isin([at for at, no in zip(mine.index, marks, strict=True) if no])
    few = gone & table["contacts"].between(1, k - 1)
    out = table.assign(contacts=table["contacts"].astype("Int64").mask(gone))
    out = out.assign(**{name: out[name].mask(gone) for name in _USED})
    if not gone.any():
        return out
    return out.assign(hidden=np.select([few, gone], [FEW, BESIDE], ""))
