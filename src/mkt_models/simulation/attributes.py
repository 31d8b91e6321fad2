"""Sensitive attributes of the customers, and what they tell of interests and means.

With ``strength`` 0 they tell nothing; with 1 they are the proxies described here. The correlation
of the income score with the score of purchasing power is ``0.7 * strength``.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from mkt_models.simulation.goods import TOPICS
from mkt_models.simulation.randomness import Bools, Floats, Ints, choose, pick

GENDERS = ("female", "male")
REGIONS = ("East", "South", "North", "Central", "Southwest", "Northeast", "Northwest")
REGION_SHARES = (0.30, 0.16, 0.15, 0.14, 0.12, 0.07, 0.06)
REGION_INCOME = (0.4, 0.3, 0.1, -0.2, -0.3, -0.3, -0.4)  # shift of the income score
INCOME_BANDS = ("under 5K", "5-10K", "10-20K", "20-35K", "35K and more")
INCOME_SHARES = (0.20, 0.32, 0.28, 0.14, 0.06)
EDUCATIONS = ("school", "college", "bachelor", "master and above")
EDUCATION_SHARES = (0.30, 0.30, 0.32, 0.08)
OCCUPATIONS = ("student", "worker", "service", "office", "professional", "manager", "retired")
AGE_BANDS = ((0, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"), (55, "55-64"), (65, "65+"))
POWER_SHARES = (0.60, 0.30, 0.10)
POWER_CORRELATION = 0.7

# Shift of the logarithm of an interest's weight, at strength 1.
INTEREST_SHIFTS: dict[str, dict[str, float]] = {
    "gourmet": {"wealthy": 0.6, "older": 0.4},
    "sports": {"male": 0.6, "young": 0.4},
    "outdoors": {"male": 0.4, "wealthy": 0.3},
    "anime": {"young": 1.2, "older": -1.0},
    "parenting": {"parent": 1.8, "young": -0.6},
    "home": {"older": 0.5, "parent": 0.3},
    "beauty": {"male": -1.2, "young": 0.2},
    "digital": {"male": 0.8, "older": -0.4},
}


@dataclass(frozen=True)
class Attributes:
    """One entry per customer: numbers in the lists above, ``age`` in years, scores near N(0, 1)."""

    gender: Ints
    age: Ints
    birth_year: Ints
    region: Ints
    education: Ints
    income_score: Floats
    income: Ints
    occupation: Ints
    married: Bools
    children: Ints
    owns_home: Bools
    power_score: Floats
    power: Ints

    def of(self, rows: Ints) -> "Attributes":
        """Take the attributes of other rows."""
        return Attributes(**{name: values[rows] for name, values in vars(self).items()})


def draw_attributes(rng: np.random.Generator, size: int, year: int, strength: float) -> Attributes:
    """Draw who the customers are, on the first day of ``year``."""
    gender = choose(rng, [0.52, 0.48], size)
    age = np.floor(18 + 58 * rng.beta(1.5, 2.4, size)).astype(np.int64)
    region = choose(rng, list(REGION_SHARES), size)
    schooling = rng.normal(size=size)
    education = _bands(schooling, EDUCATION_SHARES)
    richer = np.array(REGION_INCOME) - np.dot(REGION_INCOME, REGION_SHARES)
    income_score = (
        0.6 * schooling + richer[region] + np.sqrt(1 - 0.36 - 0.09) * rng.normal(size=size)
    )
    income = _bands(income_score, INCOME_SHARES)
    tie = POWER_CORRELATION * strength
    power_score = tie * income_score + np.sqrt(1 - tie**2) * rng.normal(size=size)
    married = rng.random(size) < 0.85 / (1 + np.exp(-(age - 28) / 3.0))
    likely = np.where(married, np.clip((age - 24) / 12.0, 0.0, 0.85), 0.05)
    children = np.where(rng.random(size) < likely, 1 + (rng.random(size) < 0.35), 0)
    return Attributes(
        gender=gender,
        age=age,
        birth_year=year - age,
        region=region,
        education=education,
        income_score=income_score,
        income=income,
        occupation=_occupation(rng, age, education),
        married=married,
        children=children.astype(np.int64),
        owns_home=rng.random(size) < 0.2 + 0.4 * married + 0.1 * (income >= 2),
        power_score=power_score,
        power=_bands(power_score, POWER_SHARES),
    )


def interest_shifts(attributes: Attributes, strength: float) -> Floats:
    """Shift of the logarithm of every interest but the everyday one: customers by topics."""
    groups: dict[str, Floats] = {
        "male": (attributes.gender == 1).astype(np.float64),
        "young": (attributes.age < 30).astype(np.float64),
        "older": (attributes.age >= 50).astype(np.float64),
        "parent": (attributes.children > 0).astype(np.float64),
        "wealthy": attributes.income_score,
    }
    shifts = np.zeros((len(attributes.age), len(TOPICS) - 1))
    for column, topic in enumerate(TOPICS[1:]):
        for group, by in INTEREST_SHIFTS[topic].items():
            shifts[:, column] += strength * by * groups[group]
    return shifts


def attribute_labels(attributes: Attributes) -> dict[str, tuple[list[str], Ints]]:
    """The canonical columns of the attributes: the labels, and the number of each customer's."""
    married, children = attributes.married.astype(np.int64), attributes.children
    starts = np.array([start for start, _ in AGE_BANDS])
    return {
        "age_band": (
            [label for _, label in AGE_BANDS],
            np.searchsorted(starts, attributes.age, side="right") - 1,
        ),
        "gender": (list(GENDERS), attributes.gender),
        "region": (list(REGIONS), attributes.region),
        "occupation": (list(OCCUPATIONS), attributes.occupation),
        "income_band": (list(INCOME_BANDS), attributes.income),
        "education": (list(EDUCATIONS), attributes.education),
        "marital_status": (["single", "married"], married),
        "household_size": (["1", "2", "3", "4"], married + children),
        "household_composition": (
            ["single", "single parent", "couple", "couple with children"],
            2 * married + (children > 0),
        ),
        "children": (["0", "1", "2"], children),
        "home_ownership": (["renter", "owner"], attributes.owns_home.astype(np.int64)),
    }


def _bands(score: Floats, shares: tuple[float, ...]) -> Ints:
    """Cut a score, near standard normal, into bands of these shares."""
    return np.searchsorted(ndtri(np.cumsum(shares)[:-1]), score, side="right").astype(np.int64)


def _occupation(rng: np.random.Generator, age: Ints, education: Ints) -> Ints:
    """Students are young, the retired old, and schooling decides among the others."""
    by_schooling = np.array(
        [
            [0.0, 0.50, 0.38, 0.10, 0.00, 0.02, 0.0],
            [0.0, 0.25, 0.33, 0.30, 0.06, 0.06, 0.0],
            [0.0, 0.06, 0.14, 0.40, 0.28, 0.12, 0.0],
            [0.0, 0.02, 0.04, 0.24, 0.50, 0.20, 0.0],
        ]
    )
    drawn = pick(rng, by_schooling[education])
    student = (age < 23) & (rng.random(len(age)) < 0.6)
    retired = (age >= 60) & (rng.random(len(age)) < 0.8)
    return np.where(student, 0, np.where(retired, 6, drawn)).astype(np.int64)
