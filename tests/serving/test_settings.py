from pathlib import Path

import pytest

from mkt_models.serving.settings import SettingsError, live_store_address, worker_count


def test_the_store_is_beside_the_models_unless_it_is_named() -> None:
    assert live_store_address({"BENTOML_HOME": "/srv/m"}) == Path("/srv/m/live.sqlite")
    assert live_store_address({}) == Path.home() / "bentoml" / "live.sqlite"
    named = {"MKT_STORE_URL": "postgresql://h/db", "BENTOML_HOME": "/srv/m"}
    assert live_store_address(named) == "postgresql://h/db"


@pytest.mark.parametrize("wrong", ["0", "65", "-1", "two", "1.5"])
def test_a_number_of_workers_that_cannot_be_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=f"MKT_WORKERS == '{wrong}': must be a whole number"):
        worker_count({"MKT_WORKERS": wrong})
