"""How stable tags are between two days: a tag that changes with the weather is no trait."""

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.profiles.tag_catalogue import TagCatalogue

STABILITY_COLUMNS = ("family", "tag", "then", "now", "kept", "kept_share", "jaccard", "kappa", "n")


def compared(now: pd.Series, then: pd.Series, k: int) -> pd.Series:
    """Ids of the customers whose tags of two days are compared: who had a profile on both.

    If 1 to ``k`` - 1 are new, they too, as customers who had no tag then: else what a table of all
    customers has more than this one would be theirs alone.

    >>> list(compared(pd.Series(list("abc")), pd.Series(list("ab")), 2)), list(
    ...     compared(pd.Series(list("abc")), pd.Series(list("ab")), 1))
    (['a', 'b', 'c'], ['a', 'b'])
    """
    both = now[now.isin(then)]
    return now if 0 < len(now) - len(both) < k else both


def tag_stability(
    then: pd.DataFrame, now: pd.DataFrame, customers: pd.Series, catalogue: TagCatalogue
) -> pd.DataFrame:
    """Compare the tags of two days, among the customers who had a profile on both.

    Parameters
    ----------
    then, now
        Rows of customers and tags of the earlier and of the later day.
    customers
        Ids of the customers with a profile on both days.
    catalogue
        The tags.

    Returns
    -------
    pandas.DataFrame
        One row per tag that anybody had, and one per family that chooses one tag (``tag`` is
        ``all``): customers with it ``then``, ``now`` and on both days (``kept``);
        ``kept_share`` of those who had it; ``jaccard``, kept over all who had it on either day;
        Cohen's ``kappa``, agreement beyond chance; of ``n`` customers. NaN where nothing can be
        told (nobody had it, or everybody did both times). A family's ``kept`` counts those whose
        tag, or lack of one, is the same. Observed.

    """
    ids = pd.Index(customers.unique())
    n = len(ids)
    rows = []
    for family in catalogue.families:
        had = {tag.id: (_who(then, tag.id, ids), _who(now, tag.id, ids)) for tag in family.tags}
        if family.choose != "any":
            rows.append((family.id, "all", *_same(list(had.values()), n), n))
        for name, (a, b) in had.items():
            if a.any() or b.any():
                kept, either = int((a & b).sum()), int((a | b).sum())
                share = kept / a.sum() if a.any() else np.nan
                agreed, chance = float((a == b).mean()), _chance([(a, b), (~a, ~b)])
                rows.append(
                    (family.id, name, int(a.sum()), int(b.sum()), kept, share, kept / either,
                     _kappa(agreed, chance), n)
                )  # fmt: skip
    return pd.DataFrame(rows, columns=list(STABILITY_COLUMNS))


Flags = tuple["np.ndarray", "np.ndarray"]


def _who(tags: pd.DataFrame, tag: str, ids: pd.Index) -> np.ndarray:
    return np.asarray(ids.isin(tags.loc[tags["tag"] == tag, CUSTOMER_ID]))


def _same(pairs: list[Flags], n: int) -> tuple[float, ...]:
    """A family that chooses one tag: none at all is a label of its own."""
    none = (~np.any([a for a, _ in pairs], axis=0), ~np.any([b for _, b in pairs], axis=0))
    labels = [*pairs, none]
    kept = int(sum((a & b).sum() for a, b in labels))
    agreed = kept / n if n else np.nan
    jaccard = kept / (2 * n - kept) if n else np.nan
    return n, n, kept, agreed, jaccard, _kappa(agreed, _chance(labels))


def _chance(labels: list[Flags]) -> float:
    return float(sum(a.mean() * b.mean() for a, b in labels)) if len(labels[0][0]) else np.nan


def _kappa(agreed: float, chance: float) -> float:
    return (agreed - chance) / (1 - chance) if chance < 1 else np.nan
