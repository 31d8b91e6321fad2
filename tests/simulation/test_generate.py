"""The files: the same for a seed, bounded in memory, consistent with each other, dirt counted."""

import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulation.shops import SIGMAS, deviation, shop

from mkt_models.columns import Table
from mkt_models.simulation.dirt import KINDS
from mkt_models.simulation.generate import generate
from mkt_models.simulation.shop import Chunk, World, make_world, simulate_chunk
from mkt_models.source_params import Dirt, Simulator
from mkt_models.sources.schemas import SCHEMAS

Ask = Callable[[str], Any]
DIRT = Dirt(**dict.fromkeys(Dirt.model_fields, 0.02))


def small(**changed: Any) -> Simulator:
    return shop(**({"customers": 500, "chunk_customers": 200, "days": 120} | changed))


def write(source: Simulator, folder: Path, seed: int = 9) -> Path:
    generate(source, seed, SCHEMAS, folder / "raw", folder / "truth")
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.parquet"))
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def asking(folder: Path) -> Ask:
    """Ask a question of the tables of a folder; those of the truth are named ``true_<table>``."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET TimeZone = 'UTC'")
    for place, prefix in (("raw", ""), ("truth", "true_")):
        for path in (folder / place).glob("*.parquet"):
            con.execute(f"CREATE VIEW {prefix}{path.stem} AS SELECT * FROM '{path}'")

    def ask(query: str) -> Any:
        rows = con.execute(query).fetchall()
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows

    return ask


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop without dirt."""
    return write(small(), tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="module")
def of_clean(clean: Path) -> Ask:
    return asking(clean)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shop with two per cent of every kind of dirt."""
    return write(small(dirt=DIRT), tmp_path_factory.mktemp("dirty"))


# --- the same for a seed ---


def test_a_seed_gives_the_same_bytes_with_any_number_of_threads(clean: Path, tmp_path: Path):
    before = pa.cpu_count()
    try:
        pa.set_cpu_count(1 if before > 1 else 4)
        again = write(small(), tmp_path)
    finally:
        pa.set_cpu_count(before)
    assert digests(again) == digests(clean)
    assert len(digests(clean)) == len(Table) + 7


def test_dirt_is_the_same_for_a_seed(dirty: Path, tmp_path: Path):
    assert digests(write(small(dirt=DIRT), tmp_path)) == digests(dirty)


def test_another_seed_gives_others(clean: Path, tmp_path: Path):
    other = digests(write(small(), tmp_path, seed=10))
    equal = {name for name, digest in digests(clean).items() if other[name] == digest}
    # when campaigns run, and that there is no dirt, are no matter of chance
    assert equal == {"raw/campaigns.parquet", "truth/campaigns.parquet", "truth/dirt.parquet"}


def same(a: Chunk, b: Chunk) -> bool:
    parts = ("orders", "lines", "returns", "events", "social", "tickets")
    return all(
        np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f")
        for part in parts
        for mine, theirs in zip(
            vars(getattr(a, part)).values(), vars(getattr(b, part)).values(), strict=True
        )
    )


def test_a_chunk_depends_on_no_other():
    few, many = make_world(small(), 9), make_world(small(customers=1000), 9)
    alone = simulate_chunk(few, 1)
    simulate_chunk(many, 0)
    assert same(alone, simulate_chunk(many, 1))
    assert not same(alone, simulate_chunk(many, 2))


# --- memory ---


def test_every_chunk_is_a_row_group_of_its_own(clean: Path):
    file = pq.ParquetFile(clean / "raw" / "transactions.parquet")
    assert file.num_row_groups == 3
    seen = [set(file.read_row_group(i)["customer_id"].to_pylist()) for i in range(3)]
    assert not seen[0] & seen[1]
    assert not seen[1] & seen[2]


def test_memory_does_not_grow_with_the_number_of_chunks(tmp_path: Path):
    def peak(customers: int) -> int:
        tracemalloc.start()
        write(small(customers=customers, horizons=(28,)), tmp_path / str(customers))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(1600) < 1.25 * peak(400)


def test_a_failed_run_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(world: World, number: int) -> Chunk:
        raise RuntimeError("out of paper")

    monkeypatch.setattr("mkt_models.simulation.generate.simulate_chunk", fail)
    with pytest.raises(RuntimeError, match="out of paper"):
        write(small(), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# --- without dirt everything fits together ---


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("customers", "customer_id"),
        ("products", "product_id"),
        ("campaigns", "campaign_id"),
        ("transactions", "order_id || '/' || line_id"),
        ("events", "event_id"),
        ("social", "action_id"),
        ("tickets", "ticket_id"),
        ("offers", "offer_id || '/' || product_id"),
        ("exposures", "customer_id || '/' || campaign_id"),
        ("identities", "customer_id || '/' || kind || '/' || value"),
    ],
)
def test_keys_are_unique_and_known(of_clean: Ask, table: str, key: str):
    assert of_clean(f"SELECT count(*) - count(DISTINCT {key}) FROM {table}") == 0
    assert of_clean(f"SELECT count(*) FROM {table}") > 0


@pytest.mark.parametrize(
    ("table", "column", "of"),
    [
        *(
            (table, "customer_id", "customers")
            for table in (
                "transactions",
                "events",
                "social",
                "tickets",
                "exposures",
                "outcomes",
                "consents",
                "identities",
            )
        ),
        ("transactions", "product_id", "products"),
        ("transactions", "returned_order_id", "transactions"),
        ("events", "product_id", "products"),
        ("offers", "product_id", "products"),
        ("offers", "campaign_id", "campaigns"),
        ("exposures", "campaign_id", "campaigns"),
        ("outcomes", "offer_id", "offers"),
        ("tickets", "order_id", "transactions"),
        ("social", "target_customer_id", "customers"),
    ],
)
def test_what_is_named_is_there(of_clean: Ask, table: str, column: str, of: str):
    to = {"returned_order_id": "order_id", "target_customer_id": "customer_id"}.get(column, column)
    lost = f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN"
    assert of_clean(f"{lost} (SELECT {to} FROM {of} WHERE {to} IS NOT NULL)") == 0


@pytest.mark.parametrize("table", ["transactions", "events", "social"])
def test_times_lie_in_the_data_and_after_registration(of_clean: Ask, table: str):
    local = "CAST(occurred_at + INTERVAL 8 HOUR AS DATE)"  # Shanghai
    low, high, early = of_clean(
        f"""SELECT min({local}) >= DATE '2024-01-01', max({local}) = DATE '2024-04-29',
            sum(CASE WHEN {local} < registered_on THEN 1 ELSE 0 END)
            FROM {table} JOIN customers USING (customer_id)"""
    )[0]
    assert (low, high, early) == (True, True, 0)


def test_amounts_are_price_times_pieces_less_discounts(of_clean: Ask):
    assert (
        of_clean(
            """SELECT count(*) FROM transactions JOIN products USING (product_id)
            WHERE quantity > 0 AND amount_cents <> price_cents * quantity
              - loyalty_discount_cents - coupon_discount_cents"""
        )
        == 0
    )


def test_a_return_gives_back_a_line_of_a_completed_order(of_clean: Ask):
    n, matched, before = of_clean(
        """SELECT count(*), count(s.order_id), sum(CASE WHEN s.occurred_at < r.occurred_at
             AND s.amount_cents = -r.amount_cents AND s.status = 'completed' THEN 1 ELSE 0 END)
        FROM transactions AS r LEFT JOIN transactions AS s ON s.order_id = r.returned_order_id
         AND s.line_id = r.line_id AND s.customer_id = r.customer_id
         AND s.product_id = r.product_id AND s.quantity = -r.quantity
        WHERE r.quantity < 0 AND r.returned_order_id IS NOT NULL"""
    )[0]
    assert n == matched == before
    assert of_clean("SELECT count(*) FROM transactions WHERE quantity < 0") > n > 0


def test_a_redemption_is_a_coupon_line_of_a_contacted_customer(of_clean: Ask):
    n, lines = of_clean(
        """SELECT count(*), count(t.order_id) FROM outcomes AS o
        JOIN exposures AS e ON e.customer_id = o.customer_id AND e.campaign_id = o.campaign_id
         AND e.arm = 'treatment'
        JOIN offers AS f ON f.offer_id = o.offer_id AND f.campaign_id = o.campaign_id
        JOIN transactions AS t ON t.customer_id = o.customer_id AND t.product_id = f.product_id
         AND t.coupon_discount_cents > 0 AND t.amount_cents = o.amount_cents
         AND CAST(t.occurred_at + INTERVAL 8 HOUR AS DATE) = o.occurred_on
        WHERE o.kind = 'redemption'"""
    )[0]
    redeemed = of_clean("SELECT count(*) FROM outcomes WHERE kind = 'redemption'")
    coupons = of_clean("SELECT count(*) FROM transactions WHERE coupon_discount_cents > 0")
    assert n == lines == redeemed == coupons > 0
    outside = of_clean(
        """SELECT count(*) FROM outcomes AS o JOIN campaigns AS c USING (campaign_id)
        WHERE o.occurred_on NOT BETWEEN c.starts_on AND c.ends_on"""
    )
    assert outside == 0


def test_what_is_ordered_online_was_viewed_and_put_into_the_cart_before(of_clean: Ask):
    unseen = of_clean(
        """SELECT count(*) FROM transactions AS t JOIN customers AS c USING (customer_id)
        WHERE t.quantity > 0 AND t.channel IN ('app', 'web')
          AND CAST(t.occurred_at + INTERVAL 8 HOUR AS DATE) > greatest(registered_on, '2024-01-01')
          AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.customer_id = t.customer_id
            AND e.product_id = t.product_id AND e.kind = 'cart' AND e.occurred_at < t.occurred_at
            AND e.occurred_at > t.occurred_at - INTERVAL 1 HOUR)"""
    )
    assert unseen == 0


def test_tickets_are_opened_after_their_order(of_clean: Ask):
    assert (
        of_clean(
            """SELECT count(*) FROM tickets AS k JOIN transactions AS t USING (order_id)
            WHERE k.opened_at <= t.occurred_at OR k.resolved_at < k.opened_at
              OR k.satisfaction NOT BETWEEN 1 AND 5 OR k.customer_id <> t.customer_id"""
        )
        == 0
    )


def test_accounts_of_a_person_share_a_phone_and_no_card(of_clean: Ask):
    shared = of_clean(
        """SELECT count(*) FROM (SELECT value FROM identities WHERE kind = 'phone'
        GROUP BY value HAVING count(*) > 1) AS v"""
    )
    persons = of_clean(
        """SELECT count(*) FROM (SELECT person_id FROM true_customers GROUP BY person_id
        HAVING count(*) > 1) AS p"""
    )
    wrong = of_clean(
        """SELECT count(*) FROM identities AS a JOIN identities AS b USING (kind, value)
        JOIN true_customers AS x ON x.customer_id = a.customer_id
        JOIN true_customers AS y ON y.customer_id = b.customer_id
        WHERE x.person_id <> y.person_id OR (kind = 'loyalty_card'
          AND a.customer_id <> b.customer_id)"""
    )
    assert shared == persons > 0
    assert wrong == 0


def test_nobody_is_contacted_over_a_channel_after_revoking_it(of_clean: Ask):
    assert (
        of_clean(
            """SELECT count(*) FROM exposures AS e JOIN consents AS c
             ON c.customer_id = e.customer_id AND c.channel = e.channel
            WHERE c.status = 'revoked' AND e.sent_on > c.changed_on"""
        )
        == 0
    )


# --- the truth ---


def test_the_truth_has_a_row_for_everybody(of_clean: Ask):
    assert of_clean("SELECT count(*) FROM true_customers") == 500
    assert of_clean("SELECT count(*) - count(DISTINCT customer_id) FROM true_customers") == 0
    actions = of_clean("SELECT count(DISTINCT action) FROM true_actions")
    assert of_clean("SELECT count(*) FROM true_actions") == 500 * actions
    assert of_clean("SELECT count(*) FROM true_exposures") == of_clean(
        "SELECT count(*) FROM exposures"
    )
    assert of_clean("SELECT count(*) FROM true_dirt WHERE rows > 0") == 0


def test_the_truth_on_file_is_true_of_the_data_on_file(of_clean: Ask):
    """Exposures on file, against the completed orders on file within the campaign's days."""
    rows = of_clean(
        """SELECT CASE WHEN e.arm = 'treatment' THEN e.p_order_if_contacted
             ELSE e.p_order_if_not END, EXISTS (SELECT 1 FROM transactions AS t
             WHERE t.customer_id = e.customer_id AND t.status = 'completed' AND t.quantity > 0
               AND CAST(t.occurred_at + INTERVAL 8 HOUR AS DATE) BETWEEN c.starts_on AND c.ends_on)
        FROM true_exposures AS e JOIN campaigns AS c USING (campaign_id)"""
    )
    p, found = np.array(rows, dtype=float).T
    assert abs(deviation(found - p)) < SIGMAS


# --- dirt ---

PLANTED = {
    **{
        ("exact_duplicate", table.value): "SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT"
        f" * FROM {table.value}) AS d) FROM {table.value}"
        for table in Table
        if table is not Table.CAMPAIGNS
    },
    ("near_duplicate", "transactions"): "SELECT count(*) FROM transactions AS a JOIN transactions"
    " AS b ON a.order_id = b.order_id AND a.line_id = b.line_id"
    " AND b.occurred_at > a.occurred_at AND b.occurred_at < a.occurred_at + INTERVAL 60 SECOND",
    ("double_order", "transactions"): "SELECT count(*) FROM transactions AS a JOIN transactions"
    " AS b ON b.customer_id = a.customer_id AND b.product_id = a.product_id"
    " AND b.amount_cents = a.amount_cents AND b.quantity = a.quantity"
    " AND b.order_id <> a.order_id AND b.order_id LIKE 'D%' AND b.occurred_at > a.occurred_at"
    " AND b.occurred_at < a.occurred_at + INTERVAL 60 SECOND",
    ("missing_key", "transactions"): "SELECT count(*) FROM transactions WHERE order_id IS NULL"
    " OR customer_id IS NULL OR product_id IS NULL OR occurred_at IS NULL",
    ("missing_amount", "transactions"): "SELECT count(*) FROM transactions"
    " WHERE amount_cents IS NULL",
    ("negative_amount", "transactions"): "SELECT count(*) FROM transactions"
    " WHERE amount_cents < 0 AND quantity > 0",
    ("orphan_product", "transactions"): "SELECT count(*) FROM transactions WHERE product_id NOT IN"
    " (SELECT product_id FROM products)",
    ("orphan_customer", "transactions"): "SELECT count(*) FROM transactions WHERE customer_id"
    " NOT IN (SELECT customer_id FROM customers WHERE customer_id IS NOT NULL)",
    ("future_time", "transactions"): "SELECT count(*) FROM transactions"
    " WHERE occurred_at > TIMESTAMP '2024-04-29 16:00:00'",
    ("before_registration", "transactions"): "SELECT count(*) FROM transactions AS t JOIN (SELECT"
    " customer_id, min(registered_on) AS day FROM customers GROUP BY customer_id) AS c"
    " USING (customer_id) WHERE CAST(occurred_at + INTERVAL 8 HOUR AS DATE) < day",
    ("absurd_quantity", "transactions"): "SELECT count(*) FROM transactions WHERE quantity > 1000",
    ("missing_key", "customers"): "SELECT count(*) FROM customers WHERE customer_id IS NULL",
    ("impossible_birth_year", "customers"): "SELECT count(*) FROM customers"
    " WHERE birth_year < 1900",
    ("broken_label", "customers"): "SELECT count(*) FROM customers"
    " WHERE gender NOT IN ('female', 'male')",
    ("missing_key", "identities"): "SELECT count(*) FROM identities WHERE value IS NULL",
    ("missing_label", "products"): "SELECT count(*) FROM products"
    " WHERE category IS NULL OR product_type IS NULL",
    ("absurd_price", "products"): "SELECT count(*) FROM products WHERE price_cents < 0",
    ("orphan_product", "offers"): "SELECT count(*) FROM offers WHERE product_id NOT IN"
    " (SELECT product_id FROM products)",
    ("missing_key", "events"): "SELECT count(*) FROM events WHERE customer_id IS NULL"
    " OR kind IS NULL OR occurred_at IS NULL",
    ("orphan_customer", "events"): "SELECT count(*) FROM events WHERE customer_id LIKE 'X%'",
    ("orphan_product", "events"): "SELECT count(*) FROM events WHERE product_id LIKE 'X%'",
    ("future_time", "events"): "SELECT count(*) FROM events"
    " WHERE occurred_at > TIMESTAMP '2024-04-29 16:00:00'",
    ("negative_dwell", "events"): "SELECT count(*) FROM events WHERE dwell_seconds < 0",
    ("rating_out_of_range", "events"): "SELECT count(*) FROM events WHERE rating > 5",
    ("broken_label", "events"): "SELECT count(*) FROM events WHERE kind <> lower(trim(kind))",
    ("broken_label", "products"): "SELECT count(*) FROM products"
    " WHERE category = upper(category) OR category <> trim(category)",
    ("missing_key", "social"): "SELECT count(*) FROM social"
    " WHERE customer_id IS NULL OR kind IS NULL",
    ("future_time", "social"): "SELECT count(*) FROM social"
    " WHERE occurred_at > TIMESTAMP '2024-04-29 16:00:00'",
    ("broken_label", "social"): "SELECT count(*) FROM social WHERE topic <> lower(trim(topic))",
    ("negative_followers", "social"): "SELECT count(*) FROM social WHERE followers < 0",
    ("resolved_before_opened", "tickets"): "SELECT count(*) FROM tickets"
    " WHERE resolved_at < opened_at",
    ("satisfaction_out_of_range", "tickets"): "SELECT count(*) FROM tickets WHERE satisfaction > 5",
    ("orphan_order", "tickets"): "SELECT count(*) FROM tickets WHERE order_id LIKE 'X%'",
    ("outcome_without_exposure", "outcomes"): "SELECT count(*) FROM outcomes AS o WHERE NOT EXISTS"
    " (SELECT 1 FROM exposures AS e WHERE e.customer_id = o.customer_id)",
    ("broken_label", "consents"): "SELECT count(*) FROM consents"
    " WHERE status NOT IN ('granted', 'refused', 'revoked')",
}


@pytest.fixture(scope="module")
def of_dirty(dirty: Path) -> Ask:
    return asking(dirty)


def test_every_kind_of_dirt_is_looked_for():
    assert set(PLANTED) == {(kind.name, kind.table.value) for kind in KINDS}


@pytest.mark.parametrize(("kind", "table"), PLANTED)
def test_as_much_dirt_is_found_as_was_planted(of_dirty: Ask, of_clean: Ask, kind: str, table: str):
    told = of_dirty(f"SELECT rows FROM true_dirt WHERE kind = '{kind}' AND \"table\" = '{table}'")
    assert of_dirty(PLANTED[kind, table]) == told > 0
    assert of_clean(PLANTED[kind, table]) == 0


def test_rows_are_those_of_the_clean_shop_and_those_that_were_added(of_dirty: Ask, of_clean: Ask):
    added = (
        "exact_duplicate",
        "near_duplicate",
        "double_order",
        "outcome_without_exposure",
    )
    for table in Table:
        names = ", ".join(f"'{name}'" for name in added)
        more = of_dirty(
            f"""SELECT COALESCE(sum(rows), 0) FROM true_dirt WHERE "table" = '{table.value}'
            AND (kind IN ({names}) OR (kind = 'missing_key' AND "table" IN
              ('customers', 'identities')) OR (kind = 'orphan_product' AND "table" = 'offers'))"""
        )
        count = f"SELECT count(*) FROM {table.value}"
        assert of_dirty(count) == of_clean(count) + more, table


def test_dirt_leaves_the_truth_as_it_is(clean: Path, dirty: Path):
    def tables(folder: Path) -> dict[str, str]:
        return {k: v for k, v in digests(folder).items() if k != "truth/dirt.parquet"}

    truth = [name for name in tables(clean) if name.startswith("truth/")]
    assert all(tables(clean)[name] == tables(dirty)[name] for name in truth)
