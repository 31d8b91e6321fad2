"""What pages show of customers in place of one of them: medians, and what most have in common.

A row of a single person tells of that person, with or without the id. A value here is one that at
least ``k`` customers have, or lies in the middle of theirs.
"""

import json
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID

LISTED = 3
"""Values that are named of a column that holds lists."""


def customer_to_read(
    profiles: pd.DataFrame, tags: pd.DataFrame, k: int, *, single: bool
) -> tuple[pd.Series, pd.DataFrame, str]:
    """A profile and its tags, without the id, to show how they read; and in words who it is.

    What is typical of the largest group by lifecycle stage and value tier, or with ``single`` the
    first customer whose age is known, if any is.
    """
    if single:
        known = profiles[profiles["age_band"].notna()]
        one = (known if len(known) else profiles).iloc[0]
        own = tags[tags[CUSTOMER_ID] == one[CUSTOMER_ID]]
        return one.drop(CUSTOMER_ID), own.drop(columns=CUSTOMER_ID), "One customer."
    sizes = profiles.groupby(["lifecycle_stage", "value_tier"], observed=True).size()
    largest: Any = sizes.idxmax()
    stage, tier = largest
    group = profiles[(profiles["lifecycle_stage"] == stage) & (profiles["value_tier"] == tier)]
    said = (
        f"No single customer, but what is typical of the largest group, the {len(group):,} {stage} "
        f"customers of {tier} value: medians, what most of those say of whom it is known, and the "
        "tags that at least half have."
    )
    if len(group) < k:
        said = f"No group is of {k} customers or more, so nothing is typical."
    own = typical_tags(tags, group[CUSTOMER_ID], k)
    return typical(group.drop(columns=CUSTOMER_ID), k), own, said


def typical(rows: pd.DataFrame, k: int) -> pd.Series:
    """One value per column that stands for all rows, one row per customer.

    The median of numbers that ``k`` customers or more have, the most frequent other value if ``k``
    have it, and of lists the three most frequent of those that ``k`` have; a tag must be one of
    half of the customers. What fewer share is missing.

    >>> table = pd.DataFrame({"orders": [1, 3, 8], "stage": ["new", "lost", "lost"]})
    >>> typical(table, 2).to_dict()
    {'orders': 3.0, 'stage': 'lost'}
    """
    least = {name: len(rows) / 2 if str(name).endswith("_tags") else 0 for name in rows}
    return pd.Series(
        {name: _typical(rows[name], k, max(k, least[name])) for name in rows}, dtype=object
    )


def typical_tags(tags: pd.DataFrame, customers: pd.Series, k: int) -> pd.DataFrame:
    """The tags that at least half of some customers have, and ``k`` of them, as rows of one.

    ``tags`` are rows of ``build_profiles``; of each tag strength and evidence are those that are
    typical of the customers who have it.
    """
    held = tags[tags[CUSTOMER_ID].isin(customers)]
    rows = []
    for _, some in held.groupby(["family", "tag"], sort=False):
        if len(some) < max(k, len(customers) / 2):
            continue
        evidence = typical(pd.DataFrame([json.loads(text) for text in some["evidence"]]), k)
        told = {str(name): None if _missing(value) else value for name, value in evidence.items()}
        one = {**some.iloc[0].drop(CUSTOMER_ID).to_dict(), "evidence": json.dumps(told)}
        rows.append({**one, "strength": some["strength"].median()})
    return pd.DataFrame(rows, columns=[name for name in tags if name != CUSTOMER_ID])


def in_common(rows: pd.DataFrame, k: int) -> dict[str, Any]:
    """The most frequent value of each column, where rows of ``k`` customers or more have it.

    Rows without a customer count each for itself.

    >>> rows = pd.DataFrame({"customer_id": list("aabc"), "pieces": [0, 0, 0, 7]})
    >>> in_common(rows, 2), in_common(rows, 3)
    ({'pieces': 0}, {})
    """
    found = {}
    for name in rows.columns.drop(CUSTOMER_ID, errors="ignore"):
        value = _most_frequent(rows[name])
        have = rows[rows[name] == value]
        if len(have[CUSTOMER_ID].unique() if CUSTOMER_ID in rows else have) >= k:
            found[str(name)] = value.item() if isinstance(value, np.generic) else value
    return found


def _typical(column: pd.Series, k: int, of_lists: float) -> Any:
    known = column.dropna()
    if len(known) < k:
        return np.nan
    if isinstance(known.iloc[0], list | tuple | np.ndarray):
        counts = Counter(one for cell in known for one in dict.fromkeys(cell))
        return [one for one, n in counts.most_common(LISTED) if n >= of_lists]
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        return float(known.median())
    value = _most_frequent(known)
    return value if (known == value).sum() >= k else np.nan


def _most_frequent(column: pd.Series) -> Any:
    counts = column.value_counts()
    return counts.index[0] if len(counts) else np.nan


def _missing(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)
