"""Figures are drawn without a screen, closed after each test, and their look does not stay."""

from collections.abc import Iterator

import matplotlib
import pandas as pd
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    """Close what a test has drawn, and show tables as before."""
    import matplotlib.pyplot as plt

    shown = ("display.float_format", "display.max_colwidth")
    with pd.option_context(*(part for name in shown for part in (name, pd.get_option(name)))):
        yield
    plt.close("all")
