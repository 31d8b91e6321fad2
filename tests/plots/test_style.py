import matplotlib.pyplot as plt
import pandas as pd
import pytest
from plots.tables import GAIN, GROUPS, LEDGER, MODELS, WEEKS, explained

from mkt_models import plots

DRAWN = {
    "weekly_sales": lambda ax: plots.weekly_sales(WEEKS, "USD", ax=ax),
    "ledger": lambda ax: plots.ledger(LEDGER, ax=ax),
    "models": lambda ax: plots.models(MODELS, "brier", ax=ax),
    "gain": lambda ax: plots.gain(GAIN, ax=ax),
    "deciles": lambda ax: plots.deciles(GAIN, "USD", ax=ax),
    "groups": lambda ax: plots.groups(GROUPS, ax=ax),
    "waterfall": lambda ax: plots.waterfall(explained(), 0, ax=ax),
}


@pytest.mark.parametrize("name", DRAWN)
def test_axes_given_are_used_and_a_title_given_is_kept(name):
    figure, (mine, _) = plt.subplots(1, 2)
    assert DRAWN[name](mine) is mine
    assert mine.get_title(loc="left")
    assert not figure.get_suptitle()  # the figure is not all ours
    plt.close("all")
    assert plots.weekly_sales(WEEKS, "USD", title="Mine").figure.get_suptitle() == "Mine"


def test_tables_are_not_changed():
    before = GROUPS.copy(deep=True), MODELS.copy(deep=True)
    plots.groups(GROUPS, limit=0.1)
    plots.models(MODELS, "brier")
    pd.testing.assert_frame_equal(GROUPS, before[0])
    pd.testing.assert_frame_equal(MODELS, before[1])


def test_figures_can_be_described_and_written_without_warnings(tmp_path):
    with plt.rc_context():
        plots.use_style()
        ax = plots.groups(GROUPS, limit=0.1)
        ax.figure.savefig(tmp_path / "groups.png")
    assert (tmp_path / "groups.png").stat().st_size > 10_000
    said = plots.alt(ax)
    assert said.startswith("2 of 4 groups are large enough to judge; 1 of them lies wholly beyond")
    assert said.endswith("Axes: calibration gap: observed minus predicted.")
