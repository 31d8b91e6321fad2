"""The profile: one row per customer at a date, in eight dimensions, and the tags as dated facts.

A dimension that the data does not support says "not available" rather than a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, PROFILE_DIMENSIONS, Dimension
from mkt_models.engine import Connection
from mkt_models.profile_params import Profile
from mkt_models.profiles.available import Available, present
from mkt_models.profiles.described import PROFILE_COLUMNS
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.facts import Facts, facts_at
from mkt_models.profiles.interests_named import LISTS
from mkt_models.profiles.lifecycle import lifecycle_stage, median_gap, usual_gap_days
from mkt_models.profiles.reference import Reference, reference_at
from mkt_models.profiles.tag_catalogue import TagCatalogue
from mkt_models.profiles.tags import apply_catalogue, risk

NOTHING = Exclusions()
COMPUTED_AT = "computed_at"

BASICS = PROFILE_DIMENSIONS[Dimension.BASICS]
# The list of a customer's tags that stands in a dimension.
_TAG_LISTS = {
    "behaviour_tags": Dimension.BEHAVIOUR,
    "interest_tags": Dimension.INTERESTS,
    "social_tags": Dimension.SOCIAL,
}
_AGES = ((19, "Under 19"), (25, "19-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"),
         (65, "55-64"), (200, "65+"))  # fmt: skip


@dataclass(frozen=True)
class ProfileTable:
    """Profiles of all customers at one date, their tags, and what set them.

    Attributes
    ----------
    profiles
        One row per customer, ordered by ``customer_id``; amounts in currency units, shares in
        [0, 1]. What is not known is null, a list without entries is empty.
    tags
        One row per customer and tag; see ``tags.Tagged``.
    cutoffs
        Every cut-off that depends on all customers.
    available
        Per column of the profile, whether the source has what it needs.
    facts
        What the profile was made of, to be kept for the next day.

    """

    profiles: pd.DataFrame
    tags: pd.DataFrame
    cutoffs: Mapping[str, float]
    available: Mapping[str, bool]
    facts: Facts


def build_profiles(
    con: Connection,
    features: pd.DataFrame | None,
    rules: Profile,
    catalogue: TagCatalogue,
    hidden: Exclusions = NOTHING,
    reference: Reference | None = None,
    computed_at: datetime | None = None,
) -> ProfileTable:
    """Describe every customer who ordered before ``rules.as_of``.

    Parameters
    ----------
    con
        Engine with the clean views and the tables of ``features.prepare_orders``. Every table but
        ``transactions`` may be absent.
    features
        One row per customer at ``rules.as_of``, from ``features.features_at``; computed when null.
    rules
        Date, windows, rhythm and signals of risk.
    catalogue
        The tags.
    hidden
        What is no interest to be named and no sign of purchasing power: no articles, or private
        to a person.
    reference
        What is usual in the shop; looked up for the month of ``as_of`` when null.
    computed_at
        When the profile is computed (aware); now, when null.

    Raises
    ------
    ValueError
        When a row of ``features`` is of another date.

    """
    if features is not None and not (features[AS_OF] == pd.Timestamp(rules.as_of)).all():
        raise ValueError(f"features must all be as of {rules.as_of}")
    if reference is None:
        reference = reference_at(con, rules.as_of, hidden)
    facts = facts_at(con, rules, hidden, catalogue, reference, features)
    return describe(con, facts, rules, catalogue, computed_at)


def describe(
    con: Connection,
    facts: Facts,
    rules: Profile,
    catalogue: TagCatalogue,
    computed_at: datetime | None = None,
) -> ProfileTable:
    """Compare customers with each other: ranks, stages, tiers and tags of their facts."""
    computed_at = computed_at or datetime.now(UTC)
    there = availability(facts.known)
    table = facts.table.merge(
        _basics(con, rules.as_of), on=CUSTOMER_ID, how="left", validate="one_to_one"
    ).merge(_accounts(con), on=CUSTOMER_ID, how="left", validate="one_to_one")
    table = table.copy()  # one block again after many columns
    if there["accounts"]:
        table = table.assign(accounts=table["accounts"].fillna(1.0))
    table = table.assign(
        views_per_order=_ratio(table["views_90d"], table["orders_90d"]),
        return_share_365d=_ratio(table["returned_365d"], table["amount_365d"]),
        value_amount=(table["spent"].fillna(0) - table["returned"].fillna(0)).round(2),
        influence=_influence(table["followers"], table["social_actions_90d"]),
    )
    typical = median_gap(table["pauses"], table["paused_days"])
    gap = usual_gap_days(table["pauses"], table["paused_days"], typical, rules)
    table = table.assign(
        value_percentile=table["value_amount"].rank(pct=True, method="max"),
        usual_gap_days=gap,
        silence=_ratio(table["days_since_last_order"], gap).round(6),
        lifecycle_stage=lifecycle_stage(
            table["days_since_last_order"], table["tenure_days"], gap, rules
        ),
    )
    table = table.join(risk(table, rules.risk)).copy()
    missing = frozenset(name for name, known in there.items() if not known)
    tagged = apply_catalogue(table, facts.points, catalogue, missing, rules.as_of, computed_at)
    lists = {
        name: _tag_list(table[CUSTOMER_ID], tagged.tags, catalogue, dimension)
        for name, dimension in _TAG_LISTS.items()
    }
    lists |= {name: table[name].map(_or_empty) for name in LISTS}
    lists = {n: v if there[n] else pd.Series(None, index=v.index, dtype="object")
             for n, v in lists.items()}  # fmt: skip
    made = {**tagged.labels, **lists}
    columns = {name: made.get(name, table.get(name)) for name in PROFILE_COLUMNS}
    head = {
        CUSTOMER_ID: table[CUSTOMER_ID],
        AS_OF: table[AS_OF],
        COMPUTED_AT: computed_at.isoformat(timespec="seconds"),
    }
    cutoffs = {**tagged.cutoffs, "usual_gap_days.median": typical}
    profiles = pd.DataFrame({**head, **columns})
    return ProfileTable(profiles, tagged.tags, cutoffs, there, facts)


def availability(known: Available) -> dict[str, bool]:
    """Per column of the profile, whether the source's tables hold what it needs."""
    return {name: known.has(column.needs) for name, column in PROFILE_COLUMNS.items()}


def _ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.astype("float64") / whole.where(whole != 0).astype("float64")


def _influence(followers: pd.Series, actions: pd.Series) -> pd.Series:
    """Reach times activity, 0 to 100: the rank by followers times the rank by recent actions.

    A large audience that one never speaks to moves nobody, nor does much talk to no audience: both
    are an influence of 0.
    """
    ranked = 100 * followers.rank(pct=True) * actions.rank(pct=True)
    return ranked.where(ranked.isna() | ((followers > 0) & (actions > 0)), 0.0).round(6)


def _basics(con: Connection, as_of: date) -> pd.DataFrame:
    """What customers are: as the source says, and the age band of a year of birth."""
    if not present(con, ["customers"]):
        text = dict.fromkeys(BASICS, pd.Series(dtype="str"))
        return pd.DataFrame(
            {CUSTOMER_ID: pd.Series(dtype="str"), **text,
             "days_since_registration": pd.Series(dtype="float64")}
        )  # fmt: skip
    whens = " ".join(
        f"WHEN {as_of.year} - birth_year < {below} THEN '{band}'" for below, band in _AGES
    )
    columns = ", ".join(name for name in BASICS if name != "age_band")
    return con.execute(
        f"""
        SELECT customer_id,
               COALESCE(age_band, CASE WHEN birth_year IS NULL THEN NULL {whens} END) AS age_band,
               {columns},
               CAST(CASE WHEN registered_on < DATE '{as_of}'
                   THEN DATEDIFF('day', registered_on, DATE '{as_of}') END AS DOUBLE)
                   AS days_since_registration
        FROM customers ORDER BY customer_id"""
    ).df()


def _accounts(con: Connection) -> pd.DataFrame:
    """How many ids of the source belong to a customer, where ids were merged."""
    if not present(con, ["identity_map"]):
        return pd.DataFrame(
            {CUSTOMER_ID: pd.Series(dtype="str"), "accounts": pd.Series(dtype="float64")}
        )
    return con.execute(
        "SELECT customer_id, CAST(count(DISTINCT source_customer_id) AS DOUBLE) AS accounts "
        "FROM identity_map GROUP BY customer_id ORDER BY customer_id"
    ).df()


def _tag_list(
    customers: pd.Series, tags: pd.DataFrame, catalogue: TagCatalogue, dimension: Dimension
) -> pd.Series:
    """Each customer's public tags of a dimension that no column of its own holds, by name."""
    families = [f.id for f in catalogue.families if f.dimension is dimension and f.sets is None]
    mine = tags[tags["family"].isin(families) & ~tags["private"]]
    lists = mine.groupby(CUSTOMER_ID, sort=False)["tag"].agg(list)
    return customers.map(lists).map(_or_empty).astype("object")


def _or_empty(value: object) -> list[str]:
    return list(value) if isinstance(value, list) else []


def as_numbers(profiles: pd.DataFrame) -> pd.DataFrame:
    """The columns of a profile that are numbers, for statistics: one row per customer."""
    names = [name for name, column in PROFILE_COLUMNS.items() if column.kind == "number"]
    return profiles[names].astype(np.float64)
