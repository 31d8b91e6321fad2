"""What an edited catalogue of tags would do to the customers of the last run, before it runs."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.profiles.described import PROFILE_COLUMNS
from mkt_models.profiles.tag_catalogue import POINTS, SHARE, TagCatalogue
from mkt_models.profiles.tags import apply_catalogue

_FILES = ("profiles.parquet", "features.parquet", "tags.parquet", "available.json")


@dataclass(frozen=True)
class Change:
    """A tag whose customers an edit changes, or may change.

    Attributes
    ----------
    tag
        Its id.
    before, now
        How many customers had it in the last run, and would have it. ``now`` is null of a tag
        that is no longer there, and of an interest by words or topics whose rule has changed:
        only a run reads the order lines again.
    counted
        Whether ``now`` is known.

    """

    tag: str
    before: int
    now: int | None
    counted: bool = True


@dataclass(frozen=True)
class Preview:
    """What the catalogue does to ``customers`` customers as of ``as_of``; tags in its order.

    A tag that rests on what the source does not have is not counted among those of nobody.
    """

    customers: int
    as_of: date
    changes: tuple[Change, ...]
    of_nobody: tuple[str, ...]
    of_everybody: tuple[str, ...]


def preview(folder: Path, catalogue: TagCatalogue) -> Preview | None:
    """Apply a catalogue to the profiles of the last run.

    Parameters
    ----------
    folder
        Where stage 03 of the last run left its tables.
    catalogue
        The tags as they stand now.

    Returns
    -------
    Preview or None
        None when there was no run yet, or it left another version's columns.

    """
    if not all((folder / name).is_file() for name in _FILES):
        return None
    profiles = pd.read_parquet(folder / "profiles.parquet")
    features = pd.read_parquet(folder / "features.parquet").drop(columns=[AS_OF])
    tags = pd.read_parquet(folder / "tags.parquet")
    available: Mapping[str, bool] = json.loads((folder / "available.json").read_text())
    if profiles.empty or not set(PROFILE_COLUMNS) <= set(profiles):
        return None
    for name in (n for n, column in PROFILE_COLUMNS.items() if column.kind == "list"):
        profiles[name] = profiles[name].map(lambda one: None if one is None else list(one))
    fresh = [name for name in features if name == CUSTOMER_ID or name not in profiles]
    table = profiles.merge(features[fresh], on=CUSTOMER_ID, validate="one_to_one")
    nothing = pd.DataFrame({CUSTOMER_ID: [], "interest": [], POINTS: [], SHARE: []})
    day = profiles[AS_OF].iloc[0]
    missing = frozenset(name for name, known in available.items() if not known)
    told = apply_catalogue(
        table, nothing.astype({CUSTOMER_ID: "str"}), catalogue, missing, day.date(), day
    ).tags
    before, now = Counter(tags["tag"]), Counter(told["tag"])
    versions = dict(zip(tags["tag"], tags["rule_version"], strict=True))
    changes: list[Change] = []
    counts: dict[str, int] = {}
    for name, (_, tag) in catalogue.tags().items():
        if tag.interest is not None:
            if versions.get(name) == tag.version:
                counts[name] = before[name]
            elif name in versions:
                changes.append(Change(name, before[name], None, counted=False))
            continue
        counts[name] = now[name]
        if now[name] != before[name]:
            changes.append(Change(name, before[name], now[name]))
    changes += [Change(n, before[n], None) for n in sorted(set(versions) - set(catalogue.tags()))]
    asked = {n: {c.column for c in tag.conditions} for n, (_, tag) in catalogue.tags().items()}
    return Preview(
        len(profiles),
        day.date(),
        tuple(changes),
        tuple(n for n, count in counts.items() if count == 0 and not asked[n] & missing),
        tuple(n for n, count in counts.items() if count == len(profiles)),
    )


def preview_text(found: Preview) -> str:
    """Tell what an edit changes, and which tags say nothing; empty when there is nothing to say."""
    lines = []
    if found.changes:
        width = max(len(change.tag) for change in found.changes)
        lines.append(
            f"Tags that differ from the last run ({found.customers:,} customers as of "
            f"{found.as_of})"
        )
        lines += [f"  {one.tag:<{width}}  {one.before:,} -> {_now(one)}" for one in found.changes]
    for names, whose in ((found.of_nobody, "nobody"), (found.of_everybody, "everybody")):
        if names:
            lines.append(f"Of the last run's customers, {whose} would have: {', '.join(names)}")
    return "\n".join(lines)


def _now(one: Change) -> str:
    if not one.counted:
        return "counted by the next run, for its rule has changed"
    return "gone" if one.now is None else f"{one.now:,}"
