"""What the service logs about its own draws is enough to evaluate another policy."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from mkt_models.decisions.decide import decide
from mkt_models.decisions.log import record_of
from mkt_models.decisions.question import Context, Customer
from mkt_models.decisions.served_log import served_log
from mkt_models.evaluation.off_policy import off_policy_table
from mkt_models.exploration_params import Exploration
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Outcome

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)
FEW = ("personalised_promotion", "personalised_recommendation", "membership_tier", "popular_items")


@pytest.fixture
def policy(make_policy, catalogue):
    kept = tuple(catalogue.strategy(name) for name in FEW)
    few = catalogue.model_copy(update={"strategies": kept})
    return make_policy(few, exploration=Exploration(method="epsilon", epsilon=0.5))


def row(
    decision_id="d",
    customer="1",
    arm="treatment",
    asked=NOW,
    probability=1.0,
    arm_probability=1.0,
    strategy="s",
    withheld=None,
    **told,
):
    return {
        "decision_id": decision_id,
        "customer_id": customer,
        "asked_for": asked.isoformat(),
        "arm": arm,
        "arm_probability": arm_probability,
        "strategy": strategy,
        "channel": None if strategy == "no_action" else "app",
        "offer_id": None,
        "probability": probability,
        "answer": {"exploration": {"probabilities": told, "withheld": withheld}},
    }


def bought(customer, at, amount, kind="purchase"):
    return {"customer_id": customer, "kind": kind, "amount": amount, "occurred_at": at.isoformat()}


def test_rewards_are_those_of_the_days_after_by_hand():
    outcomes = [
        bought("1", NOW, 5.0),
        bought("1", NOW + 3 * DAY, 7.0),
        bought("1", NOW + 7 * DAY, 100.0),  # too late
        bought("1", NOW - DAY, 100.0),  # before
        bought("2", NOW, 100.0),  # another
        bought("1", NOW, None, "click"),
    ]
    rows = [
        row(probability=0.75, **{"s/app": 0.75, "t/app": 0.25}),
        row("f", asked=NOW + 10 * DAY),
        row("g", customer="3"),
    ]
    found = served_log(rows, outcomes, days=7, until=NOW + 14 * DAY)
    assert (found.held_out, found.too_late, found.unrecorded) == (0, 1, 0)
    assert found.log.to_dict("records") == [
        {
            "decision_id": "d",
            "customer_id": "1",
            "action": "s/app",
            "probability": 0.75,
            "reward": 12.0,
        },
        {
            "decision_id": "g",
            "customer_id": "3",
            "action": "s/app",
            "probability": 1.0,
            "reward": 0.0,
        },
    ]
    assert found.actions["logged_probability"].tolist() == [0.75, 0.25, 1.0]


def test_the_holdout_is_the_first_draw_of_every_decision_by_hand():
    two = {"s/app": 0.75, "t/app": 0.25}
    rows = [
        row("served", arm_probability=0.8, probability=0.75, **two),
        row("withheld", "2", "holdout", arm_probability=0.2, strategy="no_action", withheld=two),
        row("nothing", "3", arm_probability=0.8, strategy="no_action"),
        row("neither", "4", "holdout", arm_probability=0.2, strategy="no_action", withheld={}),
    ]
    found = served_log(rows, [bought("2", NOW, 5.0)], days=7, until=NOW + 14 * DAY)
    assert found.held_out == 2
    log = found.log.set_index("decision_id")
    assert log["probability"].to_dict() == pytest.approx(
        {"served": 0.6, "withheld": 0.2, "nothing": 1.0, "neither": 1.0}
    )
    assert log["reward"].to_dict() == {"served": 0, "withheld": 5, "nothing": 0, "neither": 0}
    logged = found.actions.set_index(["decision_id", "action"])["logged_probability"]
    for name in ("served", "withheld"):
        assert logged[name].to_dict() == pytest.approx(
            {"s/app": 0.6, "t/app": 0.2, "no_action": 0.2}
        )
    assert logged["nothing"].to_dict() == logged["neither"].to_dict() == {"no_action": 1.0}
    within = found.actions.set_index(["decision_id", "action"])["drawn_probability"]
    assert within["served"].to_dict() == {"s/app": 0.75, "t/app": 0.25, "no_action": 0.0}
    assert within["withheld"].to_dict() == {"s/app": 0.0, "t/app": 0.0, "no_action": 1.0}
    assert within["nothing"].to_dict() == within["neither"].to_dict() == {"no_action": 1.0}


def test_what_cannot_be_weighed_is_counted_or_refused():
    old = row(arm_probability=0.8, **{"s/app": 1.0})
    del old["answer"]["exploration"]["withheld"]
    found = served_log([old], [], days=7, until=NOW + 14 * DAY)
    assert (len(found.log), found.unrecorded) == (0, 1)
    changed = row(arm_probability=0.8, **{"t/app": 1.0})
    with pytest.raises(ValueError, match="'s/app', which is not among its own probabilities"):
        served_log([changed], [], days=7, until=NOW + 14 * DAY)


def test_the_log_of_the_service_tells_what_another_policy_brings(
    tmp_path, policy, changed, granted
) -> None:
    """800 customers; whoever is shown the recommendation first spends 3 more than others."""
    rng = np.random.default_rng(1)
    context = Context(NOW)
    with LiveStore.open(tmp_path / "live.sqlite") as live:
        for number in range(800):
            name = f"c{number}"
            customer = Customer.of(changed(name), granted(name, "app"))
            decision = decide(customer, context, policy, 1)
            first = decision.strategies[0]
            better = 3.0 if first.strategy == "personalised_recommendation" else 0.0
            cents = round(100 * (2 + better + float(rng.normal(0, 0.5))))
            with live.turn(name, NOW) as turn:
                turn.keep(record_of(decision, customer, context, policy))
                turn.outcome(Outcome(f"o{number}", "purchase", NOW + DAY, amount_hundredths=cents))
        found = served_log(
            live.decided(NOW - DAY, NOW + DAY), live.outcomes(NOW, NOW + 9 * DAY), 7, NOW + 9 * DAY
        )
    assert len(found.log) == 800
    chosen = found.log["action"].value_counts(normalize=True)
    told = found.actions.groupby("action")["logged_probability"].mean()
    assert chosen.to_dict() == pytest.approx(told.to_dict(), abs=0.06)
    wanted = found.actions["action"].eq("personalised_recommendation/app").astype(float)
    actions = found.actions.assign(recommends=wanted)
    table = off_policy_table(found.log, actions, ["recommends"], 0.95).set_index("estimator")
    snips = table.loc["snips"]
    assert snips["judged"], snips["note"]
    assert snips["value_lower"] < 5.0 < snips["value_upper"]
    assert snips["value_upper"] - snips["value_lower"] < 0.5
    assert pd.notna(snips["effective_n"])


def test_a_log_that_never_drew_says_nothing_of_others(tmp_path, make_policy, changed, granted):
    policy, context = make_policy(), Context(NOW)
    rows = []
    for number in range(150):
        name = f"c{number}"
        customer = Customer.of(changed(name), granted(name, "app"))
        record = record_of(decide(customer, context, policy, 1), customer, context, policy)
        rows.append(
            {
                "decision_id": record.decision_id,
                "customer_id": name,
                "asked_for": NOW.isoformat(),
                "arm": record.arm,
                "arm_probability": record.arm_probability,
                "strategy": record.strategy,
                "channel": record.channel,
                "offer_id": record.offer_id,
                "probability": record.probability,
                "answer": record.answer,
            }
        )
    found = served_log(rows, [], 7, NOW + 9 * DAY)
    never = {"logged_probability": 0.0, "drawn_probability": 0.0}
    other = found.actions.assign(action="membership_tier/app", other=1.0, **never)
    actions = pd.concat([found.actions.assign(other=0.0), other])
    table = off_policy_table(found.log, actions, ["other"], 0.95).set_index("policy")
    assert not table.loc["other", "judged"].any()
    assert table.loc["other", "value"].isna().all()
