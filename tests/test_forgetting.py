import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from postgres import database

from mkt_models.cli import main
from mkt_models.forgetting import forget_customer, receipt_text, trained_on
from mkt_models.privacy_params import Privacy
from mkt_models.sources.pseudonyms import PrivacyError, pseudonym, read_forgotten
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Outcome, SnapshotMeta
from mkt_models.store.snapshot import Store
from mkt_models.workspace import Workspace

KEY = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOT_PARAMS = "params"


@pytest.fixture
def ws(tmp_path, monkeypatch):
    """A small run: customer c-1 is also known as c-2 and ordered before a cutoff; c-3 stays."""
    from pathlib import Path

    monkeypatch.setenv("MKT_PRIVACY_KEY", KEY)
    monkeypatch.delenv("MKT_STORE_URL", raising=False)
    monkeypatch.setenv("MKT_ROOT", str(tmp_path))
    root = Path(__file__).parents[1]
    ws = Workspace.open(root / "params" / "sample.yaml")
    people = pd.DataFrame({"customer_id": ["c-1", "c-3"], "score": [0.1, 0.2]})
    ws.write_table("clean", "customers", people[["customer_id"]])
    ws.write_table("churn", "scores", people)
    ws.write_table(
        "clean",
        "identity_map",
        pd.DataFrame(
            {"source_customer_id": ["c-1", "c-2", "c-3"], "customer_id": ["c-1", "c-1", "c-3"]}
        ),
    )
    last = ws.params.churn.last
    orders = pd.DataFrame(
        {
            "customer_id": ["c-1", "c-3"],
            "local_date": pd.to_datetime([last, date(2010, 1, 1)]) - pd.Timedelta(days=1),
        }
    )
    ws.write_table("clean", "transactions", orders)
    ws.write_table("raw", "customers", pd.DataFrame({"customer_id": ["c-1", "c-2", "c-3"]}))
    ws.write_json("decisions", "showcase", ["c-1", "c-3"])
    Store.write_snapshot(
        ws.path("decisions", "snapshot.sqlite"),
        SnapshotMeta(as_of="2018-01-01"),
        [{"customer_id": name, "as_of": "2018-01-01"} for name in ("c-1", "c-3")],
    )
    ws.reports.mkdir(parents=True)
    (ws.reports / "customer_1.html").write_text("<h1>Customer c-1</h1>")
    (ws.reports / "c-1.txt").write_text("nothing")
    (ws.reports / "index.html").write_text("<h1>Report</h1><h3>Customer 1</h3>")
    (ws.reports / "05_churn.html").write_text("<td>rank 1</td><td>last order: 17 days</td>")
    (ws.reports / "01_explore.html").write_text("<h1>Rows</h1>")
    (ws.build / "run.log").write_text("asked for c-2\nasked for c-3\n")
    (ws.build / "releases.jsonl").write_text('{"model": "churn", "version": "abc"}\n')
    return ws


def everything(ws):
    return "".join(
        path.name + path.read_bytes().decode("latin-1")
        for folder in (ws.build, ws.reports)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".parquet"
    )


def test_a_customer_goes_from_every_place_and_the_others_stay(ws):
    receipt = forget_customer(ws, "c-1", NOW)
    assert receipt["remaining"] == {}
    assert "c-1" not in everything(ws)
    assert "c-2" not in everything(ws)
    assert "c-3" in everything(ws)
    for stage, table in (("clean", "customers"), ("churn", "scores"), ("raw", "customers")):
        assert list(ws.read_table(stage, table)["customer_id"]) == ["c-3"]
    assert list(ws.read_table("clean", "identity_map")["source_customer_id"]) == ["c-3"]
    with Store.open(ws.path("decisions", "snapshot.sqlite")) as store:
        assert [one["customer_id"] for one in store.customers()] == ["c-3"]
    assert not (ws.reports / "customer_1.html").exists()
    assert (ws.reports / "01_explore.html").exists()
    # Who stands there without an id cannot be told.
    assert not (ws.reports / "index.html").exists()
    assert not (ws.reports / "05_churn.html").exists()


def test_the_receipt_counts_and_names_nobody(ws):
    receipt = forget_customer(ws, "c-1", NOW)
    who = pseudonym("c-1", KEY)
    (file,) = (ws.root / "forgotten" / "receipts").iterdir()
    assert file.name == f"{who}-sample-20260102T030405.json"
    text = file.read_text()
    assert json.loads(text) == receipt
    assert "c-1" not in text
    assert "c-2" not in text
    assert receipt["customer"] == who
    assert receipt["ids"] == 2
    assert receipt["removed"]["build/sample/raw/customers.parquet"] == 2
    assert receipt["removed"]["build/sample/run.log"] == 1
    assert receipt["removed"]["reports/sample/(named by the customer)"] == 1
    assert receipt["not_searched"] == []
    told = receipt_text(receipt)
    assert "nothing is left" in told
    assert "learnt from the customer: churn (mkt-churn:abc)" in told


def test_the_list_of_those_forgotten_has_all_accounts(ws):
    forget_customer(ws, "c-2", NOW)
    known = read_forgotten(ws.root / "forgotten" / "customers.txt")
    assert known == {pseudonym("c-1", KEY), pseudonym("c-2", KEY)}


def test_a_dry_run_changes_nothing(ws):
    before = everything(ws)
    receipt = forget_customer(ws, "c-1", NOW, dry_run=True)
    assert everything(ws) == before
    assert not (ws.root / "forgotten").exists()
    assert receipt["removed"]["build/sample/raw/customers.parquet"] == 2
    assert "Nothing was changed" in receipt_text(receipt)


def test_forgetting_twice_finds_nothing_and_what_is_no_customer_is_refused(ws):
    forget_customer(ws, "c-1", NOW)
    before = everything(ws)
    assert forget_customer(ws, "c-1", NOW)["removed"] == {}
    for stranger in ("c-9", "marketing", "''"):
        with pytest.raises(PrivacyError, match="nobody of this id"):
            forget_customer(ws, stranger, NOW)
    assert everything(ws) == before


def test_a_number_of_the_catalogue_is_no_customers_id(ws):
    rules = ws.bentoml_home / "models" / "mkt-snapshot" / "v" / "catalogue.yaml"
    rules.parent.mkdir(parents=True)
    rules.write_text("from_amount: 1000\n")
    ws.write_table("churn", "scores", pd.DataFrame({"customer_id": ["1000", "c-3"]}))
    assert forget_customer(ws, "1000", NOW)["remaining"] == {}
    assert rules.read_text() == "from_amount: 1000\n"


def test_a_pseudonymous_run_forgets_by_the_id(ws):
    who = pseudonym("c-7", KEY)
    ws.write_table("churn", "scores", pd.DataFrame({"customer_id": [who, "c-3"]}))
    receipt = forget_customer(ws, "c-7", NOW)
    assert receipt["removed"] == {
        "build/sample/churn/scores.parquet": 1,
        "reports/sample/05_churn.html": 1,
        "reports/sample/index.html": 1,
    }
    assert list(ws.read_table("churn", "scores")["customer_id"]) == ["c-3"]


def test_models_learnt_from_whoever_ordered_before_a_cutoff(ws):
    told = trained_on(ws, ["c-1"])
    assert told["churn"] == {"learnt_from": True, "rows": 1, "versions": ["mkt-churn:abc"]}
    assert told["recommender"]["learnt_from"]
    assert not told["propensity"]["learnt_from"]
    other = trained_on(ws, ["c-3"])
    assert not other["churn"]["learnt_from"]
    assert other["recommender"]["learnt_from"]


@pytest.mark.parametrize("named", [False, True])
def test_the_live_store_forgets_too_wherever_it_is(ws, monkeypatch, tmp_path, named):
    address = tmp_path / "elsewhere.sqlite" if named else ws.bentoml_home / "live.sqlite"
    if named:
        monkeypatch.setenv("MKT_STORE_URL", f"sqlite:///{address}")
    with LiveStore.open(address) as live:
        for one in ("c-1", "c-2", "c-3"):
            with live.turn(one, NOW) as turn:
                turn.outcome(Outcome(f"o-{one}", "click", NOW))
    receipt = forget_customer(ws, "c-1", NOW)
    assert receipt["stores"]["outcomes"] == 2
    assert receipt["remaining"] == {}
    with LiveStore.open(address) as live:
        assert live.holds("c-1") == live.holds("c-2") == {}
        assert live.holds("c-3") == {"outcomes": 1}
        assert {live.digest_of(one) for one in ("c-1", "c-2")} <= live.erased()


@pytest.mark.parametrize("name", ["x" * 80, "a'b/../c", "客户 1", "..", "a&b"])
def test_an_odd_id_goes_as_any_other(ws, name):
    people = pd.DataFrame({"customer_id": [name, "c-3"], "score": [0.1, 0.2]})
    ws.write_table("churn", "scores", people)
    LiveStore.open(ws.bentoml_home / "live.sqlite").close()
    receipt = forget_customer(ws, name, NOW)
    assert receipt["remaining"] == {}
    assert ws.read_table("churn", "scores")["customer_id"].tolist() == ["c-3"]


def test_without_a_key_or_an_id_nothing_is_done(ws, monkeypatch, capsys):
    with pytest.raises(PrivacyError, match="the id is empty"):
        forget_customer(ws, " ", NOW)
    with pytest.raises(ValueError, match="zone"):
        forget_customer(ws, "c-1", datetime(2026, 1, 1))
    monkeypatch.delenv("MKT_PRIVACY_KEY")
    with pytest.raises(PrivacyError):
        forget_customer(ws, "c-1", NOW)
    params = str(ws.params_folder / "sample.yaml")
    assert main(["forget", params, "c-1"]) == 2
    assert "MKT_PRIVACY_KEY is not set" in capsys.readouterr().err


def test_the_command_fails_when_something_remains(ws, monkeypatch, capsys):
    from mkt_models import forgetting

    params = str(ws.params_folder / "sample.yaml")
    assert main(["forget", params, "c-1", "--dry-run"]) == 0
    monkeypatch.setattr(forgetting, "erase", lambda *_: 0)
    assert main(["forget", params, "c-1"]) == 1
    assert "STILL THERE: build/sample" in capsys.readouterr().out
    monkeypatch.undo()


def test_a_table_without_columns_is_no_obstacle(ws):
    # what an audit without trials leaves; it is looked at first
    ws.write_table("audit", "benefit", pd.DataFrame())
    assert forget_customer(ws, "c-1", NOW)["remaining"] == {}


def test_where_ids_are_hashed_a_short_id_is_a_number_like_any_other(ws):
    ws = replace(ws, params=ws.params.model_copy(update={"privacy": Privacy(pseudonymise=True)}))
    who = pseudonym("76", KEY)
    people = pd.DataFrame({"customer_id": [who, "p_" + "0" * 32]})
    ws.write_table("profile", "profiles", people)
    ws.write_json("decisions", "counts", {"customer_counts": {"76": 3}, "bands": ["76", "77"]})
    (ws.reports / "01_explore.html").write_text("<p>76 of 100 customers</p>")
    (ws.reports / "page.html").write_text(f"<h1>Customer {who}</h1>")
    receipt = forget_customer(ws, "76", NOW)
    assert receipt["removed"] == {
        "build/sample/profile/profiles.parquet": 1,
        # These show single customers, whoever they are.
        "reports/sample/05_churn.html": 1,
        "reports/sample/index.html": 1,
        "reports/sample/page.html": 1,
    }
    assert (ws.reports / "01_explore.html").exists()
    assert receipt["remaining"] == {}
    assert receipt["not_searched"] == []
    assert ws.read_json("decisions", "counts")["bands"] == ["76", "77"]
    # who reported by the id itself is found by it all the same
    ws.write_table("raw", "reported", pd.DataFrame({"customer_id": ["76", "77"]}))
    assert forget_customer(ws, "76", NOW)["removed"] == {"build/sample/raw/reported.parquet": 1}


def test_the_receipt_says_that_no_live_store_was_searched(ws, capsys):
    params = str(ws.params_folder / "sample.yaml")
    assert main(["forget", params, "c-1"]) == 0
    told = capsys.readouterr().out
    assert "nothing is left in the run's files.\n" in told
    own = "build/sample/bentoml/live.sqlite"
    assert (
        f"NO LIVE STORE WAS SEARCHED: MKT_STORE_URL is not set, and the run has none at {own}. If"
        in told
    )
    (file,) = (ws.root / "forgotten" / "receipts").iterdir()
    assert json.loads(file.read_text())["live_store"] is None


@pytest.mark.parametrize("by", ["--store", "MKT_STORE_URL", "served.store"])
def test_the_receipt_names_the_live_store_that_was_searched(ws, monkeypatch, tmp_path, by):
    address = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
    with LiveStore.open(address) as live, live.turn("c-1", NOW) as turn:
        turn.outcome(Outcome("o", "click", NOW))
    if by == "MKT_STORE_URL":
        monkeypatch.setenv("MKT_STORE_URL", address)
    if by == "served.store":
        served = ws.params.served.model_copy(update={"store": "elsewhere.sqlite"})
        ws = replace(ws, params=ws.params.model_copy(update={"served": served}))
    named = address if by == "--store" else None
    counted = forget_customer(ws, "c-1", NOW, store=named, dry_run=True)
    assert counted["stores"] == {"outcomes": 1}
    assert "     1  rows of the live store elsewhere.sqlite\n" in receipt_text(counted)
    receipt = forget_customer(ws, "c-1", NOW, store=named)
    assert receipt["stores"]["outcomes"] == 1
    told = receipt_text(receipt)
    assert "nothing is left in the run's files and the live store elsewhere.sqlite.\n" in told
    assert "NO LIVE STORE" not in told
    with LiveStore.open(address) as live:
        assert live.holds("c-1") == {}


def test_a_live_store_that_is_not_there_is_refused_before_anything_is_removed(ws, tmp_path, capsys):
    before = everything(ws)
    params = str(ws.params_folder / "sample.yaml")
    assert main(["forget", params, "c-1", "--store", f"sqlite:///{tmp_path}/none.sqlite"]) == 2
    assert "none.sqlite: there is no such file" in capsys.readouterr().err
    assert everything(ws) == before
    assert not (tmp_path / "none.sqlite").exists()


def test_postgresql_is_named_without_its_password_and_so_is_what_stays_in_its_files(
    ws, monkeypatch, postgres_url, tmp_path
):
    with database(postgres_url, f"forget_{tmp_path.name}") as url:
        secret = url.replace("shop@", "shop:hidden@")
        with LiveStore.open(url) as live, live.turn("c-1", NOW) as turn:
            turn.outcome(Outcome("o", "click", NOW))
        receipt = forget_customer(ws, "c-1", NOW, store=secret)
        assert receipt["live_store"].startswith("postgresql://shop:***@127.0.0.1")
        assert receipt["dead_rows_in"] == []
        monkeypatch.setattr(LiveStore, "take_out", lambda _: ("outcomes", "decisions"))
        receipt = forget_customer(ws, "c-1", NOW, store=secret)
    assert "hidden" not in json.dumps(receipt)
    assert "may still hold removed rows of outcomes, decisions: see" in receipt_text(receipt)
