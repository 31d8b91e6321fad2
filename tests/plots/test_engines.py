import pandas as pd
from plots.tables import title

from mkt_models import plots

PORTABLE, HAND = "portable SQL on DuckDB", "hand-written DuckDB SQL"
TABLE = pd.DataFrame(
    {
        "lines": [10**6, 10**7, 10**6, 10**7, 10**6, 10**7],
        "way": [HAND, HAND, PORTABLE, PORTABLE, "pandas", "pandas"],
        "cpu_s": [2.0, 16.0, 2.2, 20.0, 4.0, None],
        "peak_gb": [0.5, 1.5, 0.5, 1.5, 1.2, None],
        "memory_gb": [4.0] * 6,
    }
)


def test_costs_have_a_line_per_way_and_name_the_ratio():
    ax = plots.engine_costs(TABLE)
    assert [line.get_label() for line in ax.lines] == [HAND, PORTABLE, "pandas"]
    assert ax.lines[2].get_xdata().tolist() == [10**6]  # what did not end is not drawn
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert title(ax) == (
        "At 10 million lines the portable SQL takes 1.25 times the CPU time of SQL written by hand"
    )


def test_memory_shows_the_bound():
    ax = plots.engine_costs(TABLE, what="peak_gb")
    assert ax.lines[-1].get_ydata()[0] == 4
    assert ax.texts[0].get_text() == "bound that was set for the engine: 4 GB"
    assert "1.00 times the memory" in title(ax)


def test_without_a_comparison_the_title_compares_nothing():
    alone = TABLE[TABLE["way"] == "pandas"]
    assert title(plots.engine_costs(alone)) == "What the features of one date cost"
