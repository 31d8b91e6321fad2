import subprocess
import sys
from pathlib import Path

import pytest

from mkt_models.loading import ParamsError
from mkt_models.one_run import alone

HOLDS = """
import sys
from pathlib import Path
from mkt_models.one_run import alone
with alone(Path(sys.argv[1])):
    print("at work", flush=True)
    sys.stdin.read()
"""


def test_two_runs_do_not_work_on_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "sample"
    with alone(folder):
        said = r"another run is at work on .*sample.*--set run="
        with pytest.raises(ParamsError, match=said), alone(folder):
            pass
        with alone(folder.with_name("demo")):
            pass  # another run's folder is its own
    with alone(folder):
        pass


def test_a_killed_run_holds_nobody_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"at work\n"
        with pytest.raises(ParamsError), alone(tmp_path):
            pass
        other.kill()
        other.wait()
        with alone(tmp_path):
            pass
