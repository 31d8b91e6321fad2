import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from models.tables import shop
from scipy.integrate import quad
from scipy.special import beta as beta_function
from scipy.special import gamma as gamma_function
from scipy.special import hyp2f1

from mkt_models.models.btyd import (
    BgNbd,
    FitError,
    GammaGamma,
    fit_bg_nbd,
    fit_gamma_gamma,
    summaries,
)

Array = np.ndarray
# Fader, Hardie, Lee (2005), table 2, and Fader, Hardie (2013): CDNOW, times in weeks
CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426, log_likelihood=-9582.4)
CDNOW_AMOUNTS = GammaGamma(p=6.25, q=3.74, v=15.44)
PLANTED = BgNbd(r=0.8, alpha=6.0, a=0.9, b=3.0, log_likelihood=0.0)


def one(*values: float) -> Iterator[Array]:
    return (np.array([float(v)]) for v in values)


def simulate(
    model: BgNbd, n: int, age: Array, horizon: float, seed: int
) -> tuple[Array, Array, Array]:
    """Frequency, recency and purchases ahead of n customers, purchase by purchase."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(model.r, 1 / model.alpha, n)
    drop = rng.beta(model.a, model.b, n)
    frequency, recency, ahead, clock = (np.zeros(n) for _ in range(4))
    alive = np.ones(n, dtype=bool)
    while alive.any():
        clock = clock + rng.exponential(1 / np.maximum(rate, 1e-12))
        alive &= clock < age + horizon
        before = alive & (clock < age)
        frequency[before] += 1
        recency[before] = clock[before]
        ahead[alive & ~before] += 1
        alive &= rng.random(n) >= drop
    return frequency, recency, ahead


@pytest.fixture(scope="module")
def crowd() -> tuple[Array, Array, Array, Array]:
    """30,000 planted customers: frequency, recency, age, purchases in the next 20 weeks."""
    age = np.random.default_rng(3).uniform(20, 60, 30_000)
    frequency, recency, ahead = simulate(PLANTED, len(age), age, 20, seed=4)
    return frequency, recency, age, ahead


def few() -> tuple[Array, Array, Array]:
    age = np.random.default_rng(5).uniform(10, 40, 150)
    frequency, recency, _ = simulate(PLANTED, len(age), age, 0, seed=6)
    return frequency, recency, age


# --- the fit -----------------------------------------------------------------------------------


def test_planted_parameters_are_found(crowd: tuple[Array, Array, Array, Array]) -> None:
    frequency, recency, age, _ = crowd
    found = fit_bg_nbd(frequency, recency, age)
    assert found.r == pytest.approx(PLANTED.r, rel=0.06)
    assert found.alpha == pytest.approx(PLANTED.alpha, rel=0.06)
    assert found.a == pytest.approx(PLANTED.a, rel=0.15)
    assert found.b == pytest.approx(PLANTED.b, rel=0.15)


def likelihood(m: BgNbd, x: float, t_x: float, age: float) -> float:
    """A customer's likelihood, integrated over purchase rates and drop-outs by quadrature."""

    def rates(time: float) -> float:  # E[rate^x exp(-rate time)]
        scale, top = m.alpha + time, 80 + 4 * x
        integral, _ = quad(
            lambda u: u**x * np.exp(-u), 0, top, weight="alg", wvar=(m.r - 1, 0), limit=200
        )
        return m.alpha**m.r * integral / (gamma_function(m.r) * scale ** (m.r + x))

    def drops(power: float, dropped: int) -> float:  # E[p^dropped (1 - p)^power]
        integral, _ = quad(
            lambda p: p**dropped * (1 - p) ** power, 0, 1, weight="alg", wvar=(m.a - 1, m.b - 1)
        )
        return integral / beta_function(m.a, m.b)

    still_here = drops(x, 0) * rates(age)
    gone = drops(x - 1, 1) * rates(t_x) if x > 0 else 0.0
    return still_here + gone


def test_the_log_likelihood_is_that_of_every_customer_multiplied() -> None:
    frequency, recency, age = few()
    found = fit_bg_nbd(frequency, recency, age)
    product = sum(
        np.log(likelihood(found, *row)) for row in zip(frequency, recency, age, strict=True)
    )
    assert found.log_likelihood == pytest.approx(product, abs=1e-5)


def test_the_fit_is_a_maximum() -> None:
    frequency, recency, age = few()
    found = fit_bg_nbd(frequency, recency, age)
    rows = list(zip(frequency, recency, age, strict=True))
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.8, 1.25):
            other = replace(found, **{name: getattr(found, name) * factor})
            assert sum(np.log(likelihood(other, *row)) for row in rows) < found.log_likelihood


def test_another_unit_of_time_changes_alpha_and_nothing_else() -> None:
    frequency, recency, age = few()
    weeks, days = fit_bg_nbd(frequency, recency, age), fit_bg_nbd(frequency, recency * 7, age * 7)
    assert days.alpha == pytest.approx(weeks.alpha * 7, rel=1e-3)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=1e-3)
    # a density of so many purchases per day instead of per week
    shift = frequency.sum() * np.log(7)
    assert days.log_likelihood == pytest.approx(weeks.log_likelihood - shift, abs=1e-3)
    np.testing.assert_allclose(
        days.probability_of_none(frequency, recency * 7, age * 7, 28),
        weeks.probability_of_none(frequency, recency, age, 4),
        rtol=1e-3,
    )


# --- the predictions ---------------------------------------------------------------------------


@st.composite
def customers(draw: st.DrawFn) -> tuple[BgNbd, Array, Array, Array]:
    positive = st.floats(0.05, 20)
    a = draw(positive.filter(lambda a: abs(a - 1) > 1e-3))
    model = BgNbd(draw(positive), draw(positive) * 5, a, draw(positive), 0.0)
    age = draw(st.floats(1, 700))
    frequency = float(draw(st.integers(0, int(age))))
    recency = draw(st.floats(min(1.0, age), age)) if frequency else 0.0
    return (model, *one(frequency, recency, age))


@given(customers(), st.floats(0.5, 180), st.floats(1.01, 3))
def test_a_longer_horizon_has_more_purchases_and_fewer_without_any(
    customer: tuple[BgNbd, Array, Array, Array], horizon: float, factor: float
) -> None:
    model, *summary = customer
    none, later = (model.probability_of_none(*summary, h)[0] for h in (horizon, horizon * factor))
    assert 0 <= later <= none <= 1
    some, more = (model.expected_purchases(*summary, h)[0] for h in (horizon, horizon * factor))
    assert 0 <= some <= more * (1 + 1e-9) + 1e-9
    assert 1 - none <= some * (1 + 1e-9) + 1e-9  # P(any) <= E(number)
    assert 0 <= model.probability_alive(*summary)[0] <= 1
    assert none >= 1 - model.probability_alive(*summary)[0] - 1e-12


@given(customers(), st.floats(0.5, 365))
def test_expected_purchases_agree_with_eulers_form_of_the_series(
    customer: tuple[BgNbd, Array, Array, Array], horizon: float
) -> None:
    m, x, t_x, age = customer
    assume(abs(m.a + m.b + x[0] - 1) > 1e-3)  # there Euler's form is 0 times infinity
    z = horizon / (m.alpha + age + horizon)
    series = (1 - z) ** (m.a - 1) * hyp2f1(m.a + m.b - 1 - m.r, m.a - 1, m.a + m.b + x - 1, z)
    ahead = (m.a + m.b + x - 1) / (m.a - 1) * (1 - series)
    expected = ahead * m.probability_alive(x, t_x, age)
    np.testing.assert_allclose(
        m.expected_purchases(x, t_x, age, horizon), expected, rtol=1e-6, atol=1e-8
    )


def test_no_time_ahead_means_no_purchase() -> None:
    summary = list(one(3, 10, 12))
    assert CDNOW.probability_of_none(*summary, 0)[0] == pytest.approx(1)
    assert CDNOW.expected_purchases(*summary, 0)[0] == pytest.approx(0, abs=1e-12)


def test_who_bought_once_is_alive_and_a_long_silence_is_not() -> None:
    ages = np.array([40.0, 40.0, 40.0])
    alive = CDNOW.probability_alive(np.array([0.0, 8.0, 8.0]), np.array([0.0, 39.0, 8.0]), ages)
    assert alive[0] == 1.0
    assert alive[1] > 0.85
    assert alive[2] < 0.05


def test_predictions_are_true_of_simulated_customers(
    crowd: tuple[Array, Array, Array, Array],
) -> None:
    frequency, recency, age, ahead = crowd
    expected = PLANTED.expected_purchases(frequency, recency, age, 20)
    none = PLANTED.probability_of_none(frequency, recency, age, 20)
    silent = age - recency > 15
    groups = [np.ones_like(silent), frequency == 0, (frequency > 0) & (frequency <= 2)]
    groups += [(frequency > 2) & silent, (frequency > 2) & ~silent]
    for group in groups:
        assert group.sum() > 1000
        error = ahead[group].std() / np.sqrt(group.sum())
        assert ahead[group].mean() == pytest.approx(expected[group].mean(), abs=4 * error)
        quiet = none[group]
        error = np.sqrt((quiet * (1 - quiet)).mean() / group.sum())
        assert (ahead[group] == 0).mean() == pytest.approx(quiet.mean(), abs=4 * error)


# --- amounts -----------------------------------------------------------------------------------


def test_planted_amounts_are_found() -> None:
    rng = np.random.default_rng(8)
    frequency = rng.integers(0, 12, 8000).astype(float)
    nu = rng.gamma(4.0, 1 / 15.0, 8000)
    x = np.maximum(frequency, 1)
    mean = rng.gamma(6.0 * x, 1 / (nu * x))
    found = fit_gamma_gamma(frequency, np.where(frequency > 0, mean, np.nan))
    assert (found.p, found.q, found.v) == pytest.approx((6.0, 4.0, 15.0), rel=0.1)
    expected = found.expected_amount(frequency, mean)
    buyers = frequency > 0
    truth = 6.0 / nu  # the mean amount of each customer
    error = 4 * (truth - expected)[buyers].std() / np.sqrt(buyers.sum())
    assert expected[buyers].mean() == pytest.approx(truth[buyers].mean(), abs=error)


def test_an_expected_amount_lies_between_the_customers_and_everybodys() -> None:
    everybody = 6.25 * 15.44 / 2.74
    amounts = CDNOW_AMOUNTS.expected_amount(
        np.array([0.0, 2.0, 2.0, 500.0]), np.array([np.nan, 22.35, 60.0, 22.35])
    )
    assert amounts[0] == pytest.approx(everybody)
    # 6.25 x (15.44 + 2 x 22.35) / (2 x 6.25 + 2.74)
    assert amounts[1] == pytest.approx(375.875 / 15.24)
    assert everybody < amounts[2] < 60
    assert amounts[3] == pytest.approx(22.35, rel=0.01)


def test_too_few_repeat_customers_are_no_ground_for_amounts() -> None:
    frequency = np.array([1.0] * 9 + [0.0] * 50 + [3.0])
    mean = np.array([20.0] * 59 + [0.0])
    with pytest.raises(FitError, match="Gamma-Gamma: 9 customers"):
        fit_gamma_gamma(frequency, mean)


def test_amounts_without_a_mean_are_refused() -> None:
    rng = np.random.default_rng(9)
    nu = rng.gamma(0.6, 1.0, 2000)  # q below 1: the mean over customers is infinite
    frequency = np.full(2000, 5.0)
    with pytest.raises(FitError, match=r"Gamma-Gamma: q == 0\.\d+, must be > 1"):
        fit_gamma_gamma(frequency, rng.gamma(15.0, 1 / (nu * 5)))


# --- published figures -------------------------------------------------------------------------


def test_the_papers_customer_buys_1_226_times_in_39_weeks() -> None:
    # Hardie's note on the model in a spreadsheet: x = 2, t_x = 30.43, T = 38.86
    assert CDNOW.expected_purchases(*one(2, 30.43, 38.86), 39)[0] == pytest.approx(1.226, abs=5e-4)


def test_cdnow_gives_the_published_figures() -> None:
    try:
        lifetimes = distribution("Lifetimes")
    except PackageNotFoundError:
        pytest.skip("the CDNOW sample comes with Lifetimes, which is not installed")
    name = "lifetimes/datasets/cdnow_customers_summary_with_transactions.csv"
    with Path(str(lifetimes.locate_file(name))).open(newline="") as file:  # nothing is imported
        rows = list(csv.DictReader(file))
    assert len(rows) == 2357
    x, t_x, age, mean = (np.array([float(r[c]) for r in rows]) for c in ("x", "t_x", "T", "zbar"))
    found = fit_bg_nbd(x, t_x, age)
    assert found.r == pytest.approx(CDNOW.r, abs=1e-3)
    assert found.alpha == pytest.approx(CDNOW.alpha, abs=2e-3)
    assert found.a == pytest.approx(CDNOW.a, abs=1e-3)
    assert found.b == pytest.approx(CDNOW.b, abs=2e-3)
    assert found.log_likelihood == pytest.approx(CDNOW.log_likelihood, abs=0.05)
    amounts = fit_gamma_gamma(x, mean)
    assert (amounts.p, amounts.q, amounts.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)


# --- summaries ---------------------------------------------------------------------------------


def test_a_customer_is_summarised_by_shopping_days_before_as_of() -> None:
    day = date(2020, 3, 1)

    def ago(days: int) -> date:
        return day - timedelta(days=days)

    con = shop(
        [
            ("once", ago(1), 500),
            ("often", ago(30), 10_000),  # the first day is no repeat and not in the mean
            ("often", ago(20), 300),
            ("often", ago(20), 500),  # the same shopping day: 8.00
            ("often", ago(6), 1000),
            ("often", ago(0), 99_900),  # the day itself is the future
            ("new", ago(0), 100),
        ]
    )
    found = summaries(con, pd.Timestamp(day)).set_index("customer_id")
    assert found.loc["often"].tolist() == [2.0, 24.0, 30.0, 9.0]
    assert found.loc["once"].tolist()[:3] == [0.0, 0.0, 1.0]
    assert np.isnan(found.loc["once", "mean_amount"])
    assert list(found.index) == ["often", "once"]
