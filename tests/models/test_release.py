"""Releases in a toy run: first, replaced, kept, refused, retired; and what is handed on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy_models import FEATURES, table, toy, toy_facts

from mkt_models.columns import Model, ModelStatus, Verdict
from mkt_models.evaluation.gate_words import Reason
from mkt_models.models import registry
from mkt_models.models.card import Question, Words
from mkt_models.models.challenge import comparison_with
from mkt_models.models.ledger import FILE, LedgerError, Outcome
from mkt_models.models.release import (
    Audited,
    Released,
    ledger_of,
    release,
    release_table,
    released_in_words,
    write_releases,
)
from mkt_models.models.scorer import Scorer
from mkt_models.models.scoring import score_table
from mkt_models.workspace import Workspace

PARAMS = Path(__file__).parents[2] / "params" / "sample.yaml"
NOW = datetime(2018, 1, 2, 10, tzinfo=UTC)
KEYS = ["customer_id", "as_of"]
PASSED = Audited(Verdict.PASS)
BEYOND = Reason("age_band 19-34: beyond", "age_band 19-34：超出限值")
N = 900


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A run whose profiles are there."""
    monkeypatch.setenv("MKT_ROOT", str(tmp_path))
    found = Workspace.open(PARAMS, {"audit.n_bootstrap": 100})
    today = rows(50, "2018-01-01").drop(columns=["target", "hidden", "plain"])
    found.write_table("profile", "features", today)
    return found


def rows(n: int, *dates: str) -> pd.DataFrame:
    """Customers whose churn follows half the margin of the toy model, and something hidden."""
    rng = np.random.default_rng(len(dates))
    frame = pd.DataFrame(table(n, seed=9).astype(float), columns=list(FEATURES))
    told = toy().predict(frame.to_numpy())
    margin, hidden = 0.5 * np.log(told / (1 - told)), rng.normal(0, 1.2, n)
    frame.insert(0, "customer_id", [f"c{i}" for i in range(n)])
    frame.insert(1, "as_of", pd.to_datetime(np.resize(dates, n)))
    sharp, plain = (1 / (1 + np.exp(-m)) for m in (margin + hidden, 0.85 * margin))
    target = (rng.random(n) < sharp).astype(int)
    return frame.assign(target=target, hidden=sharp, plain=plain)


def train(
    ws: Workspace,
    *dates: str,
    quality: str = "plain",
    slope: float = 0.5,
    facts: dict[str, object] | None = None,
    **trained: object,
) -> str:
    """Leave what the stage 05_churn leaves; give the version."""
    scorer = toy(slope=slope)
    last = datetime.fromisoformat(dates[-1])
    until = (last + timedelta(days=56)).date().isoformat()
    given = {"last": dates[-1], "labels_until": until, **trained}
    card = toy_facts(scorer, **given).model_copy(update=facts or {})
    tag = registry.save(scorer, card, ws.bentoml_home)
    tested = rows(N, *dates)
    predictions = tested[[*KEYS, "target"]].assign(this_model=tested[quality])
    ws.write_table("churn", "predictions", predictions)
    ws.write_table("churn", "tested", tested.drop(columns=["hidden", "plain"]))
    ws.write_json("churn", "model", {"tag": tag})
    today = ws.read_table("profile", "features")
    ws.write_table("churn", "scores", score_table(today, KEYS, registry.load(tag, ws.bentoml_home)))
    return tag.partition(":")[2]


def decide(ws: Workspace, audited: Audited = PASSED, now: datetime = NOW) -> Released:
    return release(ws, Model.CHURN, audited, ledger_of(ws), now)


def status(ws: Workspace, version: str) -> ModelStatus:
    card = registry.read_card(registry.find(f"mkt-churn:{version}", ws.bentoml_home))
    return card.standing.status


def test_the_first_is_released_once(ws: Workspace) -> None:
    version = train(ws, "2017-06-05")
    found = decide(ws)
    assert (found.outcome, found.verdict) == (Outcome.FIRST, Verdict.PASS)
    assert ledger_of(ws).champion(Model.CHURN) == version
    assert status(ws, version) is ModelStatus.RELEASED
    again = decide(ws, now=NOW + timedelta(days=1))
    assert again.row() == found.row()
    assert again.challenger == found.challenger
    assert len(ledger_of(ws).entries) == 1


def test_a_pass_by_a_parameter_stands_in_card_and_ledger(ws: Workspace) -> None:
    train(ws, "2017-06-05")
    lenient = Reason("passed by audit.gate.undecided: pass", "因参数而通过", lenient=True)
    found = decide(ws, Audited(Verdict.PASS, (lenient, BEYOND)))
    told = found.challenger.standing.verdict_reasons
    assert told == (Words(en=lenient.en, zh=lenient.zh), Words(en=BEYOND.en, zh=BEYOND.zh))
    entry = ledger_of(ws).last(Model.CHURN)
    assert entry is not None
    assert "its audit passes (passed by audit.gate.undecided: pass)" in entry.reason.en
    assert "审计通过（因参数而通过）" in entry.reason.zh


def test_a_better_one_replaces_it_and_the_next_that_is_not_better_does_not(ws: Workspace) -> None:
    first = train(ws, "2017-06-05")
    decide(ws)
    second = train(ws, "2017-08-07", "2017-08-14", quality="hidden", slope=0.6)
    found = decide(ws)
    assert (found.outcome, found.challenger.version) == (Outcome.REPLACED, second)
    assert "test dates from 2017-07-31 on, unseen by both" in found.reason.en
    assert [status(ws, one) for one in (first, second)] == ["retired", "released"]
    third = train(ws, "2017-11-06", slope=0.7)
    kept = decide(ws)
    assert kept.outcome is Outcome.KEPT
    assert kept.champion is not None
    assert kept.champion.version == second
    assert kept.verdict is Verdict.PASS
    assert [status(ws, one) for one in (second, third)] == ["released", "refused"]
    shown = release_table([kept]).loc["churn"]
    assert (shown["trained"], shown["released"], shown["outcome"]) == (third, second, "kept")
    assert "not shown to be better" in released_in_words([kept])
    write_releases(ws, {Model.CHURN: kept}, {"recommender": Verdict.PASS})
    champion = registry.load(f"mkt-churn:{second}", ws.bentoml_home)
    scores = ws.read_table("release", "churn_scores")
    expected = champion.predict(ws.read_table("profile", "features")[list(FEATURES)].to_numpy())
    np.testing.assert_allclose(scores["score"], expected)
    assert set(scores["model"]) == {champion.tag}
    assert ws.read_json("release", "models")["churn"]["served_as"] == champion.tag
    assert ws.read_json("release", "verdicts") == {"churn": "pass", "recommender": "pass"}
    assert len(ws.read_json("release", "cards")) == 2
    assert len(ledger_of(ws).entries) == 3


def test_only_rows_that_the_champion_has_not_learnt_from_count(ws: Workspace) -> None:
    train(ws, "2017-06-05", labels_until="2017-08-10")
    champion = decide(ws).champion
    train(ws, "2017-08-07", "2017-08-14", quality="hidden", slope=0.6)
    assert champion is not None
    found = comparison_with(ws, Model.CHURN, champion)
    dates = ws.read_table("churn", "predictions")["as_of"]
    assert found.n == (dates == pd.Timestamp("2017-08-14")).sum() < len(dates)


def test_on_the_same_dates_backtest_meets_backtest(ws: Workspace) -> None:
    train(ws, "2017-06-05")
    decide(ws)
    second = train(ws, "2017-06-05", quality="hidden", slope=0.6)
    found = decide(ws)
    assert (found.outcome, found.challenger.version) == (Outcome.REPLACED, second)
    assert "backtest against backtest" in found.reason.en
    assert "回测对回测" in found.reason.zh


def test_where_nothing_can_be_compared_the_champion_stays(ws: Workspace) -> None:
    first = train(ws, "2017-11-06")
    decide(ws)
    train(ws, "2017-06-05", quality="hidden", slope=0.6)  # back in time: all labels are known to it
    found = decide(ws)
    assert found.outcome is Outcome.KEPT
    assert "not comparable: no row that neither was trained on" in found.reason.en
    assert "没有双方都未学习过的样本" in found.reason.zh
    assert ledger_of(ws).champion(Model.CHURN) == first


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.NOT_EVALUATED])
def test_without_a_pass_nothing_is_released_and_nothing_scored(
    ws: Workspace, verdict: Verdict
) -> None:
    version = train(ws, "2017-06-05")
    found = decide(ws, Audited(verdict, (BEYOND,)))
    assert (found.outcome, found.champion, found.verdict) == (Outcome.REFUSED, None, verdict)
    assert status(ws, version) is ModelStatus.REFUSED
    assert released_in_words([found]) == "Models: churn not released."
    write_releases(ws, {Model.CHURN: found}, {"value": Verdict.NOT_EVALUATED})
    assert not ws.path("release", "churn_scores.parquet").exists()
    told = ws.read_json("release", "models")["churn"]
    assert told["tag"] is None
    assert "age_band 19-34: beyond" in told["why"]
    assert ws.read_json("release", "verdicts")["churn"] == verdict.value


def test_ten_customers_or_one_class_are_not_evaluated(ws: Workspace) -> None:
    train(ws, "2017-06-05")
    predictions = ws.read_table("churn", "predictions")
    for few in (predictions.head(10), predictions.assign(target=0)):
        ws.write_table("churn", "predictions", few)
        found = decide(ws)
        assert (found.champion, found.verdict) == (None, Verdict.NOT_EVALUATED)
        assert "calibration could not be evaluated: only" in found.reason.en


def test_a_broken_calibration_fails(ws: Workspace) -> None:
    train(ws, "2017-06-05")
    predictions = ws.read_table("churn", "predictions")
    halved = predictions.assign(this_model=predictions["this_model"] / 2)
    ws.write_table("churn", "predictions", halved)
    found = decide(ws)
    assert (found.champion, found.verdict) == (None, Verdict.FAIL)
    assert "its calibration is broken" in found.reason.en


def test_a_champion_whose_own_audit_no_longer_passes_is_retired(ws: Workspace) -> None:
    version = train(ws, "2017-06-05")
    decide(ws)
    strict = Audited(Verdict.FAIL, (BEYOND,))
    found = decide(ws, strict)
    assert (found.champion, found.verdict) == (None, Verdict.FAIL)
    assert [one.outcome for one in ledger_of(ws).entries] == [Outcome.FIRST, Outcome.RETIRED]
    assert status(ws, version) is ModelStatus.REFUSED
    assert decide(ws).outcome is Outcome.FIRST


def test_a_champion_of_another_question_cannot_go_on(ws: Workspace) -> None:
    first = train(ws, "2017-06-05")
    decide(ws)
    month = Question(en="next 28 days", zh="28天", unit="probability", horizon_days=28)
    second = train(ws, "2017-06-05", facts={"question": month})
    found = decide(ws)
    assert (found.outcome, found.challenger.version) == (Outcome.FIRST, second)
    assert [one.outcome for one in ledger_of(ws).entries] == ["first", "retired", "first"]
    assert "another question" in ledger_of(ws).entries[1].reason.en
    assert status(ws, first) is ModelStatus.RETIRED


def test_a_champion_without_its_features_or_files_cannot_go_on(ws: Workspace) -> None:
    first = train(ws, "2017-06-05")
    decide(ws)
    features = ws.read_table("profile", "features")
    card = registry.read_card(registry.find(f"mkt-churn:{first}", ws.bentoml_home))
    moved = tuple(f.model_copy(update={"definition": "new"}) for f in card.facts.features)
    train(ws, "2017-08-07", facts={"features": moved})
    decide(ws)
    assert "defined otherwise now: days_since_last_order" in ledger_of(ws).entries[1].reason.en
    ws.write_table("profile", "features", features)
    second = ledger_of(ws).champion(Model.CHURN)
    train(ws, "2017-08-14", slope=0.9, facts={"features": moved})
    for file in (ws.bentoml_home / "models" / "mkt-churn" / str(second)).iterdir():
        file.unlink()
    (ws.bentoml_home / "models" / "mkt-churn" / str(second)).rmdir()
    assert decide(ws).outcome is Outcome.FIRST
    assert "no longer in the store" in ledger_of(ws).entries[-2].reason.en


def test_a_changed_champion_and_a_broken_ledger_stop_the_run(ws: Workspace) -> None:
    first = train(ws, "2017-06-05")
    decide(ws)
    train(ws, "2017-08-07", slope=0.6)
    path = Path(registry.find(f"mkt-churn:{first}", ws.bentoml_home).path_of(registry.TREES))
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(registry.RegistryError, match=f"mkt-churn:{first}: trees.ubj was changed"):
        decide(ws)
    (ws.build / FILE).write_text("{}\n")
    with pytest.raises(LedgerError, match="line 1: no entry"):
        ledger_of(ws)


def test_a_decision_that_was_cut_short_is_finished(ws: Workspace, churn: Scorer) -> None:
    first = train(ws, "2017-06-05")
    decide(ws)
    second = train(ws, "2017-08-07", "2017-08-14", quality="hidden", slope=0.6)
    before = registry.read_card(registry.find(f"mkt-churn:{second}", ws.bentoml_home)).standing
    decide(ws)
    # As if the process had ended right after the ledger was written.
    released = registry.read_card(registry.find(f"mkt-churn:{second}", ws.bentoml_home)).standing
    registry.set_standing(f"mkt-churn:{second}", before, ws.bentoml_home)
    registry.set_standing(f"mkt-churn:{first}", released, ws.bentoml_home)
    found = decide(ws)
    assert found.outcome is Outcome.REPLACED
    assert [status(ws, one) for one in (first, second)] == ["retired", "released"]
