"""A figure and an answer, as a run leaves them."""

FIGURE = {
    "name": "Churn AUC, 56 days",
    "value": 0.8571,
    "lower": 0.83,
    "upper": 0.881,
    "n": 2304,
    "kind": "backtested",
    "unit": "",
    "beside": "recency alone .752, last_90_days 0.7",
}


def answer(**more: object) -> dict[str, object]:
    strategy = {
        "rank": 1,
        "strategy": "personalised_recommendation",
        "channel": "app",
        "title": {"en": "Your regulars", "zh": "您常买的商品"},
        "text": {"en": "Bananas and milk are ready to add. " * 5, "zh": "香蕉和牛奶"},
        "worth": 1.5,
        "currency": "USD",
        "worth_kind": "propensity_weighted",
        "reasons": [{"en": "bought 9 times in 90 days", "zh": "90天内购买9次"}],
    }
    return {"customer_id": "17", "as_of": "2018-01-01", "strategies": [strategy], **more}
