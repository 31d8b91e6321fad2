"""From a mapping to SQL: what each canonical column is made of, and what is wrong with a mapping.

The faults name the key of the parameters, the column, and what to do; nothing is read for them but
the names of the columns that were found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mkt_models.columns import Table
from mkt_models.engine import literal
from mkt_models.mapping_params import Column, Reading, TableMapping, TextRule
from mkt_models.sections import nearest
from mkt_models.source_params import Files
from mkt_models.sources.casting import Notation, cast, is_number, line_amount, names_zone, units_of
from mkt_models.sources.schemas import CANONICAL
from mkt_models.sources.vocabularies import VOCABULARIES

_FOUND_DELIMITERS = (";", "\t", "|", ",")


@dataclass(frozen=True)
class Made:
    """How a canonical column is made, in SQL over the columns of the data.

    Attributes
    ----------
    name
        The canonical column.
    given
        SQL of the text that is read; NULL for a constant.
    value
        SQL of the value: null where nothing is given, or where it cannot be read.
    excused
        SQL of the condition that a given text rightly has no value.

    """

    name: str
    given: str
    value: str
    excused: str = "FALSE"


def in_words(column: Column) -> str:
    """Say where a column comes from.

    >>> in_words(Column.model_validate({"unit_price": "Price", "times": "quantity"}))
    'Price × quantity'
    """
    if column.value is not None:
        return f"always {column.value!r}"
    origin = " + ".join(column.source)
    if column.unit_price is not None:
        origin = f"{column.unit_price} × {column.times}"
    told = (column.unit, "by values" * bool(column.values), "by rules" * bool(column.rules))
    return ", ".join([origin, *(word for word in told if word)])


def quoted(name: str) -> str:
    """Write a column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def needed_columns(mapping: TableMapping) -> list[str]:
    """The columns of the data that a mapping reads, each once."""
    names: list[str] = []
    for column in mapping.columns.values():
        names += [*column.source, *([column.unit_price] if column.unit_price else [])]
    return list(dict.fromkeys(names))


def columns_made(source: Files, table: Table, texts: Iterable[str]) -> list[Made]:
    """Every mapped column of a table, in the order of the canonical columns.

    ``texts`` are the columns of the data that hold text. The others have a type already: numbers
    have a decimal point and times are ISO 8601, whatever the parameters say of texts.
    """
    mapping = source.tables.mapped()[table]
    _, reading = source.reads(table)
    texts = set(texts)
    return [
        _made(source, table, name, mapping, reading, texts)
        for name in CANONICAL[table].columns
        if name in mapping.columns
    ]


def _made(
    source: Files,
    table: Table,
    name: str,
    mapping: TableMapping,
    reading: Reading,
    texts: set[str],
) -> Made:
    column = mapping.columns[name]
    kind = CANONICAL[table].columns[name]
    if column.value is not None:
        how = _notation(source, reading, column, typed=True)
        return Made(name, "CAST(NULL AS VARCHAR)", cast(literal(column.value), name, kind, how))
    names = [column.unit_price] if column.unit_price is not None else list(column.source)
    how = _notation(source, reading, column, typed=not set(names) & texts)
    given = _given(names, column, kind)
    text, excused = _translated(given, column, judged=_is_judged(table, name))
    if column.unit_price is not None:
        pieces = _made(source, table, str(column.times), mapping, reading, texts).value
        value = line_amount(text, pieces, how, column.unit or "currency")
        excused = f"{pieces} IS NULL"
    else:
        value = cast(text, name, kind, how, column.unit)
    if column.whole_number or (kind == "VARCHAR" and not set(names) & texts):
        value = f"regexp_replace({value}, '^(-?[0-9]+)\\.0+$', '\\1')"
    return Made(name, given, f"(-{value})" if column.negate else value, excused)


def _given(names: Sequence[str], column: Column, kind: str) -> str:
    """SQL of the text: the column, or several joined. An id is known when all its parts are."""
    parts = [quoted(name) for name in names]
    if len(parts) == 1:
        return parts[0]
    joined = f"concat_ws({literal(column.join)}, {', '.join(parts)})"
    known = " OR " if kind != "VARCHAR" else " AND "
    return f"CASE WHEN {known.join(f'{p} IS NOT NULL' for p in parts)} THEN {joined} END"


def _is_judged(table: Table, name: str) -> bool:
    """Whether cleaning judges the column's words: one that it does not know must reach it.

    As a null it would pass for what most rows are, a cancelled order for a completed one.
    """
    words = VOCABULARIES.get(table, {}).get(name)
    return words is not None and bool(words.known)


def _translated(given: str, column: Column, judged: bool) -> tuple[str, str]:
    """SQL of the text after ``values`` or ``rules``, and of the texts that rightly say nothing."""
    said = "otherwise" in column.model_fields_set
    if column.values:
        whens = [f"{given} = {literal(text)}" for text in column.values]
        results = list(column.values.values())
    elif column.rules:
        whens = [_condition(given, rule) for rule in column.rules]
        results = [rule.value for rule in column.rules]
    else:
        return given, "FALSE"
    cases = " ".join(
        f"WHEN {when} THEN {'NULL' if result is None else literal(result)}"
        for when, result in zip(whens, results, strict=True)
    )
    silent = [when for when, result in zip(whens, results, strict=True) if result is None]
    if column.keep_others or (judged and column.values and not said):
        rest = given
    elif column.otherwise is not None:
        rest = f"CASE WHEN {given} IS NOT NULL THEN {literal(column.otherwise)} END"
    else:
        rest = "CAST(NULL AS VARCHAR)"
        if column.rules or said:
            silent.append(f"NOT ({' OR '.join(whens)})")
    return f"CASE {cases} ELSE {rest} END", " OR ".join(silent) or "FALSE"


def _condition(given: str, rule: TextRule) -> str:
    if rule.matches is not None:
        return f"regexp_full_match({given}, {literal(rule.matches)})"
    if rule.contains is not None:
        return f"contains({given}, {literal(rule.contains)})"
    if rule.starts_with is not None:
        return f"starts_with({given}, {literal(rule.starts_with)})"
    return f"ends_with({given}, {literal(rule.ends_with)})"


def _notation(source: Files, reading: Reading, column: Column, typed: bool) -> Notation:
    formats = column.format or (() if typed else reading.date_format)
    return Notation(
        decimal="." if typed else reading.decimal,
        thousands=None if typed else reading.thousands,
        currency=source.currency,
        formats=formats,
        zone=reading.time_zone or source.time_zone,
        shop_zone=source.time_zone,
    )


def faults(source: Files) -> list[str]:
    """What is wrong with the mapping of every table, before any data is looked at."""
    found = []
    for table, mapping in source.tables.mapped().items():
        here = f"source.tables.{table.value}"
        found += [f"{here}.{fault}" for fault in faults_of_table(table, mapping)]
    if source.tables.consents is not None and source.assumed_consents:
        found.append(
            "source.assumed_consents: a consents table is mapped as well; what the data records "
            "cannot be assumed, take one of them out"
        )
    return found


def faults_of_table(table: Table, mapping: TableMapping) -> list[str]:
    """What is wrong with the mapping of one table, each beginning with the key."""
    schema = CANONICAL[table]
    found = []
    for name, column in mapping.columns.items():
        if name not in schema.columns:
            near = nearest(name, schema.columns)
            has = ", ".join(schema.columns)
            found.append(f"columns.{name}: no canonical column{near}; {table.value} has: {has}")
            continue
        found += [
            f"columns.{name}: {fault}"
            for fault in _faults_of_column(name, schema.columns[name], column, mapping)
        ]
    missing = [name for name in schema.needed if name not in mapping.columns]
    if missing:
        found.append(
            f"columns: {', '.join(missing)} must be mapped: a row of {table.value} "
            f"({schema.grain}) cannot be used without"
        )
    found += [
        f"one_per: {name} is no mapped column{nearest(name, mapping.columns)}"
        for name in mapping.one_per
        if name not in mapping.columns
    ]
    return found


def _faults_of_column(name: str, kind: str, column: Column, mapping: TableMapping) -> Iterable[str]:
    units = units_of(name)
    if column.value is not None:
        return
    if name.endswith("_cents") and column.unit is None:
        whence = (
            f"unit_price: {column.unit_price}, times: {column.times}"
            if column.unit_price
            else f"from: {', '.join(column.source)}"
        )
        yield (
            "say what the number counts: "
            f"{{{whence}, unit: currency}} for 12.34, or unit: cents for 1234"
        )
    elif column.unit is not None and column.unit not in units:
        known = f"must be one of {', '.join(units)}" if units else "this column has no unit"
        yield f"unit == {column.unit!r}: {known}"
    if column.unit_price is not None and not name.endswith("_cents"):
        yield "unit_price makes an amount of money; use `from` here"
    if column.times is not None and column.times not in mapping.columns:
        yield f"times: {column.times} is no mapped column{nearest(column.times, mapping.columns)}"
    if column.negate and not is_number(kind):
        yield "negate is for numbers"
    if column.format and kind not in ("TIMESTAMP", "DATE") and name != "birth_year":
        yield "format is for days and times"
    if names_zone(column.format) and not all(names_zone((one,)) for one in column.format):
        yield "either all formats name the zone (%z) or none"


def faults_of_data(
    table: Table, mapping: TableMapping, columns_of: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Which columns that the mapping reads are not in the data.

    Parameters
    ----------
    table, mapping
        The canonical table and what feeds it.
    columns_of
        The columns of each file (or database table), by the name that people call it.

    Returns
    -------
    list of str
        One line for all files that lack the same columns, with the nearest name and the remedy.

    """
    lacking: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for name, found in columns_of.items():
        missing = tuple(wanted for wanted in needed_columns(mapping) if wanted not in found)
        if missing:
            lacking.setdefault((missing, tuple(found)), []).append(name)
    out = []
    for (missing, has), names in lacking.items():
        where = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if len(has) == 1 and any(mark in has[0] for mark in _FOUND_DELIMITERS):
            out.append(
                f"{where}: the lines are not split, the only column is {has[0]!r}. "
                f"Set the delimiter under source.tables.{table.value}.delimiter"
            )
            continue
        if len(missing) == 1:
            near = nearest(missing[0], has).replace("; did", " Did")
            wanted = f"{missing[0]!r}; has: {', '.join(has)}.{near}"
        else:
            pairs = [(one, nearest(one, has).partition("mean ")[2][:-1]) for one in missing]
            hints = ", ".join(f"{near} for {one!r}" for one, near in pairs if near)
            wanted = ", ".join(map(repr, missing)) + f"; has: {', '.join(has)}."
            wanted += f" Did you mean {hints}?" if hints else ""
        plural = "s" * (len(missing) > 1)
        pronoun = "them" if plural else "it"
        out.append(
            f"{where}: no column{plural} {wanted} "
            f"Map {pronoun} under source.tables.{table.value}.columns"
        )
    return out
