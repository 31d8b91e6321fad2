import numpy as np
import pytest
from experiments.trials import AB, ORDERS, SPEND, units

from mkt_models.experiment_params import Experiments
from mkt_models.experiments.comparison import Comparison, compare
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.said import NOTHING_SAID


def measured(rows, metric):
    arms = (rows["arm"] == "new").to_numpy(dtype=np.intp)
    return Measured.of(rows, metric, list(AB.shares), arms, np.zeros(len(rows), dtype=np.intp))


def test_a_proportion_is_compared_by_counts():
    one = measured(units(1000), ORDERS)
    (x, n), (y, m) = one.counts(1), one.counts(0)
    effect, lift = compare(one, one.arm_means(), 1, 0.95)
    assert effect.estimate == pytest.approx(x / n - y / m)
    assert lift.estimate == pytest.approx(x / n / (y / m) - 1)
    assert np.isfinite(effect.p_value)


def test_a_reach_sets_both_intervals():
    one = measured(units(1000), SPEND)
    effect, lift = compare(one, one.arm_means(), 1, 0.95, reach=3.0)
    assert effect.upper - effect.lower == pytest.approx(6 * effect.error)
    assert lift.upper - lift.lower == pytest.approx(6 * lift.error)


def test_what_was_shown_keeps_the_sign_that_it_was_shown_with():
    """A gain at first that turns into a loss: what the first thousand showed was a gain."""
    rows = units(3000, effects={"new": 6.0})
    late = (rows.index >= 1000) & (rows["arm"] == "new")
    rows = rows.assign(spend=rows["spend"] - 12.0 * late)
    order = np.arange(len(rows))
    every = [(at, order < at) for at in range(200, 3001, 200)]
    how = Comparison(Experiments(method="sequential"), AB, every, 3000, NOTHING_SAID)
    effects, sequence = how.table([measured(rows, SPEND)])
    row = effects.iloc[0]
    assert row["effect"] < 0
    assert (row["verdict"], row["shown"]) == ("better", True)
    assert row["shown_at"] <= 1000
    assert sequence["p_value"].is_monotonic_decreasing
    assert (sequence["metric"] == "spend").all()


def test_a_look_with_too_few_is_left_out():
    rows = units(1000)
    order = np.arange(1000)
    every = [(at, order < at) for at in (50, 150, 500, 1000)]
    how = Comparison(Experiments(method="sequential"), AB, every, 1000, NOTHING_SAID)
    assert how.table([measured(rows, SPEND)])[1]["at"].tolist() == [500, 1000]


def test_looks_begin_with_enough_and_leave_out_those_in_which_a_new_stratum_lacks_an_arm():
    rows = units(1000)
    order = np.arange(len(rows))
    every = [(at, order < at) for at in range(50, 1001, 50)]
    arms = (rows["arm"] == "new").to_numpy(dtype=np.intp)
    # A stratum that comes late: one of its units by 500, enough by 550.
    strata = (order >= 499).astype(np.intp)
    settings = Experiments(method="sequential")
    for codes, lacking in ((np.zeros_like(strata), []), (strata, [500])):
        named = ["old", "late"] if lacking else []
        how = Comparison(settings, AB, every, 1000, NOTHING_SAID, named)
        one = Measured.of(rows, SPEND, list(AB.shares), arms, codes)
        told = how.table([one])[1]["at"].tolist()
        enough = [
            at
            for at, inside in every
            if not one.take(inside).why_not(1, settings.min_units, apart=True)
        ]
        assert told == enough
        assert [at for at in range(told[0], 1001, 50) if at not in told] == lacking
