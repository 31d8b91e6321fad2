"""A bento as a process: started on this machine, waited for, asked, and ended.

BentoML is run as a command in a process of its own, with ``BENTOML_HOME`` in its environment: its
container of settings is made once per process, and a notebook's kernel may have made another one.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mkt_models.patience import Patience, cpu_seconds
from mkt_models.serving.access import KEY_VARIABLE
from mkt_models.serving.settings import LIVE_FILE, STORE

BENTO = "mkt_models"
_LOG_TAIL = 40
_BETWEEN = 0.25  # seconds between two looks, which cost a service that waits under 2% of a core


class PackagingError(RuntimeError):
    """A bento that cannot be built, started or asked; the message says why and what to do."""


@dataclass(frozen=True)
class Server:
    """A running service: where it listens, what it serves, and where it logs."""

    base_url: str
    tag: str
    process: subprocess.Popen[bytes] = field(repr=False)
    log_file: Path
    key: str | None = field(default=None, repr=False)

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask this service; see :func:`ask`."""
        return ask(self.base_url, path, body, key=self.key)


@contextmanager
def running(
    home: Path,
    tag: str = f"{BENTO}:latest",
    *,
    port: int | None = None,
    environment: Mapping[str, str] = {},
    timeout: float = 90.0,
) -> Iterator[Server]:
    """Run a bento on loopback until the block ends.

    Parameters
    ----------
    home
        The BentoML store that holds the bento and its models.
    tag
        Which bento.
    port
        Where to listen; by default on any free port.
    environment
        Added to the server's environment, e.g. ``{"MKT_API_KEY": ...}``; an inherited key is
        not passed on. Without an ``MKT_STORE_URL`` here the live store is a new one that is gone
        when the block ends: what is tried out plans no contact of a real customer.
    timeout
        Seconds until the service must be ready. While it is working on a busy machine it is given
        more, see :class:`mkt_models.patience.Patience`.

    Raises
    ------
    PackagingError
        When the service ends early (at once), or is not ready in time; the end of its log is in
        the message.

    """
    bento = bento_folder(tag, home)
    port = _free_port() if port is None else port
    base_url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="mkt-serve-") as folder:
        log_file = Path(folder) / "server.log"
        settings = bentoml_environment(home)
        settings.pop(KEY_VARIABLE, None)
        settings[STORE] = f"sqlite:///{Path(folder) / LIVE_FILE}"
        settings.update(environment)
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                _serve_command(bento, "127.0.0.1", port),
                cwd=folder,
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_ready(base_url, process, log_file, timeout)
            key = settings.get(KEY_VARIABLE, "").split(",")[0] or None
            yield Server(base_url, f"{BENTO}:{bento.name}", process, log_file, key)
        finally:
            _end(process)


def serve(
    home: Path, tag: str = f"{BENTO}:latest", *, host: str = "127.0.0.1", port: int = 3000
) -> int:
    """Run a bento in the foreground until it is interrupted or terminated; return its exit code."""
    command = _serve_command(bento_folder(tag, home), host, port)
    process = subprocess.Popen(command, env=bentoml_environment(home))
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the terminal interrupted the server too: let it finish what it answers
    finally:
        signal.signal(signal.SIGTERM, before)


def ask(
    base_url: str,
    path: str,
    body: Mapping[str, Any],
    *,
    key: str | None = None,
    timeout: float = 30.0,
) -> dict[str, Any]:
    """Post a question as JSON and return the answer.

    Raises
    ------
    PackagingError
        When the service refuses or cannot be reached, with its status and message.

    """
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(
        base_url + path, json.dumps(body).encode(), headers, method="POST"
    )
    try:
        with _opener().open(request, timeout=timeout) as response:
            answer: dict[str, Any] = json.loads(response.read())
            return answer
    except urllib.error.HTTPError as error:
        said = error.read().decode("utf-8", "replace")
        raise PackagingError(f"{path} answered {error.code}: {said}") from None
    except OSError as error:
        raise PackagingError(f"{path}: no answer from {base_url}: {error}") from None


def bento_folder(tag: str, home: Path) -> Path:
    """Where a bento lies in the store ``home``; an unknown one is a PackagingError."""
    name, _, version = tag.partition(":")
    place = Path(home).resolve() / "bentos" / name
    latest = place / "latest"
    if version in ("", "latest") and latest.is_file():
        version = latest.read_text().strip()
    if not version or not (place / version / "bento.yaml").is_file():
        raise PackagingError(f"no bento {tag} in {home}: build one first, with `make run`")
    return place / version


def bentoml_command() -> list[str]:
    """The command line of BentoML in this environment."""
    return [sys.executable, "-m", "bentoml"]


def _serve_command(bento: Path, host: str, port: int) -> list[str]:
    # By its folder: given a tag, BentoML first imports a package of that name, and would then run
    # the sources of this environment instead of those in the bento.
    return [*bentoml_command(), "serve", str(bento), "--host", host, "--port", str(port)]


def bentoml_environment(home: Path) -> dict[str, str]:
    """The environment in which BentoML uses the store ``home``, and tells nobody."""
    chosen = {
        "BENTOML_HOME": str(Path(home).resolve()),
        "BENTOML_DO_NOT_TRACK": "True",
        "OMP_NUM_THREADS": "1",
    }
    return {**os.environ, **chosen}


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _opener() -> urllib.request.OpenerDirector:
    # loopback is never asked through a proxy
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _wait_until_ready(
    base_url: str, process: subprocess.Popen[bytes], log_file: Path, timeout: float
) -> None:
    patience = Patience(timeout, lambda: cpu_seconds(process.pid))
    while (why := patience.over()) is None:
        if process.poll() is not None:
            message = f"the service ended with code {process.returncode} before it was ready"
            raise PackagingError(f"{message}:\n{_tail_of(log_file)}")
        try:
            with _opener().open(f"{base_url}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(_BETWEEN)
    raise PackagingError(f"the service was not ready in time: {why}:\n{_tail_of(log_file)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and its workers: they are one process group of their own."""
    for sign, seconds in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _tail_of(log_file: Path) -> str:
    return tail(log_file.read_text(encoding="utf-8", errors="replace"))


def tail(text: str) -> str:
    """The last lines of a log."""
    return "\n".join(text.strip().splitlines()[-_LOG_TAIL:])
