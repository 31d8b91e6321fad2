"""Small histories of a shop, drawn by hypothesis: every table, a few customers."""

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

PEOPLE = [("x", "45-54", "Married"), ("y", None, None), ("z", None, None)]
CUSTOMER = st.sampled_from(["x", "y", "z"])


def line(customer: str, day: date, cents: int = 100, order: str | None = None) -> tuple[Any, ...]:
    """A line of milk, an order of its own unless an order is named."""
    return (order or f"{customer}{day}", customer, "milk", "s1", 1, cents, 0, 0, 0, day, 12)


def lines_on(days: st.SearchStrategy[date]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Order lines; the few order numbers make orders of several lines, days and hours."""
    return st.tuples(
        st.sampled_from(["1", "2", "3", "4", "5", "6"]),
        CUSTOMER,
        st.sampled_from(["milk", "bread", "wine", "chips", "not listed"]),
        st.sampled_from(["s1", "s2"]),
        st.integers(1, 4),
        st.integers(0, 3000),
        *[st.sampled_from([0, 0, 25])] * 3,
        days,
        st.integers(0, 23),
    )


def history_on(days: st.SearchStrategy[date], least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Lines, exposures and outcomes of these days, at least so many of each."""
    campaign = st.sampled_from(["1", "2"])
    return st.fixed_dictionaries(
        {
            "transactions": st.lists(lines_on(days), min_size=least, max_size=14),
            "exposures": st.lists(
                st.tuples(CUSTOMER, campaign, st.sampled_from(["mail", "app"]), days),
                min_size=least,
                max_size=4,
            ),
            "outcomes": st.lists(
                st.tuples(CUSTOMER, campaign, st.sampled_from(["a", "b"]), days),
                min_size=least,
                max_size=4,
            ),
            "events": st.lists(
                st.tuples(
                    CUSTOMER,
                    st.sampled_from(["view", "cart", "search", "review"]),
                    st.sampled_from(["milk", "wine", None]),
                    st.sampled_from(["DAIRY", None]),
                    st.sampled_from(["v1", "v2"]),
                    st.sampled_from([1.5, 20.25, None]),
                    st.sampled_from([1, 5, None]),
                    st.sampled_from(["mobile", "desktop"]),
                    days,
                    st.integers(0, 23),
                ),
                min_size=least,
                max_size=5,
            ),
            "social": st.lists(
                st.tuples(
                    CUSTOMER,
                    st.sampled_from(["post", "like", "repost"]),
                    st.sampled_from(["weibo", "douyin"]),
                    st.sampled_from(["sports", "gourmet"]),
                    st.sampled_from(["x", "y", None]),
                    st.integers(0, 900),
                    st.just(datetime(2017, 1, 1)),
                    days,
                ),
                min_size=least,
                max_size=4,
            ).map(lambda rows: [(*r[:6], datetime.combine(r[7], r[6].time()), r[7]) for r in rows]),
            "tickets": st.lists(
                st.tuples(CUSTOMER, st.sampled_from([1, 5, None]), days), min_size=least, max_size=3
            ).map(
                lambda rows: [
                    (f"{r[2]}{i}", *r, r[2] + timedelta(days=i * 3), ("delivery", "quality")[i % 2])
                    for i, r in enumerate(rows)
                ]
            ),
            "returns": st.lists(
                st.tuples(
                    st.just("r"),
                    CUSTOMER,
                    st.integers(0, 900),
                    st.sampled_from([None, date(2017, 3, 1)]),
                    days,
                ),
                min_size=least,
                max_size=3,
            ),
            "failed_orders": st.lists(
                st.tuples(
                    st.sampled_from("fgh"), CUSTOMER, st.sampled_from(["failed", "cancelled"]), days
                ),
                min_size=least,
                max_size=3,
            ),
        }
    )
