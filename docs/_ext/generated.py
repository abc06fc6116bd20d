"""Pages that are made from the project itself whenever the site is built, so that they cannot fall behind it.

``docs/tutorials`` gets the notebooks, ``docs/errors`` the pages of the error codes, by kind, and ``docs/_generated``
the parts that pages include: the commands, the operations, the tutorials' table, the benchmarks, a recorded step, and
the live examples. None of it is under version control. A file is written only where its content changes, so that
Sphinx builds only what has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, get_type_hints

from sphinx.application import Sphinx
from sphinx.config import Config

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
PARTS, TUTORIALS, ERRORS = DOCS / "_generated", DOCS / "tutorials", DOCS / "errors"
SITE = PARTS / "site"
"""What the site has beside its pages, as it is."""

KINDS = {
    "1": "Shapes",
    "2": "Gradients and dtypes",
    "3": "Devices",
    "4": "Losses and labels",
    "5": "Networks and optimizers",
    "6": "Operations and their rules",
    "7": "Data and files",
    "8": "Settings and the command line",
    "9": "Pictures, the stepper and exercises",
}
VALUES = {"int": "N", "float": "NUMBER", "Path": "PATH"}
"""What stands for the value of an option, by its type."""


def write(folder: Path, contents: dict[str, str]) -> None:
    """Make ``folder`` hold exactly these files."""
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
    for path in folder.iterdir():
        if path.is_file() and path.name not in contents:
            path.unlink()


# -- tutorials ------------------------------------------------------------------------------------------------


def notebooks() -> dict[str, str]:
    """Return every tutorial as a notebook, made from its source."""
    from tutorials.build import notebook, sources

    return {source.with_suffix(".ipynb").name: notebook(source) for source in sources()}


def tutorials_table(names: list[str]) -> str:
    """Return the table of ``tutorials/README.md`` with links to the pages, of the tutorials that there are."""
    rows = re.findall(
        r"^\| \[(.+?)\]\((\w+\.ipynb)\) \| (.+?) \|$",
        (ROOT / "tutorials" / "README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    lines = [f"| [{title}](tutorials/{name}) | {about} |" for title, name, about in rows if name in names]
    return "\n".join(["| tutorial | what it shows |", "|---|---|", *lines]) + "\n"


# -- errors ---------------------------------------------------------------------------------------------------


def error_pages() -> dict[str, str]:
    """Return a page for each kind of error, with the pages of its codes one under another."""
    from minigrad import explain

    pages: dict[str, list[str]] = {}
    for code in explain.codes():
        kind = KINDS[code[3]]
        page = pages.setdefault(f"{code[3]}-{_slug(kind)}.md", [f"# {kind}\n"])
        page.append(f"({code.lower()})=\n{_lowered(explain.page(code))}")
    return {name: "\n".join(parts) for name, parts in pages.items()}


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower())


def _lowered(page: str) -> str:
    """Make every heading one level lower; a comment in a program is none."""
    inside, lines = False, []
    for line in page.splitlines():
        inside ^= line.startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not inside else line)
    return "\n".join(lines) + "\n"


def errors_table() -> str:
    """Return all codes with their titles, by kind."""
    from minigrad import explain

    lines: list[str] = []
    kind = ""
    for code, title in explain.codes().items():
        if code[3] != kind:
            kind = code[3]
            lines += ["", f"## {KINDS[kind]}", "", "| code | what it says |", "|---|---|"]
        lines.append(f"| [{code}](#{code.lower()}) | {title} |")
    return "\n".join(lines[1:]) + "\n"


# -- commands -------------------------------------------------------------------------------------------------


def commands() -> str:
    """Return what ``minigrad COMMAND --help`` says, of every command."""
    import typer

    from minigrad.cli import app

    group: Any = typer.main.get_command(app)
    return (
        "\n".join(line for name, command in group.commands.items() for line in _command(name, command)) + "\n"
    )


def _command(name: str, command: Any) -> Iterator[str]:
    if hasattr(command, "commands"):
        for inner, each in command.commands.items():
            yield from _command(f"{name} {inner}", each)
        return
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join(["minigrad", name, *(["[OPTIONS]"] if options else []), *map(_metavar, arguments)])
    yield from (f"## `minigrad {name}`", "", "```text", usage, "```", "")
    yield from (re.sub(r"\[/?\w+\]", "", command.help).strip(), "")
    kinds = get_type_hints(command.callback)
    rows = [(f"`{_metavar(p)}`", p) for p in arguments] + [
        (_spelling(p, str(kinds[p.name])), p) for p in options
    ]
    panel = None
    for spelling, param in rows:
        there = getattr(param, "rich_help_panel", None) or ""
        if there != panel:
            panel = there
            yield from ("", f"| {panel} | |", "|---|---|")
        yield f"| {spelling} | {_cell(param.help or '')} |"
    yield ""


def _metavar(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return name if param.required or name.startswith("[") else f"[{name}]"


def _spelling(param: Any, kind: str) -> str:
    word = next((word for name, word in VALUES.items() if name in kind), "TEXT")
    value = "" if param.is_flag else f" {param.metavar or word}"
    return ", ".join(f"`{name}{value}`" for name in (*param.opts, *param.secondary_opts))


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", r"\|")


# -- operations -----------------------------------------------------------------------------------------------


def operations() -> str:
    """Return the table of all operations: formula, and the gradient rule for each input."""
    from minigrad import registry

    registry.load()
    rows = ["| operation | computes | gradient rules |", "|---|---|---|"]
    for name, operation in registry.operations.items():
        inputs = ["each"] if operation.variadic else operation.inputs
        rules = [
            f"{_code(of)} ← {_code(rule.formula)}"
            for of, rule in zip(inputs, operation.rules, strict=False)
            if rule
        ]
        rows.append(f"| {_code(name)} | {_code(operation.formula)} | {'<br>'.join(rules) or 'none'} |")
    return "\n".join(rows) + "\n"


def _code(text: str) -> str:
    return "`" + text.replace("|", r"\|") + "`"


# -- functions of NumPy's --------------------------------------------------------------------------------------


def functions() -> str:
    """Return the tables of all functions of NumPy's and SciPy's, by what becomes of them on Tensors."""
    from minigrad import catalogue

    entries = catalogue.entries()
    counts = catalogue.counts()
    lines = [
        f"{counts['gradient']} functions have a gradient, {counts['constant']} give a result that has none, and the "
        "other names of NumPy's stand in the last table with the reason.",
        "",
        "```{raw} html",
        '<input id="functions-filter" type="search" placeholder="Filter: solve, nan …" aria-label="Filter">',
        '<script src="../_static/filter.js" defer></script>',
        "```",
        "",
        "## With a gradient",
        "",
        "| function | computes | gradient |",
        "|---|---|---|",
    ]
    for entry, names in _named(entries, "gradient"):
        rules = "<br>".join(map(_code, entry.rules)) or "through the operations that it is made of"
        lines.append(f"| {names} | {_code(entry.formula)} | {rules} |")
    lines += ["", "## With a result alone", "", "| function | why it has no gradient |", "|---|---|"]
    lines += [f"| {names} | {_cell(entry.note)} |" for entry, names in _named(entries, "constant")]
    lines += ["", "## Neither", "", "| name | why |", "|---|---|"]
    lines += [f"| {names} | {_cell(entry.note)} |" for entry, names in _named(entries, "unsupported")]
    return "\n".join(lines) + "\n"


def _named(entries: list[Any], kind: str) -> Iterator[tuple[Any, str]]:
    """Return the functions of a kind, each with all names that it has."""
    names: dict[int, list[str]] = {}
    for entry in entries:
        names.setdefault(id(entry.function), []).append(f"`{entry.spelling}`")
    for entry in entries:
        if entry.kind == kind and (spelled := names.pop(id(entry.function), None)):
            yield entry, ", ".join(spelled)


# -- the rest -------------------------------------------------------------------------------------------------


def benchmarks() -> str:
    """Return ``bench/README.md``; its links to code become the names of folders."""
    text = (ROOT / "bench" / "README.md").read_text("utf-8")
    return re.sub(r"\[(`[^`\]]+`)\]\(\.\./[^)]*\)", r"\1", text)


def contributing() -> str:
    """Return ``CONTRIBUTING.md``."""
    return (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def picture() -> str:
    """Return the README's picture without the fonts that it would fetch; the reader's own serve."""
    text = (DOCS / "train.svg").read_text("utf-8")
    return re.sub(r",\s*url\(\"https?://[^)]*\)\s*format\([^)]*\)", "", text)


def stepper() -> str:
    """Return a recorded step for the first page."""
    import minigrad as mg
    from minigrad.viz import examples

    return mg.record(examples.load("line")["step"], title="one training step of y = w · x + b").html()


def live_pages() -> dict[str, str]:
    """Return the live examples as pages of their own."""
    from minigrad.viz import examples
    from minigrad.viz.page import whole

    return {f"{name}.html": whole(examples.record(name)) for name in examples.NAMES}


def gallery(pages: dict[str, str]) -> str:
    """Return a card for each live example: what it is, what there is to try, and its program."""
    from minigrad.viz import examples

    cards = []
    for name, example in examples.EXAMPLES.items():
        what, hint = (escape(text) for text in examples.about(examples.docstring(name)))
        size = max(0.1, round(len(pages[f"{name}.html"].encode()) / 1e6, 1))
        cards.append(
            f'<article class="example"><h3><a href="../live/{name}.html">{escape(example.title)}</a></h3>\n'
            f"<p>{what}</p>\n<p><em>{hint}</em></p>\n"
            f"<details><summary>the program, {name}.py</summary><pre>{escape(examples.source(name))}</pre></details>\n"
            f"<p><code>minigrad step {name}</code>, a page of {size} MB</p></article>"
        )
    return f'<div class="examples">\n{chr(10).join(cards)}\n</div>\n'


def first_quarter() -> str:
    """Return the page of the first lesson."""
    from minigrad.cli.step import recorded
    from minigrad.viz.lessons.binding import on_page
    from minigrad.viz.lessons.reading import read

    lesson = read("first-quarter")
    return recorded(lesson).html(lesson=on_page(lesson))


def generate(app: Sphinx, config: Config) -> None:
    """Write everything before Sphinx looks for its sources."""
    live = live_pages()
    PARTS.mkdir(exist_ok=True)
    SITE.mkdir(exist_ok=True)
    write(SITE / "live", live)
    notes = notebooks()
    write(TUTORIALS, notes)
    write(ERRORS, error_pages())
    write(
        PARTS,
        {
            "benchmarks.md": benchmarks(),
            "commands.md": commands(),
            "contributing.md": contributing(),
            "errors.md": errors_table(),
            "first_quarter.html": first_quarter(),
            "functions.md": functions(),
            "gallery.html": gallery(live),
            "operations.md": operations(),
            "stepper.html": stepper(),
            "train.svg": picture(),
            "tutorials.md": tutorials_table(list(notes)),
        },
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Generate as soon as the settings are known."""
    app.connect("config-inited", generate)
    return {"parallel_read_safe": True}
