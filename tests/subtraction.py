"""Tries to subtract hidden counts out of the tables of a page, as a curious reader would.

Tables speak of the same groups where their labels do and no visible count contradicts. Then every
total, every sum of a line and every copy of a count is put into one system of sums, and the ends of
each hidden count are reckoned. Two tables of nearly the same customers are set against each other
too: what differs is of the few who are in one and not in the other.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf

from mkt_models.disclosure import Contradiction, Ends, Sum, reckoned, settled
from mkt_models.small_cells import COUNTS, HIDDEN, PARTS

Cells = dict[str, str]
# Columns that count the same customers wherever they stand; a part, or another day, does not.
_OF_NOW = COUNTS | {"now"}
_COUNT = re.compile(r"\d[\d,]*(\.0+)?")


@dataclass(frozen=True)
class Line:
    """Counts of groups, by label, as a page tells them; ``alone`` if no other count hides a row."""

    name: str
    cells: Cells
    alone: bool = True

    def number(self, label: str) -> float | None:
        text = self.cells[label]
        return float(text.replace(",", "")) if _COUNT.fullmatch(text) else None

    def ends(self, label: str, k: int) -> Ends:
        text = self.cells[label]
        if text.startswith("<"):
            return (1, k - 1)
        return (k if self.alone and text == HIDDEN else 0, inf)

    @property
    def total(self) -> float | None:
        numbers = [self.number(label) for label in self.cells]
        return None if None in numbers else sum(n for n in numbers if n is not None)


@dataclass(frozen=True)
class Grid:
    """A table of two ways: its rows, each a line of the same columns."""

    name: str
    rows: dict[str, Line]


def found_by_subtraction(tables: Sequence[list[list[str]]], k: int) -> list[str]:
    """Hidden counts that a page gives away, in words; none on a page that keeps what it hides."""
    lines, grids, totals = parsed(tables)
    found = []
    for line in [one for one in lines if any(one.number(label) is None for label in one.cells)]:
        for total in sorted(totals):
            found += _given_away(line, total, grids, k)
    for grid in grids:
        rows = {label: Line(f"{grid.name} {label}", row.cells) for label, row in grid.rows.items()}
        found += _given_away(None, None, [Grid(grid.name, rows)], k, lines)
    for one, other in combinations(lines, 2):
        found += _told_apart(one, other, k)
    return sorted(set(found + _of_contacts(tables, k)))


def _of_contacts(tables: Sequence[list[list[str]]], k: int) -> list[str]:
    """Contacts of a strategy: what a cap of the channel or a budget of coupons leaves of the rest.

    Which strategies draw on a budget a reader guesses from their names.
    """
    heads = [rows[0] if rows else [] for rows in tables]
    found = []
    for rows in [r for r, h in zip(tables, heads, strict=True) if {"planned", "sent"} <= set(h)]:
        at = rows[0].index("sent") - len(rows[0])
        body = [row for row in rows[1:] if row[at]]
        sent = {row[0]: row[at] for row in body}
        caps: dict[str, str] = {}
        budgets: dict[str, list[str]] = {}
        for others, head in zip(tables, heads, strict=True):
            if "at_cap" in head:
                place = head.index("contacts") - len(head)
                caps |= {row[0]: row[place] for row in others[1:] if row[0].startswith("channel")}
            elif "sent_without_leave" in head:
                place = head.index("used") - len(head)
                budgets["coupons"] = [row[place] for row in others[1:] if row[place]]
        promoted = {name: text for name, text in sent.items() if "promotion" in name}
        wholes = [(cap, sent, [n]) for cap, n in caps.items()] if len(caps) == 1 else []
        wholes += [(name, promoted, used) for name, used in budgets.items()]
        for name, parts, texts in wholes:
            numbers = [_as_number(text) for text in texts]
            shown = [_as_number(text) for text in parts.values()]
            if None in numbers or shown.count(None) != 1:
                continue
            left = sum(n for n in numbers if n) - sum(n for n in shown if n)
            if 0 < left < k:
                found.append(f"{name} leaves {left:g} for what is hidden of {', '.join(parts)}")
    return found


def _as_number(text: str) -> float | None:
    return float(text.replace(",", "")) if re.fullmatch(r"\d[\d,]*(\.\d+)?", text) else None


def parsed(tables: Sequence[list[list[str]]]) -> tuple[list[Line], list[Grid], set[float]]:
    """The lines of counts of a page, its grids, and the totals that it tells or lets add up."""
    lines: list[Line] = []
    grids: list[Grid] = []
    totals: set[float] = set()
    for number, rows in enumerate(tables):
        if len(rows) < 3:
            continue
        heads = [head.casefold() for head in rows[0]]
        corner = " ".join(rows[0])
        totals |= {float(n.replace(",", "")) for n in re.findall(r"n = ([\d,]+) cust", corner)}
        names = sum(bool(name) for name in rows[1]) if not rows[1][-1] else 1
        body = [row for row in rows[1:] if len(row) > names - 1 and row[-1]]
        if "customers by" in corner:
            cells = {row[0]: dict(zip(heads[1:], row[1:], strict=True)) for row in body}
            grids.append(Grid(f"table {number}", {y: Line(y, xs) for y, xs in cells.items()}))
            continue
        columns = [i - len(heads) for i, head in enumerate(heads) if head in _OF_NOW]
        alone = sum(head in COUNTS | PARTS for head in heads) == 1
        groups: list[list[list[str]]] = []
        for row in body:
            if not groups or (names > 1 and len(row) == len(heads)):
                groups.append([])
            groups[-1].append(row)
        for group in groups:
            shift = {id(row): names - 1 - (len(heads) - len(row)) for row in group}
            for at in columns:
                cells = {row[max(0, shift[id(row)])]: row[at] for row in group if row[at]}
                cells = {label: text for label, text in cells.items() if label != "all"}
                line = Line(f"table {number} {heads[at]}", cells, alone)
                lines.append(line)
                if line.total and len(group) > 1 and alone:
                    totals.add(line.total)
    return lines, grids, totals


def _alike(few: Iterable[str], many: Iterable[str]) -> dict[str, str] | None:
    """Labels of the one for those of the other, ``lost`` for ``lost_customer``; None if not all."""
    found = {}
    rest = list(many)
    for label in few:
        words = set(re.split(r"[\W_]+", label.casefold()))
        hit = [one for one in rest if words <= set(re.split(r"[\W_]+", one.casefold()))]
        if len(hit) != 1:
            return None
        found[label] = hit[0]
        rest.remove(hit[0])
    return None if rest or len(found) < 2 else found


def _given_away(
    line: Line | None,
    total: float | None,
    grids: Sequence[Grid],
    k: int,
    margins: Sequence[Line] = (),
) -> list[str]:
    told: dict[object, float] = {}
    hidden: dict[object, Ends] = {}
    sums: list[Sum] = []

    def put(name: object, one: Line, label: str) -> None:
        if (number := one.number(label)) is None:
            hidden[name] = one.ends(label, k)
        else:
            told[name] = number

    def margin(one: Line, grid: Grid) -> None:
        turned = {
            x: {y: row.cells[x] for y, row in grid.rows.items()}
            for x in next(iter(grid.rows.values())).cells
        }
        for lines in ({y: row.cells for y, row in grid.rows.items()}, turned):
            same = _alike(lines, one.cells)
            if same is None or not _agree(one, {same[y]: Line(y, c) for y, c in lines.items()}):
                continue
            for y, cells in lines.items():
                put((one.name, same[y]), one, same[y])
                across = lines is turned
                parts = [(grid.name, x, y) if across else (grid.name, y, x) for x in cells]
                for part, x in zip(parts, cells, strict=True):
                    put(part, Line(y, cells), x)
                sums.append(((one.name, same[y]), parts))

    if line is not None and total is not None:
        for label in line.cells:
            put((line.name, label), line, label)
        told["total"] = total
        sums.append(("total", [(line.name, label) for label in line.cells]))
        for grid in grids:
            margin(line, grid)
    for one in margins:
        margin(one, grids[0])
    if not hidden or not sums:
        return []
    try:
        bounds = reckoned(told, hidden, sums, [n for n, (_, most) in hidden.items() if most < k])
    except Contradiction:
        return []
    return [f"{name} is {bounds[name][0]:.0f}" for name in settled(hidden, bounds)]


def _agree(one: Line, lines: dict[str, Line]) -> bool:
    """Whether no visible count of a line is other than the sum of its visible cells."""
    for label, cells in lines.items():
        number, total = one.number(label), cells.total
        if number is not None and total is not None and number != total:
            return False
    return True


def _told_apart(one: Line, other: Line, k: int) -> list[str]:
    """Groups of whom two tables of nearly the same customers tell a few apart."""
    if set(one.cells) != set(other.cells) or len(one.cells) < 2:
        return []
    if one.total is None or other.total is None or not 0 < abs(one.total - other.total) < k:
        return []
    return [
        f"{label}: {one.name} and {other.name} tell {few:.0f} apart"
        for label in one.cells
        if 0 < (few := abs((one.number(label) or 0) - (other.number(label) or 0))) < k
    ]
