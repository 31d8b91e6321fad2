"""Tags of customers: stage, tiers and habits, each one rule over plain columns.

Each function takes columns of a profile table (one row per customer, same index) and gives one
column of labels. Cut-offs that depend on all customers are arguments, so that a tag can be
explained and repeated.
"""

import numpy as np
import pandas as pd

from mkt_models.columns import Habit, LifecycleStage, PurchasingPower, Tier
from mkt_models.params import Profile


def lifecycle_stage(
    days_since_last_order: pd.Series, tenure_days: pd.Series, rules: Profile
) -> pd.Series:
    """Exactly one stage per customer: new, active, dormant or lost.

    A customer is *new* while the first order is at most ``new_days`` ago; otherwise *active*,
    *dormant* or *lost* by the days since the last order. Both are in days, 1 or more.

    >>> rules = Profile.model_construct(new_days=56, active_days=28, dormant_days=84)
    >>> lifecycle_stage(pd.Series([3, 3, 60, 300]), pd.Series([10, 300, 300, 300]), rules).tolist()
    ['new', 'active', 'dormant', 'lost']
    """
    return pd.Series(
        np.select(
            [
                tenure_days <= rules.new_days,
                days_since_last_order <= rules.active_days,
                days_since_last_order <= rules.dormant_days,
            ],
            [LifecycleStage.NEW.value, LifecycleStage.ACTIVE.value, LifecycleStage.DORMANT.value],
            LifecycleStage.LOST.value,
        ),
        index=days_since_last_order.index,
    )


def value_cutoffs(spend: pd.Series, rules: Profile) -> tuple[float, float]:
    """Least spend of the tiers high and middle, so that they hold the shares of the params."""
    high = spend.quantile(1 - rules.high_value_share)
    middle = spend.quantile(max(0.0, 1 - rules.high_value_share - rules.middle_value_share))
    return float(high), float(middle)


def value_tier(spend: pd.Series, cutoffs: tuple[float, float]) -> pd.Series:
    """Rank customers by spend (currency units) against ``(high, middle)`` cut-offs.

    Nobody without spend is above low.

    >>> value_tier(pd.Series([0.0, 50.0, 500.0]), (400.0, 40.0)).tolist()
    ['low', 'middle', 'high']
    """
    high, middle = cutoffs
    return pd.Series(
        np.select(
            [(spend >= high) & (spend > 0), (spend >= middle) & (spend > 0)],
            [Tier.HIGH.value, Tier.MIDDLE.value],
            Tier.LOW.value,
        ),
        index=spend.index,
    )


def habit_cutoffs(profiles: pd.DataFrame, rules: Profile) -> dict[str, float]:
    """Cut-offs of the spending habits over all customers of the table."""
    return {
        "discount_share_high": float(profiles["discount_share"].quantile(1 - rules.habit_share)),
        "discount_share_median": float(profiles["discount_share"].median()),
        "orders_90d_high": float(profiles["orders_90d"].quantile(1 - rules.habit_share)),
    }


def spending_habit(
    discount_share: pd.Series, orders_90d: pd.Series, cutoffs: dict[str, float]
) -> pd.Series:
    """Careful spender, impulse buyer or rational consumer; null without orders in 90 days.

    *Careful*: the share of the shelf price saved is among the highest. *Impulse*: orders are among
    the most frequent, and the share saved is below the median. *Rational*: the others.
    """
    known = discount_share.notna()
    labels = pd.Series(
        np.select(
            [
                discount_share >= cutoffs["discount_share_high"],
                (orders_90d >= cutoffs["orders_90d_high"])
                & (discount_share < cutoffs["discount_share_median"]),
            ],
            [Habit.CAREFUL.value, Habit.IMPULSE.value],
            Habit.RATIONAL.value,
        ),
        index=discount_share.index,
        dtype="str",
    )
    return labels.where(known)


def purchasing_power(price_index: pd.Series, rules: Profile) -> pd.Series:
    """Affluent, middle class or ordinary, by what is paid and not by who somebody is.

    ``price_index`` is the spend of a customer divided by what the same pieces would have cost at
    the usual price of their product type; null gives null.

    >>> rules = Profile.model_construct(affluent_price_index=1.1, middle_price_index=0.95)
    >>> purchasing_power(pd.Series([1.2, 1.0, 0.7]), rules).tolist()
    ['affluent', 'middle_class', 'ordinary']
    """
    labels = pd.Series(
        np.select(
            [price_index >= rules.affluent_price_index, price_index >= rules.middle_price_index],
            [PurchasingPower.AFFLUENT.value, PurchasingPower.MIDDLE_CLASS.value],
            PurchasingPower.ORDINARY.value,
        ),
        index=price_index.index,
        dtype="str",
    )
    return labels.where(price_index.notna())


def risk_tier(coupon_share: pd.Series, orders: pd.Series, rules: Profile) -> pd.Series:
    """Risk by dependence on coupons: share of orders with one, among enough orders.

    Returns, payment failures and fraud signals would belong here; where a source has none of them
    the tier rests on coupons alone, and the reports say so.
    """
    enough = orders >= rules.risk_min_orders
    return pd.Series(
        np.select(
            [
                enough & (coupon_share >= rules.high_risk_coupon_share),
                enough & (coupon_share >= rules.middle_risk_coupon_share),
            ],
            [Tier.HIGH.value, Tier.MIDDLE.value],
            Tier.LOW.value,
        ),
        index=coupon_share.index,
    )
