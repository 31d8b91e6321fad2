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
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

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
    customers together: else the total minus the rest would tell. Missing counts are passed over.

    >>> hidden([97, 3, 0, 19], 5)
    [False, True, False, True]
    >>> hidden([287, 2, 1, 1, 9], 5)
    [False, True, True, True, True]
    """
    many = [0.0 if n is None or n != n else float(n) for n in counts]
    found = [0 < n < k for n in many]
    if k <= 1 or not any(found):
        return [False] * len(many)
    while sum(found) < 2 or sum(n for n, no in zip(many, found, strict=True) if no) < k:
        rest = [i for i, no in enumerate(found) if not no and many[i] > 0]
        if not rest:
            break
        found[min(rest, key=lambda i: many[i])] = True
    return found


def hidden_grid(counts: npt.ArrayLike, k: int) -> npt.NDArray[np.bool_]:
    """The same for a table of two ways whose sums of rows and of columns are known.

    Greedy: what closes a rectangle of hidden cells goes first, then the smallest.

    >>> hidden_grid([[97, 3], [222, 19], [102, 19]], 5)
    array([[ True,  True],
           [False, False],
           [ True,  True]])
    """
    table: npt.NDArray[np.float64] = np.nan_to_num(np.asarray(counts, dtype=float))
    found: Any = (table > 0) & (table < k) & (k > 1)
    before = -1
    while found.sum() != before:
        before = int(found.sum())
        for lines, marks in ((table, found), (table.T, found.T)):
            for line, mark in zip(lines, marks, strict=True):
                while mark.any() and (mark.sum() < 2 or line[mark].sum() < k):
                    rest = np.flatnonzero(~mark & (line > 0))
                    if not len(rest):
                        break
                    crossed = marks.any(axis=0)
                    mark[min(rest, key=lambda i: (not crossed[i], line[i]))] = True
    return np.asarray(found, dtype=bool)


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
