import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mkt_models.cleaning import (
    CleaningReport,
    LedgerError,
    added_columns,
    check_balance,
    clean,
    local_time,
    rules_for,
)
from mkt_models.columns import Table
from mkt_models.engine import Connection, connect, count, literal, register, write_parquet
from mkt_models.params import Engine
from mkt_models.source_params import CompleteJourney
from mkt_models.sources.schemas import SCHEMAS

NEW_YORK = CompleteJourney(kind="complete_journey", time_zone="America/New_York")
Rows = dict[Table, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con


def sql(value: object) -> str:
    return "NULL" if value is None else literal(value)


def write(con: Connection, folder: Path, given_rows: Rows) -> None:
    """Write rows as canonical tables, exactly these tables."""
    for table, rows in given_rows.items():
        kinds = SCHEMAS[table]
        casts = ", ".join(f"CAST({c} AS {kind}) AS {c}" for c, kind in kinds.items())
        listed = rows or [(None,) * len(kinds)]
        values = ", ".join(f"({', '.join(sql(v) for v in row)})" for row in listed)
        write_parquet(
            con,
            f"SELECT {casts} FROM (VALUES {values}) AS v({', '.join(kinds)}) "
            f"WHERE {'TRUE' if rows else 'FALSE'}",
            folder / f"{table.value}.parquet",
        )


def read(con: Connection, folder: Path, table: Table) -> list[tuple[Any, ...]]:
    path = literal(folder / f"{table.value}.parquet")
    return con.execute(f"SELECT * FROM read_parquet({path})").fetchall()


def cleaned(con: Connection, folder: Path, given_rows: Rows) -> CleaningReport:
    """Write the rows to ``raw`` and clean them to ``clean`` and ``aside`` of a folder."""
    write(con, folder / "raw", given_rows)
    return clean(con, NEW_YORK, folder / "raw", folder / "clean", folder / "aside")


def line(**given_values: Any) -> tuple[Any, ...]:
    """A good order line, in the order of the schema, with some values changed."""
    values = {
        "order_id": "o1",
        "customer_id": "c1",
        "product_id": "milk",
        "store_id": "s1",
        "quantity": 1.0,
        "amount_cents": 100,
        "loyalty_discount_cents": 0,
        "coupon_discount_cents": 0,
        "coupon_match_discount_cents": 0,
        "occurred_at": datetime(2017, 6, 1, 16),
    }
    return tuple((values | given_values).values())


def product(product_id: str | None, product_type: str | None = "MILK") -> tuple[Any, ...]:
    return (product_id, "GROCERY", "DAIRY", product_type, "1", False, "1 L")


def touched(report: CleaningReport) -> dict[str, int]:
    """Rows that each rule touched; only the rules that touched some."""
    counts = zip(report.rules["rule"], report.rules["rows"], strict=True)
    return {rule: int(n) for rule, n in counts if n}


# --- each rule by hand ---------------------------------------------------------------------------


def test_a_dirty_day_by_hand(con: Connection, tmp_path: Path):
    report = cleaned(
        con,
        tmp_path,
        {
            Table.CUSTOMERS: [
                ("c1", "45-54", "50-74K", "Unmarried", "1", "1 Adult No Kids", "0", "Renter"),
                ("c2", "25-34", "35-49K", "Married", "2", "2 Adults No Kids", "0", "Homeowner"),
                ("c3", None, None, None, None, None, None, None),
            ],
            Table.PRODUCTS: [
                product("milk"),
                product("gas", "GASOLINE-REG UNLEADED"),
                product("odd", None),
            ],
            Table.TRANSACTIONS: [
                line(),
                line(),  # the same line once more
                line(store_id="s2"),  # nearly the same line
                line(order_id="o2", product_id="gas", quantity=8_000.0, amount_cents=2_000),
                line(order_id="o3", product_id="unheard-of"),
                line(order_id="o4", quantity=0.0),
                line(order_id="o5", customer_id=None),
                line(order_id=None),
                line(order_id="o6", product_id=None),
                line(order_id="o7", occurred_at=None),
                line(order_id="o8", amount_cents=-1),
                line(order_id="o9", amount_cents=None),
                line(order_id="o10", amount_cents=-1, quantity=0.0),  # breaks two rules
                line(order_id="o11", amount_cents=0),  # a gift is a purchase
                # On the evening of the first of June in New York.
                line(order_id="o12", occurred_at=datetime(2017, 6, 2, 3, 59)),
            ],
            Table.CAMPAIGNS: [
                ("1", "Type A", date(2017, 5, 31), date(2017, 6, 1)),  # before the first line
                ("2", "Type B", date(2017, 6, 1), date(2017, 6, 2)),  # after the last line
                ("3", "Type B", date(2017, 6, 1), date(2017, 6, 2)),  # the same days
                ("4", "Type C", date(2017, 6, 1), date(2017, 6, 1)),
            ],
            Table.OFFERS: [("1:a", "1", "milk"), ("1:a", "1", "milk"), ("1:a", "1", "lost")],
            Table.EXPOSURES: [
                ("c1", "1", "mail", date(2017, 5, 31), None),
                ("c2", "1", "mail", date(2017, 5, 31), 0.5),
            ],
            Table.OUTCOMES: [
                ("c1", "1", "1:a", "redemption", date(2017, 6, 1)),
                ("c1", "1", "1:a", "redemption", date(2017, 6, 1)),
                ("c1", "2", "2:a", "redemption", date(2017, 6, 1)),
                ("c3", "1", "1:a", "redemption", date(2017, 6, 1)),
            ],
        },
    )
    assert touched(report) == {
        "demographics_unknown": 1,
        "unmarried_may_be_unknown": 1,
        "category_unknown": 1,
        "key_missing": 4,
        "amount_missing_or_negative": 3,
        "utc_to_shop_day": 1,
        "product_unknown": 1,
        "same_line_twice": 1,
        "zero_quantity": 2,
        "fuel_counts_as_one": 1,
        "begun_before_the_data": 1,
        "ends_after_the_data": 2,
        "campaigns_of_the_same_days": 2,
        "same_offer_twice": 1,
        "product_of_offer_unknown": 1,
        "not_assigned_at_random": 1,
        "outcome_without_exposure": 2,
        "same_outcome_twice": 1,
    }
    balance = report.ledger.set_index("table")
    assert balance.loc["transactions"].tolist() == [15, 6, 8, 1]
    assert balance.loc["offers"].tolist() == [3, 2, 0, 1]
    assert balance.loc["outcomes"].tolist() == [4, 3, 0, 1]
    shares = report.rules.set_index("rule")["share"]
    assert shares["zero_quantity"] == pytest.approx(2 / 15)

    married = {row[0]: row[3] for row in read(con, tmp_path / "clean", Table.CUSTOMERS)}
    assert married == {"c1": "Unmarried or unknown", "c2": "Married", "c3": None}
    kept = {row[0]: row for row in read(con, tmp_path / "clean", Table.TRANSACTIONS)}
    assert sorted(kept) == ["o1", "o11", "o12", "o2", "o3"]
    assert kept["o2"][4:6] == (1.0, 2_000)  # one refuelling, its money untouched
    assert kept["o12"][-2:] == (date(2017, 6, 1), 23)
    rules = {row[0]: row[-2] for row in read(con, tmp_path / "aside", Table.TRANSACTIONS)}
    assert rules == {
        "o4": "zero_quantity",
        "o5": "key_missing",
        None: "key_missing",
        "o6": "key_missing",
        "o7": "key_missing",
        "o8": "amount_missing_or_negative",
        "o9": "amount_missing_or_negative",
        "o10": "amount_missing_or_negative",  # the first rule that it breaks
    }
    censored = {row[0]: row[-2:] for row in read(con, tmp_path / "clean", Table.CAMPAIGNS)}
    assert censored == {
        "1": (True, False),
        "2": (False, True),
        "3": (False, True),
        "4": (False, False),
    }


def test_an_unknown_product_is_found_beside_a_product_without_id(con: Connection, tmp_path: Path):
    report = cleaned(
        con,
        tmp_path,
        {
            Table.PRODUCTS: [product("milk"), product(None)],
            Table.TRANSACTIONS: [line(), line(order_id="o2", product_id="lost")],
            Table.OFFERS: [("1:a", "1", "milk"), ("1:a", "1", "lost")],
        },
    )
    assert touched(report)["product_unknown"] == 1
    assert touched(report)["product_of_offer_unknown"] == 1


def test_tables_that_a_source_lacks_stay_absent(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: [line()]})
    assert report.ledger["table"].tolist() == ["transactions"]
    assert touched(report) == {"product_unknown": 1}
    assert [p.name for p in (tmp_path / "clean").iterdir()] == ["transactions.parquet"]
    views = con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert ("exposures",) not in views


def test_empty_tables_give_empty_tables(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {table: [] for table in SCHEMAS})
    assert len(report.ledger) == len(SCHEMAS)
    assert not report.ledger.drop(columns="table").to_numpy().any()
    assert not report.rules[["rows", "share"]].to_numpy().any()


# --- the shop's day ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc", "day", "hour"),
    [
        ("2017-01-01 04:59:59", "2016-12-31", 23),  # five hours behind in winter
        ("2017-01-01 05:00:00", "2017-01-01", 0),
        ("2017-07-01 03:59:59", "2017-06-30", 23),  # four in summer
        ("2017-07-01 04:00:00", "2017-07-01", 0),
        ("2017-03-12 04:59:59", "2017-03-11", 23),  # the day of 23 hours begins
        ("2017-03-12 06:59:59", "2017-03-12", 1),
        ("2017-03-12 07:00:00", "2017-03-12", 3),  # there is no hour 2
        ("2017-03-13 03:59:59", "2017-03-12", 23),  # and it ends
        ("2017-11-05 03:59:59", "2017-11-04", 23),
        ("2017-11-05 04:00:00", "2017-11-05", 0),  # the day of 25 hours begins
        ("2017-11-05 05:30:00", "2017-11-05", 1),
        ("2017-11-05 06:30:00", "2017-11-05", 1),  # hour 1 comes twice
        ("2017-11-05 07:00:00", "2017-11-05", 2),
        ("2017-11-06 04:59:59", "2017-11-05", 23),  # and it ends
    ],
)
def test_the_day_in_new_york(con: Connection, tmp_path: Path, utc: str, day: str, hour: int):
    stamp = datetime.fromisoformat(utc)
    report = cleaned(
        con,
        tmp_path,
        {Table.PRODUCTS: [product("milk")], Table.TRANSACTIONS: [line(occurred_at=stamp)]},
    )
    (row,) = read(con, tmp_path / "clean", Table.TRANSACTIONS)
    assert row[-3:] == (stamp, date.fromisoformat(day), hour)  # the time stamp itself stays
    moved = stamp.date() != date.fromisoformat(day)
    assert touched(report) == ({"utc_to_shop_day": 1} if moved else {})


@settings(max_examples=25, deadline=None)
@given(
    zone=st.sampled_from(
        ["America/New_York", "Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "Pacific/Apia"]
    ),
    stamps=st.lists(
        st.datetimes(datetime(2011, 12, 25), datetime(2020, 1, 1)), min_size=1, max_size=40
    ),
)
def test_the_day_anywhere_is_that_of_the_time_zone_database(con: Connection, zone: str, stamps):
    source = CompleteJourney(kind="complete_journey", time_zone=zone)
    exprs = added_columns(source)[Table.TRANSACTIONS]
    columns = ", ".join([local_time(zone), *(s for _, s in exprs.values())])
    values = ", ".join(f"({i}, TIMESTAMP {literal(s)})" for i, s in enumerate(stamps))
    found = con.execute(
        f"SELECT {columns} FROM (VALUES {values}) AS v(i, occurred_at) ORDER BY i"
    ).fetchall()
    clocks = [
        s.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for s in stamps
    ]
    assert found == [(c, c.date(), c.hour) for c in clocks]


# --- any dirt ------------------------------------------------------------------------------------

FEW = st.sampled_from(["a", "b"])
IDS = FEW | st.none()
DAYS = st.dates(date(2016, 12, 1), date(2018, 2, 1)) | st.none()
CENTS = st.sampled_from([-1, 0, 1, 250]) | st.none()
DEMOGRAPHICS = st.sampled_from(["Unmarried", "Married", "19-24"]) | st.none()
DIRT: dict[Table, st.SearchStrategy[tuple[Any, ...]]] = {
    Table.CUSTOMERS: st.tuples(IDS, *[DEMOGRAPHICS] * 7),
    Table.PRODUCTS: st.tuples(
        IDS,
        *[st.just("x")] * 2,
        st.sampled_from(["GASOLINE-REG UNLEADED", "MILK"]) | st.none(),
        st.just("1"),
        st.booleans(),
        st.none(),
    ),
    Table.TRANSACTIONS: st.tuples(
        IDS,
        IDS,
        st.sampled_from(["a", "b", "orphan"]) | st.none(),
        FEW,
        st.sampled_from([-1.0, -0.0, 0.0, 1.0, 2.5, 89_638.0]) | st.none(),
        CENTS,
        *[st.sampled_from([0, 50]) | st.none()] * 3,
        st.datetimes(datetime(2016, 12, 31), datetime(2018, 1, 2)) | st.none(),
    ),
    Table.CAMPAIGNS: st.tuples(IDS, FEW, DAYS, DAYS),
    Table.OFFERS: st.tuples(IDS, IDS, IDS),
    Table.EXPOSURES: st.tuples(IDS, IDS, FEW, DAYS, st.sampled_from([0.0, 0.5]) | st.none()),
    Table.OUTCOMES: st.tuples(IDS, IDS, IDS, FEW, DAYS),
    Table.CONSENTS: st.tuples(IDS, FEW, FEW, FEW, DAYS, DAYS, FEW),
}


@st.composite
def dirty_rows(draw: st.DrawFn) -> Rows:
    """Canonical tables of dirty rows, some twice; any table but the transactions may be absent."""
    tables = {t for t in SCHEMAS if t is Table.TRANSACTIONS or draw(st.integers(0, 5))}
    out: Rows = {}
    for table in [t for t in SCHEMAS if t in tables]:
        rows = draw(st.lists(DIRT[table], max_size=8))
        out[table] = rows + (draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else [])
    return out


def expected(table: Table, rows: list[tuple[Any, ...]], fuel: set[str]) -> tuple[Counter, Counter]:
    """Tell clean rows (canonical columns) and rows set aside (with their rule), in plain Python."""
    if table is Table.TRANSACTIONS:
        kept, aside = [], []
        for row in rows:
            order, customer, item, _, quantity, cents, *_, at = row
            if None in (order, customer, item, at):
                aside.append((*row, "key_missing"))
            elif cents is None or cents < 0:
                aside.append((*row, "amount_missing_or_negative"))
            elif quantity == 0:
                aside.append((*row, "zero_quantity"))
            else:
                kept.append(row)
        ones = [(*r[:4], 1.0, *r[5:]) if r[2] in fuel else r for r in set(kept)]
        return Counter(ones), Counter(aside)
    if table in (Table.OFFERS, Table.OUTCOMES):
        return Counter(set(rows)), Counter()
    if table is Table.CUSTOMERS:
        says = {"Unmarried": "Unmarried or unknown"}
        return Counter((*r[:3], says.get(r[3], r[3]), *r[4:]) for r in rows), Counter()
    return Counter(rows), Counter()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_rows=dirty_rows())
def test_every_row_is_found_again(con: Connection, given_rows: Rows):
    says = {rule.name: rule.says for rule in rules_for(NEW_YORK)}
    fuel = {r[0] for r in given_rows.get(Table.PRODUCTS, []) if str(r[3]).startswith("GASOLINE")}
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(con, folder / "raw", given_rows)
        before = _digests(folder / "raw")
        report = clean(con, NEW_YORK, folder / "raw", folder / "clean", folder / "aside")
        assert _digests(folder / "raw") == before
        assert report.ledger["table"].tolist() == [t for t in Table if t in given_rows]
        for balance in report.ledger.itertuples():
            table = Table(balance.table)
            rows = given_rows[table]
            kept = read(con, folder / "clean", table)
            aside = read(con, folder / "aside", table)
            wanted_kept, wanted_aside = expected(table, rows, fuel)
            assert Counter(row[: len(SCHEMAS[table])] for row in kept) == wanted_kept
            assert Counter(row[:-1] for row in aside) == wanted_aside
            assert all(row[-1] == says[row[-2]] for row in aside)
            assert (balance.rows_in, balance.clean, balance.quarantined) == (
                len(rows),
                len(kept),
                len(aside),
            )
            assert balance.rows_in == balance.clean + balance.quarantined + balance.merged
        # And the rules themselves find nothing more to set aside in what is clean.
        register(con, folder / "clean", [Table.TRANSACTIONS.value])
        for rule in rules_for(NEW_YORK):
            if rule.action == "quarantine":
                assert count(con, rule.table.value, rule.when) == 0


def _digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_the_order_of_the_rows_does_not_matter(con: Connection, tmp_path: Path):
    rows = [line(order_id=f"o{i}", quantity=float(i % 3), amount_cents=i) for i in range(12)]
    for name, listed in (("one", rows), ("two", rows[::-1])):
        cleaned(con, tmp_path / name, {Table.TRANSACTIONS: listed})
    for stage in ("clean", "aside"):
        one, two = (
            read(con, tmp_path / name / stage, Table.TRANSACTIONS) for name in ("one", "two")
        )
        assert Counter(one) == Counter(two)
    assert read(con, tmp_path / "one" / "clean", Table.TRANSACTIONS) == read(
        con, tmp_path / "two" / "clean", Table.TRANSACTIONS
    )


# --- the ledger ----------------------------------------------------------------------------------


def ledger(*rows: tuple[str, int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["table", "rows_in", "clean", "quarantined", "merged"])


def test_a_balanced_ledger_passes():
    check_balance(ledger(("transactions", 10, 7, 2, 1), ("offers", 0, 0, 0, 0)))


def test_an_unbalanced_ledger_names_the_tables():
    wrong = ledger(("transactions", 10, 7, 2, 0), ("products", 5, 5, 0, 0), ("offers", 3, 4, 0, 1))
    with pytest.raises(LedgerError) as caught:
        check_balance(wrong)
    assert str(caught.value).endswith("is transactions: +1, offers: -2")


def test_rows_that_get_lost_stop_the_run(
    con: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def losing(con: Connection, query: str, path: Path) -> int:
        keep_all = "quarantine" in str(path) or "aside" in str(path)
        return write_parquet(con, query if keep_all else f"{query} LIMIT 1", path)

    monkeypatch.setattr("mkt_models.cleaning.write_parquet", losing)
    later = datetime(2017, 6, 1, 16) + timedelta(hours=1)
    with pytest.raises(LedgerError, match=r"transactions: \+1"):
        cleaned(con, tmp_path, {Table.TRANSACTIONS: [line(), line(occurred_at=later)]})


def test_rules_are_named_once_and_say_why():
    rules = rules_for(NEW_YORK)
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(len(rule.says.split()) >= 6 for rule in rules)
    assert all(set(rule.sets) <= set(SCHEMAS[rule.table]) for rule in rules)
    assert {rule.action for rule in rules if rule.sets} == {"change"}
