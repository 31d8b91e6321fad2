"""The tables of a snapshot file; those of the live store stand in ``live_tables``."""

import sqlalchemy as sa

from mkt_models.store.values import ID_LENGTH, Utc

schema = sa.MetaData()


meta_table = sa.Table(
    "snapshot_meta",
    schema,
    sa.Column("key", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
customers_table = sa.Table(
    "customers",
    schema,
    sa.Column("customer_id", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)
consents_table = sa.Table(
    "consents",
    schema,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.String(ID_LENGTH), nullable=False, index=True),
    sa.Column("purpose", sa.String(ID_LENGTH), nullable=False),
    sa.Column("channel", sa.String(ID_LENGTH), nullable=False),
    sa.Column("status", sa.String(ID_LENGTH), nullable=False),
    sa.Column("changed_on", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("changed_at", Utc),
)
exposures_table = sa.Table(
    "exposures",
    schema,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("channel", sa.String(ID_LENGTH), nullable=False),
    sa.Column("strategy", sa.String(ID_LENGTH)),
    sa.Column("offer_id", sa.String(ID_LENGTH)),
    sa.Column("campaign_id", sa.String(ID_LENGTH)),
    sa.Column("sent_at", Utc, nullable=False),
    sa.Column("decision_id", sa.String(ID_LENGTH)),
    sa.Column("until", Utc),
    sa.Index("exposures_of_customer", "customer_id", "sent_at"),
    sa.UniqueConstraint("decision_id", "strategy", "channel", "offer_id"),
)
