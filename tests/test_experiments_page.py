"""The page on experiments runs: what it prints is what the code says."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "experiments.md"


def test_the_page_runs():
    found = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted >= 15
    assert found.failed == 0
