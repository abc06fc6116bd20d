"""The lines of the engine's core: with code on them, without blank lines, comments and docstrings.

python -m bench.lines [REVISION …]     # this tree, and earlier ones from git
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tokenize
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = (
    "tensor", "variable", "array_protocols", "object_protocols", "tape", "cotangents", "records", "operation", "rules",
    "registry", "switches", "versions", "modes", "blocks", "backend", "methods", "forms",
)  # fmt: skip
GROUPS = {
    "core (tensor, tape, records, rules …)": tuple(f"minigrad/{name}.py" for name in FILES),
    "ops": ("minigrad/ops/",),
    "nn": ("minigrad/nn/",),
    "optim": ("minigrad/optim/",),
    "program": ("minigrad/program/",),
    "kernels": ("kernels/minigrad_kernels/",),
}
_LAYOUT = (
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.COMMENT,
    tokenize.ENDMARKER,
)


def lines_of_code(text: str) -> int:
    """How many lines of a program hold code."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type not in _LAYOUT:
            found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            found.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(found)


def files(revision: str | None) -> dict[str, str]:
    """The programs of this tree, or of a revision, by their paths."""
    if revision is None:
        paths = [path for folder in ("minigrad", "kernels") for path in (ROOT / folder).rglob("*.py")]
        return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout

    names = git("ls-tree", "-r", "--name-only", revision, "minigrad", "kernels").splitlines()
    wanted = [name for name in names if name.endswith(".py") and name.startswith(sum(GROUPS.values(), ()))]
    return {name: git("show", f"{revision}:{name}") for name in wanted}


def main() -> None:
    trees: list[str | None] = [None, *sys.argv[1:]]
    counted = []
    for tree in trees:
        counts = {path: lines_of_code(text) for path, text in files(tree).items()}
        counted.append(
            {
                group: sum(n for path, n in counts.items() if path.startswith(start))
                for group, start in GROUPS.items()
            }
        )
    print(f"{'':40}" + "".join(f"{tree or 'this tree':>14}" for tree in trees))
    for group in GROUPS:
        print(f"{group:40}" + "".join(f"{counts[group]:14,}" for counts in counted))


if __name__ == "__main__":
    main()
