import numpy as np
import pandas as pd
import pytest
from experiments.trials import AB, ABC, ALL, CLICKS, ORDERS, SPEND, VISITS, units

from mkt_models.columns import Verdict
from mkt_models.experiment_params import Experiments
from mkt_models.experiments.analysis import Columns, analyse
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.memo import Decision

FIXED, SEQUENTIAL = Experiments(guardrail_margin=0.05), Experiments(method="sequential")
BY_DAY = Columns(ready="day")


def run(rows, experiment=AB, metrics=ALL, settings=FIXED, **more):
    return analyse(rows, experiment, metrics, settings, **{"planned_units": len(rows)} | more)


def test_where_nothing_happened_nothing_is_claimed():
    """Forty experiments without any effect: few claims, and the memo never ships more than that."""
    decisions = [
        run(units(1500, seed), metrics=[SPEND, ORDERS]).memo.decision for seed in range(40)
    ]
    # Of 40 at most 2.5% each ship: P(4 or more) is 2%.
    assert decisions.count(Decision.SHIP) <= 3
    assert set(decisions) <= {Decision.SHIP, Decision.DO_NOT_SHIP}


def test_a_gain_is_shipped_with_its_interval():
    found = run(units(4000, effects={"new": 2.0}))
    memo, row = found.memo, found.effects.iloc[0]
    assert (memo.decision, memo.arm) == (Decision.SHIP, "new")
    assert row["effect_lower"] < 2 < row["effect_upper"]
    assert row["lift"] == pytest.approx(row["mean"] / row["mean_control"] - 1)
    assert memo.title.en.startswith("Ship new: spend is shown to be better than in control")
    (first, *_) = found.headline()
    assert (first["name"], first["kind"]) == ("spend, new", "randomised")


def test_covariates_and_strata_narrow_the_interval():
    rows = units(3000, effects={"new": 1.0})
    less = SPEND.model_copy(update={"covariates": ("before",)})
    plain, adjusted = (run(rows, metrics=[m]).effects.iloc[0] for m in (SPEND, less))
    assert adjusted["variance_left"] < 0.3
    assert adjusted["effect_error"] < 0.6 * plain["effect_error"]
    band = pd.qcut(rows["before"], 4, labels=list("abcd")).astype(str)
    columns = Columns(stratum="band")
    layered = run(rows.assign(band=band), metrics=[SPEND], columns=columns).effects.iloc[0]
    assert layered["effect_error"] < 0.75 * plain["effect_error"]


def test_strata_with_other_shares_are_compared_rightly():
    """Heavy buyers get the treatment nine times in ten: a plain comparison would see a gain."""
    heavy = {"light": AB.shares, "heavy": {"control": 0.1, "new": 0.9}}
    trial = Experiment(name="gift", salt="gift-1", shares=AB.shares, strata=heavy)
    rng = np.random.default_rng(4)
    tier = rng.choice(["light", "heavy"], 6000)
    new = rng.random(6000) < np.where(tier == "heavy", 0.9, 0.5)
    rows = pd.DataFrame(
        {
            "customer_id": np.arange(6000).astype(str),
            "arm": np.where(new, "new", "control"),
            "tier": tier,
            "spend": rng.normal(np.where(tier == "heavy", 60, 20), 5),
        }
    )
    means = rows.groupby("arm")["spend"].mean()
    assert means["new"] - means["control"] > 10
    found = run(rows, trial, [SPEND], columns=Columns(stratum="tier"))
    assert found.sample_ratio.verdict is Verdict.PASS
    assert found.effects["effect"].iloc[0] == pytest.approx(0, abs=0.6)
    assert found.memo.decision is Decision.DO_NOT_SHIP


def test_several_arms_and_metrics_are_corrected():
    found = run(units(6000, experiment=ABC, effects={"b": 2.0}), ABC)
    table = found.effects.set_index(["metric", "arm"])
    assert table.loc[("spend", "b"), "verdict"] == "better"
    assert found.memo.arm == "b"
    # Four primary comparisons, and two secondary ones of which none is chosen.
    assert table.loc[("spend", "a"), "level"] == pytest.approx(1 - 0.05 / 4)
    assert table.loc[("click rate", "a"), "level"] == pytest.approx(1 - 0.05 / 2)
    primary = table[table["role"] == "primary"]
    smallest = primary["p_value"].min()
    assert primary["p_adjusted"].min() == pytest.approx(4 * smallest)
    assert (table["p_adjusted"] >= table["p_value"]).all()


def test_a_mismatch_judges_nothing_however_large_the_effect():
    rows = units(4000, effects={"new": 9.0})
    lost = rows[(rows["arm"] == "control") | (rows["spend"] > 22)]
    found = run(lost)
    assert found.memo.decision is Decision.INVALID
    assert found.effects["effect_lower"].isna().all()
    assert not found.effects["shown"].any()
    assert set(found.guardrails["verdict"]) == {Verdict.NOT_EVALUATED}
    assert "new salt" in found.memo.change.en


def test_before_the_planned_size_nothing_can_be_read_off():
    found = run(units(4000, effects={"new": 9.0}), planned_units=5000, declared=["region"])
    assert found.memo.decision is Decision.KEEP_RUNNING
    assert found.effects[["effect", "lift", "p_value"]].isna().all(axis=None)
    assert found.segments.empty
    assert "4,000 of 5,000 planned units" in found.effects["note"].iloc[0]


def test_too_little_is_not_evaluated():
    assert run(units(150)).memo.decision is Decision.NOT_EVALUATED
    nobody = run(units(2000).assign(ordered=0), metrics=[ORDERS])
    assert nobody.memo.decision is Decision.NOT_EVALUATED
    assert "only 0 of both arms together" in nobody.effects["note"].iloc[0]


def test_a_sequential_test_may_stop_early_and_says_since_when():
    rows = units(4000, effects={"new": 3.0})
    found = run(rows, settings=SEQUENTIAL, columns=BY_DAY, planned_units=8000, metrics=[SPEND])
    assert found.memo.decision is Decision.SHIP
    row = found.effects.iloc[0]
    assert row["shown_at"] < rows["day"].max()
    assert f"shown from {row['shown_at']:%Y-%m-%d} on" in " ".join(
        one.en for one in found.memo.evidence
    )
    assert len(found.sequence) == rows["day"].nunique() - (found.sequence["n"].iloc[0] > 200)
    last = found.sequence.iloc[-1]
    assert (last["lower"], last["upper"]) == pytest.approx(
        (row["effect_lower"], row["effect_upper"])
    )


def test_a_sequential_test_of_several_arms():
    rows = units(5000, experiment=ABC, effects={"b": 5.0})
    wide = VISITS.model_copy(update={"margin": 0.2})
    found = run(rows, ABC, [SPEND, wide], SEQUENTIAL, columns=BY_DAY, planned_units=9000)
    assert found.memo.decision is Decision.SHIP
    assert found.effects["shown_at"].notna().tolist() == [False, True, False, False]
    assert set(found.sequence["arm"]) == {"a", "b"}


def test_a_sequential_test_without_an_effect_goes_on_and_then_ends():
    rows = units(3000)
    still = run(rows, settings=SEQUENTIAL, columns=BY_DAY, planned_units=8000, metrics=[SPEND])
    assert still.memo.decision is Decision.KEEP_RUNNING
    ended = run(rows, settings=SEQUENTIAL, columns=BY_DAY, metrics=[SPEND])
    assert ended.memo.decision is Decision.DO_NOT_SHIP
    single = run(rows, metrics=[SPEND]).effects.iloc[0]
    wide = ended.effects.iloc[0]
    assert wide["effect_upper"] - wide["effect_lower"] > 1.4 * (
        single["effect_upper"] - single["effect_lower"]
    )


def test_a_sequential_test_stops_for_harm():
    rows = units(4000, loss=0.5)
    found = run(
        rows, settings=SEQUENTIAL, columns=BY_DAY, planned_units=9000, metrics=[SPEND, VISITS]
    )
    assert found.memo.decision is Decision.DO_NOT_SHIP
    assert found.guardrails["verdict"].tolist() == [Verdict.FAIL]


def test_a_guardrail_in_doubt_holds_back_a_gain():
    rows = units(2000, effects={"new": 3.0})
    tight = VISITS.model_copy(update={"margin": 0.001})
    found = run(rows, metrics=[SPEND, tight])
    assert found.guardrails["verdict"].tolist() == [Verdict.NOT_EVALUATED]
    assert found.memo.decision is Decision.DO_NOT_SHIP
    assert found.memo.title.en.endswith("a guardrail is not shown to hold.")


def test_segments_come_with_their_status():
    rows = units(4000)
    rows = rows.assign(other=np.where(rows.index % 2, "x", "y"))
    found = run(rows, declared=["region"], exploratory=["other"], metrics=[SPEND]).segments
    assert dict(zip(found["segment"], found["status"], strict=True)) == {
        "region": "declared",
        "other": "exploratory",
    }
    looked = run(
        rows, settings=SEQUENTIAL, columns=BY_DAY, declared=["region"], metrics=[SPEND]
    ).segments
    assert set(looked["status"]) == {"exploratory"}


def test_a_covariate_from_after_the_start_is_refused_as_one():
    rows = units(3000, effects={"new": 2.0})
    rows = rows.assign(leak=rows["spend"] + np.random.default_rng(0).normal(size=len(rows)))
    metric = SPEND.model_copy(update={"covariates": ("leak",)})
    found = run(rows, metrics=[metric])
    assert found.memo.decision is Decision.NOT_EVALUATED
    assert "they are not from before the experiment" in found.effects["note"].iloc[0]


def test_units_whose_outcome_is_not_complete_count_for_the_ratio_alone():
    rows = units(3000)
    rows.loc[2000:, "day"] = pd.NaT
    found = run(rows, columns=BY_DAY, planned_units=2000)
    assert found.sample_ratio.table["n"].iloc[0] == 3000
    assert found.effects[["n", "n_control"]].iloc[0].sum() == 2000


@pytest.mark.parametrize(
    ("change", "more", "says"),
    [
        (
            lambda r: pd.concat([r, r.iloc[:3]]),
            {},
            "3 rows repeat a customer_id; sum up to one row",
        ),
        (lambda r: r.assign(arm="new!"), {}, r"arms \['new!'\] are not of ab"),
        (lambda r: r.assign(arm=None), {}, "'arm' has 300 nulls"),
        (lambda r: r.iloc[:0], {"planned_units": None}, "no rows; was anybody assigned"),
        (lambda r: r, {"declared": ["regoin"]}, "no column 'regoin'; did you mean 'region'"),
        (lambda r: r, {"settings": SEQUENTIAL}, "columns.ready is missing"),
        (lambda r: r, {"planned_units": 0}, "planned_units == 0: must be a whole number above 0"),
        (lambda r: r, {"planned_units": 99.5}, "planned_units == 99.5: must be a whole number"),
        (lambda r: r, {"declared": "region"}, "give a list of columns"),
        (lambda r: r, {"declared": ["region"], "exploratory": ["region"]}, "name each once"),
        (
            lambda r: pd.concat(
                [r, r.iloc[:1].assign(arm="new"), r.iloc[:1].assign(arm="control")]
            ),
            {},
            "1 of customer_id stand in more than one arm",
        ),
        (lambda r: r.assign(day=["x", 1] * 150), {"columns": BY_DAY}, "have no order; give days"),
        (lambda r: r.assign(spend=r["spend"] * 1e300), {}, "has values beyond 1e"),
        (lambda r: r.assign(spend=r["day"]), {}, "'spend' is a time"),
        (lambda r: r.assign(spend="a lot"), {}, "'spend' has values that are no numbers"),
        (lambda r: r.assign(spend=np.inf), {}, "Give 0 to a unit that did nothing"),
        (
            lambda r: r.assign(before=r["spend"]),
            {"metrics": [SPEND.model_copy(update={"covariates": ("before",)})]},
            "covariate 'before' has the values of the metric itself",
        ),
    ],
)
def test_errors_teach(change, more, says):
    with pytest.raises(ValueError, match=says):
        run(change(units(300)), **more)


def test_before_any_unit_is_complete_nothing_is_judged():
    rows = units(600).assign(day=pd.NaT)
    for settings in (FIXED, SEQUENTIAL):
        found = run(rows, settings=settings, columns=BY_DAY, planned_units=None)
        assert found.memo.decision is Decision.NOT_EVALUATED
        assert "no unit is complete yet" in found.effects["note"].iloc[0]


def test_skewed_values_are_judged_by_the_assignment_and_say_so():
    """Money as it is, one in ten treated: what a t test would claim in 8 to 11% of nothing."""
    trial = Experiment(name="rare", salt="rare-trial", shares={"control": 0.9, "new": 0.1})
    rng, claims = np.random.default_rng(11), 0
    for seed in range(30):
        rows = units(1500, seed, trial).assign(spend=rng.lognormal(0, 1.5, 1500))
        settings = FIXED.model_copy(update={"n_permutations": 400})
        found = run(rows, trial, [SPEND], settings)
        row = found.effects.iloc[0]
        assert row["test"] == "randomisation"
        claims += row["shown"]
        agree = row["effect_lower"] > 0 or row["effect_upper"] < 0
        assert bool(row["shown"]) == bool(agree)
    assert claims <= 5  # P(6 or more of 30 at 5%) is 0.3%
    assert "judged by drawing the assignment again" in found.memo.markdown("en")
    again = run(rows, trial, [SPEND], settings).effects.iloc[0]
    assert again["effect_lower"] == row["effect_lower"]


def test_overwhelming_harm_is_judged_however_rare_the_outcome():
    """70 orders of some 2,000 units beside 9: no chance, though 9 are few."""
    rows = units(4000, effects={"new": 1.0})
    within = rows.groupby("arm").cumcount()
    rows["ordered"] = (within < np.where(rows["arm"] == "new", 9, 70)).astype(int)
    row = run(rows, metrics=[ORDERS]).effects.iloc[0]
    assert (row["test"], row["verdict"]) == ("randomisation", "worse")
    assert row["p_value"] < 1e-9
    guard = ORDERS.model_copy(update={"role": "guardrail", "margin": 0.1})
    found = run(rows, metrics=[SPEND, guard])
    assert found.guardrails["verdict"].tolist() == [Verdict.FAIL]
    assert found.memo.title.en == "Do not ship: a gain is shown, but a guardrail is broken."


def test_nothing_is_changed_in_place():
    rows = units(600)
    kept = rows.copy(deep=True)
    run(rows, metrics=[SPEND, CLICKS], declared=["region"], columns=BY_DAY)
    pd.testing.assert_frame_equal(rows, kept)
