"""What every store is to those who use it: connections, opened once and let go of again."""

from typing import Self

import sqlalchemy as sa


class Database:
    """A store behind an engine, which :mod:`mkt_models.store.engine` opens."""

    def __init__(self, engine: sa.Engine) -> None:
        """Use an engine whose tables are there; ``open`` of the store makes one."""
        self._engine = engine

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Use as ``with LiveStore.open(...) as store``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()
