"""Columns as Arrow arrays, and tables written to Parquet one chunk of customers at a time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mkt_models.simulation.randomness import Bools, Floats, Ints

ARROW = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
}
Columns = Mapping[str, Any]


class Writer:
    """Parquet files that grow by a row group per chunk; each is there when all is written.

    ``schemas`` gives the SQL type of every column of every table. Used as a context manager: on
    leaving it the files get their names, or are taken away when something was raised.
    """

    def __init__(self, folder: Path, schemas: Mapping[str, Mapping[str, str]]) -> None:
        """Open no file yet; ``folder`` is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._schemas = {
            table: pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
            for table, columns in schemas.items()
        }
        self._open: dict[str, Any] = {}
        self.rows: dict[str, int] = {}

    def table(self, name: str, columns: Columns) -> Any:
        """Make an Arrow table in the columns and types of the schema; what is absent is null."""
        schema = self._schemas[name]
        size = len(next(iter(columns.values())))
        arrays = [
            _typed(columns[f.name], f.type) if f.name in columns else pa.nulls(size, f.type)
            for f in schema
        ]
        return pa.table(arrays, schema=schema)

    def write(self, name: str, rows: Any) -> None:
        """Add rows (an Arrow table of the schema) as one row group."""
        if name not in self._open:
            path = self._folder / f"{name}.partial"
            self._open[name] = pq.ParquetWriter(
                path, self._schemas[name], compression="zstd", compression_level=3
            )
        self._open[name].write_table(rows, row_group_size=max(1, rows.num_rows))
        self.rows[name] = self.rows.get(name, 0) + rows.num_rows

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files and give them their names, or take them away."""
        for name, writer in self._open.items():
            writer.close()
            partial = self._folder / f"{name}.partial"
            if kind is None:
                partial.replace(self._folder / f"{name}.parquet")
            else:
                partial.unlink()


def labels(names: Sequence[str], numbers: Ints) -> Any:
    """Names by number; -1 is null.

    >>> labels(["app", "web"], np.array([1, -1])).to_pylist()
    ['web', None]
    """
    rows = pa.array(numbers, mask=numbers < 0)
    return pa.array(names, pa.string()).take(rows)


def ids(prefix: str, numbers: Ints, width: int) -> Any:
    """Ids of a prefix and a number with leading zeros; negative numbers are null.

    >>> ids("C", np.array([7, -1]), 4).to_pylist()
    ['C0007', None]
    """
    text = pc.utf8_lpad(pa.array(numbers, mask=numbers < 0).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), text, "")


def joined(*arrays: Any) -> Any:
    """Arrays of one type, one after the other."""
    return pa.concat_arrays(arrays)


def measures(values: Floats) -> Any:
    """Numbers; NaN is null."""
    return pa.array(values, mask=np.isnan(values))


def whole(values: Ints, known: Bools | None = None) -> Any:
    """Whole numbers; null where not known."""
    return pa.array(values, mask=None if known is None else ~known)


def _typed(values: Any, kind: Any) -> Any:
    if kind == pa.date32():
        return pa.array(values).cast(pa.int32()).cast(kind)
    if kind == pa.timestamp("us"):
        return pa.array(values).cast(pa.int64()).cast(kind)
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    return array.cast(kind)
