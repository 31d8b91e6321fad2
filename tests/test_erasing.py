import html
import json
import sqlite3

import nbformat
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.erasing import REMOVED, Person, erase, mentions, searchable

WHO = Person(["936"])


def gone(path, person=WHO):
    assert mentions(path, person) == 0


def test_rows_of_a_table_go_and_its_schema_stays(tmp_path):
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame(
        {
            "customer_id": ["1", "936", None, "936"],
            "product_id": ["936", "2", "3", "4"],
            "day": pd.to_datetime(["2018-01-01"] * 4),
            "kind": pd.Categorical(["x", "y", "x", "y"]),
        }
    )
    frame.to_parquet(path, index=False)
    before = pq.read_schema(path)
    assert (mentions(path, WHO), erase(path, WHO)) == (2, 2)
    gone(path)
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame.iloc[[0, 2]].reset_index(drop=True))
    assert pq.read_schema(path).equals(before)
    assert [one.name for one in tmp_path.iterdir()] == ["a.parquet"]


def test_ids_that_are_numbers_are_found(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"source_customer_id": [936, 1]}).to_parquet(path)
    assert erase(path, WHO) == 1
    gone(path)


def test_a_table_without_people_is_left_alone(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"product_id": ["936"]}).to_parquet(path)
    before = path.read_bytes()
    assert erase(path, WHO) == 0
    assert path.read_bytes() == before


def test_rows_of_a_database_go_from_its_bytes_too(tmp_path):
    path = tmp_path / "a.sqlite"
    who = Person(["customer-936"])
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE customers (customer_id TEXT, document TEXT)")
        con.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        con.execute("INSERT INTO customers VALUES ('customer-936', '{}'), ('2', '{}')")
    con.close()
    assert b"customer-936" in path.read_bytes()
    assert erase(path, who) == 1
    gone(path, who)
    assert b"customer-936" not in path.read_bytes()


def test_json_loses_entries_and_ids_and_keeps_the_rest(tmp_path):
    path = tmp_path / "a.json"
    data = {
        "shown": ["1", "936"],
        "answers": [{"customer_id": "936", "worth": 1}, {"customer_id": "2"}],
        "by_customer": {"936": 1, "2": 2},
        "num_nodes": "936",
        "products": ["936"],
        "n": 936,
        "campaigns": {"936": 4},
    }
    path.write_text(json.dumps(data))
    assert erase(path, WHO) == 3
    gone(path)
    assert json.loads(path.read_text()) == {
        "shown": ["1"],
        "answers": [{"customer_id": "2"}],
        "by_customer": {"2": 2},
        "num_nodes": "936",
        "products": ["936"],
        "n": 936,
        "campaigns": {"936": 4},
    }


def test_a_long_id_goes_from_sentences_of_json_as_well(tmp_path):
    path, who = tmp_path / "a.json", Person(["C-00000936"])
    path.write_text(json.dumps({"why": "asked by C-00000936", "n": 1}))
    assert erase(path, who) == 1
    assert json.loads(path.read_text()) == {"n": 1}


def test_a_document_that_is_all_theirs_goes(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"customer_id": "936"}')
    assert erase(path, WHO) == 1
    assert not path.exists()


def test_lines_go_one_by_one(tmp_path):
    ledger, log = tmp_path / "a.jsonl", tmp_path / "a.log"
    ledger.write_text('{"customer_id":"936"}\n{"model":"churn"}\n')
    log.write_text("asked for 936\nasked for 9360\ntook 0.936 s, 936.5 kB\n")
    assert (erase(ledger, WHO), erase(log, WHO)) == (1, 1)
    assert ledger.read_text() == '{"model": "churn"}\n'
    assert log.read_text() == "asked for 9360\ntook 0.936 s, 936.5 kB\n"


def test_outputs_of_a_notebook_that_name_the_person_are_replaced(tmp_path):
    path = tmp_path / "a.ipynb"
    html = {"text/plain": "936  coupon", "text/html": "<th>936</th>"}
    cells = [
        nbformat.v4.new_code_cell(
            "show()",
            outputs=[
                nbformat.v4.new_output("display_data", html),
                nbformat.v4.new_output("stream", text="n = 9,936 rows"),
                nbformat.v4.new_output("display_data", {"image/png": "a/936/b"}),
            ],
        )
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert erase(path, WHO) == 1
    gone(path)
    left = nbformat.read(path, as_version=4).cells[0].outputs
    assert left[0]["text"] == REMOVED
    assert left[1]["text"] == "n = 9,936 rows"
    assert "image/png" in left[2]["data"]


def test_a_page_goes_as_a_whole_and_figures_do_not_count(tmp_path):
    page, other = tmp_path / "a.html", tmp_path / "b.html"
    page.write_text("<td>936</td>")
    other.write_text('<img src="data:image/png;base64,ab/936/cd+="> 0.936')
    assert (erase(page, WHO), erase(other, WHO)) == (1, 0)
    assert not page.exists()


def test_bytes_are_searched_for_long_ids_only(tmp_path):
    path, who = tmp_path / "a.ubj", Person(["C-00000936"])
    path.write_bytes(b"\x00C-00000936\xff")
    assert not searchable(path, WHO)
    assert searchable(path, who)
    assert erase(path, who) == 1
    assert not path.exists()


def test_a_person_without_an_id_is_refused():
    for ids in ([], [""]):
        with pytest.raises(ValueError, match="needs an id"):
            Person(ids)


@given(st.text("abc123-_. ,\n", max_size=30), st.text("abc123", min_size=1, max_size=6))
def test_nothing_is_left_in_a_log(text, name):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_text(f"{text}\nby {name} at noon\n{text}")
        assert erase(path, Person([name])) >= 1
        gone(path, Person([name]))


@pytest.mark.parametrize(
    "name", ["客户-17", "a&b <c>", 'say "x"', "back\\slash", "zwei Wörter", "a/b"]
)
def test_an_odd_id_is_found_in_notebooks_and_pages_however_it_is_written_there(tmp_path, name):
    who = Person([name])
    for shown in (name, html.escape(name)):
        notebook, page = tmp_path / "a.ipynb", tmp_path / "a.html"
        output = nbformat.v4.new_output("display_data", data={"text/html": f"<td>{shown}</td>"})
        cell = nbformat.v4.new_code_cell("1", outputs=[output])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), notebook)
        page.write_text(f"<p>{shown}</p>", encoding="utf-8")
        for path in (notebook, page):
            assert erase(path, who) == 1
        gone(notebook, who)
        assert REMOVED in notebook.read_text()
        assert not page.exists()
