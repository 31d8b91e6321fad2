"""Values too skewed for a t test, judged by the assignment."""

import itertools
import math

import numpy as np
import pytest
from experiments.trials import AB, CLICKS, ORDERS, SPEND, units
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.experiments.fixed_horizon import Contrast, difference
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.randomisation import (
    Reference,
    needed,
    pooled,
    reassigned,
    redrawn,
    reference,
    source,
)


def measured(rows, metric=SPEND):
    arms = (rows["arm"] == "new").to_numpy(dtype=np.intp)
    return Measured.of(rows, metric, list(AB.shares), arms, np.zeros(len(rows), dtype=np.intp))


def statistic(values, treated):
    a, b = values[treated], values[~treated]
    error = math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return (a.mean() - b.mean()) / error


def test_draws_are_the_assignments_that_could_have_been():
    """Seven units, two of them treated: all 21 assignments, each as often as the others."""
    values = np.array([0.0, 1, 2, 4, 8, 16, 32])
    treated = np.isin(np.arange(7), [1, 4])
    gaps, variances = reassigned(
        values, treated, np.zeros(7, dtype=np.intp), 8000, np.random.default_rng(0)
    )
    found = (gaps / np.sqrt(variances))[:, 0].round(9)
    all_of_them = {
        round(statistic(values, np.isin(np.arange(7), pair)), 9)
        for pair in itertools.combinations(range(7), 2)
    }
    known, counts = np.unique(found, return_counts=True)
    assert set(known) == all_of_them
    assert len(known) == 21
    assert counts.min() > 300  # of 381 expected


def test_the_larger_arm_may_be_the_treated_one():
    values = np.arange(7.0) ** 2
    gaps, _ = reassigned(
        values, np.arange(7) < 5, np.zeros(7, dtype=np.intp), 200, np.random.default_rng(0)
    )
    means = {
        round(values[list(five)].mean() - np.delete(values, five).mean(), 9)
        for five in itertools.combinations(range(7), 5)
    }
    assert set(gaps[:, 0].round(9)) <= means


def test_shares_are_counted_by_the_hypergeometric_distribution():
    """Fisher's exact test: the tea lady, eight cups of which she told all (Fisher 1935)."""
    rows = units(8).assign(arm=["new"] * 4 + ["control"] * 4, ordered=[1, 1, 1, 0, 0, 0, 0, 1])
    found = reference(measured(rows, ORDERS), 1, 1, np.random.default_rng(0))
    assert found.draws is None
    assert found.chances.sum() == pytest.approx(1)
    # Three of four right: 17 of 70 on either side.
    assert found.p_value(statistic(rows["ordered"].to_numpy(), np.arange(8) < 4)) == pytest.approx(
        34 / 70
    )


@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=60),
    st.floats(-60, 60),
    st.floats(0.5, 0.99),
    st.booleans(),
)
def test_the_interval_leaves_out_nothing_exactly_where_the_p_value_is_small(
    values, t, level, counted
):
    drawn = np.sort(np.array(values))
    by_chance = (
        Reference(drawn, np.full(len(drawn), 1 / len(drawn)), None)
        if counted
        else Reference.drawn(drawn)
    )
    found = by_chance.judge(Contrast(t, 1.0, math.nan, math.nan, math.nan, level))
    if abs(found.p_value - (1 - level)) < 1e-9 or np.abs(drawn - t).min() < 1e-6:
        return  # on the edge
    assert (found.lower > 0 or found.upper < 0) == (found.p_value <= 1 - level)


def test_ends_by_hand():
    nineteen = Reference.drawn(np.arange(-9.0, 10))
    # With the one observed 20: at 90% one may lie on each side, and that is the observed one.
    assert nineteen.ends(0.9) == (-9, 9)
    assert nineteen.ends(0.8) == (-8, 8)
    assert nineteen.ends(0.95) == (-math.inf, math.inf)
    assert nineteen.p_value(9.5) == pytest.approx(0.1)
    assert nineteen.p_value(8.5) == pytest.approx(0.2)
    assert math.isnan(nineteen.judge(Contrast(1, math.nan, 0, 2, 0.1, 0.9)).lower)


def test_enough_is_drawn_for_the_level():
    assert needed(2000, 0.95) == 2000
    assert needed(100, 0.99) == 2000


def test_what_is_drawn_is_the_same_again_and_another_for_another_metric():
    first, again, other = (source("salt", name).random() for name in ("m", "m", "n"))
    assert first == again != other


def test_pooled_values_do_not_know_who_is_in_which_arm():
    rows = units(400).assign(arm=np.repeat(["control", "new"], 200))
    for metric in (SPEND, CLICKS, SPEND.model_copy(update={"covariates": ("before",)})):
        mixed = rows.assign(arm=np.tile(["control", "new"], 200))
        one, scale = pooled(measured(rows, metric), 1)
        assert one == pytest.approx(pooled(measured(mixed, metric), 1)[0])
        assert scale > 0
    huge, _ = pooled(measured(rows.assign(spend=rows["spend"] * 1e55)), 1)
    assert huge == pytest.approx(pooled(measured(rows), 1)[0])


def test_skewed_values_and_uneven_shares_keep_the_level():
    """200 experiments of 40 and 360 units in which nothing happens; a t test claims more."""
    rng, claims, t_claims = np.random.default_rng(5), 0, 0
    treated = np.arange(400) < 40
    cells = np.zeros(400, dtype=np.intp)
    for _ in range(200):
        values = rng.lognormal(0, 1.5, 400)
        t = statistic(values, treated)
        gaps, variances = reassigned(values, treated, cells, 119, rng)
        by_chance = Reference.drawn((gaps / np.sqrt(variances))[:, 0])
        claims += by_chance.p_value(t) <= 0.05
        t_claims += abs(t) > 1.97
    assert claims <= 18  # P(19 or more of 200 at 5%) is 0.5%
    assert t_claims >= 19


def test_what_is_drawn_of_a_ratio_is_what_is_observed():
    """Each assignment that can be drawn, analysed as the observed one is, gives what is drawn."""
    rows = units(12, seed=3)
    strata, found = np.array([0, 1] * 6), set()
    threes = [itertools.combinations(range(one, 12, 2), 3) for one in (0, 1)]
    for chosen in itertools.product(*threes):
        arms = np.isin(np.arange(12), np.ravel(chosen)).astype(np.intp)
        one = Measured.of(rows, CLICKS, list(AB.shares), arms, strata)
        means = one.arm_means()
        known = difference(means[1], means[0], 0.95)
        found.add((round(known.estimate, 8), round(known.error, 8)))
    gaps, variances = redrawn(one, 1, 4000, np.random.default_rng(0))
    drawn = zip(gaps.round(8).tolist(), np.sqrt(variances).round(8).tolist(), strict=True)
    assert set(drawn) == found
    assert len(found) > 300


def test_what_is_drawn_of_a_ratio_is_narrowed_by_covariates():
    rows = units(600)
    rate = np.random.default_rng(1).beta(3, 3, len(rows))
    rows = rows.assign(clicks=np.random.default_rng(2).binomial(rows["visits"], rate), past=rate)
    metric = CLICKS.model_copy(update={"covariates": ("past",)})
    one, plain = measured(rows, metric), measured(rows, CLICKS)
    gaps, variances = redrawn(one, 1, 300, np.random.default_rng(0))
    known = difference(one.arm_means()[1], one.arm_means()[0], 0.95).error
    assert np.sqrt(variances).mean() == pytest.approx(known, rel=0.05)
    assert gaps.std() == pytest.approx(known, rel=0.15)
    rough = difference(plain.arm_means()[1], plain.arm_means()[0], 0.95).error
    assert known < 0.8 * rough


def test_ratios_of_skewed_denominators_keep_the_level():
    """200 experiments of 40 and 360 units in which nothing happens."""
    rng, claims, t_claims = np.random.default_rng(5), 0, 0
    rows = units(400).assign(arm=["new"] * 40 + ["control"] * 360)
    for _ in range(200):
        visits = np.floor(rng.lognormal(0, 1.5, 400))
        clicks = rng.binomial(visits.astype(int), rng.beta(1, 9, 400))
        one = measured(rows.assign(visits=visits, clicks=clicks), CLICKS)
        means = one.arm_means()
        found = difference(means[1], means[0], 0.95)
        claims += reference(one, 1, 119, rng).judge(found).p_value <= 0.05
        t_claims += found.p_value <= 0.05
    assert claims <= 18  # P(19 or more of 200 at 5%) is 0.5%
    assert t_claims >= 19


def test_a_drawn_arm_that_never_came_is_no_ratio():
    rows = units(40).assign(arm=["new"] * 4 + ["control"] * 36, visits=[1, 1] + [0] * 36 + [1, 1])
    one = measured(rows.assign(clicks=rows["visits"] * (rows.index % 2)), CLICKS)
    gaps, _ = redrawn(one, 1, 500, np.random.default_rng(0))
    assert np.isnan(gaps).mean() == pytest.approx(0.64, abs=0.06)  # C(36, 4) of C(40, 4)
    assert 100 < len(reference(one, 1, 500, np.random.default_rng(0)).values) < 260
