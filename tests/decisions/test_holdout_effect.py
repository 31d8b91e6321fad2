"""The holdout read off the service's own log."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mkt_models.columns import Verdict
from mkt_models.decisions.answer import HOLDOUT, TREATMENT
from mkt_models.decisions.decide import decide
from mkt_models.decisions.holdout import holdout_experiment
from mkt_models.decisions.holdout_effect import holdout_effect
from mkt_models.decisions.log import record_of
from mkt_models.decisions.question import Context, Customer
from mkt_models.decisions.served_log import served_log
from mkt_models.evaluation.off_policy import off_policy_table
from mkt_models.evaluation.support import Needs
from mkt_models.experiment_params import Experiments
from mkt_models.experiments.assignment import assign
from mkt_models.experiments.memo import Decision
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Outcome

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)
TRIAL = holdout_experiment(0.3, "holdout-trial")
TIMES = {"days": 7, "since": NOW, "until": NOW + 30 * DAY}


def asked(customer, at=NOW, **changed):
    assigned = assign(TRIAL, customer)
    return {
        "decision_id": f"{customer}@{at}",
        "customer_id": customer,
        "asked_for": at.isoformat(),
        "arm": assigned.arm,
        "arm_probability": round(assigned.probability, 6),
    } | changed


def bought(customer, at, amount, kind="purchase"):
    return {"customer_id": customer, "kind": kind, "amount": amount, "occurred_at": at.isoformat()}


def run(decisions, outcomes=(), **more):
    return holdout_effect(decisions, outcomes, TRIAL, Experiments(), **TIMES | more)


def test_spend_is_per_customer_from_the_first_decision_on_by_hand():
    decisions = [
        asked("a", NOW + 2 * DAY),
        asked("a", NOW + 1 * DAY),
        asked("b", NOW + 25 * DAY),
        asked("c", NOW - DAY),  # before
    ]
    outcomes = [
        bought("a", NOW, 100.0),  # before the first decision
        bought("a", NOW + 1 * DAY, 2.0),
        bought("a", NOW + 7 * DAY, 3.0),
        bought("a", NOW + 8 * DAY, 100.0),  # after seven days
        bought("a", NOW + 3 * DAY, 100.0, "click"),
        bought("z", NOW, 100.0),  # nobody asked
    ]
    found = run(decisions, outcomes)
    assert (found.decisions, found.other_decisions) == (3, 1)
    table = found.customers.set_index("customer_id")
    assert table["spend"].to_dict() == {"a": 5.0, "b": 0.0}
    assert table["bought"].to_dict() == {"a": 1, "b": 0}
    assert f"{table.loc['a', 'complete_on']:%Y-%m-%d}" == "2018-01-14"
    assert table["complete_on"].isna().to_dict() == {"a": False, "b": True}
    assert table["arm"].to_dict() == {name: assign(TRIAL, name).arm for name in "ab"}
    assert found.result.memo.decision is Decision.NOT_EVALUATED


def test_customers_that_were_listed_count_whether_or_not_anybody_asked():
    found = run([asked("a", NOW + 3 * DAY), asked("q")], [bought("b", NOW, 4.0)], customers="abc")
    assert (found.decisions, found.other_decisions) == (1, 1)
    assert found.customers.set_index("customer_id")["spend"].to_dict() == {"a": 0, "b": 4, "c": 0}


def trial_of(n, gain, seed=0):
    """Customers who spend 20 or so, the treated more by the gain; one decision each."""
    rng = np.random.default_rng(seed)
    decisions, outcomes = [], []
    for number in range(n):
        name, at = f"{seed}-{number}", NOW + DAY * (number % 20)
        decisions.append(asked(name, at))
        more = gain if assign(TRIAL, name).arm == TREATMENT else 0.0
        outcomes.append(bought(name, at + DAY, float(rng.gamma(8, 2.5)) + more))
    return decisions, outcomes


def test_a_gain_is_shown_with_its_interval():
    found = run(*trial_of(3000, 3.0), planned_customers=3000).result
    spend = found.effects.iloc[0]
    assert (spend["arm"], spend["control"], spend["verdict"]) == (TREATMENT, HOLDOUT, "better")
    assert spend["effect_lower"] < 3 < spend["effect_upper"]
    assert found.sample_ratio.verdict is Verdict.PASS
    assert "hold at every look" in found.memo.markdown("en")


def test_where_contacts_do_nothing_nothing_is_claimed():
    for seed in range(3):
        found = run(*trial_of(600, 0.0, seed), planned_customers=600).result
        assert not found.effects["shown"].any()


def test_customers_that_one_arm_lost_make_it_invalid():
    decisions, outcomes = trial_of(3000, 3.0)
    lost = [d for i, d in enumerate(decisions) if d["arm"] == TREATMENT or i % 4]
    assert run(lost, outcomes).result.memo.decision is Decision.INVALID


@pytest.mark.parametrize(
    ("decisions", "more", "says"),
    [
        ([asked("a", arm="new")], {}, "is of the arm 'new'"),
        ([asked("a", arm_probability=0.5)], {}, "Another share or salt is another holdout"),
        ([], {}, "none of 0 is of these customers"),
        ([asked("a")], {"days": 0}, "days == 0, must be > 0"),
        ([asked("a")], {"customers": []}, "none are listed"),
        ([asked("a")], {"since": datetime(2018, 1, 6)}, "has no zone"),
        ([asked("a")], {"until": NOW}, "must be before until"),
    ],
)
def test_errors_teach(decisions, more, says):
    with pytest.raises(ValueError, match=says):
        run(decisions, **more)


def test_the_live_store_gives_both_the_holdout_and_what_it_withheld(
    tmp_path, make_policy, changed, granted
):
    """300 customers: who is served anything spends 3 more, and both ways of reading it say so."""
    policy = make_policy(holdout_share=0.3, holdout_salt="holdout-trial")
    rng, context = np.random.default_rng(1), Context(NOW)
    with LiveStore.open(tmp_path / "live.sqlite") as live:
        for number in range(300):
            name = f"c{number}"
            customer = Customer.of(changed(name), granted(name, "app"))
            decision = decide(customer, context, policy, 1)
            served = decision.strategies[0].strategy != "no_action"
            cents = round(100 * (5 + 3.0 * served + float(rng.normal(0, 0.5))))
            with live.turn(name, NOW) as turn:
                turn.keep(record_of(decision, customer, context, policy))
                turn.outcome(Outcome(f"o{number}", "purchase", NOW + DAY, amount_hundredths=cents))
        decisions = list(live.decided(NOW - DAY, NOW + 400 * DAY))
        outcomes = live.outcomes(NOW, NOW + 9 * DAY)
    end = NOW + 9 * DAY
    settings = Experiments(min_units=50, tightest_at=300)
    found = holdout_effect(decisions, outcomes, TRIAL, settings, days=7, since=NOW, until=end)
    spend = found.result.effects.iloc[0]
    assert spend["effect_lower"] < 3 < spend["effect_upper"]
    assert spend["effect_lower"] > 2.5
    log = served_log(decisions, outcomes, 7, end)
    assert 60 < log.held_out < 120
    nothing = log.actions["action"].eq("no_action").astype(float)
    table = off_policy_table(
        log.log,
        log.actions.assign(nothing=nothing),
        ["nothing"],
        0.95,
        needs=Needs(min_effective=50),
    ).set_index("estimator")
    # Leaving all in peace: 5 each, where the log brought 3 more to seven in ten.
    snips = table.loc["snips"]
    assert snips["unsupported"] == 0
    assert snips["value"] == pytest.approx(5, abs=0.2)
