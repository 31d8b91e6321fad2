"""Cells of small groups in the pages of a report: counted as "< k", and nothing told beside them.

A group of three customers tells of each of them. Whatever table a stage shows, it becomes a page
in one place, and there the rows of too few customers lose their figures (primary suppression;
Hundepool et al. 2012). Totals are not changed: where a single row of a table is hidden and its
total is known, the difference can still be taken. Figures (pictures) are not touched.
"""

import html
import re

COUNTS = frozenset({"customers", "n_customers", "客户数", "顾客数"})
"""Headings of columns that count customers."""

HIDDEN = "…"

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"(<t([hd])\b[^>]*>)(.*?)(</t\2>)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(e[-+]?\d+)?%?( \[.*\])?|[-+]?inf|nan", re.IGNORECASE)
_COUNT = re.compile(r"\d[\d,]*(\.0+)?")


def hide_small_cells(page: str, k: int) -> str:
    """The page with every row that counts 1 to ``k`` - 1 customers hidden.

    A row is found by a column whose heading is one of :data:`COUNTS`. Its count reads "< k", and
    its other figures an ellipsis; words stay, zero stays.

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
    if not COUNTS & set(heads):
        return table
    return _ROW.sub(lambda found: _row(found[0], heads, k), table)


def _row(row: str, heads: list[str], k: int) -> str:
    cells = [cell for cell in _CELL.findall(row) if cell[1] == "d"]
    # Headings stand over the last cells: what is before them in a row are names.
    named = heads[len(heads) - len(cells) :] if len(cells) <= len(heads) else []
    small = [
        name in COUNTS and _small(_text(cell[2]), k)
        for name, cell in zip(named, cells, strict=False)
    ]
    if not any(small):
        return row
    place = iter(small)

    def hidden(found: re.Match[str]) -> str:
        if found[2] != "d":
            return found[0]
        if next(place):
            return f"{found[1]}&lt; {k}{found[4]}"
        told = _NUMBER.fullmatch(_text(found[3])) is not None
        return f"{found[1]}{HIDDEN}{found[4]}" if told else found[0]

    return _CELL.sub(hidden, row)


def _small(text: str, k: int) -> bool:
    return _COUNT.fullmatch(text) is not None and 0 < float(text.replace(",", "")) < k


def _text(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", cell)).strip()
