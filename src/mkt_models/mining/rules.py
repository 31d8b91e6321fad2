"""What is bought together: rules "orders with A often hold B too".

A and B are sets of items: values of one column of products, by default the product type, or of
several columns. What is found is observed, not caused: to place B beside A may or may not sell
more B. And a large order holds more of everything, so that lifts lie a little above 1 for no
other reason; ``min_lift`` is there for that.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from mkt_models.engine import DuckDB
from mkt_models.mining.baskets import NOTHING, check_levels, left_out_sql, read_baskets
from mkt_models.mining.derive import Thresholds, rules_of
from mkt_models.params import Mining
from mkt_models.profiles.exclusions import Exclusions

READ_COLUMNS = (
    "level",
    "antecedent",
    "consequent",
    "orders",
    "customers",
    "n_orders",
    "support",
    "confidence",
    "lift",
    "q_value",
)


def association_rules(
    con: DuckDB,
    *,
    as_of: date,
    keep: Thresholds,
    levels: Sequence[str] = ("product_type",),
    exclude: Exclusions = NOTHING,
    tests: bool = True,
) -> pd.DataFrame:
    """Find the items that are bought together.

    One row per rule, antecedent -> consequent, the highest lift first.

    Parameters
    ----------
    con
        with the clean ``transactions`` and ``products``
    as_of
        orders strictly before this local day count
    keep
        which rules are kept
    levels
        columns of products whose values are the items. With several, a rule may mix them, but
        holds no two items of one product: no product type beside its own category.
    exclude
        what is no article (fuel, coupons) or must not be promoted; see :func:`left_out`
    tests
        False leaves out the tests and the count of customers, which take most of the time when
        there are many rules; ``keep`` may then ask nothing of them

    Returns
    -------
    DataFrame
        ``antecedent`` and ``consequent`` are the items, joined by " + "; ``antecedent_items`` and
        ``consequent_items`` are the same as tuples. ``size`` is the number of items.
        ``orders`` and ``customers`` hold all items, ``antecedent_orders`` and
        ``consequent_orders`` hold each side, ``n_orders`` and ``n_customers`` hold any item that
        is not left out. With shares of ``n_orders``:
        ``support`` P(A and B), ``confidence`` P(B | A), ``lift`` P(A and B) / (P(A) P(B)),
        ``leverage`` P(A and B) - P(A) P(B), ``conviction`` P(A) P(not B) / P(A and not B),
        infinite where A never comes without B.

        ``improvement`` is the confidence minus the best confidence of a more general rule: the
        same consequent from a part of the antecedent, or from nothing. A rule is ``redundant``
        when that is not above 0: its antecedent says more and foretells no more.

        ``p_orders`` and ``p_customers`` are two tests of independence, ``p_value`` is the larger,
        and ``q_value`` corrects it for every pair of sets that could have been a rule, before any
        threshold but support; see :mod:`mkt_models.mining.significance`.

    Raises
    ------
    ValueError
        When a level is unknown, or so many sets are frequent that they could not be read; the
        message says what to raise or lower.

    """
    baskets = read_baskets(con, as_of=as_of, levels=levels, exclude=exclude)
    return rules_of(baskets, keep, tests=tests)


def rules_at_levels(con: DuckDB, *, as_of: date, mining: Mining) -> pd.DataFrame:
    """Mine every level that the parameters name, one after the other.

    The rows of :func:`association_rules` per level, in the order of the levels.
    """
    return pd.concat(
        [
            association_rules(
                con,
                as_of=as_of,
                keep=Thresholds(
                    min_support=at.min_support or mining.min_support,
                    min_confidence=mining.min_confidence,
                    min_lift=mining.min_lift,
                    max_q_value=mining.max_q_value,
                    min_customers=mining.min_customers,
                    max_items=at.max_items or mining.max_items,
                    max_consequents=mining.max_consequents,
                    redundant=mining.redundant_rules,
                ),
                levels=at.levels,
                exclude=Exclusions.of(mining),
            )
            for at in mining.rule_levels
        ],
        ignore_index=True,
    )


def left_out(
    con: DuckDB,
    *,
    as_of: date,
    level: str = "product_type",
    exclude: Exclusions = NOTHING,
) -> pd.DataFrame:
    """Count what :func:`association_rules` sees at one level and what it leaves out.

    One row per reason, most lines first: ``kept``, ``no product_type`` (the level is null or the
    product unknown), ``excluded department``, ``excluded category``, ``excluded word``; with its
    order ``lines``, ``products`` and ``orders``. Lines add up to all lines before ``as_of``; an
    order may stand under several reasons.
    """
    check_levels([level])
    return con.execute(
        f"""
        SELECT coalesce(left_out, 'kept') AS reason, count(*) AS lines,
            count(DISTINCT product_id) AS products, count(DISTINCT order_id) AS orders
        FROM ({left_out_sql(as_of, level, exclude)}) AS l
        GROUP BY coalesce(left_out, 'kept') ORDER BY lines DESC, reason
        """
    ).df()


def bought_together(rules: pd.DataFrame, recommendations: pd.DataFrame) -> pd.DataFrame:
    """Add to every recommended product what goes with it.

    The recommendations with two columns more: ``goes_with``, the consequent of the rule of highest
    lift from the recommended ``product_type`` alone, and ``goes_with_lift``. (By confidence or
    leverage everything would go with milk; the rules' support keeps a high lift from being
    chance.) Both are null where no rule starts from that type. Of rules at several levels those
    between product types count, or, without any, those between products.

    >>> rules = pd.DataFrame({
    ...     "antecedent": ["BUNS", "BUNS"], "consequent": ["MILK", "SAUSAGES"],
    ...     "lift": [1.3, 4.0], "orders": [900, 300],
    ... })
    >>> bought_together(rules, pd.DataFrame({"product_type": ["BUNS", "TEA"]}))
      product_type goes_with  goes_with_lift
    0         BUNS  SAUSAGES             4.0
    1          TEA       NaN             NaN
    """
    key = "product_type"
    if "level" in rules:
        levels = set(rules["level"])
        key = key if key in levels or "product_id" not in levels else "product_id"
        rules = rules[(rules["level"] == key) & (rules["size"] == 2)]
    best = (
        rules.sort_values(
            ["lift", "orders", "consequent"], ascending=[False, False, True], kind="stable"
        )
        .drop_duplicates("antecedent")
        .loc[:, ["antecedent", "consequent", "lift"]]
        .rename(columns={"antecedent": key, "consequent": "goes_with", "lift": "goes_with_lift"})
    )
    return recommendations.merge(best, on=key, how="left", validate="many_to_one")


def best_rules(rules: pd.DataFrame, top: int = 5) -> pd.DataFrame:
    """Pick the rules of highest lift per level and size, for readers.

    Of the rules between the same items only the most confident is shown.
    """
    items = [
        " + ".join(sorted((*a, *b)))
        for a, b in zip(rules["antecedent_items"], rules["consequent_items"], strict=True)
    ]
    shown = (
        rules.assign(items=pd.Series(items, dtype="str", index=rules.index))
        .sort_values(["lift", "confidence", "antecedent"], ascending=[False, False, True])
        .drop_duplicates(["level", "items"])
    )
    order = {level: place for place, level in enumerate(rules["level"].unique())}
    shown = shown[shown.groupby(["level", "size"]).cumcount() < top]
    shown = shown.sort_values(
        ["level", "size", "lift", "antecedent"],
        ascending=[True, True, False, True],
        key=lambda column: column.map(order) if column.name == "level" else column,
    )
    return shown[list(READ_COLUMNS)].reset_index(drop=True)
