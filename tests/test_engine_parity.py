"""Spark and DuckDB make the same tables, from cleaning to tags; `make test-spark` runs this."""

from pathlib import Path

import pandas as pd
import pytest
from chain import HOUSEHOLDS, SIMULATED, SMALL, Chain, run_chain, sample

from mkt_models.engine import columns, connect, literal, open_engine

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module", params=[HOUSEHOLDS, SIMULATED], ids=["households", "simulated"])
def chains(
    request: pytest.FixtureRequest, spark_url: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Chain, Chain]:
    """The same customers by DuckDB and by Spark."""
    folder = tmp_path_factory.mktemp("chains")
    params = sample(folder, request.param)
    made = []
    for name, url in (("duckdb", "duckdb"), ("spark", spark_url)):
        engine = SMALL.model_copy(update={"url": url})
        with open_engine(engine, folder / "spill") as con:
            made.append(run_chain(con, params, folder / "raw", folder / name))
    return made[0], made[1]


def files(chain: Chain) -> list[str]:
    return sorted(str(path.relative_to(chain.folder)) for path in chain.folder.rglob("*.parquet"))


def test_both_write_the_same_tables_row_by_row(chains: tuple[Chain, Chain], tmp_path: Path):
    duck, spark = chains
    assert files(spark) == files(duck)
    assert {"clean/transactions.parquet", "quarantine/transactions.parquet"} <= set(files(duck))
    rows = 0
    with connect(SMALL, tmp_path) as con:
        for name in files(duck):
            one, other = (f"read_parquet({literal(c.folder / name)})" for c in chains)
            assert columns(con, other) == columns(con, one), name
            found = con.execute(f"FROM {other}").fetchall()
            assert found == con.execute(f"FROM {one}").fetchall(), name  # in the same order too
            rows += len(found)
    assert rows > 50_000


def test_both_report_the_same(chains: tuple[Chain, Chain]):
    duck, spark = chains
    for name in ("ledger", "rules"):
        one, other = getattr(duck.report, name), getattr(spark.report, name)
        pd.testing.assert_frame_equal(other, one, check_exact=True, obj=name)


def test_both_compute_the_same_features(chains: tuple[Chain, Chain]):
    duck, spark = chains
    pd.testing.assert_frame_equal(spark.features, duck.features, check_exact=True)
    assert len(duck.features) > 250


def test_both_describe_customers_alike(chains: tuple[Chain, Chain]):
    duck, spark = chains
    pd.testing.assert_frame_equal(spark.profiles, duck.profiles, check_exact=True)
    assert len(duck.profiles) >= 150


def test_both_set_the_same_tags(chains: tuple[Chain, Chain]):
    duck, spark = chains
    pd.testing.assert_frame_equal(spark.tags, duck.tags, check_exact=True)
    assert duck.tags["family"].nunique() >= 5
