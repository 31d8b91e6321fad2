from pathlib import Path

from cleaning.rows import cleaned, read, row, touched

from mkt_models.columns import Table
from mkt_models.engine import Connection


def test_the_spelling_of_most_rows_wins(con: Connection, tmp_path: Path):
    spelt = ["female", "Female", "female ", "FEMALE", "male", "Male", None, " "]
    rows = [row(Table.CUSTOMERS, customer_id=f"c{n}", gender=g) for n, g in enumerate(spelt)]
    report = cleaned(con, tmp_path, {Table.CUSTOMERS: rows})
    genders = [r["gender"] for r in read(con, tmp_path / "clean", "customers")]
    assert genders == ["female"] * 4 + ["Male"] * 2 + [None] * 2  # M before m among equals
    assert touched(report)["customer_labels"] == 3  # Female, FEMALE, male; blanks are another rule


def test_labels_of_other_words_are_left_alone(con: Connection, tmp_path: Path):
    rows = [
        row(Table.PRODUCTS, product_id=f"p{n}", category=c, brand=b)
        for n, (c, b) in enumerate([("Tea", "TEA"), ("Tea", "TEA"), ("Teas", "Tea"), ("TEA", "x")])
    ]
    report = cleaned(con, tmp_path, {Table.PRODUCTS: rows})
    found = [(r["category"], r["brand"]) for r in read(con, tmp_path / "clean", "products")]
    assert found == [("Tea", "TEA"), ("Tea", "TEA"), ("Teas", "TEA"), ("Tea", "x")]
    assert touched(report)["product_labels"] == 2


def test_cleaning_again_changes_nothing(con: Connection, tmp_path: Path):
    rows = [row(Table.PRODUCTS, product_id=f"p{n}", category=c) for n, c in enumerate("aAbB")]
    cleaned(con, tmp_path / "once", {Table.PRODUCTS: rows})
    once = read(con, tmp_path / "once" / "clean", "products")
    again = cleaned(con, tmp_path / "twice", {Table.PRODUCTS: once})
    assert read(con, tmp_path / "twice" / "clean", "products") == once
    assert "product_labels" not in touched(again)
