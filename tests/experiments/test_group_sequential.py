import numpy as np
import pytest

from mkt_models.experiments.group_sequential import boundaries, spent


@pytest.mark.parametrize(
    ("looks", "bounds"),
    [
        # Lan and DeMets' spending after O'Brien and Fleming, two-sided .05 (ld98, ldbounds).
        (1, [1.960]),
        (2, [2.963, 1.969]),
        (3, [3.710, 2.511, 1.993]),
        (4, [4.333, 2.963, 2.359, 2.014]),
        (5, [4.877, 3.357, 2.680, 2.290, 2.031]),
    ],
)
def test_published_boundaries(looks, bounds):
    assert boundaries(np.arange(1, looks + 1) / looks, 0.05) == pytest.approx(bounds, abs=6e-4)


def test_all_looks_together_spend_alpha():
    fractions = [0.3, 0.5, 0.8, 1.0]
    bounds = np.array(boundaries(fractions, 0.05))
    steps = np.random.default_rng(0).normal(size=(200_000, 4)) * np.sqrt(np.diff([0, *fractions]))
    z = steps.cumsum(axis=1) / np.sqrt(fractions)
    assert (np.abs(z) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.002)


def test_a_look_that_comes_very_early_is_hardly_ever_used():
    first, last = boundaries([0.001, 1.0], 0.05)
    assert first == 12
    assert last == pytest.approx(1.96, abs=1e-3)
    assert spent(1.0, 0.05) == pytest.approx(0.05)


def test_errors_teach():
    for wrong in ([], [0.5, 0.4, 1], [0.5, 0.9]):
        with pytest.raises(ValueError, match="must rise from above 0 to 1"):
            boundaries(wrong, 0.05)
    with pytest.raises(ValueError, match="alpha == 2"):
        boundaries([1.0], 2)
