from datetime import date

import pytest

from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.question import Customer

TODAY = date(2018, 1, 6)


@pytest.fixture
def share(changed, policy):
    """The content of social marketing in the app, for a profile."""

    def found(**profile):
        customer = Customer.of(changed("1", profile=profile))
        found = {c.key: c.content for c in candidates(customer, policy, TODAY)}
        return found["social_marketing/app"]

    return found


@pytest.mark.parametrize(
    ("followers", "programme"),
    [
        (None, "invite_a_friend"),
        (0, "invite_a_friend"),
        (499, "invite_a_friend"),
        (500, "share_and_earn"),
        (4999, "share_and_earn"),
        (80_000, "try_it_first"),
    ],
)
def test_reach_opens_the_programme_as_published(share, followers, programme):
    content = share(main_platform="short_video", followers=followers)
    assert content.data["programme"]["programme"] == programme
    assert len(content.reasons) == (1 if followers is None else 2)


def test_it_is_where_the_customer_is_most_active(share):
    content = share(main_platform="Douyin", followers=800)
    assert content.data["platform"]["platform"] == "douyin"
    assert content.words["platform"] == ("Douyin", "抖音")
    assert content.reasons[0]["zh"] == "近 365 天最活跃的平台：抖音"
    assert content.reasons[1]["en"] == "800 followers; Share and earn is open from 500"


def test_without_social_data_it_is_not_available_and_elsewhere_there_is_nothing(share):
    assert share(main_platform=None).code == "not_available"
    assert share().code == "not_available"
    assert share(main_platform="a forum").code == "no_content"
