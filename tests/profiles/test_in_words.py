"""One customer's page: eight dimensions in both languages, and no name of a column in it."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from mkt_models.columns import Dimension
from mkt_models.loading import load_params
from mkt_models.profiles.described import PROFILE_COLUMNS
from mkt_models.profiles.in_words import (
    customer_page,
    profile_in_words,
    tags_in_words,
    value_in_words,
)
from mkt_models.profiles.profile import ProfileTable, build_profiles
from mkt_models.profiles.tag_catalogue import load_tag_catalogue

PARAMS = Path(__file__).parents[2] / "params"
TAGS = load_tag_catalogue(PARAMS / "tags.yaml")
RULES = load_params(PARAMS / "complete_journey.yaml").profile.model_copy(
    update={"as_of": date(2017, 7, 1)}
)
SNAKE = re.compile(r"[a-z0-9]+_[a-z0-9]+")


@pytest.fixture(scope="module")
def table(write_shop) -> ProfileTable:
    now = datetime(2017, 7, 1, 6, tzinfo=UTC)
    return build_profiles(write_shop(), None, RULES, TAGS, computed_at=now)


def test_eight_dimensions_in_their_order(table: ProfileTable):
    words = profile_in_words(table.profiles.iloc[0], TAGS, currency="USD")
    assert len(words) == len(PROFILE_COLUMNS)
    assert len(words["dimension"].unique()) == len(Dimension)
    said = words.set_index("what")["value"]
    assert said["spend in 90 days"] == "35.50 USD"
    assert said["days since the last order"] == "1 day"
    assert said["share of orders at weekends"] == "50%"
    assert said["gender"] == said["topics followed"] == "not available"
    assert said["tags of behaviour"] == "Promotion hunter, Weekend shopper"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_name_of_a_column_is_shown(table: ProfileTable, language):
    for row in range(len(table.profiles)):
        profile = table.profiles.iloc[row]
        own = table.tags[table.tags["customer_id"] == profile["customer_id"]]
        page = customer_page(profile, own, TAGS, language, "USD")
        text = re.sub(r"<[^>]+>", " ", page)
        assert not SNAKE.search(text), SNAKE.search(text)
        assert ("not available" in text) == (language == "en")
        assert ("暂无数据" in text) == (language == "zh")
        assert "2017-07-01T06:00:00+00:00" in text


def test_a_page_without_an_id_is_headed_by_its_day(table: ProfileTable):
    profile = table.profiles.iloc[0]
    own = table.tags[table.tags["customer_id"] == profile["customer_id"]]
    assert f"Customer {profile['customer_id']} on" in customer_page(profile, own, TAGS)
    nobody = profile.drop("customer_id")
    assert "<h3>Profile of 2017-07-01, computed at" in customer_page(nobody, own, TAGS)
    assert "<h3>画像日期 2017-07-01，计算时间" in customer_page(nobody, own, TAGS, "zh")
    assert str(profile["customer_id"]) not in customer_page(nobody, own, TAGS, "zh")


def test_a_short_page_gathers_what_is_not_available(table: ProfileTable):
    words = profile_in_words(table.profiles.iloc[0], TAGS, "zh", short=True)
    social = words[words["维度"] == "社交属性"]
    assert social["指标"].tolist() == ["暂无数据"]
    assert "粉丝数（最近一次记录）" in social["数值"].iloc[0]


def test_tags_tell_why_and_when(table: ProfileTable):
    own = table.tags[table.tags["customer_id"] == "anna"]
    said = tags_in_words(own, TAGS, currency="USD").set_index("tag")
    assert said.loc["High value", "why"] == "spend net of returns: 38.50 USD"
    assert (said["as of"] == "2017-07-01").all()
    zh = tags_in_words(own, TAGS, "zh").set_index("标签")
    assert zh.loc["高价值用户", "依据"].startswith("净消费额（扣除退货）：38.50")


def test_a_private_tag_is_not_shown(table: ProfileTable):
    own = table.tags[table.tags["customer_id"] == "anna"].iloc[:1]
    private = own.assign(tag="parenting_topics", family="private_interest", private=True)
    assert tags_in_words(private, TAGS).empty


@pytest.mark.parametrize(
    ("name", "value", "en", "zh"),
    [
        ("lifecycle_stage", "dormant", "dormant", "沉睡用户"),
        ("interest_tags", ["pets", "sports"], "Pet lover, Sports fan", "宠物爱好者、运动达人"),
        ("risk_signals", [], "none", "无"),
        ("risk_signals", ["accounts"], "accounts of the same person", "同一人的账号数"),
        ("orders_90d", 0.0, "0", "0"),
        ("orders_90d", float("nan"), "not available", "暂无数据"),
        ("followers", pd.NA, "not available", "暂无数据"),
        ("dwell_seconds", 12.5, "12.5 seconds", "12.5秒"),
        ("main_store", "high", "high", "high"),
    ],
)
def test_values(name: str, value: object, en: str, zh: str):
    assert value_in_words(name, value, TAGS) == en
    assert value_in_words(name, value, TAGS, "zh") == zh
