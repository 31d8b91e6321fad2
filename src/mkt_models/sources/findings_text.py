"""The findings of a look at the data, as the text that ``mkt check`` prints."""

import textwrap
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mkt_models.columns import Dimension, Table
from mkt_models.source_params import Files, Source
from mkt_models.sources.check import Findings, unused_columns
from mkt_models.sources.facts import TableFacts
from mkt_models.sources.mapped_tables import Loaded
from mkt_models.sources.mapping import in_words
from mkt_models.sources.needs import Need
from mkt_models.sources.unreadable import WHOLE_LINE

_WIDTH = 100


def findings_text(found: Findings, source: Source) -> str:
    """Tell what was found, what is worth knowing, and what will not be available."""
    parts = [_tables(found, source)]
    if isinstance(source, Files):
        unused = unused_columns(source, list(found.loaded.values()))
        parts += [
            _columns(found.loaded[t.table], t, source, unused.get(t.table, []))
            for t in found.tables
            if t.table in found.loaded
        ]
    if found.warnings:
        parts.append("Worth knowing\n" + "\n".join(map(_item, found.warnings)))
    if found.tables:
        parts.append(_lacking(found))
    return "\n\n".join(part for part in parts if part)


def faults_text(found: Findings) -> str:
    """Tell what must be mended, and which dates would fit; empty when nothing is wrong."""
    if not found.faults:
        return ""
    n = len(found.faults)
    lines = [f"{n} thing{'s' * (n > 1)} to mend", *map(_item, found.faults)]
    if found.dates.errors and found.dates.suggestion:
        lines += ["Dates that fit this data:", *(f"  {line}" for line in found.dates.suggestion)]
    return "\n".join(lines)


def _tables(found: Findings, source: Source) -> str:
    if not found.tables:
        return ""
    part = "" if found.share == 1 else f", from a sample of {found.share:.1%}; ~ marks estimates"
    rows = [["table", "rows", "customers", "first day", "last day", "from"]]
    for table in found.tables:
        one = found.loaded.get(table.table)
        share = one.share if one is not None else found.share
        if table.customers is None and not found.loaded:
            share = 1.0  # a simulated shop has as many products and campaigns for few customers
        rows.append(
            [
                table.table.value,
                _estimate(table.rows, share),
                _people(table.customers, share, sampled=bool(found.loaded)),
                "" if table.first is None else str(table.first),
                "" if table.last is None else str(table.last),
                _whence(table.table, one, source),
            ]
        )
    return f"What was found{part}\n" + _aligned(rows, right=(1, 2))


def _estimate(n: int, share: float) -> str:
    return f"{n:,}" if share >= 1 else f"~{round(n / share):,}"


def _people(n: int | None, share: float, sampled: bool) -> str:
    """How many customers: of sampled lines at least those that were seen."""
    if n is None:
        return ""
    return f"≥{n:,}" if sampled and share < 1 else _estimate(n, share)


def _whence(table: Table, one: Loaded | None, source: Source) -> str:
    if not isinstance(source, Files):
        return ""
    if one is None:
        if table is Table.CONSENTS:
            return "assumed by the parameters" if source.assumed_consents else "none on record"
        return "derived from transactions"
    mapping = source.tables.mapped()[table]
    if mapping.from_table is not None:
        return f"the rows of {mapping.from_table.value}"
    names = list(one.files)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _columns(one: Loaded, table: TableFacts, source: Files, unused: Sequence[str]) -> str:
    """How every column of a table is made, with what is missing and what cannot be read."""
    mapping = source.tables.mapped()[one.table]
    rows = [["column", "from", "missing", "unreadable", "read as"]]
    for name, count in one.counts.items():
        if name == WHOLE_LINE:
            continue
        rows.append(
            [
                name,
                in_words(mapping.columns[name]),
                f"{table.missing[name] / table.rows:.1%}" if table.missing[name] else "",
                f"{count.unreadable:,} ({count.share:.2%})" if count.unreadable else "",
                _read_as(one, name, source),
            ]
        )
    lines = [one.table.value, _aligned(rows, right=(2, 3))]
    broken = one.counts[WHOLE_LINE]
    if broken.unreadable:
        lines.append(f"  lines that cannot be split: {broken.unreadable:,}, e.g. {broken.example}")
    lines += [
        f"  {name} not read, e.g. {count.example}"
        for name, count in one.counts.items()
        if count.example and name != WHOLE_LINE
    ]
    if unused:
        told = f"not used: {', '.join(unused)}"
        lines += textwrap.wrap(told, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def _read_as(one: Loaded, name: str, source: Files) -> str:
    if name not in one.read_as:
        return ""
    text, value = one.read_as[name]
    if name.endswith("_cents"):
        shown = f"{int(str(value)) / 100:,.2f} {source.currency}"
    elif isinstance(value, datetime):
        here = value.replace(tzinfo=ZoneInfo("UTC")).astimezone(source.zone)
        shown = f"{here:%-d %B %Y %H:%M} in {source.time_zone}"
    elif isinstance(value, date):
        shown = f"{value:%-d %B %Y}"
    else:
        shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text!r}: {shown}"


def _lacking(found: Findings) -> str:
    if not found.lacking:
        return "All eight dimensions and all models have what they need."
    lines = ["Not available with this data"]
    for of, needs in found.lacking.items():
        parts = ", ".join(f"{need.part} ({_any_of(need)})" for need in needs)
        lines += textwrap.wrap(
            f"{of}: {parts}", _WIDTH, initial_indent="  ", subsequent_indent="      "
        )
    whole = [d.value for d in Dimension if d.value not in found.lacking]
    if whole:
        lines.append(f"  complete: {', '.join(whole)}")
    return "\n".join(lines)


def _any_of(need: Need) -> str:
    """``customers.birth_year or age_band``: the table is named once."""
    table = need.any_of[0].partition(".")[0]
    return " or ".join([need.any_of[0], *(n.removeprefix(f"{table}.") for n in need.any_of[1:])])


def _item(text: str) -> str:
    return "\n".join(
        textwrap.wrap(
            text,
            _WIDTH,
            initial_indent="  - ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines)
