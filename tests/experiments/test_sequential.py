import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mkt_models.experiments.fixed_horizon import Contrast, by_t
from mkt_models.experiments.sequential import (
    Look,
    confidence_sequence,
    inflation,
    mixture,
    p_at,
    reach_of,
)


def test_the_sequence_is_tightest_where_it_was_tuned():
    rho2 = mixture(1000, 0.05)
    widths = {n: reach_of(n, rho2, 0.05) / math.sqrt(n) for n in (1000,)}
    # Against any other tuning: at 1,000 units none is narrower.
    for other in (0.5, 0.9, 1.1, 2):
        assert reach_of(1000, rho2 * other, 0.05) / math.sqrt(1000) > widths[1000]


def test_as_many_more_units_have_the_power_of_a_single_look():
    # A normal estimate with n units of variance 1, at the one look where both look.
    n = 1000.0
    effect = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / math.sqrt(n)
    more = n * inflation(0.05, 0.8)
    reach = reach_of(more, mixture(more, 0.05), 0.05)
    assert stats.norm.sf(reach - effect * math.sqrt(more)) == pytest.approx(0.8)


def test_the_approximation_of_the_paper():
    # Waudby-Smith et al. 2024: rho² t ~ -2 log(alpha) + log(-2 log(alpha)) + 1.
    for alpha in (0.01, 0.05, 0.1):
        near = -2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1
        assert mixture(1, alpha) == pytest.approx(near, rel=0.1)


def test_the_mixture_ratio_by_hand():
    # Johari et al.: sqrt(V / (V + tau²)) exp(tau² d² / (2 V (V + tau²))), with tau² = m V.
    v, m, d = 0.04, 9.0, 0.6
    tau2 = m * v
    ratio = math.sqrt(v / (v + tau2)) * math.exp(tau2 * d * d / (2 * v * (v + tau2)))
    assert p_at(d / math.sqrt(v), n=9, rho2=1.0) == pytest.approx(1 / ratio)
    assert p_at(0, 9, 1.0) == 1


@given(st.floats(0, 12), st.integers(1, 10**6), st.floats(1e-5, 1))
def test_the_p_value_and_the_interval_agree(z, n, rho2):
    reach = reach_of(n, rho2, 0.05)
    if abs(z - reach) > 1e-6:
        assert (p_at(z, n, rho2) <= 0.05) == (z > reach)


def looks(values, every=50):
    found = []
    for n in range(every, len(values) + 1, every):
        part = values[:n]
        found.append(Look(n, n, by_t(part.mean(), part.std(ddof=1) / n**0.5, n - 1, 0.95)))
    return found


def test_p_values_never_rise_and_stand_beside_those_of_a_single_look():
    values = np.random.default_rng(1).normal(0.1, 1, 3000)
    table = confidence_sequence(looks(values), mixture(3000, 0.05), 0.05)
    assert (table["p_value"].diff().dropna() <= 0).all()
    assert (table["lower"] < table["fixed_lower"]).all()
    assert (table["upper"] > table["fixed_upper"]).all()
    assert table["p_value"].iloc[-1] < 0.05


def test_peeking_claims_nothing_more_than_it_may_where_nothing_happens():
    rng, ever, naive = np.random.default_rng(2), 0, 0
    for _ in range(300):
        table = confidence_sequence(looks(rng.normal(size=2000)), mixture(2000, 0.05), 0.05)
        ever += bool((table["lower"] > 0).any() or (table["upper"] < 0).any())
        naive += bool((table["fixed_p"] < 0.05).any())
    assert ever / 300 <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / 300)
    assert naive / 300 > 0.25


def test_a_look_without_an_error_says_nothing():
    nothing = Contrast(0.5, math.nan, math.nan, math.nan, math.nan, 0.95)
    table = confidence_sequence([Look("mon", 10, nothing)], 0.1, 0.05)
    assert table["p_value"].iloc[0] == 1
    assert np.isnan(table["lower"].iloc[0])
    assert confidence_sequence([], 0.1, 0.05).empty


def test_errors_teach():
    one = Contrast(0.5, 0.1, 0.3, 0.7, 0.01, 0.95)
    with pytest.raises(ValueError, match="n falls from 20 to 10 at 2"):
        confidence_sequence([Look(1, 20, one), Look(2, 10, one)], 0.1, 0.05)
    with pytest.raises(ValueError, match="units == 0"):
        mixture(0, 0.05)
