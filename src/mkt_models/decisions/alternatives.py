"""Other policies than the one that was served, over the actions that its log could have taken.

Module of the notebooks: it needs pandas, which the service does not carry.
"""

from typing import Any

import pandas as pd

from mkt_models.decisions.served_log import NO_ACTION, ServedLog

MOST_OFTEN = 3
BEST, ANY, NEVER, FIRST = "best_first", "any_of_them", "never", "_first"
WORDS = {
    BEST: ("the best candidate first, always; nobody held out", "总是最优候选在前，无对照组"),
    ANY: ("every candidate as often as any other", "所有候选机会均等"),
    NEVER: ("no contact at all", "完全不触达"),
}
"""What a policy does, in English and Chinese; ``<strategy>_first`` puts that strategy first
wherever it can be, and else does as logged."""


def alternatives(log: ServedLog) -> tuple[pd.DataFrame, list[str]]:
    """Name other policies, each a column of probabilities over the same actions.

    ``best_first`` never explores and holds nobody out; ``any_of_them`` takes every action as often
    as any other; ``never`` does nothing; then, of the three strategies that could come first most
    often, each first wherever it can be, and else as logged.
    """
    actions = log.actions.copy()
    said = actions["logged_probability"].to_numpy(dtype=float)
    acts = (actions["action"] != NO_ACTION).to_numpy(dtype=float)
    decision = actions["decision_id"]
    some = pd.Series(acts).groupby(decision.to_numpy()).transform("sum").to_numpy()
    order = actions.assign(p=said * acts, row=range(len(actions)))
    order = order.sort_values(["p", "action"], ascending=[False, True], kind="stable")
    best = order.drop_duplicates("decision_id")["row"].to_numpy()
    actions[BEST] = 0.0
    actions.loc[actions.index[best], BEST] = 1.0
    actions[ANY] = [a / n if n else 1.0 for a, n in zip(acts, some, strict=True)]
    actions[NEVER] = _first_where_possible(actions, 1 - acts, said)
    names = [BEST, ANY, NEVER]
    strategy = actions["action"].str.partition("/")[0]
    often = strategy[acts > 0].value_counts(sort=False)
    for name in often.sort_index().sort_values(ascending=False, kind="stable").index[:MOST_OFTEN]:
        wanted = (strategy == name).to_numpy(dtype=float)
        actions[f"{name}{FIRST}"] = _first_where_possible(actions, wanted, said)
        names.append(f"{name}{FIRST}")
    return actions, names


def _first_where_possible(actions: pd.DataFrame, wanted: Any, said: Any) -> Any:
    """Share a decision's probability by the actions that are wanted; without any, as logged."""
    n = pd.Series(wanted).groupby(actions["decision_id"].to_numpy()).transform("sum").to_numpy()
    return [w / k if k else p for w, k, p in zip(wanted, n, said, strict=True)]
