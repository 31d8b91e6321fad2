from models.assignments import at, market

from mkt_models.models.contact_features import CONTACT_FEATURES, with_contact
from mkt_models.models.uplift_trials import trials


def test_features_of_the_contact_are_known_before() -> None:
    con = market(
        [("a", "now", at(0), 0.5), ("b", "past", at(-60), 0.5)],
        [("b", "now", at(0), 0.5), ("a", "past", at(-60), 0.5)],
        [
            ("a", at(-10), 100, "soup"),
            ("a", at(-20), 300, "tea"),
            ("a", at(0), 5000, "soup"),
            ("b", at(-3), 100, "tea"),
        ],
    )
    rows = with_contact(con, trials(con, at(30)).rows)
    assert (rows[list(CONTACT_FEATURES)].dtypes == "float64").all()
    now = rows[rows["campaign_id"] == "now"].set_index("customer_id")
    assert now["category_affinity"].to_dict() == {"a": 0.25, "b": 0.0}
    assert now["department_affinity"].to_dict() == {"a": 1.0, "b": 1.0}
    assert set(now["channel_app"]) == {1.0}
    assert set(now["channel_mail"]) == {0.0}
    assert set(now["offer_discount"]) == {0.2}
    past = rows[rows["campaign_id"] == "past"]
    assert past["category_affinity"].isna().all()  # a campaign without products
    assert set(past["offer_discount"]) == {0.0}
