"""Social marketing: where a customer is active, and what sharing there brings, by reach."""

from collections.abc import Iterator

from mkt_models.columns import Channel
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.content import Case, Content, Found, not_available, nothing, number
from mkt_models.decisions.eligibility import missing

PLATFORM, REACH = "main_platform", "followers"


def make_share(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """The platform that the customer uses most, with the programme that the reach opens.

    Programmes are published with the followers that open them. Who has no known followers has the
    one that is open to everybody.
    """
    profile, social = case.customer.profile, case.policy.catalogue.social
    name = profile.get(PLATFORM)
    if missing(name):
        yield None, not_available(PLATFORM)
        return
    platform = next((p for p in social.platforms if p.id.lower() == str(name).lower()), None)
    if platform is None or not social.programmes:
        yield None, nothing(entry)
        return
    followers = number(profile, REACH)
    open_to = [p for p in social.programmes if p.from_followers <= (followers or 0)]
    programme = open_to[-1] if open_to else social.programmes[0]
    reasons = [
        {
            "source": "platform",
            "en": f"most active on {platform.name.en} in 365 days",
            "zh": f"近 365 天最活跃的平台：{platform.name.zh}",
        }
    ]
    if followers is not None:
        reasons.append(
            {
                "source": "reach",
                "en": f"{followers:,.0f} followers; {programme.name.en} is open from "
                f"{programme.from_followers:,}",
                "zh": f"粉丝数 {followers:,.0f}；{programme.name.zh}门槛为 "
                f"{programme.from_followers:,}",
            }
        )
    yield (
        None,
        Content(
            data={
                "kind": "share",
                "platform": {"platform": platform.id, "name": platform.name.model_dump()},
                "programme": {
                    "programme": programme.id,
                    "name": programme.name.model_dump(),
                    "terms": programme.terms.model_dump(),
                    "from_followers": programme.from_followers,
                },
            },
            words={
                "platform": platform.name.words,
                "invite": platform.invite.words,
                "programme": programme.name.words,
                "terms": programme.terms.words,
            },
            reasons=tuple(reasons),
        ),
    )
