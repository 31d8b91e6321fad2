"""The snapshot: its files come back, and a changed one is seen."""

import json
from pathlib import Path

import pytest

from mkt_models.models import registry
from mkt_models.models.snapshot import SNAPSHOT_FILES, check_snapshot, save_snapshot


def test_a_snapshot_holds_its_files(tmp_path: Path) -> None:
    database, catalogue = tmp_path / "a.sqlite", tmp_path / "b.yaml"
    database.write_bytes(b"rows")
    catalogue.write_text("strategies: []")
    tag = save_snapshot(database, catalogue, params={"k": 3}, home=tmp_path)
    model = registry.find(tag, tmp_path)
    assert model.tag.name == "mkt-snapshot"
    files = {p.name for p in Path(model.path).iterdir()} - {"model.yaml"}
    assert files == set(SNAPSHOT_FILES)
    assert Path(model.path_of("snapshot.sqlite")).read_bytes() == b"rows"
    assert json.loads(Path(model.path_of("params.json")).read_text()) == {"k": 3}
    check_snapshot(model)
    Path(model.path_of("snapshot.sqlite")).write_bytes(b"rowz")
    with pytest.raises(registry.RegistryError, match=r"mkt-snapshot:.*snapshot\.sqlite.*changed"):
        check_snapshot(model)
