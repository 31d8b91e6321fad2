"""Are the tests held apart: was every label that is trained on known before its test begins?"""

from collections.abc import Iterable, Sequence

import pandas as pd

from mkt_models.columns import AS_OF


class SplitError(ValueError):
    """Training and test rows of a backtest that are not held apart; the message says where."""


def label_windows(
    parts: Iterable[tuple[pd.DataFrame, pd.DataFrame]], ends: int | str, keys: Sequence[str]
) -> pd.DataFrame:
    """One row per test of a backtest: whether all that was trained on was known by its date.

    Features see the days before ``as_of``, labels the days from ``as_of`` to the end of their
    horizon. A training row is known at a test when its label's last day is before the test's date.

    Parameters
    ----------
    parts
        Train and test rows with ``as_of`` and the keys, per test, as ``backtest`` gets them.
    ends
        Horizon of the labels in days, or the column that holds a label's last day.
    keys
        Columns that name a row.

    Returns
    -------
    DataFrame
        test (date), training (rows), tested (rows), last_label_day (of the training rows),
        days_between (whole days after it and before the test; below 0 is an overlap)

    Raises
    ------
    SplitError
        When a label that was trained on reaches to the test's date or beyond, a label ends before
        it begins, a test has several dates, or a row stands in both parts or twice in one.

    """
    found, faults = [], []
    for number, (train, test) in enumerate(parts, start=1):
        dates = test[AS_OF].unique()
        if len(dates) != 1 or train.empty:
            what = f"{len(dates)} dates" if len(dates) != 1 else "no training rows"
            faults.append(f"  test {number}: {what}, must be one date with rows to train on")
            continue
        begins, day = pd.Timestamp(dates[0]), pd.Timestamp(dates[0]).date()
        last_days = _last_days(train, ends)
        last = pd.Timestamp(last_days.max())
        late = int((last_days >= begins).sum())
        if late:
            faults.append(
                f"  test {day}: the labels of {late:,} of {len(train):,} training rows reach to "
                f"{last.date()}; they must end before the test begins"
            )
        if backwards := int((last_days < train[AS_OF]).sum()):
            faults.append(f"  test {day}: {backwards:,} labels end before they begin")
        both = pd.concat([train[list(keys)], test[list(keys)]])
        if twice := int(both.duplicated().sum()):
            faults.append(f"  test {day}: {twice:,} rows stand twice ({', '.join(keys)})")
        found.append(
            {
                "test": day,
                "training": len(train),
                "tested": len(test),
                "last_label_day": last.date(),
                "days_between": (begins - last).days - 1,
            }
        )
    if faults:
        raise SplitError("the tests are not held apart:\n" + "\n".join(faults))
    return pd.DataFrame(found)


def _last_days(rows: pd.DataFrame, ends: int | str) -> pd.Series:
    if isinstance(ends, str):
        return pd.to_datetime(rows[ends])
    return rows[AS_OF] + pd.Timedelta(days=ends - 1)
