"""What the environment decides about a running service: how many workers, and where it keeps."""

from collections.abc import Mapping
from pathlib import Path

WORKERS = "MKT_WORKERS"
STORE = "MKT_STORE_URL"
LIVE_FILE = "live.sqlite"


class SettingsError(ValueError):
    """An environment variable that cannot be used; the message names it and what it must be."""


def worker_count(environment: Mapping[str, str]) -> int:
    """How many processes answer: ``MKT_WORKERS``, by default one. One per core is enough.

    >>> worker_count({}), worker_count({"MKT_WORKERS": "2"})
    (1, 2)
    """
    value = environment.get(WORKERS, "").strip() or "1"
    if not value.isdecimal() or not 1 <= int(value) <= 64:
        raise SettingsError(f"{WORKERS} == {value!r}: must be a whole number from 1 to 64")
    return int(value)


def live_store_address(environment: Mapping[str, str]) -> str | Path:
    """Where the live store is: ``MKT_STORE_URL``, else an SQLite file beside the models."""
    home = environment.get("BENTOML_HOME") or Path.home() / "bentoml"
    return environment.get(STORE) or Path(home) / LIVE_FILE


def report_address(
    environment: Mapping[str, str], chosen: str | None, root: Path, home: Path
) -> str | Path:
    """Where a report reads: ``MKT_STORE_URL``, else ``chosen``, else the file of `mkt serve`.

    Parameters
    ----------
    environment
        of the process
    chosen
        of the parameters: an address, or a path from ``root`` on; None for neither
    root, home
        the project's folder, and the BentoML store of the run

    >>> report_address({}, "live/shop.sqlite", Path("/shop"), Path("/shop/bentoml")).as_posix()
    '/shop/live/shop.sqlite'
    """
    if told := environment.get(STORE):
        return told
    if chosen is None:
        return home / LIVE_FILE
    return chosen if "://" in chosen else root / chosen
