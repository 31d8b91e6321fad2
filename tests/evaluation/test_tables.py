import numpy as np
import pandas as pd
import pytest

from mkt_models.columns import NumberKind
from mkt_models.evaluation.tables import of_kind, with_intervals, worded

TABLE = pd.DataFrame(
    {
        "as_of": ["2017-10-09"] * 3,
        "model": ["a", "b", "c"],
        "n": [12, 3, 0],
        "mae": [1234.5678, 2.0, np.nan],
        "mae_lower": [1200.0, np.nan, np.nan],
        "mae_upper": [1300.04, np.nan, np.nan],
    }
)


def test_an_estimate_and_its_interval_share_a_cell() -> None:
    before = TABLE.copy(deep=True)
    shown = with_intervals(TABLE, ["as_of", "model"], ["mae", "n"], digits=1)
    assert list(shown.columns) == ["mae", "n"]
    assert shown.index.names == ["as_of", "model"]
    assert shown["mae"].tolist() == [
        "1,234.6 [1,200.0, 1,300.0]",
        "2.0 [no interval]",
        "not available",
    ]
    assert shown["n"].tolist() == [12, 3, 0]
    pd.testing.assert_frame_equal(TABLE, before)


def test_a_column_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="gini"):
        with_intervals(TABLE, ["model"], ["gini"])


def test_codes_are_words_and_nothing_is_a_dash() -> None:
    codes = pd.DataFrame(
        {"state": ["not_evaluated", "shown"], "decay": [None, 0.5], "n": [0, 7], "en": ["few", ""]},
        index=["in_store", "mail"],
    )
    before = codes.copy(deep=True)
    told = worded(of_kind(codes, NumberKind.OBSERVED))
    assert told.columns.tolist() == ["state", "decay", "n", "why"]
    assert told.columns.name == "observed"
    assert told.index.tolist() == ["in_store", "mail"]
    assert told.to_numpy().tolist() == [["not evaluated", "–", 0, "few"], ["shown", 0.5, 7, ""]]
    pd.testing.assert_frame_equal(codes, before)
