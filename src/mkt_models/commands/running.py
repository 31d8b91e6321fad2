"""Run the stages, check parameters, tell what was found, renew the committed notebooks."""

import argparse
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mkt_models.columns import SCORING_MODELS
from mkt_models.commands.told import (
    Commands,
    add_settings,
    added,
    set_environment,
    told_to_the_graph,
)
from mkt_models.loading import ParamsError

if TYPE_CHECKING:
    from mkt_models.params import Params
    from mkt_models.standing import Standing


def add_run_check_summary(commands: Commands) -> None:
    """Add what is about the stages of a run."""
    command = added(commands, "run", run)
    add_settings(command, "override parameters")
    command.add_argument("--stages", nargs="*", default=[], help="only these, and what they need")
    command.add_argument("--jobs", type=int, default=2, help="stages at a time")
    command.add_argument("--force", action="store_true", help="run unchanged stages as well")
    add_settings(added(commands, "check", check), "override parameters")
    add_settings(added(commands, "summary", summary), "as the run was made")


def add_notebooks(commands: Commands) -> None:
    """Add the renewing of committed notebooks."""
    command = added(commands, "notebooks", notebooks, takes_params=False)
    command.add_argument("notebooks", nargs="+", help="notebooks, in order")


def run(args: argparse.Namespace) -> int:
    """Run the stages that are stale, then tell what was found."""
    from mkt_models.one_run import alone
    from mkt_models.stages import Run, parse_overrides

    root, params_file = told_to_the_graph(args)
    set_environment()
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
    with alone(opened.workspace.build):
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

    root, params_file = told_to_the_graph(args)
    run = Run.open(params_file, parse_overrides(args.set), ask_source=False)
    if any(run.marker(stage).is_file() for stage in STAGES):
        os.chdir(root)
        found = standings(runpy.run_path(str(root / "dodo.py")))
    else:
        found = [Standing(stage.name, "not run") for stage in STAGES]
        found.append(Standing("report", "stale"))
    print(_told(root, run.workspace.params.run, found), end="")
    return 0


def notebooks(args: argparse.Namespace) -> int:
    """Run the committed notebooks with their defaults and write the outputs back into them."""
    from mkt_models.notebook_runs import StageError, refresh

    set_environment()
    for path in map(Path, args.notebooks):
        print(f"{path.name} …", flush=True)
        try:
            refresh(path)
        except StageError as error:
            print(error, file=sys.stderr)
            return 1
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


def _told(root: Path, run_name: str, found: "Sequence[Standing]" = ()) -> str:
    from mkt_models.story import read_story
    from mkt_models.summary import summary as tell

    return tell(read_story(root, run_name, found))
