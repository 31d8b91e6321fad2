"""What is too little for a model is said, and where; what is just enough passes."""

import pandas as pd
import pytest

from mkt_models.columns import Model
from mkt_models.models.enough import require_enough
from mkt_models.workspace import NotAvailableError


def rows(day: str, customers: int, positives: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(customers)],
            "as_of": pd.Timestamp(day),
            "target": [1.0] * positives + [0.0] * (customers - positives),
        }
    )


ENOUGH = rows("2025-01-01", 20, 10)
TEST = rows("2025-03-01", 20, 10)


@pytest.mark.parametrize("link", ["logistic", "log"])
def test_just_enough_passes(link):
    require_enough([(ENOUGH, TEST)], link, Model.CHURN)
    # Tests count together, training parts each for itself.
    halves = [(ENOUGH, TEST.iloc[:4]), (ENOUGH, TEST.iloc[4:])]
    require_enough(halves, link, Model.CHURN)


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        (
            rows("2025-01-01", 19, 9),
            TEST,
            "churn: before the test of 2025-03-01 there are only 19 customers to learn from, "
            "needs 20",
        ),
        (ENOUGH.iloc[:0], TEST, "only 0 customers to learn from"),
        (rows("2025-01-01", 40, 9), TEST, "only 9 of 40 rows have an outcome above 0, needs 10"),
        (rows("2025-01-01", 40, 40), TEST, "only 0 of 40 rows have an outcome of 0, needs 10"),
        (ENOUGH, rows("2025-03-01", 1000, 0), "on all test dates only 0 of 1,000 rows"),
        (ENOUGH, TEST.iloc[:0], "a test date has no customers"),
    ],
)
def test_too_little_is_not_available(train, test, says):
    with pytest.raises(NotAvailableError, match=says):
        require_enough([(train, test)], "logistic", Model.CHURN)


def test_amounts_need_no_customers_without_spend():
    everybody_buys = rows("2025-01-01", 40, 40)
    require_enough([(everybody_buys, TEST)], "log", Model.VALUE)
    with pytest.raises(NotAvailableError, match=r"value: before .* only 9 of 40 rows have an"):
        require_enough([(rows("2025-01-01", 40, 9), TEST)], "log", Model.VALUE)


def test_without_a_test_date_nothing_is_available():
    with pytest.raises(NotAvailableError, match="there is no date to test on"):
        require_enough([], "logistic", Model.CHURN)
