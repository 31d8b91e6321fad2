"""Parameters of privacy: pseudonyms, small cells, retention, and the list of those forgotten."""

from pydantic import Field

from mkt_models.sections import Days, Section

KEY_LENGTH = 32
"""A key has at least so many characters."""


class Retention(Section):
    """After how many days what a run made of personal data is due to be deleted; null: never."""

    tables: Days | None = Field(default=None, description="raw and clean tables, profiles, scores")
    decisions: Days | None = Field(default=None, description="decisions and snapshots")
    reports: Days | None = Field(default=None, description="reports and executed notebooks")
    live: Days | None = Field(
        default=None,
        description="decisions, contacts and outcomes in the live store, which keeps consents; no "
        "shorter than the caps, budgets and rests that count them need",
    )


class Privacy(Section):
    """How personal data is kept."""

    pseudonymise: bool = Field(
        default=False,
        description="ids of customers become keyed hashes (HMAC-SHA256) at the source; the ids "
        "themselves reach no file of a run",
    )
    key_env: str = Field(
        default="MKT_PRIVACY_KEY",
        pattern=r"^[A-Z][A-Z0-9_]{2,60}$",
        description="environment variable that holds the key; never a file",
    )
    forgotten: str = Field(
        default="forgotten/customers.txt",
        pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$",
        description="file, below the project's folder, of the keyed hashes of customers who were "
        "forgotten; keep it as long as the sources know them",
    )
    min_cell: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="groups of fewer customers are not counted out in reports",
    )
    show_customers: bool = Field(
        default=False,
        description="notebooks and their pages may show single customers, without their ids, as "
        "examples; without it they show what is typical of groups. For data of nobody, or of those "
        "who agreed",
    )
    retention: Retention = Retention()
