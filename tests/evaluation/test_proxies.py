import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from mkt_models.evaluation import proxies
from mkt_models.evaluation.proxies import (
    TOGETHER,
    _auc,
    in_words,
    leaning,
    proxy_table,
    telling_features,
)


def people(n=600, strength=1.5):
    rng = np.random.default_rng(4)
    gender = np.array(["f", "m"])[np.arange(n) % 2]
    gender = np.where(np.arange(n) < 60, None, gender)
    out = pd.DataFrame({"customer_id": np.arange(n).astype(str), "gender": gender})
    out["sports"] = rng.normal(size=n) + strength * (gender == "m")
    out["recency"] = rng.normal(size=n)
    out["churn"] = rng.normal(size=n)
    return out


def table(rows, attributes=("gender",), min_group_size=50):
    return proxy_table(
        rows, list(attributes), ["sports", "recency"], ["churn"], min_group_size, 0.95, seed=1
    )


def test_an_auc_with_its_errors():
    rng = np.random.default_rng(1)
    values, mine = rng.integers(0, 6, 200).astype(float), rng.random(200) < 0.4
    found = _auc(values, mine)
    test = mannwhitneyu(values[mine], values[~mine], use_continuity=False, method="asymptotic")
    assert found.value == pytest.approx(test.statistic / (mine.sum() * (~mine).sum()))
    assert found.folded().interval(0.95)["p"] == pytest.approx(test.pvalue)
    # DeLong's variance from its definition.
    wins = np.sign(values[mine][:, None] - values[~mine][None, :]) / 2 + 0.5
    variance = wins.mean(1).var(ddof=1) / mine.sum() + wins.mean(0).var(ddof=1) / (~mine).sum()
    assert found.error == pytest.approx(np.sqrt(variance))


def test_q_values_by_hand():
    q = proxies.false_discovery_control(np.array([0.01, 0.04, 0.03, 0.5]))
    assert q == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_the_feature_that_tells_is_found_and_the_innocent_are_not():
    found, shares = table(people())
    # Two groups: one tells as much as the other.
    assert found["group"].unique().tolist() == ["f"]
    row = found.set_index("source")
    assert row["told"].to_dict() == {
        "sports": True,
        "recency": False,
        "churn": False,
        TOGETHER: True,
    }
    # Two normals 1.5 apart: Phi(1.5 / sqrt 2) = .856.
    assert row.loc["sports", "auc"] == pytest.approx(0.856, abs=0.03)
    assert row.loc["sports", "auc_lower"] < 0.856 < row.loc["sports", "auc_upper"]
    assert row.loc["recency", "auc"] >= 0.5
    assert row["n_known"].unique().tolist() == [540]
    assert shares["feature"].tolist() == ["sports", "recency"]
    assert shares["share"].sum() == pytest.approx(1)
    assert shares["share"].iloc[0] > 0.7
    said = in_words(found, {"sports": "spend on sports"})
    assert said[0].startswith("gender: all features together ")
    assert "spend on sports clearly tells f (AUC 0.8" in said[0]
    assert "the churn score is not shown to tell any group" in said[0]


def test_without_proxies_nothing_is_told():
    found, _ = table(people(strength=0.0))
    assert not found["told"].any()


def test_that_a_value_is_missing_may_tell():
    rows = people(strength=0.0)
    rows.loc[rows["gender"] == "m", "sports"] = np.nan
    found, _ = table(rows)
    assert found.set_index("source").loc["sports", "auc"] == pytest.approx(1)


def test_nobody_known_is_an_empty_table():
    found, shares = table(people().assign(gender=None))
    assert found.empty
    assert shares.empty
    assert in_words(found) == []
    assert telling_features(shares, {}).empty
    found, _ = table(people(), min_group_size=400)
    assert found.empty


def test_how_much_a_model_leans_on_proxies():
    shares = pd.DataFrame(
        {
            "attribute": ["gender"] * 4,
            "group": ["f", "f", "m", "m"],
            "feature": ["sports", "recency"] * 2,
            "share": [0.8, 0.2, 0.6, 0.4],
            "told": True,
        }
    )
    importance = pd.DataFrame({"feature": ["recency", "sports"], "share": [0.9, 0.1]})
    out = telling_features(shares, {"churn": importance, "other": importance.iloc[:1]}, top=1)
    assert out[["attribute", "feature"]].values.tolist() == [["gender", "sports"]]
    assert out["share"].tolist() == pytest.approx([0.7])
    assert out["churn"].tolist() == [0.1]
    assert out["other"].isna().all()
    # min(.7, .1) + min(.3, .9)
    assert leaning(shares, importance).to_dict() == pytest.approx({"gender": 0.4})
    # Of a predictor that tells nothing, the shares are noise.
    assert leaning(shares.assign(told=False), importance).empty
    assert telling_features(shares.assign(told=False), {"churn": importance}).empty


def test_one_row_per_customer():
    rows = people()
    with pytest.raises(ValueError, match="customer_id stands twice"):
        table(pd.concat([rows, rows]))
