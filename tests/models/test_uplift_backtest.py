import numpy as np
import pandas as pd
import pytest
from models.test_uplift import QUICK, trial
from models.test_uplift_rates import counted

from mkt_models.models.uplift_backtest import Bootstrap, judged, uplift_backtest, uplift_scores
from mkt_models.workspace import NotAvailableError

SETTINGS = QUICK.model_copy(
    update={"response": "ordered", "test_campaigns": 2, "validation_campaigns": 1, "bins": 4}
)
HOW = Bootstrap(100, 0.95, 1)


def campaigns(n: int = 5, planted: bool = True) -> pd.DataFrame:
    """So many campaigns of ten days, one after the other, over the same 1,000 customers."""
    parts = []
    for i in range(n):
        start = pd.Timestamp("2020-01-01") + pd.Timedelta(days=28 * i)
        rows = trial(1000, seed=i)
        if not planted:
            rows["target"] = np.random.default_rng(i).permutation(rows["target"])
        parts.append(
            rows.assign(
                campaign_id=f"k{i}",
                campaign_type=["discount", "reminder"][i % 2],
                as_of=start,
                ends_on=start + pd.Timedelta(days=9),
                ordered=rows["target"],
                redeemed=rows["target"] * rows["treated"],
                spend=rows["target"] * 20,
            ).drop(columns="target")
        )
    return pd.concat(parts, ignore_index=True)


def test_what_is_planted_is_found_on_campaigns_that_chose_nothing() -> None:
    found = uplift_backtest(campaigns(), ["gain", "base"], SETTINGS, HOW)
    assert found.claim.effect
    assert found.claim.ranking
    assert set(found.predictions["campaign_id"]) == {"k3", "k4"}
    assert found.validation["n"].unique().tolist() == [1000]
    assert found.test["n"].unique().tolist() == [2000]
    by = found.validation.set_index("model")["qini"].drop("response")
    assert by.idxmax() == found.chosen.value == found.claim.learner
    chosen = found.test.set_index("model").loc[found.chosen.value]
    assert chosen["difference"] == 0
    assert chosen["qini_lower"] > 0
    assert found.effects["outcome"].tolist() == ["ordered", "redeemed", "spend"]
    assert found.by_type["group"].tolist() == ["discount", "reminder"]
    assert len(found.bins) == 4
    assert found.as_dict()["claims"] == {"effect": True, "ranking": True}
    pairs = campaigns(1)
    scores = uplift_scores(campaigns(), pairs, ["gain", "base"], SETTINGS, found, 1)
    assert scores["customer_id"].tolist() == pairs["customer_id"].tolist()
    assert np.corrcoef(scores["uplift"], pairs["uplift"])[0, 1] > 0.75
    assert set(scores["learner"]) == {found.chosen.value}


def test_the_learner_of_spend_is_chosen_by_what_it_gains_on_campaigns_held_out() -> None:
    # A contact multiplies orders of customers who differ tenfold: a ratio is what is there to find.
    def campaign(i: int) -> pd.DataFrame:
        start = pd.Timestamp("2020-01-01") + pd.Timedelta(days=28 * i)
        rows = counted(1500, seed=i).rename(columns={"target": "spend"})
        return rows.assign(
            campaign_id=f"k{i}",
            campaign_type="discount",
            as_of=start,
            ends_on=start + pd.Timedelta(days=9),
            ordered=(rows["orders"] > 0).astype(float),
            redeemed=rows["treated"] * (rows["orders"] > 0),
        )

    rows = pd.concat([campaign(i) for i in range(5)], ignore_index=True)
    spend = SETTINGS.model_copy(update={"response": "spend"})
    found = uplift_backtest(rows, ["gain", "base"], spend, HOW)
    by = found.validation.set_index("model")["qini"].drop("response")
    assert by.idxmax() == found.chosen.value
    scores = uplift_scores(rows, campaign(9), ["gain", "base"], spend, found, 1)
    assert set(scores["learner"]) == {found.chosen.value}
    # In currency units per contact.
    assert scores["uplift"].mean() == pytest.approx(campaign(9)["uplift"].mean(), rel=0.3)


def test_of_permuted_outcomes_nothing_is_claimed() -> None:
    found = uplift_backtest(campaigns(planted=False), ["gain", "base"], SETTINGS, HOW)
    assert not found.claim.effect
    assert not found.claim.ranking
    # What is not shown to rank is not kept.
    rows = campaigns(1)
    assert uplift_scores(rows, rows, ["gain"], SETTINGS, found, 1).empty


def test_the_learner_is_chosen_without_the_test_campaigns() -> None:
    rows = campaigns()
    late = rows["campaign_id"].isin(["k3", "k4"])
    other = rows.assign(ordered=rows["ordered"].where(~late, 1 - rows["ordered"]))
    one, two = (uplift_backtest(r, ["gain", "base"], SETTINGS, HOW) for r in (rows, other))
    assert one.chosen is two.chosen
    pd.testing.assert_frame_equal(one.validation, two.validation)
    columns = ["t_learner", "dr_learner", "class_transformation", "response"]
    pd.testing.assert_frame_equal(one.predictions[columns], two.predictions[columns])


def test_what_cannot_be_judged_says_why() -> None:
    with pytest.raises(NotAvailableError, match="3 campaigns were assigned at random, and 4 are"):
        uplift_backtest(campaigns(3), ["gain"], SETTINGS, HOW)
    found, said = judged(campaigns(3), ["gain"], SETTINGS, HOW)
    assert found is None
    assert said.startswith("not available: 3 campaigns were assigned at random, and 4 are needed")
    many = SETTINGS.model_copy(update={"min_arm": 5000})
    assert "customers were contacted, needs 5000" in judged(campaigns(), ["gain"], many, HOW)[1]
    withheld = SETTINGS.model_copy(update={"response": "redeemed"})
    said = judged(campaigns(), ["gain"], withheld, HOW)[1]
    assert said == "not available: uplift: all who were withheld have the same response"
    assert judged(campaigns(1).iloc[:0], ["gain"], SETTINGS, HOW) == (None, "")
