"""Forget a customer, and delete what was kept for too long."""

import argparse
import sys
from datetime import UTC, datetime

from mkt_models.commands.told import Commands, added


def add_forget_retain(commands: Commands) -> None:
    """Add what removes personal data."""
    command = added(commands, "forget", forget, takes_params=False)
    command.add_argument("params", help="parameter file of the run")
    command.add_argument("customer", help="id of the customer, as the source has it")
    command.add_argument("--dry-run", action="store_true", help="only say where the customer is")
    command.add_argument(
        "--store",
        help="address of the live store; by default MKT_STORE_URL, served.store or the run's own",
    )
    command = added(commands, "retain", retain)
    command.add_argument("--delete", action="store_true", help="delete it")
    command.add_argument(
        "--store", help="address of the live store; by default MKT_STORE_URL, else the run's own"
    )


def forget(args: argparse.Namespace) -> int:
    """Remove a customer from all that a run holds, and keep sources from bringing it back."""
    from mkt_models.forgetting import forget_customer, receipt_text
    from mkt_models.sources.pseudonyms import PrivacyError
    from mkt_models.store.values import StoreError
    from mkt_models.workspace import Workspace

    try:
        receipt = forget_customer(
            Workspace.open(args.params),
            args.customer,
            datetime.now(UTC),
            store=args.store,
            dry_run=args.dry_run,
        )
    except (PrivacyError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    print(receipt_text(receipt), end="")
    return 1 if receipt["remaining"] and not args.dry_run else 0


def retain(args: argparse.Namespace) -> int:
    """Say what a run and its live store have kept for too long, and delete it when asked."""
    from mkt_models.retention import (
        delete_overdue,
        live_limit,
        live_store_of,
        overdue,
        overdue_rows,
    )
    from mkt_models.sources.pseudonyms import PrivacyError
    from mkt_models.store.values import StoreError
    from mkt_models.workspace import Workspace

    ws, now = Workspace.open(args.params), datetime.now(UTC)
    rows: dict[str, int] = {}
    try:
        store = live_store_of(ws, args.store)
        before = None if store is None else live_limit(ws, now)
        if store is not None and before is not None:
            rows = overdue_rows(store, before, args.delete)
    except (PrivacyError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    found = delete_overdue(ws, now) if args.delete else overdue(ws, now)
    done = "were deleted" if args.delete else "are due to be deleted (--delete)"
    print(f"{len(found)} files of {ws.params.run} {done}")
    for one in found:
        print(f"  {one.kind:<10} {one.age_days:>5} days  {one.path.relative_to(ws.root)}")
    if before is not None:
        print(f"{sum(rows.values())} rows of the live store, from before {before:%Y-%m-%d}, {done}")
        for table, n in rows.items():
            print(f"  {table:<10} {n:>5}")
    elif store is not None:
        print("privacy.retention.live is not set: nothing in the live store is due")
    return 0
