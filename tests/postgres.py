"""A real PostgreSQL for tests: a cluster in a folder of its own, on a free loopback port.

The servers' programs come from Debian's package ``postgresql``, which keeps them off the PATH, and
they refuse to run as root. So they run as the user ``postgres`` when the tests run as root.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

USER = "shop"


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``, newest first; None when they are not installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: int(path.parent.parent.name),
    )
    on_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    return Path(on_path).parent if on_path else None


@contextmanager
def running(fsync: bool = False, folder: Path | None = None) -> Iterator[str]:
    """Start a server and give the URL of its database; it ends, by its pid, with the block.

    Without ``fsync`` a commit need not be on disk: tests want to be quick, and no power fails.

    Without the programs a test is skipped with the reason; in CI that is a failure.
    """
    bin_folder = programs()
    if bin_folder is None:
        reason = "PostgreSQL is not installed; on Debian: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    as_root = os.geteuid() == 0
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if as_root else {}
    home = Path(tempfile.mkdtemp(prefix="pg-", dir=folder))
    if as_root:
        shutil.chown(home, "postgres", "postgres")
    cluster, log = home / "cluster", home / "log"
    try:
        subprocess.run(
            [bin_folder / "initdb", "-D", cluster, "-U", USER, "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd=home, **who,
        )  # fmt: skip
        port = _free_port()
        with log.open("wb") as out:
            server = subprocess.Popen(
                [bin_folder / "postgres", "-D", cluster, "-h", "127.0.0.1", "-p", str(port),
                 "-k", home, "-c", f"fsync={'on' if fsync else 'off'}"],
                stdout=out, stderr=out, cwd=home, **who,
            )  # fmt: skip
        try:
            _wait(server, port, log)
            yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            server.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """Make an empty database on a running server, give its URL, and drop it with the block."""
    name = name[-40:].lower().replace("-", "_")
    with psycopg.connect(server, autocommit=True) as plain:
        plain.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    yield server.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as plain:
        plain.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait until the server says that it takes connections."""
    for _ in range(300):
        if server.poll() is not None:
            break
        if b"ready to accept connections" in log.read_bytes():
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start on port {port}:\n{log.read_text()}")
