from collections.abc import Callable, Iterator
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

Fill = Callable[[pd.DataFrame, pd.DataFrame], duckdb.DuckDBPyConnection]

START = date(2020, 1, 1)


@pytest.fixture
def fill() -> Iterator[Fill]:
    con = duckdb.connect(config={"threads": 1})

    def _fill(transactions: pd.DataFrame, products: pd.DataFrame) -> duckdb.DuckDBPyConnection:
        con.register("t_frame", transactions)
        con.register("p_frame", products)
        con.execute(
            "CREATE OR REPLACE TABLE transactions AS "
            "SELECT * REPLACE (CAST(local_date AS DATE) AS local_date) FROM t_frame"
        )
        con.execute("CREATE OR REPLACE TABLE products AS SELECT * FROM p_frame")
        return con

    yield _fill
    con.close()


@pytest.fixture(scope="session")
def shop() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forty customers over 200 days; customer c's favourites are products c % 8 and c % 5."""
    rng = np.random.default_rng(7)
    rows = []
    for customer in range(40):
        for visit, day in enumerate(sorted(rng.choice(200, size=25, replace=False).tolist())):
            basket = {int(rng.integers(0, 30))}
            basket |= {p for p in (customer % 8, customer % 5 + 8) if rng.random() < 0.6}
            for product in basket:
                rows.append(
                    {
                        "order_id": f"o{customer}-{visit}",
                        "customer_id": f"c{customer:02d}",
                        "product_id": f"p{product:02d}",
                        "amount_cents": 100 + product,
                        "local_date": START + timedelta(days=day),
                    }
                )
    products = pd.DataFrame(
        {
            "product_id": [f"p{i:02d}" for i in range(30)],
            "department": ["FUEL" if i == 0 else "GROCERY" for i in range(30)],
            "category": [f"CATEGORY {i // 3}" for i in range(30)],
            "product_type": [None if i == 1 else f"TYPE {i}" for i in range(30)],
        }
    )
    return pd.DataFrame(rows), products
