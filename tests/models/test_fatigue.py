from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from mkt_models.models.contact_pressure import Contacts
from mkt_models.models.fatigue import comparable, feedback, randomised, within_customers


def contacts(customer, campaign, response, pressure, **more) -> Contacts:
    """Contacts with as many half-lives as ``pressure`` has columns."""
    pressure = np.array(pressure, dtype=float).reshape(len(customer), -1)
    given = {
        "customer": np.array(customer),
        "campaign": np.array(campaign),
        "response": np.array(response, dtype=float),
        "probability": np.full(len(customer), np.nan),
        "pressure": pressure,
        "expected": pressure,
        "random": np.zeros(len(customer), dtype=bool),
        "lead": np.zeros(pressure.shape),
    }
    return Contacts(**{**given, **more})


def pairs(n: int, tired: int) -> Contacts:
    """``n`` customers with a contact without pressure and one with 1; ``tired`` answer the 2nd."""
    second = np.arange(n) < tired
    return contacts(
        np.repeat(np.arange(n), 2),
        np.zeros(2 * n, dtype=int),
        np.c_[~second, second].ravel(),
        np.tile([0.0, 1.0], n),
    )


def test_within_customers_by_hand() -> None:
    """Of 30 single responses 10 came under pressure: exp(-decay) = 10 / 20."""
    found = within_customers(pairs(30, 10), 0.95, 1)
    assert found.decay[0] == pytest.approx(np.log(2))
    # p (1 - p) = 2 / 9 per customer, and 30 / 29 for the customers as clusters.
    error = np.sqrt(9 / 2 / 30 * 30 / 29)
    assert found.error[0] == pytest.approx(error)
    half = norm.ppf(0.975) * error
    assert found.interval(0) == pytest.approx((np.log(2) - half, np.log(2) + half))


def test_more_contacts_and_more_response_is_a_negative_decay() -> None:
    assert within_customers(pairs(30, 20), 0.95, 1).decay[0] == pytest.approx(-np.log(2))


def targeted(decay: float, seed: int = 3) -> Contacts:
    """The true mean responses of customers who are contacted the more the better they respond.

    As responses are the true means, the decay must come out to the last digit.
    """
    rng = np.random.default_rng(seed)
    n, campaigns = 200, 12
    rate = rng.normal(0, 1, n)
    made = rng.random((campaigns, n)) < 1 / (1 + np.exp(-2 * rate))
    appeal = rng.normal(0, 0.5, campaigns)
    pressure = np.zeros((campaigns, n))
    for c in range(1, campaigns):
        pressure[c] = 0.6 * (pressure[c - 1] + made[c - 1])
    campaign, customer = np.nonzero(made)
    press = pressure[campaign, customer]
    mean = 0.1 * np.exp(rate[customer] + appeal[campaign] - decay * press)
    return contacts(np.unique(customer, return_inverse=True)[1], campaign, mean, press)


@pytest.mark.parametrize("decay", [0.0, 0.3, 1.2])
def test_whom_the_shop_likes_does_not_matter_within_customers(decay: float) -> None:
    seen = targeted(decay)
    found = within_customers(comparable(seen), 0.95, 1)
    assert found.decay[0] == pytest.approx(decay, abs=1e-5)
    # Between customers the same numbers say that contacts help.
    between = replace(seen, customer=seen.campaign, campaign=np.zeros_like(seen.campaign))
    assert within_customers(between, 0.95, 1).decay[0] < decay - 0.2


def drawn(decay: float, p: float = 0.3) -> Contacts:
    """Every way in which two earlier contacts can be drawn, as often as it is drawn in 100."""
    rows = []
    for first, second in product((0, 1), repeat=2):
        often = round(100 * (p if first else 1 - p) * (p if second else 1 - p))
        rows += [(0.25 * first + 0.5 * second)] * often
    pressure = np.array(rows)
    n = len(pressure)
    return contacts(
        np.arange(n),
        np.zeros(n, dtype=int),
        0.2 * np.exp(-decay * pressure),
        pressure,
        probability=np.full(n, 0.5),
        expected=np.full((n, 1), 0.75 * p),
        random=np.ones(n, dtype=bool),
    )


@pytest.mark.parametrize("decay", [-0.4, 0.0, 0.3, 1.2])
def test_g_estimation_frees_the_response_of_the_draw(decay: float) -> None:
    assert randomised(drawn(decay), 0.95, 1).decay[0] == pytest.approx(decay, abs=1e-9)


def test_g_estimation_by_hand() -> None:
    """Half were contacted before; 40 of 100 respond without it, 20 of 100 after it."""
    response = np.r_[np.arange(100) < 40, np.arange(100) < 20]
    pressure = np.repeat([0.0, 1.0], 100)
    found = randomised(
        contacts(
            np.arange(200),
            np.zeros(200, dtype=int),
            response,
            pressure,
            probability=np.full(200, 0.5),
            expected=np.full((200, 1), 0.5),
        ),
        0.95,
        1,
    )
    assert found.decay[0] == pytest.approx(np.log(2))
    # The delta method: of log(.4 / .2), (1 - .4) / 40 + (1 - .2) / 20, and 200 / 199 for clusters.
    freed_mean = 0.4
    moments = (
        0.5**2
        * (
            (100 * 0.4 * (1 - freed_mean) ** 2 + 60 * freed_mean**2)
            + (20 * (2 - freed_mean) ** 2 + 80 * freed_mean**2)
        )
        / 4
        * 4
    )
    slope = 0.5 * 20 * 2
    assert found.error[0] == pytest.approx(np.sqrt(moments / slope**2 * 200 / 199), rel=1e-6)


def test_half_lives_are_chosen_by_fit_and_their_intervals_widened() -> None:
    one = targeted(0.8)
    noise = np.random.default_rng(1).random((len(one), 1))
    both = replace(one, pressure=np.hstack([noise, one.pressure]))
    found = within_customers(comparable(both), 0.95, 1)
    assert found.best == 1
    alone = within_customers(comparable(one), 0.95, 1)
    assert found.decay[1] == pytest.approx(alone.decay[0])
    # Two nearly independent questions: between one and Bonferroni's two.
    assert norm.ppf(0.975) < found.critical < norm.ppf(1 - 0.025 / 2) + 0.02


def test_two_equal_half_lives_are_one_question() -> None:
    one = pairs(30, 10)
    twice = replace(one, pressure=np.repeat(one.pressure, 2, axis=1))
    critical = within_customers(twice, 0.95, 1).critical
    assert critical == pytest.approx(norm.ppf(0.975), abs=0.05)


def test_only_customers_with_a_response_and_several_contacts_are_compared() -> None:
    kept = comparable(
        contacts(
            # a: compared; b: one contact; c: no response; d: its other campaign nobody answered
            [0, 0, 1, 2, 2, 3, 3],
            [0, 1, 0, 0, 1, 1, 2],
            [1, 1, 1, 0, 0, 1, 0],
            np.arange(7.0),
        )
    )
    assert kept.pressure.ravel().tolist() == [0.0, 1.0]
    assert kept.customer.tolist() == [0, 0]


def test_no_response_under_pressure_bounds_nothing() -> None:
    found = within_customers(pairs(30, 0), 0.95, 1)
    assert found.best is None
    assert np.isnan(found.decay[0])


def test_a_pressure_that_is_the_same_for_all_of_a_campaign_tells_nothing() -> None:
    n = 40
    found = within_customers(
        contacts(
            np.repeat(np.arange(n), 2),
            np.tile([0, 1], n),
            np.c_[np.arange(n) < 25, np.arange(n) >= 25].ravel(),
            np.tile([0.0, 1.0], n),
        ),
        0.95,
        1,
    )
    assert found.best is None


def test_contacts_that_follow_from_responses_are_found_out() -> None:
    rng = np.random.default_rng(5)
    n, campaigns = 300, 8
    for feedback_of_responses in (False, True):
        made, response = np.zeros((2, campaigns, n))
        last = np.zeros(n)
        for c in range(campaigns):
            made[c] = rng.random(n) < (0.3 + 0.5 * last if feedback_of_responses else 0.5)
            response[c] = made[c] * (rng.random(n) < 0.25)
            last = np.where(made[c] > 0, response[c], last)
        before = np.vstack([np.zeros(n), made[:-1]])
        after = np.vstack([made[1:], np.zeros(n)])
        campaign, customer = np.nonzero(made)
        seen = contacts(
            np.unique(customer, return_inverse=True)[1],
            campaign,
            response[campaign, customer],
            before[campaign, customer],
            lead=after[campaign, customer][:, None],
        )
        p = feedback(comparable(seen), 0)
        assert (p < 0.001) is feedback_of_responses, p


def test_without_later_contacts_nothing_can_follow_from_a_response() -> None:
    assert feedback(pairs(30, 10), 0) == 1.0
