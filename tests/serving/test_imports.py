"""The service starts with the base dependencies alone."""

import subprocess
import sys

HEAVY = ("pandas", "duckdb", "sklearn", "shap", "matplotlib", "pyarrow", "papermill", "nbconvert")
PROGRAM = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None  # importing it fails, as where it is not installed
import mkt_models.service
import mkt_models.packaging
"""


def test_nothing_heavy_is_imported_for_serving() -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
