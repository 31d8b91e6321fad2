"""The registry: what is saved comes back, in the store that was named and in no other."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_models import RELEASED, save_toy, toy_facts

from mkt_models.columns import SCORING_MODELS, ModelStatus
from mkt_models.models import registry
from mkt_models.models.card import Facts, ModelCard, Standing, Words
from mkt_models.models.conformal import PredictionIntervals
from mkt_models.models.scorer import Scorer
from mkt_models.models.signature import sealed


def test_a_scorer_comes_back_as_it_was(tmp_path: Path, churn: Scorer) -> None:
    tag = registry.save(churn, toy_facts(churn), tmp_path)
    again = registry.load(tag, tmp_path)
    assert tag == f"mkt-churn:{again.version}"
    assert again.tag == f"churn:{again.version}"
    assert again.words == {feature: dict(words) for feature, words in churn.words.items()}
    rows = np.array([[80, 1, np.nan], [2, 25, 0.5]], dtype=np.float32)
    np.testing.assert_array_equal(again.predict(rows), churn.predict(rows))
    assert again.reasons(rows) == churn.reasons(rows)


def test_intervals_come_back_as_they_were(tmp_path: Path, value: Scorer) -> None:
    intervals = PredictionIntervals((40.0,), (0.1, 0.5), (3.0, 2.0), 0.8, 500)
    saved = replace(value, intervals=intervals)
    tag = registry.save(saved, toy_facts(saved), tmp_path)
    assert registry.load(tag, tmp_path).intervals == intervals
    assert registry.save(value, toy_facts(value), tmp_path) != tag  # other contents, another model


def test_the_origin_is_kept(tmp_path: Path, churn: Scorer) -> None:
    model = registry.find(registry.save(churn, toy_facts(churn), tmp_path), tmp_path)
    kept = model.info.metadata
    assert kept["parameters"] == {"seed": 1, "first": "2017-04-10"}
    assert kept["figures"][0]["value"] == 0.85712346  # eight significant digits
    assert "upper" not in kept["figures"][0]
    assert kept["trained"]["data_hash"] == "toy"
    assert kept["features"] == list(churn.features)
    assert not list(Path(model.path).rglob("*.pkl"))


def test_the_card_is_the_beginning_of_the_version_and_comes_back(
    tmp_path: Path, churn: Scorer
) -> None:
    facts = toy_facts(churn)
    tag = registry.save(churn, facts, tmp_path)
    card = registry.read_card(registry.find(tag, tmp_path))
    assert card.facts == facts
    assert tag == f"mkt-churn:{card.version}"
    assert card.signature.startswith(card.version)
    assert card.standing == Standing()
    assert ModelCard.model_validate(json.loads(json.dumps(card.as_dict()))) == card


def test_figures_that_differ_in_the_last_digits_are_one_version(
    tmp_path: Path, churn: Scorer
) -> None:
    facts = toy_facts(churn)
    moved = facts.figures[0].model_copy(update={"value": 0.857123456789 + 1e-12})
    again = Facts.model_validate({**facts.model_dump(), "figures": (moved.model_dump(),)})
    first = registry.save(churn, facts, tmp_path)
    assert registry.save(churn, again, tmp_path) == first
    other = toy_facts(churn, rows=401)
    assert registry.save(churn, other, tmp_path) != first


def test_a_standing_of_before_is_read_as_it_was_sealed(tmp_path: Path, churn: Scorer) -> None:
    tag = registry.save(churn, toy_facts(churn), tmp_path)
    card = registry.set_standing(tag, RELEASED, tmp_path)
    kept = RELEASED.model_dump(mode="json") | {"verdict_reasons": ["within"]}
    path = Path(registry.find(tag, tmp_path).path_of(registry.STANDING))
    path.write_bytes(sealed(kept, card.signature))
    standing = registry.read_card(registry.find(tag, tmp_path)).standing
    assert standing.verdict_reasons == (Words(en="within", zh="within"),)
    path.write_bytes(path.read_bytes().replace(b"within", b"beyond"))
    with pytest.raises(registry.RegistryError, match=r"standing\.json was changed"):
        registry.read_card(registry.find(tag, tmp_path))


def test_a_standing_stays_when_the_same_model_is_saved_again(tmp_path: Path, churn: Scorer) -> None:
    tag = registry.save(churn, toy_facts(churn), tmp_path)
    said = str(registry.refusal(registry.find(tag, tmp_path)))
    assert "which this service was given, has not been judged yet, so it is not served" in said
    # A challenger that was not better does not say that there is no champion.
    kept = Words(en="not shown to be better than a1, which stays", zh="未显示优于 a1")
    refused = Standing(status=ModelStatus.REFUSED, reason=kept)
    registry.set_standing(tag, refused, tmp_path)
    said = str(registry.refusal(registry.find(tag, tmp_path)))
    assert said.endswith("which this service was given, was not released: " + kept.en)
    assert registry.set_standing(tag, RELEASED, tmp_path).released
    assert registry.refusal(registry.find(tag, tmp_path)) is None
    assert registry.save(churn, toy_facts(churn), tmp_path) == tag
    assert registry.read_card(registry.find(tag, tmp_path)).standing == RELEASED


def test_a_changed_model_is_mended_by_training_it_again(tmp_path: Path, churn: Scorer) -> None:
    tag = save_toy(churn, tmp_path)
    Path(registry.find(tag, tmp_path).path_of(registry.TREES)).write_bytes(b"other")
    assert registry.save(churn, toy_facts(churn), tmp_path) == tag
    assert not registry.read_card(registry.find(tag, tmp_path)).released


def test_a_card_of_another_model_is_not_kept(tmp_path: Path, churn: Scorer, value: Scorer) -> None:
    with pytest.raises(ValueError, match="card of value does not fit churn"):
        registry.save(churn, toy_facts(value), tmp_path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, churn: Scorer) -> tuple[str, Path]:
    """A released model in a store of its own; who changes a file puts it back."""
    home = tmp_path_factory.mktemp("kept")
    return save_toy(churn, home), home


@pytest.mark.parametrize("name", [*registry.SIGNED, registry.SIGNATURE, registry.STANDING])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=15, deadline=None)
def test_a_changed_bit_names_file_and_model(
    kept: tuple[str, Path], name: str, place: float, bit: int
) -> None:
    tag, home = kept
    model = registry.find(tag, home)
    path = Path(model.path_of(name))
    before = path.read_bytes()
    content = bytearray(before)
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(bytes(content))
    try:
        with pytest.raises(registry.RegistryError, match=f"{tag}: {name} was changed"):
            registry.read_card(model)
        with pytest.raises(registry.RegistryError, match=name):
            registry.refusal(model)
        if name != registry.STANDING:
            with pytest.raises(registry.RegistryError, match=name):
                registry.load_files(model)
    finally:
        path.write_bytes(before)


def test_a_status_cannot_be_moved_from_another_model(tmp_path: Path, churn: Scorer) -> None:
    released = registry.find(save_toy(churn, tmp_path), tmp_path)
    other = registry.find(registry.save(churn, toy_facts(churn, rows=7), tmp_path), tmp_path)
    shutil.copy(released.path_of(registry.STANDING), other.path_of(registry.STANDING))
    with pytest.raises(registry.RegistryError, match=r"standing\.json was changed"):
        registry.refusal(other)


def test_equal_contents_are_one_model_and_the_last_saved_is_latest(
    tmp_path: Path, churn: Scorer
) -> None:
    first = registry.save(churn, toy_facts(churn), tmp_path)
    second = registry.save(churn, toy_facts(churn, data_hash="cd34"), tmp_path)
    assert first != second
    assert registry.load("mkt-churn:latest", tmp_path).version == second.split(":")[1]
    assert registry.save(churn, toy_facts(churn), tmp_path) == first
    assert registry.load("mkt-churn:latest", tmp_path).version == first.split(":")[1]
    assert len(list((tmp_path / "models" / "mkt-churn").glob("*/"))) == 2


def test_only_the_named_store_is_touched(
    tmp_path: Path, churn: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "elsewhere"))
    registry.save(churn, toy_facts(churn), tmp_path / "here")
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(registry.RegistryError, match="mkt-churn:latest: not in the store"):
        registry.load("mkt-churn:latest", tmp_path / "other")


def test_a_missing_file_says_so(tmp_path: Path, churn: Scorer) -> None:
    tag = registry.save(churn, toy_facts(churn), tmp_path)
    Path(registry.find(tag, tmp_path).path_of(registry.TREES)).unlink()
    with pytest.raises(registry.RegistryError, match=f"{tag}: trees.ubj is missing"):
        registry.load(tag, tmp_path)


def test_a_chosen_version_can_be_made_the_latest(tmp_path: Path, churn: Scorer) -> None:
    first = save_toy(churn, tmp_path)
    save_toy(churn, tmp_path, data_hash="newer")
    assert registry.make_latest(first, tmp_path) == first
    latest = registry.find("mkt-churn:latest", tmp_path)
    assert f"mkt-churn:{latest.tag.version}" == first
    assert registry.read_card(latest).released


def test_names_of_all_models_that_score() -> None:
    names = [registry.name_of(model) for model in SCORING_MODELS]
    assert names == ["mkt-churn", "mkt-value", "mkt-propensity"]


def test_a_model_that_a_run_does_not_have_is_a_statement(tmp_path: Path, churn: Scorer) -> None:
    registry.save(churn, toy_facts(churn), tmp_path)
    registry.save_absence(churn.name, "the source has no campaigns", tmp_path)
    latest = registry.find("mkt-churn:latest", tmp_path)
    assert registry.absence(latest) == "the source has no campaigns"
    with pytest.raises(registry.RegistryError, match="not readable as a scorer"):
        registry.load("mkt-churn:latest", tmp_path)
    registry.save(churn, toy_facts(churn), tmp_path)
    assert registry.absence(registry.find("mkt-churn:latest", tmp_path)) is None


def test_a_model_of_which_no_version_is_released_is_a_statement(
    tmp_path: Path, churn: Scorer
) -> None:
    refused = registry.find(
        registry.save_refusal(churn.name, "its audit fails", tmp_path), tmp_path
    )
    assert registry.refusal(refused) == "its audit fails"
    assert registry.absence(refused) is None
    absent = registry.find(registry.save_absence(churn.name, "no orders", tmp_path), tmp_path)
    assert registry.refusal(absent) is None
    path = Path(refused.path_of(registry.SCORER))
    path.write_text(path.read_text().replace("fails", "faila"))
    with pytest.raises(registry.RegistryError, match=r"scorer\.json was changed"):
        registry.refusal(refused)
