"""Cells by hand: quantiles, values that fill several of them, categories and the missing."""

import numpy as np
import pandas as pd
import pytest

from mkt_models.monitoring.cells import MAX_CATEGORIES, cells_of


def column(values, name="x"):
    return pd.Series(values, name=name)


def test_numbers_are_cut_at_the_quantiles_of_the_reference():
    cells = cells_of(column([1.0, 2, 3, 4]), column([0.0, 2.5, 9, np.nan]), 2)
    assert cells.ordered
    assert cells.n == 3  # up to 2.5, above, missing
    assert cells.reference.tolist() == [0, 0, 1, 1]
    assert cells.current.tolist() == [0, 0, 1, 2]


def test_a_value_that_fills_quantiles_has_a_cell_of_its_own():
    cells = cells_of(column([0, 0, 0, 5]), column([-1, 0, 1, 5]), 2)
    assert len(set(cells.current[:3])) == 3  # below zero, zero, above


def test_a_constant_tells_what_is_below_and_above():
    cells = cells_of(column([7.0, 7.0]), column([6.9, 7.0, 7.1]), 10)
    assert cells.current.tolist() == [0, 1, 2]
    assert cells.reference.tolist() == [1, 1]


def test_categories_the_reference_does_not_know_share_a_cell_and_are_named():
    cells = cells_of(column(["b", "a", "a", None]), column(["a", "c", "d", None]), 10)
    assert not cells.ordered
    assert cells.current.tolist() == [0, cells.new, cells.new, cells.n - 1]
    assert cells.new_values == ("c", "d")


def test_the_rarest_of_many_categories_share_a_cell():
    many = [f"{i:03d}" for i in range(80)]
    cells = cells_of(column(many), column(many), 10)
    assert cells.n == MAX_CATEGORIES + 2
    assert cells.new_values == ()


def test_booleans_are_categories_and_types_must_agree():
    assert not cells_of(column([True, False]), column([True, True]), 4).ordered
    with pytest.raises(ValueError, match="'x' holds numbers in the reference and categories"):
        cells_of(column([1.0, 2.0]), column(["1", "2"]), 4)


def test_infinite_numbers_are_refused_and_a_period_without_values_is_all_missing():
    with pytest.raises(ValueError, match="'x' has 1 infinite"):
        cells_of(column([1.0, np.inf]), column([1.0]), 4)
    cells = cells_of(column([1.0, 2.0]), column([None, None]), 4)
    assert set(cells.current) == {cells.n - 1}
