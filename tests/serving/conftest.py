"""One service that is built from the toy models and the toy snapshot, and started."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_models import toy
from toy_snapshot import write_toy_snapshot

from mkt_models.columns import SCORING_MODELS
from mkt_models.loading import load_params
from mkt_models.models import registry
from mkt_models.packaging import Server, build, running

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def toy_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BentoML store with three toy models and a snapshot that they scored."""
    home = tmp_path_factory.mktemp("bentoml")
    scorers = {}
    for model in SCORING_MODELS:
        tag = registry.save(toy(model), params={}, data_hash="toy", metrics={}, home=home)
        scorers[model] = registry.load(tag, home)
    database = home / "snapshot.sqlite"
    write_toy_snapshot(database, scorers)
    catalogue = ROOT / "params" / "catalogue.yaml"
    params = load_params(ROOT / "params" / "sample.yaml").model_dump(mode="json")
    registry.save_snapshot(database, catalogue, params=params, home=home)
    return home


@pytest.fixture(scope="session")
def bento(toy_home: Path) -> str:
    """The tag of a bento built from the toy models."""
    return build(ROOT, toy_home)


@pytest.fixture(scope="session")
def server(toy_home: Path, bento: str) -> Iterator[Server]:
    """The toy bento, running without a key."""
    with running(toy_home, bento) as found:
        yield found
