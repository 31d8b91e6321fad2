import hashlib
import hmac

import duckdb
import pytest

from mkt_models.privacy_params import Privacy
from mkt_models.sources.pseudonyms import (
    PrivacyError,
    Protection,
    add_forgotten,
    protected,
    pseudonym,
    read_forgotten,
    read_key,
)

KEY = "0123456789abcdef0123456789abcdef"


def write(folder):
    con = duckdb.connect()
    tables = {
        "customers": "SELECT * FROM (VALUES ('1', 1980), ('2', NULL), ('3', 1990)) t(customer_id, "
        "birth_year)",
        "social": "SELECT * FROM (VALUES ('1', '2'), ('3', NULL), ('2', '3')) t(customer_id, "
        "target_customer_id)",
        "identities": "SELECT * FROM (VALUES ('1', 'card', 'K-9'), ('2', 'card', 'K-8')) "
        "t(customer_id, kind, value)",
        "products": "SELECT '1' AS product_id",
        "unreadable": "SELECT * FROM (VALUES (1, 'a;2;x'), (2, 'b;1;y')) t(line, text)",
    }
    for name, query in tables.items():
        con.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
    truth = folder.parent / "truth"
    truth.mkdir()
    con.execute(f"COPY (SELECT '1' AS customer_id) TO '{truth}/customers.parquet' (FORMAT parquet)")
    return {"kind": "test"}


def run(tmp_path, protection):
    folder = tmp_path / "run" / "raw"
    folder.mkdir(parents=True)
    con = duckdb.connect()
    origin = protected(con, protection, write, folder)

    def rows(name):
        return con.execute(f"SELECT * FROM '{folder / name}.parquet'").fetchall()

    return origin, rows, folder


def test_a_pseudonym_is_the_keyed_hash():
    digest = hmac.new(KEY.encode(), b"1", hashlib.sha256).hexdigest()
    assert pseudonym("1", KEY) == "p_" + digest[:32]
    assert pseudonym("1", KEY[::-1]) != pseudonym("1", KEY)


def test_the_key_comes_from_the_environment_and_is_long(monkeypatch):
    monkeypatch.delenv("MKT_PRIVACY_KEY", raising=False)
    with pytest.raises(PrivacyError, match="MKT_PRIVACY_KEY is not set; give it a secret"):
        read_key(Privacy())
    monkeypatch.setenv("OTHER_KEY", "short")
    with pytest.raises(PrivacyError, match="OTHER_KEY has 5 characters") as error:
        read_key(Privacy(key_env="OTHER_KEY"))
    assert "short" not in str(error.value)
    monkeypatch.setenv("MKT_PRIVACY_KEY", KEY)
    assert read_key(Privacy()) == KEY


def test_nothing_to_do_needs_no_key_and_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("MKT_PRIVACY_KEY", raising=False)
    protection = Protection.of(Privacy(), tmp_path)
    origin, rows, _ = run(tmp_path, protection)
    assert origin == {"kind": "test"}
    assert [row[0] for row in rows("customers")] == ["1", "2", "3"]


def test_ids_become_pseudonyms_in_every_table_and_order_stays(tmp_path):
    origin, rows, folder = run(tmp_path, Protection(KEY, pseudonymise=True))
    one, two, three = (pseudonym(name, KEY) for name in "123")
    assert rows("customers") == [(one, 1980), (two, None), (three, 1990)]
    assert rows("social") == [(one, two), (three, None), (two, three)]
    assert [row[2] for row in rows("identities")] == [pseudonym("K-9", KEY), pseudonym("K-8", KEY)]
    assert rows("products") == [("1",)]
    assert {row[1] for row in rows("unreadable")} == {"[not kept: it may name a customer]"}
    assert not (folder.parent / "truth").exists()
    assert origin["privacy"] == {"pseudonymised": True, "forgotten": 0, "rows_left_out": {}}


def test_who_was_forgotten_does_not_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("MKT_PRIVACY_KEY", KEY)
    add_forgotten(tmp_path / "forgotten" / "customers.txt", [pseudonym("2", KEY)])
    protection = Protection.of(Privacy(), tmp_path)
    origin, rows, folder = run(tmp_path, protection)
    assert rows("customers") == [("1", 1980), ("3", 1990)]
    assert rows("social") == [("3", None)]
    assert rows("identities") == [("1", "card", "K-9")]
    assert rows("unreadable") == [(1, "[not kept: it may name a customer]"), (2, "b;1;y")]
    assert (folder.parent / "truth" / "customers.parquet").is_file()
    assert origin["privacy"]["rows_left_out"] == {
        "raw/customers": 1,
        "raw/identities": 1,
        "raw/social": 2,
    }


def test_pseudonyms_of_the_forgotten_are_left_out_too(tmp_path):
    protection = Protection(KEY, True, frozenset({pseudonym("2", KEY)}))
    _, rows, _ = run(tmp_path, protection)
    assert [row[0] for row in rows("customers")] == [pseudonym(name, KEY) for name in "13"]


def test_a_list_without_the_key_is_an_error(tmp_path, monkeypatch):
    monkeypatch.delenv("MKT_PRIVACY_KEY", raising=False)
    add_forgotten(tmp_path / "forgotten" / "customers.txt", ["p_x"])
    with pytest.raises(PrivacyError, match="is not set"):
        Protection.of(Privacy(), tmp_path)


def test_the_list_grows_and_names_each_once(tmp_path):
    file = tmp_path / "list.txt"
    assert read_forgotten(file) == frozenset()
    add_forgotten(file, ["p_a", "p_b"])
    add_forgotten(file, ["p_b", "p_c"])
    assert read_forgotten(file) == {"p_a", "p_b", "p_c"}
    assert len(file.read_text().splitlines()) == 4
