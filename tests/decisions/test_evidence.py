from datetime import date

import duckdb
import pandas as pd
import pytest

from mkt_models.decisions.evidence import with_evidence

SHOWN = {
    "claims": {"effect": True, "ranking": True},
    "effects": [{"outcome": "ordered", "n": 900}, {"outcome": "spend", "n": 901}],
}
OFFERS = pd.DataFrame({"customer_id": ["1", "2", "1"], "campaign_id": ["a", "a", "b"]})
GAINS = pd.DataFrame(
    {
        "customer_id": ["1", "3", "1"],
        "campaign_id": ["a", "a", "b"],
        "as_of": pd.Timestamp("2018-01-05"),
        "uplift": [0.04, 0.5, -0.01],
        "learner": "dr_learner",
    }
)


@pytest.fixture
def con():
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE campaigns AS SELECT * FROM (VALUES "
        "('a', 'app', DATE '2018-01-01', DATE '2018-01-10'), "
        "('b', NULL, DATE '2018-01-05', DATE '2018-01-05')) AS t(campaign_id, channel, starts_on, "
        "ends_on)"
    )
    yield con
    con.close()


def test_the_evidence_of_an_offer_by_hand(con) -> None:
    found = with_evidence(con, OFFERS, GAINS, SHOWN, "ordered", date(2018, 1, 5))
    one, nobody_predicted, no_channel = found["uplift"]
    assert one == {
        "value": 0.04,
        "response": "ordered",
        "channel": "app",
        "days_left_share": 0.6,  # the 5th to the 10th of ten days
        "learner": "dr_learner",
        "kind": "randomised",
        "n": 900,
    }
    assert nobody_predicted is None
    assert no_channel is None


@pytest.mark.parametrize(
    ("found", "response"),
    [
        ({"not_available": "nobody was assigned at random"}, "ordered"),
        (SHOWN | {"claims": {"effect": False, "ranking": True}}, "ordered"),
        (SHOWN | {"claims": {"effect": True, "ranking": False}}, "ordered"),
        (SHOWN, "redeemed"),
    ],
)
def test_what_is_not_shown_is_not_claimed(con, found, response) -> None:
    table = with_evidence(con, OFFERS, GAINS, found, response, date(2018, 1, 5))
    assert table["uplift"].isna().all()
    none = with_evidence(con, OFFERS, GAINS.iloc[:0], SHOWN, "ordered", date(2018, 1, 5))
    assert none["uplift"].isna().all()
