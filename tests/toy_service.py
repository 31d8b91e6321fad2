"""A BentoML store with the toy models and the toy snapshot that they scored."""

from pathlib import Path

from toy_models import save_toy, toy
from toy_snapshot import write_toy_snapshot

from mkt_models.columns import SCORING_MODELS
from mkt_models.loading import load_params
from mkt_models.models import registry
from mkt_models.models.snapshot import save_snapshot

ROOT = Path(__file__).parents[1]


def fill_store(home: Path) -> None:
    """Save three released models and a snapshot into the store at ``home``."""
    scorers = {}
    for model in SCORING_MODELS:
        scorers[model] = registry.load(save_toy(toy(model), home), home)
    database = home / "snapshot.sqlite"
    write_toy_snapshot(database, scorers)
    catalogue = ROOT / "params" / "catalogue.yaml"
    params = load_params(ROOT / "params" / "sample.yaml").model_dump(mode="json")
    save_snapshot(database, catalogue, params=params, home=home)
