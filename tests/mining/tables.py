"""Small tables of purchases, and parameters to look at them with."""

from datetime import date, timedelta

import pandas as pd

from mkt_models.params import Mining

AS_OF = date(2020, 7, 1)


def mining(**changes: object) -> Mining:
    return Mining.model_validate(
        {
            "min_support": 0.01,
            "min_lift": 1,
            "half_life_days": 60,
            "n_items": 4,
            "backtest_days": 28,
            "exclude_departments": ["FUEL"],
            **changes,
        }
    )


def line(order: str, customer: str, product: str, days_ago: int, cents: int) -> dict[str, object]:
    return {
        "order_id": order,
        "customer_id": customer,
        "product_id": product,
        "amount_cents": cents,
        "local_date": AS_OF - timedelta(days=days_ago),
    }


def small(fill):
    lines = [
        line("1", "ann", "tea", 60, 200),
        line("1", "ann", "tea", 60, 100),  # a second line of the same order: one purchase
        line("2", "ann", "tea", 120, 300),
        line("3", "ann", "rice", 1, 500),
        line("4", "bob", "milk", 10, 150),
        line("5", "cat", "milk", 20, 250),
        line("6", "bob", "fuel", 5, 900),
        line("7", "bob", "misc", 5, 900),
        line("8", "bob", "tea", -1, 900),  # after as_of
        line("9", "dan", "tea", 0, 900),  # on as_of: the future
    ]
    products = pd.DataFrame(
        {
            "product_id": ["tea", "rice", "milk", "fuel", "misc"],
            "department": ["GROCERY", "GROCERY", "GROCERY", "FUEL", "MISC"],
            "category": ["DRINKS", "FOOD", "DRINKS", "FUEL", None],
            "product_type": ["TEA", "RICE", "MILK", "GASOLINE", None],
        }
    )
    return fill(pd.DataFrame(lines), products)
