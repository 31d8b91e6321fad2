"""The simulator as a source: canonical tables, a repeatable origin, a truth that nobody reads."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mkt_models.columns import Table
from mkt_models.engine import Connection, connect
from mkt_models.loading import load_params
from mkt_models.params import Engine
from mkt_models.simulation.truth import truth_schemas
from mkt_models.source_params import Simulator
from mkt_models.sources import read
from mkt_models.sources.canonical import check
from mkt_models.sources.schemas import SCHEMAS
from mkt_models.workspace import MADE_BY

ROOT = Path(__file__).parents[2]
DEMO = load_params(ROOT / "params" / "demo.yaml")


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con


def source(**changed: Any) -> Simulator:
    small = {"customers": 300, "chunk_customers": 150, "days": 120}
    return Simulator(**(DEMO.source.model_dump() | small | changed))


@pytest.fixture(scope="module")
def run(con: Connection, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("run")
    return folder, read.extract(con, source(), 4, folder / "raw")


def test_all_tables_keep_to_the_schema(con: Connection, run):
    folder, origin = run
    rows = check(con, folder / "raw")
    assert set(rows) == set(Table)
    assert rows == {Table(name): entry["rows"] for name, entry in origin["files"].items()}
    assert all(rows.values())


def test_the_origin_is_the_same_for_a_seed_and_tells_another(con: Connection, run, tmp_path: Path):
    assert read.extract(con, source(), 4, tmp_path / "again" / "raw") == run[1]
    assert read.extract(con, source(), 5, tmp_path / "other" / "raw") != run[1]


def test_the_truth_lies_beside_the_data_and_not_in_it(run):
    folder, _ = run
    assert {path.stem for path in (folder / "raw").iterdir()} == {table.value for table in Table}
    assert {path.stem for path in (folder / "truth").iterdir()} == set(truth_schemas([28]))
    assert MADE_BY["truth"] == MADE_BY["raw"] == "01_explore"


def test_no_column_of_the_data_tells_the_truth():
    given = {column for columns in SCHEMAS.values() for column in columns}
    true = {column for columns in truth_schemas([28]).values() for column in columns}
    shared = {"customer_id", "campaign_id", "product_id", "product_type", "starts_on", "ends_on"}
    assert true & given <= shared | {"arm", "topic", "kind", "followers"}


def test_no_stage_and_no_other_source_reads_the_truth():
    package = ROOT / "src" / "mkt_models"
    readers = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"""["']truth["'/]""", path.read_text(encoding="utf-8"))
    ]
    assert sorted(readers) == ["sources/pseudonyms.py", "sources/simulator.py", "workspace.py"]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert not re.search(r"""["'/]truth["'/]""", path.read_text(encoding="utf-8")), path


def test_the_demo_runs_from_its_first_to_its_last_day():
    given = DEMO.source
    assert isinstance(given, Simulator)
    assert (given.country, given.currency, given.time_zone) == ("CN", "CNY", "Asia/Shanghai")
    assert (DEMO.profile.as_of - given.last_day).days == 1
    assert DEMO.churn.first > given.first_day


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"campaigns": {"every_days": 10, "days": 14}}, "days == 14, must be <= every_days == 10"),
        ({"busy_days": ("Nov 11",)}, "busy_days"),
        ({"customers": 20_000_000}, "less than or equal to 10000000"),
        ({"dirt": {"orphans": 2}}, "less than or equal to 1"),
        (
            {
                "assumed_consents": (
                    {
                        "purpose": "marketing",
                        "channel": "app",
                        "customers": "all",
                        "reason": "x" * 20,
                    },
                )
            },
            "the simulator records consents",
        ),
    ],
)
def test_choices_out_of_range_are_refused(changed: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=re.escape(message)):
        source(**changed)


def test_a_description_says_size_and_days():
    assert DEMO.source.describe() == "simulator, 4,000 customers, 2024-01-01 to 2025-06-30"
