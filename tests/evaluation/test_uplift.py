import numpy as np
import pandas as pd
import pytest
from evaluation.trials import trial

from mkt_models.evaluation.qini import qini_table
from mkt_models.evaluation.uplift import Claim, effect_headline, effect_table, verdict

HOW = (200, 0.95, 1)


def claim(rows: pd.DataFrame, how: tuple[int, float, int] = HOW) -> Claim:
    effects = effect_table(rows, ["target"], *how)
    return verdict(effects, qini_table(rows, ["gain"], *how), "target", "gain", "the target")


def test_weighted_means_by_hand() -> None:
    rows = pd.DataFrame(
        {
            "customer_id": list("abcdefgh"),
            "treated": [1, 1, 1, 0, 1, 0, 0, 0],
            "assignment_probability": [0.8] * 4 + [0.2] * 4,
            "spend": [10.0, 12, 14, 6, 4, 1, 2, 3],
        }
    )
    row = effect_table(rows, ["spend"], *HOW).iloc[0]
    # Treated weigh 1.25 and 5, withheld 5 and 1.25.
    contacted, withheld = (1.25 * 36 + 5 * 4) / (3 * 1.25 + 5), (5 * 6 + 1.25 * 6) / (5 + 3 * 1.25)
    assert row["contacted"] == pytest.approx(contacted)
    assert row["withheld"] == pytest.approx(withheld)
    assert row["effect"] == pytest.approx(contacted - withheld)
    assert np.isnan(row["effect_lower"])  # so few rows: many draws lack an arm
    assert (row["n"], row["n_customers"], row["n_treated"]) == (8, 8, 4)


def test_unequal_assignment_is_put_right() -> None:
    rows = trial(6000, effect=0.1)
    naive = rows.groupby("treated")["target"].mean().diff().iloc[-1]
    row = effect_table(rows, ["target"], *HOW).iloc[0]
    assert naive > 0.19
    assert row["effect_lower"] < 0.1 < row["effect_upper"]


def test_groups_widen_their_intervals() -> None:
    rows = trial(6000, effect=0.0, spread=0.4)
    groups = effect_table(rows, ["target"], *HOW, by="kind").set_index("group")
    alone = effect_table(rows[rows["kind"] == "high"], ["target"], *HOW).iloc[0]
    assert groups.loc["high", "level"] == pytest.approx(0.975)
    assert groups.loc["high", "effect"] == pytest.approx(alone["effect"])
    assert groups.loc["high", "effect_lower"] > 0 > groups.loc["low", "effect_upper"]
    ends = groups.loc["high", ["effect_lower", "effect_upper"]]
    assert np.ptp(ends.astype(float)) > alone["effect_upper"] - alone["effect_lower"]


def test_a_group_of_one_arm_has_no_figure() -> None:
    rows = trial(500)
    rows.loc[rows["treated"] == 0, "kind"] = "low"
    groups = effect_table(rows, ["target"], *HOW, by="kind").set_index("group")
    assert np.isnan(groups.loc["high", "effect"])
    assert np.isnan(groups.loc["high", "effect_lower"])


def test_what_is_planted_is_claimed() -> None:
    found = claim(trial(4000, effect=0.1, spread=0.5))
    assert (found.effect, found.ranking, found.learner) == (True, True, "gain")
    assert found.says[0].startswith("A contact is shown to raise the target: +0.")
    assert found.says[1].startswith("The gain is shown to rank first whom a contact changes more")


def test_harm_and_a_ranking_upside_down_are_told() -> None:
    found = claim(trial(4000, effect=-0.15, spread=-0.5))
    assert (found.effect, found.ranking) == (True, False)
    assert found.says[0].startswith("A contact is shown to lower the target: -0.")
    assert found.says[1].startswith("The gain is shown to rank worse than chance")


def test_nothing_is_claimed_where_nothing_is() -> None:
    found = claim(trial(4000, effect=0.0, spread=0.0))
    assert (found.effect, found.ranking) == (False, False)
    assert found.says[0].startswith("No effect of a contact on the target is shown: ")
    assert found.says[1].startswith("No difference between customers is shown by the gain: ")


def test_claims_where_nothing_is_are_as_rare_as_promised() -> None:
    how = (100, 0.95, 1)
    claims = [claim(trial(300, seed, effect=0.0, spread=0.0), how) for seed in range(40)]
    # 5% and 2.5% are promised; more than so many of 40 come with a probability below 0.1%.
    assert sum(one.effect for one in claims) <= 7
    assert sum(one.ranking for one in claims) <= 5


def test_arms_that_contradict_their_probabilities_claim_nothing() -> None:
    found = claim(trial(4000, effect=0.2).assign(assignment_probability=0.35))
    assert (found.effect, found.ranking) == (False, False)
    assert "the assignment was not as recorded" in found.says[0]


def test_the_headline_says_its_kind() -> None:
    figure = effect_headline(effect_table(trial(), ["target"], *HOW), "target", "Added", "share")
    assert figure["kind"] == "randomised"
    assert figure["lower"] < figure["value"] < figure["upper"]
    assert figure["n"] == 2000


def test_errors_teach() -> None:
    with pytest.raises(ValueError, match="kind: every value is missing"):
        effect_table(trial(100).assign(kind=None), ["target"], *HOW, by="kind")
    with pytest.raises(ValueError, match="must be 0 or 1, with rows of both arms"):
        effect_table(trial(100).assign(treated=1), ["target"], *HOW)


def test_an_arm_in_which_nobody_responded_shows_nothing() -> None:
    # 14 of 285 contacted responded, and none of 15 withheld: Fisher's exact p is 1.
    treated = np.r_[np.zeros(15), np.ones(285)]
    rows = pd.DataFrame(
        {
            "customer_id": np.arange(300),
            "target": np.r_[np.zeros(15), np.ones(14), np.zeros(271)],
            "treated": treated,
            "assignment_probability": 0.95,
        }
    )
    row = effect_table(rows, ["target"], *HOW).iloc[0]
    assert np.isnan(row["effect_lower"])
    assert row["note"] == (
        "not judged: only 0 of those withheld responded otherwise than the rest, needs 10"
    )
    found = verdict(
        effect_table(rows, ["target"], *HOW),
        qini_table(rows.assign(gain=0.5), ["gain"], *HOW),
        "target",
        "gain",
    )
    assert (found.effect, found.ranking) == (False, False)
    assert found.says[0].startswith("No effect can be told: not judged: only 0 of those withheld")


@pytest.mark.parametrize(("p", "rate"), [(0.95, 0.05), (0.9, 0.02), (0.5, 0.2)])
def test_where_nothing_happens_few_trials_claim_an_effect(p: float, rate: float) -> None:
    rng = np.random.default_rng(7)
    claims = 0
    for seed in range(60):
        rows = pd.DataFrame(
            {
                "customer_id": np.arange(1500),
                "target": (rng.random(1500) < rate).astype(float),
                "treated": (rng.random(1500) < p).astype(float),
                "assignment_probability": p,
            }
        )
        row = effect_table(rows, ["target"], 100, 0.95, seed).iloc[0]
        claims += bool(row["effect_lower"] > 0 or row["effect_upper"] < 0)
    assert claims <= 8  # of 60; by chance alone in 1 of 100 such tests


def test_a_ranking_without_spread_is_not_evaluated() -> None:
    rows = trial(3000, effect=0.1).assign(gain=0.5)
    found = claim(rows)
    assert not found.ranking
    assert "nan" not in " ".join(found.says)


def test_names_that_the_tables_do_not_have_are_told() -> None:
    rows = trial(300)
    effects, ranking = effect_table(rows, ["target"], *HOW), qini_table(rows, ["gain"], *HOW)
    with pytest.raises(ValueError, match="outcome == 'targt'; did you mean 'target'"):
        verdict(effects, ranking, "targt", "gain")
    with pytest.raises(ValueError, match="learner == 'x'; the table has: gain"):
        verdict(effects, ranking, "target", "x")
    by_kind = effect_table(rows, ["target"], *HOW, by="kind")
    with pytest.raises(ValueError, match="the table has: no row of everybody"):
        verdict(by_kind, ranking, "target", "gain")
    with pytest.raises(ValueError, match="outcomes: name at least one"):
        effect_table(rows, [], *HOW)
