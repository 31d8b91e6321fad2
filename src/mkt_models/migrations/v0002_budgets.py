"""What there is of each budget in a period, and what every planned contact takes of it.

Written out, not taken from :mod:`mkt_models.store.live_tables`: a step must stay as it was. What
was decided before this step took of no budget on record.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "budget_periods",
        sa.Column("budget", sa.String(length=64), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("amount_millionths", sa.BigInteger(), nullable=False),
        sa.Column("planned_millionths", sa.BigInteger(), nullable=True),
        sa.Column("used_millionths", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("budget", "starts_on", name="pk_budget_periods"),
        comment="what there is of a budget from one day to before another, and what is taken of it",
    )
    op.create_table(
        "budget_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact", sa.Integer(), nullable=True),
        sa.Column("budget", sa.String(length=64), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_budget_uses"),
        comment="what a contact (a row of exposures) takes of a budget; without one: of contacts "
        "that were erased or purged",
    )
    op.create_index("ix_budget_uses_contact", "budget_uses", ["contact"], unique=False)
