import numpy as np
import pandas as pd
import pytest

from mkt_models.columns import Model
from mkt_models.evaluation.feature_figures import feature_table
from mkt_models.evaluation.leakage import LeakageError, check_leakage, in_words, leakage_findings
from mkt_models.guard_params import Guards

FEATURES = ["signal", "noise"]
REASON = "It is the price list of the shop, known long before the label begins."


def training(n=300, kind="classification", seed=0):
    """Rows of n customers at two dates: an honest signal, and noise with some values missing."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=2 * n)
    chance = 1 / (1 + np.exp(-signal))
    amount = np.round(rng.gamma(2, 1 + chance), 2)
    rows = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)] * 2,
            "target": (rng.random(2 * n) < chance) if kind == "classification" else amount,
            "signal": signal,
            "noise": np.where(rng.random(2 * n) < 0.1, np.nan, rng.normal(size=2 * n)),
        }
    )
    return rows.astype({"target": float})


def today(n=100, seed=9):
    return training(n, seed=seed).drop(columns="target").head(n)


def table_of(rows, serving=None, features=None, kind="classification", **more):
    extra = [c for c in rows.columns if c not in ("customer_id", "target", *FEATURES, "group")]
    if serving is None:
        serving = today()
        for name in extra:
            serving[name] = rows[name].head(len(serving)).to_numpy()
    return feature_table(rows, serving, features or [*FEATURES, *extra], kind, 0.95, **more)


def found_in(table, guards=None):
    found = leakage_findings(table, guards or Guards())
    return set(zip(found["feature"], found["finding"], strict=True))


def allowing(feature, finding, model="churn", **more):
    entry = {"model": model, "feature": feature, "finding": finding, "reason": REASON}
    return Guards.model_validate({"allowed": [entry], **more})


def test_an_honest_table_has_no_findings():
    for kind in ("classification", "regression"):
        table = table_of(training(kind=kind), kind=kind)
        assert found_in(table) == set()
        assert table["alone"].notna().all()
    assert check_leakage(table, Guards(), Model.VALUE).empty


def test_one_row_per_feature_with_counts_by_hand():
    rows = training()
    rows["noise"] = np.where(np.arange(600) < 150, np.nan, rows["noise"])
    serving = today().assign(noise=lambda t: np.where(np.arange(100) < 40, np.nan, t["noise"]))
    table = table_of(rows, serving).set_index("feature")
    assert table.loc["noise", ["n", "n_customers", "known"]].tolist() == [
        600,
        300,
        int(rows["noise"].notna().sum()),
    ]
    assert table.loc["noise", "missing"] == rows["noise"].isna().mean()
    assert table.loc["noise", "missing_serving"] == serving["noise"].isna().mean()
    assert table.loc["noise", "n_serving"] == 100
    assert table.loc["signal", "missing_alone"] != table.loc["signal", "missing_alone"]  # NaN
    assert 0.5 <= table.loc["noise", "missing_alone"] < 0.6


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_a_feature_made_of_the_label_is_too_good(sign, noise):
    rows = training()
    rng = np.random.default_rng(3)
    leak = sign * rows["target"] + noise * rng.normal(size=len(rows))
    table = table_of(rows.assign(leak=leak))
    assert ("leak", "too_good_alone") in found_in(table)
    assert (("leak", "duplicate_of_target") in found_in(table)) is (noise == 0)
    with pytest.raises(LeakageError, match=r"leak: too_good_alone: its AUC (1\.000|0\.9\d\d) \["):
        check_leakage(table, Guards(), Model.CHURN)


def test_the_lower_end_of_the_interval_decides():
    table = table_of(training()).assign(alone=0.95, alone_lower=0.9, alone_upper=0.99)
    assert found_in(table) == set()
    assert ("signal", "too_good_alone") in found_in(table.assign(alone_lower=0.9001))


def test_a_leak_at_both_ends_is_too_good():
    rows, rng = training(), np.random.default_rng(4)
    side = rng.choice([-1.0, 1.0], len(rows))
    rows["leak"] = np.where(rows["target"] == 1, side * rng.uniform(2, 3, len(rows)), side)
    table = table_of(rows)
    assert found_in(table) == {("leak", "too_good_alone")}
    assert (
        table.set_index("feature").loc["leak", "alone_lower"] < 0.9
    )  # one direction shows nothing
    with pytest.raises(LeakageError, match=r"low and high values taken together, its AUC 0\.9"):
        check_leakage(table, Guards(), Model.CHURN)


def test_an_amount_made_of_the_label_is_too_good():
    rows = training(kind="regression")
    table = table_of(
        rows.assign(leak=rows["target"] ** 2 + 0.001 * rows["signal"]), kind="regression"
    )
    assert found_in(table) == {("leak", "too_good_alone")}
    with pytest.raises(LeakageError, match=r"value: 1 feature cannot.*\n.*normalised Gini"):
        check_leakage(table, Guards(), Model.VALUE)


def test_being_missing_can_give_the_target_away():
    rows = training()
    rng = np.random.default_rng(3)
    gone = np.where(rows["target"] == 1, np.nan, rng.normal(size=len(rows)))
    table = table_of(rows.assign(cancelled_on=gone))
    assert table.set_index("feature").loc["cancelled_on", "missing_alone"] == 1.0
    found = leakage_findings(table, Guards())
    assert found["finding"].tolist() == ["too_good_alone"]


def test_constants_and_copies_are_noted_and_stop_nothing():
    rows = training()
    rows = rows.assign(one=1.0, none=np.nan, twice=7 - 2 * rows["noise"])
    table = table_of(rows)
    found = check_leakage(table, Guards(), Model.CHURN)
    assert found[["feature", "finding", "status"]].values.tolist() == [
        ["one", "constant", "noted"],
        ["none", "constant", "noted"],
        ["twice", "duplicate_of_feature", "noted"],
    ]
    assert found["says"].tolist() == [
        "one value in all 600 rows",
        "missing in all 600 rows",
        "it orders all 600 rows as noise does",
    ]
    assert "(3 noted); the strongest alone is signal, AUC 0." in in_words(table, found)


def test_a_flag_that_is_known_or_missing_is_no_constant():
    rows = training()
    flag = np.where(np.arange(600) % 3 == 0, 1.0, np.nan)
    assert found_in(table_of(rows.assign(flag=flag))) == set()


def test_what_today_does_not_have_is_found():
    rows = training()
    rng = np.random.default_rng(4)
    more = {name: rng.integers(0, 9, 600).astype(float) for name in ("gone", "zero", "fewer")}
    serving = today().assign(
        zero=0.0, fewer=np.where(np.arange(100) < 70, np.nan, np.arange(100.0))
    )
    assert found_in(table_of(rows.assign(**more), serving)) == {
        ("gone", "not_served"),
        ("zero", "missing_at_serving"),
        ("fewer", "missing_at_serving"),
    }
    unknown = serving.assign(gone=np.nan, zero=1.0)
    found = leakage_findings(table_of(rows.assign(**more), unknown), Guards())
    says = dict(zip(found["feature"], found["says"], strict=True))
    assert says["gone"] == "unknown today (n = 100), and 9 values in training"
    assert says["fewer"].startswith("missing for 70.0% [60.4%, 78.1%] today (n = 100), and for 0.0")
    assert ("fewer", "missing_at_serving") not in found_in(
        table_of(rows.assign(**more), unknown), Guards(max_missing_rise=0.65)
    )


def test_what_chance_makes_alike_today_is_no_finding():
    rows = training().assign(rare=(np.arange(600) == 5).astype(float))
    assert found_in(table_of(rows, today().assign(rare=0.0))) == set()


def test_a_feature_of_a_group_has_one_value_per_group_today():
    rng = np.random.default_rng(5)
    groups = rng.integers(0, 12, 600)
    rows = training().assign(group=groups, days=groups * 3.0)
    serving = today().assign(group=7, days=21.0)
    assert found_in(table_of(rows, serving, groups="group")) == set()
    assert found_in(table_of(rows, serving)) == {("days", "missing_at_serving")}
    many = today().assign(group=np.arange(100) % 10, days=21.0)
    assert found_in(table_of(rows, many, groups="group")) == {("days", "missing_at_serving")}


def test_nobody_today_is_said_and_stops_nothing():
    table = table_of(training(), today().head(0))
    found = check_leakage(table, Guards(), Model.CHURN)
    assert found.empty
    assert "not evaluated: who is scored today" in in_words(table, found)


def test_what_names_customers_or_is_sensitive_is_found_by_nature_and_by_name():
    rows = training()
    codes = pd.factorize(rows["customer_id"])[0]
    rows = rows.assign(
        number=codes * 10.0, tenure=codes + np.arange(600) // 300 * 14.0, shop_id=1.0, gender_f=0.0
    )
    stops = {
        (feature, finding) for feature, finding in found_in(table_of(rows)) if finding != "constant"
    }
    assert stops == {
        ("number", "identifier_like"),
        ("shop_id", "identifier_like"),
        ("gender_f", "sensitive"),
    }


def test_an_allowed_finding_is_listed_with_its_reason():
    rows = training()
    table = table_of(rows.assign(region=rows["noise"] + 1))
    found = check_leakage(table, allowing("region", "sensitive"), Model.CHURN)
    allowed = found[found["status"] == "allowed"]
    assert allowed["feature"].tolist() == ["region"]
    assert allowed["says"].item().endswith(f"allowed: {REASON}")
    with pytest.raises(LeakageError, match="region: sensitive"):
        check_leakage(table, allowing("region", "sensitive", "value"), Model.CHURN)
    with pytest.raises(LeakageError, match="region: sensitive"):
        check_leakage(table, allowing("region", "not_served"), Model.CHURN)


def test_an_entry_that_allows_nothing_is_stale():
    table = table_of(training())
    found = check_leakage(table, allowing("signal", "too_good_alone"), Model.CHURN)
    assert found[["feature", "status"]].values.tolist() == [["signal", "stale"]]
    assert "remove the entry" in found["says"].item()
    misspelt = check_leakage(table, allowing("signl", "sensitive"), Model.CHURN)
    assert "did you mean 'signal'?" in misspelt["says"].item()
    assert check_leakage(table, allowing("signl", "sensitive"), Model.VALUE).empty


def test_the_error_names_every_feature_and_both_remedies():
    rows = training()
    rows = rows.assign(first=rows["target"], gender=rows["noise"] * 2 + rows["signal"])
    with pytest.raises(LeakageError) as error:
        check_leakage(table_of(rows), Guards(), Model.CHURN)
    told = str(error.value)
    assert told.startswith("churn: 2 features cannot be used as they are:\n")
    assert "first: too_good_alone: its AUC 1.000 [0.98" in told
    assert "(n = 600 rows of 300 customers)" in told
    assert "gender: sensitive" in told
    assert "features: {drop_from: {churn: [first, gender]}}" in told
    assert "guards: {allowed: [{model: churn, feature: first, finding: duplicate_of_target" in told


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: rows.assign(target=0.0), "only 0 customers with a positive target, needs 5"),
        (lambda rows: rows.assign(target=1.0), "only 0 customers with a negative target, needs 5"),
        (
            lambda rows: rows[rows["customer_id"].isin([f"c{i}" for i in range(10)])],
            "only 10 customers, needs 20",
        ),
    ],
    ids=["no positives", "no negatives", "ten customers"],
)
def test_too_little_data_is_said_and_no_figure_given(change, why):
    rows = change(training())
    leak = rows.assign(leak=rows["target"])
    table = table_of(leak, today().assign(leak=1.0))
    assert table["alone"].isna().all()
    assert table["note"].unique().tolist() == [f"not evaluated: {why}"]
    found = leakage_findings(table, Guards())
    assert in_words(table, found).startswith(f"Not evaluated: {why}")


def test_ten_customers_still_show_a_copy_of_the_label():
    rows = training(10)
    table = table_of(rows.assign(leak=rows["target"]), today().assign(leak=1.0))
    assert ("leak", "duplicate_of_target") in found_in(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.nan}, "null or infinite"),
        ({"target": 2.0}, "must be 0 or 1"),
        ({"noise": np.inf}, "'noise' is infinite in 600 of 600 rows"),
        ({"noise": "much"}, "'noise' is no number"),
        ({"customer_id": None}, "customer_id has nulls"),
    ],
)
def test_what_is_no_number_is_an_error(change, message):
    with pytest.raises(ValueError, match=message):
        table_of(training().assign(**change), today())


def test_a_misspelt_feature_is_named():
    with pytest.raises(ValueError, match="no column 'nois'; did you mean 'noise'"):
        table_of(training(), features=["nois"])


def test_the_tables_are_left_as_they_were():
    rows, serving = training(), today()
    before = rows.copy(), serving.copy()
    feature_table(rows, serving, FEATURES, "classification", 0.95)
    pd.testing.assert_frame_equal(rows, before[0])
    pd.testing.assert_frame_equal(serving, before[1])
