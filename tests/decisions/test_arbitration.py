from collections.abc import Sequence

import pytest

from mkt_models.decisions.arbitration import Scored, arbitrate
from mkt_models.decisions.candidates import Candidate, Content
from mkt_models.decisions.catalogue import Outcome
from mkt_models.decisions.words import Code, Reason, reason
from mkt_models.decisions.worth import Worth


@pytest.fixture
def scored(catalogue):
    """A candidate of the catalogue with a worth given as minus its cost."""

    def make(strategy: str, amount: float, channel: int = 0, offer_id: str | None = None) -> Scored:
        entry = catalogue.strategy(strategy)
        candidate = Candidate(entry, entry.channels[channel], Content({}, {}), offer_id)
        return Scored(candidate, Worth(Outcome.REDEMPTION, (), 1.0, 1.0, -amount))

    return make


def fits_always(_: Candidate, __: Sequence[Candidate]) -> tuple[Reason, ...]:
    return ()


def run(some: list[Scored], k: int = 3, fits=fits_always):
    chosen, lost = arbitrate(some, "popular_items", k, fits)
    return [one.candidate.key for one in chosen], {c.key: why.code.value for c, why in lost}


def test_the_ranking_worked_by_hand(scored):
    some = [
        scored("personalised_promotion", 1.0, offer_id="b"),
        scored("personalised_promotion", 3.0, offer_id="a"),
        scored("membership_tier", 2.0),
        scored("personalised_recommendation", 0.5),
        scored("scenario_weekend", 0.4),
        scored("scenario_holiday", 0.0),
        scored("popular_items", 9.0),
    ]
    assert run(some) == (
        ["personalised_promotion/app/a", "membership_tier/app", "personalised_recommendation/app"],
        {
            "personalised_promotion/app/b": "family_served",
            "scenario_weekend/app": "beyond_k",
            "scenario_holiday/app": "worth_not_positive",
            "popular_items/app": "default_not_needed",
        },
    )


def test_equals_go_by_name_whatever_their_order(scored):
    some = [scored("personalised_promotion", 1.0, offer_id=name) for name in "cab"]
    assert run(some) == run(some[::-1])
    assert run(some)[0] == ["personalised_promotion/app/a"]


def test_the_default_is_for_when_nothing_else_is_worth_it(scored):
    some = [scored("membership_tier", -1.0), scored("popular_items", 0.1)]
    assert run(some) == (["popular_items/app"], {"membership_tier/app": "worth_not_positive"})
    assert run([scored("popular_items", 0.0)])[0] == []


def test_the_next_best_of_a_family_moves_up_when_the_best_breaks_a_limit(scored):
    def no_second_push(candidate: Candidate, chosen: Sequence[Candidate]) -> tuple[Reason, ...]:
        push = {"mail", "email"}
        second = candidate.use.channel in push and any(c.use.channel in push for c in chosen)
        return (reason(Code.MIN_GAP, hours=1, sent_at="now"),) if second else ()

    some = [
        scored("personalised_promotion", 3.0, channel=1, offer_id="a"),
        scored("membership_tier", 2.0, channel=1),
        scored("membership_tier", 1.0, channel=0),
    ]
    assert run(some, fits=no_second_push) == (
        ["personalised_promotion/mail/a", "membership_tier/app"],
        {"membership_tier/email": "min_gap"},
    )
