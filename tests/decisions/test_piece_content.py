from datetime import date
from pathlib import Path

import pytest

from mkt_models.columns import LifecycleStage
from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.content import Content
from mkt_models.decisions.question import Customer
from mkt_models.profiles.tag_catalogue import load_tag_catalogue

TODAY = date(2018, 1, 6)
TAGS = Path(__file__).parents[2] / "params" / "tags.yaml"
NOTHING_LIKED = {"top_categories": None, "interest_tags": None, "followed_topics": None}


@pytest.fixture
def pieces(changed, policy):
    """The content of a strategy by channel, for a profile and recommendations."""

    def found(strategy="personalised_content", policy=policy, items=None, **profile):
        document = changed("1", profile=profile)
        if items is not None:
            document["recommendations"] = items
        return {
            c.use.channel.value: c.content
            for c in candidates(Customer.of(document), policy, TODAY)
            if c.entry.id == strategy
        }

    return found


def test_an_interest_by_name_comes_before_what_is_bought(pieces):
    liked = pieces(top_categories=["SOUP"], interest_tags=[])["app"]
    assert liked.data["piece"]["piece_id"] == "soup_in_twenty_minutes"
    assert [why["en"] for why in liked.reasons] == ["often chosen: soup"]
    keen = pieces(top_categories=["SOUP"], interest_tags=["pets"])["app"]
    assert keen.data["piece"]["piece_id"] == "changing_the_food"
    assert keen.reasons[0] == {"source": "interest", "en": "interest: pets", "zh": "兴趣：宠物"}
    assert keen.words["topic"] == ("pets", "宠物")


def test_a_topic_that_is_followed_counts_in_any_case(pieces):
    found = pieces(**NOTHING_LIKED | {"followed_topics": ["Beauty"]})["app"]
    assert found.data["piece"]["piece_id"] == "skin_in_winter"


def test_the_stage_of_life_must_fit(pieces):
    bought = {"top_categories": ["CHICKEN"], "interest_tags": []}
    fits = pieces(**bought, lifecycle_stage="active")["app"]
    assert fits.data["piece"]["piece_id"] == "weeknight_dinners"
    assert pieces(**bought, lifecycle_stage="dormant")["app"].code == "no_content"


def test_a_piece_is_shown_only_over_its_channels(pieces):
    found = pieces(**NOTHING_LIKED | {"interest_tags": ["anime"]})
    assert found["app"].data["piece"]["piece_id"] == "shelf_for_figures"
    assert found["email"].code == "no_content"


def test_without_any_likings_they_are_not_available(pieces):
    why = pieces(**NOTHING_LIKED)["app"]
    assert why.code == "not_available"
    assert "interests by name" in why.en
    none = pieces(**{name: [] for name in NOTHING_LIKED})["app"]
    assert none.code == "no_content"


def test_a_piece_links_the_products_of_its_categories_per_channel(pieces, documents):
    found = pieces("content_with_products", top_categories=["SOUP"], interest_tags=[])
    for channel, link in (
        ("app", "shop://products/p3"),
        ("email", "https://shop.example/products/p3?from=email"),
    ):
        content = found[channel]
        assert content.data["piece"]["piece_id"] == "soup_in_twenty_minutes"
        assert [(i["product_id"], i["link"]) for i in content.data["items"]] == [("p3", link)]
    assert found["app"].words["items"] == ("soup", "soup")
    assert [why["source"] for why in found["app"].reasons] == ["liked", "item"]


def test_links_fall_back_on_popular_items_and_a_piece_without_any_gives_way(
    pieces, documents, make_policy
):
    soup = {**documents[0]["recommendations"][2], "product_id": "a b/c", "shelf": "popular"}
    popular = make_policy(popular_items=(soup,))
    liked = {"top_categories": ["SOUP", "COFFEE"], "interest_tags": ["pets"]}
    found = pieces("content_with_products", popular, items=[], **liked)["app"]
    # There is no food for pets to link to.
    assert found.data["piece"]["piece_id"] == "soup_in_twenty_minutes"
    assert found.data["items"][0]["link"] == "shop://products/a%20b%2Fc"
    nothing = make_policy(popular_items=())
    why = pieces("content_with_products", nothing, items=[], **liked)["app"]
    assert why.code == "no_content"


def test_every_piece_can_be_found_by_somebody(pieces, catalogue):
    for piece in catalogue.library.pieces:
        likes = {"interest_tags": list(piece.topics), "top_categories": list(piece.categories)}
        found = {
            content.data["piece"]["piece_id"]
            for strategy in ("personalised_content", "content_with_products")
            for content in pieces(
                strategy,
                items=[
                    {"product_id": "x", "category": piece.categories[0], "product_type": None,
                     "shelf": "popular", "probability": 0.1, "amount": 1.0, "en": "e", "zh": "中"}
                ],
                lifecycle_stage=piece.stages[0].value,
                **NOTHING_LIKED | likes,
            ).values()
            if isinstance(content, Content)
        }  # fmt: skip
        assert piece.id in found


def test_topics_are_interest_tags_or_named_for_what_is_bought(catalogue):
    tags = load_tag_catalogue(TAGS)
    interests = {t.id for family in tags.families for t in family.tags if t.interest is not None}
    private = {t.id for f in tags.families for t in f.tags if t.private}
    topics = {topic.id for topic in catalogue.library.topics}
    assert interests - private <= topics
    assert not topics & {"parenting", "family", *private}
    assert {name for piece in catalogue.library.pieces for name in piece.topics} == topics
    assert len(catalogue.library.pieces) >= 20
    assert {s for p in catalogue.library.pieces for s in p.stages} == set(LifecycleStage)
