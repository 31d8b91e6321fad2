import numpy as np
import pytest
from experiments.trials import AB, SPEND, units

from mkt_models.experiment_params import Experiments
from mkt_models.experiments.heterogeneity import cochran, segment_table
from mkt_models.experiments.measured import Measured

SETTINGS = Experiments(n_permutations=200)


def table(rows, segments=("region",), declared=("region",), min_units=100):
    arms = (rows["arm"] == "new").to_numpy(dtype=np.intp)
    one = Measured.of(rows, SPEND, list(AB.shares), arms, np.zeros(len(rows), dtype=np.intp))
    return segment_table(
        [one],
        {name: rows[name] for name in segments},
        declared,
        SETTINGS.model_copy(update={"min_units": min_units}),
        "salt",
    )


def test_cochrans_q_by_hand():
    # Weights 1, 1, 4: mean (1 + 3 + 8) / 6 = 2; Q = 1 + 1 + 0.
    q, dof, p = cochran(np.array([1.0, 3, 2]), np.array([1.0, 1, 0.5]))
    assert (q, dof) == (pytest.approx(2), 2)
    assert p == pytest.approx(np.exp(-1))  # chi-square with two degrees
    assert np.isnan(cochran(np.array([1.0]), np.array([1.0]))[2])


def test_one_effect_in_all_groups_is_no_difference_between_them():
    found = table(units(6000, effects={"new": 2.0}))
    assert (found["effect_lower"] > 0).all()
    assert not found["differs"].any()
    assert found["level"].tolist() == pytest.approx([1 - 0.05 / 3] * 3)


def test_a_planted_difference_is_found_if_declared():
    rows = units(6000)
    there = (rows["arm"] == "new") & (rows["region"] == "south")
    rows = rows.assign(spend=rows["spend"] + 3 * there)
    found = table(rows)
    assert found["differs"].all()
    assert found.set_index("group").loc["south", "effect"] == pytest.approx(3, abs=0.9)
    explored = table(rows, declared=())
    assert explored["status"].eq("exploratory").all()
    assert explored["interaction_adjusted"].max() < 1e-3
    assert not explored["differs"].any()


def test_many_segments_where_nothing_differs():
    """Each has its p-value, and Holm leaves none; a single test would have found some."""
    rng, claimed, alone = np.random.default_rng(0), 0, 0
    for seed in range(10):
        rows = units(1000, seed=seed)
        names = [f"s{i}" for i in range(6)]
        rows = rows.assign(**{name: rng.choice(["x", "y"], len(rows)) for name in names})
        found = table(rows, names, names, min_units=50)
        claimed += found["differs"].any()
        alone += (found["interaction_p"] < 0.05).any()
    assert claimed <= 3  # 0.5 expected; P(4 or more of 10) is 0.1%
    assert alone >= 1  # 2.6 expected


def test_small_groups_and_unknown_ones_are_told():
    rows = units(2000)
    rows.loc[:60, "region"] = None
    found = table(rows).set_index("group")
    assert found.index.tolist() == ["north", "not available", "south", "west"]
    assert "needs 100" in found.loc["not available", "note"]
    assert np.isnan(found.loc["not available", "effect"])


def test_what_is_declared_must_be_there():
    with pytest.raises(ValueError, match=r"\['tier'\] are no segments; known: region"):
        table(units(500), declared=("tier",))
