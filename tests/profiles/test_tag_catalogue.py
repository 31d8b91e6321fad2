"""The catalogue that a marketer edits: what is in it, and every fault with file, key and remedy."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mkt_models.loading import ParamsError
from mkt_models.profiles.described import PROFILE_COLUMNS
from mkt_models.profiles.tag_catalogue import SETS, Tag, TagCatalogue, load_tag_catalogue

FILE = Path(__file__).parents[2] / "params" / "tags.yaml"
TAGS = load_tag_catalogue(FILE)


def test_the_families_of_the_issue_are_there():
    families = {family.id: {tag.id for tag in family.tags} for family in TAGS.families}
    assert families["habit"] == {"impulse_buyer", "careful_spender", "rational_consumer"}
    assert families["power"] == {"affluent", "middle_class", "ordinary"}
    assert {"sports", "gourmet", "anime", "home", "beauty", "outdoors", "digital"} <= families[
        "interest"
    ]
    assert {
        "night_owl",
        "weekend_shopper",
        "window_shopper",
        "promotion_hunter",
        "mobile_first",
    } <= (families["behaviour"])
    assert families["social"] == {"influencer", "active_sharer"}
    assert {len(families[name]) for name in ("stage", "value", "risk")} == {4, 3}


def test_every_name_is_told_in_both_languages():
    for family, tag in TAGS.tags().values():
        assert re.search("[\u4e00-\u9fff]", tag.name.zh)
        assert re.search("[\u4e00-\u9fff]", family.name.zh)
        assert tag.name.en.isascii()
    zh = {tag.name.zh for _, tag in TAGS.tags().values()}
    assert {"剁手党", "精打细算族", "理性消费者", "二次元爱好者", "运动达人", "美食家",
            "高净值人群", "中产阶级", "普通消费者"} <= zh  # fmt: skip


def test_what_tells_of_a_family_is_private_and_rests_on_what_was_said():
    private = [tag for _, tag in TAGS.tags().values() if tag.private]
    assert [tag.id for tag in private] == ["parenting_topics"]
    assert all(tag.interest and not tag.interest.words for tag in private)


def test_a_version_changes_with_the_rule_and_not_with_the_name():
    _, tag = TAGS.tags()["night_owl"]
    renamed = Tag.model_validate(tag.model_dump() | {"name": {"en": "Owl", "zh": "猫头鹰"}})
    stricter = Tag.model_validate(tag.model_dump() | {"min_orders": 9})
    assert renamed.version == tag.version != stricter.version


def edited(tmp_path: Path, change: Any) -> Path:
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    change({family["id"]: family for family in data["families"]}, data)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def condition(**cells: Any) -> Any:
    """Change the first condition of the night owl."""

    def change(families: dict[str, Any], _: Any) -> None:
        tag = families["behaviour"]["tags"][0]
        tag["conditions"][0] = {"column": "night_share", "op": ">=", "value": 0.2} | cells

    return change


def tag(**cells: Any) -> Any:
    return lambda families, _: families["behaviour"]["tags"][0].update(cells)


def family(name: str, **cells: Any) -> Any:
    return lambda families, _: families[name].update(cells)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (condition(column="nigth_share"), "did you mean 'night_share'?"),
        (condition(op="has"), "'has' does not apply"),
        (condition(op="=>"), "conditions.0.op"),
        (condition(value=20), "night_share >= 20 can never, or always, hold"),
        (condition(column="orders_90d", op="<", value=0), "can never, or always, hold"),
        (condition(value=None, quantile=1.5), "less than or equal to 1"),
        (condition(quantile=0.5), "give either value or quantile"),
        (condition(value="often"), "must be a number"),
        (condition(column="risk_tier", op="==", value="hihg"), "did you mean 'high'?"),
        (condition(column="gender", op="==", value="f"), "'gender' is a sensitive column"),
        (condition(column="spending_habit", op="==", value="careful_spender"), "is no column"),
        (condition(vlaue=1), "unknown key; did you mean 'value'?"),
        (tag(name={"en": "Night owl"}), "name.zh: missing"),
        (tag(conditions=[{"column": "night_share", "op": ">", "value": 0.5},
                         {"column": "night_share", "op": "<", "value": 0.2}]), "nobody can have"),
        (tag(conditions=[]), "everybody would have it"),
        (tag(evidence=["orders"]), "evidence: 'orders' is no column"),
        (tag(index={"orders_90d": "more"}), "when a condition asks it, and only then"),
        (tag(interest={"words": ["WINE"]}), "interest: give it when"),
        (tag(allow_sensitive=[{"column": "gender", "reason": "because we always did so here"}]),
         "allow_sensitive names 'gender'"),
        (tag(private=True), "a private tag rests only on what customers say openly"),
        (tag(id="sports"), "the id 'sports' is taken twice"),
        (family("value", sets="value_teir"), "did you mean 'value_tier'?"),
        (family("value", choose="any"), "'low_value' has no conditions"),
        (family("stage", choose="some"), "families.stage.choose"),
    ],
)  # fmt: skip
def test_a_fault_names_the_file_the_key_and_the_remedy(tmp_path: Path, change: Any, message: str):
    path = edited(tmp_path, change)
    with pytest.raises(ParamsError, match=re.escape(message)) as caught:
        load_tag_catalogue(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "families" in str(caught.value)


@pytest.mark.parametrize(
    "interest",
    [{"words": ["BABY FOODS"]}, {"words": ["Nappies"]}, {"words": ["WINE"]},
     {"topics": ["parenting"]}],
)  # fmt: skip
def test_private_life_is_not_guessed_for_all_to_see(tmp_path: Path, interest: dict[str, list[str]]):
    words = {"interest": interest,
             "conditions": [{"column": "interest_points", "op": ">=", "value": 1}]}  # fmt: skip
    with pytest.raises(ParamsError, match="guess at a person's private life"):
        load_tag_catalogue(edited(tmp_path, tag(**words)))


def test_the_last_of_exactly_one_is_for_everybody_else(tmp_path: Path):
    def change(families: dict[str, Any], _: Any) -> None:
        families["value"]["tags"].reverse()

    with pytest.raises(ParamsError, match="the last tag, 'high_value', must have no conditions"):
        load_tag_catalogue(edited(tmp_path, change))


def test_a_sensitive_column_with_a_reason_is_allowed(tmp_path: Path):
    def change(families: dict[str, Any], _: Any) -> None:
        tag = families["behaviour"]["tags"][0]
        tag["conditions"].append({"column": "age_band", "op": "==", "value": "19-24"})
        tag["allow_sensitive"] = [{"column": "age_band", "reason": "students asked for a tag so"}]

    assert load_tag_catalogue(edited(tmp_path, change)).digest != TAGS.digest


def test_columns_that_decisions_read_are_set_once():
    assert (
        {family.sets for family in TAGS.families if family.sets}
        == set(SETS)
        <= set(PROFILE_COLUMNS)
    )
    with pytest.raises(ValueError, match="value_tier is set by 0 families, must be one"):
        TagCatalogue(families=tuple(f for f in TAGS.families if f.sets != "value_tier"))
