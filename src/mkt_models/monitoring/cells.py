"""The cells of a column: quantile bins of the reference, or its categories, and the missing.

A numeric column is cut where the quantiles of the reference lie. A value that fills several
quantiles (the many who have bought nothing) has a cell of its own. Any other column has a cell per
category, and one for all categories that the reference does not know.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.evaluation.inputs import Floats

Ints = npt.NDArray[np.intp]

# Categories beyond so many share a cell: the rarest of the reference.
MAX_CATEGORIES = 50


@dataclass(frozen=True)
class Cells:
    """In which cell every row lies; the last cell is that of missing values.

    Attributes
    ----------
    reference, current
        cell of every row
    n
        number of cells
    ordered
        whether the cells, but for the last, follow the values
    new
        the cell of categories that the reference does not know; None for numbers
    new_values
        up to five such categories

    """

    reference: Ints
    current: Ints
    n: int
    ordered: bool
    new: int | None = None
    new_values: tuple[str, ...] = ()


def cells_of(reference: pd.Series, current: pd.Series, bins: int) -> Cells:
    """Cut a column into cells.

    Numbers of the current period that are infinite raise ValueError; so does a column that is
    numeric in one period only.
    """
    kinds = [_is_number(column) for column in (reference, current)]
    known = [column.notna().any() for column in (reference, current)]
    if all(known) and kinds[0] != kinds[1]:
        raise ValueError(
            f"{reference.name!r} holds {_kind(kinds[0])} in the reference and {_kind(kinds[1])} in "
            "the current period; give both the same type"
        )
    if kinds[0] if known[0] else kinds[1]:
        return _ordered(_floats(reference), _floats(current), bins)
    return _categories(reference, current)


def edges_of(values: Floats, bins: int) -> Floats:
    """Inner edges: a value belongs to the cell below an edge up to and with the edge itself.

    >>> edges_of(np.arange(1.0, 9.0), 4)
    array([2.75, 4.5 , 6.25])
    >>> edges_of(np.array([0.0, 0, 0, 0, 0, 0, 3, 8]), 4).round(2)  # zeros have a cell: (-0, 0]
    array([-0.  ,  0.  ,  0.75])
    """
    quantiles = np.quantile(values, np.arange(bins + 1) / bins)
    found, counts = np.unique(quantiles, return_counts=True)
    filled = found[counts > 1]
    edges = {*quantiles[1:-1], *filled, *np.nextafter(filled, -np.inf)}
    return np.array(sorted(edges))


def _ordered(reference: Floats, current: Floats, bins: int) -> Cells:
    known = reference[~np.isnan(reference)]
    edges = edges_of(known, bins) if len(known) else np.empty(0)
    missing = len(edges) + 1

    def cell(values: Floats) -> Ints:
        found = np.searchsorted(edges, values, side="left")
        return np.where(np.isnan(values), missing, found).astype(np.intp)

    return Cells(cell(reference), cell(current), missing + 1, ordered=True)


def _categories(reference: pd.Series, current: pd.Series) -> Cells:
    old, new = (
        [str(value) if known else None for value, known in zip(column, column.notna(), strict=True)]
        for column in (reference, current)
    )
    counts = Counter(name for name in old if name is not None)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    place = {name: min(i, MAX_CATEGORIES - 1) for i, name in enumerate(ranked)}
    unknown = min(len(ranked), MAX_CATEGORIES)
    missing = unknown + 1

    def cell(names: list[str | None]) -> Ints:
        found = [missing if name is None else place.get(name, unknown) for name in names]
        return np.array(found, dtype=np.intp)

    unseen = sorted({name for name in new if name is not None} - set(place))
    return Cells(cell(old), cell(new), missing + 1, False, unknown, tuple(unseen[:5]))


def _floats(column: pd.Series) -> Floats:
    values = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    if infinite := int(np.isinf(values).sum()):
        raise ValueError(f"{column.name!r} has {infinite:,} infinite values; make them missing")
    return values


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _kind(number: bool) -> str:
    return "numbers" if number else "categories"


def share_table(reference: pd.Series, current: pd.Series, bins: int) -> pd.DataFrame:
    """One row per cell of equal width: how many of the rows lie in it, before and now.

    Columns: ``lower``, ``upper``, ``share_reference``, ``share_current``, and the rows in the cell,
    ``n_reference`` and ``n_current``; between the lowest and the highest number of both periods.
    Missing numbers are left out.

    >>> share_table(pd.Series([0.0, 1.0, 1.0, 2.0]), pd.Series([0.0, 2.0]), 2)
       lower  upper  share_reference  share_current  n_reference  n_current
    0    0.0    1.0             0.25            0.5            1          1
    1    1.0    2.0             0.75            0.5            3          1
    """
    known = [_floats(column.dropna()) for column in (reference, current)]
    edges = np.histogram_bin_edges(np.concatenate(known), bins)
    counts = [np.histogram(values, edges)[0] for values in known]
    shares = [count / max(1, count.sum()) for count in counts]
    columns = {"lower": edges[:-1], "upper": edges[1:]}
    columns |= {"share_reference": shares[0], "share_current": shares[1]}
    columns |= {"n_reference": counts[0], "n_current": counts[1]}
    return pd.DataFrame(columns)
