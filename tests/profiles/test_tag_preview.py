"""What edited tags would do to the small shop of conftest.py, against a run that did it."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from mkt_models.loading import load_params, validate
from mkt_models.profiles.features import features_at
from mkt_models.profiles.profile import build_profiles
from mkt_models.profiles.tag_catalogue import TagCatalogue, load_tag_catalogue
from mkt_models.profiles.tag_preview import Change, preview, preview_text

ROOT = Path(__file__).parents[2]
AS_OF = date(2017, 7, 1)
TAGS = load_tag_catalogue(ROOT / "params" / "tags.yaml")
RULES = load_params(ROOT / "params" / "complete_journey.yaml").profile.model_copy(
    update={"as_of": AS_OF}
)


@pytest.fixture(scope="module")
def shop(write_shop: Callable[[], Any]) -> Any:
    return write_shop()


@pytest.fixture(scope="module")
def last_run(shop: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("profile")
    features = features_at(shop, [AS_OF])
    table = build_profiles(shop, features, RULES, TAGS)
    features.to_parquet(folder / "features.parquet")
    table.profiles.to_parquet(folder / "profiles.parquet")
    table.tags.to_parquet(folder / "tags.parquet")
    (folder / "available.json").write_text(json.dumps(table.available))
    return folder


def edited(change: Callable[[Mapping[str, Any]], None]) -> TagCatalogue:
    data = yaml.safe_load((ROOT / "params" / "tags.yaml").read_text())
    change({tag["id"]: tag for family in data["families"] for tag in family["tags"]})
    return validate(TagCatalogue, data, "tags.yaml")


def test_without_an_edit_nothing_changes(last_run: Path):
    found = preview(last_run, TAGS)
    assert found is not None
    assert (found.customers, found.as_of, found.changes) == (3, AS_OF, ())


def test_there_is_nothing_to_compare_with_before_the_first_run(tmp_path: Path):
    assert preview(tmp_path, TAGS) is None


@pytest.mark.parametrize(
    "conditions",
    [
        [{"column": "orders_365d", "op": ">=", "value": 7}],
        [{"column": "orders_365d", "op": ">=", "value": 1}],
        [{"column": "amount_365d", "op": ">=", "quantile": 0.5}],
        [{"column": "preferred_day_part", "op": "==", "value": "morning"}],
    ],
)
def test_an_edit_hits_as_many_as_the_next_run(
    shop: Any, last_run: Path, conditions: list[dict[str, Any]]
):
    def change(tags: Mapping[str, Any]) -> None:
        tags["night_owl"].update(conditions=conditions, min_orders=0, evidence=[])
        tags["night_owl"].pop("strength", None)

    catalogue = edited(change)
    found = preview(last_run, catalogue)
    ran = build_profiles(shop, features_at(shop, [AS_OF]), RULES, catalogue).tags
    n = int((ran["tag"] == "night_owl").sum())
    assert found is not None
    assert n > 0
    assert found.changes == (Change("night_owl", 0, n),)
    assert ("night_owl" in found.of_everybody) == (n == 3)
    assert f"night_owl  0 -> {n}" in preview_text(found)


def test_a_tag_that_nobody_would_have_is_named_but_not_for_want_of_data(last_run: Path):
    found = preview(last_run, TAGS)
    assert found is not None
    assert "night_owl" in found.of_nobody
    assert "cart_abandoner" not in found.of_nobody
    assert "nobody would have: " in preview_text(found)
