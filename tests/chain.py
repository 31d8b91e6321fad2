"""From canonical tables to tags on any engine: what the stages 02 and 03 do, for tests."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from mkt_models.cleaning.clean_tables import CleaningReport, clean
from mkt_models.engine import Connection, connect, register
from mkt_models.loading import load_params
from mkt_models.params import Engine, Params
from mkt_models.profiles.features import features_at, prepare_orders
from mkt_models.profiles.profile import build_profiles
from mkt_models.sources.read import extract

ROOT = Path(__file__).parents[1]
SMALL = Engine(memory_limit_gb=1, threads=1)


@dataclass(frozen=True)
class Chain:
    """What a run of the chain has made."""

    folder: Path
    report: CleaningReport
    features: pd.DataFrame
    profiles: pd.DataFrame


def sample(folder: Path, households: int) -> Params:
    """Write the canonical tables of so many households to ``folder/raw``."""
    params = load_params(
        ROOT / "params" / "complete_journey.yaml", {"source.households": households}
    )
    with connect(SMALL, folder / "spill") as con:
        extract(con, params.source, params.seed, folder / "raw")
    return params


def run_chain(con: Connection, params: Params, raw: Path, folder: Path) -> Chain:
    """Clean the tables of ``raw``, and describe their customers, on one engine."""
    as_of = params.profile.as_of
    report = clean(
        con, params.source, params.cleaning, as_of, raw, folder / "clean", folder / "quarantine"
    )
    register(con, folder / "clean")
    prepare_orders(con)
    features = features_at(con, [date(2017, 7, 1), as_of])
    today = features[features["as_of"] == pd.Timestamp(as_of)].reset_index(drop=True)
    table = build_profiles(con, today, params.profile)
    return Chain(folder, report, features, table.profiles)
