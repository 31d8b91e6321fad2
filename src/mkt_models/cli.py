"""The command line, ``mkt``: run, check, tell, watch, serve and publish; forget and retain.

The project's folder is the nearest one, from here upwards, that holds ``dodo.py``.
"""

import argparse
import os
import runpy
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mkt_models.columns import SCORING_MODELS
from mkt_models.loading import ParamsError

if TYPE_CHECKING:
    from mkt_models.params import Params
    from mkt_models.standing import Standing
    from mkt_models.workspace import Workspace

DEFAULT_PARAMS = "params/complete_journey.yaml"
# One thread per stage: two stages run at a time, and numeric libraries would fight over the cores.
_ENVIRONMENT = {
    "BENTOML_DO_NOT_TRACK": "True",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


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


def project_root(start: Path | None = None) -> Path:
    """The nearest folder, from ``start`` upwards, that holds ``dodo.py``."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dodo.py").is_file():
            return folder
    raise ParamsError(f"{here}: no dodo.py here or above; run this inside the project's folder")


def run(args: argparse.Namespace) -> int:
    """Run the stages that are stale, then tell what was found."""
    from mkt_models.stages import Run, parse_overrides

    root, params_file = _told_to_the_graph(args)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    opened = Run.open(params_file, parse_overrides(args.set))
    _features(opened.workspace.params)
    _check_key(opened.workspace.params, opened.workspace.root)
    os.environ["BENTOML_HOME"] = str(opened.workspace.bentoml_home)
    opened.workspace.bentoml_home.mkdir(parents=True, exist_ok=True)

    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    print(f"{opened.workspace.params.run}: parameters are valid ({args.params})", flush=True)
    os.chdir(root)
    graph = ModuleTaskLoader(runpy.run_path(str(root / "dodo.py")))
    words = ["run", "-n", str(args.jobs), *(["-a"] if args.force else []), *args.stages]
    code = DoitMain(graph).run(words)
    if code == 0 and not args.stages:
        print()
        print(_told(root, opened.workspace.params.run), end="")
    return int(code)


def check(args: argparse.Namespace) -> int:
    """Validate parameters against the data, and say what is there and what is not."""
    from mkt_models.decisions.catalogue import load_catalogue
    from mkt_models.decisions.charges import offers_of_the_data
    from mkt_models.profiles.tag_catalogue import load_tag_catalogue
    from mkt_models.profiles.tag_preview import preview, preview_text
    from mkt_models.sources.check import look
    from mkt_models.sources.findings_text import faults_text, findings_text
    from mkt_models.stages import Run, parse_overrides

    opened = Run.open(args.params, parse_overrides(args.set), ask_source=False)
    params = opened.workspace.params
    print(f"{args.params}: its keys and values are valid (digest {params.digest})")
    print(f"  run         {params.run}")
    print(f"  source      {params.source.describe()}")
    print(f"  profile     as of {params.profile.as_of}")
    for name, model in (("churn", params.churn), ("value", params.value)):
        dates = model.dates()
        print(
            f"  {name:<11} {model.horizon_days} days ahead, {len(dates)} cutoffs from {dates[0]} "
            f"to {dates[-1]}, the last {model.test_cutoffs} are tests"
        )
    print(f"  features    {_features(params)}")
    print(f"  strategies  {params.decisions.k} per answer, from {params.decisions.catalogue}")
    catalogue = load_catalogue(opened.params_file.parent / params.decisions.catalogue)
    for one in offers_of_the_data(params.budgets, catalogue):
        print(f"  {one}")
    tags = load_tag_catalogue(opened.params_file.parent / params.profile.tags)
    print(
        f"  tags        {len(tags.tags())} in {len(tags.families)} families, from "
        f"{params.profile.tags} (digest {tags.digest})"
    )
    edited = preview(opened.workspace.path("profile", "."), tags)
    if edited and (told := preview_text(edited)):
        print(f"\n{told}")
    _check_key(params, opened.workspace.root)
    sys.stdout.flush()
    found = look(params, opened.workspace.source)
    if told := findings_text(found, params.source):
        print(f"\n{told}\n", flush=True)
    if faults := faults_text(found):
        print(f"{args.params}: {faults}", file=sys.stderr)
        return 2
    print(f"Nothing is wrong. Next: mkt run {args.params}")
    return 0


def summary(args: argparse.Namespace) -> int:
    """Tell what the stages have found, and which of them are stale or have not run."""
    from mkt_models.stages import STAGES, Run, parse_overrides
    from mkt_models.standing import Standing, standings

    root, params_file = _told_to_the_graph(args)
    run = Run.open(params_file, parse_overrides(args.set), ask_source=False)
    if any(run.marker(stage).is_file() for stage in STAGES):
        os.chdir(root)
        found = standings(runpy.run_path(str(root / "dodo.py")))
    else:
        found = [Standing(stage.name, "not run") for stage in STAGES]
        found.append(Standing("report", "stale"))
    print(_told(root, run.workspace.params.run, found), end="")
    return 0


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

    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
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


def notebooks(args: argparse.Namespace) -> int:
    """Run the committed notebooks with their defaults and write the outputs back into them."""
    from mkt_models.notebook_runs import StageError, refresh

    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for path in map(Path, args.notebooks):
        print(f"{path.name} …", flush=True)
        try:
            refresh(path)
        except StageError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def forget(args: argparse.Namespace) -> int:
    """Remove a customer from all that a run holds, and keep sources from bringing it back."""
    from mkt_models.forgetting import forget_customer, receipt_text
    from mkt_models.sources.pseudonyms import PrivacyError
    from mkt_models.store.values import StoreError
    from mkt_models.workspace import Workspace

    try:
        receipt = forget_customer(
            Workspace.open(args.params), args.customer, datetime.now(UTC), dry_run=args.dry_run
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


def _features(params: "Params") -> str:
    """How many features each model uses; a ParamsError for a dropped one that there is not."""
    if not (params.features.drop or params.features.drop_from):
        return "all of the catalogue"
    from mkt_models.models.feature_choice import chosen_features

    counts = {model: len(chosen_features(model, params.features)) for model in SCORING_MODELS}
    return ", ".join(f"{n} for {model.value}" for model, n in counts.items())


def _check_key(params: "Params", root: Path) -> None:
    """A ParamsError when ids are to be hashed, or customers left out, and the key is not there."""
    from mkt_models.sources.pseudonyms import PrivacyError, Protection

    try:
        Protection.of(params.privacy, root)
    except PrivacyError as error:
        raise ParamsError(str(error)) from None


def _told_to_the_graph(args: argparse.Namespace) -> tuple[Path, Path]:
    """Say to ``dodo.py``, by the environment, which run is meant; its root and parameter file."""
    root, params_file = project_root(), Path(args.params).resolve()
    os.environ.update({"MKT_ROOT": str(root), "MKT_PARAMS": str(params_file)})
    os.environ["MKT_SET"] = " ".join(args.set)
    return root, params_file


def _told(root: Path, run_name: str, found: "Sequence[Standing]" = ()) -> str:
    from mkt_models.summary import read_story
    from mkt_models.summary import summary as tell

    return tell(read_story(root, run_name, found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mkt", description="From customer data to a strategy for every customer."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, function: object) -> argparse.ArgumentParser:
        words = str(function.__doc__)
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(command=function)
        return command

    def takes_params(command: argparse.ArgumentParser) -> None:
        command.add_argument("params", nargs="?", default=DEFAULT_PARAMS, help="parameter file")

    setting = {"nargs": "*", "default": [], "metavar": "key=value"}
    command = add("run", run)
    takes_params(command)
    command.add_argument("--set", help="override parameters", **setting)  # type: ignore[arg-type]
    command.add_argument("--stages", nargs="*", default=[], help="only these, and what they need")
    command.add_argument("--jobs", type=int, default=2, help="stages at a time")
    command.add_argument("--force", action="store_true", help="run unchanged stages as well")
    command = add("check", check)
    takes_params(command)
    command.add_argument("--set", help="override parameters", **setting)  # type: ignore[arg-type]
    command = add("summary", summary)
    takes_params(command)
    command.add_argument("--set", help="as the run was made", **setting)  # type: ignore[arg-type]
    command = add("publish", publish)
    takes_params(command)
    command.add_argument("--store", help="address of the live store; by default MKT_STORE_URL")
    command = add("monitor", monitor)
    takes_params(command)
    command.add_argument("--against", help="an earlier run: its parameter file, or its name")
    command.add_argument("--served", action="store_true", help="what the service did, instead")
    command.add_argument(
        "--store", help="address of its live store; by default MKT_STORE_URL, or that of the run"
    )
    command.add_argument("--language", choices=("en", "zh"), default="en")
    command = add("serve", serve)
    takes_params(command)
    command.add_argument("--host", default="127.0.0.1", help="beyond loopback it needs MKT_API_KEY")
    command.add_argument("--port", type=int, default=3000)
    command = add("forget", forget)
    command.add_argument("params", help="parameter file of the run")
    command.add_argument("customer", help="id of the customer, as the source has it")
    command.add_argument("--dry-run", action="store_true", help="only say where the customer is")
    command = add("retain", retain)
    takes_params(command)
    command.add_argument("--delete", action="store_true", help="delete it")
    command.add_argument(
        "--store", help="address of the live store; by default MKT_STORE_URL, else the run's own"
    )
    add("notebooks", notebooks).add_argument("notebooks", nargs="+", help="notebooks, in order")
    return parser


if __name__ == "__main__":
    sys.exit(main())
