from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from decisions.shops import customers, with_rules

from mkt_models.columns import Verdict
from mkt_models.decisions.question import Context
from mkt_models.decisions.terms_guard import judged, replay_terms
from mkt_models.loading import load_params
from mkt_models.terms_params import Terms

SATURDAY = Context(datetime(2018, 1, 6, 15, tzinfo=UTC))
QUICK = Terms(twins=1, n_bootstrap=50)
SHOP = customers(90, 3)


def rows(gaps, changed, term="discount", attribute="willingness_to_pay"):
    return pd.DataFrame(
        {
            "attribute": attribute,
            "term": term,
            "strategy": "s",
            "customer_id": [str(i) for i in range(len(gaps))],
            "more": [0.2 + gap / 2 for gap in gaps],
            "less": [0.2 - gap / 2 for gap in gaps],
            "changed": changed,
            "gap": gaps,
            "ordered": True,
        }
    )


def judge(pairs, **settings):
    (row,) = judged(pairs, Terms(**settings), 0).to_dict("records")
    return row


def test_no_difference_among_enough_customers_passes():
    row = judge(rows([0.0] * 80, [False] * 80))
    assert (row["n"], row["changed"], row["gap"], row["verdict"]) == (80, 0.0, 0.0, "pass")
    # Wilson, none of n: z^2 / (n + z^2)
    assert row["changed_upper"] == pytest.approx(3.8415 / 83.8415, abs=1e-4)
    assert row["kind"] == "observed"


def test_too_few_customers_are_not_evaluated_unless_the_parameters_say_so():
    pairs = rows([0.0] * 20, [False] * 20)
    row = judge(pairs)
    assert row["verdict"] == "not_evaluated"
    assert "20 customers do not show" in row["why"]
    assert row["undecided"]
    let = judge(pairs, undecided="pass")
    assert (let["verdict"], let["undecided"]) == ("pass", True)
    assert let["why"] == (
        "could not be judged: 20 customers do not show that at most 5% are treated differently; "
        "passes by terms.undecided"
    )
    assert not judge(rows([0.0] * 80, [False] * 80), undecided="pass")["undecided"]


def test_a_gap_has_size_interval_and_direction():
    gaps = [-0.1, -0.12, -0.08, -0.1] * 20
    row = judge(rows(gaps, [True] * 80))
    assert row["gap"] == pytest.approx(-0.1)
    assert row["gap_lower"] < -0.1 < row["gap_upper"] < -0.09
    assert row["mean"] == pytest.approx(0.2)
    assert row["verdict"] == "fail"
    assert row["direction"] == "more willingness to pay: worse terms"
    dearer = judge(rows(gaps, [True] * 80, term="price"))
    assert dearer["direction"] == "more willingness to pay: better terms"


def test_a_customer_counts_once_however_many_twins_differ():
    pairs = pd.concat([rows([0.0] * 80, [i < 8 for i in range(80)])] * 3)
    row = judge(pairs)
    assert (row["n"], row["pairs"], row["changed"]) == (80, 240, 0.1)
    assert row["verdict"] == "fail" if row["changed_lower"] > 0.05 else "not_evaluated"


def test_a_few_large_gaps_fail_too():
    gaps = [0.4] * 4 + [0.0] * 76  # 5% of the customers, but a tenth of the mean
    row = judge(rows(gaps, [gap > 0 for gap in gaps]), tolerance=0.02)
    assert row["changed_lower"] < 0.02
    assert row["verdict"] in ("fail", "not_evaluated")
    assert row["verdict"] != "pass"


DECLARED = {
    "attribute": "willingness_to_pay",
    "term": "discount",
    "strategy": "s",
    "more_for": "higher",
    "reason": "a test of what a declaration does",
}


def test_a_declared_difference_is_allowed_with_its_reason():
    row = judge(rows([0.1] * 80, [True] * 80), allowed=[DECLARED])
    assert (row["verdict"], row["why"]) == ("allowed", DECLARED["reason"])
    # of a price, less is better: who would pay more pays less
    dearer = [DECLARED | {"term": "price"}]
    assert judge(rows([-0.1] * 80, [True] * 80, "price"), allowed=dearer)["verdict"] == "allowed"
    assert judge(rows([0.1] * 80, [True] * 80, "price"), allowed=dearer)["verdict"] == "fail"


def test_a_declaration_excuses_no_difference_in_the_other_direction():
    row = judge(rows([-0.1] * 80, [True] * 80), allowed=[DECLARED])
    assert row["verdict"] == "fail"
    assert row["why"].endswith("better terms are declared for higher price_index alone")
    lower = [DECLARED | {"more_for": "lower"}]
    assert judge(rows([-0.1] * 80, [True] * 80), allowed=lower)["verdict"] == "allowed"
    assert judge(rows([0.1] * 80, [True] * 80), allowed=lower)["verdict"] == "fail"


def test_a_declaration_excuses_no_difference_in_both_directions():
    """The middle gets most: on the whole more has more, but a quarter goes the other way."""
    gaps = [0.1, 0.1, 0.1, -0.1] * 20
    row = judge(rows(gaps, [True] * 80), allowed=[DECLARED])
    assert row["gap_lower"] > 0
    assert row["verdict"] == "fail"


def test_a_declaration_excuses_nothing_of_twins_that_have_no_more_and_less():
    unordered = rows([0.1] * 80, [True] * 80).assign(ordered=False)
    assert judge(unordered, allowed=[DECLARED])["verdict"] == "fail"
    # half of the customers have no discount to compare at all
    without = rows([0.1] * 40 + [np.nan] * 40, [True] * 80)
    assert judge(without, allowed=[DECLARED])["verdict"] == "fail"


def replay(policy, catalogue=None, shop=SHOP, settings=QUICK, seed=1):
    if catalogue is not None:
        policy = replace(policy, catalogue=catalogue)
    return replay_terms(shop, SATURDAY, policy, settings, seed)


def planted(catalogue, column, threshold):
    """Two coupons of one family; a rule decides which of them, the smaller one above it."""
    guard = [{"column": column, "reason": "planted to see whether the guard sees it"}]
    allow = guard if column == "price_index" else []
    big = {"column": column, "op": "<", "value": threshold}
    small = {"column": column, "op": ">=", "value": threshold}
    return with_rules(
        catalogue,
        {"id": "big_coupon", "eligibility": [big], "allow_sensitive": allow},
        {"id": "small_coupon", "eligibility": [small], "allow_sensitive": allow},
    )


def test_the_shipped_catalogue_differs_only_where_the_parameters_declare_it(policy):
    gone = {"lifecycle_stage": "lost", "orders_365d": 0, "amount_365d": 0.0}
    lost = [replace(one, profile={**one.profile, **gone}) for one in SHOP[:5]]
    shop = [  # who orders more spends more
        replace(
            one,
            profile={**one.profile, "amount_365d": 50.0 * one.profile["orders_365d"]},
            scores={"value": {"value": 50.0 * one.profile["orders_365d"]}},
        )
        for one in lost + SHOP[5:]
    ]
    found = replay(policy, shop=shop)
    failed = {name for name, verdict in found.verdicts.items() if verdict is Verdict.FAIL}
    assert "personalised_promotion" in failed
    assert found.reasons["personalised_promotion"].startswith("loyalty × shown")
    tier = found.table.query("strategy == 'membership_tier' and attribute == 'loyalty'")
    assert set(tier["verdict"]) == {"allowed"}
    shipped = load_params("params/complete_journey.yaml").terms
    declared = QUICK.model_copy(update={"allowed": shipped.allowed})
    found = replay(policy, shop=shop, settings=declared)
    assert Verdict.FAIL not in found.verdicts.values()
    assert found.verdicts["membership_tier"] is Verdict.PASS


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ([("<=", 40)], Verdict.FAIL),  # loyal customers get no coupon
        ([(">=", 20), ("<=", 60)], Verdict.FAIL),  # nor do they here
        ([(">=", 40)], Verdict.PASS),  # as declared
    ],
)
def test_a_declared_difference_is_no_leave_to_treat_the_loyal_worse(
    policy, catalogue, rules, verdict
):
    promotion = {
        "id": "personalised_promotion",
        "eligibility": [{"column": "orders_365d", "op": op, "value": at} for op, at in rules],
    }
    shipped = load_params("params/complete_journey.yaml").terms
    declared = QUICK.model_copy(update={"allowed": shipped.allowed[:1], "undecided": "pass"})
    found = replay(policy, with_rules(catalogue, promotion), settings=declared)
    assert found.verdicts["personalised_promotion"] is verdict
    rows = found.table.query("attribute == 'loyalty' and term == 'shown'")
    assert list(rows["verdict"]) == ["allowed" if verdict is Verdict.PASS else "fail"]


def test_a_rule_on_willingness_to_pay_is_seen(policy, catalogue):
    found = replay(policy, planted(catalogue, "price_index", 1.5))
    assert found.verdict is Verdict.FAIL
    assert found.verdicts["big_coupon"] is Verdict.FAIL
    big = found.table.query("strategy == 'big_coupon' and term == 'shown'").set_index("attribute")
    assert big.loc["willingness_to_pay", "direction"] == "more willingness to pay: worse terms"
    failed = found.table.query("strategy == 'big_coupon' and verdict == 'fail'")
    assert set(failed["attribute"]) == {"willingness_to_pay"}


NEW = {"column": "lifecycle_stage", "op": "==", "value": "new"}


def test_an_undeclared_discount_for_new_customers_is_seen_and_a_declared_one_allowed(
    policy, catalogue
):
    def shop_with(name):
        return with_rules(catalogue, {"id": name, "eligibility": [NEW]})

    shop = [*customers(1000, 5)]
    new = [one for one in shop if one.profile["lifecycle_stage"] == "new"]
    shop = new + shop[: 80 - len(new)]
    found = replay(policy, shop_with("welcome_coupon"), shop)
    assert found.verdicts["welcome_coupon"] is Verdict.FAIL
    row = found.table.query("strategy == 'welcome_coupon' and attribute == 'tenure'")
    told = row.set_index("term").loc["shown"]
    assert (told["verdict"], told["direction"]) == ("fail", "more tenure: worse terms")
    allowed = replay(policy, shop_with("new_customer_offer"), shop).table
    tenure = allowed.query("strategy == 'new_customer_offer' and attribute == 'tenure'")
    assert set(tenure["verdict"]) == {"allowed"}


def test_the_discount_inside_a_coupon_is_compared_whatever_gave_it(policy, catalogue, monkeypatch):
    """Code, not a rule of the catalogue, that takes a discount from dear customers."""
    from mkt_models.decisions import terms_replay

    decide = terms_replay.decide

    def dearer(customer, context, policy, k):
        offers = customer.offers
        if customer.profile["price_index"] > 1.0:
            offers = tuple({**one, "discount_share": 0.1} for one in offers)
        return decide(replace(customer, offers=offers), context, policy, k)

    monkeypatch.setattr(terms_replay, "decide", dearer)
    found = replay(policy, with_rules(catalogue, {"id": "coupon"}))
    (row,) = found.table.query("verdict == 'fail'").to_dict("records")
    assert (row["attribute"], row["term"]) == ("willingness_to_pay", "discount")
    assert row["gap_upper"] < 0


def test_a_strategy_without_terms_passes_and_says_so(policy):
    """A piece of content costs and saves nothing: there is nothing to compare."""
    read = {"interest_tags": ["cooking"], "amount_365d": 900.0, "lifecycle_stage": "active"}
    shop = [replace(one, profile={**one.profile, **read}) for one in SHOP[:6]]
    (entry,) = (s for s in policy.catalogue.strategies if s.id == "personalised_content")
    found = replay(policy, only(policy.catalogue, entry), shop)
    assert found.verdicts == {"personalised_content": Verdict.PASS}
    assert found.reasons["personalised_content"].endswith("it has no terms")
    assert found.told == (
        "Of 1 personalised strategies, 0 were judged to offer like terms to like customers or to "
        "differ as declared; 1 has no terms."
    )


def only(catalogue, *entries):
    """A catalogue of these strategies and the default."""
    (default,) = (s for s in catalogue.strategies if s.id == catalogue.default)
    return catalogue.model_copy(update={"strategies": (*entries, default)})


def test_every_channel_of_a_strategy_is_replayed(policy, catalogue):
    """Cheap in the app; by mail it is worth its cost only for who spends much."""
    tier = {
        "channels": [{"channel": "app", "cost": 0.0}, {"channel": "mail", "cost": 1.0}],
        "id": "tier",
        "family": "membership_tier",
        "needs": "tier",
        "worth": {
            "outcome": "past_spend",
            "margin_rate": {"value": 1.0, "reason": "planted: of every euro spent"},
            "credited_share": {"value": 0.001, "reason": "planted: one in a thousand"},
        },
        "title": {"en": "{tier}", "zh": "{tier}"},
        "text": {"en": "{tier}", "zh": "{tier}"},
    }
    same = {"orders_365d": 5, "lifecycle_stage": "active"}
    shop = [
        replace(one, profile={**one.profile, **same, "amount_365d": 800.0 + 10 * i})
        for i, one in enumerate(SHOP[:60])
    ]
    app = {**tier, "channels": tier["channels"][:1]}
    settings = QUICK.model_copy(update={"undecided": "pass", "published": False})
    assert replay(policy, with_rules(catalogue, app), shop, settings).verdict is Verdict.PASS
    found = replay(policy, with_rules(catalogue, tier), shop, settings)
    assert found.verdict is Verdict.FAIL
    assert found.reasons["tier"].startswith("loyalty × shown")


def test_nobody_and_a_strategy_that_is_shown_to_nobody_are_not_evaluated(policy):
    found = replay(policy, shop=[])
    assert found.verdict is Verdict.NOT_EVALUATED
    assert set(found.verdicts.values()) == {Verdict.NOT_EVALUATED}
    assert found.reasons["personalised_promotion"] == "it was shown to nobody in the replay"
    assert found.for_snapshot()["terms/personalised_promotion"] == "not_evaluated"
    assert found.undecided == ()
    count = len(found.verdicts)
    assert found.told.startswith(f"Of {count} personalised strategies, 0 were judged to offer")
    assert found.told.endswith(f"as declared; {count} are not served.")


def test_strategies_let_through_undecided_are_told_apart_from_those_judged(policy, catalogue):
    let = QUICK.model_copy(update={"undecided": "pass"})
    found = replay(policy, shop=[], settings=let)
    assert set(found.verdicts.values()) == {Verdict.PASS}
    assert set(found.undecided) == set(found.verdicts) == set(found.as_dict()["undecided"])
    assert found.reasons["personalised_promotion"] == (
        "could not be judged: it was shown to nobody in the replay; passes by terms.undecided"
    )
    few = replay(policy, with_rules(catalogue, {"id": "coupon"}), SHOP[:20], let)
    assert (few.verdicts, few.undecided) == ({"coupon": Verdict.PASS}, ("coupon",))
    assert "could not be judged: " in few.reasons["coupon"]
    assert "1 could not be judged and passes by the parameter" in few.told
    enough = replay(policy, with_rules(catalogue, {"id": "coupon"}), settings=let)
    assert (enough.verdict, enough.undecided) == (Verdict.PASS, ())
    assert "could not be judged" not in enough.told


def test_holdout_order_and_earlier_verdicts_do_not_matter_and_a_seed_repeats(policy, catalogue):
    equal = with_rules(catalogue, {"id": "coupon"})
    one = replay(policy, equal)
    assert one.verdict is Verdict.PASS
    withheld = replace(policy, holdout_share=1.0, verdicts=policy.verdicts | {"terms": "fail"})
    other = replay(withheld, equal, SHOP[::-1])
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.n_replays == other.n_replays


SEEDS = 2


def test_rates_of_detection_and_of_false_alarms(policy, catalogue):
    """Over shops: the planted rule at the top tenth is always seen, equal terms never accused."""
    caught, alarms = 0, 0
    for seed in range(SEEDS):
        shop = customers(80, 100 + seed)
        threshold = float(np.quantile([one.profile["price_index"] for one in shop], 0.9))
        unequal = planted(catalogue, "price_index", threshold)
        caught += replay(policy, unequal, shop, seed=seed).verdict is Verdict.FAIL
        equal = with_rules(catalogue, {"id": "coupon"})
        alarms += replay(policy, equal, shop, seed=seed).verdict is not Verdict.PASS
    assert (caught, alarms) == (SEEDS, 0)
