"""The command line, ``mkt``: run, check, tell, watch, serve and publish; forget and retain.

The project's folder is the nearest one, from here upwards, that holds ``dodo.py``. The commands
stand in ``commands``.
"""

import argparse
import sys
from collections.abc import Sequence

from mkt_models.commands import keeping, running, serving, watching
from mkt_models.commands.told import project_root
from mkt_models.loading import ParamsError

__all__ = ["main", "project_root"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    args = _parser().parse_args(argv)
    try:
        return int(args.command(args))
    except ParamsError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; finished stages are kept, the next run goes on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mkt", description="From customer data to a strategy for every customer."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for add in (
        running.add_run_check_summary,
        serving.add_publish,
        watching.add_monitor,
        serving.add_serve,
        keeping.add_forget_retain,
        running.add_notebooks,
    ):
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
