"""Which module reads which kind of source: the one place that a new source is named in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from mkt_models.engine import DuckDB
from mkt_models.source_params import Source
from mkt_models.sources import complete_journey, files, mapping, simulator
from mkt_models.sources.canonical import Rule
from mkt_models.sources.pseudonyms import NO_PROTECTION, Protection, protected


def _nothing(source: Source) -> list[Any]:
    return []


def _unchanged(source: Source) -> str:
    return ""


@dataclass(frozen=True)
class Origin:
    """A kind of source. What it is asked about has absolute paths (:meth:`Source.at`).

    Attributes
    ----------
    extract
        Writes the canonical tables to a folder and returns where they come from; see
        :func:`mkt_models.sources.complete_journey.extract`. ``about`` in what it returns says
        what the data is, and its licence, in a sentence for the reports.
    traps
        The cleaning rules that are peculiar to it.
    package
        The package that carries its data; None where the user gives the data.
    data_files
        The files of the user that it reads.
    version
        A text that changes when its data does, where that is seen by no file.
    faults
        What is wrong with its parameters, before any data is looked at.

    """

    extract: Callable[[DuckDB, Any, int, Path], dict[str, object]]
    traps: tuple[Rule, ...] = ()
    package: str | None = None
    data_files: Callable[[Any], list[Path]] = _nothing
    version: Callable[[Any], str] = _unchanged
    faults: Callable[[Any], list[str]] = _nothing


ORIGINS: Mapping[str, Origin] = {
    "complete_journey": Origin(
        complete_journey.extract, complete_journey.TRAPS, complete_journey.PACKAGE
    ),
    "simulator": Origin(simulator.extract),
    "files": Origin(
        files.extract,
        data_files=files.data_files,
        version=files.version,
        faults=mapping.faults,
    ),
}


def extract(
    con: DuckDB,
    source: Source,
    seed: int,
    folder: Path,
    protection: Protection = NO_PROTECTION,
) -> dict[str, object]:
    """Write the canonical tables of a source to ``folder``; return where they come from.

    With a ``protection`` the ids are pseudonyms, and customers who were forgotten are left out.
    """

    def write(to: Path) -> dict[str, object]:
        return ORIGINS[source.kind].extract(con, source, seed, to)

    return protected(con, protection, write, folder)


def data_files(source: Source) -> list[Path]:
    """The data files that a source reads, of its package or of the user; those that are there."""
    origin = ORIGINS[source.kind]
    if origin.package is None:
        return origin.data_files(source)
    try:
        listed = metadata.files(origin.package) or []
    except metadata.PackageNotFoundError:
        return []
    return sorted(Path(str(f.locate())) for f in listed if f.suffix in {".parquet", ".csv"})


def data_version(source: Source) -> str:
    """A text that changes when the data of a source does: its package's version, a fingerprint."""
    origin = ORIGINS[source.kind]
    if origin.package is None:
        return origin.version(source)
    try:
        return metadata.version(origin.package)
    except metadata.PackageNotFoundError:
        return "not installed"


def faults(source: Source) -> list[str]:
    """What is wrong with the parameters of a source, before any data is looked at."""
    return ORIGINS[source.kind].faults(source)
