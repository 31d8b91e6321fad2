"""Writes the simulated shop: the data in one folder, the truth in another, chunk by chunk."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mkt_models.columns import Table
from mkt_models.simulation.dirt import plant
from mkt_models.simulation.randomness import Floats, Purpose, generator
from mkt_models.simulation.records import REGISTERED_AT, chunk_tables, shop_tables
from mkt_models.simulation.shop import Chunk, World, make_world, simulate_chunk
from mkt_models.simulation.truth import (
    action_truth,
    complement_truth,
    customer_truth,
    dirt_truth,
    exposure_truth,
    shop_truth,
    together,
    truth_schemas,
)
from mkt_models.simulation.writing import Columns, Writer
from mkt_models.source_params import Simulator


def generate(
    source: Simulator,
    seed: int,
    schemas: Mapping[Table, Mapping[str, str]],
    data_folder: Path,
    truth_folder: Path,
) -> dict[str, int]:
    """Write all tables of the shop; return the rows of each table of the data.

    One chunk of customers is in memory at a time. The files are the same, byte by byte, for the
    same parameters and seed.
    """
    world = make_world(source, seed)
    dirt: Counter[tuple[str, str]] = Counter()
    orders, held = 0, np.zeros((3, len(world.catalogue.complements)))
    named = {table.value: columns for table, columns in schemas.items()}
    with (
        Writer(data_folder, named) as data,
        Writer(truth_folder, truth_schemas(source.horizons)) as truth,
    ):
        rng = generator(seed, 0, Purpose.SHOP_DIRT)
        for table, columns in shop_tables(world).items():
            dirt.update(_write(data, world, table, columns, rng))
        for name, columns in shop_truth(world).items():
            truth.write(name, truth.table(name, columns))
        for number in range(world.chunks):
            chunk = simulate_chunk(world, number)
            dirt.update(_write_data(data, world, chunk))
            more, expected = _write_truth(truth, world, chunk)
            orders, held = orders + more, held + expected
        complements = complement_truth(world, orders, held)
        truth.write("complements", truth.table("complements", complements))
        truth.write("dirt", truth.table("dirt", dirt_truth(dirt)))
        return data.rows


def _write_data(data: Writer, world: World, chunk: Chunk) -> Counter[tuple[str, str]]:
    rng = generator(world.seed, chunk.number, Purpose.DIRT)
    counts: Counter[tuple[str, str]] = Counter()
    for table, columns in chunk_tables(world, chunk):
        counts.update(_write(data, world, table, columns, rng))
    return counts


def _write(
    data: Writer, world: World, table: Table, columns: Columns, rng: np.random.Generator
) -> Counter[tuple[str, str]]:
    """Plant the dirt of a table and write its rows; return what was planted."""
    rows: Any = data.table(table.value, columns)
    if table is Table.TRANSACTIONS:  # dirt before the registration must know it
        rows = rows.append_column(REGISTERED_AT, pa.array(columns[REGISTERED_AT], pa.int64()))
    rows, counts = plant(rows, table, world.source.dirt, rng)
    if table is Table.TRANSACTIONS:
        rows = rows.drop_columns([REGISTERED_AT])
    data.write(table.value, rows)
    return Counter(counts)


def _write_truth(truth: Writer, world: World, chunk: Chunk) -> tuple[int, Floats]:
    truth.write("customers", truth.table("customers", customer_truth(world, chunk)))
    actions = [truth.table("actions", columns) for columns in action_truth(world, chunk)]
    truth.write("actions", pa.concat_tables(actions))
    truth.write("exposures", truth.table("exposures", exposure_truth(world, chunk)))
    return together(world, chunk)
