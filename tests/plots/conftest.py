"""Figures are drawn without a screen, and closed after each test."""

from collections.abc import Iterator

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    """Close what a test has drawn."""
    import matplotlib.pyplot as plt

    yield
    plt.close("all")
