"""A shop of which only order lines are known."""

import pandas as pd
from mining.baskets import AFTER, tables
from mining.tables import AS_OF, mining

from mkt_models.mining.discover import discover
from mkt_models.mining.goods import ensure_products, known_levels
from mkt_models.mining.popular import popular_products
from mkt_models.mining.recommend import recommend
from mkt_models.mining.rules import bought_together, rules_at_levels
from mkt_models.params import RuleLevel
from mkt_models.sources.schemas import SCHEMAS


def test_products_are_made_from_what_was_sold() -> None:
    con = tables([{"a", "b"}, {"a"}])
    assert ensure_products(con, ["transactions", "products"])
    con.execute("DROP TABLE products")
    assert not ensure_products(con, ["transactions"])
    made = con.execute("SELECT * FROM products ORDER BY product_id").df()
    assert set(made.columns) == set(SCHEMAS["products"])
    assert made["product_id"].tolist() == ["a", "b"]
    assert made.drop(columns="product_id").isna().all(axis=None)


def test_levels_without_values_are_left_out() -> None:
    con = tables([{"a", "b"}])  # types and categories, and no brand
    chosen = mining(rule_levels=[{"levels": ["product_type"]}, {"levels": ["category", "brand"]}])
    assert known_levels(con, chosen).rule_levels == (RuleLevel(levels=("product_type",)),)
    con.execute("UPDATE products SET product_type = NULL")
    assert known_levels(con, chosen).rule_levels == (RuleLevel(levels=("product_id",)),)
    assert known_levels(con, mining(rule_levels=[{"levels": ["category"]}])) == mining(
        rule_levels=[{"levels": ["category"]}]
    )


def test_everything_is_recommended_by_its_id(fill, shop) -> None:
    transactions, _ = shop
    con = fill(transactions, pd.DataFrame({"product_id": ["unused"]}))
    con.execute("DROP TABLE products")
    ensure_products(con, ["transactions"])
    chosen = known_levels(con, mining(exclude_departments=[], max_q_value=1, n_discover=3))
    lists = recommend(con, AS_OF, chosen)
    assert lists["customer_id"].nunique() == 40
    assert (lists["product_type"] == lists["product_id"]).all()
    assert lists["category"].isna().all()
    new = discover(con, AS_OF, chosen, lists)
    assert (new.groupby("customer_id").size() == 3).all()
    assert new["en"].notna().all()
    popular = popular_products(con, AS_OF, chosen)
    assert len(popular) == chosen.n_items
    rules = rules_at_levels(con, as_of=AFTER.replace(year=2021), mining=chosen)
    assert set(rules["level"]) == {"product_id"}
    assert bought_together(rules, lists)["goes_with"].notna().any()
