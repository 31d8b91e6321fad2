"""Better, worse, alike and not comparable, on the same rows."""

import numpy as np
import pandas as pd
import pytest

from mkt_models.evaluation.comparison import Comparison, compare


def rows(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.beta(2, 5, n)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, n // 2, n).astype(str),
            "target": (rng.random(n) < truth).astype(int),
            "sharp": truth,
            "blunt": 0.5 * truth + 0.5 * rng.random(n),
            "spend": 100 * truth,
        }
    )


def compared(table, challenger, champion, metric="auc", kind="classification"):
    return compare(table, challenger, champion, metric, kind, 200, 0.95, 1)


@pytest.mark.parametrize("metric", ["auc", "log_loss", "brier", "pr_auc"])
def test_a_gain_is_above_zero_whichever_way_the_metric_counts(metric):
    up = compared(rows(), "sharp", "blunt", metric)
    down = compared(rows(), "blunt", "sharp", metric)
    assert up.better
    assert not down.better
    assert 0 < up.lower < up.gain < up.upper
    assert (down.gain, down.lower, down.upper) == pytest.approx((-up.gain, -up.upper, -up.lower))
    assert (up.challenger, up.champion) == (down.champion, down.challenger)


def test_amounts_are_better_when_the_error_is_less():
    table = rows().assign(target=lambda t: t["spend"], far=lambda t: t["spend"] + 20)
    found = compared(table.assign(near=table["spend"] + 3), "near", "far", "mae", "regression")
    assert found.better
    assert found.gain == pytest.approx(17)


def test_the_same_predictions_are_not_better():
    found = compared(rows().assign(copy=lambda t: t["sharp"]), "copy", "sharp")
    assert (found.gain, found.lower, found.upper) == (0, 0, 0)
    assert not found.better


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda t: t.head(0), "no row that neither was trained on"),
        (lambda t: t.drop_duplicates("customer_id").head(12), "only 12 customers, needs 20"),
        (lambda t: t.assign(target=0), "only 0 positives, needs 5"),
        (lambda t: t.assign(target=1), "only 0 negatives, needs 5"),
    ],
)
def test_what_cannot_be_compared_is_not_better_and_says_why(change, note):
    found = compared(change(rows()), "sharp", "blunt")
    assert not found.better
    assert note in found.note
    assert found.words.startswith("not comparable: ")
    assert found.as_dict()["gain"] is None


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((-1, 0), "n == -1, n_customers == 0: must be 0 or more"),
        ((5, 6), "no more customers than rows"),
        ((9, 9, 0.8, 0.7, 0.1, 0.2, 0.05), "lower == 0.2, must be <= upper == 0.05"),
        ((9, 9, 0.8, 0.7, 0.1, np.nan, 0.2), "all must be finite, or the gain and both its ends"),
        ((9, 9, 0.8, np.nan, 0.1, 0.0, 0.2), "all must be finite"),
        ((9, 9, 0.8, 0.7, np.inf, 0.0, np.inf), "all must be finite"),
    ],
)
def test_numbers_that_no_comparison_has_are_refused(numbers, says):
    with pytest.raises(ValueError, match=says):
        Comparison("auc", *numbers)


def test_what_is_compared_must_be_known():
    with pytest.raises(ValueError, match="metric == 'auk'; did you mean 'auc'"):
        compared(rows(), "sharp", "blunt", "auk")
    with pytest.raises(ValueError, match="metric == 'mae'; of a classification: auc, "):
        compared(rows().iloc[:0], "sharp", "blunt", "mae")
    with pytest.raises(ValueError, match="kind == 'ranking', must be"):
        compared(rows(), "sharp", "blunt", kind="ranking")
