"""The report on a service, from live stores that a rehearsal filled: the planted truth is found."""

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import psycopg
import pytest
import toy_shop

from mkt_models import cli
from mkt_models.decisions.alternatives import BEST, NEVER
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.loading import ParamsError
from mkt_models.monitoring.alarms import Outcome, by_rule
from mkt_models.rehearsal import Chance, rehearse
from mkt_models.reporting import about_numbers
from mkt_models.served import report, write
from mkt_models.served_params import ServedRule
from mkt_models.store.engine import migrate, open_live
from mkt_models.store.live import LiveStore
from mkt_models.store.reading import LiveReader
from mkt_models.store.records import ContactStatus
from mkt_models.store.snapshot import Store
from mkt_models.workspace import MissingInputError, NotAvailableError, Workspace

CUSTOMERS = 220
SIX_DAYS = {
    "served.days": 15,
    "served.effect_days": 6,
    "served.reward_days": 6,
    "served.min_customers": 40,
    "served.n_bootstrap": 199,
    "experiments.min_units": 40,
    "experiments.tightest_at": CUSTOMERS,
    "privacy.min_cell": 1,
    # As the rehearsal decides, so that the store is analysed as one that a service filled.
    "decisions.holdout_share": 0.5,
    "decisions.exploration": {"method": "epsilon", "epsilon": 0.5},
    "served.rehearsal": {
        "days": 14,
        "holdout_share": 0.5,
        "epsilon": 0.5,
        "p_purchase": 0.2,
        "lift": 0.6,
        "mean_amount": 30.0,
        "p_complaint": 0.0,
    },
}


def opened(project: Path, **overrides: object) -> Workspace:
    file = project / "params" / "sample.yaml"
    return Workspace.open(file, SIX_DAYS | overrides)


def rehearsed(ws: Workspace, address: str | Path, seed: int = 3) -> list[Chance]:
    how = ws.params.served.rehearsal
    assert how is not None
    catalogue = load_catalogue(ws.params_folder / "catalogue.yaml")
    path = ws.existing("decisions", "snapshot.sqlite")
    with Store.open(path) as snapshot, LiveStore.open(address) as live:
        return rehearse(snapshot, live, ws.params, catalogue, how, seed)


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MKT_STORE_URL", raising=False)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Chance]]:
    """A project whose live store a rehearsal filled, and the truth."""
    project = tmp_path_factory.mktemp("shop")
    root = Path(__file__).parents[1]
    (project / "params").mkdir()
    for name in ("complete_journey.yaml", "sample.yaml", "catalogue.yaml"):
        shutil.copy(root / "params" / name, project / "params" / name)
    ws = opened(project)
    toy_shop.leave(ws, CUSTOMERS)
    return project, rehearsed(ws, ws.bentoml_home / "live.sqlite")


def test_the_planted_effects_lie_in_the_intervals(filled: tuple[Path, list[Chance]]) -> None:
    project, truth = filled
    found = report(opened(project))
    assert not found.simulated
    first = {}
    for one in truth:
        first.setdefault(one.customer_id, one)
    treated = [one for one in first.values() if one.arm == "treatment"]
    # A purchase falls on any of the seven days until the next question; six of them count.
    bought = sum(one.given - one.without for one in treated) / len(treated) * 6 / 7
    assert bought > 0.4
    effects = found.tables["effects"].set_index("metric")
    for metric, planted in (("buyers", bought), ("spend", 30.0 * bought)):
        row = effects.loc[metric]
        assert row["effect_lower"] < planted < row["effect_upper"], metric
        assert (row["n"], row["n_control"]) == (len(treated), CUSTOMERS - len(treated))
        assert row["kind"] == "randomised"
    assert effects.loc["buyers", "verdict"] == "better"
    policies = found.tables["policies"].query("estimator == 'snips'").set_index("policy")
    complete = [one for one in truth if one.at + timedelta(days=6) <= found.until]
    never = 30.0 * 6 / 7 * sum(one.without for one in complete) / len(complete)
    assert policies.loc[NEVER, "value_lower"] < never < policies.loc[NEVER, "value_upper"]
    assert policies.loc[NEVER, "n"] == len(complete)
    assert "needs 100" in policies.loc[BEST, "note"]  # what it wants was served too seldom
    outcomes = by_rule(found.alarms, ServedRule)
    for rule in (ServedRule.SAMPLE_RATIO, ServedRule.HOLDOUT_EFFECT, ServedRule.CAPS):
        assert outcomes[rule] is Outcome.OK, rule


def test_counts_are_those_of_the_rehearsal(filled: tuple[Path, list[Chance]]) -> None:
    project, truth = filled
    tables = report(opened(project)).tables
    days = tables["days_answered"].set_index("day")
    assert int(days["decisions"].sum()) == len(truth) == 2 * CUSTOMERS
    assert int(days["held_out"].sum()) == sum(one.arm == "holdout" for one in truth)
    strategies = tables["strategies"].groupby("strategy")["decisions"].sum()
    assert strategies.to_dict() == Counter(one.strategy for one in truth)
    contacts = tables["contacts"]
    parts = ["sent", "not_sent", "withdrawn", "unreported", "open"]
    assert contacts[parts].to_numpy().sum() == contacts["planned"].sum()
    assert int(tables["contacts_by_day"]["sent"].sum()) == int(contacts["sent"].sum())
    # What came first was sent whenever the chance of a purchase rose.
    assert int(contacts["sent"].sum()) >= sum(one.given > one.without for one in truth)
    for table in tables.values():
        assert "customer_id" not in table
        text = table.to_csv()
        assert not any(one.customer_id in text for one in truth[:9])


def test_the_same_seed_gives_the_same_store(filled: tuple[Path, list[Chance]]) -> None:
    project, truth = filled
    ws = opened(project)
    some = ws.params.served.rehearsal.model_copy(update={"customers": 12})
    few = opened(project, **{"served.rehearsal": some.model_dump()})
    once, twice = (rehearsed(few, project / f"{name}.sqlite") for name in "ab")
    assert once == twice
    assert len(once) == 24
    assert once != truth[:24]


def test_small_cells_are_hidden_and_metrics_name_nobody(
    filled: tuple[Path, list[Chance]],
) -> None:
    project, _ = filled
    ws = opened(project, **{"privacy.min_cell": 1000})
    found = report(ws)
    assert found.tables["strategies"]["decisions"].isna().all()
    assert found.tables["outcomes"]["amount"].isna().all()
    few = "of fewer than 1000 customers"
    assert found.about().startswith(f"decisions {few}, contacts {few} and outcomes {few} from ")
    assert set(found.totals.values()) == {None}
    write(ws, found)
    text = ws.path("served", "metrics.json").read_text()
    assert "c00" not in text
    told = json.loads(text)
    assert told["rules"]["contact_policy"] == "ok"
    assert told["simulated"] is False
    assert {one["kind"] for one in told["headline"]} == {"randomised"}
    kinds = about_numbers({"served": told}, 0.95, 5)["kinds"]
    assert "served.totals" not in kinds  # there is none to tell
    assert kinds["served.effects"] == "randomised"
    assert kinds["served.policies"] == "by_row"


def test_what_was_not_permitted_is_an_alarm_and_the_command_says_so(
    filled: tuple[Path, list[Chance]], capsys: pytest.CaptureFixture[str]
) -> None:
    project, _ = filled
    ws = opened(project)
    path = project / "late.sqlite"
    shutil.copy(ws.bentoml_home / "live.sqlite", path)
    late = datetime(2018, 1, 16, tzinfo=UTC)
    with LiveReader.open(path) as reader:
        forgotten = reader.contacts(datetime(2018, 1, 1, tzinfo=UTC), late)
    row = next(one for one in forgotten if one["status"] == "planned" and one["until"] < late)
    with LiveStore.open(path) as live, live.turn(row["customer_id"], late) as turn:
        what = (row["decision_id"], row["strategy"], row["channel"], row["offer_id"])
        turn.report(*what, ContactStatus.SENT, late)
    found = report(ws, path)
    alarms = [one for one in found.alarms if one.rule is ServedRule.CONTACT_POLICY]
    assert [(one.outcome, one.figure.value) for one in alarms] == [(Outcome.ALARM, 1.0)]
    assert found.exit_code == 1
    words = ["monitor", str(project / "params" / "sample.yaml"), "--served", "--store", str(path)]
    cli.main(words)  # by the limits of the file, of which one is that of small cells
    told = capsys.readouterr().out
    assert f"contacts of fewer than {Workspace.open(words[1]).params.privacy.min_cell} cust" in told
    assert "1 of" not in told


def test_decisions_without_contacts_are_told_and_no_fault_is_an_alarm(
    filled: tuple[Path, list[Chance]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, _ = filled
    ws = opened(project)
    path = project / "quiet.sqlite"
    shutil.copy(ws.bentoml_home / "live.sqlite", path)
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("DELETE FROM exposures")
        plain.execute("DELETE FROM outcomes")
        # The server's clock is years ahead of the moments that the questions are about.
        plain.execute("UPDATE decisions SET decided_at = '2026-01-01 00:00:00.000000'")
        plain.commit()
    found = report(ws, path)
    assert (found.totals["decisions"], found.totals["contacts"]) == (2 * CUSTOMERS, 0)
    assert found.until.year < 2026
    assert "contacts" not in found.tables
    [lacking] = [one for one in found.alarms if one.rule is ServedRule.CONTACT_POLICY]
    assert lacking.outcome is Outcome.NOT_EVALUATED
    assert "no contacts yet" in lacking.what
    words = ["monitor", str(project / "params" / "sample.yaml"), "--served", "--store", str(path)]
    assert cli.main(words) in (0, 1, 3)
    assert "no contacts yet" in capsys.readouterr().out

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("mkt_models.served.report", broken)
    assert cli.main(words) == 2
    assert "ZeroDivisionError: by nothing" in capsys.readouterr().err


@pytest.mark.parametrize("apart", [False, True], ids=["clocks agree", "clocks apart"])
@pytest.mark.parametrize("ahead", ["2018-02-24 12:00:00.000000", "2099-01-01 00:00:00.000000"])
def test_a_question_about_a_later_moment_hides_no_service(
    filled: tuple[Path, list[Chance]], tmp_path: Path, apart: bool, ahead: str
) -> None:
    project, _ = filled
    ws = opened(project)
    path = tmp_path / "ahead.sqlite"
    shutil.copy(ws.bentoml_home / "live.sqlite", path)
    plain = report(ws, path)
    assert "left out" not in plain.about()
    with closing(sqlite3.connect(path)) as store:
        store.execute(
            "UPDATE decisions SET asked_for = ? WHERE rowid = (SELECT min(rowid) FROM decisions)",
            [ahead],
        )
        if apart:
            for table, at in (("decisions", "decided"), ("exposures", "recorded")):
                store.execute(f"UPDATE {table} SET {at}_at = '2026-01-01 00:00:00.000000'")
            store.execute("UPDATE outcomes SET recorded_at = '2026-01-01 00:00:00.000000'")
        store.commit()
    found = report(ws, path)
    assert found.until == plain.until
    assert found.totals["decisions"] == 2 * CUSTOMERS - 1
    assert f"Left out: 1 record about moments after {plain.until:%Y-%m-%d %H:%M}" in found.about()
    few = report(opened(project, **{"privacy.min_cell": 10}), path)
    assert "Left out: records of fewer than 10 customers about moments after" in few.about()


def test_without_a_store_nothing_is_said_of_a_service(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws = opened(project, **{"served.rehearsal": None})
    with pytest.raises(MissingInputError, match="03_profile"):
        report(ws)
    toy_shop.leave(ws, 3)
    with pytest.raises(NotAvailableError, match=r"no live store .*mkt serve.*MKT_STORE_URL"):
        report(ws, may_rehearse=True)
    with pytest.raises(NotAvailableError, match="no live store"):
        report(opened(project))  # a rehearsal is shown where it is asked for only
    assert cli.main(["monitor", str(project / "params" / "sample.yaml"), "--served"]) == 2
    assert "no live store" in capsys.readouterr().err
    LiveStore.open(ws.bentoml_home / "live.sqlite").close()
    with pytest.raises(NotAvailableError, match="nothing was decided"):
        report(ws)


def test_a_store_of_an_older_version_stops_no_run_and_is_not_touched(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws = opened(project)
    toy_shop.leave(ws, 3)
    path = ws.bentoml_home / "live.sqlite"
    LiveStore.open(path).close()
    older = open_live(path)
    migrate(older, "0002")
    older.dispose()
    before = path.read_bytes()
    with pytest.raises(NotAvailableError, match=r"sender_key.*brings it up to date when it starts"):
        report(ws, may_rehearse=True)
    assert path.read_bytes() == before
    assert cli.main(["monitor", str(project / "params" / "sample.yaml"), "--served"]) == 2
    assert "brings it up to date" in capsys.readouterr().err
    LiveStore.open(path).close()
    with pytest.raises(NotAvailableError, match="nothing was decided"):
        report(ws)


def test_too_few_customers_are_not_evaluated_and_a_rehearsal_says_what_it_is(
    project: Path,
) -> None:
    ws = opened(project)
    toy_shop.leave(ws, 10)
    found = report(ws, may_rehearse=True)
    assert found.simulated
    assert found.about().startswith("**Simulated.**")
    assert found.conclusion().startswith("Of a simulated service:")
    kinds = {str(kind) for t in found.tables.values() if "kind" in t for kind in t["kind"]}
    assert kinds == {"simulated"}
    outcomes = by_rule(found.alarms, ServedRule)
    too_few = (ServedRule.HOLDOUT_EFFECT, ServedRule.STRATEGY_MIX, ServedRule.REPORTS)
    for rule in (*too_few, ServedRule.COMPLAINTS, ServedRule.FAIRNESS):
        assert outcomes[rule] is Outcome.NOT_EVALUATED, rule
    assert found.exit_code == 3
    assert not ws.path("served", "live.sqlite").exists()
    write(ws, found)
    assert json.loads(ws.path("served", "metrics.json").read_text())["headline"] == []


def test_a_changed_holdout_is_not_evaluated(filled: tuple[Path, list[Chance]]) -> None:
    project, _ = filled
    found = report(opened(project, **{"decisions.holdout_share": 0.1}))
    [alarm] = [one for one in found.alarms if one.rule is ServedRule.HOLDOUT_EFFECT]
    assert alarm.outcome is Outcome.NOT_EVALUATED
    assert "is another holdout" in alarm.what
    assert found.effect is None


def test_a_postgresql_store_tells_the_same(project: Path, postgres_url: str) -> None:
    """Ten customers rehearsed on either database: the tables are equal."""
    name = "served_report"
    with psycopg.connect(postgres_url, autocommit=True) as plain:
        plain.execute(f'CREATE DATABASE "{name}"')
    try:
        ws = opened(project, **{"decisions.holdout_share": 0.5})
        toy_shop.leave(ws, 10)
        address = postgres_url.rpartition("/")[0] + f"/{name}"
        assert rehearsed(ws, address) == rehearsed(ws, project / "lite.sqlite")
        one, other = report(ws, address), report(ws, project / "lite.sqlite")
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as plain:
            plain.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert one.store == "PostgreSQL database served_report"
    assert one.totals == other.totals
    assert list(one.tables) == list(other.tables)
    for key, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[key])


def test_a_password_in_the_parameters_is_refused(project: Path) -> None:
    with pytest.raises(ParamsError, match="password does not belong"):
        opened(project, **{"served.store": "postgresql://me:secret@host/db"})
