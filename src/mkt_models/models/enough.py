"""Are there enough customers, of both kinds, to train and to test a model?

A small or new shop has none of this yet. That is no fault of the run: the model is not available,
with the reason, and the stages after it do without.
"""

from collections.abc import Iterable
from typing import Literal

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, Model
from mkt_models.evaluation.inputs import TARGET
from mkt_models.models.boosting import MIN_CLASS
from mkt_models.models.trainable import MIN_CUSTOMERS
from mkt_models.workspace import NotAvailableError


def require_enough(
    parts: Iterable[tuple[pd.DataFrame, pd.DataFrame]],
    link: Literal["logistic", "log"],
    model: Model,
) -> None:
    """Raise NotAvailableError, naming what lacks, where a backtest could show nothing.

    Every training part needs :data:`~mkt_models.models.trainable.MIN_CUSTOMERS` customers, and
    :data:`~mkt_models.models.boosting.MIN_CLASS` rows whose target is above 0; for a ``logistic``
    model also as many whose target is 0. Every test needs rows, and all tests together as many of
    each kind.

    Parameters
    ----------
    parts
        Train and test rows with ``customer_id``, ``as_of`` and ``target``, as
        ``backtest.splits`` gives them, or ``propensity.campaign_origins``.
    link, model
        Of the model.

    """
    parts = list(parts)
    if not parts:
        raise NotAvailableError(f"{model.value}: there is no date to test on")
    for train, test in parts:
        if test.empty:
            raise NotAvailableError(
                f"{model.value}: a test date has no customers at all, so the model cannot be tested"
            )
        day = f"{test[AS_OF].min():%Y-%m-%d}"
        _require_customers(train, f"{model.value}: before the test of {day}")
        _require_kinds(train, link, f"{model.value}: before the test of {day}")
    tests = pd.concat([test for _, test in parts], ignore_index=True)
    _require_kinds(tests, link, f"{model.value}: on all test dates")


def _require_customers(rows: pd.DataFrame, where: str) -> None:
    customers = rows[CUSTOMER_ID].nunique()
    if customers < MIN_CUSTOMERS:
        raise NotAvailableError(
            f"{where} there are only {customers} customers to learn from, needs {MIN_CUSTOMERS}"
        )


def _require_kinds(rows: pd.DataFrame, link: Literal["logistic", "log"], where: str) -> None:
    above = int((rows[TARGET] > 0).sum())
    counts = {"above 0": above}
    if link == "logistic":
        counts["of 0"] = len(rows) - above
    for kind, n in counts.items():
        if n < MIN_CLASS:
            raise NotAvailableError(
                f"{where} only {n} of {len(rows):,} rows have an outcome {kind}, needs {MIN_CLASS}"
            )
