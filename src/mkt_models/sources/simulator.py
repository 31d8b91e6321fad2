"""A simulated shop: all canonical tables of any number of customers, and a truth that is known.

What it is made of, and by which equations: ``docs/simulator.md``. The truth goes to a folder
``truth`` beside the folder of the data. No source and no stage reads it; it is for judging what a
workflow found.
"""

import hashlib
from pathlib import Path

from mkt_models import __version__
from mkt_models.engine import DuckDB
from mkt_models.simulation.generate import generate
from mkt_models.source_params import Simulator
from mkt_models.sources.schemas import SCHEMAS

TRUTH = "truth"


def extract(con: DuckDB, source: Simulator, seed: int, folder: Path) -> dict[str, object]:
    """Simulate the shop and write its canonical tables to ``folder``.

    Parameters
    ----------
    con
        An open engine; not needed here.
    source
        Size, days and strengths of what is planted.
    seed
        Seed of every draw; the same seed and parameters give the same bytes.
    folder
        Where ``<table>.parquet`` is written. The truth goes to ``truth`` beside it.

    Returns
    -------
    dict
        Origin of the data for the run's manifest: the version that simulated it, and SHA-256 and
        number of rows of each table.

    """
    rows = generate(source, seed, SCHEMAS, folder, folder.parent / TRUTH)
    files = {name: {"sha256": _digest(folder, name), "rows": n} for name, n in rows.items()}
    return {"kind": source.kind, "version": __version__, "files": files}


def _digest(folder: Path, table: str) -> str:
    with (folder / f"{table}.parquet").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
