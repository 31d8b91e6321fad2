from pathlib import Path
from typing import Any

import pytest
from cleaning.rows import balance, cleaned, line, read, row, touched
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.columns import Table
from mkt_models.engine import Connection


def tie(customer: str | None, value: str | None, kind: str = "loyalty_card") -> dict[str, Any]:
    return {"customer_id": customer, "kind": kind, "value": value}


def persons(con: Connection, folder: Path, *ties: dict[str, Any], **choices: Any) -> dict[str, Any]:
    cleaned(con, folder, {Table.IDENTITIES: list(ties)}, **choices)
    return {
        r["source_customer_id"]: (r["customer_id"], r["merged_by"])
        for r in read(con, folder / "clean", "identity_map")
    }


def test_ids_that_share_a_key_are_one_person(con: Connection, tmp_path: Path):
    found = persons(con, tmp_path, tie("c1", "k"), tie("c2", "k"), tie("c3", "other"))
    assert found == {
        "c1": ("c1", "loyalty_card"),
        "c2": ("c1", "loyalty_card"),
        "c3": ("c3", None),
    }


def test_ids_are_one_person_through_a_third(con: Connection, tmp_path: Path):
    ties = [tie("b", "k"), tie("c", "k"), tie("c", "x@y", "email"), tie("a", "x@y", "E-Mail ")]
    found = persons(con, tmp_path, *ties)
    assert found == {
        "a": ("a", "email"),
        "b": ("a", "loyalty_card"),
        "c": ("a", "loyalty_card+email"),
    }


def test_only_declared_kinds_merge(con: Connection, tmp_path: Path):
    ties = [tie("a", "k", "device"), tie("b", "k", "device")]
    assert persons(con, tmp_path, *ties) == {"a": ("a", None), "b": ("b", None)}
    other = persons(con, tmp_path, *ties, merge_by=("device",))
    assert other == {"a": ("a", "device"), "b": ("a", "device")}
    assert persons(con, tmp_path, *ties, merge_by=()) == {"a": ("a", None), "b": ("b", None)}


def test_the_same_value_of_another_kind_is_another_key(con: Connection, tmp_path: Path):
    assert persons(con, tmp_path, tie("a", "7"), tie("b", "7", "email")) == {
        "a": ("a", None),
        "b": ("b", None),
    }


def test_a_key_of_too_many_customers_merges_nobody(con: Connection, tmp_path: Path):
    three = [tie(name, "shop") for name in "abc"]  # as many as are allowed
    assert {p for p, _ in persons(con, tmp_path / "3", *three).values()} == {"a"}
    four = [*three, tie("d", "shop")]
    report = cleaned(con, tmp_path / "4", {Table.IDENTITIES: four})
    assert report.customers == {"customer_ids": 4, "persons": 4, "merged_ids": 0}
    assert touched(report) == {"key_shared_by_too_many": 4}
    assert report.identities.to_numpy().tolist() == [["loyalty_card", True, 1, 1, 1]]


def test_a_long_chain_is_one_person(con: Connection, tmp_path: Path):
    ties = [t for n in range(200) for t in (tie(f"c{n}", f"k{n}"), tie(f"c{n}", f"k{n + 1}"))]
    assert {p for p, _ in persons(con, tmp_path, *ties).values()} == {"c0"}


def test_all_tables_name_the_person_and_the_way_back_is_kept(con: Connection, tmp_path: Path):
    both = ("c2", "c1")
    given_rows = {
        Table.IDENTITIES: [tie(c, "k") for c in both],
        Table.CUSTOMERS: [
            row(Table.CUSTOMERS, customer_id="c1", birth_year=None, gender=None, age_band=None),
            row(Table.CUSTOMERS, customer_id="c2", gender="f", registered_on="2016-01-01"),
            {"customer_id": "c9"},
        ],
        Table.TRANSACTIONS: [line(order_id=f"o{c}", customer_id=c) for c in both],
        Table.SOCIAL: [
            row(Table.SOCIAL, customer_id="c9", target_customer_id="c2"),
            row(Table.SOCIAL, customer_id="c2", action_id="a2"),
        ],
        Table.CONSENTS: [row(Table.CONSENTS, customer_id=c) for c in both],
    }
    report = cleaned(con, tmp_path, given_rows)
    people = {r["customer_id"]: r for r in read(con, tmp_path / "clean", "customers")}
    assert set(people) == {"c1", "c9"}
    # The row of c2 says more; it is registered on the earlier day.
    assert people["c1"]["gender"] == "f"
    assert str(people["c1"]["registered_on"]) == "2016-01-01"
    lines = read(con, tmp_path / "clean", "transactions")
    assert [(r["order_id"], r["customer_id"]) for r in lines] == [("oc1", "c1"), ("oc2", "c1")]
    social = read(con, tmp_path / "clean", "social")
    assert [(r["customer_id"], r["target_customer_id"]) for r in social] == [
        ("c1", None),
        ("c9", "c1"),
    ]
    assert len(read(con, tmp_path / "clean", "consents")) == 1  # both said the same
    assert balance(report, "customers") == [3, 2, 0, 1]
    assert balance(report, "identities") == [2, 1, 0, 1]
    assert balance(report, "consents") == [2, 1, 0, 1]
    assert report.customers == {"customer_ids": 3, "persons": 2, "merged_ids": 1}
    counts = touched(report)
    assert {name: n for name, n in counts.items() if name.startswith("person_of")} == {
        "person_of_customer": 1,
        "person_of_identity": 1,
        "person_of_line": 1,
        "person_of_action": 2,
        "person_of_consent": 1,
    }
    mapped = read(con, tmp_path / "clean", "identity_map")
    assert {r["source_customer_id"]: r["customer_id"] for r in mapped} == {
        "c1": "c1",
        "c2": "c1",
        "c9": "c9",
    }
    assert len(read(con, tmp_path / "raw", "customers")) == 3  # and the raw tables stay
    # With no kind declared nobody is merged: the same raw tables, other parameters.
    undone = cleaned(con, tmp_path, given_rows, merge_by=())
    assert balance(undone, "customers") == [3, 3, 0, 0]


def test_a_row_without_its_key_ties_nobody_and_is_kept_as_it_came(con: Connection, tmp_path: Path):
    given_rows = {
        Table.IDENTITIES: [tie("a", "k"), tie("b", "k"), tie("b", " "), tie(None, "k")],
        Table.TRANSACTIONS: [line(customer_id=" b ", amount_cents=None)],
    }
    report = cleaned(con, tmp_path, given_rows)
    assert balance(report, "identities") == [4, 1, 2, 1]
    (aside,) = read(con, tmp_path / "aside", "transactions")
    assert aside["customer_id"] == " b "  # neither trimmed nor another person's


TIES = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("1234567")), max_size=20)


@settings(max_examples=25, deadline=None)
@given(ties=TIES)
def test_persons_are_the_connected_components(
    con: Connection, tmp_path_factory: pytest.TempPathFactory, ties: list[tuple[str, str]]
):
    folder = tmp_path_factory.mktemp("ids")
    found = persons(con, folder, *(tie(c, k) for c, k in ties))
    label = {c: c for c, _ in ties}
    members = {k: {c for c, other in ties if other == k} for _, k in ties}
    for _ in range(len(label)):
        for ids in members.values():
            if len(ids) <= 3:
                smallest = min(label[c] for c in ids)
                label |= dict.fromkeys(ids, smallest)
    assert {c: person for c, (person, _) in found.items()} == label
