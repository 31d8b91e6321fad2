"""A new user's first steps: the retailer's exports through the first two notebooks."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import retailer

from mkt_models.notebook_runs import execute_notebook
from mkt_models.workspace import Workspace

ROOT = Path(__file__).parent.parent


def test_exports_become_clean_tables_without_losing_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = retailer.write_exports(tmp_path / "data")
    path = retailer.write_params(tmp_path)
    for name in ("complete_journey.yaml", "catalogue.yaml"):
        shutil.copy(ROOT / "params" / name, path.parent)
    monkeypatch.setenv("MKT_ROOT", str(tmp_path))
    parameters = {"params_file": str(path), "overrides": {}}
    for name in ("01_explore", "02_clean"):
        notebook = ROOT / "notebooks" / f"{name}.ipynb"
        execute_notebook(notebook, tmp_path / "notebooks", parameters)
    text = (tmp_path / "notebooks" / "01_explore.ipynb").read_text()
    assert "Order lines of a small retailer" in text
    assert "Complete Journey" not in text
    assert "Absent tables: identities, events, social, tickets, campaigns" in text

    ws = Workspace.open(path)
    raw = ws.folder("raw")
    assert json.loads((raw / "source.json").read_text())["derived"] == ["customers", "consents"]
    ledger = ws.read_table("clean", "ledger").set_index("table")
    assert ledger.loc["transactions", "rows_in"] == export.lines
    aside = pd.read_parquet(ws.path("quarantine", "transactions.parquet"))
    assert aside["customer_id"].isna().sum() >= export.without_customer
    listed = pd.read_parquet(raw / "unreadable.parquet")
    assert (listed["table"] == "transactions").sum() >= export.unreadable
