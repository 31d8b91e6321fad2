from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from evaluation.logs import two_actions

from mkt_models.evaluation.decision_log import read_log

Change = Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    log, actions = two_actions(
        [("A", "x", 0.5, 1.0, 2.0), ("A", "y", 0.8, 0.5, 1.0), ("B", "x", 0.25, 0.0, 3.0)]
    )
    return log, actions


def test_tables_are_read_by_name_and_not_by_order() -> None:
    log, actions = tables()
    read = read_log(log, actions.iloc[::-1], ["new"])
    assert read.weights("new") == pytest.approx([2.0, 2.5, 0.0])
    assert read.per_customer(read.reward) == pytest.approx([3.0, 3.0])
    assert (read.n, read.n_customers) == (3, 2)


def test_without_all_probabilities_only_certain_decisions_are_known() -> None:
    log, actions = tables()
    log.loc[2, "probability"] = 1.0
    read = read_log(log, actions.drop(columns="logged_probability"), ["new"])
    assert read.logged == pytest.approx([0.5, np.nan, np.nan, 0.2, 1.0, 0.0], nan_ok=True)


def set_log(column: str, value: object) -> Change:
    return lambda log, actions: (
        log.assign(**{column: log[column].astype(object).where(log.index != 1, value)}),
        actions,
    )


def set_actions(column: str, value: float) -> Change:
    return lambda log, actions: (
        log,
        actions.assign(**{column: actions[column].where(actions.index != 2, value)}),
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_log("probability", 0.0), "1 of 3 rows have an impossible probability .*decision 'd1'"),
        (set_log("probability", 1.2), "impossible probability .*above 0 and at most 1"),
        (set_log("probability", None), "no finite probability .*cannot be weighed"),
        (set_log("probability", 0.3), "have another probability than their action"),
        (set_log("reward", None), "no finite reward .*give 0 where nothing came"),
        (set_log("reward", np.inf), "no finite reward"),
        (set_log("decision_id", "d0"), "repeat a decision_id .*keep the first answer"),
        (set_log("customer_id", None), "have no customer_id"),
        (set_log("action", "z"), "took an action that is not among the actions"),
        (set_actions("new", 0.6), "new that sums to 1.1 .*'d1'"),
        (set_actions("new", -0.5), "have an impossible new"),
        (set_actions("new", np.nan), "no finite new .*give 0 to what is never done"),
        (set_actions("logged_probability", 0.6), "logged_probability that sums to 0.8"),
        (lambda log, actions: (log, pd.concat([actions, actions.tail(1)])), "repeat an action"),
        (lambda log, actions: (log.head(2), actions), "2 of 6 rows are of no decision of the log"),
        (lambda log, actions: (log.head(0), actions), "log: no rows"),
        (
            lambda log, actions: (log, actions.rename(columns={"new": "news"})),
            "actions: no column 'new'; did you mean 'news'",
        ),
    ],
)
def test_what_cannot_be_is_refused(change: Change, says: str) -> None:
    log, actions = change(*tables())
    with pytest.raises(ValueError, match=says):
        read_log(log, actions, ["new"])


def test_the_name_of_the_log_is_taken() -> None:
    log, actions = tables()
    with pytest.raises(ValueError, match="none 'logged'"):
        read_log(log, actions.rename(columns={"new": "logged"}), ["logged"])
