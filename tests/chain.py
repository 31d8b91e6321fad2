"""From canonical tables to tags on any engine: what the stages 02 and 03 do, for tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from mkt_models.cleaning import CleaningReport, clean
from mkt_models.engine import Connection, connect, register
from mkt_models.loading import load_params
from mkt_models.params import Engine, Params
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.features import features_at, prepare_orders
from mkt_models.profiles.profile import build_profiles
from mkt_models.profiles.tag_catalogue import load_tag_catalogue
from mkt_models.sources.read import extract

ROOT = Path(__file__).parents[1]
SMALL = Engine(memory_limit_gb=1, threads=1)


# Real households, and a simulated shop that has every table and planted dirt.
HOUSEHOLDS: tuple[str, Mapping[str, object]] = ("complete_journey.yaml", {"source.households": 200})
SIMULATED: tuple[str, Mapping[str, object]] = ("demo.yaml", {"source.customers": 200})
COMPUTED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Chain:
    """What a run of the chain has made."""

    folder: Path
    report: CleaningReport
    features: pd.DataFrame
    profiles: pd.DataFrame
    tags: pd.DataFrame


def sample(folder: Path, of: tuple[str, Mapping[str, object]]) -> Params:
    """Write the canonical tables of a parameter file, with some keys changed, to ``folder/raw``."""
    params = load_params(ROOT / "params" / of[0], of[1])
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
    features = features_at(con, [as_of - timedelta(days=180), as_of])
    today = features[features["as_of"] == pd.Timestamp(as_of)].reset_index(drop=True)
    catalogue = load_tag_catalogue(ROOT / "params" / params.profile.tags)
    table = build_profiles(
        con,
        today,
        params.profile,
        catalogue,
        Exclusions.of(params.mining),
        computed_at=COMPUTED_AT,
    )
    return Chain(folder, report, features, table.profiles, table.tags)
