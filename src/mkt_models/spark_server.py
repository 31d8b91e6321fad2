"""A Spark Connect server on this machine, for tests, benchmarks and a first try.

It listens on the loopback address only and ends with its ``with`` block. It needs Java 17 and an
environment of its own that has the package ``pyspark`` with Spark's jars (``make test-spark`` makes
both); the environment of the workflow has the small client only.
"""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mkt_models.patience import Patience, cpu_seconds

_MAIN = "org.apache.spark.sql.connect.service.SparkConnectServer"
_START_SECONDS = 180.0
_END_SECONDS = 30.0
_LOG_LINES = 15


class SparkServerError(RuntimeError):
    """The server did not start; the message holds the end of its log."""


@dataclass(frozen=True)
class SparkServer:
    """A running server: where it listens, and its process."""

    url: str
    pid: int


def spark_home(environment: Path) -> Path:
    """Find Spark inside an environment with ``pyspark``.

    Raises SparkServerError when it is not there.
    """
    found = sorted(environment.glob("lib/python*/site-packages/pyspark/bin/spark-submit"))
    if not found:
        raise SparkServerError(f"{environment}: no pyspark with Spark's jars; `make test-spark`")
    return found[0].parents[1].resolve()


@contextmanager
def running(
    home: Path, threads: int = 2, memory_gb: float = 2.0, brief: bool = False
) -> Iterator[SparkServer]:
    """Start a server on a free loopback port, and end it with the block.

    Parameters
    ----------
    home
        Folder of Spark, from :func:`spark_home`.
    threads
        Cores that it uses.
    memory_gb
        Its heap in GB. The whole process takes some hundred MB more.
    brief
        For many small queries, as tests ask them: Java compiles their code fast rather than well.
        The second compiler takes more than the queries themselves where each is asked once.

    Raises
    ------
    SparkServerError
        When it ends, or does not listen within three minutes; on a busy machine it is given more
        while it works, see :class:`mkt_models.patience.Patience`.

    """
    with tempfile.TemporaryDirectory(prefix="spark-server-") as scratch:
        port, log = _free_port(), Path(scratch) / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                _command(home, port, threads, memory_gb, Path(scratch), brief),
                cwd=scratch,
                env=os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait(process, port, log)
            yield SparkServer(f"sc://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(
    home: Path, port: int, threads: int, memory_gb: float, scratch: Path, brief: bool
) -> list[str]:
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.local.dir": scratch,
        "spark.sql.warehouse.dir": scratch / "warehouse",
        "spark.sql.shuffle.partitions": 2 * threads,
        "spark.log.level": "WARN",
    }
    listed = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    memory = f"{int(memory_gb * 1024)}m"
    submit = [str(home / "bin" / "spark-submit"), "--class", _MAIN]
    master = ["--master", f"local[{threads}]", "--driver-memory", memory]
    java = ["--driver-java-options", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"] if brief else []
    return [*submit, *master, *java, *listed, "spark-internal"]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    patience = Patience(_START_SECONDS, lambda: cpu_seconds(process.pid))
    while (why := patience.over()) is None:
        if process.poll() is not None:
            why = f"it ended with code {process.returncode}"
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    said = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    raise SparkServerError(
        f"the Spark Connect server does not listen: {why}; its log ends:\n{said}"
    )
