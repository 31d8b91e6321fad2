"""Other policies over the actions of a log, by hand."""

import pandas as pd
import pytest

from mkt_models.decisions.alternatives import ANY, BEST, NEVER, alternatives
from mkt_models.decisions.served_log import ServedLog


@pytest.fixture
def actions():
    rows = [
        ("1", "a/app", 0.6),
        ("1", "b/app", 0.1),
        ("1", "b/email/o1", 0.1),
        ("1", "no_action", 0.2),
        ("2", "a/app", 0.8),
        ("2", "no_action", 0.2),
        ("3", "no_action", 1.0),
        ("4", "c/app", 1.0),
    ]
    return pd.DataFrame(rows, columns=["decision_id", "action", "logged_probability"])


def test_each_policy_by_hand(actions):
    told, names = alternatives(ServedLog(pd.DataFrame(), actions, 0, 0))
    assert names == [BEST, ANY, NEVER, "a_first", "b_first", "c_first"]
    assert told[BEST].tolist() == [1, 0, 0, 0, 1, 0, 1, 1]
    assert told[ANY].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0, 1, 0, 1, 1])
    assert told[NEVER].tolist() == [0, 0, 0, 1, 0, 1, 1, 1]  # the last could do nothing else
    assert told["a_first"].tolist() == [1, 0, 0, 0, 1, 0, 1, 1]
    assert told["b_first"].tolist() == [0, 0.5, 0.5, 0, 0.8, 0.2, 1, 1]
    for name in names:
        assert told.groupby("decision_id")[name].sum().tolist() == pytest.approx([1.0] * 4)
    assert list(actions.columns) == ["decision_id", "action", "logged_probability"]
