"""The tables of the live store: what the service decides, and what comes back.

Each is described by its comment. Times are kept in UTC. Money is whole hundredths of the currency
unit and budgets whole millionths of theirs, so that sums are exact. A change here needs a migration
in :mod:`mkt_models.migrations`; a test compares the two on SQLite and on PostgreSQL.
"""

import sqlalchemy as sa

from mkt_models.store.values import ID_LENGTH, Utc

KEY_LENGTH = 160  # a key of ours joins a decision's id with a rank

live_schema = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str, *, required: bool = True, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(ID_LENGTH), nullable=not required, index=index)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _key() -> sa.Column[str]:
    return sa.Column("key", sa.String(KEY_LENGTH), unique=True)


consents = sa.Table(
    "consents",
    live_schema,
    _number(),
    _key(),
    _id("customer_id", index=True),
    _id("purpose"),
    _id("channel"),
    _id("status"),
    sa.Column("changed_on", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("changed_at", Utc),
    sa.Column("recorded_at", Utc, nullable=False),
    comment="what a customer said about a purpose and a channel; nothing is overwritten",
)
exposures = sa.Table(
    "exposures",
    live_schema,
    _number(),
    _key(),
    _id("customer_id"),
    _id("channel"),
    _id("strategy", required=False),
    _id("offer_id", required=False),
    _id("campaign_id", required=False),
    sa.Column("sent_at", Utc, nullable=False),
    _id("decision_id", required=False, index=True),
    sa.Column("until", Utc),
    _id("purpose", required=False),
    _id("status"),
    sa.Column("within_policy", sa.Boolean),
    sa.Column("recorded_at", Utc, nullable=False),
    _id("sender_key", required=False),
    sa.Column("sending_since", Utc),
    sa.Column("withdrawn_at", Utc),
    sa.Index("exposures_of_customer", "customer_id", "sent_at"),
    comment="contacts: planned with a decision, then being sent, sent, not sent or withdrawn",
)
decisions = sa.Table(
    "decisions",
    live_schema,
    sa.Column("decision_id", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    _id("customer_id", index=True),
    _id("snapshot_id"),
    sa.Column("asked_for", Utc, nullable=False),
    sa.Column("decided_at", Utc, nullable=False),
    _id("arm"),
    sa.Column("arm_probability", sa.Float, nullable=False),
    _id("strategy"),
    _id("channel", required=False),
    _id("offer_id", required=False),
    sa.Column("probability", sa.Float, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("inputs", sa.Text, nullable=False),
    comment="answers as they were given; strategy, channel, offer and probability of the first",
)
outcomes = sa.Table(
    "outcomes",
    live_schema,
    _number(),
    sa.Column("key", sa.String(KEY_LENGTH), nullable=False, unique=True),
    _id("customer_id"),
    _id("decision_id", required=False, index=True),
    _id("strategy", required=False),
    _id("kind"),
    sa.Column("amount_hundredths", sa.BigInteger),
    sa.Column("occurred_at", Utc, nullable=False),
    sa.Column("recorded_at", Utc, nullable=False),
    sa.Index("outcomes_of_customer", "customer_id", "occurred_at"),
    comment="what followed: clicks, purchases, redemptions, complaints",
)
assignments = sa.Table(
    "assignments",
    live_schema,
    sa.Column("experiment", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("customer_id", sa.String(ID_LENGTH), primary_key=True),
    _id("arm"),
    sa.Column("probability", sa.Float, nullable=False),
    sa.Column("assigned_at", Utc, nullable=False),
    comment="the arm in which a customer was when first decided for",
)
snapshots = sa.Table(
    "snapshots",
    live_schema,
    sa.Column("snapshot_id", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False),
    sa.Column("published_at", Utc, nullable=False),
    comment="published profiles; the one that is served stands in current_snapshot",
)
profiles = sa.Table(
    "profiles",
    live_schema,
    sa.Column("snapshot_id", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("customer_id", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Index("profiles_of_customer", "customer_id"),
    comment="profile, scores, reasons, offers and items of a customer",
)
current_snapshot = sa.Table(
    "current_snapshot",
    live_schema,
    sa.Column("place", sa.String(ID_LENGTH), primary_key=True),
    _id("snapshot_id"),
    comment="one row",
)
shadow_prices = sa.Table(
    "shadow_prices",
    live_schema,
    sa.Column("snapshot_id", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("budget", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("price", sa.Float, nullable=False),
    comment="currency units per unit of a budget, by which candidates are ranked",
)
budget_periods = sa.Table(
    "budget_periods",
    live_schema,
    sa.Column("budget", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("starts_on", sa.Date, primary_key=True),
    sa.Column("ends_on", sa.Date, nullable=False),
    _id("resource"),
    sa.Column("amount_millionths", sa.BigInteger, nullable=False),
    sa.Column("planned_millionths", sa.BigInteger),
    sa.Column("used_millionths", sa.BigInteger, nullable=False),
    comment="what there is of a budget from one day to before another, and what is taken of it",
)
budget_uses = sa.Table(
    "budget_uses",
    live_schema,
    _number(),
    sa.Column("contact", sa.Integer, index=True),
    _id("budget"),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("millionths", sa.BigInteger, nullable=False),
    sa.Column("contacts", sa.Integer, nullable=False),
    _id("state"),
    comment="what a contact (a row of exposures) takes of a budget; without one: of contacts "
    "that were erased or purged",
)
models_in_service = sa.Table(
    "models_in_service",
    live_schema,
    _number(),
    _id("model", index=True),
    _id("tag"),
    _id("verdict"),
    sa.Column("since", Utc, nullable=False),
    comment="which version served from when on, and what its audit said",
)
erased = sa.Table(
    "erased",
    live_schema,
    sa.Column("digest", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("erased_at", Utc, nullable=False),
    comment="keyed hashes of customers who were erased: nobody decides for them again",
)
settings = sa.Table(
    "settings",
    live_schema,
    sa.Column("name", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    comment="the key of the hashes",
)

OF_A_CUSTOMER = (consents, exposures, decisions, outcomes, assignments, profiles)
"""The tables with rows about a person."""
