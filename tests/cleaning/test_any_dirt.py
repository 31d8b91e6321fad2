"""Whatever comes in is found again, by its content: every row carries a tag in a spare column."""

import hashlib
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cleaning.rows import AS_OF, CHOICES, GOOD, NEW_YORK, Row, Rows, cleaned, read, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mkt_models.cleaning import clean, rules_for
from mkt_models.columns import Table
from mkt_models.engine import Connection
from mkt_models.sources.schemas import CANONICAL, SCHEMAS

T = Table
# A column of each table that no rule rewrites, and whether it is text.
TAGS: dict[Table, tuple[str, bool]] = {
    T.CUSTOMERS: ("occupation", True),
    T.IDENTITIES: ("value", True),
    T.PRODUCTS: ("brand", True),
    T.TRANSACTIONS: ("line_id", True),
    T.EVENTS: ("query", True),
    T.SOCIAL: ("topic", True),
    T.TICKETS: ("topic", True),
    T.CAMPAIGNS: ("campaign_type", True),
    T.OFFERS: ("offer_id", True),
    T.EXPOSURES: ("offer_id", True),
    T.OUTCOMES: ("amount_cents", False),
    T.CONSENTS: ("basis", True),
}
SPLIT = {
    T.TRANSACTIONS: ("transactions", "returns", "failed_orders"),
    T.EXPOSURES: ("exposures", "controls"),
}

WORDS = st.sampled_from(
    ["a", "b", " a", "A ", "", "  ", "O'Hara", "completed", " Cancelled", "RETURNED", "failed",
     "control", "view", "granted", "revoked", "email", "loyalty card", "运动", "x\ty", "Unmarried",
     "GASOLINE-REG UNLEADED", "\\", "%", "1e9"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 2.5, -3.0, 5.0, 1e12, -1e12, 89_638.0, 0.5, 1001.0,
     float("nan"), float("inf"), float("-inf")]
)  # fmt: skip
WHOLE = st.sampled_from([0, 1, -1, 100, 250, -250, 1970, 10**13, 10**14, -(2**63), 2**63 - 1])
SMALL = st.sampled_from([0, -1, 1970, 1985, 3000, -(2**31), 2**31 - 1])
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)) | st.datetimes(
    datetime(2016, 12, 31), datetime(2018, 1, 2)
)
DAYS = st.dates(date(1, 1, 2), date(9999, 12, 30)) | st.dates(date(2016, 12, 1), date(2018, 2, 1))
OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": WORDS,
    "DOUBLE": NUMBERS,
    "BIGINT": WHOLE,
    "INTEGER": SMALL,
    "BOOLEAN": st.booleans(),
    "TIMESTAMP": MOMENTS,
    "DATE": DAYS,
}
IDS = st.sampled_from(["a", "b", " a", "c1", ""]) | st.none()


def dirty(table: Table) -> st.SearchStrategy[Row]:
    """A good row with any dirt in some columns; ids and words are few, so that rows meet."""
    columns = {}
    for column, kind in SCHEMAS[table].items():
        good = st.just(GOOD[table].get(column))
        dirt = IDS if column.endswith("_id") else st.none() | OF_TYPE[kind]
        columns[column] = st.one_of(good, good, good, dirt)
    return st.fixed_dictionaries(columns)


@st.composite
def dirty_shops(draw: st.DrawFn) -> Rows:
    """Tables of dirty rows, each row with a tag, some rows twice; any table may be absent."""
    out: Rows = {}
    for table in SCHEMAS:
        if table is not T.TRANSACTIONS and not draw(st.integers(0, 3)):
            continue
        rows = draw(st.lists(dirty(table), max_size=6))
        tag, text = TAGS[table]
        for n, one in enumerate(rows):
            one[tag] = f"tag {n}" if text else n
        out[table] = rows + (draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else [])
    return out


def tags(con: Connection, folder: Path, table: Table, name: str) -> Counter[Any]:
    if not (folder / f"{name}.parquet").is_file():
        return Counter()
    return Counter(one[TAGS[table][0]] for one in read(con, folder, name))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_rows=dirty_shops(), merging=st.booleans())
def test_every_row_is_found_again(con: Connection, given_rows: Rows, merging: bool):
    says = {rule.name: rule.says for rule in rules_for(NEW_YORK, CHOICES, AS_OF)}
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(con, folder / "raw", given_rows)
        before = _digests(folder / "raw")
        report = cleaned(con, folder, given_rows, merge_doubles=merging)
        assert _digests(folder / "raw") == before
        assert report.ledger["table"].tolist() == [t for t in Table if t in given_rows]
        for balance in report.ledger.itertuples():
            table = Table(balance.table)
            came = Counter(one[TAGS[table][0]] for one in given_rows[table])
            split = SPLIT.get(table, (table.value,))
            kept = sum((tags(con, folder / "clean", table, t) for t in split), Counter())
            aside = tags(con, folder / "aside", table, table.value)
            merged = tags(con, folder / "aside" / "merged", table, table.value)
            # Every row is somewhere, and none is made; what is missing of copies was merged.
            assert set(came) == set(kept) | set(aside) | set(merged)
            assert kept + aside <= came
            assert balance.merged == (came - kept - aside).total()
            assert (balance.rows_in, balance.clean, balance.quarantined) == (
                came.total(),
                kept.total(),
                aside.total(),
            )
            for one in read(con, folder / "aside", table.value):
                assert one.pop("reason") == says[one.pop("rule")]
                assert any(_same(one, other) for other in given_rows[table])  # as it came
            clean_rows = read(con, folder / "clean", table.value)
            if len(key := CANONICAL[table].key) == 1:
                assert len({one[key[0]] for one in clean_rows}) == len(clean_rows)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_rows=dirty_shops(), data=st.data())
def test_the_order_of_the_rows_does_not_matter(con: Connection, given_rows: Rows, data):
    shuffled = {table: data.draw(st.permutations(rows)) for table, rows in given_rows.items()}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for side, rows in (("one", given_rows), ("two", shuffled)):
            cleaned(con, folder / side, rows)
        for path in (folder / "one").rglob("*.parquet"):
            if path.parent.name == "raw":
                continue
            other = folder / "two" / path.relative_to(folder / "one")
            one, two = (read(con, p.parent, p.stem) for p in (path, other))
            assert [_shown(r) for r in one] == [_shown(r) for r in two], path.stem


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_rows=dirty_shops())
def test_cleaning_what_is_clean_changes_nothing(con: Connection, given_rows: Rows):
    # Not where a rule rewrites what equal rows are told apart by: fuel becomes one piece.
    for one in given_rows.get(T.PRODUCTS, []):
        one["product_type"] = "MILK"
    with TemporaryDirectory() as name:
        folder = Path(name)
        cleaned(con, folder, given_rows)
        for table in given_rows:  # only the canonical columns go in again
            listed = ", ".join(SCHEMAS[table])
            source, target = (folder / s / f"{table.value}.parquet" for s in ("clean", "again"))
            target.parent.mkdir(exist_ok=True)
            con.execute(f"COPY (SELECT {listed} FROM '{source}') TO '{target}' (FORMAT parquet)")
        report = clean(
            con, NEW_YORK, CHOICES, AS_OF, folder / "again", folder / "twice", folder / "nothing"
        )
        assert not report.ledger[["quarantined", "merged"]].to_numpy().any()
        targets = report.targets
        assert not targets[targets["table"] != targets["target"]]["rows"].any()
        for table in given_rows:
            one, two = (read(con, folder / stage, table.value) for stage in ("clean", "twice"))
            assert [_shown(r) for r in one] == [_shown(r) for r in two], table


def _digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def _shown(one: Row) -> dict[str, str]:
    """A row as text: not a number equals itself, and 0 is 0."""
    return {name: _plain(value) for name, value in one.items()}


def _same(one: Row, other: Row) -> bool:
    return all(_plain(one[name]) == _plain(other.get(name)) for name in one)


def _plain(value: Any) -> str:
    return str(value + 0.0 if isinstance(value, float) and value == 0 else value)
