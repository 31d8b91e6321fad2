"""Which module reads which kind of source: the one place that a new source is named in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkt_models.engine import Connection
from mkt_models.source_params import Source
from mkt_models.sources import complete_journey, simulator
from mkt_models.sources.canonical import Rule


@dataclass(frozen=True)
class Origin:
    """A kind of source.

    Attributes
    ----------
    extract
        Writes the canonical tables to a folder and returns where they come from; see
        :func:`mkt_models.sources.complete_journey.extract`.
    traps
        The cleaning rules that are peculiar to it.
    package
        The package that carries its data; None where the user gives the data.

    """

    extract: Callable[[Connection, Any, int, Path], dict[str, object]]
    traps: tuple[Rule, ...] = ()
    package: str | None = None


ORIGINS: Mapping[str, Origin] = {
    "complete_journey": Origin(
        complete_journey.extract, complete_journey.TRAPS, complete_journey.PACKAGE
    ),
    "simulator": Origin(simulator.extract),
}


def extract(con: Connection, source: Source, seed: int, folder: Path) -> dict[str, object]:
    """Write the canonical tables of a source to ``folder``; return where they come from."""
    return ORIGINS[source.kind].extract(con, source, seed, folder)
