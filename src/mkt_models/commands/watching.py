"""Watch a finished run, or what a service did."""

import argparse
import sys
from typing import TYPE_CHECKING

from mkt_models.commands.told import Commands, added, set_environment
from mkt_models.loading import ParamsError

if TYPE_CHECKING:
    from mkt_models.workspace import Workspace


def add_monitor(commands: Commands) -> None:
    """Add the watching."""
    command = added(commands, "monitor", monitor)
    command.add_argument("--against", help="an earlier run: its parameter file, or its name")
    command.add_argument("--served", action="store_true", help="what the service did, instead")
    command.add_argument(
        "--store", help="address of its live store; by default MKT_STORE_URL, or that of the run"
    )
    command.add_argument("--language", choices=("en", "zh"), default="en")


def monitor(args: argparse.Namespace) -> int:
    """Watch a finished run or a service; exit 1 on an alarm, 3 if unsure."""
    try:
        return _monitor(args)
    except ParamsError:
        raise
    except Exception as error:  # 1 is an alarm: no fault of the command may end with it
        print(f"mkt monitor: not expected: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


def _monitor(args: argparse.Namespace) -> int:
    from mkt_models.monitored import earlier_run
    from mkt_models.monitored import monitor as watch
    from mkt_models.monitoring.alarms import in_words
    from mkt_models.workspace import MissingInputError, Workspace

    set_environment()
    ws = Workspace.open(args.params)
    if args.served:
        return _monitor_service(ws, args)
    try:
        against = earlier_run(args.against, ws) if args.against else None
        found = watch(ws, against)
    except (MissingInputError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(in_words(found.alarms, found.settings, args.language), end="")
    return found.exit_code


def _monitor_service(ws: "Workspace", args: argparse.Namespace) -> int:
    """Watch what a service did, by its live store; the exit codes are those of a run's."""
    from mkt_models.served import report
    from mkt_models.store.values import StoreError
    from mkt_models.workspace import MissingInputError, NotAvailableError

    try:
        found = report(ws, args.store)
        told, code = found.in_words(args.language), found.exit_code
    except (MissingInputError, NotAvailableError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    print(told, end="")
    return code
