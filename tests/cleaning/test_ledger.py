from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from cleaning.rows import cleaned, line

from mkt_models.cleaning import LedgerError, TooMuchSetAsideError, check_balance
from mkt_models.columns import Table
from mkt_models.engine import Connection, write_parquet


def ledger(*rows: tuple[str, int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["table", "rows_in", "clean", "quarantined", "merged"])


def test_a_balanced_ledger_passes():
    check_balance(ledger(("transactions", 10, 7, 2, 1), ("offers", 0, 0, 0, 0)))


def test_an_unbalanced_ledger_names_the_tables():
    wrong = ledger(("transactions", 10, 7, 2, 0), ("products", 5, 5, 0, 0), ("offers", 3, 4, 0, 1))
    with pytest.raises(LedgerError) as caught:
        check_balance(wrong)
    assert str(caught.value).endswith("is transactions: +1, offers: -2")


@pytest.mark.parametrize(("folder", "lost"), [("clean", 1), ("aside", 2)])
def test_rows_that_get_lost_stop_the_run(
    con: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, lost: int
):
    def losing(con: Connection, query: str, path: Path) -> int:
        keep = path.stem != "transactions" or path.parent.name != folder
        return write_parquet(con, query if keep else f"{query} LIMIT 1", path)

    monkeypatch.setattr("mkt_models.cleaning.written_tables.write_parquet", losing)
    later = datetime(2017, 6, 1, 16) + timedelta(hours=1)
    wrong = [line(order_id=None, quantity=float(n)) for n in range(1, 4)]
    with pytest.raises(LedgerError, match=rf"transactions: \+{lost}"):
        cleaned(con, tmp_path, {Table.TRANSACTIONS: [line(), line(occurred_at=later), *wrong]})


def test_too_many_rows_set_aside_stop_the_run(con: Connection, tmp_path: Path):
    rows = [line(), line(order_id=None), line(order_id="o2", amount_cents=None)]
    rows.append(line(order_id=None, quantity=2.0))
    with pytest.raises(TooMuchSetAsideError) as caught:
        cleaned(con, tmp_path / "a", {Table.TRANSACTIONS: rows}, max_quarantined_share=0.74)
    assert str(caught.value).startswith(
        "transactions: 3 of 4 rows (75.0%) would be set aside, 2 of them by 'key_missing'"
    )
    cleaned(con, tmp_path / "b", {Table.TRANSACTIONS: rows}, max_quarantined_share=0.75)
