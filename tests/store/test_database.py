"""Every store lets go of its connections, also when the work with it fails."""

import pytest
import sqlalchemy as sa

from mkt_models.store.database import Database


def test_leaving_the_block_lets_go_of_the_connections(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    with Database(engine) as store:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
        assert isinstance(store, Database)
        assert engine.pool.checkedin() == 1
    assert engine.pool.checkedin() == 0


def test_a_failure_is_passed_on_and_the_connections_are_let_go(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")

    def fail() -> None:
        with Database(engine), engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert engine.pool.checkedin() == 0
