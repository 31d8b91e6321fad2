"""A look at the data before anything runs: what is there, what is wrong, what will be missing.

The tables are extracted into a folder of their own, which is thrown away: a few seconds for a
million lines. Of large files a sample is read, their first and last lines, and a simulated shop is
made small; then rows are estimates, and marked so.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mkt_models.columns import Table
from mkt_models.engine import connect, literal
from mkt_models.params import Params
from mkt_models.source_params import Files, Simulator, Source
from mkt_models.sources import files, unreadable
from mkt_models.sources.canonical import SourceError
from mkt_models.sources.dates import DateFaults, check_dates
from mkt_models.sources.facts import (
    Span,
    TableFacts,
    UnknownWords,
    facts,
    oddities,
    span,
    unknown_words,
)
from mkt_models.sources.mapped_tables import Loaded, load
from mkt_models.sources.mapping import faults
from mkt_models.sources.needs import Need, not_available
from mkt_models.sources.read import extract
from mkt_models.sources.vocabularies import VOCABULARIES

SAMPLE_BYTES = 100_000_000  # of the files of a table: more are sampled
_SAMPLE_CUSTOMERS = 500  # of a simulated shop


@dataclass
class Findings:
    """What a look at the data found.

    Attributes
    ----------
    tables
        What each canonical table holds, of what was read.
    loaded
        Of a source of files: how each table was read.
    share
        The share of the data that was read; below 1 the rows are estimates.
    errors
        What must be mended before a run.
    warnings
        What is worth knowing.
    dates
        What is wrong with the dates of the parameters.
    lacking
        What will not be available, by dimension or model.

    """

    tables: list[TableFacts] = field(default_factory=list)
    loaded: dict[Table, Loaded] = field(default_factory=dict)
    share: float = 1.0
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dates: DateFaults = field(default_factory=DateFaults)
    lacking: dict[str, list[Need]] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """All errors, those of the dates last."""
        return [*self.errors, *self.dates.errors]


def look(params: Params, source: Source, sample_bytes: int = SAMPLE_BYTES) -> Findings:
    """Look at the data of a run, and at whether its dates lie inside.

    Parameters
    ----------
    params
        The run's parameters.
    source
        Their source, with absolute paths.
    sample_bytes
        Files of a table that are larger together are sampled.

    """
    found = Findings()
    with tempfile.TemporaryDirectory(prefix="mkt-check-") as name:
        folder = Path(name)
        with connect(params.engine, folder / "spill") as con:
            raw = folder / "raw"
            if isinstance(source, Files):
                found.errors += faults(source)
                loaded, wrong = load(con, source, folder / "scratch", sample_bytes)
                found.loaded = {one.table: one for one in loaded}
                found.errors += wrong
                for one in loaded:
                    limit = source.max_unreadable_share
                    found.errors += unreadable.too_much(one.table, one.counts, limit)
                if Table.TRANSACTIONS in found.loaded:
                    files.write(con, source, loaded, raw)
                    found.share = found.loaded[Table.TRANSACTIONS].share
            else:
                if isinstance(source, Simulator) and source.customers > _SAMPLE_CUSTOMERS:
                    found.share = _SAMPLE_CUSTOMERS / source.customers
                    source = source.model_copy(update={"customers": _SAMPLE_CUSTOMERS})
                try:
                    extract(con, source, params.seed, raw)
                except SourceError as error:
                    found.errors += str(error).splitlines()
            if not raw.is_dir():
                return found
            found.tables = facts(con, raw, source.time_zone)
            if isinstance(source, Files):
                for words in unknown_words(con, raw):
                    _tell_words(words, params.cleaning.max_quarantined_share, found)
            lines = next((t for t in found.tables if t.table is Table.TRANSACTIONS), None)
            if lines is not None:
                found.warnings += oddities(con, raw, sorted(lines.given))
                path = literal(raw / "transactions.parquet")
                _compare_dates(params, span(con, f"read_parquet({path})", source.time_zone), found)
    found.lacking = not_available({t.table: t.given for t in found.tables if t.rows})
    return found


def _tell_words(words: UnknownWords, most: float, found: Findings) -> None:
    """Say that cleaning would not know some words; a fault where it would end the run."""
    where = f"source.tables.{words.table.value}.columns.{words.column}"
    known = ", ".join(VOCABULARIES[words.table][words.column].known)
    told = (
        f"{where}: {words.rows:,} of {words.given:,} ({words.share:.1%}) have a word that is none "
        f"of {known}: {', '.join(map(repr, words.words))}. Say what it means: "
        f"{{from: …, values: {{{words.words[0]}: {known.partition(',')[0]}}}}}"
    )
    if words.table is Table.TRANSACTIONS and words.share > most:
        found.errors.append(f"{told}; cleaning would set these lines aside")
    else:
        found.warnings.append(f"{told}; until then such rows are set aside or count for nothing")


def _compare_dates(params: Params, days: Span, found: Findings) -> None:
    if days.first is None or days.last is None:
        found.errors.append("transactions: no line has a time, so nothing can be dated")
        return
    if days.strays:
        found.warnings.append(
            f"{days.strays:,} order lines are dated far away from all others, which reach from "
            f"{days.first} to {days.last}"
        )
    found.dates = check_dates(params, days.first, days.last)
    if found.share < 1 and found.dates.errors:
        found.dates.warnings += [
            f"{error} (as far as the sample tells)" for error in found.dates.errors
        ]
        found.dates.errors.clear()
    found.warnings += found.dates.warnings


def unused_columns(source: Files, loaded: Sequence[Loaded]) -> dict[Table, list[str]]:
    """Of each table that reads data of its own: the columns that no table takes anything from."""
    taken: dict[Table, set[str]] = {}
    mapped = source.tables.mapped()
    for table, mapping in mapped.items():
        names = {name for column in mapping.columns.values() for name in column.source}
        names |= {column.unit_price for column in mapping.columns.values() if column.unit_price}
        taken.setdefault(mapping.from_table or table, set()).update(names)
    return {
        one.table: [
            name
            for name in one.found
            if not any(path == name or path.startswith(f"{name}.") for path in taken[one.table])
        ]
        for one in loaded
        if mapped[one.table].from_table is None
    }
