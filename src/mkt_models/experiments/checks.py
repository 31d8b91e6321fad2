"""Numbers that planning and analysis are given: refused when they cannot be that."""

import math


def check_finite(**numbers: float) -> None:
    """Raise ValueError, naming the argument, for NaN and infinity."""
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} == {value}, must be a finite number")


def check_positive(**numbers: float) -> None:
    """Raise ValueError, naming the argument, for what is not finite and above 0."""
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} == {value}, must be a finite number > 0")


def check_share(**numbers: float) -> None:
    """Raise ValueError, naming the argument, for what is not strictly between 0 and 1."""
    for name, value in numbers.items():
        if not 0 < value < 1:
            raise ValueError(f"{name} == {value}, must lie between 0 and 1")
