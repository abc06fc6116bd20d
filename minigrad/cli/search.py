"""``minigrad search``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from minigrad.cli import show
from minigrad.cli.guard import resumable, resume_alone
from minigrad.cli.show import option
from minigrad.errors import ConfigError

if TYPE_CHECKING:
    from minigrad.train.search.plan import Plan

_WHAT, _HOW, _RUN = "What is searched", "What every trial shares", "The search"


def search(
    ctx: typer.Context,
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="deep-adam, line-gd, mlp-sgd or mlp-dropout (the default); see minigrad recipes.",
            show_default=False,
        ),
    ] = None,
    space: Annotated[
        list[str] | None,
        option("lr=1e-5:1e-1:log, momentum=0:0.99, hidden=64,128,256 …; once for each setting", _WHAT),
    ] = None,
    sampler: Annotated[str | None, option("grid, random or bayes (the default)", _WHAT)] = None,
    trials: Annotated[int | None, option("how many to train (20)", _WHAT)] = None,
    prune: Annotated[
        bool | None, option("end hopeless trials early (as it does), or not", _WHAT, "--prune/--no-prune")
    ] = None,
    data: Annotated[str | None, option("digits, mnist, line, FILE.csv or FILE.npz", _HOW)] = None,
    epochs: Annotated[int | None, option("times through the data", _HOW)] = None,
    validation: Annotated[
        float | None, option("share of the data that trials are judged by (0.1, or the recipe's)", _HOW)
    ] = None,
    setting: Annotated[
        list[str] | None,
        option("any other setting of minigrad train: --set optimizer=sgd; repeatable", _HOW, "--set"),
    ] = None,
    seed: Annotated[int | None, option("where all chance comes from", _HOW)] = None,
    jobs: Annotated[int, typer.Option(help="trials at a time, each in a process", rich_help_panel=_RUN)] = 1,
    out: Annotated[Path | None, option("folder of the new search", _RUN)] = None,
    resume: Annotated[Path | None, option("go on with the search in this folder", _RUN)] = None,
    plain: Annotated[bool, option("print lines, as into a file", _RUN, "--plain")] = False,
    quiet: Annotated[bool, option("print the search's folder alone", _RUN, "--quiet", "-q")] = False,
) -> None:
    """Search for settings: train with many, choose on validation data, test the chosen one once.

    The learning rate, say: minigrad search --space lr=1e-5:1e-1:log. Ctrl-C leaves a search that --resume goes on with.
    """
    from minigrad.train.run import next_folder
    from minigrad.train.search import run
    from minigrad.train.search.progress import SearchProgress
    from minigrad.train.search.study import import_optuna

    to = Console(quiet=True) if quiet else show.console()
    progress = SearchProgress("quiet" if quiet else "plain" if plain else "auto", to)

    def announce(plan: Plan, folder: Path) -> None:
        _announce(to, plan, folder, jobs)

    if resume is None:
        import_optuna()
        plan = _plan(ctx.params)
        folder = out or next_folder(plan.config.recipe, plan.config.data, Path("searches"))
        with resumable("search", folder / run.PLAN), _removed_if_empty(folder):
            results = run.start(plan, folder, progress, jobs, announce)
    else:
        folder = resume
        resume_alone("search", _given(ctx.params))
        if run.is_finished(folder):
            to.print(f"The search {folder} is finished.", soft_wrap=True, markup=False)
            results = run.read_results(folder)
        else:
            with resumable("search", folder / run.PLAN):
                results = run.resume(folder, progress, jobs, announce)
    if quiet:
        show.path(folder)
    _conclude(to, folder, results)


def _plan(params: dict[str, Any]) -> Plan:
    from minigrad.cli.training import config_of
    from minigrad.train.search.plan import Plan

    given = {name: params[name] for name in ("recipe", "data", "epochs", "validation", "seed")}
    settings = {**_settings(params["setting"] or []), **{k: v for k, v in given.items() if v is not None}}
    config = config_of(settings)
    shared = config.to_dict()
    if not config.validation and "validation" not in settings:
        shared["validation"] = 0.1  # a listing that holds nothing out
    chosen = {name: params[name] for name in ("sampler", "trials", "prune") if params[name] is not None}
    plan = Plan(shared, list(params["space"] or []), **chosen)
    twice = [name for name in plan.dimensions if name in settings]
    if twice:
        raise ConfigError(
            "MG-803", f"{', '.join(twice)} cannot be both searched and set. Leave one of the two out."
        )
    return plan


_READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": lambda given: {"true": True, "false": False}[given.lower()],
}


def _settings(texts: list[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` for settings that every trial shares."""
    import dataclasses

    from minigrad.train.config import Config, check_choice

    kinds = {field.name: str(field.type) for field in dataclasses.fields(Config)}
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        name = name.replace("-", "_")
        check_choice("--set NAME=VALUE: NAME", name, kinds)
        try:
            found[name] = _READ[kinds[name]](value)
        except (ValueError, KeyError) as error:
            raise ConfigError(
                "MG-802", f"--set {text[:80]!r}: {name} must be of type {kinds[name]}; got {value[:40]!r}."
            ) from error
        if not equals:
            raise ConfigError("MG-802", f"--set {text[:80]!r} has no value. Write --set {name}=VALUE.")
    return found


def _given(params: dict[str, Any]) -> list[str]:
    """Return the names of what was given that a search begins with."""
    always = ("resume", "jobs", "plain", "quiet")
    return [name for name, value in params.items() if name not in always and value not in (None, (), [])]


@contextmanager
def _removed_if_empty(folder: Path) -> Iterator[None]:
    """Leave no folder behind where the search did not begin."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
        raise


def _announce(to: Console, plan: Plan, folder: Path, jobs: int) -> None:
    to.print(
        Text.assemble(
            "\n",
            (plan.config.recipe, "bold green"),
            (f" on {Path(plan.config.data).stem}", "bold"),
            (f", {plan.sampler} search", "dim"),
            "\n",
        )
    )
    show.facts(
        to,
        {
            "searched": "\n".join(f"{name}: {part.describe()}" for name, part in plan.dimensions.items()),
            "trials": f"{plan.count()}, {'hopeless ones pruned' if plan.prune else 'none pruned'}"
            + (f", {jobs} at a time" if jobs > 1 else ""),
            "shared": f"{show.settings_in_words(plan.settings, without=plan.dimensions)}, seed {plan.config.seed}",
            "chosen by": f"{100 * plan.config.validation:g} % of the training data, held out",
            "folder": folder,
        },
    )
    to.print()


def _conclude(to: Console, folder: Path, results: dict[str, Any]) -> None:
    from minigrad.train.search.progress import in_words
    from minigrad.train.search.report import used_once

    to.print()
    show.facts(to, {"best": f"trial {results['trial']}: {in_words(results['point'])}"})
    to.print()
    to.print(used_once(results), highlight=False)
    to.print()
    show.facts(
        to,
        {
            "folder": folder,
            "look at": "summary.md, history.png, importance.png, slice.png, trials.csv",
            "the network": folder / "best",
        },
    )
    to.print()
    show.commands(to, f"minigrad evaluate {shlex.quote(str(folder / 'best'))}")
    to.print()
