"""What a run left, watched: alone, against an earlier run, and with tables that are absent."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy_models import FEATURES, toy, toy_facts

from mkt_models import cli
from mkt_models.columns import Model
from mkt_models.evaluation.performance import classification_table, regression_table
from mkt_models.loading import ParamsError
from mkt_models.models import registry
from mkt_models.models.backtest import MODEL
from mkt_models.monitored import FOLDER, _together, earlier_run, monitor, watched_model, write
from mkt_models.monitoring.alarms import Outcome, by_rule
from mkt_models.monitoring_params import Rule
from mkt_models.workspace import MissingInputError, Workspace

CUTOFFS = ("2017-09-25", "2017-10-09", "2017-10-23", "2017-11-06")
FEW = {"monitoring.n_bootstrap": 199}
EARLIER = {
    "run": "before",
    "profile.as_of": "2017-12-15",
    "churn.last": "2017-10-20",
    "value.last": "2017-09-15",
}


def features(day: str, n: int = 150, seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng([seed, pd.Timestamp(day).day_of_year])
    columns = {"customer_id": [f"c{i}" for i in range(n)], "as_of": pd.Timestamp(day)}
    columns["days_since_last_order"] = rng.integers(0, 90, n) * 1.0
    columns["orders_90d"] = rng.integers(1, 30, n) + shift
    columns["discount_share"] = rng.random(n)
    return pd.DataFrame(columns)


def leave(ws: Workspace, day: str, shift: float = 0.0) -> None:
    """Write what the stages of a run leave, of a churn and a value model."""
    today = features(day, shift=shift)
    gender = np.where(np.arange(150) % 2, "19-24", "25-34")
    people = today[["customer_id"]].assign(age_band=gender, income_band=None, marital_status=None)
    ws.write_table("profile", "features", today)
    ws.write_table("profile", "profiles", people)
    for model in (Model.CHURN, Model.VALUE):
        scorer = toy(model)
        tested = pd.concat([features(cutoff, seed=1) for cutoff in CUTOFFS], ignore_index=True)
        told = scorer.predict(tested[list(FEATURES)].to_numpy())
        rng = np.random.default_rng(5)
        true = (
            rng.random(len(told)) < told
            if model is Model.CHURN
            else told * 2 * rng.random(len(told))
        )
        tested = tested.assign(target=true * 1.0)
        predictions = tested[["customer_id", "as_of", "target"]].assign(**{MODEL: told})
        table = classification_table if model is Model.CHURN else regression_table
        performance = table(predictions, [MODEL], 199, 0.95, 1)
        facts = toy_facts(scorer, labels_until="2017-10-01")
        tag = registry.save(scorer, facts, ws.bentoml_home)
        name = model.value
        ws.write_table(name, "tested", tested)
        ws.write_table(name, "predictions", predictions)
        ws.write_table(name, "scores", today[["customer_id", "as_of"]].assign(score=0.1))
        ws.write_json(name, "model", {"tag": tag, "features": list(FEATURES)})
        ws.write_json(name, "metrics", {"performance": performance})
    ws.write_json("propensity", "not_available", {"why": "there are no campaigns"})
    decisions = people.assign(
        rank=1, strategy=np.where(np.arange(150) % 3, "promotion", "no_action")
    )
    ws.write_table("decisions", "decisions", decisions[["customer_id", "rank", "strategy"]])
    fell = pd.DataFrame({"reason": ["cap"], "customers": [40], "candidates": [50]})
    ws.write_table("decisions", "suppressed", fell)
    exposures = pd.DataFrame({"customer_id": ["c1", "c1"], "channel": "mail", "arm": None})
    ws.write_table("clean", "exposures", exposures.assign(sent_on=pd.Timestamp("2017-12-01")))


@pytest.fixture
def ws(project: Path) -> Workspace:
    opened = Workspace.open(project / "params" / "sample.yaml", FEW)
    leave(opened, "2018-01-01")
    return opened


def outcomes(found):
    return {rule.value: said.value for rule, said in by_rule(found.alarms).items()}


def test_a_run_alone(ws: Workspace) -> None:
    found = monitor(ws)
    said = outcomes(found)
    assert said["feature_drift"] == "ok"
    assert said["estimated_performance"] == said["realised_performance"] == "ok"
    assert said["strategy_mix"] == said["campaign_effect"] == "not_evaluated"
    # Two contacts on one day: the catalogue allows one.
    assert said["caps"] == "alarm"
    assert found.exit_code == 1
    whys = [one.what for one in found.alarms if one.outcome is Outcome.NOT_EVALUATED]
    assert "propensity: there are no campaigns" in whys
    roles = found.tables["performance"].groupby("role")["as_of"].unique()
    assert set(roles["reference"]) == set(CUTOFFS[:3])
    assert set(roles["current"]) == {"now", CUTOFFS[3]}


def test_a_column_that_nobody_could_evaluate_stays() -> None:
    # of a small shop no feature is tested: the notebook shows the column all the same
    one = pd.DataFrame({"feature": ["a"], "p_adjusted": [np.nan]})
    two = pd.DataFrame({"feature": ["b"], "p_adjusted": [np.nan], "note": ["few"]})
    found = _together([one, two, pd.DataFrame()])
    assert list(found) == ["feature", "p_adjusted", "note"]
    assert list(found["feature"]) == ["a", "b"]
    assert found["p_adjusted"].isna().all()
    assert _together([]).empty


def test_tables_alarms_and_metrics_are_written(ws: Workspace) -> None:
    found = monitor(ws)
    write(ws, found)
    assert ws.read_table(FOLDER, "alarms")["outcome"].iloc[0] == "alarm"
    metrics = ws.read_json(FOLDER, "metrics")
    assert (metrics["exit_code"], metrics["outcome"]) == (1, "alarm")
    assert metrics["headline"] == []
    for name in found.tables:
        assert len(ws.read_table(FOLDER, name)) == len(found.tables[name])


def test_against_an_earlier_run_its_models_are_watched(ws: Workspace, project: Path) -> None:
    before = Workspace.open(project / "params" / "sample.yaml", FEW | EARLIER)
    leave(before, "2017-12-15")
    leave(ws, "2018-01-01", shift=20.0)
    found = monitor(ws, before)
    said = outcomes(found)
    assert said["feature_drift"] == "alarm"
    assert said["strategy_mix"] == said["suppression"] == "ok"
    drifted = [one.subject for one in found.alarms if one.rule is Rule.FEATURE_DRIFT]
    assert "orders_90d" in drifted
    one = watched_model(ws, before, Model.CHURN)
    # Of these labels the earlier model had not learnt; its card says what it promised.
    assert one.labelled_now["as_of"].min() == pd.Timestamp("2017-10-09")
    assert one.promised["auc"].confidence == before.params.audit.confidence
    assert found.compared.startswith("before (as of 2017-12-15) with sample")


def test_an_earlier_run_must_be_earlier_and_be_there(ws: Workspace) -> None:
    with pytest.raises(ValueError, match="is no earlier run than sample"):
        monitor(ws, ws)
    with pytest.raises(ParamsError, match="nowhere"):
        earlier_run("nowhere", ws)
    assert earlier_run("complete_journey", ws).params.run == "complete_journey"


def test_a_run_that_has_not_run_is_an_error(project: Path) -> None:
    with pytest.raises(MissingInputError, match="03_profile"):
        monitor(Workspace.open(project / "params" / "sample.yaml"))


def test_the_command_tells_and_exits(
    ws: Workspace, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(project / "params" / "sample.yaml")
    assert cli.main(["monitor", path]) == 1
    told = capsys.readouterr().out
    assert told.startswith("ALARM")
    assert "Find the system that sent past the contact policy" in told
    assert cli.main(["monitor", path, "--language", "zh"]) == 1
    assert capsys.readouterr().out.startswith("有告警")
    assert cli.main(["monitor", path, "--against", "complete_journey"]) == 2
    assert "no earlier run" in capsys.readouterr().err
    ws.path("clean", "exposures.parquet").unlink()
    assert cli.main(["monitor", path]) == 3
    assert "NOT EVALUATED" in capsys.readouterr().out
