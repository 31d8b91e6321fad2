"""How long a start is waited for: longer on a busy machine, no longer for one that stands still."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mkt_models.patience import Patience, cpu_seconds
from mkt_models.serving import process
from mkt_models.serving.process import PackagingError, running

TAG = "mkt_models:a"


def waits(share: Callable[[float], float]) -> tuple[float, str]:
    """After how many seconds 90 s of patience end, looked at each second, and why.

    ``share`` is the part of a core that the process uses in the second that begins then.
    """
    now, used = [0.0], [0.0]
    patience = Patience(90, lambda: used[0], lambda: now[0])
    while (why := patience.over()) is None:
        used[0] += share(now[0])
        now[0] += 1
        assert now[0] < 10_000
    return now[0], why


def test_a_process_that_stands_still_is_waited_for_as_long_as_was_said() -> None:
    assert waits(lambda _: 0.0) == (90, "it did nothing in the last 30 of 90 s")


def test_one_that_is_given_little_time_is_waited_for_longer() -> None:
    # a twentieth of a core: a start of 15 s takes 300
    assert waits(lambda now: 0.05 if now < 300 else 0.0) == (
        330,
        "it did nothing in the last 30 of 330 s",
    )


def test_not_for_ever() -> None:
    assert waits(lambda _: 0.05) == (900, "after 900 s; it was given 45 s of processor time")


def test_one_that_has_had_its_time_does_not_start() -> None:
    assert waits(lambda _: 0.5) == (180, "it has used 90 s of processor time")


def test_processor_time_of_a_process_counts_those_below_it() -> None:
    below = "import time; t = time.process_time()\nwhile time.process_time() < t + 0.3: pass"
    above = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {below!r}]); input()"
    with subprocess.Popen(
        [sys.executable, "-c", above + "; print()"], stdin=subprocess.PIPE
    ) as started:
        patience = Patience(60, lambda: cpu_seconds(started.pid))
        while cpu_seconds(started.pid) < 0.3 and patience.over() is None:
            time.sleep(0.1)
        assert cpu_seconds(started.pid) >= 0.3
        started.communicate(b"\n")
    assert cpu_seconds(started.pid) == 0.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with an empty bento."""
    folder = tmp_path / "bentos" / "mkt_models" / "a"
    folder.mkdir(parents=True)
    (folder / "bento.yaml").write_text("")
    return tmp_path


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is started in place of BentoML: a program of Python, which knows ``port``."""
    text = ["pass"]

    def command(bento: Path, host: str, port: int) -> list[str]:
        return [sys.executable, "-c", f"port = {port}\n{text[0]}"]

    monkeypatch.setattr(process, "_serve_command", command)
    return text


LATE = """
import http.server, time
until = time.monotonic() + 3
while time.monotonic() < until:
    sum(range(200_000))
    time.sleep(0.03)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""


def test_a_start_that_is_late_but_works_is_waited_for(home: Path, program: list[str]) -> None:
    program[0] = LATE
    with running(home, TAG, timeout=1.5) as server:
        assert server.process.poll() is None


def test_a_start_that_died_is_not_waited_for(home: Path, program: list[str]) -> None:
    program[0] = "raise SystemExit('out of memory')"
    with (
        pytest.raises(
            PackagingError, match="ended with code 1 before it was ready:\nout of memory"
        ),
        running(home, TAG, timeout=600),
    ):
        pass
