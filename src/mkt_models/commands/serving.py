"""Serve the bento of a run, and publish a run's customers to a service."""

import argparse
import os
import sys

from mkt_models.commands.told import Commands, added


def add_publish(commands: Commands) -> None:
    """Add the publishing in a live store."""
    command = added(commands, "publish", publish)
    command.add_argument("--store", help="address of the live store; by default MKT_STORE_URL")


def add_serve(commands: Commands) -> None:
    """Add the serving."""
    command = added(commands, "serve", serve)
    command.add_argument("--host", default="127.0.0.1", help="beyond loopback it needs MKT_API_KEY")
    command.add_argument("--port", type=int, default=3000)


def serve(args: argparse.Namespace) -> int:
    """Serve the last built bento of a run."""
    from mkt_models.packaging import PackagingError
    from mkt_models.packaging import serve as serve_bento
    from mkt_models.workspace import Workspace

    if not 1 <= args.port <= 65535:
        print(f"--port {args.port}: must be from 1 to 65535", file=sys.stderr)
        return 2
    home = Workspace.open(args.params).bentoml_home
    try:
        return serve_bento(home, host=args.host, port=args.port)
    except PackagingError as error:
        print(error, file=sys.stderr)
        return 1


def publish(args: argparse.Namespace) -> int:
    """Publish the customers of the last run in the live store that a running service uses."""
    from datetime import UTC, datetime

    from mkt_models.serving.settings import STORE
    from mkt_models.store.live import LiveStore
    from mkt_models.store.snapshot import Store
    from mkt_models.store.values import StoreError
    from mkt_models.workspace import MissingInputError, Workspace

    address = args.store or os.environ.get(STORE)
    if not address:
        print(f"say where: --store postgresql://…, or {STORE}", file=sys.stderr)
        return 2
    try:
        workspace = Workspace.open(args.params)
        path = workspace.existing("decisions", "snapshot.sqlite")
        now = datetime.now(UTC)
        today = now.astimezone(workspace.params.source.zone).date()
        with Store.open(path) as snapshot, LiveStore.open(address) as live:
            meta = snapshot.meta()
            since = datetime(1970, 1, 1, tzinfo=UTC)
            consents = [one for some in snapshot.all_consents().values() for one in some]
            exposures = [one for some in snapshot.all_exposures(since).values() for one in some]
            n = live.publish(meta, snapshot.customers(), now, consents, exposures, today)
    except (StoreError, MissingInputError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{n:,} customers as of {meta.as_of} are served from now on (snapshot {meta.snapshot_id})"
    )
    return 0
