"""One run at a time works on the folder of a run."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mkt_models.loading import ParamsError

LOCK = ".running"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other runs out of a run's folder, and end with this process, however it ends.

    Two runs would empty and fill the same folders, and each would find the other's half.

    Raises
    ------
    ParamsError
        When another run is at work on it.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ParamsError(
                f"another run is at work on {folder}; wait until it ends, or give this one a name "
                "of its own (--set run=NAME)"
            ) from None
        yield
