"""Who has begun to send a contact and since when, and since when it is withdrawn.

Written out, not taken from :mod:`mkt_models.store.live_tables`: a step must stay as it was. Before
this step nobody said who they are: what was begun is nobody's, since it was last reported on; and
what was given back may have been withdrawn before, so it counts as withdrawn and is not sent.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the three columns, and fill them for what is on record."""
    op.add_column("exposures", sa.Column("sender_key", sa.String(length=64), nullable=True))
    op.add_column("exposures", sa.Column("sending_since", sa.DateTime(), nullable=True))
    op.add_column("exposures", sa.Column("withdrawn_at", sa.DateTime(), nullable=True))
    op.execute(
        "UPDATE exposures SET sending_since = recorded_at WHERE status IN ('sending', 'recalled')"
    )
    op.execute(
        "UPDATE exposures SET withdrawn_at = recorded_at "
        "WHERE status IN ('withdrawn', 'recalled', 'not_sent')"
    )


def downgrade() -> None:
    """Drop them; who sends what is no longer known."""
    op.drop_column("exposures", "withdrawn_at")
    op.drop_column("exposures", "sending_since")
    op.drop_column("exposures", "sender_key")
