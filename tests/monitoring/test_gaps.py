"""Published intervals of a difference (Newcombe 1998), and what is not known."""

import numpy as np
import pytest

from mkt_models.monitoring.gaps import Figure, change


@pytest.mark.parametrize(
    ("first", "second", "ends"),
    [
        # Newcombe (1998), table II, method 10: 56/70 - 48/80; 9/10 - 3/10; 10/10 - 0/10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_shares_as_published(first, second, ends):
    now, before = (Figure.of_share(*one, 0.95) for one in (first, second))
    gap = change(before, now, 0.95)
    assert (gap.lower, gap.upper) == pytest.approx(ends, abs=6e-5)
    assert gap.n == min(first[1], second[1])


def test_another_level_keeps_the_asymmetry():
    figure = Figure(0.8, 0.7, 0.85, 100, 0.95)
    wider = figure.at(0.99)
    assert (wider.value - wider.lower) / (wider.upper - wider.value) == pytest.approx(2)
    assert wider.lower < figure.lower
    assert wider.at(0.95).lower == pytest.approx(figure.lower)


def test_what_is_not_known_stays_unknown():
    nothing = Figure(np.nan, np.nan, np.nan, 0)
    assert not nothing.known
    assert not change(nothing, Figure(0.5, 0.4, 0.6, 9), 0.95).known
    assert nothing.words() == "not available"
    assert Figure(0.5, np.nan, np.nan, 9).words() == "0.500 [?], n = 9"
    with pytest.raises(ValueError, match="count == 3, must be from 0 to n == 2"):
        Figure.of_share(3, 2, 0.95)
