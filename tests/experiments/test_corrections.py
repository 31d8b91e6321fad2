import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.experiments.corrections import (
    benjamini_hochberg,
    holm,
    level_for,
    selected_level,
)

# Benjamini and Hochberg 1995, section 4.1: fifteen hypotheses of a trial of thrombolysis.
FIRST_EIGHT = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
LAST_SEVEN = [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
THROMBOLYSIS = np.array([*FIRST_EIGHT, *LAST_SEVEN])


def test_the_example_of_benjamini_and_hochberg():
    # "reject four hypotheses"; Bonferroni, and Holm's steps, three.
    assert (benjamini_hochberg(THROMBOLYSIS) <= 0.05).sum() == 4
    assert (holm(THROMBOLYSIS) <= 0.05).sum() == 3
    assert benjamini_hochberg(THROMBOLYSIS)[3] == pytest.approx(0.0095 * 15 / 4)


def test_holm_by_hand():
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1, never falling.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_what_was_not_tested_does_not_count():
    for correct in (holm, benjamini_hochberg):
        found = correct(np.array([0.01, np.nan, 0.04]))
        assert np.isnan(found[1])
        assert found[[0, 2]] == pytest.approx([0.02, 0.04])
        assert np.isnan(correct(np.array([np.nan]))).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(np.array([1.2]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_corrections_only_ever_raise_and_keep_the_order(values):
    p = np.array(values)
    bh, steps = benjamini_hochberg(p), holm(p)
    assert (bh >= p - 1e-12).all()
    assert (steps >= bh - 1e-12).all()
    assert (steps <= np.minimum(1, p * len(p)) + 1e-12).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(steps[order]) >= -1e-12).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_intervals_at_the_selected_level_agree_with_the_choice(values):
    p = np.array(values)
    q = benjamini_hochberg(p)
    level = selected_level(q, 0.05)
    edge = np.isclose(p, 1 - level, rtol=1e-9) | np.isclose(q, 0.05, rtol=1e-9)
    assert (((p <= 1 - level) == (q <= 0.05)) | edge).all()


def test_levels():
    assert level_for(1, 0.05) == 0.95
    assert level_for(10, 0.05) == 0.995
    assert selected_level(np.array([np.nan]), 0.05) == 0.95
    with pytest.raises(ValueError, match="n_comparisons == 0"):
        level_for(0, 0.05)
