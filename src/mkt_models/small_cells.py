"""Cells of small groups, in whatever people read: counted as "< k", and nothing told beside them.

A group of three customers tells of each of them. Its row loses its figures (primary suppression),
and where what is hidden could be had as the total minus the rest, the next smallest row is hidden
as well (complementary suppression; Hundepool et al. 2012, Statistical Disclosure Control). Zeros
stay: they are of nobody.

The same rule serves tables of a notebook (:func:`cover`), pages (:func:`hide_small_cells`), JSON
documents (:func:`hide_in_json`) and figures, which ask :func:`hidden` which bars to draw.
"""

import html
import re
from collections.abc import Hashable, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.disclosure import reckoned, settled

COUNTS = frozenset({"customers", "n_customers", "客户数", "顾客数"})
"""Headings of columns that count customers: a small one hides the row's other figures."""

PARTS = frozenset({"positives", "redeemed", "silent", "then", "now", "kept"})
"""Headings of columns that count some of a row's customers: a small one leaves the row's size."""

KEYS = ("model", "attribute", "metric", "measure", "family", "level", "ranking", "shelf", "rule")
"""Fields of a JSON row that name the table it belongs to, not its group."""

HIDDEN = "…"

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"(<t([hd])\b[^>]*>)(.*?)(</t\2>)", re.DOTALL)
_SPANS = re.compile(r"<tr\b[^>]*>\s*<th\b[^>]*\browspan=\"(\d+)\"", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(e[-+]?\d+)?%?( \[.*\])?|[-+]?inf|nan", re.IGNORECASE)
_COUNT = re.compile(r"\d[\d,]*(\.0+)?")


def hidden(counts: Sequence[float], k: int) -> list[bool]:
    """Which of the counts that make up a total must not be told.

    Those from 1 to ``k`` - 1, and then the next smallest until at least two are hidden, of ``k``
    customers together, and their sum leaves every small one in doubt: of two below 5 that add up to
    8 both are 4. Missing counts are passed over.

    >>> hidden([97, 3, 0, 19], 5)
    [False, True, False, True]
    >>> hidden([287, 4, 4, 9, 30], 5)
    [False, True, True, True, False]
    """
    many = [0.0 if n is None or n != n else float(n) for n in counts]
    found = [0 < n < k for n in many]
    if k <= 1 or not any(found):
        return [False] * len(many)
    while not _covered([n for n, no in zip(many, found, strict=True) if no], k):
        rest = [i for i, no in enumerate(found) if not no and many[i] > 0]
        if not rest:
            break
        found[min(rest, key=lambda i: many[i])] = True
    return found


def hidden_grid(counts: npt.ArrayLike, k: int) -> npt.NDArray[np.bool_]:
    """The same for a table of two ways, whose sums of rows and of columns are told beside it.

    They are told as :func:`hidden` tells them: where a sum is hidden a cell of its line is too, for
    else the line would add up to it. Greedy: what closes a rectangle of hidden cells goes first,
    then the smallest; and more, until all sums together leave every small cell, and every small
    sum, in doubt (:mod:`mkt_models.disclosure`).

    >>> hidden_grid([[97, 3], [222, 19], [102, 19]], 5)
    array([[ True,  True],
           [False, False],
           [ True,  True]])
    """
    given: npt.NDArray[np.float64] = np.nan_to_num(np.asarray(counts, dtype=float))
    out = np.zeros(given.shape, dtype=bool)
    # A figure turns a table, or orders it otherwise, and must hide the same cells.
    ways = [_in_order(given, axis) for axis in (0, 1)]
    turned = [(len(way), [given.sum(axis=1 - i)[at] for at in way]) for i, way in enumerate(ways)]
    inner = given[np.ix_(*ways)]
    found = _hidden_grid(inner.T, k).T if turned[1] > turned[0] else _hidden_grid(inner, k)
    out[np.ix_(*ways)] = found
    return out


def _in_order(table: npt.NDArray[np.float64], axis: int) -> list[int]:
    """Positions of the lines along an axis that count anybody, the largest first."""
    lines = table if axis == 0 else table.T
    keys = [(line.sum(), *sorted(line, reverse=True)) for line in lines]
    filled = [i for i, line in enumerate(lines) if line.any()]
    return sorted(filled, key=lambda i: keys[i], reverse=True)


def _hidden_grid(table: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.bool_]:
    found: Any = (table > 0) & (table < k) & (k > 1)
    if not found.any():
        return np.asarray(found, dtype=bool)
    lines = (table.sum(axis=1), table.sum(axis=0))
    sums = (hidden(list(lines[0]), k), hidden(list(lines[1]), k))
    while True:
        _close(table, found, sums, k)
        beside: Any = _told_of_grid(table, found, lines, sums, k)
        rest = np.argwhere(~found & (table > 0)).tolist()
        if not beside.any() or not rest:
            return np.asarray(found, dtype=bool)
        rows, columns = beside.any(axis=1), beside.any(axis=0)
        y, x = min(rest, key=lambda at: (not (rows[at[0]] or columns[at[1]]), table[*at]))
        found[y, x] = True


def _covered(gone: Sequence[float], k: int) -> bool:
    """Whether the sum of hidden counts, of ``k`` or more, leaves each of them in doubt.

    Who reads "< k" knows that a count is from 1 to ``k`` - 1, and of an ellipsis that it is more.
    """
    few, total = sum(n < k for n in gone), sum(gone)
    if len(gone) < 2 or total < k:
        return not gone
    large = len(gone) - few
    lowest = 1 if large else max(1, total - (few - 1) * (k - 1))
    most = min(k - 1, total - (few - 1) - large * k)
    return not few or k == 2 or lowest < most


def _close(
    table: npt.NDArray[np.float64], found: Any, sums: tuple[list[bool], list[bool]], k: int
) -> None:
    """Hide more, in place, until every line by itself leaves its small cells in doubt."""
    before = -1
    while found.sum() != before:
        before = int(found.sum())
        for lines, marks, few in ((table, found, sums[0]), (table.T, found.T, sums[1])):
            for line, mark, whole in zip(lines, marks, few, strict=True):
                while (whole and not mark.any()) or not _covered(list(line[mark]), k):
                    rest = np.flatnonzero(~mark & (line > 0))
                    if not len(rest):
                        break
                    crossed = marks.any(axis=0)
                    mark[min(rest, key=lambda i: (not crossed[i], line[i]))] = True


def _told_of_grid(
    table: npt.NDArray[np.float64],
    found: Any,
    lines: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    sums: tuple[list[bool], list[bool]],
    k: int,
) -> npt.NDArray[np.bool_]:
    """Cells, and cells of lines, that all sums together give away."""
    counts: dict[Hashable, float] = {"all": float(table.sum())}
    covered: dict[Hashable, tuple[float, float]] = {}
    where: dict[Hashable, Any] = {}
    ways: list[tuple[Hashable, list[Hashable]]] = []
    for at, n in np.ndenumerate(table):
        where["cell", *at] = at
        _put(counts, covered, ("cell", *at), float(n), bool(found[at]), k)
    for axis in (0, 1):
        for i, (n, few) in enumerate(zip(lines[axis], sums[axis], strict=True)):
            name: Hashable = ("sum", axis, i)
            where[name] = (i, slice(None)) if axis == 0 else (slice(None), i)
            _put(counts, covered, name, float(n), few, k)
            ways.append((name, [("cell", *at) for at in np.ndindex(table.shape) if at[axis] == i]))
        ways.append(("all", [("sum", axis, i) for i in range(table.shape[axis])]))
    small = [name for name, (_, most) in covered.items() if most < k]
    beside = np.zeros(table.shape, dtype=bool)
    for one in settled(covered, reckoned(counts, covered, ways, small)):
        beside[where[one]] = True
    return beside


def _put(
    counts: dict[Hashable, float],
    covered: dict[Hashable, tuple[float, float]],
    name: Hashable,
    n: float,
    few: bool,
    k: int,
) -> None:
    if few:
        covered[name] = (1, k - 1) if n < k else (k, inf)
    else:
        counts[name] = n


def cover(table: pd.DataFrame, k: int, grid: bool = False) -> pd.DataFrame:
    """A table for readers, its small cells hidden.

    Rows are found by the columns in :data:`COUNTS` and :data:`PARTS`, or with ``grid`` every column
    is a count. The rows of one value of an outer index make up a total, else all rows do. A count
    reads "< k", a figure that was hidden with it an ellipsis; words stay.

    >>> cover(pd.DataFrame({"customers": [90, 8, 3], "mean": [.5, .25, .75]}, index=list("abc")), 5)
      customers mean
    a        90  0.5
    b         …    …
    c       < 5    …
    """
    if k <= 1 or table.empty:
        return table
    out: pd.DataFrame = table.astype(object)
    if grid:
        counts = table.to_numpy(dtype=float)
        for (y, x), gone in np.ndenumerate(hidden_grid(counts, k)):
            if gone:
                out.iloc[y, x] = f"< {k}" if counts[y, x] < k else HIDDEN
        return out
    names = [str(name).casefold() for name in table.columns]
    outer = table.index.get_level_values(0) if table.index.nlevels > 1 else [0] * len(table)
    groups: dict[object, list[int]] = {}
    for position, name in enumerate(outer):
        groups.setdefault(name, []).append(position)
    told = {i: list(table.iloc[:, i]) for i, n in enumerate(names) if n in COUNTS | PARTS}
    for rows in groups.values():
        marks = {
            names[i]: hidden([_number(column[row]) for row in rows], k)
            for i, column in told.items()
        }
        for place, row in enumerate(rows):
            no = {name for name, column in marks.items() if column[place]}
            for i, name in enumerate(names):
                value = table.iloc[row, i]
                if isinstance(value, bool | np.bool_) or not _hides(name, str(value), no):
                    continue
                small = name in no and 0 < _number(value) < k
                out.iloc[row, i] = f"< {k}" if small else HIDDEN
    changed = [name for name in table if not out[name].equals(table[name].astype(object))]
    return table.assign(**{str(name): out[name] for name in changed})


def hide_in_json(data: Any, k: int) -> Any:
    """A JSON-able document without the figures of small groups: null in their place.

    A row is a mapping with one of the fields of :data:`COUNTS` or :data:`PARTS`; the rows of a list
    that agree in :data:`KEYS` make up a total. A row that lost figures says so: ``fewer_than``.

    >>> hide_in_json([{"group": "a", "customers": 3, "rate": 0.5}], 5)
    [{'group': 'a', 'customers': None, 'rate': None, 'fewer_than': 5}]
    """
    if k <= 1:
        return data
    if isinstance(data, Mapping):
        few = {name for name in _counted(data) if 0 < float(data[name]) < k}
        return {name: hide_in_json(value, k) for name, value in _row_of_json(data, few, k).items()}
    if not isinstance(data, list | tuple):
        return data
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(data):
        if isinstance(one, Mapping) and _counted(one):
            groups.setdefault(tuple(str(one.get(key)) for key in KEYS), []).append(place)
    out = [hide_in_json(one, k) if not isinstance(one, Mapping) else one for one in data]
    for rows in groups.values():
        names = {name for row in rows for name in _counted(data[row])}
        marks = {name: hidden([_number(data[row].get(name)) for row in rows], k) for name in names}
        for place, row in enumerate(rows):
            no = {name for name, column in marks.items() if column[place]}
            out[row] = _row_of_json(data[row], no, k)
    return [hide_in_json(one, k) if isinstance(one, Mapping) else one for one in out]


def hide_small_cells(page: str, k: int) -> str:
    """The page with every row that counts 1 to ``k`` - 1 customers hidden, and its complement.

    A row is found by a column whose heading is one of :data:`COUNTS` or :data:`PARTS`. Its count
    reads "< k", and its other figures an ellipsis; words stay, zero stays.

    >>> page = ("<table><thead><tr><th></th><th>customers</th><th>mean</th></tr></thead>"
    ...         "<tr><th>gold</th><td>3</td><td>17.5</td></tr></table>")
    >>> hide_small_cells(page, 5).split("</thead>")[1]
    '<tr><th>gold</th><td>&lt; 5</td><td>…</td></tr></table>'
    """
    if k <= 1:
        return page
    return _TABLE.sub(lambda found: _table(found[0], k), page)


def _table(table: str, k: int) -> str:
    rows = _ROW.findall(table)
    heads = [_text(cell[2]).casefold() for cell in _CELL.findall(rows[0])] if rows else []
    if not (COUNTS | PARTS) & set(heads):
        return table
    named = [_named(row, heads) for row in rows]
    no: list[set[str]] = [set() for _ in rows]
    for group in _groups(rows, named):
        for name in (COUNTS | PARTS) & {head for row in group for head, _ in named[row]}:
            texts = [dict(named[row]).get(name, "") for row in group]
            # What a notebook has hidden already counts as hidden, and needs no complement.
            if any(text.startswith(("<", HIDDEN)) for text in texts):
                marks = [_text_small(text, k) for text in texts]
            else:
                marks = hidden([_count(text) for text in texts], k)
            for row, mark in zip(group, marks, strict=True):
                no[row] |= {name} if mark else set()
    at = iter(range(len(rows)))

    def replaced(found: re.Match[str]) -> str:
        place = next(at)
        return _row(found[0], named[place], no[place], k) if no[place] else found[0]

    return _ROW.sub(replaced, table)


def _groups(rows: list[str], named: list[list[tuple[str, str]]]) -> list[list[int]]:
    """Rows of one outer name, as pandas spans them, or else all rows with figures."""
    groups: list[list[int]] = []
    left = 0
    for place, row in enumerate(rows):
        if not named[place]:
            continue
        spans = _SPANS.match(row)
        if spans:
            left = int(spans[1])
            groups.append([])
        elif left <= 0 and (not groups or any(_SPANS.match(one) for one in rows)):
            groups.append([])
        groups[-1].append(place)
        left -= 1
    return groups


def _named(row: str, heads: list[str]) -> list[tuple[str, str]]:
    cells = [cell for cell in _CELL.findall(row) if cell[1] == "d"]
    # Headings stand over the last cells: what is before them in a row are names.
    names = heads[len(heads) - len(cells) :] if len(cells) <= len(heads) else []
    return [(name, _text(cell[2])) for name, cell in zip(names, cells, strict=False)]


def _row(row: str, named: list[tuple[str, str]], no: set[str], k: int) -> str:
    place = iter(named)

    def covered(found: re.Match[str]) -> str:
        if found[2] != "d":
            return found[0]
        name, text = next(place)
        if not _hides(name, text, no):
            return found[0]
        small = name in no and _text_small(text, k)
        return f"{found[1]}{f'&lt; {k}' if small else HIDDEN}{found[4]}"

    return _CELL.sub(covered, row)


def _hides(name: str, text: str, no: set[str]) -> bool:
    """Whether a row whose counts ``no`` are hidden hides this cell of it as well."""
    if not no or name in no:
        return bool(no)
    if name.endswith("_id"):
        return False  # a name, though it be of digits
    if not no & COUNTS and (name in COUNTS or name == "n"):
        return False  # only some of its customers are few: how many there are may be told
    return _NUMBER.fullmatch(text.strip()) is not None


def _counted(row: Mapping[str, Any]) -> list[str]:
    return [name for name in row if name in COUNTS | PARTS and _is_number(row[name])]


def _row_of_json(row: Mapping[str, Any], no: set[str], k: int) -> dict[str, Any]:
    if not no:
        return dict(row)
    out = {
        name: None if _is_number(value) and _hides(name, str(value), no) else value
        for name, value in row.items()
    }
    return {**out, "fewer_than": k}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float:
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return 0.0 if np.isnan(value) else float(value)
    return 0.0


def _text_small(text: str, k: int) -> bool:
    return 0 < _count(text) < k


def _count(text: str) -> float:
    return float(text.replace(",", "")) if _COUNT.fullmatch(text) else 0.0


def _text(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", cell)).strip()
